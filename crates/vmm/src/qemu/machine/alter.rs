//! Changes of a running machine.
//!
//! Each looks first, so that a machine that is so already stays as it is, and takes back its first steps
//! where a later one is refused. What is unplugged needs the guest to let go, which an event tells: a
//! guest that does not in time keeps it, and that is a refusal.

mod devices;
mod memory;

use super::owner::{Owner, Trouble};
use crate::qemu::backing;
use crate::qemu::client::Event;
use crate::qemu::config::place::{is_played, node};
use crate::qemu::config::{Bus, Layout, Sort, disk};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;
use weft_domain::spec::change::Change;
use weft_domain::spec::{Accelerator, Disk, Machine, RateLimit};
use weft_domain::{Fault, Reason};
use weft_ports::hypervisor::{Alteration, Backing};
use weft_ports::processes::Access;

/// The time in which a guest lets a device go.
const UNPLUG_LIMIT: Duration = Duration::from_secs(15);

impl Owner {
    pub(super) async fn alter(&mut self, alteration: &Alteration) -> Result<(), Trouble> {
        let change = &alteration.change;
        match change {
            Change::Cpus(count) => self.cpus(usize::try_from(*count).unwrap_or(usize::MAX)).await?,
            Change::Memory(bytes) => self.memory(*bytes).await?,
            Change::Balloon(balloon) => self.balloon(balloon).await?,
            Change::RemoveDisk(name) => self.remove_disk(name).await?,
            Change::AddDisk(disk) => self.add_disk(disk, alteration.backing.as_ref()).await?,
            Change::ResizeDisk(name, bytes) => self.resize_disk(name, *bytes).await?,
            Change::LimitDisk(name, limit) => self.limit_disk(name, limit.as_ref(), None).await?,
            Change::SwapDisk(disk) => self.swap_disk(disk, alteration.backing.as_ref()).await?,
            Change::RemoveNic(name) => self.remove_nic(name).await?,
            Change::AddNic(nic) => self.add_nic(nic).await?,
            Change::RemoveDevice(name) => self.remove_device(name).await?,
            Change::AddDevice(device) => self.add_device(device).await?,
            Change::Hint(_)
            | Change::LimitNic(_)
            | Change::LimitDevice(_)
            | Change::AddVsock(_)
            | Change::RemoveVsock
            | Change::Metadata(_) => {
                let why = format!("driver qemu cannot give a running machine {}", change.told());
                return Err(Fault::new(Reason::VerbUnsupported, why).into());
            }
        }
        self.shared.became(change);
        Ok(())
    }

    /// The limits that the disks have from the start.
    pub(super) async fn limit_all(&mut self) -> Result<(), Trouble> {
        let running = self.shared.running();
        for disk in running.disks.iter().filter(|disk| !is_played(disk)) {
            match &disk.rate_limit_group {
                Some(group) => self.limit_disk(&disk.name, None, Some(group)).await?,
                None if disk.rate_limit.is_some() => {
                    self.limit_disk(&disk.name, disk.rate_limit.as_ref(), None).await?;
                }
                None => {}
            }
        }
        Ok(())
    }

    /// Whether a device of this id is plugged.
    pub(super) async fn has(&mut self, id: &str) -> Result<bool, Trouble> {
        let devices = self.call("qom-list", json!({"path": "/machine/peripheral"})).await?;
        Ok(devices.as_array().into_iter().flatten().any(|device| device["name"] == id))
    }

    /// Refused where the machine takes nothing while it runs.
    pub(super) fn takes(&self) -> Result<(), Trouble> {
        if self.shared.chosen.machine == Machine::Microvm {
            let why = "nothing can be plugged into a microvm while it runs";
            return Err(Fault::new(Reason::ChangeRefused, why).fix("name the machine q35, and boot it again").into());
        }
        Ok(())
    }

    /// Where devices sit now.
    pub(super) async fn layout(&mut self) -> Result<Layout, Trouble> {
        if self.shared.chosen.machine == Machine::Microvm {
            return Ok(Layout::of(&self.shared.running()));
        }
        let pci = self.call("query-pci", Value::Null).await?;
        let memory = self.call("query-memory-size-summary", Value::Null).await?;
        let devices = self.call("query-memory-devices", Value::Null).await?;
        Ok(Layout::seen(&pci, &memory, &devices))
    }

    /// A slot for one more.
    pub(super) async fn slot(&mut self, sort: Sort) -> Result<usize, Trouble> {
        let free = self.layout().await?.free(sort);
        free.ok_or_else(|| Trouble::change("every slot of the machine is taken"))
    }

    /// Plugs a device in a slot.
    pub(super) async fn plug(&mut self, device: Value, slot: usize) -> Result<(), Trouble> {
        let device = Bus::of(self.shared.chosen.machine).plug(device, slot);
        self.call("device_add", device).await?;
        Ok(())
    }

