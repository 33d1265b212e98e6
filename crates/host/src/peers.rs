//! Which process is at the other end of a loopback connection.
//!
//! ```text
//!  (peer, ours) ─► /proc/net/tcp{,6} ─► the peer's socket ─► /proc/PID/fd of those who are asked about
//! ```
//!
//! A VMM with a user-mode network connects to the host's loopback on behalf of its guest. Whoever serves
//! this machine's users on loopback asks here, so that a guest is not taken for one of them. A VMM that was
//! taken over could leave its connections to others that it starts; in a jail they have its user, which
//! nobody else has.

use crate::processes::stat;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::MetadataExt;

/// A socket of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Socket {
    inode: u64,
    uid: u32,
}

/// The socket at the peer's end; `None` where the peer is not of this machine, or gone.
#[must_use]
pub fn socket_of(peer: SocketAddr, ours: SocketAddr) -> Option<Socket> {
    let (peer, ours) = (plain(peer), plain(ours));
    let table = if peer.is_ipv4() { "/proc/net/tcp" } else { "/proc/net/tcp6" };
    find(&fs::read_to_string(table).ok()?, &written(peer), &written(ours))
}

/// Whether this process holds the socket, or one of its user, where that is not our own.
#[must_use]
pub fn holds(pid: u32, socket: Socket) -> bool {
    let is_its_user = |uid: u32| uid == socket.uid && uid != rustix::process::geteuid().as_raw();
    if stat::user_of(pid).is_some_and(|(uid, _)| is_its_user(uid)) {
        return true;
    }
    let files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let is_it = |found: &fs::Metadata| found.ino() == socket.inode && is_socket(found);
    files.into_iter().any(|file| fs::metadata(file.path()).is_ok_and(|found| is_it(&found)))
}

fn is_socket(found: &fs::Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt;
    found.file_type().is_socket()
}

/// An IPv4 address that was mapped into IPv6 is that IPv4 address.
fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// An address as the kernel's table writes it: words of 32 bits in the host's byte order, then the port.
fn written(address: SocketAddr) -> String {
    let words = |bytes: &[u8]| -> String {
        let word = |chunk: &[u8]| u32::from_ne_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]);
        bytes.chunks_exact(4).map(|chunk| format!("{:08X}", word(chunk))).collect()
    };
    let ip = match address.ip() {
        IpAddr::V4(ip) => words(&ip.octets()),
        IpAddr::V6(ip) => words(&ip.octets()),
    };
    format!("{ip}:{:04X}", address.port())
}

/// The socket in the line of this connection, as seen from the peer's end.
fn find(table: &str, peer: &str, ours: &str) -> Option<Socket> {
    let mut lines = table.lines().skip(1).map(|line| line.split_ascii_whitespace().collect::<Vec<_>>());
    let line = lines.find(|line| line.get(1) == Some(&peer) && line.get(2) == Some(&ours))?;
    let inode = line.get(9)?.parse().ok().filter(|inode| *inode != 0)?;
    Some(Socket { inode, uid: line.get(7)?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    fn both(address: &str) -> Option<(TcpStream, TcpStream)> {
        let listener = TcpListener::bind(address).ok()?;
        let client = TcpStream::connect(listener.local_addr().ok()?).ok()?;
        let (server, _) = listener.accept().ok()?;
        Some((client, server))
    }

    #[test]
    fn the_holder_of_the_other_end_is_found() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Some((_client, server)) = both(address) else {
                println!("skipped: no listener on {address}");
                continue;
            };
            let (peer, ours) = (server.peer_addr().unwrap(), server.local_addr().unwrap());
            let socket = socket_of(peer, ours).expect("the peer is of this machine");
            assert_eq!(socket.uid, rustix::process::geteuid().as_raw());
            assert!(holds(std::process::id(), socket));
            assert!(!holds(1, socket) || std::process::id() == 1);
        }
    }

    #[test]
    fn a_connection_that_is_not_there_has_no_holder() {
        let nobody: SocketAddr = "127.0.0.1:1".parse().unwrap();
        assert_eq!(socket_of(nobody, nobody), None);
        assert_eq!(find("header\n garbage\n", "a", "b"), None);
    }
}
