//! What a machine is made of, and what it is given while it runs.

use super::TURNS;
use super::bed::{Bed, Kind};
use std::process::Command;
use weft_domain::Reason;
use weft_domain::spec::change::Change;
use weft_domain::spec::{
    Attachment, Balloon, Console, ConsoleMode, CoreScheduling, Device, DeviceKind, Disk, DiskFormat, DiskSource, Draft,
    Nic, NumaNode, Pin, Platform, QueuePin, RateLimit, RateLimitGroup, Rng, TokenBucket, Topology, Vsock, Zone,
};
use weft_ports::hypervisor::conformance::Stage;
use weft_ports::hypervisor::{Alteration, Backing, Machine, Order, State, Way};

const MIB: u64 = 1 << 20;

fn limit() -> RateLimit {
    let bucket = TokenBucket { size: 1 << 20, refill_ms: 100, one_time_burst: 0 };
    RateLimit { bandwidth: Some(bucket), ops: None }
}

fn further(name: &str, kind: DeviceKind) -> Device {
    Device { name: name.to_owned(), kind, pci_segment: 0, iommu: false }
}

fn pmem(bed: &Bed, name: &str) -> Device {
    let path = bed.file(name, 2 * MIB);
    further(name, DeviceKind::Pmem { path, size_bytes: 0, read_only: false, root: false, rate_limit: None })
}

/// A machine with as much as a host without special hardware has.
fn much(bed: &Bed) -> (Draft, Vec<Backing>) {
    let mut draft = Bed::draft();
    draft.cpu.max = 4;
    draft.cpu.topology = Some(Topology { threads_per_core: 2, cores_per_die: 2, dies_per_package: 1, packages: 1 });
    draft.cpu.pinning = vec![Pin { vcpu: 0, host_cpus: [0].into() }];
    draft.cpu.core_scheduling = CoreScheduling::Off;
    draft.memory.size_bytes = 128 * MIB;
    let zone =
        |name: &str| Zone { name: name.to_owned(), size_bytes: 64 * MIB, hotplug_bytes: 0, host_numa_node: None };
    draft.memory.zones = vec![zone("near"), zone("far")];
    draft.memory.shared = true;
    draft.memory.prefault = true;
    draft.memory.balloon = Some(Balloon { free_page_reporting: true, ..Balloon::new(8 * MIB) });
    let node = |id: u32, zone: &str| NumaNode {
        id,
        cpus: [2 * id, 2 * id + 1].into(),
        zones: vec![zone.to_owned()],
        distances: [(1 - id, 20)].into(),
        pci_segments: vec![id],
    };
    draft.numa = vec![node(0, "near"), node(1, "far")];
    draft.platform = Some(Platform {
        manufacturer: Some("weft".to_owned()),
        serial_number: Some("s-1".to_owned()),
        oem_strings: vec!["one".to_owned()],
        pci_segments: 2,
        ..Platform::default()
    });
    draft.watchdog = true;
    draft.rng = Some(Rng { source: "/dev/urandom".into(), rate_limit: None, iommu: false });
    draft.vsock = Some(Vsock { cid: 7, pci_segment: 0, iommu: false });
    draft.console = Console { path: Some(bed.file("hvc0", 0)), ..Console::new(ConsoleMode::File) };
    draft.rate_limit_groups = vec![RateLimitGroup { name: "slow".to_owned(), limit: limit() }];
    draft.devices = vec![pmem(bed, "pm")];
    let disks = disks(&mut draft, bed);
    (draft, disks)
}

fn disks(draft: &mut Draft, bed: &Bed) -> Vec<Backing> {
    let mut first = Disk::new("first", DiskSource::Path(bed.file("first", 4 * MIB)));
    first.serial = Some("weft-first".to_owned());
    first.queues = 1;
    first.queue_pinning = vec![QueuePin { queue: 0, host_cpus: [0].into() }];
    first.rate_limit = Some(limit());
    first.direct = true;
    let mut second = Disk::new("second", DiskSource::Path(bed.file("second", MIB)));
    second.read_only = true;
    second.rate_limit_group = Some("slow".to_owned());
    second.pci_segment = 1;
    draft.disks = vec![first, second];
    let backing = |name| Backing { path: bed.path(name), format: DiskFormat::Raw };
    ["first", "second"].map(backing).to_vec()
}

