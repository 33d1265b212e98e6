//! Firecracker with real processes and the small guest, as a stage for the hypervisor port's suite.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use weft_domain::spec::change::Change;
use weft_domain::spec::{Disk, DiskFormat, DiskSource, Draft, Payload};
use weft_domain::{ClaimId, IncarnationId, InstanceId};
use weft_ports::clock::{Clock, System};
use weft_ports::hypervisor::conformance::{Deed, Sort, Stage};
use weft_ports::hypervisor::{Adoption, Alteration, Backing, Boot, Hypervisor, Machine, Order, Origin, State, Ward};
use weft_ports::processes::{Confinement, Processes};
use weft_testbed::vmms::{self, Found};
use weft_vmm::firecracker;

/// Between two looks at a file that another process writes.
const PAUSE: Duration = Duration::from_millis(10);
/// The longest that a guest takes for anything.
const PATIENCE: Duration = Duration::from_secs(30);
/// The user of a jailed test; nobody else has it.
const WARD: Ward = Ward { uid: 61_185, gid: 61_185 };

/// Whether the VMM is jailed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It is not.
    Free,
    /// It is.
    Jailed,
}

/// Where machines are tried.
pub(crate) struct Bed {
    folder: TempDir,
    driver: Arc<firecracker::Firecracker>,
    processes: Arc<dyn Processes>,
    kind: Kind,
    real: bool,
    orders: AtomicU32,
}

impl Bed {
    /// A place for the test of this name, or `None` after saying why there is none.
    pub(crate) async fn open(name: &str, kind: Kind) -> Option<Self> {
        Self::of(vmms::firecracker(), name, kind).await
    }

