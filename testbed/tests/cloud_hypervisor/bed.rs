//! Cloud Hypervisor with real processes and the small guest, as a stage for the hypervisor port's suite.

use crate::ground::{Ground, PAUSE, line_of};
use std::path::Path;
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use weft_domain::snapshot::Scope;
use weft_domain::spec::Draft;
use weft_ports::clock::System;
use weft_ports::hypervisor::conformance::{Deed, Sort, Stage};
use weft_ports::hypervisor::{Alteration, Hypervisor, Keep, Machine, Order};
use weft_ports::processes::Processes;
use weft_testbed::vmms::{self, Found};
use weft_vmm::cloud_hypervisor;

pub(crate) use crate::ground::Kind;

/// The user of a jailed test.
const USER: u32 = 61_184;

/// Laws that read the state of the processor, which not every KVM can.
const MEMORY_LAWS: [&str; 3] =
    ["a_kept_machine_goes_on_from_there", "a_snapshot_that_fails_changes_nothing", "a_machine_moves"];

/// Where machines are tried.
pub(crate) struct Bed {
    ground: Ground,
    driver: Arc<cloud_hypervisor::CloudHypervisor>,
    real: bool,
    excuse: Option<String>,
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
        let ground = Ground::open(kind, USER)?;
        let cache_dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cloud-hypervisor");
        let config = cloud_hypervisor::Config { program: Some(path), search: Vec::new(), cache_dir };
        let driver = cloud_hypervisor::open(config, ground.processes.clone(), Arc::new(System)).await;
        let driver = Arc::new(driver.map_err(|error| error.to_string())?);
        let mut bed = Self { ground, driver, real, excuse: None };
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

    /// The least that a machine needs.
    pub(crate) fn draft() -> Draft {
        Ground::draft()
    }

    /// Types a line to the guest.
    pub(crate) async fn type_line(&self, machine: &dyn Machine, line: &str) {
        let mut console = machine.console().await.unwrap_or_else(|fault| panic!("console: {fault}"));
        console.write_all(format!("{line}\n").as_bytes()).await.expect("the console takes a line");
        console.flush().await.expect("the console takes a line");
        // why: what was typed is on its way until the other end has taken it.
        tokio::time::sleep(PAUSE * 5).await;
    }
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
            Sort::Broken => self.ground.broken(order, b"no kernel"),
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
        self.excuse.clone()
    }
}
