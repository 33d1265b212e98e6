//! The devices of a machine that was made: named, numbered on the bus, holding what they lie on.
//!
//! Devices without a name get one from a number that only rises. An image is locked as long as its device
//! stands; a device that is taken away stands until the guest lets go of it, which is told as an event.

use super::{Outcome, Vmm};
use crate::cloud_hypervisor::endpoints::{Backing, SLOTS, Slot};
use crate::cloud_hypervisor::refusal::Why;
use crate::cloud_hypervisor::rules;
use crate::faults::Fault;
use crate::wire::Reply;
use rustix::fs::{FlockOperation, flock};
use serde_json::{Map, Value, json};
use std::fs::{File, OpenOptions};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread;
use std::time::Duration;

/// How long a guest takes to let go of a device.
const EJECTION: Duration = Duration::from_millis(20);
/// The last slot of the bus.
const LAST_SLOT: u64 = 31;

/// What a device holds.
#[derive(Debug)]
enum Held {
    Nothing,
    Image(File, FlockOperation),
    Socket { _peer: UnixStream },
    Bound { _bound: Bound },
    Files { _files: Vec<OwnedFd> },
}

/// A bound socket, which goes with its device.
#[derive(Debug)]
struct Bound {
    path: String,
    _listener: UnixListener,
}