    /// Unplugs the device of this id or path, and waits until the guest has let it go.
    pub(super) async fn unplug(&mut self, id: &str) -> Result<(), Trouble> {
        if self.shared.is_held() {
            let fault = Fault::new(Reason::ChangeRefused, format!("a guest that is held cannot let {id} go"));
            return Err(fault.fix("resume it first").into());
        }
        match self.call("device_del", json!({"id": id})).await {
            Ok(_) => {}
            // It was asked before, and the guest may still heed it.
            Err(crate::qemu::client::Error::Refused { why, .. }) if why.contains("in the process of unplug") => {}
            Err(error) => return Err(error.into()),
        }
        let gone = self.until(UNPLUG_LIMIT, |event| match event {
            Event::Unplugged(device) if device == id => Some(true),
            Event::Clung(device) if device == id => Some(false),
            Event::Unplugged(_)
            | Event::Clung(_)
            | Event::Shutdown(_)
            | Event::Reset { .. }
            | Event::Panicked
            | Event::Turned
            | Event::Moved(_)
            | Event::Resized(..)
            | Event::Concluded(_)
            | Event::Other => None,
        });
        if gone.await? == Some(true) || (!id.starts_with('/') && !self.has(id).await?) {
            return Ok(());
        }
        let why = format!("the guest did not let {id} go in {} s", UNPLUG_LIMIT.as_secs());
        Err(Fault::new(Reason::ChangeRefused, why).fix("see in the guest whether it is in use, then try again").into())
    }

    async fn admit(&mut self, path: &Path, access: Access) -> Result<(), Trouble> {
        let shared = self.shared.clone();
        Ok(shared.cell.admit(shared.processes.as_ref(), &shared.alive, path, access).await?)
    }

    pub(super) async fn admit_socket(&mut self, path: &Path) -> Result<(), Trouble> {
        self.admit(path, Access::Write).await
    }

    async fn expel(&mut self, path: &Path) {
        let shared = self.shared.clone();
        if let Err(fault) = shared.cell.expel(shared.processes.as_ref(), &shared.alive, path).await {
            tracing::warn!(%fault, path = %path.display(), "a file is still seen in a jail");
        }
    }

    async fn add_disk(&mut self, disk: &Disk, backing: Option<&Backing>) -> Result<(), Trouble> {
        self.takes()?;
        let id = Sort::Disk.id(&disk.name);
        if self.has(&id).await? {
            return Ok(());
        }
        let slot = self.slot(Sort::Disk).await?;
        let node = disk::node(disk);
        let Some(backing) = backing.filter(|_| !is_played(disk)) else {
            return Err(Trouble::change("a disk that another process plays cannot be plugged while the machine runs"));
        };
        self.open_node(&node, disk, backing).await?;
        let device = Bus::of(self.shared.chosen.machine).name("virtio-blk", disk::device(disk, &node));
        let plugged = self.plug(device, slot).await;
        let limited = match (plugged, &disk.rate_limit_group) {
            (Ok(()), Some(group)) => self.limit_disk(&disk.name, None, Some(group)).await,
            (Ok(()), None) if disk.rate_limit.is_some() => {
                self.limit_disk(&disk.name, disk.rate_limit.as_ref(), None).await
            }
            (plugged, _) => plugged,
        };
        if limited.is_err() {
            self.close_node(&node).await;
        }
        limited
    }

    /// Opens a disk's file under this name.
    async fn open_node(&mut self, node: &str, disk: &Disk, backing: &Backing) -> Result<(), Trouble> {
        let medium = backing::look(backing).map_err(Fault::from)?;
        let described = disk::block_node(node, disk, backing, medium).map_err(Fault::from)?;
        let access = if disk.read_only { Access::Read } else { Access::Write };
        self.admit(&backing.path, access).await?;
        // One that was left by a change that broke off.
        let _ = self.call("blockdev-del", json!({"node-name": node})).await;
        if let Err(error) = self.call("blockdev-add", described).await {
            self.expel(&backing.path).await;
            return Err(error.into());
        }
        Ok(())
    }

    /// Closes a disk's file.
    async fn close_node(&mut self, node: &str) {
        let file = self.file_of(node).await;
        if let Err(error) = self.call("blockdev-del", json!({"node-name": node})).await {
            tracing::warn!(%error, node, "a disk's file is still open");
        } else if let Some(file) = file {
            self.expel(&file).await;
        }
    }

    async fn nodes(&mut self) -> Result<Vec<Value>, Trouble> {
        let nodes = self.call("query-named-block-nodes", json!({"flat": true})).await?;
        Ok(nodes.as_array().cloned().unwrap_or_default())
    }

    async fn file_of(&mut self, node: &str) -> Option<PathBuf> {
        let nodes = self.nodes().await.ok()?;
        let found = nodes.iter().find(|one| one["node-name"] == node)?;
        found["file"].as_str().filter(|file| file.starts_with('/')).map(PathBuf::from)
    }

    /// The node that a disk reads from; another after it was swapped.
    pub(super) async fn drive(&mut self, name: &str) -> Result<String, Trouble> {
        let path = format!("/machine/peripheral/{}", Sort::Disk.id(name));
        let drive = self.call("qom-get", json!({"path": path, "property": "drive"})).await?;
        drive.as_str().map(str::to_owned).ok_or_else(|| Trouble::change(format!("disk {name} has no file behind it")))
    }

