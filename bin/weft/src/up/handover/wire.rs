//! Words over a Unix socket, and descriptors beside them.
//!
//! A word is one line of JSON of bounded length. Descriptors come with the bytes of their word and close by
//! themselves where nobody takes them.

use super::Word;
use anyhow::{Context, Result, bail, ensure};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use tokio::io::Interest;
use tokio::net::UnixStream;

/// The longest word in bytes.
const LONGEST: usize = 4096;
/// The most descriptors beside a word.
const FDS: usize = 2;

/// The line between two wefts.
#[derive(Debug)]
pub(super) struct Line {
    stream: UnixStream,
    heard: Vec<u8>,
    fds: Vec<OwnedFd>,
}

impl Line {
    /// A line to a peer of the same user.
    ///
    /// # Errors
    /// The peer is somebody else, or the kernel does not tell who it is.
    pub(super) fn with(stream: UnixStream) -> Result<Self> {
        let peer = rustix::net::sockopt::socket_peercred(&stream).context("who is at the other end is not known")?;
        let (theirs, ours) = (peer.uid, rustix::process::geteuid());
        ensure!(theirs == ours, "user {} is at the other end, not user {}", theirs.as_raw(), ours.as_raw());
        Ok(Self { stream, heard: Vec::new(), fds: Vec::new() })
    }

    /// The process that connected or listened.
    pub(super) fn peer(&self) -> Option<rustix::process::Pid> {
        rustix::net::sockopt::socket_peercred(&self.stream).ok().map(|peer| peer.pid)
    }

    /// Says a word, with these descriptors beside it.
    ///
    /// # Errors
    /// The other end is gone.
    pub(super) async fn say(&self, word: &Word, fds: &[BorrowedFd<'_>]) -> Result<()> {
        let mut text = serde_json::to_vec(word)?;
        text.push(b'\n');
        let mut sent = 0;
        while sent < text.len() {
            let send = || {
                let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS))];
                let mut beside = SendAncillaryBuffer::new(&mut space);
                // Beside the first bytes alone: they must not come twice.
                if sent == 0 && !fds.is_empty() && !beside.push(SendAncillaryMessage::ScmRights(fds)) {
                    return Err(rustix::io::Errno::TOOBIG.into());
                }
                let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
                Ok(rustix::net::sendmsg(&self.stream, &[IoSlice::new(&text[sent..])], &mut beside, flags)?)
            };
            sent += self.stream.async_io(Interest::WRITABLE, send).await.context("the other end is gone")?;
        }
        Ok(())
    }

    /// The next word.
    ///
    /// # Errors
    /// The other end is gone, or what it says is no word.
    pub(super) async fn hear(&mut self) -> Result<Word> {
        loop {
            if let Some(end) = self.heard.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.heard.drain(..=end).collect();
                return serde_json::from_slice(&line).context("what is said is no word of a hand-over");
            }
            ensure!(self.heard.len() < LONGEST, "what is said is no word of a hand-over: it does not end");
            if self.read().await.context("the other end is gone")? == 0 {
                bail!("the other end is gone");
            }
        }
    }

    /// The descriptors that came so far.
    pub(super) fn take_fds(&mut self) -> Vec<OwnedFd> {
        std::mem::take(&mut self.fds)
    }

    async fn read(&mut self) -> std::io::Result<usize> {
        let mut bytes = [0; LONGEST];
        let (stream, fds) = (&self.stream, &mut self.fds);
        let receive = || {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FDS))];
            let mut beside = RecvAncillaryBuffer::new(&mut space);
            let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
            let came = rustix::net::recvmsg(stream, &mut [IoSliceMut::new(&mut bytes)], &mut beside, flags)?;
            for message in beside.drain() {
                if let RecvAncillaryMessage::ScmRights(came) = message {
                    fds.extend(came);
                }
            }
            fds.truncate(FDS);
            Ok(came.bytes)
        };
        let read = stream.async_io(Interest::READABLE, receive).await?;
        self.heard.extend_from_slice(&bytes[..read]);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::AsFd;

    fn pair() -> (Line, Line) {
        let (a, b) = UnixStream::pair().unwrap();
        (Line::with(a).unwrap(), Line::with(b).unwrap())
    }

    #[tokio::test]
    async fn words_and_descriptors_arrive_in_order() {
        let (a, mut b) = pair();
        let file = tempfile::tempfile().unwrap();
        a.say(&Word::Go, &[]).await.unwrap();
        a.say(&Word::Released, &[file.as_fd(), file.as_fd()]).await.unwrap();
        assert_eq!(b.hear().await.unwrap(), Word::Go);
        assert_eq!(b.hear().await.unwrap(), Word::Released);
        let fds = b.take_fds();
        assert_eq!(fds.len(), 2);
        std::fs::File::from(fds.into_iter().next().unwrap()).write_all(b"here").unwrap();
        assert_eq!(file.metadata().unwrap().len(), 4);
        drop(a);
        assert!(b.hear().await.unwrap_err().to_string().contains("gone"));
    }

    #[tokio::test]
    async fn what_is_no_word_is_refused_and_what_does_not_end_too() {
        use tokio::io::AsyncWriteExt;
        for bytes in [b"GET / HTTP/1.1\r\n\r\n".to_vec(), vec![0xff; LONGEST + 1], b"{\"go\"\n".to_vec()] {
            let (mut a, mut b) = pair();
            a.stream.write_all(&bytes).await.unwrap();
            assert!(b.hear().await.unwrap_err().to_string().contains("no word"));
        }
    }
}
