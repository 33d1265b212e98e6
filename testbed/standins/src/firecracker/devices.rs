//! Drives, nics, persistent memory and the vsock: which may stand beside which, before and after the start.
//!
//! A configuration comes in already read by its shape; files are opened and sockets bound at once, as the
//! real program does, so a path that leads nowhere is refused here. After the start devices come and go only
//! with PCI, and never the root.

use super::refusal::Refusal;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader};
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread;

/// The kinds of devices that have ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A block device.
    Drive,
    /// A network interface.
    Nic,
    /// Persistent memory.
    Pmem,
}

impl Kind {
    /// The field that names a device.
    #[must_use]
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Drive => "drive_id",
            Self::Nic => "iface_id",
            Self::Pmem => "id",
        }
    }

    fn root(self) -> &'static str {
        match self {
            Self::Drive => "is_root_device",
            Self::Nic => "",
            Self::Pmem => "root_device",
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Drive => "Drive config error",
            Self::Nic => "Network config error",
            Self::Pmem => "Pmem config error",
        }
    }

    fn refuse(self, why: &str) -> Refusal {
        Refusal::bad(format!("{}: {why}", self.prefix()))
    }
}

/// The devices of a machine.
#[derive(Debug, Default)]
pub(crate) struct Devices {
    /// By kind, in the order in which they came.
    pub(crate) all: BTreeMap<Kind, Vec<Value>>,
    /// The vsock.
    pub(crate) vsock: Option<Value>,
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn flag(value: &Value, field: &str) -> bool {
    value.get(field).and_then(Value::as_bool).unwrap_or_default()
}

impl Devices {
    /// The devices of a kind.
    #[must_use]
    pub(crate) fn of(&self, kind: Kind) -> &[Value] {
        self.all.get(&kind).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether there is a device of this kind and id.
    #[must_use]
    pub(crate) fn has(&self, kind: Kind, id: &str) -> bool {
        self.of(kind).iter().any(|device| text(device, kind.id()) == id)
    }

    fn root(&self) -> Option<(Kind, &str)> {
        [Kind::Drive, Kind::Pmem].into_iter().find_map(|kind| {
            let device = self.of(kind).iter().find(|device| flag(device, kind.root()))?;
            Some((kind, text(device, kind.id())))
        })
    }

    /// Adds a device or replaces the one of its id.
    ///
    /// # Errors
    /// When it clashes with another, or what it names cannot be opened.
    pub(crate) fn put(&mut self, kind: Kind, config: Value) -> Result<(), Refusal> {
        let id = text(&config, kind.id()).to_owned();
        if flag(&config, kind.root()) && self.root().is_some_and(|root| root != (kind, id.as_str())) {
            return Err(kind.refuse("a root device is already configured; there can be only one"));
        }
        let config = self.settle(kind, config, &id)?;
        let list = self.all.entry(kind).or_default();
        list.retain(|device| text(device, kind.id()) != id);
        if flag(&config, kind.root()) {
            list.insert(0, config);
        } else {
            list.push(config);
        }
        Ok(())
    }

    /// Adds a device to a machine that has started.
    ///
    /// # Errors
    /// When the id is taken, it would be a second root, or what it names cannot be opened.
    pub(crate) fn plug(&mut self, kind: Kind, config: Value) -> Result<(), Refusal> {
        if self.has(kind, text(&config, kind.id())) {
            return Err(Refusal::bad("Device ID in use"));
        }
        if flag(&config, kind.root()) {
            return Err(kind.refuse("a root device cannot be added to a machine that has started"));
        }
        if kind == Kind::Pmem {
            open(text(&config, "path_on_host"), flag(&config, "read_only")).map_err(|why| kind.refuse(&why))?;
        }
        self.put(kind, config)
    }

    /// Takes a device from a machine that has started.
    ///
    /// # Errors
    /// When there is none of this id, or it is the root.
    pub(crate) fn unplug(&mut self, kind: Kind, id: &str) -> Result<(), Refusal> {
        if !self.has(kind, id) {
            return Err(Refusal::bad("Device not found"));
        }
        if self.root() == Some((kind, id)) {
            return Err(Refusal::bad("Cannot unplug root device"));
        }
        self.all.entry(kind).or_default().retain(|device| text(device, kind.id()) != id);
        Ok(())
    }

    /// Changes what can be changed of a device while the machine runs.
    ///
    /// # Errors
    /// When there is none of this id, or the change does not fit it.
    pub(crate) fn patch(&mut self, kind: Kind, change: &Value) -> Result<(), Refusal> {
        let id = text(change, kind.id());
        let unknown = || kind.refuse(&format!("there is no device of the id {id}"));
        let limiters: &[&str] =
            if kind == Kind::Nic { &["rx_rate_limiter", "tx_rate_limiter"] } else { &["rate_limiter"] };
        let path = change.get("path_on_host").and_then(Value::as_str);
        let idle = path.is_none() && limiters.iter().all(|name| change.get(*name).is_none());
        if kind == Kind::Pmem && idle {
            return Ok(());
        }
        let device = self.all.entry(kind).or_default().iter_mut().find(|device| text(device, kind.id()) == id);
        let Some(device) = device else { return Err(unknown()) };
        let vhost = kind == Kind::Drive && !text(device, "socket").is_empty();
        if kind == Kind::Drive && idle != vhost {
            return Err(kind.refuse("the update does not fit the kind of this block device"));
        }
        if let Some(path) = path {
            open(path, flag(device, "is_read_only")).map_err(|why| kind.refuse(&why))?;
            device["path_on_host"] = json!(path);
        }
        // What persistent memory was made with is told of it ever after.
        for name in limiters.iter().filter(|_| kind != Kind::Pmem) {
            if let Some(limiter) = change.get(*name) {
                device[*name] = limited(&device[*name], limiter);
            }
        }
        Ok(())
    }

    fn settle(&self, kind: Kind, mut config: Value, id: &str) -> Result<Value, Refusal> {
        match kind {
            Kind::Drive => drive(&mut config).map_err(|why| kind.refuse(&why))?,
            Kind::Nic => self.nic(&config, id).map_err(|why| kind.refuse(&why))?,
            Kind::Pmem => {}
        }
        for name in ["rate_limiter", "rx_rate_limiter", "tx_rate_limiter"] {
            if let Some(limiter) = config.get(name) {
                config[name] = limited(&Value::Null, limiter);
            }
        }
        Ok(config)
    }

    fn nic(&self, config: &Value, id: &str) -> Result<(), String> {
        let others = || self.of(Kind::Nic).iter().filter(|nic| text(nic, "iface_id") != id);
        let mac = text(config, "guest_mac");
        if !mac.is_empty() && others().any(|nic| text(nic, "guest_mac").eq_ignore_ascii_case(mac)) {
            return Err(format!("The MAC address is already in use: {mac}"));
        }
        let tap = text(config, "host_dev_name");
        if tap.is_empty() || tap.len() > 15 {
            return Err(format!("the tap cannot be opened: `{tap}` is no name of an interface"));
        }
        if others().any(|nic| text(nic, "host_dev_name") == tap) {
            return Err(format!("the tap {tap} cannot be opened: Resource busy"));
        }
        match config.get("mtu").and_then(Value::as_u64) {
            Some(mtu) if mtu < 68 => Err(format!("the MTU {mtu} is less than 68")),
            _ => Ok(()),
        }
    }

    /// Binds the vsock's socket, in place of the one before.
    ///
    /// # Errors
    /// When the path is taken or cannot be bound, or the cid is one of the host's.
    pub(crate) fn put_vsock(&mut self, mut config: Value) -> Result<(), Refusal> {
        let refuse = |why: String| Refusal::bad(format!("Vsock config error: {why}"));
        if let Some(before) = self.vsock.take() {
            std::fs::remove_file(text(&before, "uds_path")).map_err(|error| refuse(error.to_string()))?;
        }
        if let Some(config) = config.as_object_mut() {
            config.remove("vsock_id");
        }
        listen(text(&config, "uds_path")).map_err(|error| refuse(format!("the socket cannot be bound: {error}")))?;
        self.vsock = Some(config);
        Ok(())
    }
}

/// Listens where the host connects to the guest; no port of the scripted guest is open.
pub(crate) fn listen(path: &str) -> std::io::Result<()> {
    let listener = UnixListener::bind(path)?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut line = String::new();
            let _ = BufReader::new(stream).read_line(&mut line);
        }
    });
    Ok(())
}

