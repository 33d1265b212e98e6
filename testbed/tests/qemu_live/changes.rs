//! What is changed while it runs is what the guest sees.

use super::{alter, done, draft, finish, jailed, machines, ready, refused};
use weft_domain::spec::change::Change;
use weft_domain::spec::{
    Attachment, Balloon, Cpu, Disk, DiskFormat, DiskSource, Draft, HotplugMethod, Machine as Model, Nic, RateLimit,
    TokenBucket,
};
use weft_ports::hypervisor::{Alteration, Backing, Machine};
use weft_testbed::machines::Machines;

const MIB: u64 = 1 << 20;

fn alteration(machines: &Machines, name: &str, file: &str, bytes: u64) -> (Disk, Alteration) {
    let path = machines.blank(file, bytes);
    let disk = Disk::new(name, DiskSource::Path(path.clone()));
    let backing = Some(Backing { path, format: DiskFormat::Raw });
    (disk.clone(), Alteration { change: Change::AddDisk(disk), backing })
}

/// Waits until the guest shows this: it finds devices in its own time.
async fn sees(machines: &Machines, machine: &dyn Machine, command: &str, wanted: &str) {
    let mut shown = String::new();
    let looking = async {
        while !shown.lines().any(|line| line.trim() == wanted) {
            shown = machines.asked(machine, command).await;
        }
    };
    let seen = tokio::time::timeout(std::time::Duration::from_secs(30), looking).await.is_ok();
    assert!(seen, "{wanted:?} is not seen: {shown}");
}

const SIZES: &str = "echo sizes $(cat /sys/block/vd*/size 2>/dev/null)";

