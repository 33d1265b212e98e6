//! How a running machine becomes what a changed specification asks, step by step; and what of it waits
//! for the next boot.
//!
//! ```text
//!  launched (what the process was started with) ┐
//!  running  (what it has become since)          ├─► live ─► Live { changes, restart }
//!  wanted   (what is asked now)                 │
//!  features (what its driver can do)            ┘
//! ```

use super::{Balloon, Console, Device, DeviceKind, Disk, DiskSource, Draft, Metadata, Nic, RateLimit, Vsock};
use crate::capability::Feature;
use std::collections::BTreeSet;

/// One change of a running machine.
///
/// Each is idempotent: a machine that is so already stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// So many CPUs.
    Cpus(u32),
    /// So much memory, in bytes, with what the balloon takes.
    Memory(u64),
    /// The balloon takes this, and tells of the guest as often.
    Balloon(Balloon),
    /// The guest tells now which of its pages are free, or is not asked to any more.
    Hint(bool),
    /// A disk is unplugged, by name.
    RemoveDisk(String),
    /// A disk is plugged.
    AddDisk(Disk),
    /// The disk of this name is now so long, in bytes; its file has grown already.
    ResizeDisk(String, u64),
    /// The disk of this name is now limited so.
    LimitDisk(String, Option<RateLimit>),
    /// The disk of this name has another file behind it.
    SwapDisk(Disk),
    /// An interface is unplugged, by name.
    RemoveNic(String),
    /// An interface is plugged.
    AddNic(Nic),
    /// The interface is now limited as this one.
    LimitNic(Nic),
    /// A further device is unplugged, by name.
    RemoveDevice(String),
    /// A further device is plugged.
    AddDevice(Device),
    /// The further device is now limited as this one.
    LimitDevice(Device),
    /// The vsock is plugged.
    AddVsock(Vsock),
    /// The vsock is unplugged.
    RemoveVsock,
    /// The metadata service tells this.
    Metadata(Metadata),
}

impl Change {
    /// The feature that a driver needs for it.
    #[must_use]
    pub const fn needs(&self) -> Feature {
        match self {
            Self::Cpus(_) => Feature::LiveCpus,
            Self::Memory(_) => Feature::LiveMemory,
            Self::Balloon(_) => Feature::LiveBalloon,
            Self::Hint(_) => Feature::LiveFreePageHinting,
            Self::RemoveDisk(_) | Self::AddDisk(_) => Feature::LiveDisks,
            Self::ResizeDisk(..) => Feature::LiveDiskSize,
            Self::LimitDisk(..) => Feature::LiveDiskLimit,
            Self::SwapDisk(_) => Feature::LiveDiskSwap,
            Self::RemoveNic(_) | Self::AddNic(_) => Feature::LiveNics,
            Self::LimitNic(_) => Feature::LiveNicLimit,
            Self::RemoveDevice(_) => Feature::LiveDevices,
            Self::AddDevice(device) => needs_of(&device.kind),
            Self::LimitDevice(_) => Feature::LivePmemLimit,
            Self::AddVsock(_) | Self::RemoveVsock => Feature::LiveVsock,
            Self::Metadata(_) => Feature::LiveMetadata,
        }
    }

    /// The name of what is plugged by it.
    #[must_use]
    pub const fn adds(&self) -> Option<&String> {
        match self {
            Self::AddDisk(disk) => Some(&disk.name),
            Self::AddNic(nic) => Some(&nic.name),
            Self::AddDevice(device) => Some(&device.name),
            Self::Cpus(_)
            | Self::Memory(_)
            | Self::Balloon(_)
            | Self::Hint(_)
            | Self::RemoveDisk(_)
            | Self::ResizeDisk(..)
            | Self::LimitDisk(..)
            | Self::SwapDisk(_)
            | Self::RemoveNic(_)
            | Self::LimitNic(_)
            | Self::RemoveDevice(_)
            | Self::LimitDevice(_)
            | Self::AddVsock(_)
            | Self::RemoveVsock
            | Self::Metadata(_) => None,
        }
    }