    /// The same with a stand-in in which goes wrong what this file says.
    pub(crate) async fn broken(name: &str, switches: &Path) -> Option<Self> {
        let folder = switches.parent().expect("a file has a folder");
        let script = folder.join("firecracker");
        let stand_in = vmms::stand_in("firecracker");
        let text = format!(
            "#!/bin/sh\nexport STANDIN_FAULTS_FILE={}\nexec {} \"$@\"\n",
            switches.display(),
            stand_in.display()
        );
        std::fs::write(&script, text).expect("a script can be written");
        let runs = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&script, runs).expect("a script can be made to run");
        Self::of(Found { path: script, real: false }, name, Kind::Free).await
    }

    async fn of(found: Found, name: &str, kind: Kind) -> Option<Self> {
        let which = if found.real { "the real firecracker" } else { "a stand-in" };
        match Self::try_open(found, kind).await {
            Ok(bed) => {
                println!("{name} on {which}, {kind:?}");
                Some(bed)
            }
            Err(why) => {
                println!("skipped: {name} on {which}, {kind:?}: {why}");
                None
            }
        }
    }

    async fn try_open(found: Found, kind: Kind) -> Result<Self, String> {
        let folder = tempfile::Builder::new().prefix("weft-").tempdir().map_err(|error| error.to_string())?;
        if kind == Kind::Jailed {
            // Another user goes through it.
            let open = std::os::unix::fs::PermissionsExt::from_mode(0o711);
            std::fs::set_permissions(folder.path(), open).map_err(|error| error.to_string())?;
        }
        let config = weft_host::processes::Config::of(folder.path(), folder.path());
        let opened = weft_host::processes::open(config).map_err(|error| error.to_string())?;
        let processes: Arc<dyn Processes> = Arc::new(opened);
        if kind == Kind::Jailed {
            processes.jails()?;
        }
        let cache_dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("firecracker");
        let config = firecracker::Config { program: Some(found.path), search: Vec::new(), cache_dir };
        let driver = firecracker::open(config, processes.clone(), Arc::new(System)).await;
        let driver = Arc::new(driver.map_err(|error| error.to_string())?);
        Ok(Self { folder, driver, processes, kind, real: found.real, orders: AtomicU32::new(0) })
    }

    /// Whether this is the real one.
    pub(crate) const fn is_real(&self) -> bool {
        self.real
    }

    /// Whether machines are jailed.
    pub(crate) fn is_jailed(&self) -> bool {
        self.kind == Kind::Jailed
    }

    /// The driver.
    pub(crate) fn driver(&self) -> &firecracker::Firecracker {
        &self.driver
    }

    /// An order of the small guest, from this draft.
    pub(crate) fn order_of(&self, draft: Draft) -> Order {
        let number = self.orders.fetch_add(1, Ordering::Relaxed);
        let run_dir = self.folder.path().join(number.to_string());
        std::fs::create_dir(&run_dir).expect("a folder can be made");
        let id = || (System.now(), System.random());
        let ((at, first), (_, second), (_, third)) = (id(), id(), id());
        let backing = |disk: &Disk| {
            let DiskSource::Path(path) = &disk.source else { panic!("{:?} is not ordered here", disk.source) };
            Backing { path: path.clone(), format: DiskFormat::Raw }
        };
        Order {
            claim: ClaimId::new(at, first),
            instance: InstanceId::new(at, second),
            name: "guest".parse().expect("a lawful name"),
            incarnation: IncarnationId::new(at, third),
            disks: draft.disks.iter().map(backing).collect(),
            spec: Arc::new(draft.check().expect("a lawful specification")),
            boot: Boot::Kernel {
                kernel: weft_guest::PATH.into(),
                initramfs: None,
                cmdline: "console=ttyS0 weft.name=guest".to_owned(),
            },
            console_log: run_dir.join("log-of-console"),
            vmm_log: run_dir.join("vmm.log"),
            run_dir,
            confinement: Confinement::default(),
            ward: self.is_jailed().then_some(WARD),
            origin: Origin::Boot,
        }
    }

    /// The least that a machine needs.
    pub(crate) fn draft() -> Draft {
        let mut draft = Draft::default();
        let cmdline = String::new();
        draft.payload = Payload::Kernel { kernel: weft_guest::PATH.into(), initramfs: None, cmdline };
        draft.memory.size_bytes = 64 << 20;
        draft
    }

    /// Launches a machine whose guest is ready.
    pub(crate) async fn ready(&self, order: &Order) -> Box<dyn Machine> {
        let machine = self.launch(order).await;
        self.until_shown(order, weft_guest::READY, 1).await;
        machine
    }

    /// Launches a machine.
    pub(crate) async fn launch(&self, order: &Order) -> Box<dyn Machine> {
        self.driver.launch(order.clone()).await.unwrap_or_else(|fault| panic!("launch: {fault}"))
    }

    /// Takes up a machine that nobody holds.
    pub(crate) async fn adopt(&self, order: &Order, left: Adoption) -> Box<dyn Machine> {
        assert_eq!(left.instance, order.instance);
        self.driver.adopt(left).await.unwrap_or_else(|fault| panic!("adopt: {fault}"))
    }

    /// Answers with the console when it has shown this text so many times.
    pub(crate) async fn until_shown(&self, order: &Order, text: &str, times: usize) -> String {
        let console = || String::from_utf8_lossy(&std::fs::read(&order.console_log).unwrap_or_default()).into_owned();
        let looking = async {
            while console().matches(text).count() < times {
                // why: the VMM writes the file and tells nobody.
                tokio::time::sleep(PAUSE).await;
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, looking).await.is_ok();
        let words = std::fs::read_to_string(&order.vmm_log).unwrap_or_default();
        assert!(in_time, "{text:?} was not shown {times} times:\n{}\nVMM: {words}", console());
        console()
    }

    /// Types a line to the guest, and answers when it has shown this text so many times.
    pub(crate) async fn ask(
        &self,
        order: &Order,
        machine: &dyn Machine,
        line: &str,
        (text, times): (&str, usize),
    ) -> String {
        self.type_line(machine, line).await;
        self.until_shown(order, text, times).await
    }

    /// Types a line to the guest.
    pub(crate) async fn type_line(&self, machine: &dyn Machine, line: &str) {
        let mut console = machine.console().await.unwrap_or_else(|fault| panic!("console: {fault}"));
        console.write_all(format!("{line}\n").as_bytes()).await.expect("the console takes a line");
    }

    /// A new file of this length.
    pub(crate) fn file(&self, name: &str, bytes: u64) -> PathBuf {
        let path = self.folder.path().join(name);
        let file = std::fs::File::create(&path).expect("a file can be made");
        file.set_len(bytes).expect("it can have a length");
        path
    }

    /// A new folder.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::create_dir(&path).expect("a folder can be made");
        path
    }

    /// Buries a machine and answers how it ended.
    pub(crate) async fn finish(&self, machine: Box<dyn Machine>) -> State {
        machine.bury().await.unwrap_or_else(|fault| panic!("bury: {fault}"));
        assert!(!self.processes.lives(&machine.alive()), "burial leaves no process");
        machine.state().borrow().clone()
    }
}

