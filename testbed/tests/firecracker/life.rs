//! A machine's life as Firecracker has it: its serial line, its one way out, its jail, what it leaves.

use crate::bed::{Bed, end, left};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::Command;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use weft_domain::spec::{Attachment, Nic};
use weft_ports::hypervisor::{Hypervisor, Ward, Way};

/// What is typed is answered, to the one who is attached and in the log.
pub(crate) async fn a_guest_answers_over_its_console(bed: &Bed) {
    let order = bed.order_of(Bed::draft());
    let machine = bed.ready(&order).await;
    let mut console = machine.console().await.expect("it has a console");
    console.write_all(b"echo over here\n").await.expect("it takes a line");
    let mut shown = Vec::new();
    while !String::from_utf8_lossy(&shown).contains("over here") {
        let mut buffer = [0; 256];
        let read = console.read(&mut buffer).await.expect("it can be read");
        assert!(read > 0, "it goes on as long as the machine");
        shown.extend_from_slice(&buffer[..read]);
    }
    bed.until_shown(&order, "over here", 1).await;
    machine.kill().await.expect("it can be ended");
    let mut rest = Vec::new();
    console.read_to_end(&mut rest).await.expect("the console ends with the machine");
    bed.finish(machine).await;
}

/// The log and the line go on when nobody holds the machine, and whoever comes next is attached to both.
pub(crate) async fn a_console_outlives_whoever_watched(bed: &Bed) {
    let order = bed.order_of(Bed::draft());
    let machine = bed.ready(&order).await;
    bed.ask(&order, machine.as_ref(), "count", ("count 1", 1)).await;
    let adoption = left(&order, machine.as_ref());
    drop(machine);
    let machine = bed.adopt(&order, adoption).await;
    bed.ask(&order, machine.as_ref(), "count", ("count 2", 1)).await;
    bed.finish(machine).await;
}

/// Of a process that is not our child the code is read from its log; so is its end when it was seen by those
/// before, and that the guest had been asked.
pub(crate) async fn a_reboot_while_nobody_held_it_is_told_from_its_log(bed: &Bed) {
    let order = bed.order_of(Bed::draft());
    let machine = bed.ready(&order).await;
    machine.ask_to_stop().await.expect("the guest can be asked");
    let before = end(machine.as_ref()).await;
    assert_eq!(before.way, Way::Poweroff, "{}", before.message);
    let adoption = left(&order, machine.as_ref());
    drop(machine);
    let machine = bed.adopt(&order, adoption).await;
    let after = end(machine.as_ref()).await;
    assert_eq!(after.way, Way::Poweroff, "{}", after.message);
    bed.finish(machine).await;
}

/// A guest that crashes ends Firecracker with an error, which tells why in its own words.
pub(crate) async fn a_crash_is_told_with_the_vmms_words(bed: &Bed) {
    let order = bed.order_of(Bed::draft());
    let machine = bed.ready(&order).await;
    bed.type_line(machine.as_ref(), "crash").await;
    let end = end(machine.as_ref()).await;
    assert!(matches!(end.way, Way::Panic | Way::Died), "{:?} {}", end.way, end.message);
    assert!(!end.log_tail.is_empty(), "its log is shown");
    println!("a crash: {:?}: {}", end.way, end.message);
    bed.finish(machine).await;
}

/// From outside: its user, no capability, a filter, and a root in which there is nothing of ours.
pub(crate) async fn a_jailed_machine_sees_nothing_of_the_host(bed: &Bed) {
    let Some(ward) = bed.order_of(Bed::draft()).ward else { return };
    let order = bed.order_of(Bed::draft());
    let machine = bed.ready(&order).await;
    let proc = std::path::PathBuf::from(format!("/proc/{}", machine.alive().pid));
    let status = std::fs::read_to_string(proc.join("status")).expect("a process has a status");
    let line = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(line("Uid:"), vec![ward.uid.to_string(); 4], "{status}");
    assert_eq!(line("CapEff:"), ["0000000000000000"]);
    assert_eq!(line("NoNewPrivs:"), ["1"]);
    assert_eq!(line("Seccomp:"), ["2"]);
    let seen = std::fs::read_dir(proc.join("root")).expect("its root can be seen").flatten();
    let names: Vec<_> = seen.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    assert!(names.iter().all(|name| name != "etc" && name != "proc"), "{names:?}");
    bed.finish(machine).await;
}

/// Nothing of a machine is left in its folder but its logs and what the jail stood on.
pub(crate) async fn a_burial_leaves_an_empty_folder(bed: &Bed) {
    let order = bed.order_of(Bed::draft());
    let machine = bed.ready(&order).await;
    machine.ask_to_stop().await.expect("the guest can be asked");
    end(machine.as_ref()).await;
    bed.finish(machine).await;
    let inner = std::fs::read_dir(order.run_dir.join("run")).expect("the folder is there").count();
    assert_eq!(inner, 0, "no socket and no FIFO is left");
    for name in ["console.in", "console.log", "counters", "asked"] {
        assert!(!order.run_dir.join(name).exists(), "{name} is left");
    }
}

/// A network namespace with one tap, which belongs to a jail's user; gone with the test.
struct Network(PathBuf);

impl Network {
    fn make(at: PathBuf, ward: Ward) -> Option<Self> {
        std::fs::write(&at, "").expect("a file can be made");
        let tap = format!("ip tuntap add dev tap0 mode tap user {} && ip link set tap0 up", ward.uid);
        let net = format!("--net={}", at.display());
        let made = Command::new("unshare").args([&net, "sh", "-c", &tap]).output();
        // What was bound before it failed goes as well.
        let network = Self(at);
        made.is_ok_and(|made| made.status.success()).then_some(network)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = rustix::mount::unmount(&self.0, rustix::mount::UnmountFlags::DETACH);
    }
}

/// A jailed one enters the network that is named, and opens the tap that is its user's there.
pub(crate) async fn a_tap_is_found_in_the_network_that_is_named(bed: &Bed) {
    let Some(ward) = bed.order_of(Bed::draft()).ward else { return };
    let Some(network) = Network::make(bed.file("network", 0), ward) else {
        println!("skipped: no network with a tap can be made here");
        return;
    };
    let mut draft = Bed::draft();
    draft.nics = vec![Nic::new("nic0", Attachment::Tap("tap0".to_owned()))];
    draft.network_namespace = Some(network.0.clone());
    let order = bed.order_of(draft.clone());
    let machine = bed.ready(&order).await;
    let entered = std::fs::metadata(format!("/proc/{}/ns/net", machine.alive().pid)).expect("a process has a network");
    assert_eq!(entered.ino(), std::fs::metadata(&network.0).expect("the network is there").ino());
    let counters = machine.counters().await.expect("it counts");
    assert!(!bed.is_real() || counters.contains_key("nic0"), "{counters:?}");
    bed.finish(machine).await;
    if bed.is_real() {
        draft.nics = vec![Nic::new("nic0", Attachment::Tap("tap-none".to_owned()))];
        let refused = bed.driver().launch(bed.order_of(draft)).await.err().expect("a jail makes no tap");
        assert!(refused.message.contains("tap-none"), "{refused}");
    }
}