    async fn remove_disk(&mut self, name: &str) -> Result<(), Trouble> {
        self.takes()?;
        let id = Sort::Disk.id(name);
        if !self.has(&id).await? {
            return Ok(());
        }
        let drive = self.drive(name).await?;
        self.unplug(&id).await?;
        self.close_node(&drive).await;
        Ok(())
    }

    async fn resize_disk(&mut self, name: &str, bytes: u64) -> Result<(), Trouble> {
        let drive = self.drive(name).await?;
        let nodes = self.nodes().await?;
        let now = nodes.iter().find(|one| one["node-name"] == drive.as_str());
        let now = now.and_then(|one| one["image"]["virtual-size"].as_u64()).unwrap_or_default();
        if bytes < now {
            return Err(Trouble::change(format!("disk {name} has {now} bytes and cannot become smaller")));
        }
        self.call("block_resize", json!({"node-name": drive, "size": bytes})).await?;
        Ok(())
    }

    /// Limits a disk by itself, or with a group.
    async fn limit_disk(&mut self, name: &str, limit: Option<&RateLimit>, group: Option<&str>) -> Result<(), Trouble> {
        let running = self.shared.running();
        let shared = group.and_then(|group| running.rate_limit_groups.iter().find(|one| one.name == group));
        let mut arguments = disk::throttle(shared.map(|group| &group.limit).or(limit));
        let virtio = if self.shared.chosen.machine == Machine::Microvm { "" } else { "/virtio-backend" };
        arguments["id"] = json!(format!("/machine/peripheral/{}{virtio}", Sort::Disk.id(name)));
        let group = group.map_or_else(|| Sort::Disk.id(name), |group| format!("group-{group}"));
        arguments["group"] = json!(group);
        self.call("block_set_io_throttle", arguments).await?;
        Ok(())
    }

    /// Puts another file behind a disk: opened under the other of its two names, then taken at once.
    async fn swap_disk(&mut self, disk: &Disk, backing: Option<&Backing>) -> Result<(), Trouble> {
        let backing = backing.ok_or_else(|| Trouble::change("the disk has no file to be swapped for"))?;
        let before = self.drive(&disk.name).await?;
        if self.file_of(&before).await.as_deref() == Some(backing.path.as_path()) {
            return Ok(());
        }
        let (one, other) = (node("disk", &disk.name), node("swap", &disk.name));
        let after = if before == one { other } else { one };
        self.open_node(&after, disk, backing).await?;
        let path = format!("/machine/peripheral/{}", Sort::Disk.id(&disk.name));
        let taken = self.call("qom-set", json!({"path": path, "property": "drive", "value": after})).await;
        if let Err(error) = taken {
            self.close_node(&after).await;
            return Err(error.into());
        }
        self.close_node(&before).await;
        // The guest is told how long it is.
        let nodes = self.nodes().await?;
        let bytes = nodes.iter().find(|one| one["node-name"] == after.as_str());
        if let Some(bytes) = bytes.and_then(|one| one["image"]["virtual-size"].as_u64()) {
            self.call("block_resize", json!({"node-name": after, "size": bytes})).await?;
        }
        Ok(())
    }

    /// Plugs CPUs, the first that is free first, or unplugs them, the last first.
    async fn cpus(&mut self, wanted: usize) -> Result<(), Trouble> {
        self.takes()?;
        let answer = self.call("query-hotpluggable-cpus", Value::Null).await?;
        let mut cpus = answer.as_array().cloned().unwrap_or_default();
        cpus.sort_by_key(|cpu| {
            ["socket-id", "die-id", "core-id", "thread-id"].map(|field| cpu["props"][field].as_u64())
        });
        let (there, free): (Vec<_>, Vec<_>) = cpus.into_iter().partition(|cpu| cpu.get("qom-path").is_some());
        if wanted > there.len() + free.len() || wanted == 0 {
            return Err(Trouble::change(format!("the machine has places for {} CPUs", there.len() + free.len())));
        }
        for cpu in free.iter().take(wanted.saturating_sub(there.len())) {
            let mut device = cpu["props"].clone();
            let part = |field: &str| device[field].as_u64().unwrap_or_default();
            let id = format!("cpu-{}-{}-{}-{}", part("socket-id"), part("die-id"), part("core-id"), part("thread-id"));
            (device["id"], device["driver"]) = (json!(id), cpu["type"].clone());
            self.call("device_add", device).await?;
        }
        for cpu in there.iter().skip(wanted).rev() {
            if self.shared.chosen.accelerator == Accelerator::Tcg {
                // QEMU 7.2 ends by a fault of its own when it does.
                return Err(Trouble::change("a machine that runs in software cannot lose CPUs"));
            }
            let path = cpu["qom-path"].as_str().unwrap_or_default();
            let id = path.strip_prefix("/machine/peripheral/").unwrap_or(path).to_owned();
            self.unplug(&id).await?;
        }
        Ok(())
    }
}