/// What an agent would know of this machine.
pub(crate) fn left(order: &Order, machine: &dyn Machine) -> Adoption {
    Adoption {
        instance: order.instance,
        incarnation: order.incarnation,
        alive: machine.alive(),
        chosen: machine.chosen(),
        run_dir: order.run_dir.clone(),
        vmm_log: order.vmm_log.clone(),
        spec: order.spec.clone(),
        ward: order.ward,
    }
}

/// How a machine ends, when it does.
pub(crate) async fn end(machine: &dyn Machine) -> weft_ports::hypervisor::End {
    let mut state = machine.state();
    let ended = state.wait_for(|state| matches!(state, State::Ended(_)));
    let ended = tokio::time::timeout(PATIENCE, ended).await.expect("it ends in time").expect("it is held").clone();
    let State::Ended(end) = ended else { unreachable!("it was waited for the end") };
    end
}

impl Drop for Bed {
    /// A test that failed leaves no process either.
    fn drop(&mut self) {
        let processes = self.processes.clone();
        let clearing = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime can be made").block_on(async {
                for (claim, _) in processes.find().await.unwrap_or_default() {
                    // Whoever looks for what is left will see it.
                    let _ = processes.clear(claim).await;
                }
            });
        });
        let _ = clearing.join();
    }
}

#[async_trait::async_trait]
impl Stage for Bed {
    fn hypervisor(&self) -> Arc<dyn Hypervisor> {
        self.driver.clone()
    }

    fn processes(&self) -> Arc<dyn Processes> {
        self.processes.clone()
    }

    async fn order(&self, sort: Sort) -> Order {
        let mut order = self.order_of(Self::draft());
        match sort {
            Sort::Working => {}
            Sort::Broken => {
                let kernel = self.file("no-kernel", 0);
                std::fs::write(&kernel, b"\x7fELF and nothing that follows").expect("a file can be written");
                order.boot = Boot::Kernel { kernel, initramfs: None, cmdline: String::new() };
            }
        }
        order
    }

    async fn until_ready(&self, order: &Order, times: usize) {
        self.until_shown(order, weft_guest::READY, times).await;
    }

    async fn tell(&self, _: &Order, machine: &dyn Machine, deed: Deed) {
        let line = match deed {
            Deed::PowerOff => "poweroff",
            Deed::Panic => "panic",
            Deed::Reboot => "reboot",
        };
        self.type_line(machine, line).await;
    }

    async fn remembered(&self, order: &Order, machine: &dyn Machine) -> Option<String> {
        let shown = self.ask(order, machine, "gen", ("gen ", 1)).await;
        let line = shown.lines().rev().find_map(|line| line.strip_prefix("gen "))?;
        Some(line.trim().to_owned())
    }

    async fn spare(&self, _: &Order) -> Option<Alteration> {
        let path = self.file("spare", 1 << 20);
        let disk = Disk::new("spare", DiskSource::Path(path.clone()));
        Some(Alteration { change: Change::AddDisk(disk), backing: Some(Backing { path, format: DiskFormat::Raw }) })
    }

    fn excused(&self, _: &str) -> Option<String> {
        None
    }
}