    /// A few words for people.
    #[must_use]
    pub fn told(&self) -> String {
        match self {
            Self::Cpus(count) => format!("{count} CPUs"),
            Self::Memory(bytes) => format!("memory of {bytes} bytes"),
            Self::Balloon(balloon) => format!("a balloon of {} bytes", balloon.size_bytes),
            Self::Hint(true) => "a run of hints of free pages".to_owned(),
            Self::Hint(false) => "no more hints of free pages".to_owned(),
            Self::RemoveDisk(name) => format!("unplug disk {name}"),
            Self::AddDisk(disk) => format!("plug disk {}", disk.name),
            Self::ResizeDisk(name, bytes) => format!("disk {name} of {bytes} bytes"),
            Self::LimitDisk(name, _) => format!("limit disk {name}"),
            Self::SwapDisk(disk) => format!("another file behind disk {}", disk.name),
            Self::RemoveNic(name) => format!("unplug nic {name}"),
            Self::AddNic(nic) => format!("plug nic {}", nic.name),
            Self::LimitNic(nic) => format!("limit nic {}", nic.name),
            Self::RemoveDevice(name) => format!("unplug device {name}"),
            Self::AddDevice(device) => format!("plug device {}", device.name),
            Self::LimitDevice(device) => format!("limit device {}", device.name),
            Self::AddVsock(_) => "plug the vsock".to_owned(),
            Self::RemoveVsock => "unplug the vsock".to_owned(),
            Self::Metadata(_) => "other metadata".to_owned(),
        }
    }

    /// What `running` is after it.
    pub fn apply(&self, running: &mut Draft) {
        match self.clone() {
            Self::Cpus(count) => running.cpu.boot = count,
            Self::Memory(bytes) => running.memory.size_bytes = bytes,
            Self::Balloon(balloon) => running.memory.balloon = Some(balloon),
            Self::Hint(hints) => {
                if let Some(balloon) = &mut running.memory.balloon {
                    balloon.free_page_hinting = hints;
                }
            }
            Self::RemoveDisk(name) => running.disks.retain(|disk| disk.name != name),
            Self::AddDisk(disk) => running.disks.push(disk),
            Self::ResizeDisk(name, bytes) => {
                if let Some(disk) = running.disks.iter_mut().find(|disk| disk.name == name) {
                    disk.source = DiskSource::Blank { size_bytes: bytes };
                }
            }
            Self::LimitDisk(name, limit) => {
                if let Some(disk) = running.disks.iter_mut().find(|disk| disk.name == name) {
                    disk.rate_limit = limit;
                }
            }
            Self::SwapDisk(disk) => replace(&mut running.disks, disk, |disk| &disk.name),
            Self::RemoveNic(name) => running.nics.retain(|nic| nic.name != name),
            Self::AddNic(nic) => running.nics.push(nic),
            Self::LimitNic(nic) => replace(&mut running.nics, nic, |nic| &nic.name),
            Self::RemoveDevice(name) => running.devices.retain(|device| device.name != name),
            Self::AddDevice(device) => running.devices.push(device),
            Self::LimitDevice(device) => replace(&mut running.devices, device, |device| &device.name),
            Self::AddVsock(vsock) => running.vsock = Some(vsock),
            Self::RemoveVsock => running.vsock = None,
            Self::Metadata(metadata) => running.metadata = Some(metadata),
        }
    }
}

fn replace<T>(list: &mut [T], new: T, name: impl Fn(&T) -> &String) {
    if let Some(old) = list.iter_mut().find(|old| name(old) == name(&new)) {
        *old = new;
    }
}

const fn needs_of(kind: &DeviceKind) -> Feature {
    match kind {
        DeviceKind::Pmem { .. } => Feature::LivePmem,
        DeviceKind::Share { .. } => Feature::LiveShares,
        DeviceKind::Vdpa { .. } => Feature::LiveVdpa,
        DeviceKind::Passthrough { .. } => Feature::LivePassthrough,
        DeviceKind::VfioUser { .. } => Feature::LiveVfioUser,
        DeviceKind::VhostUser { .. } => Feature::LiveVhostUser,
    }
}

/// The old device with the limit of the new one, where it can have one.
fn limited_as(old: &Device, new: &Device) -> Device {
    let mut like = old.clone();
    if let (DeviceKind::Pmem { rate_limit, .. }, DeviceKind::Pmem { rate_limit: wanted, .. }) =
        (&mut like.kind, &new.kind)
    {
        *rate_limit = *wanted;
    }
    like
}

/// How a running machine becomes what is asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Live {
    /// What can be done now, in order.
    pub changes: Vec<Change>,
    /// The fields that wait for the next boot.
    pub restart: Vec<String>,
}

/// What can be done now, and what waits for the next boot.
///
/// # Laws
/// Total and pure. What is equal asks for nothing. After every change is applied, the same question
/// answers no changes and the same fields. No change needs a feature that is not there.
#[must_use]
pub fn live(launched: &Draft, running: &Draft, wanted: &Draft, features: &BTreeSet<Feature>) -> Live {
    let mut plan = Planner { features, live: Live::default() };
    plan.rest(running, wanted);
    plan.cpu(running, wanted);
    plan.memory(launched, running, wanted);
    // What goes makes room for what comes.
    plan.unplug(running, wanted);
    plan.disks(running, wanted);
    plan.nics(running, wanted);
    plan.devices(running, wanted);
    plan.live.restart.sort();
    plan.live.restart.dedup();
    plan.live
}

