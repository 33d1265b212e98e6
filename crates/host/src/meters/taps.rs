//! Statistics of taps, by rtnetlink: one socket for each network namespace, one question for each tap.
//!
//! What a tap received from the host is what its guest received; the kernel counts that when the VMM takes it. A
//! tap is known by its index, so that another of the same name is not read in its place.

use rustix::fd::OwnedFd;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netdevice};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use weft_ports::meters::Tap;

/// Asks for statistics; answers them; an error.
const ASK: u16 = 94;
const ANSWER: u16 = 92;
const ERROR: u16 = 2;
/// Marks a question.
const REQUEST: u16 = 1;
/// The statistics of a link in 64 bits: its bit in a question, its type in an answer.
const LINK_64: u16 = 1;
/// Lengths of the head of a message, of a question, and of the head of an attribute.
const HEAD: usize = 16;
const QUESTION: usize = 12;
const ATTRIBUTE: usize = 4;

/// Which namespace: the file it is, or the host's.
type Key = Option<(u64, u64)>;

/// A socket for each namespace that is asked about.
#[derive(Debug, Default)]
pub(super) struct Links(Mutex<HashMap<Key, Weak<Mutex<Socket>>>>);

/// A socket in one namespace.
#[derive(Debug)]
struct Socket {
    fd: OwnedFd,
    sequence: u32,
}

/// One tap.
#[derive(Debug)]
pub(super) struct Link {
    socket: Arc<Mutex<Socket>>,
    index: u32,
}

/// What a guest received and sent, as its tap saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Traffic {
    /// Packets and bytes to the guest.
    pub(super) received: (u64, u64),
    /// Packets and bytes from the guest.
    pub(super) sent: (u64, u64),
}

impl Links {
    /// Those of these taps that are there.
    pub(super) fn find(&self, taps: &[Tap]) -> Vec<Link> {
        let found = taps.iter().filter_map(|tap| match self.link(tap) {
            Ok(link) => Some(link),
            Err(error) => {
                tracing::warn!(tap = tap.name, %error, "what goes over a tap is not measured");
                None
            }
        });
        found.collect()
    }

    fn link(&self, tap: &Tap) -> io::Result<Link> {
        let socket = self.socket(tap.namespace.as_deref())?;
        let index = {
            let held = socket.lock().unwrap_or_else(PoisonError::into_inner);
            netdevice::name_to_index(held.fd.as_fd(), &tap.name)?
        };
        Ok(Link { socket, index })
    }

    fn socket(&self, namespace: Option<&Path>) -> io::Result<Arc<Mutex<Socket>>> {
        let key = match namespace {
            Some(path) => Some(path.metadata().map(|it| (it.dev(), it.ino()))?),
            None => None,
        };
        let mut sockets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(socket) = sockets.get(&key).and_then(Weak::upgrade) {
            return Ok(socket);
        }
        let fd = match namespace {
            Some(path) => made_in(path)?,
            None => made()?,
        };
        let socket = Arc::new(Mutex::new(Socket { fd, sequence: 0 }));
        sockets.retain(|_, socket| socket.strong_count() > 0);
        sockets.insert(key, Arc::downgrade(&socket));
        Ok(socket)
    }
}

fn made() -> io::Result<OwnedFd> {
    // The first protocol of this family is rtnetlink.
    Ok(rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?)
}

/// A socket stays in the namespace of the thread that made it, so a thread of its own goes there.
fn made_in(namespace: &Path) -> io::Result<OwnedFd> {
    let namespace = File::open(namespace)?;
    let there = move || {
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
        made()
    };
    let thread = std::thread::Builder::new().name("weft-namespace".to_owned()).spawn(there)?;
    thread.join().unwrap_or_else(|_| Err(io::Error::other("the thread that went there fell")))
}

impl Link {
    /// What has gone over it since it was made.
    pub(super) fn read(&self) -> io::Result<Traffic> {
        let mut socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        socket.sequence = socket.sequence.wrapping_add(1);
        rustix::net::send(&socket.fd, &question(self.index, socket.sequence), SendFlags::empty())?;
        let mut buffer = [0; 1024];
        loop {
            // The kernel has answered when the question was sent.
            let (_, length) = rustix::net::recv(&socket.fd, &mut buffer, RecvFlags::DONTWAIT)?;
            let message = &buffer[..length.min(buffer.len())];
            if number(message, 8) == Some(u64::from(socket.sequence)) {
                return answer(message);
            }
        }
    }
}