/// Disks of one machine, in all that can become of them.
async fn disks_come_and_go_on(machines: &Machines, model: Model) {
    let mut draft = draft(model);
    let first = machines.blank("first", 4 * MIB);
    draft.disks = vec![Disk::new("first", DiskSource::Path(first.clone()))];
    let mut order = machines.order_of(draft);
    order.disks = vec![Backing { path: first, format: DiskFormat::Raw }];
    let machine = ready(machines, &order).await;
    let machine = machine.as_ref();
    let (disk, add) = alteration(machines, "data", "data", 8 * MIB);
    for _ in 0..2 {
        done(machine.alter(&add).await, "plug a disk");
    }
    sees(machines, machine, SIZES, "sizes 8192 16384").await;
    machines.asked(machine, "echo written >/dev/vdb; sync").await;
    let counted = machine.counters().await.expect("it counts");
    assert!(counted["data"]["wr_bytes"] > 0, "{counted:?}");

    let DiskSource::Path(path) = &disk.source else { unreachable!("it was made from a path") };
    assert!(std::fs::read(path).expect("its file").starts_with(b"written\n"));
    std::fs::OpenOptions::new().write(true).open(path).and_then(|file| file.set_len(16 * MIB)).expect("it grows");
    alter(machine, Change::ResizeDisk("data".into(), 16 * MIB)).await;
    sees(machines, machine, SIZES, "sizes 8192 32768").await;
    refused(machine, Change::ResizeDisk("data".into(), MIB)).await;

    let (other, plugged) = alteration(machines, "data", "other", 6 * MIB);
    let swap = Alteration { change: Change::SwapDisk(other), backing: plugged.backing };
    for _ in 0..2 {
        done(machine.alter(&swap).await, "swap a disk's file");
    }
    sees(machines, machine, SIZES, "sizes 8192 12288").await;

    for name in ["data", "data", "first"] {
        alter(machine, Change::RemoveDisk(name.into())).await;
    }
    sees(machines, machine, SIZES, "sizes").await;
    done(machine.alter(&add).await, "plug it again");
    sees(machines, machine, SIZES, "sizes 32768").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disks_come_grow_are_swapped_and_go() {
    for model in [Model::Pc, Model::Q35] {
        let Some((machines, _turn)) = machines(model).await else { return };
        disks_come_and_go_on(&machines, model).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disks_come_and_go_in_a_jail_too() {
    let Some((machines, _turn)) = jailed(Model::Q35).await else { return };
    disks_come_and_go_on(&machines, Model::Q35).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn interfaces_come_and_go() {
    for model in [Model::Pc, Model::Q35] {
        let Some((machines, _turn)) = machines(model).await else { return };
        let machine = ready(&machines, &machines.order_of(draft(model))).await;
        let mut nic = Nic::new("lan", Attachment::User { forwards: Vec::new() });
        nic.mac = Some("52:54:00:aa:bb:cc".parse().expect("a lawful address"));
        for _ in 0..2 {
            alter(machine.as_ref(), Change::AddNic(nic.clone())).await;
        }
        let counted = "echo seen $(cat /sys/class/net/*/address | grep -c 52:54:00:aa:bb:cc)";
        sees(&machines, machine.as_ref(), counted, "seen 1").await;
        for _ in 0..2 {
            alter(machine.as_ref(), Change::RemoveNic("lan".into())).await;
        }
        sees(&machines, machine.as_ref(), counted, "seen 0").await;
        let none = Nic::new("none", Attachment::Tap("weft-none-such".into()));
        let answer = machine.alter(&Alteration { change: Change::AddNic(none), backing: None }).await;
        assert!(answer.is_err(), "no such tap");
        finish(machine).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processors_and_memory_come() {
    for model in [Model::Pc, Model::Q35] {
        let Some((machines, _turn)) = machines(model).await else { return };
        let mut draft = draft(model);
        draft.cpu = Cpu { boot: 1, max: 4, ..Cpu::default() };
        draft.memory.size_bytes = 256 * MIB;
        draft.memory.hotplug_bytes = 1 << 30;
        let order = machines.order_of(draft);
        let machine = ready(&machines, &order).await;
        for _ in 0..2 {
            alter(machine.as_ref(), Change::Cpus(3)).await;
            alter(machine.as_ref(), Change::Memory(384 * MIB)).await;
        }
        let counted = "echo seen $(ls -d /sys/devices/system/cpu/cpu[0-9]* | wc -l) \
                       $(ls -d /sys/devices/system/memory/memory[0-9]* | wc -l)";
        sees(&machines, machine.as_ref(), counted, "seen 3 3").await;
        refused(machine.as_ref(), Change::Cpus(9)).await;
        let fault = refused(machine.as_ref(), Change::Cpus(1)).await;
        assert!(fault.message.contains("in software"), "{fault}");
        refused(machine.as_ref(), Change::Memory(256 * MIB)).await;
        refused(machine.as_ref(), Change::Memory(385 * MIB)).await;
        sees(&machines, machine.as_ref(), SIZES, "sizes").await;
        finish(machine).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_without_a_driver_for_memory_keeps_what_it_has() {
    let Some((machines, _turn)) = machines(Model::Q35).await else { return };
    let mut draft = draft(Model::Q35);
    (draft.memory.hotplug_bytes, draft.memory.hotplug_method) = (256 * MIB, HotplugMethod::VirtioMem);
    let machine = ready(&machines, &machines.order_of(draft)).await;
    let fault = refused(machine.as_ref(), Change::Memory(256 * MIB)).await;
    assert!(fault.message.contains("has 0 of"), "{fault}");
    alter(machine.as_ref(), Change::Memory(128 * MIB)).await;
    finish(machine).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_balloon_takes_and_gives_back() {
    for model in [Model::Microvm, Model::Q35] {
        let Some((machines, _turn)) = machines(model).await else { return };
        let mut draft = draft(model);
        let balloon = Balloon { deflate_on_oom: true, statistics_seconds: 1, ..Balloon::new(0) };
        draft.memory.balloon = Some(balloon.clone());
        let machine = ready(&machines, &machines.order_of(draft)).await;
        let total = async || {
            let shown = machines.asked(machine.as_ref(), "grep MemTotal /proc/meminfo").await;
            let number = shown
                .lines()
                .filter(|line| line.starts_with("MemTotal"))
                .find_map(|line| line.split_whitespace().nth(1));
            number.and_then(|number| number.parse::<u64>().ok()).unwrap_or_else(|| panic!("no memory: {shown}"))
        };
        let before = total().await;
        alter(machine.as_ref(), Change::Balloon(Balloon { size_bytes: 16 * MIB, ..balloon.clone() })).await;
        let mut actual = u64::MAX;
        while actual > 112 * MIB {
            actual = machine.counters().await.expect("it counts")["balloon"]["actual"];
        }
        assert!(total().await <= before, "{model:?}");
        alter(machine.as_ref(), Change::Balloon(balloon)).await;
        refused(machine.as_ref(), Change::Balloon(Balloon::new(1 << 40))).await;
        finish(machine).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_microvm_says_what_it_does_not_take_and_takes_the_rest() {
    let Some((machines, _turn)) = machines(Model::Microvm).await else { return };
    let mut draft = draft(Model::Microvm);
    let path = machines.blank("first", 8 * MIB);
    draft.disks = vec![Disk::new("first", DiskSource::Path(path.clone()))];
    let mut order = machines.order_of(draft);
    order.disks = vec![Backing { path: path.clone(), format: DiskFormat::Raw }];
    let machine = ready(&machines, &order).await;
    let (_, add) = alteration(&machines, "data", "data", MIB);
    let fault = machine.alter(&add).await.expect_err("it takes no disk");
    assert!(fault.message.contains("microvm") && fault.fix.contains("q35"), "{fault} {}", fault.fix);
    refused(machine.as_ref(), Change::Cpus(2)).await;
    refused(machine.as_ref(), Change::RemoveDisk("first".into())).await;
    std::fs::OpenOptions::new().write(true).open(&path).and_then(|file| file.set_len(16 * MIB)).expect("it grows");
    alter(machine.as_ref(), Change::ResizeDisk("first".into(), 16 * MIB)).await;
    sees(&machines, machine.as_ref(), SIZES, "sizes 32768").await;
    finish(machine).await;
}

fn limited(bytes: u64) -> RateLimit {
    RateLimit { bandwidth: Some(TokenBucket { size: bytes, refill_ms: 1_000, one_time_burst: 0 }), ops: None }
}

/// Seconds that a guest takes to read 6 MiB.
async fn reading(machines: &Machines, machine: &dyn Machine) -> u64 {
    let command = "a=$(cut -d. -f1 /proc/uptime); dd if=/dev/vda of=/dev/null bs=1M count=6 iflag=direct 2>/dev/null; \
                   b=$(cut -d. -f1 /proc/uptime); echo took $((b-a)) s";
    let shown = machines.asked(machine, command).await;
    let line = shown.lines().map(str::trim).find_map(|line| line.strip_prefix("took ")?.strip_suffix(" s"));
    line.and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no time: {shown}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_is_limited_from_the_start_and_while_it_runs() {
    for model in [Model::Microvm, Model::Q35] {
        let Some((machines, _turn)) = machines(model).await else { return };
        let path = machines.blank("slow", 8 * MIB);
        let mut disk = Disk::new("slow", DiskSource::Path(path.clone()));
        disk.rate_limit = Some(limited(MIB));
        let mut order = machines.order_of(Draft { disks: vec![disk], ..draft(model) });
        order.disks = vec![Backing { path, format: DiskFormat::Raw }];
        let machine = ready(&machines, &order).await;
        // One MiB is there at once; the others take a second each.
        assert!(reading(&machines, machine.as_ref()).await >= 3, "{model:?}: it is limited");
        alter(machine.as_ref(), Change::LimitDisk("slow".into(), None)).await;
        assert!(reading(&machines, machine.as_ref()).await <= 2, "{model:?}: the limit is lifted");
        alter(machine.as_ref(), Change::LimitDisk("slow".into(), Some(limited(MIB)))).await;
        assert!(reading(&machines, machine.as_ref()).await >= 3, "{model:?}: it is limited again");
        finish(machine).await;
    }
}
