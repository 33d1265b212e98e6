//! What QEMU was asked for is what its guest sees: every feature that the driver claims, on real guests.
#![allow(clippy::print_stdout, reason = "a test that is skipped says why")]

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use weft_domain::Reason;
use weft_domain::spec::payload::DEFAULT_IMAGE_READY;
use weft_domain::spec::{
    Attachment, Console, ConsoleMode, Cpu, Disk, DiskFormat, DiskSource, Draft, Forward, Machine as Model, Nic,
    Payload, Rng, Topology, Transport,
};
use weft_ports::hypervisor::{Backing, Boot, Hypervisor, Machine, Order};
use weft_testbed::machines::Machines;

const MODELS: [Model; 3] = [Model::Microvm, Model::Pc, Model::Q35];

/// Machines, or `None` after saying why there are none.
async fn machines(model: Model) -> Option<Machines> {
    match Machines::open(Path::new(env!("CARGO_TARGET_TMPDIR")), model).await {
        Ok(machines) => Some(machines),
        Err(why) => {
            println!("skipped: {why}");
            None
        }
    }
}

fn draft(machine: Model) -> Draft {
    let mut draft = Draft { machine, ..Draft::default() };
    draft.memory.size_bytes = 128 << 20;
    draft
}

fn disk(name: &str, path: &Path) -> Disk {
    Disk::new(name, DiskSource::Path(path.into()))
}

fn nic(name: &str, forwards: Vec<Forward>) -> Nic {
    Nic::new(name, Attachment::User { forwards })
}

fn sparse(path: PathBuf, size: u64) -> PathBuf {
    std::fs::File::create(&path).and_then(|file| file.set_len(size)).expect("a file can be made");
    path
}

async fn launch(machines: &Machines, order: &Order) -> Box<dyn Machine> {
    machines.qemu().launch(order.clone()).await.unwrap_or_else(|fault| panic!("launch: {fault}"))
}

async fn finish(machine: Box<dyn Machine>) {
    machine.kill().await.expect("it can be killed");
    machine.bury().await.expect("it can be buried");
}