impl Drop for Bound {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

#[derive(Debug)]
struct Device {
    id: String,
    bdf: String,
    field: &'static str,
    leaving: bool,
    held: Held,
}

/// The devices.
#[derive(Debug, Default)]
pub(super) struct Devices {
    list: Vec<Device>,
    named: u64,
}

fn failed(why: String) -> Why {
    Why::Failed(vec!["Error from device manager".to_owned(), why])
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

impl Devices {
    /// Makes all devices of a configuration, and writes their names and addresses into it.
    pub(super) fn make(config: &mut Value) -> Result<Self, Why> {
        let mut devices = Self::default();
        if !["Off", "Null"].contains(&text(&config["console"], "mode")) {
            devices.place("__console".to_owned(), "console", Held::Nothing)?;
        }
        for slot in SLOTS {
            if slot.field == "fs" {
                devices.place("__rng".to_owned(), "rng", Held::Nothing)?;
            }
            let many = config.get_mut(slot.field);
            match many {
                Some(Value::Array(many)) => {
                    for device in many {
                        devices.add(slot, device, Vec::new())?;
                    }
                }
                Some(one @ Value::Object(_)) => {
                    devices.add(slot, one, Vec::new())?;
                }
                _ => {}
            }
            if slot.field == "vsock" && config["balloon"].is_object() {
                devices.place("__balloon".to_owned(), "balloon", Held::Nothing)?;
            }
        }
        Ok(devices)
    }

    fn add(&mut self, slot: &Slot, device: &mut Value, files: Vec<OwnedFd>) -> Result<Value, Why> {
        if text(device, "id").is_empty() {
            device["id"] = json!(format!("{}{}", slot.prefix, self.named));
            self.named += 1;
        }
        if slot.backing == Backing::Tap && text(device, "mac").is_empty() {
            let octets = (self.named ^ u64::from(std::process::id())).to_be_bytes();
            device["mac"] = json!(format!("2e:89:a8:{:02x}:{:02x}:{:02x}", octets[5], octets[6], octets[7]));
        }
        let held = hold(slot.backing, device, files).map_err(failed)?;
        self.place(text(device, "id").to_owned(), slot.field, held)
    }

    fn place(&mut self, id: String, field: &'static str, held: Held) -> Result<Value, Why> {
        if self.list.iter().any(|device| device.id == id) {
            return Err(Why::NotUnique(id));
        }
        let free = (1..=LAST_SLOT).map(|slot| format!("0000:00:{slot:02x}.0"));
        let bdf = free.into_iter().find(|bdf| self.list.iter().all(|device| device.bdf != *bdf));
        let bdf = bdf.ok_or_else(|| failed("there is no free slot on the PCI bus".to_owned()))?;
        let told = json!({ "id": id, "bdf": bdf });
        self.list.push(Device { id, bdf, field, leaving: false, held });
        Ok(told)
    }

    /// The virtio devices' ids.
    pub(super) fn virtio(&self) -> Vec<String> {
        let passed = ["devices", "user_devices"];
        self.list.iter().filter(|device| !passed.contains(&device.field)).map(|device| device.id.clone()).collect()
    }

    /// Where in the configuration the device of this id stands.
    pub(super) fn field(&self, id: &str) -> Option<&'static str> {
        self.list.iter().find(|device| device.id == id && !device.leaving).map(|device| device.field)
    }

    /// Lets go of all images, so that whoever takes the machine over can have them.
    pub(super) fn release(&self) {
        self.lock(|_| FlockOperation::NonBlockingUnlock);
    }

    /// Takes all images back.
    pub(super) fn regain(&self) {
        self.lock(|lock| lock);
    }

    fn lock(&self, how: fn(FlockOperation) -> FlockOperation) {
        for device in &self.list {
            if let Held::Image(file, lock) = &device.held {
                let _ = flock(file, how(*lock));
            }
        }
    }

    /// As `vm.info` tells it.
    pub(super) fn tree(&self) -> Value {
        let mut tree = Map::new();
        for own in ["__serial", "__ioapic"] {
            tree.insert(own.to_owned(), json!({ "id": own, "resources": [], "children": [] }));
        }
        for Device { id, bdf, .. } in &self.list {
            let parent = format!("_virtio-pci-{id}");
            let node = json!({ "id": id, "resources": [], "parent": parent, "children": [] });
            tree.insert(id.clone(), node);
            let node = json!({ "id": parent, "resources": [], "children": [id], "pci_bdf": bdf });
            tree.insert(parent, node);
        }
        Value::Object(tree)
    }

    /// As `vm.counters` tells it: nothing was read or written.
    pub(super) fn counters(&self) -> Value {
        let mut counters = Map::new();
        for device in &self.list {
            let never = json!(u64::MAX);
            let none = json!(0);
            let names: &[(&str, &Value)] = match device.field {
                "disks" => &[
                    ("read_bytes", &none),
                    ("write_bytes", &none),
                    ("read_ops", &none),
                    ("write_ops", &none),
                    ("read_latency_min", &never),
                    ("read_latency_max", &never),
                    ("read_latency_avg", &json!(u64::MAX / 10_000)),
                    ("write_latency_min", &never),
                    ("write_latency_max", &never),
                    ("write_latency_avg", &json!(u64::MAX / 10_000)),
                ],
                "net" => &[("rx_bytes", &none), ("rx_frames", &none), ("tx_bytes", &none), ("tx_frames", &none)],
                _ => continue,
            };
            let values = names.iter().map(|(name, value)| ((*name).to_owned(), (*value).clone()));
            counters.insert(device.id.clone(), Value::Object(values.collect()));
        }
        Value::Object(counters)
    }
}

fn socket(peer: UnixStream) -> Held {
    Held::Socket { _peer: peer }
}

fn hold(backing: Backing, device: &Value, files: Vec<OwnedFd>) -> Result<Held, String> {
    let told = |path: &str, error: &std::io::Error| format!("{path}: {error}");
    if device.get("vhost_user") == Some(&json!(true)) {
        let path = text(device, "vhost_socket");
        return UnixStream::connect(path).map(socket).map_err(|error| told(path, &error));
    }
    match backing {
        Backing::Image(field) => {
            let (path, readonly) = (text(device, field), device["readonly"] == true);
            let file = OpenOptions::new().read(true).write(!readonly).open(path);
            let file = file.map_err(|error| told(path, &error))?;
            let lock =
                if readonly { FlockOperation::NonBlockingLockShared } else { FlockOperation::NonBlockingLockExclusive };
            flock(&file, lock).map_err(|_| format!("the lock of the disk image cannot be had: {path}"))?;
            Ok(Held::Image(file, lock))
        }
        Backing::File(field) => match device.get(field).and_then(Value::as_str) {
            Some(path) => {
                std::fs::metadata(path).map(|_| Held::Files { _files: files }).map_err(|error| told(path, &error))
            }
            None => Ok(Held::Files { _files: files }),
        },
        Backing::Peer(field) => {
            let path = text(device, field);
            UnixStream::connect(path).map(socket).map_err(|error| told(path, &error))
        }
        Backing::Bound(field) => {
            let path = text(device, field);
            let listener = UnixListener::bind(path).map_err(|error| told(path, &error))?;
            Ok(Held::Bound { _bound: Bound { path: path.to_owned(), _listener: listener } })
        }
        Backing::Tap => match text(device, "tap") {
            tap if tap.len() > 15 => Err(format!("the tap cannot be opened: `{tap}` is no name of an interface")),
            _ => Ok(Held::Files { _files: files }),
        },
    }
}

/// Puts a device into a configuration.
fn insert(config: &mut Value, field: &str, device: Value) {
    if field == "vsock" {
        config[field] = device;
        return;
    }
    match config.get_mut(field).and_then(Value::as_array_mut) {
        Some(list) => list.push(device),
        None => config[field] = json!([device]),
    }
}

/// Takes a device from a configuration; whether it was there.
fn withdraw(config: &mut Value, id: &str) -> bool {
    for slot in SLOTS {
        match config.get_mut(slot.field) {
            Some(Value::Array(list)) => {
                let before = list.len();
                list.retain(|device| text(device, "id") != id);
                if list.len() < before {
                    return true;
                }
            }
            Some(one @ Value::Object(_)) if text(one, "id") == id => {
                config.as_object_mut().map(|config| config.remove(slot.field));
                return true;
            }
            _ => {}
        }
    }
    false
}

impl Vmm {
    pub(super) fn add(&mut self, slot: &'static Slot, mut device: Value, files: Vec<OwnedFd>) -> Outcome {
        let config = self.config.as_mut().ok_or(Why::NotCreated)?;
        if slot.field == "vsock" && config["vsock"].is_object() {
            return Err(Why::failed("only one vsock can be there"));
        }
        device.as_object_mut().map(|device| device.remove("fds"));
        if slot.backing == Backing::Tap && !files.is_empty() {
            device["fds"] = files.iter().map(|_| json!(-1)).collect();
        }
        let mut whole = config.clone();
        insert(&mut whole, slot.field, device.clone());
        rules::check(&whole)?;
        self.free()?;
        let (Some(config), Some(made)) = (&mut self.config, &mut self.made) else {
            if let Some(config) = &mut self.config {
                insert(config, slot.field, device);
            }
            return Ok(Reply::empty());
        };
        let told = made.devices.add(slot, &mut device, files)?;
        insert(config, slot.field, device);
        self.monitor.tell_of("virtio-device", "activated", &json!({ "id": told["id"] }));
        Ok(Reply::json(200, &told))
    }

