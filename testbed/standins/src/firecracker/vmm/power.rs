//! Starting, pausing and resuming, and what of a machine a snapshot keeps.

use super::{Outcome, Phase, Vmm, done};
use crate::firecracker::devices::{self, Kind, listen};
use crate::firecracker::output;
use crate::firecracker::refusal::Refusal;
use crate::firecracker::snapshot::{self, Kept};
use crate::guest::{Found, Guest, is_image};
use serde_json::{Value, json};
use std::fs::File;
use std::path::Path;
use std::time::Instant;

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn flag(value: &Value, field: &str) -> bool {
    value.get(field).and_then(Value::as_bool).unwrap_or_default()
}

impl Vmm {
    pub(crate) fn act(&mut self, body: &Value) -> Outcome {
        let started = self.phase != Phase::NotStarted;
        match text(body, "action_type") {
            "InstanceStart" if started => Err(Refusal::started()),
            "InstanceStart" => done(self.start()),
            _ if !started => Err(Refusal::not_started()),
            "SendCtrlAltDel" => {
                self.machine.ctrl_alt_del();
                Ok(None)
            }
            _ => {
                self.metrics.flush();
                Ok(None)
            }
        }
    }

    fn start(&mut self) -> Result<(), Refusal> {
        let refuse = |why: String| Refusal::bad(format!("Start microvm error: {why}"));
        let boot = self.boot.as_ref().ok_or_else(|| refuse("there is no kernel to start.".to_owned()))?;
        let path = text(boot, "kernel_image_path");
        let image = bootable(path, self.setup.version.reached((1, 17)))
            .map_err(|why| refuse(format!("the kernel {path} cannot be loaded: {why}")))?;
        for pmem in self.devices.of(Kind::Pmem) {
            let opened = devices::open(text(pmem, "path_on_host"), flag(pmem, "read_only"));
            opened.map_err(refuse)?;
        }
        let out = self.serial_out().map_err(refuse)?;
        self.phase = Phase::Running;
        self.log.say("The microVM runs.");
        let found = Found {
            mebibytes: self.memory.bytes() >> 20,
            cpus: self.memory.machine["vcpu_count"].as_u64().unwrap_or(1),
            command_line: text(self.boot.as_ref().unwrap_or(&Value::Null), "boot_args").to_owned(),
        };
        self.machine.boot(Guest::boot(&image, found), out);
        Ok(())
    }

    fn serial_out(&self) -> Result<Option<File>, String> {
        let path = self.serial.as_ref().and_then(|serial| serial.get("serial_out_path")).and_then(Value::as_str);
        let file = path.map(|path| output::open(Path::new(path))).transpose();
        file.map_err(|error| format!("the serial output cannot be opened: {error}"))
    }

    pub(crate) fn turn(&mut self, body: &Value) -> Outcome {
        let begun = Instant::now();
        let running = text(body, "state") == "Resumed";
        self.phase = if running { Phase::Running } else { Phase::Paused };
        self.machine.run(running);
        self.took(if running { "resume_vm" } else { "pause_vm" }, begun);
        Ok(None)
    }

