//! A weft with the stand-in of Firecracker: quick to boot, and of ill will on request; in mounts of its own
//! where a test wants them.
//!
//! The stand-in is started through a script that names, for each process, a file of what shall go wrong: so
//! one VMM misbehaves and others do not.

use rustix::process::{Pid, Signal, kill_process};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use weft_api::Client;
use weft_domain::spec::payload::Driver;
use weft_domain::spec::{Disk, DiskSource, Draft, Payload, Spec};
use weft_domain::{Fault, Instance, Phase, Reason};
use weft_ports::api::{Call, CreateMode, Removal, VmRef, Vms};
use weft_testbed::daemon::Daemon;
use weft_testbed::guest::{call, vm};
use weft_testbed::vmms;
use weft_testbed::watch::{by_name, until};

/// How long something that comes by itself may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A weft, what its VMs boot, and what they do wrong.
pub(crate) struct House {
    pub(crate) daemon: Daemon,
    images: TempDir,
}

fn prepared() -> TempDir {
    let images = tempfile::Builder::new().prefix("weft-").tempdir().expect("a folder");
    // The stand-in boots whatever begins like a kernel.
    std::fs::write(images.path().join("tiny"), weft_guest::ELF.unwrap_or(b"\x7fELF")).expect("written");
    let script = format!(
        "#!/bin/sh\nSTANDIN_FAULTS_FILE={}/faults-$$ exec {} \"$@\"\n",
        images.path().display(),
        vmms::stand_in("firecracker").display()
    );
    let program = images.path().join("firecracker");
    std::fs::write(&program, script).expect("written");
    let all = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&program, all).expect("it can be run");
    images
}

impl House {
    pub(crate) fn open(settings: &[&str]) -> Self {
        Self::open_through(&[], settings)
    }

    /// The same, by a program that becomes weft.
    pub(crate) fn open_through(through: &[&str], settings: &[&str]) -> Self {
        let images = prepared();
        let mut all = vec![
            "node.drivers=firecracker".to_owned(),
            "jail.mode=off".to_owned(),
            "node.reserved_disk=0".to_owned(),
            format!("firecracker.binary={}", images.path().join("firecracker").display()),
            format!("paths.allowed_roots={}", images.path().display()),
        ];
        all.extend(settings.iter().map(|setting| (*setting).to_owned()));
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let daemon = Daemon::start_through(through, &all).unwrap_or_else(|error| panic!("{error:#}"));
        Self { daemon, images }
    }

    pub(crate) fn weft(&self) -> Client {
        self.daemon.client()
    }

    /// A file in the folder that requests may name.
    pub(crate) fn image(&self, name: &str) -> PathBuf {
        self.images.path().join(name)
    }

    /// A small VM, to be changed.
    pub(crate) fn draft(&self) -> Draft {
        let mut draft = Draft { driver: Driver::Named("firecracker".to_owned()), ..Draft::default() };
        draft.payload = Payload::Kernel { kernel: self.image("tiny"), initramfs: None, cmdline: String::new() };
        draft.memory.size_bytes = 32 << 20;
        draft
    }

    pub(crate) fn spec(&self) -> Spec {
        self.draft().check().expect("a lawful specification")
    }

    /// The same with a disk that weft makes.
    pub(crate) fn with_disk(&self) -> Spec {
        let mut draft = self.draft();
        draft.disks.push(Disk::new("data", DiskSource::Blank { size_bytes: 1 << 20 }));
        draft.check().expect("a lawful specification")
    }

    /// A VM that runs.
    pub(crate) async fn running(&self, name: &str, spec: Spec) -> Instance {
        let made = Vms::create(&self.weft(), &call(), vm(name, spec, CreateMode::Boot)).await;
        let made = made.unwrap_or_else(|fault| panic!("{fault}: {:?}", fault.violations)).value;
        assert_eq!(made.status.phase, Phase::Running, "{:#?}\n{}", made.status, self.daemon.log());
        made
    }

    pub(crate) async fn get(&self, name: &str) -> Instance {
        self.weft().get(&call(), &by_name(name)).await.expect("there").value
    }

    pub(crate) async fn phase(&self, name: &str, phase: Phase) -> Instance {
        until(&self.weft(), name, |vm| vm.value.status.phase == phase).await.value
    }

    pub(crate) async fn remove(&self, name: &str) {
        let removed = self.weft().delete(&call(), removal(by_name(name))).await;
        removed.unwrap_or_else(|fault| panic!("{fault}\n{}", self.daemon.log()));
    }

    /// What the VMM of this pid does wrong from now on.
    pub(crate) fn misbehave(&self, pid: u32, how: &str) {
        std::fs::write(self.image(&format!("faults-{pid}")), how).expect("written");
    }

