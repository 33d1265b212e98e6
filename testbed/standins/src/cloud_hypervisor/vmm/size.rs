//! Resizing: vCPUs, memory, the balloon, disks and zones of memory.
//!
//! A machine that runs takes vCPUs up to its most, memory in steps of 128 MiB up to what can be plugged, and a
//! balloon if it has one; one that is only created has its configuration changed. Less memory than there is
//! counts from the next reboot on.

use super::Vmm;
use crate::cloud_hypervisor::refusal::Why;
use crate::faults::Fault;
use serde_json::{Value, json};
use std::fs::OpenOptions;

/// The step of plugged memory.
const STEP: u64 = 128 << 20;

fn manager(name: &str, why: &str) -> Why {
    Why::Failed(vec![name.to_owned(), why.to_owned()])
}

impl Vmm {
    pub(super) fn resize(&mut self, body: &Value) -> Result<(), Why> {
        let wish = |name: &str| body.get(name).and_then(Value::as_u64);
        let (vcpus, ram, balloon) = (wish("desired_vcpus"), wish("desired_ram"), wish("desired_balloon"));
        if self.config.is_none() {
            return Err(Why::NotCreated);
        }
        self.free()?;
        if self.made.is_none() {
            self.edit(vcpus, ram, balloon);
            return Ok(());
        }
        self.monitor.tell("vm", "resizing");
        if let Some(vcpus) = vcpus {
            self.resize_vcpus(vcpus)?;
        }
        if let Some(ram) = ram {
            self.resize_ram(ram)?;
        }
        if let Some(balloon) = balloon {
            self.resize_balloon(balloon)?;
        }
        self.monitor.tell("vm", "resized");
        Ok(())
    }

    fn edit(&mut self, vcpus: Option<u64>, ram: Option<u64>, balloon: Option<u64>) {
        let Some(config) = &mut self.config else { return };
        if let Some(vcpus) = vcpus {
            config["cpus"]["boot_vcpus"] = json!(vcpus);
        }
        if let Some(ram) = ram {
            config["memory"]["size"] = json!(ram);
        }
        if let Some(balloon) = balloon.filter(|_| config["balloon"].is_object()) {
            config["balloon"]["size"] = json!(balloon);
        }
    }

    fn resize_vcpus(&mut self, vcpus: u64) -> Result<(), Why> {
        if self.faults.on(Fault::PendingVcpu) {
            return Err(Why::Pending);
        }
        let Some(config) = &mut self.config else { return Err(Why::NotCreated) };
        if vcpus > config["cpus"]["max_vcpus"].as_u64().unwrap_or_default() {
            return Err(manager("Error from CPU manager", "Requested vCPUs exceed maximum"));
        }
        if vcpus == 0 {
            return Err(manager("Error from CPU manager", "a machine needs a vCPU"));
        }
        config["cpus"]["boot_vcpus"] = json!(vcpus);
        Ok(())
    }

    fn resize_ram(&mut self, ram: u64) -> Result<(), Why> {
        let (Some(config), Some(made)) = (&mut self.config, &mut self.made) else { return Err(Why::NotRunning) };
        let memory = &mut config["memory"];
        if memory["zones"].as_array().is_some_and(|zones| !zones.is_empty()) {
            return Err(manager("Memory manager error", "memory in zones is resized by zone"));
        }
        let virtio = memory["hotplug_method"] == "VirtioMem";
        let most = memory["hotplug_size"].as_u64().unwrap_or_default();
        let size = memory["size"].as_u64().unwrap_or_default();
        if virtio {
            let plugged = ram.saturating_sub(size);
            if plugged > most {
                return Err(manager("Memory manager error", "more memory than can be plugged"));
            }
            if plugged == 0 {
                memory.as_object_mut().map(|memory| memory.remove("hotplugged_size"));
            } else {
                memory["hotplugged_size"] = json!(plugged);
            }
            made.ram = ram.max(size);
            return Ok(());
        }
        if ram > made.ram {
            if !(ram - made.ram).is_multiple_of(STEP) {
                let why = "The requested hotplug memory addition is not a valid size";
                return Err(manager("Memory manager error", why));
            }
            if ram - made.ram > most {
                return Err(manager("Memory manager error", "more memory than can be plugged"));
            }
            made.ram = ram;
        }
        memory["size"] = json!(ram);
        Ok(())
    }

    fn resize_balloon(&mut self, balloon: u64) -> Result<(), Why> {
        let (Some(config), Some(made)) = (&mut self.config, &mut self.made) else { return Err(Why::NotRunning) };
        if !config["balloon"].is_object() {
            return Err(manager("Error from device manager", "there is no balloon"));
        }
        config["balloon"]["size"] = json!(balloon);
        made.balloon = balloon;
        Ok(())
    }

    pub(super) fn resize_disk(&mut self, body: &Value) -> Result<(), Why> {
        let config = self.config.as_ref().ok_or(Why::NotCreated)?;
        self.free()?;
        let made = self.made.as_ref().ok_or_else(|| Why::failed("the disk cannot be resized"))?;
        let id = body["id"].as_str().unwrap_or_default();
        if made.devices.field(id).is_none() {
            return Err(Why::Unknown(id.to_owned()));
        }
        let disks = config["disks"].as_array();
        let disk = disks.into_iter().flatten().find(|disk| disk["id"] == id);
        let disk = disk.ok_or_else(|| manager("Error from device manager", "the device is no disk"))?;
        if disk["readonly"] == true {
            return Err(manager("Error from device manager", "the disk is read-only"));
        }
        let size = body["desired_size"].as_u64().unwrap_or_default();
        let file = OpenOptions::new().write(true).open(disk["path"].as_str().unwrap_or_default());
        let resized = file.and_then(|file| file.set_len(size));
        resized.map_err(|error| manager("Error from device manager", &error.to_string()))
    }

    pub(super) fn resize_zone(&mut self, body: &Value) -> Result<(), Why> {
        if self.config.is_none() {
            return Err(Why::NotCreated);
        }
        self.free()?;
        let (Some(config), running) = (&mut self.config, self.made.is_some()) else { return Err(Why::NotCreated) };
        let zones = config["memory"].get_mut("zones").and_then(Value::as_array_mut);
        let zone = zones.into_iter().flatten().find(|zone| zone["id"] == body["id"]);
        let zone = zone.ok_or_else(|| Why::failed("Failed resizing a memory zone"))?;
        let (size, ram) = (zone["size"].as_u64().unwrap_or_default(), body["desired_ram"].as_u64().unwrap_or_default());
        if !running {
            zone["size"] = json!(ram);
            return Ok(());
        }
        let most = zone["hotplug_size"].as_u64().unwrap_or_default();
        if ram < size || ram - size > most {
            return Err(manager("Memory manager error", "the zone cannot have this size"));
        }
        zone["hotplugged_size"] = json!(ram - size);
        Ok(())
    }
}
