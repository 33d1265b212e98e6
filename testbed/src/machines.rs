//! The real QEMU with real processes and the default image, as a stage for the hypervisor port's suite.
//!
//! The guest is told what to do over its serial console, where it has a shell.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use weft_domain::spec::change::Change;
use weft_domain::spec::payload::DEFAULT_IMAGE_READY;
use weft_domain::spec::{Disk, DiskFormat, DiskSource, Draft, Machine as Model};
use weft_domain::{ClaimId, IncarnationId, InstanceId};
use weft_ports::clock::{Clock, System};
use weft_ports::hypervisor::conformance::{Deed, Sort, Stage};
use weft_ports::hypervisor::{Alteration, Backing, Boot, Duplex, Hypervisor, Machine, Order, Origin, State, Ward};
use weft_ports::images::{Files, Images as _, unwatched};
use weft_ports::processes::{Confinement, Processes};
use weft_vmm::qemu;

/// Between two looks at a file that another process writes.
const PAUSE: Duration = Duration::from_millis(20);
/// The longest that a guest takes for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// The first user that a jailed machine runs as.
const FIRST_WARD: u32 = 710_000;

/// Real machines in a folder of their own.
pub struct Machines {
    folder: TempDir,
    qemu: Arc<qemu::Qemu>,
    processes: Arc<dyn Processes>,
    image: Files,
    model: Model,
    /// Whether each machine is jailed, as a user of its own.
    jailed: bool,
    orders: AtomicU32,
}

impl Machines {
    /// Machines of this model; what is slow to make is kept in `cache` for the next.
    ///
    /// # Errors
    /// Why they cannot be had here.
    #[expect(clippy::disallowed_methods, reason = "the testbed is run by hand and looks where its shell looks")]
    pub async fn open(cache: &Path, model: Model) -> Result<Self, String> {
        let folder = tempfile::Builder::new().prefix("weft-").tempdir().map_err(|error| error.to_string())?;
        let config = weft_host::processes::Config::of(folder.path(), folder.path());
        let processes: Arc<dyn Processes> =
            Arc::new(weft_host::processes::open(config).map_err(|error| error.to_string())?);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let config = qemu::Config {
            program: None,
            search: std::env::split_paths(&path).collect(),
            cache_dir: cache.join("qemu"),
            tsc_khz: weft_host::tsc::khz(),
        };
        let opened = qemu::open(config, processes.clone(), Arc::new(System)).await;
        let qemu = Arc::new(opened.map_err(|error| qemu::chain(&error))?);
        let images = weft_image::Images::open(weft_image::Config::new(cache.join("images")));
        let images = images.map_err(|error| error.to_string())?;
        let image = images.ensure("default", unwatched()).await.map_err(|fault| fault.message)?;
        Ok(Self { folder, qemu, processes, image, model, jailed: false, orders: AtomicU32::new(0) })
    }

    /// The same, each in a jail.
    ///
    /// # Errors
    /// Why they cannot be had here.
    pub async fn jailed(cache: &Path, model: Model) -> Result<Self, String> {
        let mut machines = Self::open(cache, model).await?;
        machines.processes.jails()?;
        machines.jailed = true;
        Ok(machines)
    }

    /// A file of this size that is empty, for a disk.
    ///
    /// # Panics
    /// It cannot be made.
    #[must_use]
    pub fn blank(&self, name: &str, bytes: u64) -> PathBuf {
        let path = self.folder.path().join(name);
        let made = std::fs::File::create(&path).and_then(|file| file.set_len(bytes));
        made.expect("a file can be made");
        path
    }

    /// What a command shows in the guest, to the line that says it is done.
    pub async fn asked(&self, machine: &dyn Machine, command: &str) -> String {
        // The echo of the command must not look like its end.
        self.run(machine, &format!("{command}; echo; echo do''ne"), |text| text.contains("\ndone")).await
    }

    /// The driver.
    #[must_use]
    pub fn qemu(&self) -> &qemu::Qemu {
        &self.qemu
    }

    /// The default image.
    #[must_use]
    pub fn image(&self) -> &Files {
        &self.image
    }