    /// Notes how long an act took, as the API and as the VMM saw it.
    fn took(&self, act: &str, begun: Instant) {
        let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX).max(1);
        self.metrics.add("latencies_us", act, micros);
        self.metrics.add("latencies_us", &format!("vmm_{act}"), micros);
    }

    pub(crate) fn create_snapshot(&mut self, body: &Value) -> Outcome {
        let begun = Instant::now();
        let refuse = |why: String| Refusal::bad(format!("Create snapshot error: {why}"));
        if self.phase != Phase::Paused {
            return Err(refuse("the microVM has to be paused.".to_owned()));
        }
        if self.devices.of(Kind::Drive).iter().any(|drive| !text(drive, "socket").is_empty()) {
            return Err(refuse("vhost-user block devices cannot be kept.".to_owned()));
        }
        let diff = text(body, "snapshot_type") == "Diff";
        let kept = Kept { state: self.keep(), guest: self.machine.freeze(), bytes: self.memory.bytes() };
        let to = (Path::new(text(body, "snapshot_path")), Path::new(text(body, "mem_file_path")));
        snapshot::write(&kept, to, &self.faults).map_err(|error| refuse(error.to_string()))?;
        self.took(if diff { "diff_create_snapshot" } else { "full_create_snapshot" }, begun);
        Ok(None)
    }

    fn keep(&self) -> Value {
        json!({
            "snapshot_version": snapshot::version(&self.setup.version),
            "machine": self.memory.machine, "balloon": self.memory.balloon, "hotplug": self.memory.hotplug,
            "inflated": self.memory.inflated, "plugged": self.memory.plugged,
            "drives": self.devices.of(Kind::Drive), "nics": self.devices.of(Kind::Nic),
            "pmem": self.devices.of(Kind::Pmem), "vsock": self.devices.vsock, "entropy": self.entropy,
            "mmds": self.mmds, "pci": self.setup.pci,
        })
    }

    pub(crate) fn load_snapshot(&mut self, body: &Value) -> Outcome {
        let given = |name: &str| body.get(name).is_some_and(|value| !value.is_null());
        match (given("mem_backend"), given("mem_file_path")) {
            (true, true) => {
                return Err(Refusal::unreadable(
                    "too many fields: give either `mem_backend` or `mem_file_path`".to_owned(),
                ));
            }
            (false, false) => {
                return Err(Refusal::unreadable(
                    "missing field: either `mem_backend` or `mem_file_path` is needed".to_owned(),
                ));
            }
            _ => {}
        }
        if self.boot_path {
            return Err(Refusal::bad(
                "Load snapshot error: Loading a microVM snapshot not allowed after configuring boot-specific resources.",
            ));
        }
        let begun = Instant::now();
        let loaded = self.load(body);
        loaded.map_err(|why| {
            self.log.fail(&format!("RunWithApiError error: Failed to build microVM: Restore. {why}"));
            Refusal::bad(format!("Load snapshot error: Failed to restore from snapshot: {why}")).fatal(1)
        })?;
        self.took("load_snapshot", begun);
        self.phase = Phase::Paused;
        if flag(body, "resume_vm") {
            self.phase = Phase::Running;
            self.machine.run(true);
        }
        Ok(None)
    }

    fn load(&mut self, body: &Value) -> Result<(), String> {
        let kept = snapshot::read_state(Path::new(text(body, "snapshot_path")), &self.setup.version)?;
        let state = kept.state;
        self.restore_devices(&state, body)?;
        self.memory.machine = state["machine"].clone();
        self.memory.balloon = state.get("balloon").filter(|value| !value.is_null()).cloned();
        self.memory.hotplug = state.get("hotplug").filter(|value| !value.is_null()).cloned();
        self.memory.inflated = state["inflated"].as_u64().unwrap_or_default();
        self.memory.plugged = state["plugged"].as_u64().unwrap_or_default();
        self.entropy = state.get("entropy").filter(|value| !value.is_null()).cloned();
        self.mmds = state.get("mmds").filter(|value| !value.is_null()).cloned();
        if self.mmds.is_some() {
            self.metadata(false).map_err(|refusal| refusal.text().to_owned())?;
        }
        if let Some(machine) = self.memory.machine.as_object_mut() {
            machine.insert("smt".to_owned(), json!(false));
            machine.remove("cpu_template");
            let tracked = flag(body, "track_dirty_pages") || flag(body, "enable_diff_snapshots");
            machine.insert("track_dirty_pages".to_owned(), json!(tracked));
        }
        let memory = snapshot::read_memory(body, kept.bytes, kept.guest)?;
        let guest = Guest::thaw(&memory).ok_or("the memory holds no guest")?;
        let out = self.serial_out()?;
        self.machine.restore(guest, out);
        Ok(())
    }

    fn restore_devices(&mut self, state: &Value, body: &Value) -> Result<(), String> {
        let list = |name: &str| state.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        let mut nics = list("nics");
        for change in body.get("network_overrides").and_then(Value::as_array).into_iter().flatten() {
            let nic = nics.iter_mut().find(|nic| text(nic, "iface_id") == text(change, "iface_id"));
            let nic = nic.ok_or_else(|| format!("Unknown Network Device: {}", text(change, "iface_id")))?;
            nic["host_dev_name"] = change["host_dev_name"].clone();
        }
        for (kind, devices) in [(Kind::Drive, list("drives")), (Kind::Nic, nics), (Kind::Pmem, list("pmem"))] {
            for device in devices {
                if kind == Kind::Pmem {
                    devices::open(text(&device, "path_on_host"), flag(&device, "read_only"))?;
                }
                self.devices.put(kind, device).map_err(|refusal| refusal.text().to_owned())?;
            }
        }
        let override_path = body.get("vsock_override").and_then(|change| change.get("uds_path"));
        let vsock = state.get("vsock").filter(|value| !value.is_null()).cloned();
        match (vsock, override_path) {
            (None, Some(_)) => return Err("there is no vsock to override".to_owned()),
            (Some(mut vsock), path) => {
                if let Some(path) = path {
                    vsock["uds_path"] = path.clone();
                }
                listen(text(&vsock, "uds_path")).map_err(|error| format!("the vsock cannot be bound: {error}"))?;
                self.devices.vsock = Some(vsock);
            }
            (None, None) => {}
        }
        Ok(())
    }
}

/// An ELF image, or a bzImage where those are taken.
fn bootable(path: &str, compressed: bool) -> Result<Vec<u8>, String> {
    let image = std::fs::read(path).map_err(|error| error.to_string())?;
    let good = is_image(&image) && (compressed || image.starts_with(b"\x7fELF"));
    if good { Ok(image) } else { Err("it is no ELF image".to_owned()) }
}
