//! Taps and macvtaps of the host, opened for a VMM that may not open them itself and needs no right to the
//! network.
//!
//! They are there already; only the length of their largest packet is changed where it is asked for, which a
//! jailed process could not. A file is opened for each pair of queues. A device in another network namespace is
//! opened by a thread that goes there and ends.

use rustix::fs::OFlags;
use rustix::ioctl::{self, Ioctl, IoctlOutput, Opcode, opcode};
use rustix::net::netdevice::name_to_index;
use rustix::net::{AddressFamily, SocketType};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use weft_domain::spec::{Attachment, Nic};

/// What a device is opened as: Ethernet frames, without a head of the kernel's, with one of virtio's.
const TAP: i16 = 0x0002 | 0x1000 | 0x4000;
/// One of several queues.
const MULTI_QUEUE: i16 = 0x0100;
/// Which tap a file is for.
const TUNSETIFF: Opcode = opcode::write::<i32>(b'T', 202);
/// How long the largest packet of a device is, and that it be another length.
const SIOCGIFMTU: Opcode = 0x8921;
const SIOCSIFMTU: Opcode = 0x8922;
/// The longest name of a device, in bytes, with the zero at its end.
const NAME: usize = 16;

/// A device that cannot be opened.
#[derive(Debug)]
pub(crate) struct Unopened {
    /// Its name.
    pub(crate) name: String,
    /// Why.
    pub(crate) source: io::Error,
}

/// Opens one file of the device of this name, which has so many pairs of queues.
type Opens = fn(&str, u32) -> io::Result<OwnedFd>;

/// Opens the device of an interface, one file for each pair of its queues; none where it has no device. It is
/// looked for in this network namespace, or in our own.
pub(crate) fn open(nic: &Nic, namespace: Option<&Path>) -> Result<Vec<OwnedFd>, Unopened> {
    let pairs = nic.queues.max(1);
    let (name, one): (&str, Opens) = match &nic.attachment {
        Attachment::Tap(name) => (name, tap),
        Attachment::Macvtap(name) => (name, macvtap),
        Attachment::User { .. } | Attachment::Network(_) | Attachment::VhostUser { .. } => return Ok(Vec::new()),
    };
    let all = || {
        let files = (0..pairs).map(|_| one(name, pairs)).collect::<io::Result<Vec<_>>>()?;
        if nic.mtu > 0 {
            fit(name, nic.mtu)?;
        }
        Ok(files)
    };
    let opened = match namespace {
        None => all(),
        Some(namespace) => std::thread::scope(|scope| {
            let there = scope.spawn(|| {
                enter(namespace)?;
                all()
            });
            there.join().unwrap_or_else(|_| Err(io::Error::other("the thread that opens it panicked")))
        }),
    };
    opened.map_err(|source| Unopened { name: name.to_owned(), source })
}

/// Moves this thread there. The kernel refuses what is no network namespace; a link is not followed, and no
/// FIFO is waited for.
fn enter(namespace: &Path) -> io::Result<()> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let place = File::options().read(true).custom_flags(flags.bits().cast_signed()).open(namespace)?;
    Ok(move_into_link_name_space(place.as_fd(), Some(LinkNameSpaceType::Network))?)
}

fn open_node(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    File::options().read(true).write(true).custom_flags(flags).open(path)
}

fn macvtap(name: &str, _: u32) -> io::Result<OwnedFd> {
    let node = PathBuf::from(format!("/dev/tap{}", index(name)?));
    Ok(open_node(&node)?.into())
}

/// The number of the device of this name in this thread's network.
fn index(name: &str) -> io::Result<u32> {
    let socket = rustix::net::socket(AddressFamily::UNIX, SocketType::DGRAM, None)?;
    Ok(name_to_index(&socket, name)?)
}

fn tap(name: &str, pairs: u32) -> io::Result<OwnedFd> {
    // The kernel would make one of this name that is not there.
    index(name)?;
    let file = open_node(Path::new("/dev/net/tun"))?;
    let several = if pairs > 1 { MULTI_QUEUE } else { 0 };
    ask(&file, Request::new(TUNSETIFF, name, i32::from(TAP | several)))?;
    Ok(file.into())
}