    /// An order of a guest that boots the default image, from this draft.
    ///
    /// # Panics
    /// The draft is not right.
    #[must_use]
    pub fn order_of(&self, draft: Draft) -> Order {
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
                kernel: self.image.kernel.clone(),
                initramfs: self.image.initramfs.clone(),
                cmdline: format!("{} weft.hostname=guest", self.image.cmdline),
            },
            disks: Vec::new(),
            console_log: run_dir.join("console.log"),
            vmm_log: run_dir.join("vmm.log"),
            run_dir,
            confinement: Confinement::default(),
            ward: self.jailed.then(|| Ward { uid: FIRST_WARD + number, gid: FIRST_WARD + number }),
            origin: Origin::Boot,
        }
    }

    /// Answers when the guest's console has shown this text so many times.
    ///
    /// # Panics
    /// It does not in time.
    pub async fn until_shown(&self, order: &Order, text: &str, times: usize) {
        let log: PathBuf = order.console_log.clone();
        let shown = || {
            let console = std::fs::read(&log).unwrap_or_default();
            String::from_utf8_lossy(&console).matches(text).count()
        };
        let looking = async {
            while shown() < times {
                // why: the VMM writes the file and tells nobody.
                tokio::time::sleep(PAUSE).await;
            }
        };
        let console = || String::from_utf8_lossy(&std::fs::read(&log).unwrap_or_default()).into_owned();
        let in_time = tokio::time::timeout(PATIENCE, looking).await.is_ok();
        assert!(in_time, "{text:?} was not shown {times} times:\n{}", console());
    }

    /// Runs a command in the guest's shell and leaves when it has shown this text, or `until` is true.
    ///
    /// # Panics
    /// The guest has no shell, or does not answer.
    pub async fn run(&self, machine: &dyn Machine, command: &str, until: impl Fn(&str) -> bool) -> String {
        let mut console = machine.console().await.unwrap_or_else(|fault| panic!("console: {fault}"));
        let talk = async {
            prompt(console.as_mut()).await;
            console.write_all(format!("{command}\n").as_bytes()).await.expect("the console takes a command");
            let mut shown = Vec::new();
            loop {
                let text = String::from_utf8_lossy(&shown).into_owned();
                if until(&text) || !read(console.as_mut(), &mut shown).await {
                    return text;
                }
            }
        };
        tokio::time::timeout(PATIENCE, talk).await.unwrap_or_else(|_| panic!("the guest's shell does not answer"))
    }
}

impl Drop for Machines {
    /// A test that failed leaves no process either.
    fn drop(&mut self) {
        clear(Arc::clone(&self.processes));
    }
}

/// Ends all of these processes, whatever runtime is under way or has ended.
pub fn clear(processes: Arc<dyn Processes>) {
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

/// Waits for the shell to be there and to ask for a command.
async fn prompt(console: &mut dyn Duplex) {
    let mut shown = Vec::new();
    let mut asked = 0;
    while !String::from_utf8_lossy(&shown).contains("# ") {
        // A line that the shell was not there to read is lost: it is asked now and then.
        if asked % 50 == 0 {
            console.write_all(b"\n").await.expect("the console takes a line");
        }
        asked += 1;
        read(console, &mut shown).await;
    }
}

/// Reads what comes in a moment; whether the console is still open.
async fn read(console: &mut dyn Duplex, shown: &mut Vec<u8>) -> bool {
    let mut buffer = [0; 1_024];
    match tokio::time::timeout(PAUSE, console.read(&mut buffer)).await {
        Ok(Ok(0) | Err(_)) => false,
        Ok(Ok(read)) => {
            shown.extend_from_slice(&buffer[..read]);
            true
        }
        Err(_) => true,
    }
}

#[async_trait::async_trait]
impl Stage for Machines {
    fn hypervisor(&self) -> Arc<dyn Hypervisor> {
        self.qemu.clone()
    }

    fn processes(&self) -> Arc<dyn Processes> {
        self.processes.clone()
    }

    async fn order(&self, sort: Sort) -> Order {
        let mut draft = Draft { machine: self.model, ..Draft::default() };
        draft.memory.size_bytes = 128 << 20;
        let mut order = self.order_of(draft);
        match sort {
            Sort::Working => {}
            Sort::Broken => {
                // A file that is there, so that it is the VMM who finds that it is no kernel.
                let kernel = self.blank(&format!("{}.broken", order.incarnation), 0);
                order.boot = Boot::Kernel { kernel, initramfs: None, cmdline: String::new() };
            }
        }
        order
    }

    async fn until_ready(&self, order: &Order, times: usize) {
        self.until_shown(order, DEFAULT_IMAGE_READY, times).await;
    }

    async fn tell(&self, _: &Order, machine: &dyn Machine, deed: Deed) {
        let command = match deed {
            Deed::PowerOff => "poweroff -f",
            Deed::Panic => "echo c >/proc/sysrq-trigger",
            Deed::Reboot => "reboot -f",
        };
        let (state, resets) = (machine.state(), machine.resets());
        let before = *resets.borrow();
        self.run(machine, command, |_| matches!(*state.borrow(), State::Ended(_)) || *resets.borrow() > before).await;
    }

    async fn remembered(&self, _: &Order, machine: &dyn Machine) -> Option<String> {
        let command = "[ -s /tmp/kept ] || cat /proc/sys/kernel/random/uuid >/tmp/kept; cat /tmp/kept";
        let shown = self.asked(machine, command).await;
        let figure = shown.lines().map(str::trim).find(|line| line.len() == 36 && line.matches('-').count() == 4);
        Some(figure.unwrap_or_else(|| panic!("the guest shows no figure: {shown}")).to_owned())
    }

    async fn spare(&self, order: &Order) -> Option<Alteration> {
        if self.model == Model::Microvm {
            return None;
        }
        let path = self.blank(&format!("{}.spare", order.incarnation), 8 << 20);
        let disk = Disk::new("spare", DiskSource::Path(path.clone()));
        let backing = Some(Backing { path, format: DiskFormat::Raw });
        Some(Alteration { change: Change::AddDisk(disk), backing })
    }

    fn excused(&self, _: &str) -> Option<String> {
        None
    }
}
