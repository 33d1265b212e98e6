//! Which process is at the other end of a loopback connection.
//!
//! ```text
//!  (peer, ours) ─► /proc/net/tcp{,6} ─► inode of the peer's socket ─► /proc/PID/fd of those who are asked about
//! ```
//!
//! A VMM with a user-mode network connects to the host's loopback on behalf of its guest. Whoever serves
//! this machine's users on loopback asks here, so that a guest is not taken for one of them.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::MetadataExt;

/// The inode of the socket at the peer's end; `None` where the peer is not of this machine, or gone.
#[must_use]
pub fn socket_of(peer: SocketAddr, ours: SocketAddr) -> Option<u64> {
    let (peer, ours) = (plain(peer), plain(ours));
    let table = if peer.is_ipv4() { "/proc/net/tcp" } else { "/proc/net/tcp6" };
    find(&fs::read_to_string(table).ok()?, &written(peer), &written(ours))
}

/// Whether this process holds the socket with this inode.
#[must_use]
pub fn holds(pid: u32, inode: u64) -> bool {
    let files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    files.into_iter().any(|file| fs::metadata(file.path()).is_ok_and(|found| found.ino() == inode && is_socket(&found)))
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

/// The inode in the line of this connection, as seen from the peer's end.
fn find(table: &str, peer: &str, ours: &str) -> Option<u64> {
    let mut lines = table.lines().skip(1).map(|line| line.split_ascii_whitespace().collect::<Vec<_>>());
    let line = lines.find(|line| line.get(1) == Some(&peer) && line.get(2) == Some(&ours))?;
    line.get(9)?.parse().ok().filter(|inode| *inode != 0)
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
            let inode = socket_of(peer, ours).expect("the peer is of this machine");
            assert!(holds(std::process::id(), inode));
            assert!(!holds(1, inode) || std::process::id() == 1);
        }
    }

    #[test]
    fn a_connection_that_is_not_there_has_no_holder() {
        let nobody: SocketAddr = "127.0.0.1:1".parse().unwrap();
        assert_eq!(socket_of(nobody, nobody), None);
        assert_eq!(find("header\n garbage\n", "a", "b"), None);
    }
}
