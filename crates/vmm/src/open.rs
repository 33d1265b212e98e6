//! The one place that chooses drivers.

use crate::{Finding, cloud_hypervisor, firecracker, qemu};
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

/// Looks for each VMM. One that is missing is no error: its finding says what would help.
pub async fn open(configs: Vec<Config>, processes: Arc<dyn Processes>, clock: Arc<dyn Clock>) -> Opened {
    let mut opened = Opened::default();
    for config in configs {
        match config {
            Config::Qemu(config) => match qemu::open(config, processes.clone(), clock.clone()).await {
                Ok(driver) => {
                    opened.findings.push(driver.finding());
                    opened.drivers.push(Arc::new(driver));
                }
                Err(error) => {
                    tracing::warn!(driver = qemu::NAME, error = %crate::qemu::chain(&error), "driver is not used");
                    opened.findings.push(error.finding());
                }
            },
            Config::Firecracker(config) => match firecracker::open(config, processes.clone(), clock.clone()).await {
                Ok(driver) => {
                    opened.findings.push(driver.finding());
                    opened.drivers.push(Arc::new(driver));
                }
                Err(error) => {
                    let name = firecracker::NAME;
                    tracing::warn!(driver = name, error = %crate::told::chain(&error), "driver is not used");
                    opened.findings.push(error.finding());
                }
            },
            Config::CloudHypervisor(config) => {
                match cloud_hypervisor::open(config, processes.clone(), clock.clone()).await {
                    Ok(driver) => {
                        opened.findings.push(driver.finding());
                        opened.drivers.push(Arc::new(driver));
                    }
                    Err(error) => {
                        let name = cloud_hypervisor::NAME;
                        tracing::warn!(driver = name, error = %crate::told::chain(&error), "driver is not used");
                        opened.findings.push(error.finding());
                    }
                }
            }
        }
    }
    opened
}
