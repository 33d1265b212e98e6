//! Adapters that more than one command opens, and the folders they need.

use crate::settings::Settings;
use anyhow::{Context, Result};
use std::sync::Arc;
use weft_domain::Fault;
use weft_ports::meters::Meters;
use weft_ports::processes::Processes;
use weft_ports::sightings::Sightings;
use weft_ports::store::Store;

/// The store of a data folder.
///
/// # Errors
/// Another process holds it, or it is damaged.
pub(crate) async fn open_store(settings: &Settings) -> Result<Arc<dyn Store>> {
    let config = weft_store::embedded::Config::at(settings.data_dir.join("store"));
    let opened = tokio::task::spawn_blocking(move || weft_store::embedded::open(config, Arc::new(weft_api::Records)));
    let opened = opened.await.context("the store's opening was broken off")?;
    Ok(Arc::new(opened.map_err(Fault::from)?))
}

/// What starts processes on this machine, and what sees what is there.
pub(crate) struct Host {
    /// Processes of this data folder.
    pub(crate) processes: Arc<dyn Processes>,
    /// What is there of it.
    pub(crate) sightings: Arc<dyn Sightings>,
    /// Reads what processes use.
    pub(crate) meters: Arc<dyn Meters>,
}

impl Host {
    /// Opens them.
    ///
    /// # Errors
    /// A host without `/proc`, or a run folder that cannot be written.
    pub(crate) fn open(settings: &Settings) -> Result<Self, Fault> {
        let users = settings.jail_uids.clone();
        let config = weft_host::processes::Config {
            users,
            ..weft_host::processes::Config::of(&settings.data_dir, &settings.run_dir)
        };
        let processes = weft_host::processes::open(config).map_err(Fault::from)?;
        let config = weft_host::census::Config {
            data_dir: settings.data_dir.clone(),
            run_dir: settings.run_dir.clone(),
            cache_dir: settings.cache_dir.clone(),
        };
        let sightings = weft_host::census::open(config, &processes);
        let meters = weft_host::meters::Config::of(&processes);
        let meters = Arc::new(weft_host::meters::open(meters).map_err(Fault::from)?);
        Ok(Self { processes: Arc::new(processes), sightings: Arc::new(sightings), meters })
    }
}

/// The drivers that are looked for, in the order in which `auto` tries them.
pub(crate) fn drivers(settings: &Settings) -> Vec<weft_vmm::Config> {
    settings.drivers.iter().map(|name| driver(settings, name)).collect()
}

fn driver(settings: &Settings, name: &str) -> weft_vmm::Config {
    use weft_vmm::{Config, cloud_hypervisor, firecracker, qemu};
    let search = std::env::split_paths(&settings.path).collect();
    let cache_dir = settings.cache_dir.join(name);
    match name {
        cloud_hypervisor::NAME => {
            let program = settings.cloud_hypervisor.clone();
            Config::CloudHypervisor(cloud_hypervisor::Config { program, search, cache_dir })
        }
        firecracker::NAME => {
            Config::Firecracker(firecracker::Config { program: settings.firecracker.clone(), search, cache_dir })
        }
        // The settings hold no other name.
        _ => {
            let (program, tsc_khz) = (settings.qemu.clone(), weft_host::tsc::khz());
            Config::Qemu(qemu::Config { program, search, cache_dir, tsc_khz })
        }
    }
}

/// Makes a folder that only we can enter.
pub(crate) fn private_folder(path: &std::path::Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.with_context(|| format!("the folder {} cannot be made; give another with --data-dir", path.display()))
}
