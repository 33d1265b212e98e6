//! Devices that come and go while the machine lives. Firecracker does not tell its guest: a guest that should
//! use a new device looks at its bus again, and one that should lose a device lets go of it before.

use super::{Failure, Handle};
use crate::firecracker::config::devices;
use crate::firecracker::folder::Names;
use crate::firecracker::model::id;
use crate::http::Call;
use serde_json::Value;
use std::path::Path;
use weft_domain::spec::{Device, DeviceKind, Disk, DiskSource, Mac, Machine, Nic};
use weft_ports::hypervisor::Backing;
use weft_ports::processes::Access;

impl Handle {
    pub(super) async fn plug_disk(&self, disk: &Disk, backing: Option<&Backing>) -> Result<(), Failure> {
        if self.has("drives", &disk.name).await? {
            return Ok(());
        }
        let call = devices::drive(disk)?;
        match (&disk.source, backing) {
            (DiskSource::VhostUser { socket }, _) => self.plug(&call, None, socket, Access::Write).await,
            (_, Some(backing)) => {
                self.plug(&call, Some(&Names::disk(&disk.name)), &backing.path, access(disk.read_only)).await
            }
            (_, None) => Err(Failure::Refused("the disk has no file".to_owned())),
        }
    }

    pub(super) async fn plug_device(&self, device: &Device) -> Result<(), Failure> {
        if self.has("pmem", &device.name).await? {
            return Ok(());
        }
        let call = devices::device_call(device)?;
        let DeviceKind::Pmem { path, read_only, .. } = &device.kind else {
            return Err(Failure::Refused("it is of a kind that cannot be plugged".to_owned()));
        };
        self.plug(&call, Some(&Names::pmem(&device.name)), path, access(*read_only)).await
    }

    pub(super) async fn plug_nic(&self, nic: &Nic) -> Result<(), Failure> {
        self.needs_pci()?;
        let config = self.config().await?;
        let there = members(&config, "network-interfaces");
        if there.iter().any(|one| named(one) == Some(&id(&nic.name))) {
            return Ok(());
        }
        // A derived address is made from a number that no interface has yet.
        let instance = &self.shared.held.instance;
        let taken = |mac: Mac| there.iter().any(|one| one["guest_mac"].as_str() == Some(&mac.to_string()));
        let free = (0..=u8::MAX).find(|number| !taken(Mac::derived(instance, *number))).unwrap_or(u8::MAX);
        let call = devices::interface(nic, usize::from(free), instance)?;
        Ok(self.shared.client.send(&call).await?)
    }

    /// Lets Firecracker have this file under this name, then makes the call; takes both back if it is refused.
    async fn plug(&self, call: &Call, name: Option<&str>, file: &Path, access: Access) -> Result<(), Failure> {
        self.needs_pci()?;
        self.admit(file, access).await?;
        let folder = &self.shared.held.folder;
        let linked = name.map_or(Ok(()), |name| folder.link(name, file));
        let plugged = match linked {
            Ok(()) => self.shared.client.send(call).await.map_err(Failure::from),
            Err(error) => Err(Failure::Refused(format!("its file could not be laid out: {error}"))),
        };
        if plugged.is_err() {
            let _ = name.map(|name| folder.unlink(name));
            self.expel_quietly(file).await;
        }
        plugged
    }

    pub(super) async fn unplug(&self, sort: &str, name: &str, link: String) -> Result<(), Failure> {
        if !self.has(sort, name).await? {
            return Ok(());
        }
        self.needs_pci()?;
        self.shared.client.delete(format!("/{sort}/{}", id(name))).await?;
        let folder = &self.shared.held.folder;
        if let (false, Ok(file)) = (link.is_empty(), folder.linked(&link)) {
            let _ = folder.unlink(&link);
            self.expel_quietly(&file).await;
        }
        Ok(())
    }

    /// Puts another file behind a disk; the old one comes back if Firecracker does not take it.
    pub(super) async fn swap_disk(&self, disk: &Disk, backing: Option<&Backing>) -> Result<(), Failure> {
        let Some(backing) = backing else { return Err(Failure::Refused("the disk has no file".to_owned())) };
        let (folder, name) = (&self.shared.held.folder, Names::disk(&disk.name));
        let failed = |error: std::io::Error| Failure::Refused(format!("its file could not be laid out: {error}"));
        let old = folder.linked(&name).map_err(failed)?;
        self.admit(&backing.path, access(disk.read_only)).await?;
        folder.link(&name, &backing.path).map_err(failed)?;
        let swapped = self.refresh_disk(&disk.name).await;
        let useless = if swapped.is_ok() { &old } else { &backing.path };
        if swapped.is_err() {
            folder.link(&name, &old).map_err(failed)?;
        }
        if old != backing.path {
            self.expel_quietly(useless).await;
        }
        swapped
    }

    fn needs_pci(&self) -> Result<(), Failure> {
        if self.shared.held.chosen.machine == Machine::Pc {
            return Ok(());
        }
        let why =
            "the machine is a microvm, without PCI, on which nothing is plugged: name the machine pc and boot it again";
        Err(Failure::Refused(why.to_owned()))
    }

    async fn config(&self) -> Result<Value, Failure> {
        Ok(self.shared.client.get("/vm/config").await?)
    }

    async fn has(&self, sort: &str, name: &str) -> Result<bool, Failure> {
        let config = self.config().await?;
        Ok(members(&config, sort).iter().any(|one| named(one) == Some(&id(name))))
    }
}

fn access(read_only: bool) -> Access {
    if read_only { Access::Read } else { Access::Write }
}

fn members<'a>(config: &'a Value, sort: &str) -> &'a [Value] {
    config[sort].as_array().map_or(&[], Vec::as_slice)
}

fn named(one: &Value) -> Option<&str> {
    ["drive_id", "iface_id", "id"].iter().find_map(|field| one[*field].as_str())
}