/// What a command shows in the guest, to the line that says it is done.
async fn asked(machines: &Machines, machine: &dyn Machine, command: &str) -> String {
    machines.asked(machine, command).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disks_are_what_was_asked_in_order() {
    for model in MODELS {
        let Some(machines) = machines(model).await else { return };
        let folder = tempfile::tempdir().expect("a folder");
        let raw = sparse(folder.path().join("raw"), 8 << 20);
        let fixed = sparse(folder.path().join("fixed"), 4 << 20);
        let qcow2 = folder.path().join("qcow2");
        let made = Command::new("qemu-img").args(["create", "-q", "-f", "qcow2"]).arg(&qcow2).arg("16M").status();
        let mut disks = vec![
            Disk { serial: Some("first-1".into()), direct: true, ..disk("first", &raw) },
            Disk { read_only: true, ..disk("second", &fixed) },
        ];
        if made.is_ok_and(|status| status.success()) {
            disks.push(Disk { format: DiskFormat::Qcow2, ..disk("third", &qcow2) });
        }
        let backings: Vec<_> = disks.iter().zip([&raw, &fixed, &qcow2]).collect();
        let backings = backings.into_iter().map(|(disk, path)| Backing { path: path.clone(), format: disk.format });
        let backings: Vec<_> = backings.collect();
        let third = backings.len() > 2;
        let mut order = machines.order_of(Draft { disks, ..draft(model) });
        order.disks = backings;
        let machine = launch(&machines, &order).await;
        machines.until_shown(&order, DEFAULT_IMAGE_READY, 1).await;
        let command = "cat /sys/block/vda/serial; echo; cat /sys/block/vd?/size /sys/block/vd?/ro | tr '\\n' ' '; \
                       echo written >/dev/vda; sync";
        let shown = asked(&machines, machine.as_ref(), command).await;
        let (sizes, locks) = if third { ("16384 8192 32768", "0 1 0") } else { ("16384 8192", "0 1") };
        assert!(shown.contains("first-1") && shown.contains(&format!("{sizes} {locks}")), "{model:?}: {shown}");
        let written = std::fs::read(&raw).expect("the disk can be read");
        assert!(written.starts_with(b"written\n"), "{model:?}: what the guest wrote is in the file");
        finish(machine).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forward_leads_into_the_guest_and_each_network_has_its_own_addresses() {
    for model in MODELS {
        let Some(machines) = machines(model).await else { return };
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|socket| socket.local_addr());
        let host_port = free.expect("a free port").port();
        let forward = Forward { transport: Transport::Tcp, host_port, guest_port: 7 };
        let nics = vec![nic("nic0", vec![forward]), nic("nic1", vec![])];
        let order = machines.order_of(Draft { nics, ..draft(model) });
        let machine = launch(&machines, &order).await;
        let addresses: Vec<_> = machine.addresses().iter().map(ToString::to_string).collect();
        assert_eq!(addresses, ["10.0.2.15", "10.0.3.15"]);
        machines.until_shown(&order, &format!("{DEFAULT_IMAGE_READY} guest 10.0.2.15"), 1).await;
        let shown = asked(
            &machines,
            machine.as_ref(),
            "(echo through | nc -l -p 7 >/dev/null) & cat /sys/class/net/eth*/address",
        )
        .await;
        let first = weft_domain::spec::Mac::derived(&order.instance, 0).to_string();
        let second = weft_domain::spec::Mac::derived(&order.instance, 1).to_string();
        assert!(shown.contains(&first) && shown.contains(&second), "{model:?}: {shown}");
        let heard = tokio::time::timeout(Duration::from_secs(60), answer_of(host_port)).await;
        assert_eq!(heard.as_deref(), Ok("through\n"), "{model:?}");
        finish(machine).await;
    }
}

/// What the guest says on this port, once it listens there.
async fn answer_of(host_port: u16) -> String {
    loop {
        let mut heard = String::new();
        let connected = tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, host_port)).await;
        // Until the guest listens, the connection is closed at once or reset.
        let _ = connected.expect("QEMU listens").read_to_string(&mut heard).await;
        if !heard.is_empty() {
            return heard;
        }
        // why: nothing tells that a program in the guest has come to listen.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processors_memory_and_randomness_are_what_was_asked() {
    let Some(machines) = machines(Model::Q35).await else { return };
    let shape = Topology { threads_per_core: 1, cores_per_die: 2, dies_per_package: 1, packages: 2 };
    let mut draft = draft(Model::Q35);
    draft.cpu = Cpu { boot: 4, max: 4, topology: Some(shape), ..Cpu::default() };
    draft.memory.size_bytes = 256 << 20;
    (draft.memory.shared, draft.memory.prefault, draft.memory.mergeable) = (true, true, true);
    draft.rng = Some(Rng { source: "/dev/urandom".into(), rate_limit: None, iommu: false });
    let order = machines.order_of(draft);
    let machine = launch(&machines, &order).await;
    let maps = std::fs::read_to_string(format!("/proc/{}/smaps", machine.alive().pid)).expect("its memory is seen");
    let size = "Size:             262144 kB";
    let memory =
        maps.split("VmFlags:").find(|part| part.contains(size)).unwrap_or_else(|| panic!("no {size}:\n{maps}"));
    assert!(memory.contains("/memfd:"), "memory can be shared: {memory}");
    assert!(memory.contains("Rss:              262144 kB"), "memory is touched before: {memory}");
    machines.until_shown(&order, DEFAULT_IMAGE_READY, 1).await;
    let command = "cat /sys/devices/system/cpu/cpu*/topology/physical_package_id | tr '\\n' ' '; \
                   cat /sys/bus/virtio/devices/*/modalias";
    let shown = asked(&machines, machine.as_ref(), command).await;
    assert!(shown.contains("0 0 1 1"), "{shown}");
    assert!(shown.contains("virtio:d00000004"), "a source of randomness: {shown}");
    finish(machine).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_is_merged_only_where_that_was_asked() {
    let Some(machines) = machines(Model::Microvm).await else { return };
    for mergeable in [true, false] {
        let mut draft = draft(Model::Microvm);
        draft.memory.mergeable = mergeable;
        let machine = launch(&machines, &machines.order_of(draft)).await;
        let maps = std::fs::read_to_string(format!("/proc/{}/smaps", machine.alive().pid)).expect("its memory is seen");
        let after = maps.split_once("Size:             131072 kB").map(|(_, after)| after).unwrap_or_default();
        let flags = after.lines().find(|line| line.starts_with("VmFlags:")).unwrap_or_default();
        assert!(!flags.is_empty(), "{maps}");
        assert_eq!(flags.contains(" mg"), mergeable, "{flags}");
        finish(machine).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn firmware_runs_and_a_serial_port_may_be_absent_or_lead_nowhere() {
    for (model, mode) in [
        (Model::Auto, ConsoleMode::Socket),
        (Model::Pc, ConsoleMode::Socket),
        (Model::Microvm, ConsoleMode::Socket),
        (Model::Q35, ConsoleMode::Off),
        (Model::Microvm, ConsoleMode::Null),
    ] {
        let Some(machines) = machines(model).await else { return };
        let mut draft = draft(model);
        draft.payload = Payload::Firmware { firmware: "/firmware".into() };
        draft.serial = Console::new(mode);
        let mut order = machines.order_of(draft);
        let firmware = order.run_dir.join("firmware.bin");
        std::fs::write(&firmware, speaking_firmware(b'w')).expect("firmware can be written");
        order.boot = Boot::Firmware { firmware };
        let machine = launch(&machines, &order).await;
        if mode == ConsoleMode::Socket {
            machines.until_shown(&order, "w", 1).await;
        } else {
            let fault = machine.console().await.err().expect("there is no console");
            assert_eq!(fault.reason, Reason::ConsoleUnavailable);
        }
        finish(machine).await;
    }
}

/// Firmware that writes one letter to the first serial port and halts.
fn speaking_firmware(letter: u8) -> Vec<u8> {
    let mut image = vec![0xF4; 64 * 1024];
    // mov dx, 0x3f8; mov al, letter; out dx, al; hlt; jmp to the hlt
    let code = [0xBA, 0xF8, 0x03, 0xB0, letter, 0xEE, 0xF4, 0xEB, 0xFD];
    image[..code.len()].copy_from_slice(&code);
    let begin = image.len() - 16;
    image[begin..begin + 3].copy_from_slice(&[0xE9, 0x0D, 0x00]);
    image
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_launched_says_why_in_qemus_words() {
    let Some(machines) = machines(Model::Microvm).await else { return };
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let host_port = taken.local_addr().expect("its number").port();
    let forward = Forward { transport: Transport::Tcp, host_port, guest_port: 22 };
    let order = machines.order_of(Draft { nics: vec![nic("nic0", vec![forward])], ..draft(Model::Microvm) });
    let fault = machines.qemu().launch(order.clone()).await.err().expect("the port is taken");
    assert_eq!(fault.reason, Reason::LaunchFailed);
    assert!(fault.message.contains(&host_port.to_string()), "{fault}: {:?}", std::fs::read_to_string(&order.vmm_log));
    assert!(!order.run_dir.join("qmp.sock").exists(), "no socket is left");

    let mut order = machines.order_of(Draft { disks: vec![disk("disk0", Path::new("/d"))], ..draft(Model::Microvm) });
    let bad = order.run_dir.join("bad.qcow2");
    std::fs::write(&bad, "not an image").expect("a file can be written");
    order.disks = vec![Backing { path: bad, format: DiskFormat::Qcow2 }];
    let fault = machines.qemu().launch(order).await.err().expect("it is no image");
    assert_eq!(fault.reason, Reason::PathUnusable, "{fault}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_found_about_qemu_is_told_and_agrees_with_what_is_served() {
    let Some(machines) = machines(Model::Auto).await else { return };
    let finding = machines.qemu().finding();
    let can = machines.qemu().capabilities();
    assert_eq!(finding.version.as_deref(), Some(can.version.as_str()));
    for engine in finding.engines {
        let served = can.features.contains(&weft_domain::capability::Feature::Accelerator(engine.accelerator));
        assert_eq!(served, engine.works, "{engine:?}");
        assert!(!engine.why.is_empty());
    }
}