    pub(super) fn remove(&mut self, id: &str) -> Result<(), Why> {
        self.free()?;
        let Some(config) = &mut self.config else { return Err(Why::NotCreated) };
        let Some(made) = &mut self.made else {
            return if withdraw(config, id) { Ok(()) } else { Err(Why::Unknown(id.to_owned())) };
        };
        let device = made.devices.list.iter_mut().find(|device| device.id == id && !device.leaving);
        let device = device.ok_or_else(|| Why::Unknown(id.to_owned()))?;
        if ["console", "rng", "balloon"].contains(&device.field) {
            return Err(failed(format!("Not allowed to remove this type of device from the VM: {}", device.field)));
        }
        device.leaving = true;
        withdraw(config, id);
        if self.faults.on(Fault::IgnoreEject) {
            return Ok(());
        }
        let (vmm, id, boot) = (self.myself.clone(), id.to_owned(), self.machine.boots());
        thread::spawn(move || {
            // why: it is the guest that takes this time.
            thread::sleep(EJECTION);
            let Some(vmm) = vmm.upgrade() else { return };
            let mut vmm = vmm.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if vmm.machine.boots() == boot {
                vmm.eject(&id);
            }
        });
        Ok(())
    }

    fn eject(&mut self, id: &str) {
        let Some(made) = &mut self.made else { return };
        let Some(at) = made.devices.list.iter().position(|device| device.id == id) else { return };
        let device = made.devices.list.remove(at);
        self.monitor.tell_of("vm", "device-removed", &json!({ "id": device.id, "bdf": device.bdf }));
    }
}
