//! From an order to the calls that make it: pure, so that it can be read, compared and set against the rules.
//!
//! ```text
//!  boot     metrics ─ serial ─ cpu-config ─ machine-config ─ boot-source ─ drives ─ pmem ─ interfaces
//!           ─ vsock ─ entropy ─ balloon ─ hotplug/memory ─ mmds/config ─ mmds ─ InstanceStart
//!  restore  metrics ─ serial ─ snapshot/load ─ mmds ─ Resumed
//! ```
//!
//! Nothing that was asked is left out: what cannot be said here is not among the driver's features, and
//! [`choice::refused`] names what cannot be had together or from this version.

pub(super) mod choice;
pub(super) mod devices;
mod restore;

use super::folder::Names;
use super::model::{Action, BootSource, MachineConfig, Metrics, Serial};
use super::rules;
use super::version::{PCI, Version};
use super::{Error, folder};
use crate::http::{Call, Method};
use serde::Serialize;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use weft_domain::spec::{ConsoleMode, DeviceKind, DiskSource, Machine, Spec};
use weft_ports::hypervisor::{Boot, Order, Origin};
use weft_ports::processes::Access;

/// The longest body of a request, and the most metadata, in bytes: a specification's longest document with
/// what escaping adds.
const MAX_BODY: u32 = 512 * 1024;

/// All that a plan is made from.
pub(super) struct Blueprint<'a> {
    /// What was ordered.
    pub(super) order: &'a Order,
    /// The machine model that was chosen.
    pub(super) machine: Machine,
    /// The version that will read it.
    pub(super) version: &'a Version,
}

impl Blueprint<'_> {
    fn spec(&self) -> &Spec {
        &self.order.spec
    }
}

/// The command line, without the program.
pub(super) fn arguments(blueprint: &Blueprint<'_>) -> Vec<OsString> {
    let mut line: Vec<OsString> = Vec::new();
    let mut option = |name: &str, value: String| line.extend([name.into(), value.into()]);
    option("--api-sock", folder::API.to_owned());
    option("--id", blueprint.order.instance.to_string());
    option("--log-path", folder::SAID.to_owned());
    option("--level", "Info".to_owned());
    option("--http-api-max-payload-size", MAX_BODY.to_string());
    option("--mmds-size-limit", MAX_BODY.to_string());
    if blueprint.machine == Machine::Pc {
        line.push("--enable-pci".into());
    }
    line
}

/// Files that it opens by their own path, and what it does with them.
pub(super) fn files(order: &Order) -> Vec<(PathBuf, Access)> {
    let mut files = Vec::new();
    match &order.origin {
        Origin::Boot => match &order.boot {
            Boot::Kernel { kernel, initramfs, .. } => {
                files.push((kernel.clone(), Access::Read));
                files.extend(initramfs.iter().map(|path| (path.clone(), Access::Read)));
            }
            Boot::Firmware { firmware } => files.push((firmware.clone(), Access::Read)),
        },
        Origin::Snapshot(restore) => {
            files.extend(restore.content.parts.iter().map(|part| (restore.folder.join(&part.file), Access::Read)));
        }
        Origin::Incoming(_) => {}
    }
    for disk in &order.spec.disks {
        if let DiskSource::VhostUser { socket } = &disk.source {
            files.push((socket.clone(), Access::Write));
        }
    }
    files
}

/// Files that it opens by a name in its own folder: the name, and what it leads to.
pub(super) fn links(order: &Order) -> Vec<(String, PathBuf, Access)> {
    let access = |read_only: bool| if read_only { Access::Read } else { Access::Write };
    let mut links = Vec::new();
    for (disk, backing) in order.spec.disks.iter().zip(&order.disks) {
        if !matches!(disk.source, DiskSource::VhostUser { .. }) {
            links.push((Names::disk(&disk.name), backing.path.clone(), access(disk.read_only)));
        }
    }
    for device in &order.spec.devices {
        if let DeviceKind::Pmem { path, read_only, .. } = &device.kind {
            links.push((Names::pmem(&device.name), path.clone(), access(*read_only)));
        }
    }
    links
}

