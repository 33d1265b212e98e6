//! Cloud Hypervisor with real processes and the small guest, as a stage for the hypervisor port's suite.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use weft_domain::snapshot::Scope;
use weft_domain::spec::change::Change;
use weft_domain::spec::{Disk, DiskFormat, DiskSource, Draft, Payload};
use weft_domain::{ClaimId, IncarnationId, InstanceId};
use weft_ports::clock::{Clock, System};
use weft_ports::hypervisor::conformance::{Deed, Sort, Stage};
use weft_ports::hypervisor::{Alteration, Backing, Boot, Hypervisor, Keep, Machine, Order, Origin, Ward};
use weft_ports::processes::{Confinement, Processes};
use weft_testbed::vmms::{self, Found};
use weft_vmm::cloud_hypervisor;

/// Between two looks at a file that another process writes.
const PAUSE: Duration = Duration::from_millis(10);
/// The longest that a guest takes for anything.
const PATIENCE: Duration = Duration::from_secs(30);
/// The user of a jailed test; nobody else has it.
const WARD: Ward = Ward { uid: 61_184, gid: 61_184 };

/// Laws that read the state of the processor, which not every KVM can.
const MEMORY_LAWS: [&str; 3] =
    ["a_kept_machine_goes_on_from_there", "a_snapshot_that_fails_changes_nothing", "a_machine_moves"];

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
    driver: Arc<cloud_hypervisor::CloudHypervisor>,
    processes: Arc<dyn Processes>,
    kind: Kind,
    real: bool,
    excuse: Option<String>,
    orders: AtomicU32,
}

impl Bed {
    /// A place for the test of this name, or `None` after saying why there is none.
    pub(crate) async fn open(name: &str, kind: Kind) -> Option<Self> {
        match Self::try_open(kind, MEMORY_LAWS.contains(&name)).await {
            Ok(bed) => {
                let which = if bed.real { "the real cloud-hypervisor" } else { "a stand-in" };
                println!("{name} on {which}, {kind:?}");
                Some(bed)
            }
            Err(why) => {
                println!("skipped: {name}, {kind:?}: {why}");
                None
            }
        }
    }

    async fn try_open(kind: Kind, tries: bool) -> Result<Self, String> {
        let Found { path, real } = vmms::cloud_hypervisor();
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
        let cache_dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cloud-hypervisor");
        let config = cloud_hypervisor::Config { program: Some(path), search: Vec::new(), cache_dir };
        let driver = cloud_hypervisor::open(config, processes.clone(), Arc::new(System)).await;
        let driver = Arc::new(driver.map_err(|error| error.to_string())?);
        let mut bed = Self { folder, driver, processes, kind, real, excuse: None, orders: AtomicU32::new(0) };
        if tries {
            bed.excuse = bed.cannot_be_kept().await;
        }
        Ok(bed)
    }

    /// Why the host's KVM does not let a machine be kept, found by trying; `None` where it does.
    async fn cannot_be_kept(&self) -> Option<String> {
        let order = self.order_of(Self::draft());
        let machine = self.driver.launch(order.clone()).await.unwrap_or_else(|fault| panic!("launch: {fault}"));
        machine.pause().await.unwrap_or_else(|fault| panic!("pause: {fault}"));
        let folder = order.run_dir.join("kept");
        std::fs::create_dir(&folder).expect("a folder can be made");
        let kept = machine.keep(&Keep { folder, scope: Scope::Full }).await;
        machine.bury().await.unwrap_or_else(|fault| panic!("bury: {fault}"));
        let why = kept.err()?.message;
        let known = why.contains("GetNestedState");
        known.then(|| format!("this host's KVM cannot read a processor's state: {why}"))
    }

    /// An order of the small guest, from this draft.
    pub(crate) fn order_of(&self, draft: Draft) -> Order {
        let number = self.orders.fetch_add(1, Ordering::Relaxed);
        let run_dir = self.folder.path().join(number.to_string());
        std::fs::create_dir(&run_dir).expect("a folder can be made");
        let id = || (System.now(), System.random());
        let ((at, first), (_, second), (_, third)) = (id(), id(), id());
        Order {
            claim: ClaimId::new(at, first),
            instance: InstanceId::new(at, second),
            name: "guest".parse().expect("a lawful name"),
            incarnation: IncarnationId::new(at, third),
            spec: Arc::new(draft.check().expect("a lawful specification")),
            boot: Boot::Kernel {
                kernel: weft_guest::PATH.into(),
                initramfs: None,
                cmdline: "console=ttyS0 weft.name=guest".to_owned(),
            },
            disks: Vec::new(),
            console_log: run_dir.join("console.log"),
            vmm_log: run_dir.join("vmm.log"),
            run_dir,
            confinement: Confinement::default(),
            ward: (self.kind == Kind::Jailed).then_some(WARD),
            origin: Origin::Boot,
        }
    }

    /// The least that a machine needs.
    pub(crate) fn draft() -> Draft {
        let kernel = weft_guest::PATH.into();
        let payload = Payload::Kernel { kernel, initramfs: None, cmdline: String::new() };
        let mut draft = Draft { payload, ..Draft::default() };
        draft.memory.size_bytes = 64 << 20;
        draft
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

    /// Types a line to the guest.
    pub(crate) async fn type_line(&self, machine: &dyn Machine, line: &str) {
        let mut console = machine.console().await.unwrap_or_else(|fault| panic!("console: {fault}"));
        console.write_all(format!("{line}\n").as_bytes()).await.expect("the console takes a line");
        console.flush().await.expect("the console takes a line");
        // why: what was typed is on its way until the other end has taken it.
        tokio::time::sleep(PAUSE * 5).await;
    }

    /// Where a file of this name is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A new file of this length.
    pub(crate) fn file(&self, name: &str, bytes: u64) -> PathBuf {
        let path = self.path(name);
        let file = std::fs::File::create(&path).expect("a file can be made");
        file.set_len(bytes).expect("it can have a length");
        path
    }
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
                std::fs::write(&kernel, "no kernel").expect("a file can be written");
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
        self.type_line(machine, "gen").await;
        let shown = self.until_shown(order, "gen ", 1).await;
        let line = shown.lines().rev().find_map(|line| line.strip_prefix("gen "))?;
        Some(line.trim().to_owned())
    }

    async fn spare(&self, _: &Order) -> Option<Alteration> {
        let path = self.file("spare", 1 << 20);
        let disk = Disk::new("spare", DiskSource::Path(path.clone()));
        Some(Alteration { change: Change::AddDisk(disk), backing: Some(Backing { path, format: DiskFormat::Raw }) })
    }

    fn excused(&self, _: &str) -> Option<String> {
        self.excuse.clone()
    }
}