    /// Looks that the VM runs as this process, and that no other does.
    pub(crate) async fn assert_unharmed(&self, name: &str, was: &Instance) {
        let now = self.phase(name, Phase::Running).await;
        assert_eq!(pid(&now), pid(was), "{name} is the process that it was\n{}", self.daemon.log());
        assert!(lives(pid(was)), "{name} lives");
    }

    /// Removes all that is listed, and looks that nothing is left.
    pub(crate) async fn assert_leaves_nothing(&self) {
        let weft = self.weft();
        for vm in Vms::list(&weft, &call(), &Default::default()).await.expect("a list").items {
            let gone = weft.delete(&call(), removal(VmRef::Id(vm.value.meta.id))).await;
            gone.unwrap_or_else(|fault| panic!("{fault}\n{}", self.daemon.log()));
        }
        assert_eq!(self.daemon.vmms(), [0_u32; 0], "processes");
        assert_eq!((self.daemon.entries("vms"), self.daemon.entries("run/vms")), (vec![], vec![]), "folders");
    }

    /// Starts it again, which must be refused; answers what it said.
    pub(crate) fn refused(&mut self) -> String {
        let begun = self.daemon.log().len();
        self.daemon.up().expect_err("it does not start");
        self.daemon.log()[begun..].to_owned()
    }
}

/// A call that does not wait for long.
pub(crate) fn brief() -> Call {
    Call { timeout: Some(Duration::from_secs(1)), ..Call::by("test") }
}

pub(crate) fn removal(vm: VmRef) -> Removal {
    Removal { vm, etag: None, force: true, allow_missing: true }
}

/// The process of a VM that runs.
pub(crate) fn pid(vm: &Instance) -> u32 {
    vm.status.running.as_ref().unwrap_or_else(|| panic!("it runs: {:#?}", vm.status)).pid
}

pub(crate) fn lives(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// Sends a signal to a process.
pub(crate) fn signal(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a pid");
    kill_process(pid, signal).expect("it lives");
}

/// Whether this is told for want of space, with what to do.
pub(crate) fn is_full(fault: &Fault) -> bool {
    matches!(fault.reason, Reason::StoreFull | Reason::DiskExhausted) && !fault.fix.is_empty()
}

/// Waits until this is so.
pub(crate) async fn comes(what: &str, so: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !so().await {
        assert!(begun.elapsed() < PATIENCE, "{what} does not come");
        // why: what is outside of weft tells nobody.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A mount namespace of its own, held by a process that waits; weft is started in it.
pub(crate) struct Ground(Child);

impl Ground {
    /// One, or `None` after saying why there is none.
    pub(crate) fn new() -> Option<Self> {
        let hold = ["--mount", "--propagation", "private", "sleep", "3600"];
        let child = Command::new("unshare").args(hold).stdin(Stdio::null()).spawn();
        let ground = child.ok().map(Self)?;
        let begun = Instant::now();
        let own = std::fs::read_link("/proc/self/ns/mnt").expect("a namespace");
        while std::fs::read_link(format!("/proc/{}/ns/mnt", ground.0.id())).is_ok_and(|its| its == own) {
            if begun.elapsed() > Duration::from_secs(5) {
                break;
            }
            // why: the process enters its namespace in its own time.
            std::thread::sleep(Duration::from_millis(5));
        }
        let probe = ground.run("mount", &["-t", "tmpfs", "weft-test", "/mnt"]);
        let able = probe && ground.run("umount", &["/mnt"]);
        if !able {
            println!("skipped: no mounts of one's own can be made here");
        }
        able.then_some(ground)
    }

    /// What starts a program in it.
    pub(crate) fn through(&self) -> Vec<String> {
        ["nsenter", "--mount", "--target", &self.0.id().to_string(), "--"].map(str::to_owned).to_vec()
    }

    /// Runs a program in it; whether that went well.
    pub(crate) fn run(&self, program: &str, args: &[&str]) -> bool {
        let through = self.through();
        let mut command = Command::new(&through[0]);
        command.args(&through[1..]).arg(program).args(args).stdin(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }

    /// A small file system in memory over a folder, which is made; what is in it is seen through the path that
    /// is answered.
    pub(crate) fn small(&self, folder: &Path, limits: &str) -> PathBuf {
        std::fs::create_dir_all(folder).expect("a folder");
        let path = folder.to_str().expect("text");
        let option = format!("{limits},mode=0700");
        assert!(self.run("mount", &["-t", "tmpfs", "-o", &option, "weft-test", path]), "mounted");
        self.seen(folder)
    }

    /// A path as it is seen in it.
    pub(crate) fn seen(&self, path: &Path) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.0.id()));
        root.join(path.strip_prefix("/").expect("an absolute path"))
    }

    /// Mounts a folder on itself with these options, or changes them.
    pub(crate) fn remount(&self, folder: &Path, options: &str) {
        let path = folder.to_str().expect("text");
        assert!(self.run("mount", &["-o", &format!("remount,bind,{options}"), path]), "{options}");
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        // It waits for nothing else.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
