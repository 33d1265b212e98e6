//! A jailed QEMU in a network namespace of the test's own: it is in there, and holds the taps that are there.

use super::{alter, draft, finish, jailed, ready, refused};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use weft_domain::Reason;
use weft_domain::spec::change::Change;
use weft_domain::spec::{Attachment, Machine as Model, Nic};
use weft_ports::hypervisor::{Alteration, Hypervisor, Machine};

/// A network namespace with two taps, gone with the test.
struct Network(PathBuf);

impl Network {
    fn make(at: PathBuf) -> Option<Self> {
        fs::write(&at, "").expect("a file can be made");
        let taps = "for tap in tap0 tap1; do ip tuntap add dev $tap mode tap && ip link set $tap up || exit 1; done";
        let net = format!("--net={}", at.display());
        let made = Command::new("unshare").args([&net, "sh", "-c", taps]).output();
        // What was bound before it failed goes as well.
        let network = Self(at);
        made.is_ok_and(|made| made.status.success()).then_some(network)
    }

    /// What is told of a device there, from there.
    fn told(&self, device: &str) -> String {
        let net = format!("--net={}", self.0.display());
        let told = Command::new("nsenter").args([&net, "ip", "-o", "link", "show", device]).output();
        String::from_utf8_lossy(&told.expect("it can be asked").stdout).into_owned()
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = rustix::mount::unmount(&self.0, rustix::mount::UnmountFlags::DETACH);
    }
}

/// The taps that a process holds open.
fn held(machine: &dyn Machine) -> Vec<String> {
    let proc = PathBuf::from(format!("/proc/{}", machine.alive().pid));
    let files = fs::read_dir(proc.join("fd")).expect("a process has files").flatten();
    let is_tap = |file: &fs::DirEntry| fs::read_link(file.path()).is_ok_and(|path| path == Path::new("/dev/net/tun"));
    let told = |file: fs::DirEntry| fs::read_to_string(proc.join("fdinfo").join(file.file_name())).unwrap_or_default();
    let device = |told: String| Some(told.lines().find_map(|line| line.strip_prefix("iff:"))?.trim().to_owned());
    let mut taps: Vec<_> = files.filter(is_tap).map(told).filter_map(device).collect();
    taps.sort();
    taps
}

fn tap(name: &str) -> Nic {
    Nic::new(name, Attachment::Tap(name.to_owned()))
}

fn user(name: &str) -> Nic {
    Nic::new(name, Attachment::User { forwards: Vec::new() })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_jailed_one_is_in_the_network_that_is_named() {
    let Some((machines, _turn)) = jailed(Model::Q35).await else { return };
    let Some(network) = Network::make(machines.blank("network", 0)) else {
        println!("skipped: no network with taps can be made here");
        return;
    };
    let mut draft = draft(Model::Q35);
    draft.nics = vec![tap("tap0")];
    draft.network_namespace = Some(network.0.clone());
    let order = machines.order_of(draft.clone());
    assert!(network.told("tap0").contains("NO-CARRIER"), "{}", network.told("tap0"));
    let machine = ready(&machines, &order).await;

    let entered = fs::metadata(format!("/proc/{}/ns/net", machine.alive().pid)).expect("a process has a network");
    assert_eq!(entered.ino(), fs::metadata(&network.0).expect("the network is there").ino());
    assert_eq!(held(machine.as_ref()), ["tap0"]);
    assert!(network.told("tap0").contains("LOWER_UP"), "{}", network.told("tap0"));
    assert!(!Path::new("/sys/class/net/tap0").exists(), "the host has none of it");

    alter(machine.as_ref(), Change::AddNic(tap("tap1"))).await;
    assert_eq!(held(machine.as_ref()), ["tap0", "tap1"]);
    let shown = machines.asked(machine.as_ref(), "echo sees $(ls -d /sys/class/net/eth* | wc -l)").await;
    assert!(shown.contains("sees 2"), "{shown}");
    alter(machine.as_ref(), Change::RemoveNic("tap1".into())).await;
    assert_eq!(held(machine.as_ref()), ["tap0"]);
    let fault = refused(machine.as_ref(), Change::AddNic(user("more"))).await;
    assert!(fault.message.contains("network namespace"), "{fault}");
    let none = Alteration { change: Change::AddNic(tap("tap-none")), backing: None };
    let fault = machine.alter(&none).await.expect_err("there is no such tap");
    assert!(fault.reason == Reason::HostRefused && fault.message.contains("tap-none"), "{fault}");
    finish(machine).await;

    draft.nics.push(user("more"));
    let fault = machines.qemu().launch(machines.order_of(draft)).await.err().expect("it has no network of the host's");
    assert_eq!(fault.reason, Reason::FieldUnsupported, "{fault}");
    assert_eq!(fault.violations[0].field, "vm.spec.nics[1].user", "{fault:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_without_a_jail_enters_no_network() {
    let Some((machines, _turn)) = super::machines(Model::Microvm).await else { return };
    let mut draft = draft(Model::Microvm);
    draft.network_namespace = Some(machines.blank("network", 0));
    let fault = machines.qemu().launch(machines.order_of(draft)).await.err().expect("it would be in the host's");
    assert_eq!(fault.reason, Reason::FieldUnsupported, "{fault}");
    assert_eq!(fault.violations[0].field, "vm.spec.network_namespace", "{fault:?}");
}