async fn launch(bed: &Bed, order: &Order) -> Box<dyn Machine> {
    let launched = bed.hypervisor().launch(order.clone()).await;
    launched.unwrap_or_else(|fault| {
        let words = std::fs::read_to_string(&order.vmm_log).unwrap_or_default();
        panic!("launch: {fault} {:?}\n{words}", fault.violations)
    })
}

async fn finish(machine: Box<dyn Machine>) {
    machine.bury().await.unwrap_or_else(|fault| panic!("bury: {fault}"));
}

macro_rules! on_both {
    ($name:ident, $bed:ident, $body:block) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let _turn = TURNS.acquire().await.expect("the turns are never closed");
            for kind in [Kind::Free, Kind::Jailed] {
                let Some($bed) = Bed::open(stringify!($name), kind).await else { continue };
                $body
            }
        }
    };
}

on_both!(a_machine_with_much_boots, bed, {
    let (draft, disks) = much(&bed);
    let order = Order { disks, ..bed.order_of(draft) };
    let machine = launch(&bed, &order).await;
    bed.until_shown(&order, weft_guest::READY, 1).await;
    bed.type_line(machine.as_ref(), "cpus").await;
    let shown = bed.until_shown(&order, "cpus ", 1).await;
    assert!(shown.contains("cpus 1"), "{shown}");
    let counters = machine.counters().await.unwrap();
    assert!(counters.contains_key("disk-first"), "{counters:?}");
    finish(machine).await;
});

on_both!(consoles_lead_where_they_are_asked_to, bed, {
    for mode in [ConsoleMode::Off, ConsoleMode::Null, ConsoleMode::File, ConsoleMode::Pty] {
        let mut draft = Bed::draft();
        draft.serial = Console { path: None, ..Console::new(mode) };
        if mode == ConsoleMode::File {
            draft.serial.path = Some(bed.file("ttyS0", 0));
        }
        let order = bed.order_of(draft);
        if mode == ConsoleMode::Pty && order.ward.is_some() {
            let fault = bed.hypervisor().launch(order).await.err().expect("a jail has no terminals");
            assert_eq!(fault.violations[0].field, "vm.spec.serial.mode", "{fault}");
            continue;
        }
        let machine = launch(&bed, &order).await;
        if let Some(path) = &order.spec.serial.path {
            let shown = Order { console_log: path.clone(), ..order.clone() };
            bed.until_shown(&shown, weft_guest::READY, 1).await;
        }
        let fault = machine.console().await.err().expect("there is none of ours");
        assert_eq!(fault.reason, Reason::ConsoleUnavailable, "{fault}");
        finish(machine).await;
    }
});

