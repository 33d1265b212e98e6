//! Disks and interfaces as one word each: parts with commas between, each a flag or `key=value`.

use super::bytes;
use std::path::PathBuf;
use std::str::FromStr;
use weft_domain::spec::{Attachment, Disk, DiskFormat, DiskSource, Forward, Mac, Nic, Transport};

const DISK_PARTS: &str =
    "path=, size=, image=, volume=, name=, format=raw|qcow2, ro, root, direct, serial=, queues=, queue-size=";
const NIC_PARTS: &str =
    "user, network=, tap=, macvtap=, forward=tcp:HOST:GUEST, mac=, ip=, mtu=, name=, queues=, queue-size=";

/// A disk. Its name is empty where none is given: the list it is in numbers it.
///
/// # Errors
/// The part at fault and the accepted ones.
pub fn disk(text: &str) -> Result<Disk, String> {
    let mut sources = Vec::new();
    let mut disk = Disk::new("", DiskSource::Blank { size_bytes: 0 });
    for (key, value) in parts(text) {
        match (key, value) {
            ("path", Some(path)) if !path.is_empty() => sources.push(DiskSource::Path(PathBuf::from(path))),
            ("size", Some(size)) => {
                sources.push(DiskSource::Blank { size_bytes: bytes(size).map_err(|why| format!("size: {why}"))? });
            }
            ("image", Some(name)) => sources.push(DiskSource::Image(name.to_owned())),
            ("volume", Some(name)) => sources.push(DiskSource::Volume(name.to_owned())),
            ("name", Some(name)) => disk.name = name.to_owned(),
            ("format", Some("raw")) => disk.format = DiskFormat::Raw,
            ("format", Some("qcow2")) => disk.format = DiskFormat::Qcow2,
            ("format", Some(other)) => return Err(format!("format is raw or qcow2, not {other:?}")),
            ("ro" | "readonly" | "read-only", None) => disk.read_only = true,
            ("root", None) => disk.root = true,
            ("direct", None) => disk.direct = true,
            ("serial", Some(serial)) => disk.serial = Some(serial.to_owned()),
            ("queues", Some(count)) => disk.queues = number(key, count)?,
            ("queue-size", Some(count)) => disk.queue_size = number(key, count)?,
            (key, value) => return Err(unknown(key, value, DISK_PARTS)),
        }
    }
    disk.source = only(sources, "path=FILE for a disk that exists, or size=SIZE for a new one")?;
    Ok(disk)
}

/// An interface of the private network inside the VMM, as a VM has where nothing is said.
#[must_use]
pub(crate) fn user_nic() -> Nic {
    Nic::new("", Attachment::User { forwards: Vec::new() })
}

/// An interface. Its name is empty where none is given: the list it is in numbers it.
///
/// # Errors
/// The part at fault and the accepted ones.
pub fn nic(text: &str) -> Result<Nic, String> {
    let (mut kinds, mut forwards) = (Vec::new(), Vec::new());
    let mut nic = user_nic();
    for (key, value) in parts(text) {
        match (key, value) {
            ("user", None) => kinds.push(Attachment::User { forwards: Vec::new() }),
            ("network", Some(name)) => kinds.push(Attachment::Network(name.to_owned())),
            ("tap", Some(name)) => kinds.push(Attachment::Tap(name.to_owned())),
            ("macvtap", Some(name)) => kinds.push(Attachment::Macvtap(name.to_owned())),
            ("forward", Some(text)) => forwards.push(forward(text)?),
            ("mac", Some(mac)) => nic.mac = Some(mac.parse::<Mac>().map_err(|why| format!("mac {why}"))?),
            ("ip", Some(ip)) => nic.ip = Some(ip.parse().map_err(|_| format!("ip: {ip:?} is not an address"))?),
            ("mtu", Some(mtu)) => nic.mtu = number(key, mtu)?,
            ("name", Some(name)) => nic.name = name.to_owned(),
            ("queues", Some(count)) => nic.queues = number(key, count)?,
            ("queue-size", Some(count)) => nic.queue_size = number(key, count)?,
            (key, value) => return Err(unknown(key, value, NIC_PARTS)),
        }
    }
    let kind = only(kinds, "user, network=NAME, tap=DEVICE or macvtap=DEVICE")?;
    nic.attachment = match kind {
        Attachment::User { .. } => Attachment::User { forwards },
        Attachment::Network(_) | Attachment::Tap(_) | Attachment::Macvtap(_) | Attachment::VhostUser { .. } => {
            if !forwards.is_empty() {
                return Err("forward= is only for user interfaces".to_owned());
            }
            kind
        }
    };
    Ok(nic)
}

fn forward(text: &str) -> Result<Forward, String> {
    let refused = || format!("forward is tcp:HOST_PORT:GUEST_PORT or udp:…, such as tcp:2222:22, not {text:?}");
    let mut words = text.split(':');
    let transport = match words.next() {
        Some("tcp") => Transport::Tcp,
        Some("udp") => Transport::Udp,
        Some(_) | None => return Err(refused()),
    };
    let mut port = || words.next().and_then(|word| word.parse().ok()).filter(|port| *port > 0).ok_or_else(refused);
    let forward = Forward { transport, host_port: port()?, guest_port: port()? };
    if words.next().is_some() { Err(refused()) } else { Ok(forward) }
}

fn parts(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    text.split(',').map(|part| match part.split_once('=') {
        Some((key, value)) => (key, Some(value)),
        None => (part, None),
    })
}

fn only<T>(mut found: Vec<T>, forms: &str) -> Result<T, String> {
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(one),
        (Some(_), false) => Err(format!("only one is allowed of {forms}")),
        (None, _) => Err(format!("give {forms}")),
    }
}

fn number<T: FromStr>(key: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{key}: {text:?} is not a number"))
}

fn unknown(key: &str, value: Option<&str>, all: &str) -> String {
    let with_value = all.split(", ").any(|part| part.split_once('=').is_some_and(|(name, _)| name == key));
    let flag = all.split(", ").any(|part| part == key);
    match value {
        _ if key.is_empty() => format!("a part is empty; the parts are {all}"),
        None | Some("") if with_value => format!("{key} needs a value: {key}=…"),
        Some(_) if flag => format!("{key} takes no value"),
        Some(_) | None => format!("{key:?} is not known; the parts are {all}"),
    }
}