/// Opens what a device lies on.
pub(crate) fn open(path: &str, read_only: bool) -> Result<(), String> {
    let file = OpenOptions::new().read(true).write(!read_only).open(path);
    file.map(|_| ()).map_err(|error| format!("the file {path} cannot be opened: {error}"))
}

fn drive(config: &mut Value) -> Result<(), String> {
    let virtio = ["path_on_host", "is_read_only"];
    let given = |config: &Value, name: &str| config.get(name).is_some_and(|value| !value.is_null());
    if given(config, "socket") {
        if ["path_on_host", "is_read_only", "rate_limiter", "io_engine"].iter().any(|name| given(config, name)) {
            return Err("fields of virtio and of vhost-user block devices are mixed".to_owned());
        }
        let socket = text(config, "socket");
        return UnixStream::connect(socket)
            .map(|_| ())
            .map_err(|error| format!("the vhost-user socket {socket} cannot be reached: {error}"));
    }
    if !virtio.iter().all(|name| given(config, name)) {
        return Err("a block device needs path_on_host and is_read_only, or a socket".to_owned());
    }
    open(text(config, "path_on_host"), flag(config, "is_read_only"))?;
    if !given(config, "io_engine") {
        config["io_engine"] = json!("Sync");
    }
    Ok(())
}

/// A limiter after an update: a missing bucket stays, one without size or time goes, none at all is none.
pub(crate) fn limited(before: &Value, update: &Value) -> Value {
    let bucket = |name: &str| match update.get(name) {
        None | Some(Value::Null) => before.get(name).cloned().unwrap_or_default(),
        Some(bucket) => {
            let number = |field: &str| bucket.get(field).and_then(Value::as_u64).unwrap_or_default();
            if number("size") == 0 || number("refill_time") == 0 { Value::Null } else { bucket.clone() }
        }
    };
    let (bandwidth, ops) = (bucket("bandwidth"), bucket("ops"));
    if bandwidth.is_null() && ops.is_null() { Value::Null } else { json!({ "bandwidth": bandwidth, "ops": ops }) }
}
