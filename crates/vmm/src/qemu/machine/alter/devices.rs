//! Interfaces and further devices that come and go.

use crate::qemu::config::devices::further;
use crate::qemu::config::{Bus, Layout, Sort, nic};
use crate::qemu::machine::owner::{Owner, Trouble};
use crate::qemu::{Error, backing};
use crate::tap;
use serde_json::{Value, json};
use std::os::fd::AsFd;
use std::path::Path;
use weft_domain::Fault;
use weft_domain::spec::{Attachment, Device, Nic, VhostMode};

impl Owner {
    pub(super) async fn add_nic(&mut self, one: &Nic) -> Result<(), Trouble> {
        self.takes()?;
        if self.has(&Sort::Nic.id(&one.name)).await? {
            return Ok(());
        }
        let running = self.shared.running();
        let user = |nic: &Nic| matches!(nic.attachment, Attachment::User { .. });
        if running.network_namespace.is_some() && user(one) {
            let why = "a user-mode network is made of the host's, and the machine is in a network namespace";
            return Err(Trouble::change(why));
        }
        if self.shared.cell.is_jailed() && user(one) && !running.nics.iter().any(user) {
            let why = "a user-mode network needs the host's, which this jail was made without";
            return Err(Trouble::change(why));
        }
        let slot = self.slot(Sort::Nic).await?;
        let index = Layout::index(Sort::Nic, slot);
        let socket = nic::socket(one);
        if let Some((id, path, mode)) = &socket {
            self.connect(id, path, *mode).await?;
        }
        let connected = self.connect_nic(index, one).await;
        let plugged = match connected {
            Ok(()) => {
                let device = nic::device(index, one, &self.shared.instance);
                let device = Bus::of(self.shared.chosen.machine).name("virtio-net", device);
                self.plug(device, slot).await
            }
            Err(trouble) => Err(trouble),
        };
        if plugged.is_err() {
            self.forget("netdev_del", &nic::netdev(one)).await;
            if let Some((id, ..)) = socket {
                self.forget("chardev-remove", &id).await;
            }
        }
        plugged
    }

    /// The network's end.
    async fn connect_nic(&mut self, index: usize, one: &Nic) -> Result<(), Trouble> {
        let namespace = self.shared.running().network_namespace;
        let files = tap::open(one, namespace.as_deref()).map_err(|unopened| Fault::from(Error::from(unopened)))?;
        let mut names = Vec::new();
        for (i, file) in files.iter().enumerate() {
            let name = format!("{}-{i}", nic::netdev(one));
            self.link.hand(&name, file.as_fd()).await?;
            names.push(name);
        }
        self.call("netdev_add", nic::arguments(index, one, &names)).await?;
        Ok(())
    }

    /// A character device at a socket of another process.
    async fn connect(&mut self, id: &str, path: &Path, mode: VhostMode) -> Result<(), Trouble> {
        if mode == VhostMode::Server {
            return Err(Trouble::change("an interface that listens can only be there from the start"));
        }
        self.admit_socket(path).await?;
        let address = json!({"type": "unix", "data": {"path": path.to_string_lossy()}});
        let backend = json!({"type": "socket", "data": {"addr": address, "server": false}});
        self.call("chardev-add", json!({"id": id, "backend": backend})).await?;
        Ok(())
    }

    /// Takes away what stands behind a device that is gone; what is not there is no error.
    async fn forget(&mut self, command: &'static str, id: &str) {
        if let Err(error) = self.call(command, json!({"id": id})).await {
            tracing::debug!(%error, id, "what stood behind a device was not taken away");
        }
    }

    pub(super) async fn remove_nic(&mut self, name: &str) -> Result<(), Trouble> {
        self.takes()?;
        let id = Sort::Nic.id(name);
        if self.has(&id).await? {
            self.unplug(&id).await?;
            let network = format!("net-{name}");
            self.forget("netdev_del", &network).await;
            self.forget("chardev-remove", &format!("{network}-socket")).await;
        }
        Ok(())
    }

    pub(super) async fn add_device(&mut self, device: &Device) -> Result<(), Trouble> {
        self.takes()?;
        if self.has(&Sort::Device.id(&device.name)).await? {
            return Ok(());
        }
        let slot = self.slot(Sort::Device).await?;
        let memory = self.shared.running().memory;
        let sizes = backing::pmem_bytes(std::slice::from_ref(device)).map_err(Fault::from)?;
        let parts = further(device, &memory, &mut sizes.iter()).map_err(Fault::from)?;
        if let Some((id, path)) = &parts.socket {
            self.connect(id, path, VhostMode::Client).await?;
        }
        let plugged = self.plug_further(parts.object, parts.device, slot).await;
        if plugged.is_err() {
            self.forget_behind(&device.name).await;
        }
        plugged
    }

    async fn plug_further(&mut self, object: Option<Value>, device: Value, slot: usize) -> Result<(), Trouble> {
        if let Some(object) = object {
            self.call("object-add", object).await?;
        }
        self.plug(device, slot).await
    }

    pub(super) async fn remove_device(&mut self, name: &str) -> Result<(), Trouble> {
        self.takes()?;
        let id = Sort::Device.id(name);
        if self.has(&id).await? {
            self.unplug(&id).await?;
            self.forget_behind(name).await;
        }
        Ok(())
    }

    async fn forget_behind(&mut self, name: &str) {
        let id = Sort::Device.id(name);
        self.forget("object-del", &format!("{id}-bytes")).await;
        self.forget("chardev-remove", &format!("{id}-socket")).await;
    }
}
