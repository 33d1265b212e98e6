//! The machine's size: vCPUs and memory, the balloon, and memory that is plugged while it runs.
//!
//! The scripted guest drives a balloon and plugs memory at once; a guest whose command line holds
//! `standin.virtio=off` drives no such device, and what needs one is refused as with a real one.

use super::refusal::Refusal;
use serde_json::{Map, Value, json};

/// The most vCPUs.
const VCPUS: u64 = 32;
/// Pages in a MiB.
const PAGES: u64 = 256;

/// What is done with a run of free page hinting.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Hint {
    /// A new one begins.
    Start,
    /// It is over.
    Stop,
}

/// The machine's size.
#[derive(Debug)]
pub(crate) struct Memory {
    /// The machine configuration.
    pub(crate) machine: Value,
    /// The balloon, if there is one.
    pub(crate) balloon: Option<Value>,
    /// Memory that can be plugged, if there is any, and how much is.
    pub(crate) hotplug: Option<Value>,
    /// How much the balloon holds, in MiB.
    pub(crate) inflated: u64,
    /// How much is plugged, in MiB.
    pub(crate) plugged: u64,
    /// The last command of hinting, and the last that began a run.
    hinting: u64,
    hints: u64,
}

fn number(value: &Value, field: &str) -> u64 {
    value.get(field).and_then(Value::as_u64).unwrap_or_default()
}

fn refuse(prefix: &str, why: &str) -> Refusal {
    Refusal::bad(format!("{prefix}: {why}"))
}

impl Default for Memory {
    fn default() -> Self {
        let machine = json!({
            "vcpu_count": 1, "mem_size_mib": 128, "smt": false, "track_dirty_pages": false, "huge_pages": "None",
        });
        Self { machine, balloon: None, hotplug: None, inflated: 0, plugged: 0, hinting: 0, hints: 0 }
    }
}

impl Memory {
    /// The size of the machine's own memory in bytes.
    #[must_use]
    pub(crate) fn bytes(&self) -> u64 {
        number(&self.machine, "mem_size_mib") << 20
    }

    /// Changes the machine configuration.
    ///
    /// # Errors
    /// When a count or a size is out of range; nothing is changed then.
    pub(crate) fn configure(&mut self, change: &Value) -> Result<(), Refusal> {
        let refuse = |why: &str| refuse("Machine config error", why);
        let mut next = self.machine.clone();
        for (name, value) in change.as_object().into_iter().flatten() {
            next[name] = value.clone();
        }
        if next.get("cpu_template").and_then(Value::as_str) == Some("None") {
            next.as_object_mut().map(|next| next.remove("cpu_template"));
        }
        let (vcpus, size) = (number(&next, "vcpu_count"), number(&next, "mem_size_mib"));
        let smt = next.get("smt").and_then(Value::as_bool) == Some(true);
        if vcpus == 0 || vcpus > VCPUS || (smt && vcpus > 1 && vcpus % 2 == 1) {
            return Err(refuse("The number of vCPUs has to be 1 to 32, and 1 or even with SMT."));
        }
        let huge = next.get("huge_pages").and_then(Value::as_str) != Some("None");
        if size == 0 || (huge && size % 2 == 1) {
            return Err(refuse("The memory size (MiB) is 0 or no multiple of the page size."));
        }
        if self.balloon.as_ref().is_some_and(|balloon| number(balloon, "amount_mib") > size) {
            return Err(refuse("The memory size (MiB) is smaller than the balloon's target."));
        }
        self.machine = next;
        Ok(())
    }

    /// Sets the balloon.
    ///
    /// # Errors
    /// When it is larger than the memory.
    pub(crate) fn put_balloon(&mut self, config: Value) -> Result<(), Refusal> {
        if number(&config, "amount_mib") > number(&self.machine, "mem_size_mib") {
            return Err(refuse("Balloon config error", "The amount of pages requested is too large."));
        }
        self.balloon = Some(config);
        Ok(())
    }