on_both!(a_machine_is_changed_while_it_runs, bed, {
    let mut draft = Bed::draft();
    draft.cpu.max = 2;
    draft.memory.hotplug_bytes = 256 * MIB;
    draft.memory.balloon = Some(Balloon::new(0));
    let order = bed.order_of(draft);
    let machine = launch(&bed, &order).await;
    bed.until_shown(&order, weft_guest::READY, 1).await;
    let path = bed.file("plugged", MIB);
    let disk = Disk::new("plugged", DiskSource::Path(path.clone()));
    let backing = Some(Backing { path: path.clone(), format: DiskFormat::Raw });
    let changes = [
        (Change::Cpus(2), None),
        (Change::Memory(64 * MIB + 128 * MIB), None),
        (Change::Memory(64 * MIB), None),
        (Change::Balloon(Balloon::new(8 * MIB)), None),
        (Change::AddDisk(disk.clone()), backing.clone()),
        (Change::AddDisk(disk), backing),
        (Change::AddDevice(pmem(&bed, "late")), None),
        (Change::AddVsock(Vsock { cid: 9, pci_segment: 0, iommu: false }), None),
        (Change::ResizeDisk("plugged".to_owned(), 2 * MIB), None),
        (Change::RemoveDisk("never".to_owned()), None),
    ];
    for (change, backing) in changes {
        let told = change.told();
        let done = machine.alter(&Alteration { change, backing }).await;
        done.unwrap_or_else(|fault| panic!("{told}: {fault}"));
    }
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 2 * MIB);
    let too_much = Alteration { change: Change::Cpus(3), backing: None };
    let fault = machine.alter(&too_much).await.expect_err("there are two at most");
    assert_eq!(fault.reason, Reason::ChangeRefused, "{fault}");
    assert_eq!(*machine.state().borrow(), State::Running);
    finish(machine).await;
});

/// A tap of the host that goes with the test.
struct Tap(String);

impl Tap {
    fn make() -> Option<Self> {
        let name = format!("weft{:x}", std::process::id());
        let done = Command::new("ip").args(["tuntap", "add", "dev", &name, "mode", "tap", "multi_queue"]).output();
        let there = done.ok().filter(|done| done.status.success())?;
        let up = Command::new("ip").args(["link", "set", &name, "up"]).status().ok()?;
        (there.status.success() && up.success()).then_some(Self(name))
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        // One that is gone already is as well.
        let _ = Command::new("ip").args(["link", "del", &self.0]).status();
    }
}

on_both!(a_tap_is_handed_over_to_one_who_may_not_open_it, bed, {
    let Some(tap) = Tap::make() else {
        println!("skipped: no tap can be made here");
        return;
    };
    let mut draft = Bed::draft();
    draft.cpu.boot = 2;
    draft.cpu.max = 2;
    let mut nic = Nic::new("nic0", Attachment::Tap(tap.0.clone()));
    nic.queues = 2;
    nic.mtu = 1_400;
    (nic.rx_rate_limit, nic.tx_rate_limit) = (Some(limit()), Some(limit()));
    draft.nics = vec![nic];
    let order = bed.order_of(draft);
    let machine = launch(&bed, &order).await;
    bed.until_shown(&order, weft_guest::READY, 1).await;
    let counters = machine.counters().await.unwrap();
    assert!(counters.contains_key("nic-nic0"), "{counters:?}");
    machine.reset().await.unwrap();
    bed.until_shown(&order, weft_guest::READY, 2).await;
    finish(machine).await;
    let order = bed.order_of(Bed::draft());
    let machine = launch(&bed, &order).await;
    bed.until_shown(&order, weft_guest::READY, 1).await;
    let mut late = Nic::new("late", Attachment::Tap(tap.0.clone()));
    late.mac = Some("52:54:00:12:34:56".parse().unwrap());
    // The tap has several queues, of which a machine with one processor takes none: it says so.
    let fault =
        machine.alter(&Alteration { change: Change::AddNic(late), backing: None }).await.expect_err("one queue");
    assert_eq!(fault.reason, Reason::HostRefused, "{fault}");
    finish(machine).await;
});

on_both!(a_guest_that_crashes_reboots_and_one_that_hangs_is_ended, bed, {
    let order = bed.order_of(Bed::draft());
    let machine = launch(&bed, &order).await;
    bed.until_shown(&order, weft_guest::READY, 1).await;
    machine.nmi().await.unwrap_or_else(|fault| panic!("nmi: {fault}"));
    bed.type_line(machine.as_ref(), "hang").await;
    machine.ask_to_stop().await.unwrap();
    assert_eq!(*machine.state().borrow(), State::Running, "it does not hear the button");
    machine.kill().await.unwrap();
    let end = machine.state().borrow().clone();
    assert!(matches!(end, State::Ended(end) if end.way == Way::Killed));
    finish(machine).await;
});