struct Planner<'a> {
    features: &'a BTreeSet<Feature>,
    live: Live,
}

impl Planner<'_> {
    /// Does it now where the driver can, else at the next boot.
    fn offer(&mut self, change: Change, field: impl Into<String>) {
        if self.features.contains(&change.needs()) {
            self.live.changes.push(change);
        } else {
            self.live.restart.push(field.into());
        }
    }

    fn wait_where(&mut self, differs: bool, field: impl Into<String>) {
        if differs {
            self.live.restart.push(field.into());
        }
    }

    /// What no machine changes while it runs.
    fn rest(&mut self, running: &Draft, wanted: &Draft) {
        // Named one by one, so that a new field must be thought of here.
        let Draft {
            driver: _,
            machine,
            accelerator,
            cpu: _,
            memory: _,
            payload,
            disks: _,
            nics: _,
            serial,
            console,
            rng,
            vsock,
            metadata,
            cloud_init,
            rate_limit_groups,
            devices: _,
            platform,
            numa,
            watchdog,
            tpm,
            network_namespace,
            restart: _,
            readiness: _,
        } = wanted;
        self.wait_where(running.driver != wanted.driver, "vm.spec.driver");
        self.wait_where(running.machine != *machine, "vm.spec.machine");
        self.wait_where(running.accelerator != *accelerator, "vm.spec.accelerator");
        self.wait_where(running.payload != *payload, "vm.spec.payload");
        self.console(&running.serial, serial, "vm.spec.serial");
        self.console(&running.console, console, "vm.spec.console");
        self.wait_where(running.rng != *rng, "vm.spec.rng");
        self.wait_where(running.cloud_init != *cloud_init, "vm.spec.cloud_init");
        self.wait_where(running.rate_limit_groups != *rate_limit_groups, "vm.spec.rate_limit_groups");
        self.wait_where(running.platform != *platform, "vm.spec.platform");
        self.wait_where(running.numa != *numa, "vm.spec.numa");
        self.wait_where(running.watchdog != *watchdog, "vm.spec.watchdog");
        self.wait_where(running.tpm != *tpm, "vm.spec.tpm_socket");
        self.wait_where(running.network_namespace != *network_namespace, "vm.spec.network_namespace");
        match (&running.vsock, vsock) {
            (old, new) if old == new => {}
            (None, Some(vsock)) => self.offer(Change::AddVsock(*vsock), "vm.spec.vsock"),
            (Some(_), None) => self.offer(Change::RemoveVsock, "vm.spec.vsock"),
            (_, _) => self.wait_where(true, "vm.spec.vsock"),
        }
        self.metadata(running.metadata.as_ref(), metadata.as_ref());
    }

    fn console(&mut self, running: &Console, wanted: &Console, field: &str) {
        self.wait_where(running != wanted, field);
    }

    fn metadata(&mut self, running: Option<&Metadata>, wanted: Option<&Metadata>) {
        match (running, wanted) {
            (old, new) if old == new => {}
            (Some(old), Some(new)) if Metadata { json: new.json.clone(), ..old.clone() } == *new => {
                self.offer(Change::Metadata(new.clone()), "vm.spec.metadata.json");
            }
            (_, _) => self.wait_where(true, "vm.spec.metadata"),
        }
    }

    fn cpu(&mut self, running: &Draft, wanted: &Draft) {
        let (old, new) = (&running.cpu, &wanted.cpu);
        let mut same = old.clone();
        same.boot = new.boot;
        if same != *new {
            self.wait_where(true, "vm.spec.cpu");
        } else if old.boot != new.boot {
            self.offer(Change::Cpus(new.boot), "vm.spec.cpu.boot");
        }
    }

    fn memory(&mut self, launched: &Draft, running: &Draft, wanted: &Draft) {
        let (old, new) = (&running.memory, &wanted.memory);
        let mut same = old.clone();
        same.size_bytes = new.size_bytes;
        same.balloon.clone_from(&new.balloon);
        if same != *new || old.balloon.is_some() != new.balloon.is_some() {
            return self.wait_where(true, "vm.spec.memory");
        }
        if old.size_bytes != new.size_bytes {
            let (least, boot) = (launched.memory.size_bytes, launched.memory.hotplug_bytes);
            let fits = (least..=least.saturating_add(boot)).contains(&new.size_bytes);
            let shrinks = new.size_bytes < old.size_bytes;
            let right = fits && (!shrinks || self.features.contains(&Feature::LiveMemoryShrink));
            if right {
                self.offer(Change::Memory(new.size_bytes), "vm.spec.memory.size_bytes");
            } else {
                self.wait_where(true, "vm.spec.memory.size_bytes");
            }
        }
        if let (Some(before), Some(after)) = (&old.balloon, &new.balloon) {
            self.balloon(launched, before, after);
        }
    }

    fn balloon(&mut self, launched: &Draft, before: &Balloon, after: &Balloon) {
        let hints = after.free_page_hinting;
        let mut like = Balloon { size_bytes: after.size_bytes, ..before.clone() };
        if (before.statistics_seconds > 0) == (after.statistics_seconds > 0) {
            like.statistics_seconds = after.statistics_seconds;
        }
        // A guest that was not told of it at its boot cannot be asked.
        if launched.memory.balloon.as_ref().is_some_and(|balloon| balloon.free_page_hinting) {
            like.free_page_hinting = hints;
        }
        if like != *after {
            return self.wait_where(true, "vm.spec.memory.balloon");
        }
        let sized = Balloon { free_page_hinting: before.free_page_hinting, ..after.clone() };
        if sized != *before {
            self.offer(Change::Balloon(sized), "vm.spec.memory.balloon");
        }
        if hints != before.free_page_hinting {
            self.offer(Change::Hint(hints), "vm.spec.memory.balloon.free_page_hinting");
        }
    }

    fn unplug(&mut self, running: &Draft, wanted: &Draft) {
        for disk in running.disks.iter().filter(|old| wanted.disks.iter().all(|new| new.name != old.name)) {
            if disk.root {
                self.wait_where(true, "vm.spec.disks");
            } else {
                self.offer(Change::RemoveDisk(disk.name.clone()), "vm.spec.disks");
            }
        }
        for nic in running.nics.iter().filter(|old| wanted.nics.iter().all(|new| new.name != old.name)) {
            self.offer(Change::RemoveNic(nic.name.clone()), "vm.spec.nics");
        }
        for device in running.devices.iter().filter(|old| wanted.devices.iter().all(|new| new.name != old.name)) {
            self.offer(Change::RemoveDevice(device.name.clone()), "vm.spec.devices");
        }
    }

    fn disks(&mut self, running: &Draft, wanted: &Draft) {
        for (i, new) in wanted.disks.iter().enumerate() {
            let field = format!("vm.spec.disks[{i}]");
            match running.disks.iter().find(|old| old.name == new.name) {
                None if new.root => self.wait_where(true, field),
                None => self.offer(Change::AddDisk(new.clone()), field),
                Some(old) => self.disk(old, new, &field),
            }
        }
    }

    fn disk(&mut self, old: &Disk, new: &Disk, field: &str) {
        let mut like = old.clone();
        like.source = new.source.clone();
        like.rate_limit = new.rate_limit;
        if like != *new {
            return self.wait_where(true, field);
        }
        match (&old.source, &new.source) {
            (before, after) if before == after => {}
            (DiskSource::Blank { size_bytes: before }, DiskSource::Blank { size_bytes: after }) if after > before => {
                self.offer(Change::ResizeDisk(new.name.clone(), *after), format!("{field}.blank.size_bytes"));
            }
            (DiskSource::Path(_), DiskSource::Path(_)) => {
                // The limit is another change, which comes after.
                let swapped = Disk { rate_limit: old.rate_limit, ..new.clone() };
                self.offer(Change::SwapDisk(swapped), format!("{field}.path"));
            }
            (_, _) => self.wait_where(true, field),
        }
        if old.rate_limit != new.rate_limit {
            self.offer(Change::LimitDisk(new.name.clone(), new.rate_limit), format!("{field}.rate_limit"));
        }
    }

    fn nics(&mut self, running: &Draft, wanted: &Draft) {
        for (i, new) in wanted.nics.iter().enumerate() {
            let field = format!("vm.spec.nics[{i}]");
            let Some(old) = running.nics.iter().find(|old| old.name == new.name) else {
                self.offer(Change::AddNic(new.clone()), field);
                continue;
            };
            let mut like = old.clone();
            (like.rx_rate_limit, like.tx_rate_limit) = (new.rx_rate_limit, new.tx_rate_limit);
            if like != *new {
                self.wait_where(true, field);
            } else if old != new {
                self.offer(Change::LimitNic(new.clone()), field);
            }
        }
    }

    fn devices(&mut self, running: &Draft, wanted: &Draft) {
        for (i, new) in wanted.devices.iter().enumerate() {
            let field = format!("vm.spec.devices[{i}]");
            match running.devices.iter().find(|old| old.name == new.name) {
                None => self.offer(Change::AddDevice(new.clone()), field),
                Some(old) if old == new => {}
                Some(old) if limited_as(old, new) == *new => self.offer(Change::LimitDevice(new.clone()), field),
                Some(_) => self.wait_where(true, field),
            }
        }
    }
}

#[cfg(test)]
mod tests;
