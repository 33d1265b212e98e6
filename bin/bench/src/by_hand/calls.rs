//! HTTP calls over a Unix socket, one after the other, as far as VMMs speak it.

use super::PATIENCE;
use anyhow::{Context, Result, bail, ensure};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;

/// The longest answer that is read.
const LIMIT: u64 = 64 * 1024;

/// One connection.
pub(super) struct Calls(BufReader<UnixStream>);

impl Calls {
    /// Over this socket.
    pub(super) fn over(socket: UnixStream) -> Result<Self> {
        socket.set_read_timeout(Some(PATIENCE))?;
        Ok(Self(BufReader::new(socket)))
    }

    /// Puts a body and waits until that was done.
    pub(super) fn put(&mut self, path: &str, body: &serde_json::Value) -> Result<()> {
        self.ask(path, body)?;
        self.heard().with_context(|| format!("PUT {path} {body}"))
    }

    /// Puts a body; whoever is to hear it need not be there yet.
    pub(super) fn ask(&mut self, path: &str, body: &serde_json::Value) -> Result<()> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let head = "HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length:";
        Ok(self.0.get_mut().write_all(format!("PUT {path} {head} {}\r\n\r\n{body}", body.len()).as_bytes())?)
    }

    /// Waits for the answer to what was asked.
    pub(super) fn heard(&mut self) -> Result<()> {
        let mut line = String::new();
        ensure!(self.0.read_line(&mut line)? > 0, "it closed its socket");
        let status = line.trim().to_owned();
        let mut length = 0;
        loop {
            line.clear();
            ensure!(self.0.read_line(&mut line)? > 0, "it closed its socket");
            match line.trim().split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.trim().parse()?,
                Some(_) => {}
                None => break,
            }
        }
        let mut body = String::new();
        (&mut self.0).take(LIMIT.min(length)).read_to_string(&mut body)?;
        if status.split(' ').nth(1).is_some_and(|code| code.starts_with('2')) {
            return Ok(());
        }
        bail!("it answers {status}: {body}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// What is heard of these bytes, twice.
    fn heard(text: &str) -> [Result<()>; 2] {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        theirs.write_all(text.as_bytes()).unwrap();
        drop(theirs);
        let mut calls = Calls::over(ours).unwrap();
        [calls.heard(), calls.heard()]
    }

    #[test]
    fn answers_are_told_apart() {
        let [first, second] =
            heard("HTTP/1.1 204 \r\nServer: x\r\n\r\nHTTP/1.1 400 \r\nContent-Length: 7\r\n\r\nno such");
        assert!(first.is_ok());
        assert_eq!(second.unwrap_err().to_string(), "it answers HTTP/1.1 400: no such");
        assert!(heard("HTTP/1.1 204 \r\n")[0].is_err(), "half an answer is none");
    }

    #[test]
    fn a_body_goes_with_its_length() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let mut calls = Calls::over(ours).unwrap();
        calls.ask("/actions", &json!({"a": 1})).unwrap();
        drop(calls);
        let mut text = String::new();
        theirs.read_to_string(&mut text).unwrap();
        assert!(text.starts_with("PUT /actions HTTP/1.1\r\n") && text.ends_with("Content-Length: 7\r\n\r\n{\"a\":1}"));
    }
}
