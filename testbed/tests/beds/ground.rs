//! What the beds of several VMMs stand on: processes of this host, orders of the small guest, and its words.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use weft_domain::spec::change::Change;
use weft_domain::spec::{Disk, DiskFormat, DiskSource, Draft, Payload};
use weft_domain::{ClaimId, IncarnationId, InstanceId};
use weft_ports::clock::{Clock, System};
use weft_ports::hypervisor::conformance::Deed;
use weft_ports::hypervisor::{Alteration, Backing, Boot, Order, Origin, Ward};
use weft_ports::processes::{Confinement, Processes};

/// Between two looks at a file that another process writes.
pub(crate) const PAUSE: Duration = Duration::from_millis(10);
/// The longest that a guest takes for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Whether the VMM is jailed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It is not.
    Free,
    /// It is.
    Jailed,
}

/// A folder, and the processes that are started in it; both end with their holder.
pub(crate) struct Ground {
    folder: TempDir,
    pub(crate) processes: Arc<dyn Processes>,
    ward: Option<Ward>,
    orders: AtomicU32,
}

impl Ground {
    /// One whose VMMs are jailed as this user, where they are; nobody else is that user.
    pub(crate) fn open(kind: Kind, user: u32) -> Result<Self, String> {
        let folder = tempfile::Builder::new().prefix("weft-").tempdir().map_err(|error| error.to_string())?;
        let config = weft_host::processes::Config::of(folder.path(), folder.path());
        let opened = weft_host::processes::open(config).map_err(|error| error.to_string())?;
        let processes: Arc<dyn Processes> = Arc::new(opened);
        if kind == Kind::Jailed {
            // Another user goes through it.
            let open = std::os::unix::fs::PermissionsExt::from_mode(0o711);
            std::fs::set_permissions(folder.path(), open).map_err(|error| error.to_string())?;
            processes.jails()?;
        }
        let ward = (kind == Kind::Jailed).then_some(Ward { uid: user, gid: user });
        Ok(Self { folder, processes, ward, orders: AtomicU32::new(0) })
    }

    /// An order of the small guest, from this draft; whoever gives it disks says what is behind them.
    pub(crate) fn order_of(&self, draft: Draft) -> Order {
        let number = self.orders.fetch_add(1, Ordering::Relaxed);
        let run_dir = self.path(&number.to_string());
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
            console_log: run_dir.join("log-of-console"),
            vmm_log: run_dir.join("vmm.log"),
            run_dir,
            confinement: Confinement::default(),
            ward: self.ward,
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

    /// What the guest drew at its boot, when it has told.
    pub(crate) async fn drawn(&self, order: &Order) -> Option<String> {
        let shown = self.until_shown(order, "gen ", 1).await;
        let line = shown.lines().rev().find_map(|line| line.strip_prefix("gen "))?;
        Some(line.trim().to_owned())
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

    /// A disk to be plugged.
    pub(crate) fn spare(&self) -> Alteration {
        let path = self.file("spare", 1 << 20);
        let disk = Disk::new("spare", DiskSource::Path(path.clone()));
        Alteration { change: Change::AddDisk(disk), backing: Some(Backing { path, format: DiskFormat::Raw }) }
    }

    /// The same with a kernel that is none.
    pub(crate) fn broken(&self, mut order: Order, bytes: &[u8]) -> Order {
        let kernel = self.file("no-kernel", 0);
        std::fs::write(&kernel, bytes).expect("a file can be written");
        order.boot = Boot::Kernel { kernel, initramfs: None, cmdline: String::new() };
        order
    }
}

/// What the guest is told to do a deed.
pub(crate) const fn line_of(deed: Deed) -> &'static str {
    match deed {
        Deed::PowerOff => "poweroff",
        Deed::Panic => "panic",
        Deed::Reboot => "reboot",
    }
}

impl Drop for Ground {
    /// A test that failed leaves no process either.
    fn drop(&mut self) {
        weft_testbed::machines::clear(Arc::clone(&self.processes));
    }
}
