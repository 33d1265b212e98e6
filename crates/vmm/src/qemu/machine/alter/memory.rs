//! Memory that comes and goes, and the balloon.

use crate::qemu::client::Event;
use crate::qemu::config::memory::{BALLOON, PLUGGABLE, by_device, module};
use crate::qemu::config::place::MODULES;
use crate::qemu::machine::owner::{Owner, Trouble};
use serde_json::{Value, json};
use std::time::Duration;
use weft_domain::spec::Balloon;
use weft_domain::{Fault, Reason};

/// The least that Linux takes as one module, in bytes; what is smaller it passes over in silence.
const BLOCK: u64 = 128 << 20;
/// The time in which a guest takes or gives memory of a virtio-mem device.
const LIMIT: Duration = Duration::from_secs(20);

impl Owner {
    /// So much memory, with what the balloon takes.
    pub(super) async fn memory(&mut self, bytes: u64) -> Result<(), Trouble> {
        self.takes()?;
        let layout = self.layout().await?;
        let memory = self.shared.running().memory;
        if bytes < layout.base_bytes {
            return Err(Trouble::change(format!("{} bytes are built in and cannot be taken away", layout.base_bytes)));
        }
        if by_device(&memory) {
            return self.ask_device(bytes - layout.base_bytes).await;
        }
        let now = layout.base_bytes + layout.modules.iter().map(|module| module.bytes).sum::<u64>();
        let more = match bytes.checked_sub(now) {
            Some(0) => return Ok(()),
            Some(more) => more,
            None => {
                let fault = Fault::new(Reason::ChangeRefused, "memory modules can only be added");
                return Err(fault.fix("set vm.spec.memory.hotplug_method to VIRTIO_MEM, and boot it again").into());
            }
        };
        if more % BLOCK != 0 {
            return Err(Trouble::change(format!(
                "{more} bytes more are no multiple of {BLOCK}, the least of a module"
            )));
        }
        let taken = |slot: &u64| layout.modules.iter().any(|module| module.slot == *slot);
        let slot = (0..MODULES as u64).find(|slot| !taken(slot));
        let slot = slot.ok_or_else(|| Trouble::change(format!("all {MODULES} places for memory modules are taken")))?;
        let (object, device) = module(slot, more, &memory);
        let id = object["id"].clone();
        self.call("object-add", object).await?;
        if let Err(error) = self.call("device_add", device).await {
            self.call("object-del", json!({"id": id})).await?;
            return Err(error.into());
        }
        Ok(())
    }

    /// Asks the guest to have so much of the virtio-mem device's memory.
    async fn ask_device(&mut self, wanted: u64) -> Result<(), Trouble> {
        let path = format!("/machine/peripheral/{PLUGGABLE}");
        let ask = |bytes: u64| json!({"path": path, "property": "requested-size", "value": bytes});
        let size = json!({"path": path, "property": "size"});
        self.call("qom-set", ask(wanted)).await?;
        let came = |event: &Event| match event {
            Event::Resized(device, bytes) if device == PLUGGABLE && *bytes == wanted => Some(()),
            Event::Resized(..)
            | Event::Concluded(_)
            | Event::Unplugged(_)
            | Event::Clung(_)
            | Event::Shutdown(_)
            | Event::Reset { .. }
            | Event::Panicked
            | Event::Turned
            | Event::Moved(_)
            | Event::Other => None,
        };
        let has = self.call("qom-get", size.clone()).await?.as_u64();
        if has == Some(wanted) || self.until(LIMIT, came).await?.is_some() {
            return Ok(());
        }
        let has = self.call("qom-get", size).await?.as_u64().unwrap_or_default();
        if has == wanted {
            return Ok(());
        }
        self.call("qom-set", ask(has)).await?;
        let why = format!("the guest has {has} of {wanted} bytes after {} s, and keeps those", LIMIT.as_secs());
        Err(Fault::new(Reason::ChangeRefused, why).fix("see whether the guest has a driver for virtio-mem").into())
    }

    /// The balloon is to take this; the guest fills it at its own pace.
    pub(in crate::qemu::machine) async fn balloon(&mut self, balloon: &Balloon) -> Result<(), Trouble> {
        let memory = self.call("query-memory-size-summary", Value::Null).await?;
        let part = |field: &str| memory[field].as_u64().unwrap_or_default();
        let whole = part("base-memory") + part("plugged-memory");
        let left = whole.saturating_sub(balloon.size_bytes);
        if left == 0 {
            return Err(Trouble::change(format!("a balloon of {} bytes leaves the guest nothing", balloon.size_bytes)));
        }
        let path = format!("/machine/peripheral/{BALLOON}");
        let interval = json!({
            "path": path, "property": "guest-stats-polling-interval", "value": balloon.statistics_seconds,
        });
        self.call("qom-set", interval).await?;
        self.call("balloon", json!({"value": left})).await?;
        Ok(())
    }
}