    /// The balloon's configuration.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn balloon(&self, started: bool) -> Result<Value, Refusal> {
        let prefix = if started { "Internal VMM error" } else { "Balloon config error" };
        self.balloon.clone().ok_or_else(|| refuse(prefix, "No balloon device found."))
    }

    /// Changes the balloon's target.
    ///
    /// # Errors
    /// When there is no balloon, the guest does not drive it, or it is larger than the memory.
    pub(crate) fn patch_balloon(&mut self, change: &Value, driven: bool) -> Result<(), Refusal> {
        let refuse = |why: &str| refuse("Balloon update error", why);
        let most = number(&self.machine, "mem_size_mib");
        let Some(balloon) = &mut self.balloon else { return Err(refuse("No balloon device found.")) };
        if !driven {
            return Err(refuse("The device is not activated: the guest does not drive it."));
        }
        let amount = number(change, "amount_mib");
        if amount > most {
            return Err(refuse("The amount of pages requested is too large."));
        }
        balloon["amount_mib"] = json!(amount);
        self.inflated = amount;
        Ok(())
    }

    /// What the balloon's statistics are.
    ///
    /// # Errors
    /// When there is no balloon, or it keeps none.
    pub(crate) fn balloon_stats(&self) -> Result<Value, Refusal> {
        let refuse = |why: &str| refuse("Internal VMM error", why);
        let balloon = self.balloon.as_ref().ok_or_else(|| refuse("No balloon device found."))?;
        if number(balloon, "stats_polling_interval_s") == 0 {
            return Err(refuse("Statistics are not enabled for the balloon."));
        }
        let (target, total) = (number(balloon, "amount_mib"), number(&self.machine, "mem_size_mib"));
        let free = (total - self.inflated.min(total)) << 20;
        Ok(json!({
            "target_pages": target * PAGES, "actual_pages": self.inflated * PAGES,
            "target_mib": target, "actual_mib": self.inflated,
            "free_memory": free, "total_memory": total << 20, "available_memory": free,
        }))
    }

    /// Changes how often statistics are taken; on stays on and off stays off.
    ///
    /// # Errors
    /// When there is no balloon, or statistics would be turned on or off.
    pub(crate) fn patch_balloon_stats(&mut self, change: &Value) -> Result<(), Refusal> {
        let refuse = |why: &str| refuse("Balloon update error", why);
        let Some(balloon) = &mut self.balloon else { return Err(refuse("No balloon device found.")) };
        let (before, after) = (number(balloon, "stats_polling_interval_s"), number(change, "stats_polling_interval_s"));
        if before != after && (before == 0 || after == 0) {
            return Err(refuse("Statistics cannot be turned on or off after boot."));
        }
        balloon["stats_polling_interval_s"] = json!(after);
        Ok(())
    }

    /// Starts, stops or tells of a run of free page hinting.
    ///
    /// # Errors
    /// When there is no balloon, or it hints nothing.
    pub(crate) fn hint(&mut self, command: Option<Hint>, driven: bool) -> Result<Value, Refusal> {
        let refuse = |why: &str| refuse("Balloon update error", why);
        let balloon = self.balloon.as_ref().ok_or_else(|| refuse("No balloon device found."))?;
        if balloon.get("free_page_hinting").and_then(Value::as_bool) != Some(true) {
            return Err(refuse("Free page hinting is not enabled for the balloon."));
        }
        if command.is_some() && !driven {
            return Err(refuse("The device is not activated: the guest does not drive it."));
        }
        match command {
            // 0 and 1 say that there is no run, and that it is over.
            Some(Hint::Start) => {
                self.hints = (self.hints + 1).max(2);
                self.hinting = self.hints;
            }
            Some(Hint::Stop) => self.hinting = 1,
            None => {}
        }
        let guest = if driven { json!(self.hinting) } else { Value::Null };
        Ok(json!({ "host_cmd": self.hinting, "guest_cmd": guest }))
    }

    /// Sets the memory that can be plugged.
    ///
    /// # Errors
    /// When its sizes do not fit each other.
    pub(crate) fn put_hotplug(&mut self, config: Value) -> Result<(), Refusal> {
        let (total, block, slot) =
            (number(&config, "total_size_mib"), number(&config, "block_size_mib"), number(&config, "slot_size_mib"));
        let why = if block < 2 {
            "Block size must not be lower than 2 MiB"
        } else if !block.is_power_of_two() {
            "Block size must be a power of 2"
        } else if slot < 128 {
            "Slot size must not be lower than 128 MiB"
        } else if slot % block != 0 {
            "Slot size must be a multiple of block size"
        } else if total < slot {
            "Total size must not be lower than slot size"
        } else if total % slot != 0 {
            "Total size must be a multiple of slot size"
        } else {
            self.hotplug = Some(config);
            return Ok(());
        };
        Err(refuse("Memory hotplug config error", why))
    }

    /// Changes how much is asked to be plugged.
    ///
    /// # Errors
    /// When nothing can be plugged, or not this much.
    pub(crate) fn patch_hotplug(&mut self, change: &Value, driven: bool) -> Result<(), Refusal> {
        let refuse = |why: &str| refuse("Memory hotplug update error", why);
        let Some(hotplug) = &mut self.hotplug else { return Err(refuse("Memory hotplug device not found.")) };
        if !driven {
            return Err(refuse("The device is not activated: the guest does not drive it."));
        }
        let asked = number(change, "requested_size_mib");
        if asked > number(hotplug, "total_size_mib") || !asked.is_multiple_of(number(hotplug, "block_size_mib")) {
            return Err(refuse("The requested size is no multiple of the block size up to the total size."));
        }
        hotplug["requested_size_mib"] = json!(asked);
        self.plugged = asked;
        Ok(())
    }

    /// What is plugged.
    ///
    /// # Errors
    /// When nothing can be.
    pub(crate) fn hotplug_status(&self) -> Result<Value, Refusal> {
        let hotplug = self.hotplug.as_ref();
        let hotplug = hotplug.ok_or_else(|| refuse("Internal VMM error", "Memory hotplug device not found."))?;
        let mut status = self.hotplug_config(hotplug);
        status.insert("plugged_size_mib".to_owned(), json!(self.plugged));
        status.insert("requested_size_mib".to_owned(), json!(number(hotplug, "requested_size_mib")));
        Ok(Value::Object(status))
    }

    fn hotplug_config(&self, hotplug: &Value) -> Map<String, Value> {
        let mut config = hotplug.as_object().cloned().unwrap_or_default();
        config.remove("requested_size_mib");
        config
    }

    /// The configuration of the memory that can be plugged, or null.
    #[must_use]
    pub(crate) fn hotplug(&self) -> Value {
        self.hotplug.as_ref().map_or(Value::Null, |hotplug| Value::Object(self.hotplug_config(hotplug)))
    }
}
