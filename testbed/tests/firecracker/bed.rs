//! Firecracker with real processes and the small guest, as a stage for the hypervisor port's suite.

use crate::ground::{Ground, PATIENCE, line_of};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use weft_domain::spec::{Disk, DiskFormat, DiskSource, Draft};
use weft_ports::clock::System;
use weft_ports::hypervisor::conformance::{Deed, Sort, Stage};
use weft_ports::hypervisor::{Adoption, Alteration, Backing, Hypervisor, Machine, Order, State};
use weft_ports::processes::Processes;
use weft_testbed::vmms::{self, Found};
use weft_vmm::firecracker;

pub(crate) use crate::ground::Kind;

/// The user of a jailed test.
const USER: u32 = 61_185;

/// Where machines are tried.
pub(crate) struct Bed {
    ground: Ground,
    driver: Arc<firecracker::Firecracker>,
    real: bool,
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
        let ground = Ground::open(kind, USER)?;
        let cache_dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("firecracker");
        let config = firecracker::Config { program: Some(found.path), search: Vec::new(), cache_dir };
        let driver = firecracker::open(config, ground.processes.clone(), Arc::new(System)).await;
        let driver = Arc::new(driver.map_err(|error| error.to_string())?);
        Ok(Self { ground, driver, real: found.real })
    }

    /// Whether this is the real one.
    pub(crate) const fn is_real(&self) -> bool {
        self.real
    }

    /// The driver.
    pub(crate) fn driver(&self) -> &firecracker::Firecracker {
        &self.driver
    }

    /// An order of the small guest, from this draft.
    pub(crate) fn order_of(&self, draft: Draft) -> Order {
        let backing = |disk: &Disk| {
            let DiskSource::Path(path) = &disk.source else { panic!("{:?} is not ordered here", disk.source) };
            Backing { path: path.clone(), format: DiskFormat::Raw }
        };
        let disks = draft.disks.iter().map(backing).collect();
        Order { disks, ..self.ground.order_of(draft) }
    }

    /// The least that a machine needs.
    pub(crate) fn draft() -> Draft {
        Ground::draft()
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

    /// A new folder.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        let path = self.path(name);
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

impl std::ops::Deref for Bed {
    type Target = Ground;
    fn deref(&self) -> &Ground {
        &self.ground
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
        let order = self.order_of(Self::draft());
        match sort {
            Sort::Working => order,
            Sort::Broken => self.ground.broken(order, b"\x7fELF and nothing that follows"),
        }
    }

    async fn until_ready(&self, order: &Order, times: usize) {
        self.until_shown(order, weft_guest::READY, times).await;
    }

    async fn tell(&self, _: &Order, machine: &dyn Machine, deed: Deed) {
        self.type_line(machine, line_of(deed)).await;
    }

    async fn remembered(&self, order: &Order, machine: &dyn Machine) -> Option<String> {
        self.type_line(machine, "gen").await;
        self.drawn(order).await
    }

    async fn spare(&self, _: &Order) -> Option<Alteration> {
        Some(self.ground.spare())
    }

    fn excused(&self, _: &str) -> Option<String> {
        None
    }
}
