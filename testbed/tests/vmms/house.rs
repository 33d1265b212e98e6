//! A weft with one driver and the small guest, and what a test asks of both.

use futures::StreamExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use weft_api::Client;
use weft_domain::instance::StopHow;
use weft_domain::spec::payload::Driver;
use weft_domain::spec::{Draft, Machine, Payload, Readiness, ReadinessProbe, Spec};
use weft_domain::{Instance, Phase, Reason};
use weft_ports::api::{ConsoleInput, Consoles, CreateMode, Power, Removal, Snapshots, Vm, Vms};
use weft_testbed::daemon::Daemon;
use weft_testbed::guest::{PATIENCE, call, vm};
use weft_testbed::vmms::{self, Found};
use weft_testbed::watch::{by_name, until, until_ready};

/// The longest that the small guest takes to answer.
const ANSWER: Duration = Duration::from_secs(60);

/// A VMM that a test plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vmm {
    Firecracker,
    CloudHypervisor,
    Qemu,
}

impl Vmm {
    pub(crate) const fn driver(self) -> &'static str {
        match self {
            Self::Firecracker => "firecracker",
            Self::CloudHypervisor => "cloud-hypervisor",
            Self::Qemu => "qemu",
        }
    }

    fn found(self) -> Option<Found> {
        match self {
            Self::Firecracker => Some(vmms::firecracker()),
            Self::CloudHypervisor => Some(vmms::cloud_hypervisor()),
            Self::Qemu => None,
        }
    }
}

/// A weft that runs the small guest on one VMM.
pub(crate) struct House {
    pub(crate) vmm: Vmm,
    pub(crate) daemon: Daemon,
    /// Whether the VMM is the real one.
    pub(crate) real: bool,
    images: TempDir,
}

impl House {
    /// One with these further settings, or `None` after saying why there is none.
    pub(crate) async fn open(vmm: Vmm, settings: &[&str]) -> Option<Self> {
        Self::open_through(vmm, &[], settings).await
    }

    /// The same, by a program that becomes weft.
    pub(crate) async fn open_through(vmm: Vmm, through: &[&str], settings: &[&str]) -> Option<Self> {
        let Some(guest) = weft_guest::ELF else {
            println!("skipped: the small guest is for another processor");
            return None;
        };
        let images = tempfile::Builder::new().prefix("weft-").tempdir().expect("a folder");
        std::fs::write(images.path().join("tiny"), guest).expect("the guest can be written");
        let found = vmm.found();
        let mut all =
            vec![format!("node.drivers={}", vmm.driver()), format!("paths.allowed_roots={}", images.path().display())];
        if let Some(found) = &found {
            let section = vmm.driver().replace('-', "_");
            all.push(format!("{section}.binary={}", found.path.display()));
        }
        all.extend(settings.iter().map(|setting| (*setting).to_owned()));
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let daemon = Daemon::start_through(through, &all).unwrap_or_else(|error| panic!("{error:#}"));
        let house = Self { vmm, daemon, real: found.is_none_or(|found| found.real), images };
        let tried = Vms::create(&house.weft(), &call(), vm("tried", house.spec(), CreateMode::ValidateOnly)).await;
        match tried {
            Err(fault) if fault.reason == Reason::DriverUnavailable => {
                println!("skipped: {fault}");
                None
            }
            answer => {
                answer.unwrap_or_else(|fault| panic!("{fault}: {:?}", fault.violations));
                Some(house)
            }
        }
    }

    pub(crate) fn weft(&self) -> Client {
        self.daemon.client()
    }

    /// The small guest on this VMM, to be changed.
    pub(crate) fn draft(&self) -> Draft {
        let machine = if self.vmm == Vmm::Qemu { Machine::Q35 } else { Machine::Auto };
        let mut draft = Draft { driver: Driver::Named(self.vmm.driver().to_owned()), machine, ..Draft::default() };
        draft.payload = Payload::Kernel { kernel: self.image("tiny"), initramfs: None, cmdline: String::new() };
        draft.memory.size_bytes = 64 << 20;
        let probe = ReadinessProbe::Serial { text: weft_guest::READY.to_owned() };
        draft.readiness = Some(Readiness { probe, timeout: PATIENCE });
        draft
    }

    /// The same, as it is.
    pub(crate) fn spec(&self) -> Spec {
        self.draft().check().expect("a lawful specification")
    }

    /// A file in the folder that requests may name.
    pub(crate) fn image(&self, name: &str) -> PathBuf {
        self.images.path().join(name)
    }

