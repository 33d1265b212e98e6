//! What the kernel shows of this machine that may bear our name: mounts, links, network namespaces.

use crate::Error;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::UnmountFlags;
use rustix::net::netdevice::name_to_index;
use rustix::net::{AddressFamily, SocketType};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use weft_domain::census::{Found, Mark, Sort};

/// Names of the kernel's that begin so look like ours.
const NAME: &str = "weft";
const NONE_MADE: &str = "weft makes none of these: it is another's, though it bears the name";

/// Everything; jails have their mounts below `vms`, where the host should see none.
pub(super) fn all(vms: &Path, found: &mut Vec<Found>) -> io::Result<()> {
    let mounts = mounts(&fs::read("/proc/self/mountinfo")?, vms);
    found.extend(mounts.into_iter().map(|path| Found::at(Sort::Mount, path, Mark::Place)));
    for (folder, sort) in [("/sys/class/net", Sort::Link), ("/run/netns", Sort::Netns)] {
        // Neither need be there.
        let names = fs::read_dir(folder).into_iter().flatten().flatten();
        let ours = names.filter_map(|entry| entry.file_name().into_string().ok().filter(|name| name.starts_with(NAME)));
        found.extend(ours.map(|name| Found::named(sort, name, Mark::Stranger(NONE_MADE))));
    }
    Ok(())
}

/// Whether there is a network device of this name in this thread's network.
pub(super) fn has_device(name: &str) -> Result<bool, Error> {
    let look = |error| Error::host(format!("look for the network device {name}"), error);
    let socket = rustix::net::socket(AddressFamily::UNIX, SocketType::DGRAM, None).map_err(look)?;
    match name_to_index(&socket, name) {
        Ok(_) => Ok(true),
        Err(Errno::NODEV | Errno::NXIO) => Ok(false),
        Err(error) => Err(look(error)),
    }
}

/// The same in the network namespace that this file is; looked for by a thread that goes there and ends.
pub(super) fn has_device_in(name: &str, namespace: &Path) -> Result<bool, Error> {
    let enter = || {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let place = rustix::fs::open(namespace, flags, Mode::empty())?;
        move_into_link_name_space(place.as_fd(), Some(LinkNameSpaceType::Network))
    };
    let look = || {
        enter().map_err(|error| Error::host(format!("enter the network {}", namespace.display()), error))?;
        has_device(name)
    };
    let panicked = || Error::host("look into a network", io::Error::other("the thread that does it panicked"));
    std::thread::scope(|scope| scope.spawn(look).join().unwrap_or_else(|_| Err(panicked())))
}

/// Takes a mount away, and those that lie over it; absence is success.
pub(super) fn unmount(path: &Path) -> Result<(), Error> {
    loop {
        match rustix::mount::unmount(path, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW) {
            Ok(()) => {}
            // Nothing is mounted there, or nothing is there.
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOENT) => return Ok(()),
            Err(error) => return Err(Error::host(format!("unmount {}", path.display()), error)),
        }
    }
}

/// Where something is mounted below this folder, each place once.
fn mounts(table: &[u8], folder: &Path) -> Vec<PathBuf> {
    let fifth = |line: &[u8]| line.split(|byte| *byte == b' ').nth(4).map(plain);
    let places = table.split(|byte| *byte == b'\n').filter_map(fifth);
    let mut found: Vec<_> = places.filter(|place| place != folder && place.starts_with(folder)).collect();
    found.sort();
    found.dedup();
    // What is mounted inside another goes first.
    found.reverse();
    found
}

/// The kernel writes blanks and backslashes in octal: `\040`.
fn plain(text: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let octal = after.get(..3).filter(|_| *first == b'\\');
        let byte = octal.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        rest = if byte.is_some() { &after[3..] } else { after };
        bytes.push(byte.unwrap_or(*first));
    }
    PathBuf::from(OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_below_a_folder_are_found_whatever_their_names() {
        let table = b"1 0 0:1 / / rw - x\n2 1 0:2 / /r/vms rw - x\n3 1 0:3 / /r/vms/a\\040b/c rw - x\n\
                      4 1 0:4 / /r/vms/a\\040b rw - x\n5 1 0:5 / /r/vmsx rw - x\n6 1 0:4 / /r/vms/a\\040b rw - x\nshort\n";
        assert_eq!(mounts(table, Path::new("/r/vms")), [Path::new("/r/vms/a b/c"), Path::new("/r/vms/a b")]);
        assert_eq!(plain(b"a\\134\\9"), Path::new("a\\\\9"));
    }
}
