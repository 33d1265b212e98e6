//! A Unix socket that hands over open files with the first bytes that are written to it, and knows when a
//! whole request has gone.

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::UnixStream;
use weft_ports::fault::{self, Point};

/// The most files that go with one message (the kernel's limit).
const MOST_FILES: usize = 253;

/// The socket, with the files that have not been handed over yet.
pub(super) struct Passing {
    stream: UnixStream,
    files: Vec<OwnedFd>,
    /// Bytes were written since it was last flushed.
    written: bool,
}

impl Passing {
    pub(super) const fn new(stream: UnixStream, files: Vec<OwnedFd>) -> Self {
        Self { stream, files, written: false }
    }

    /// Writes some of these bytes, and the files with them: all of them or none.
    fn hand_over(&self, bytes: &[u8]) -> io::Result<usize> {
        if self.files.len() > MOST_FILES {
            return Err(io::Error::other(format!("{} files do not fit into one message", self.files.len())));
        }
        let files: Vec<BorrowedFd<'_>> = self.files.iter().map(AsFd::as_fd).collect();
        let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_FILES))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !ancillary.push(SendAncillaryMessage::ScmRights(&files)) {
            return Err(io::Error::other("the files do not fit into one message"));
        }
        self.stream.try_io(Interest::WRITABLE, || {
            let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
            Ok(sendmsg(&self.stream, &[IoSlice::new(bytes)], &mut ancillary, flags)?)
        })
    }
}

impl AsyncRead for Passing {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Passing {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.written = true;
        if self.files.is_empty() {
            return Pin::new(&mut self.stream).poll_write(cx, bytes);
        }
        loop {
            ready!(self.stream.poll_write_ready(cx))?;
            match self.hand_over(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => {
                    self.files.clear();
                    return Poll::Ready(done);
                }
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if std::mem::take(&mut self.written) {
            fault::hit(Point::VmmAsked);
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
    use std::io::{IoSliceMut, Read, Write};
    use tokio::io::AsyncWriteExt;

    #[tokio::test]
    async fn files_come_with_the_first_bytes() {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"x").unwrap();
        let mut passing = Passing::new(UnixStream::from_std(ours).unwrap(), vec![file.into()]);
        passing.write_all(b"hello").await.unwrap();
        let (mut bytes, mut space) = ([0; 5], [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))]);
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let got = recvmsg(&theirs, &mut [IoSliceMut::new(&mut bytes)], &mut ancillary, RecvFlags::empty()).unwrap();
        assert_eq!(&bytes[..got.bytes], b"hello");
        let files: Vec<OwnedFd> = ancillary
            .drain()
            .flat_map(|message| match message {
                RecvAncillaryMessage::ScmRights(files) => files.collect::<Vec<_>>(),
                RecvAncillaryMessage::ScmCredentials(_) | _ => Vec::new(),
            })
            .collect();
        let mut file = std::fs::File::from(files.into_iter().next().unwrap());
        assert_eq!(std::io::Seek::stream_position(&mut file).unwrap(), 1, "it is the same open file");
        assert_eq!(file.read(&mut [0; 1]).unwrap(), 0);
    }
}
