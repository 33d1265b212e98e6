//! Either side of a hand-over, played by a test: words as lines of JSON over a Unix socket.

use crate::LIMIT;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, IoSlice, Write};
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use weft_testbed::daemon::Daemon;

/// One end of a hand-over.
pub(crate) struct Talk(BufReader<UnixStream>);

/// Where a daemon may be asked.
pub(crate) fn gate(daemon: &Daemon) -> PathBuf {
    crate::told(daemon)["gate"].as_str().expect("it has a gate").into()
}

impl Talk {
    /// To a daemon.
    pub(crate) fn to(daemon: &Daemon) -> Self {
        Self::over(UnixStream::connect(gate(daemon)).expect("it listens"))
    }

    /// To a daemon that may be opening its gate anew, with its answer to a question.
    pub(crate) fn asked(daemon: &Daemon) -> (Self, Value) {
        let begun = std::time::Instant::now();
        loop {
            if let Ok(stream) = UnixStream::connect(gate(daemon)) {
                let mut talk = Self::over(stream);
                talk.say(&ask());
                // Whoever asked before may have hung up a moment ago.
                let taken = |answer: &Value| answer["refused"]["why"].to_string().contains("is taking over already");
                if let Some(answer) = talk.hear().filter(|answer| !taken(answer)) {
                    return (talk, answer);
                }
            }
            assert!(begun.elapsed() < LIMIT, "nobody answers\n{}", daemon.log());
            // why: another process is waited for, which tells us nothing.
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }

    /// Over a connection.
    pub(crate) fn over(stream: UnixStream) -> Self {
        stream.set_read_timeout(Some(LIMIT)).expect("a limit");
        Self(BufReader::new(stream))
    }

    /// Says a word.
    pub(crate) fn say(&mut self, word: &Value) {
        // The other end may be gone, which the next reading tells.
        let _ = writeln!(self.0.get_mut(), "{word}");
    }

    /// Says a word with descriptors beside it.
    pub(crate) fn say_with(&mut self, word: &Value, fds: &[BorrowedFd<'_>]) {
        use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
        let mut beside = SendAncillaryBuffer::new(&mut space);
        assert!(beside.push(SendAncillaryMessage::ScmRights(fds)));
        let text = format!("{word}\n");
        sendmsg(self.0.get_ref(), &[IoSlice::new(text.as_bytes())], &mut beside, SendFlags::empty()).expect("sent");
    }

    /// The next word; nothing where the other end is gone.
    pub(crate) fn hear(&mut self) -> Option<Value> {
        let mut line = String::new();
        match self.0.read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => Some(serde_json::from_str(&line).expect("a word")),
            Err(why) if why.kind() == std::io::ErrorKind::ConnectionReset => None,
            Err(why) => panic!("nothing is said: {why}"),
        }
    }
}

/// What a successor of today asks.
pub(crate) fn ask() -> Value {
    let reads = json!({
        "store": weft_store::embedded::FORMAT, "records": weft_api::codec::FORMAT, "journal": weft_host::journal::FORMAT,
    });
    json!({ "ask": { "protocol": 1, "version": "0.0.0", "pid": std::process::id(), "reads": reads } })
}
