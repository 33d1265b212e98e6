//! The one place that chooses drivers.

use crate::{Finding, cloud_hypervisor, firecracker, qemu};
use futures::future::join_all;
use std::sync::Arc;
use weft_ports::clock::Clock;
use weft_ports::hypervisor::Hypervisor;
use weft_ports::processes::Processes;

/// Which VMM is looked for, and how.
#[derive(Debug, Clone)]
pub enum Config {
    /// QEMU.
    Qemu(qemu::Config),
    /// Firecracker.
    Firecracker(firecracker::Config),
    /// Cloud Hypervisor.
    CloudHypervisor(cloud_hypervisor::Config),
}

/// What was opened, and what was found on the way.
#[derive(Default)]
pub struct Opened {
    /// Drivers that can be used, in the order of their configurations.
    pub drivers: Vec<Arc<dyn Hypervisor>>,
    /// One for each configuration, usable or not.
    pub findings: Vec<Finding>,
}

/// Looks for each VMM, all at once. One that is missing is no error: its finding says what would help.
pub async fn open(configs: Vec<Config>, processes: Arc<dyn Processes>, clock: Arc<dyn Clock>) -> Opened {
    let looks = configs.into_iter().map(|config| look(config, processes.clone(), clock.clone()));
    let mut opened = Opened::default();
    for (driver, finding) in join_all(looks).await {
        if driver.is_none() {
            let why = finding.missing.as_deref().unwrap_or_default();
            tracing::warn!(driver = finding.driver, why, "driver is not used");
        }
        opened.drivers.extend(driver);
        opened.findings.push(finding);
    }
    opened
}

type Found = (Option<Arc<dyn Hypervisor>>, Finding);

async fn look(config: Config, processes: Arc<dyn Processes>, clock: Arc<dyn Clock>) -> Found {
    match config {
        Config::Qemu(config) => match qemu::open(config, processes, clock).await {
            Ok(driver) => found(driver.finding(), driver),
            Err(error) => (None, error.finding()),
        },
        Config::Firecracker(config) => match firecracker::open(config, processes, clock).await {
            Ok(driver) => found(driver.finding(), driver),
            Err(error) => (None, error.finding()),
        },
        Config::CloudHypervisor(config) => match cloud_hypervisor::open(config, processes, clock).await {
            Ok(driver) => found(driver.finding(), driver),
            Err(error) => (None, error.finding()),
        },
    }
}

fn found(finding: Finding, driver: impl Hypervisor + 'static) -> Found {
    (Some(Arc::new(driver)), finding)
}