/// Sees to it that the largest packet of a device is this long, as the guest will be told.
fn fit(name: &str, mtu: u32) -> io::Result<()> {
    let socket = rustix::net::socket(AddressFamily::UNIX, SocketType::DGRAM, None)?;
    let wanted = i32::try_from(mtu).unwrap_or(i32::MAX);
    if ask(&socket, Request::new(SIOCGIFMTU, name, 0))? != wanted {
        ask(&socket, Request::new(SIOCSIFMTU, name, wanted))?;
    }
    Ok(())
}

/// One request about the device of a name: `struct ifreq`.
#[repr(C)]
struct Request {
    name: [u8; NAME],
    /// Flags, in the lower half, or a length.
    value: i32,
    rest: [u8; 20],
    opcode: Opcode,
}

impl Request {
    fn new(opcode: Opcode, device: &str, value: i32) -> Self {
        let mut name = [0; NAME];
        for (place, byte) in name.iter_mut().take(NAME - 1).zip(device.bytes()) {
            *place = byte;
        }
        Self { name, value, rest: [0; 20], opcode }
    }
}

#[expect(unsafe_code, reason = "there is no other way to say which tap a file is for")]
fn ask(file: &impl AsFd, request: Request) -> rustix::io::Result<i32> {
    // SAFETY: each of the three requests reads and writes one `struct ifreq`, which lives through the call.
    unsafe { ioctl::ioctl(file, request) }
}

#[expect(unsafe_code, reason = "there is no other way to say which tap a file is for")]
// SAFETY: the request begins with a whole `struct ifreq`, and its opcode is one of the three below.
unsafe impl Ioctl for Request {
    type Output = i32;
    const IS_MUTATING: bool = true;

    fn opcode(&self) -> Opcode {
        self.opcode
    }

    fn as_ptr(&mut self) -> *mut std::ffi::c_void {
        std::ptr::from_mut(self).cast()
    }

    unsafe fn output_from_ptr(_: IoctlOutput, request: *mut std::ffi::c_void) -> rustix::io::Result<i32> {
        // SAFETY: it is what `as_ptr` gave.
        Ok(unsafe { (*request.cast::<Self>()).value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{CWD, FileType, Mode};
    use rustix::io::Errno;

    #[test]
    fn a_device_that_is_not_there_is_not_made() {
        assert_eq!(std::mem::offset_of!(Request, opcode), 40, "as long as the kernel's");
        let nic = Nic::new("nic0", Attachment::Tap("weft-none".to_owned()));
        let unopened = open(&nic, None).unwrap_err();
        assert_eq!((unopened.name.as_str(), unopened.source.raw_os_error()), ("weft-none", Some(19)), "no such device");
        assert!(!Path::new("/sys/class/net/weft-none").exists());
        for attachment in [
            Attachment::Macvtap("weft-none".to_owned()),
            Attachment::Tap("../../etc".to_owned()),
            Attachment::Tap(String::new()),
            Attachment::Tap("a-name-that-is-too-long".to_owned()),
        ] {
            assert!(open(&Nic::new("nic0", attachment.clone()), None).is_err(), "{attachment:?}");
        }
        assert!(open(&Nic::new("nic0", Attachment::User { forwards: Vec::new() }), None).unwrap().is_empty());
    }

    #[test]
    fn what_is_no_network_is_not_entered() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link, fifo) = (folder.path().join("file"), folder.path().join("link"), folder.path().join("fifo"));
        std::fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink("/proc/thread-self/ns/net", &link).unwrap();
        rustix::fs::mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        // Its device is in every network, so it is the way there that is refused.
        let nic = Nic::new("nic0", Attachment::Tap("lo".to_owned()));
        for (path, number) in [(&file, Errno::INVAL), (&link, Errno::LOOP), (&fifo, Errno::INVAL)] {
            let unopened = open(&nic, Some(path)).unwrap_err();
            assert_eq!(unopened.source.raw_os_error(), Some(number.raw_os_error()), "{}", path.display());
        }
    }
}