/// The calls to a fresh Firecracker, in order; after the last the virtual CPUs run.
pub(super) fn plan(blueprint: &Blueprint<'_>) -> Result<Vec<Call>, Error> {
    let mut calls = Calls::default();
    calls.put("/metrics", &Metrics { metrics_path: folder::SAID })?;
    if let Some(bucket) = blueprint.spec().serial.rate_limit {
        calls.put("/serial", &Serial { rate_limiter: bucket.into() })?;
    }
    match &blueprint.order.origin {
        Origin::Boot => boot(blueprint, &mut calls)?,
        Origin::Snapshot(snapshot) => restore::plan(blueprint, snapshot, &mut calls)?,
        Origin::Incoming(_) => {
            return Err(choice::unserved("vm.spec.driver", "driver firecracker takes in no machine that runs"));
        }
    }
    let pci = blueprint.machine == Machine::Pc;
    debug_assert_eq!(rules::judge(&calls.0, blueprint.version.line, pci), Ok(()), "a plan keeps the rules");
    Ok(calls.0)
}

fn boot(blueprint: &Blueprint<'_>, calls: &mut Calls) -> Result<(), Error> {
    let spec = blueprint.spec();
    if let Some(template) = &spec.cpu.custom_template {
        calls.push(Method::Put, "/cpu-config", choice::object(template, "vm.spec.cpu.custom_template")?);
    }
    calls.put("/machine-config", &machine(spec))?;
    calls.put("/boot-source", &boot_source(blueprint)?)?;
    devices::add(blueprint, calls)?;
    calls.put("/actions", &Action { action_type: "InstanceStart" })
}

/// Calls that grow.
#[derive(Default)]
pub(super) struct Calls(Vec<Call>);

impl Calls {
    fn put(&mut self, path: impl Into<String>, body: &impl Serialize) -> Result<(), Error> {
        self.say(Method::Put, path, body)
    }

    fn say(&mut self, method: Method, path: impl Into<String>, body: &impl Serialize) -> Result<(), Error> {
        let body = serde_json::to_value(body).map_err(Error::Say)?;
        self.push(method, path, body);
        Ok(())
    }

    fn push(&mut self, method: Method, path: impl Into<String>, body: serde_json::Value) {
        self.0.push(Call::with(method, path, body));
    }
}

/// Whether writes of the guest are recorded, so that a difference holds what changed and no more. Records
/// are kept by small pages, which is at odds with huge ones; with those a difference holds what is resident.
fn tracks(spec: &Spec) -> bool {
    spec.memory.huge_page_bytes.is_none() && !spec.memory.thp
}

fn machine(spec: &Spec) -> MachineConfig {
    let huge_pages = match (spec.memory.huge_page_bytes, spec.memory.thp) {
        (Some(_), _) => Some("2M"),
        (None, true) => Some("Transparent"),
        (None, false) => None,
    };
    MachineConfig {
        vcpu_count: spec.cpu.boot,
        mem_size_mib: spec.memory.size_bytes >> 20,
        smt: spec.cpu.topology.is_some_and(|shape| shape.threads_per_core == 2),
        cpu_template: spec.cpu.template.clone(),
        track_dirty_pages: tracks(spec),
        huge_pages,
    }
}

fn boot_source(blueprint: &Blueprint<'_>) -> Result<BootSource, Error> {
    match &blueprint.order.boot {
        Boot::Kernel { kernel, initramfs, cmdline } => Ok(BootSource {
            kernel_image_path: text(kernel)?,
            initrd_path: initramfs.as_deref().map(text).transpose()?,
            boot_args: format!("{cmdline}{}", words(blueprint, cmdline)).trim_start().to_owned(),
        }),
        Boot::Firmware { .. } => {
            Err(choice::unserved("vm.spec.payload.firmware", "driver firecracker starts kernels only"))
        }
    }
}

/// Words without which a kernel is not heard, or never ends its machine; those that were said are not.
fn words(blueprint: &Blueprint<'_>, cmdline: &str) -> String {
    let heard = matches!(blueprint.spec().serial.mode, ConsoleMode::Socket | ConsoleMode::File);
    let mmio = blueprint.machine == Machine::Microvm;
    let wanted = [
        ("console=", "ttyS0", heard),
        // The only way out of the machine is the reset line of the keyboard controller.
        ("reboot=", "k", true),
        ("panic=", "1", true),
        ("pci=", "off", mmio && !blueprint.version.has(PCI)),
    ];
    let unsaid = wanted.into_iter().filter(|(name, _, wanted)| *wanted && !choice::says(cmdline, name));
    unsaid.map(|(name, value, _)| format!(" {name}{value}")).collect()
}

/// A path as text.
pub(super) fn text(path: &Path) -> Result<String, Error> {
    path.to_str().map(str::to_owned).ok_or_else(|| Error::PathText { path: path.to_owned() })
}

#[cfg(test)]
mod tests;