fn question(index: u32, sequence: u32) -> [u8; HEAD + QUESTION] {
    let mut bytes = [0; HEAD + QUESTION];
    bytes[0] = u8::try_from(HEAD + QUESTION).expect("it is 28");
    bytes[4..6].copy_from_slice(&ASK.to_ne_bytes());
    bytes[6..8].copy_from_slice(&REQUEST.to_ne_bytes());
    bytes[8..12].copy_from_slice(&sequence.to_ne_bytes());
    bytes[HEAD + 4..HEAD + 8].copy_from_slice(&index.to_ne_bytes());
    bytes[HEAD + 8..HEAD + 12].copy_from_slice(&u32::from(LINK_64).to_ne_bytes());
    bytes
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn number(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?).into())
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_ne_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

fn answer(message: &[u8]) -> io::Result<Traffic> {
    let odd = || io::Error::from(io::ErrorKind::InvalidData);
    match half(message, 4) {
        Some(ANSWER) => {}
        Some(ERROR) => {
            let code = message.get(HEAD..HEAD + 4).and_then(|bytes| bytes.try_into().ok()).map(i32::from_ne_bytes);
            return Err(code.map_or_else(odd, |code| io::Error::from_raw_os_error(-code)));
        }
        _ => return Err(odd()),
    }
    let attribute = HEAD + QUESTION;
    if half(message, attribute + 2) != Some(LINK_64) {
        return Err(odd());
    }
    let figure = |place: usize| long(message, attribute + ATTRIBUTE + 8 * place).ok_or_else(odd);
    // The kernel's order: packets received and sent, then bytes received and sent, seen from the host.
    Ok(Traffic { received: (figure(1)?, figure(3)?), sent: (figure(0)?, figure(2)?) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;

    fn of(name: &str, what: &str) -> u64 {
        let text = std::fs::read_to_string(format!("/sys/class/net/{name}/statistics/{what}")).unwrap();
        text.trim().parse().unwrap()
    }

    #[test]
    fn the_figures_are_those_that_the_kernel_shows() {
        let links = Links::default();
        let found = links.find(&[Tap { name: "lo".to_owned(), namespace: None }]);
        let [lo] = found.as_slice() else { panic!("every host has a loopback") };
        let before = lo.read().unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.send_to(&[7; 100], socket.local_addr().unwrap()).unwrap();
        let (low, now, high) = (of("lo", "rx_bytes"), lo.read().unwrap(), of("lo", "rx_bytes"));
        assert!(low <= now.sent.1 && now.sent.1 <= high, "{low} {now:?} {high}");
        assert!(now.sent.1 >= before.sent.1 + 100 && now.received.0 > before.received.0, "{before:?} {now:?}");
        let again = links.find(&[Tap { name: "lo".to_owned(), namespace: None }]);
        assert!(Arc::ptr_eq(&lo.socket, &again[0].socket), "one socket for all of a namespace");
    }

    #[test]
    fn one_that_is_not_there_is_left_out() {
        let none = Tap { name: "weft-none".to_owned(), namespace: None };
        let nowhere = Tap { name: "lo".to_owned(), namespace: Some("/nowhere".into()) };
        assert_eq!(Links::default().find(&[none, nowhere]).len(), 0);
        let socket = Arc::new(Mutex::new(Socket { fd: made().unwrap(), sequence: 6 }));
        let gone = Link { socket, index: u32::MAX >> 1 };
        assert!(gone.read().is_err() && gone.read().is_err());
    }

    #[test]
    fn another_namespace_has_others() {
        // A thread of its own that has left the host's network holds a namespace for as long as it lives.
        let (told, tells) = (std::sync::mpsc::channel(), std::sync::mpsc::channel::<()>());
        let thread = std::thread::spawn(move || {
            #[expect(unsafe_code, reason = "no safe function leaves a namespace")]
            // SAFETY: only this thread's own network changes.
            let left = unsafe { libc::unshare(libc::CLONE_NEWNET) } == 0;
            let tid = rustix::thread::gettid().as_raw_nonzero();
            told.0.send(left.then(|| format!("/proc/self/task/{tid}/ns/net"))).unwrap();
            // The test lets go when it has read.
            let _ = tells.1.recv();
        });
        let Some(path) = told.1.recv().unwrap() else {
            println!("skipped: this user may not leave the host's network");
            return;
        };
        let links = Links::default();
        let here = links.find(&[Tap { name: "lo".to_owned(), namespace: None }]);
        let there = links.find(&[Tap { name: "lo".to_owned(), namespace: Some(path.into()) }]);
        assert!(!Arc::ptr_eq(&here[0].socket, &there[0].socket));
        assert_eq!(there[0].read().unwrap(), Traffic::default(), "nothing went over it");
        drop(tells.0);
        thread.join().unwrap();
    }
}
