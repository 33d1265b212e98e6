//! What a VMM says of its machine, asked over its own socket by a client of a few lines.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long it is given to answer; one that speaks with somebody else is passed over.
const PATIENCE: Duration = Duration::from_millis(500);
/// The most that is read of an answer.
const MOST: usize = 64 << 10;
/// The name of the socket.
const SOCKET: &str = "api.sock";

/// The state that the VMM of this folder tells; nothing where none is told.
pub(super) fn state(folder: &Path) -> Option<String> {
    let socket = socket(folder)?;
    // Firecracker's, then Cloud Hypervisor's.
    ["/", "/api/v1/vm.info"].into_iter().find_map(|path| word(&ask(&socket, path)?))
}

fn socket(folder: &Path) -> Option<PathBuf> {
    let is_socket = |path: &PathBuf| fs::symlink_metadata(path).is_ok_and(|it| it.file_type().is_socket());
    let below = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path().join(SOCKET));
    std::iter::once(folder.join(SOCKET)).chain(below).find(is_socket)
}

fn ask(socket: &Path, path: &str) -> Option<String> {
    let mut stream = UnixStream::connect(socket).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.set_write_timeout(Some(PATIENCE)).ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let (mut answer, mut chunk) = (Vec::new(), [0; 4096]);
    while !is_whole(&answer) && answer.len() < MOST {
        match stream.read(&mut chunk).ok()? {
            0 => break,
            read => answer.extend_from_slice(&chunk[..read]),
        }
    }
    let text = String::from_utf8_lossy(&answer).into_owned();
    text.split(' ').nth(1).filter(|status| *status == "200")?;
    Some(text)
}

fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length =
        head.to_ascii_lowercase().lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    body.len() >= length.unwrap_or(0)
}

/// The text of the first `state` in an answer.
fn word(answer: &str) -> Option<String> {
    let rest = answer.split_once("\"state\"")?.1.trim_start().strip_prefix(':')?;
    Some(rest.trim_start().strip_prefix('"')?.split('"').next()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_found_in_either_s_words() {
        assert_eq!(word(r#"{"id":"a","state":"Not started","x":1}"#).as_deref(), Some("Not started"));
        assert_eq!(word(r#"{"config":{"a":1},"state": "Paused"}"#).as_deref(), Some("Paused"));
        assert_eq!(word("{}"), None);
    }

    #[test]
    fn an_answer_is_whole_when_its_body_is() {
        assert!(is_whole(b"HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\n{}"));
        assert!(!is_whole(b"HTTP/1.1 200 \r\nContent-Length: 3\r\n\r\n{}"));
        assert!(!is_whole(b"HTTP/1.1 200 \r\n"));
    }
}
