//! Taps and macvtaps of the host, opened here: QEMU gets descriptors and needs no right to the network.

use super::Error;
use rustix::ioctl::{Setter, ioctl, opcode};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use weft_domain::spec::{Attachment, Nic};

/// The longest name of an interface, with its end.
const NAME: usize = 16;
/// Makes an open `/dev/net/tun` the interface that is named.
const SET_INTERFACE: rustix::ioctl::Opcode = opcode::write::<i32>(b'T', 202);
/// Whole Ethernet frames.
const TAP: u16 = 0x0002;
/// Nothing before a frame.
const PLAIN: u16 = 0x1000;
/// But what is left to the host.
const OFFLOADS: u16 = 0x4000;
/// One of several queues.
const QUEUES: u16 = 0x0100;

/// The kernel's `ifreq`, as far as it is used.
#[repr(C)]
struct Request {
    name: [u8; NAME],
    flags: u16,
    rest: [u8; 22],
}

/// The descriptors of this interface, one for each pair of queues; none where it is neither tap nor macvtap.
pub(super) fn open(nic: &Nic) -> Result<Vec<OwnedFd>, Error> {
    let (name, opened) = match &nic.attachment {
        Attachment::Tap(name) => (name, tap(name, nic.queues.max(1))),
        Attachment::Macvtap(name) => (name, macvtap(name).map(|file| vec![file])),
        Attachment::User { .. } | Attachment::Network(_) | Attachment::VhostUser { .. } => return Ok(Vec::new()),
    };
    opened.map_err(|source| Error::Tap { name: name.clone(), source })
}

fn tap(name: &str, queues: u32) -> io::Result<Vec<OwnedFd>> {
    // Without this look a tap of that name would be made, and be gone with the machine.
    std::fs::metadata(Path::new("/sys/class/net").join(plain(name)?))?;
    let queued = if queues > 1 { QUEUES } else { 0 };
    (0..queues).map(|_| queue(name, TAP | PLAIN | OFFLOADS | queued)).collect()
}

fn queue(name: &str, flags: u16) -> io::Result<OwnedFd> {
    let file = OpenOptions::new().read(true).write(true).open("/dev/net/tun")?;
    let mut request = Request { name: [0; NAME], flags, rest: [0; 22] };
    request.name[..name.len()].copy_from_slice(name.as_bytes());
    set(&file, request)?;
    Ok(file.into())
}

#[expect(unsafe_code, reason = "the kernel has no other way to name the interface of a tap's descriptor")]
fn set(file: &File, request: Request) -> io::Result<()> {
    // SAFETY: the kernel reads and writes an `ifreq` of 40 bytes, which `Request` is.
    unsafe { Ok(ioctl(file, Setter::<SET_INTERFACE, Request>::new(request))?) }
}

fn macvtap(name: &str) -> io::Result<OwnedFd> {
    let index = std::fs::read_to_string(Path::new("/sys/class/net").join(plain(name)?).join("ifindex"))?;
    let device = Path::new("/dev").join(format!("tap{}", index.trim()));
    Ok(OpenOptions::new().read(true).write(true).open(device)?.into())
}

/// The name, if it can be one of an interface.
fn plain(name: &str) -> io::Result<&str> {
    let right = !name.is_empty() && name.len() < NAME && !name.contains('/') && name != "." && name != "..";
    right.then_some(name).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_is_the_kernels() {
        assert_eq!(size_of::<Request>(), 40);
        assert_eq!(SET_INTERFACE, 0x4004_54ca);
    }

    #[test]
    fn no_tap_is_made_and_no_path_is_a_name() {
        for name in ["weft-none-such", "../../etc", "", "a-name-that-is-too-long"] {
            let nic = Nic::new("nic0", Attachment::Tap(name.into()));
            assert!(matches!(open(&nic), Err(Error::Tap { .. })), "{name}");
        }
        assert!(open(&Nic::new("nic0", Attachment::User { forwards: Vec::new() })).unwrap().is_empty());
    }
}
