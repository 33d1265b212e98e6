//! Running VMs notice nothing when their weft is replaced.

use weft_domain::Phase;
use weft_domain::spec::payload::Driver;
use weft_domain::spec::{Draft, Payload, Readiness, ReadinessProbe};
use weft_ports::api::{CreateMode, Power, Removal, Vm, Vms};
use weft_testbed::daemon::Daemon;
use weft_testbed::guest::{PATIENCE, call, vm};
use weft_testbed::vmms;
use weft_testbed::watch::{by_name, until, until_ready};

/// A weft with the small guest's kernel.
pub(crate) struct Stage {
    pub(crate) daemon: Daemon,
    images: tempfile::TempDir,
}

impl Stage {
    /// With Firecracker or its stand-in.
    pub(crate) fn open() -> Option<Self> {
        let Some(guest) = weft_guest::ELF else {
            println!("skipped: the small guest is for another processor");
            return None;
        };
        let images = tempfile::Builder::new().prefix("weft-").tempdir().expect("a folder");
        std::fs::write(images.path().join("tiny"), guest).expect("written");
        let roots = format!("paths.allowed_roots={}", images.path().display());
        let binary = format!("firecracker.binary={}", vmms::firecracker().path.display());
        let daemon = Daemon::start(&["node.drivers=firecracker", &roots, &binary]);
        Some(Self { daemon: daemon.unwrap_or_else(|error| panic!("{error:#}")), images })
    }

    /// Boots a VM and waits until its guest speaks.
    pub(crate) async fn boot(&self, name: &str) -> Vm {
        let mut draft = Draft { driver: Driver::Named("firecracker".to_owned()), ..Draft::default() };
        let kernel = self.images.path().join("tiny");
        draft.payload = Payload::Kernel { kernel, initramfs: None, cmdline: String::new() };
        draft.memory.size_bytes = 64 << 20;
        let probe = ReadinessProbe::Serial { text: weft_guest::READY.to_owned() };
        draft.readiness = Some(Readiness { probe, timeout: PATIENCE });
        let weft = self.daemon.client();
        let spec = draft.check().expect("a lawful specification");
        weft.create(&call(), vm(name, spec, CreateMode::Boot)).await.expect("booted");
        until_ready(&weft, name).await
    }
}

/// When a process was started, in the kernel's ticks since the machine's boot.
pub(crate) fn start_ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("it lives");
    let after = stat.rsplit_once(')').expect("a name in brackets").1;
    after.split_whitespace().nth(19).and_then(|field| field.parse().ok()).expect("a number")
}

/// The process of a VM and its start, and how often it was booted.
pub(crate) fn life(vm: &Vm) -> (u32, u64, u64, u64) {
    let pid = vm.value.status.running.as_ref().expect("it runs").pid;
    (pid, start_ticks(pid), vm.value.desired.boot_epoch, vm.value.desired.reboot_epoch)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn vms_keep_their_process_and_obey_the_new_one() {
    let Some(mut stage) = Stage::open() else { return };
    let mut before = Vec::new();
    for name in ["a", "b", "c"] {
        before.push(life(&stage.boot(name).await));
    }
    stage.daemon.client().pause(&call(), &by_name("c")).await.expect("paused");
    for _ in 0..3 {
        stage.daemon.replace().unwrap_or_else(|error| panic!("{error:#}"));
        let weft = stage.daemon.client();
        for (name, before) in ["a", "b", "c"].iter().zip(&before) {
            let phase = if *name == "c" { Phase::Paused } else { Phase::Running };
            let vm = until(&weft, name, |vm| vm.value.status.phase == phase).await;
            assert_eq!(life(&vm), *before, "{name}");
        }
    }
    let weft = stage.daemon.client();
    weft.resume(&call(), &by_name("c")).await.expect("resumed");
    weft.pause(&call(), &by_name("a")).await.expect("paused");
    for name in ["a", "b", "c"] {
        let removal = Removal { vm: by_name(name), etag: None, force: true, allow_missing: false };
        weft.delete(&call(), removal).await.expect("deleted");
    }
    assert!(stage.daemon.vmms().is_empty());
    assert_eq!((stage.daemon.entries("vms"), stage.daemon.entries("run/vms")), (vec![], vec![]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_that_came_while_nobody_looked_is_seen() {
    let Some(mut stage) = Stage::open() else { return };
    let (kept, lost) = (life(&stage.boot("kept").await), life(&stage.boot("lost").await));
    let successor = stage.daemon.successor(&[]).expect("a log").spawn().expect("started");
    let process = rustix::process::Pid::from_raw(i32::try_from(lost.0).expect("a pid")).expect("a pid");
    rustix::process::kill_process(process, rustix::process::Signal::KILL).expect("killed");
    stage.daemon.follow(successor).unwrap_or_else(|error| panic!("{error:#}"));
    let weft = stage.daemon.client();
    until(&weft, "lost", |vm| vm.value.status.phase == Phase::Failed).await;
    assert_eq!(life(&until(&weft, "kept", |vm| vm.value.status.phase == Phase::Running).await), kept);
    assert_eq!(stage.daemon.vmms().len(), 1);
}