    /// A new file of this length there.
    pub(crate) fn blank(&self, name: &str, bytes: u64) -> PathBuf {
        let path = self.image(name);
        let made = std::fs::File::create(&path).and_then(|file| file.set_len(bytes));
        made.expect("a file can be made");
        path
    }

    /// A VM of this specification whose guest is ready.
    pub(crate) async fn ready(&self, name: &str, spec: Spec) -> Instance {
        let made = Vms::create(&self.weft(), &call(), vm(name, spec, CreateMode::Boot)).await;
        let made = made.unwrap_or_else(|fault| panic!("{fault}: {:?}", fault.violations));
        assert_eq!(made.value.status.phase, Phase::Running, "{:#?}\n{}", made.value.status, self.daemon.log());
        until_ready(&self.weft(), name).await.value
    }

    /// Types a line to a guest; answers the first line that begins with this.
    pub(crate) async fn ask(&self, name: &str, line: &str, answer: &str) -> String {
        let typed = ConsoleInput::Bytes(format!("{line}\n").into());
        let typed = futures::stream::iter([typed]).chain(futures::stream::pending()).boxed();
        let mut seen = String::new();
        let talk = async {
            let mut screen = self.weft().attach(&call(), &by_name(name), typed).await.expect("attached");
            loop {
                let bytes = screen.next().await.expect("the console goes on").expect("no refusal");
                seen.push_str(&String::from_utf8_lossy(&bytes));
                let whole = seen.rfind('\n').map_or("", |end| &seen[..end]);
                if let Some(found) = whole.lines().find(|line| line.starts_with(answer)) {
                    return found.trim().to_owned();
                }
            }
        };
        let answered = tokio::time::timeout(ANSWER, talk).await;
        answered.unwrap_or_else(|_| panic!("{name} does not answer {line:?} with {answer:?}"))
    }

    /// Types a line that the guest answers by ending, or by nothing at all.
    pub(crate) async fn tell(&self, name: &str, line: &str) {
        self.ask(name, line, "weft-tiny: ").await;
    }

    /// Ends the VM by force.
    pub(crate) async fn end(&self, name: &str) -> Instance {
        self.weft().shutdown(&call(), &by_name(name), StopHow::Force).await.expect("ended").value
    }

    /// Waits until it is in this phase.
    pub(crate) async fn phase(&self, name: &str, phase: Phase) -> Instance {
        until(&self.weft(), name, |vm| vm.value.status.phase == phase).await.value
    }

    /// Removes it by force.
    pub(crate) async fn remove(&self, name: &str) -> Option<Vm> {
        let removal = Removal { vm: by_name(name), etag: None, force: true, allow_missing: false };
        Vms::delete(&self.weft(), &call(), removal).await.expect("deleted")
    }

    /// Looks that nothing of VMs or snapshots is left on the host.
    pub(crate) async fn assert_leaves_nothing(&self) {
        let weft = self.weft();
        assert!(Vms::list(&weft, &call(), &Default::default()).await.expect("a list").items.is_empty());
        assert!(Snapshots::list(&weft, &call(), &Default::default()).await.expect("a list").items.is_empty());
        assert_eq!(self.daemon.vmms(), [0_u32; 0], "processes");
        for folder in ["vms", "run/vms", "snapshots"] {
            assert_eq!(self.daemon.entries(folder), [""; 0], "{folder}");
        }
        assert_eq!(self.claims(), Vec::<PathBuf>::new(), "cgroups");
        let data = self.daemon.data_dir();
        let mine = |line: &&str| line.contains(&*data.join("run").to_string_lossy());
        for process in ["self".to_owned(), self.daemon.pid().to_string()] {
            let mounts = std::fs::read_to_string(format!("/proc/{process}/mountinfo")).expect("mounts");
            assert_eq!(mounts.lines().filter(mine).collect::<Vec<_>>(), [""; 0], "mounts");
        }
    }

    /// The cgroups of claims.
    pub(crate) fn claims(&self) -> Vec<PathBuf> {
        let entries =
            self.daemon.cgroups().into_iter().flat_map(|scope| std::fs::read_dir(scope).into_iter().flatten());
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
    }
}

/// The process of a VM that runs.
pub(crate) fn pid(vm: &Instance) -> u32 {
    vm.status.running.as_ref().unwrap_or_else(|| panic!("it runs: {:#?}", vm.status)).pid
}

/// Sends a signal to a process.
pub(crate) fn signal(pid: u32, signal: rustix::process::Signal) {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw).expect("a pid");
    rustix::process::kill_process(pid, signal).expect("it lives");
}

/// What a file says; nothing where it is not there.
pub(crate) fn text(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
