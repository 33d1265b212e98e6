//! What Cloud Hypervisor tells by itself: JSON objects over several lines, an empty line after each.
//!
//! They come over a FIFO that the process holds open both ways, so that nothing is lost while nobody
//! reads: the kernel keeps 64 KiB. Beyond that events are cut or dropped, never waited for, and the guest
//! decides how many come; so a cut event is passed over, and whoever takes up a machine asks for its state.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::{OpenOptions, Receiver};

/// The longest event that is kept until it is whole, in bytes; true ones have some 200.
const MAX_EVENT: usize = 16 * 1024;
/// How each event begins.
const BEGINS: &[u8] = b"{\n  \"timestamp\"";

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// The virtual CPUs run for the first time.
    Booted,
    /// They are held.
    Paused,
    /// They go on.
    Resumed,
    /// The guest is gone: it powered off, or was told to.
    Shutdown,
    /// The guest was reset and boots again.
    Rebooted,
    /// CPUs, memory or the balloon have another size.
    Resized,
    /// The guest let a device go.
    DeviceRemoved(String),
    /// The guest's kernel panicked.
    Panicked,
    /// The machine went on elsewhere.
    Sent,
    /// It could not be sent.
    NotSent,
    /// A machine can be sent here now.
    Waits,
    /// A machine has come.
    Received,
    /// None has come.
    NotReceived,
    /// Something else.
    Other,
}

#[derive(Deserialize)]
struct Written {
    source: String,
    event: String,
    #[serde(default)]
    properties: Option<BTreeMap<String, String>>,
}

impl Written {
    fn read(self) -> Event {
        let property = |name: &str| self.properties.as_ref().and_then(|all| all.get(name)).cloned().unwrap_or_default();
        match (self.source.as_str(), self.event.as_str()) {
            ("vm", "booted") => Event::Booted,
            ("vm", "paused") => Event::Paused,
            ("vm", "resumed") => Event::Resumed,
            ("vm", "shutdown") => Event::Shutdown,
            ("vm", "rebooted") => Event::Rebooted,
            ("vm", "resized") => Event::Resized,
            ("vm", "device-removed") => Event::DeviceRemoved(property("id")),
            ("vm", "migration-finished") => Event::Sent,
            ("vm", "migration-failed") => Event::NotSent,
            ("vm", "migration-receive-ready") => Event::Waits,
            ("vm", "migration-receive-finished") => Event::Received,
            ("vm", "migration-receive-failed") => Event::NotReceived,
            // A guest that has loaded a kernel for its crash goes on with that.
            ("guest", "panic") if property("event") != "crash_loaded" => Event::Panicked,
            (_, _) => Event::Other,
        }
    }
}

/// Puts events together from what is read.
#[derive(Debug, Default)]
pub(super) struct Parser(Vec<u8>);

impl Parser {
    /// The events that are whole with these bytes.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Vec<Event> {
        self.0.extend_from_slice(bytes);
        let mut events = Vec::new();
        let mut begins = 0;
        while let Some(length) = find(&self.0[begins..], b"\n\n") {
            events.extend(read(&self.0[begins..begins + length]));
            begins += length + 2;
        }
        self.0.drain(..begins);
        if self.0.len() > MAX_EVENT {
            self.0.clear();
        }
        events
    }
}

/// One event. After a cut one the next follows on its heels.
fn read(bytes: &[u8]) -> Option<Event> {
    let whole = |bytes: &[u8]| serde_json::from_slice::<Written>(bytes).ok();
    let last = || (0..bytes.len()).rev().find(|at| bytes[*at..].starts_with(BEGINS)).and_then(|at| whole(&bytes[at..]));
    let written = whole(bytes).or_else(last);
    if written.is_none() && !bytes.trim_ascii().is_empty() {
        tracing::debug!(bytes = bytes.len(), "an event of Cloud Hypervisor was cut");
    }
    written.map(Written::read)
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// The events of one process, in order.
pub(super) struct Events {
    fifo: Receiver,
    parser: Parser,
    waiting: std::collections::VecDeque<Event>,
}

impl Events {
    /// Of the process that holds the other end of this FIFO. Held open both ways, it never ends.
    pub(super) fn open(fifo: &Path) -> io::Result<Self> {
        let fifo = OpenOptions::new().read_write(true).open_receiver(fifo)?;
        Ok(Self { fifo, parser: Parser::default(), waiting: std::collections::VecDeque::new() })
    }

    /// Of a process whose events cannot be had: none come.
    pub(super) fn none() -> io::Result<Self> {
        let (_, fifo) = tokio::net::unix::pipe::pipe()?;
        Ok(Self { fifo, parser: Parser::default(), waiting: std::collections::VecDeque::new() })
    }

    /// The next. May be cancelled without loss.
    pub(super) async fn next(&mut self) -> io::Result<Event> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Ok(event);
            }
            let mut bytes = [0; 4_096];
            let read = self.fifo.read(&mut bytes).await?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.waiting.extend(self.parser.feed(&bytes[..read]));
        }
    }

    /// One that has come already.
    pub(super) fn waiting(&mut self) -> Option<Event> {
        let mut bytes = [0; 4_096];
        while self.waiting.is_empty() {
            // Past the runtime, which may not have heard yet that there is something to read.
            match rustix::io::read(&self.fifo, &mut bytes) {
                Ok(read) if read > 0 => self.waiting.extend(self.parser.feed(&bytes[..read])),
                Ok(_) | Err(_) => return None,
            }
        }
        self.waiting.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(source: &str, event: &str, properties: &str) -> String {
        format!(
            "{{\n  \"timestamp\": {{\n    \"secs\": 0,\n    \"nanos\": 7\n  }},\n  \"source\": \"{source}\",\n  \
             \"event\": \"{event}\",\n  \"properties\": {properties}\n}}\n\n"
        )
    }

    #[test]
    fn events_are_read_by_source_and_name() {
        let table = [
            ("vm", "booted", "null", Event::Booted),
            ("vm", "shutdown", "null", Event::Shutdown),
            ("vmm", "shutdown", "null", Event::Other),
            ("guest", "panic", "{\n    \"event\": \"panic\"\n  }", Event::Panicked),
            ("guest", "panic", "{\n    \"event\": \"crash_loaded\"\n  }", Event::Other),
            ("vm", "device-removed", "{\n    \"id\": \"disk-a\"\n  }", Event::DeviceRemoved("disk-a".into())),
            ("virtio-device", "activated", "{\n    \"id\": \"disk-a\"\n  }", Event::Other),
        ];
        for (source, event, properties, expected) in table {
            let mut parser = Parser::default();
            assert_eq!(parser.feed(written(source, event, properties).as_bytes()), [expected]);
        }
    }

    #[test]
    fn a_cut_event_takes_only_itself() {
        let (first, second) = (written("vm", "paused", "null"), written("vm", "resumed", "null"));
        let cut = format!("{}{second}{first}", &first[..first.len() / 2]);
        assert_eq!(Parser::default().feed(cut.as_bytes()), [Event::Resumed, Event::Paused]);
        let garbage = format!("\0\u{1}garbage\n\n{second}");
        assert_eq!(Parser::default().feed(garbage.as_bytes()), [Event::Resumed]);
    }

    #[test]
    fn what_never_ends_is_not_kept() {
        let mut parser = Parser::default();
        for _ in 0..100 {
            parser.feed(&[b'x'; 1_024]);
        }
        assert!(parser.0.len() <= MAX_EVENT);
        assert_eq!(parser.feed(format!("\n\n{}", written("vm", "paused", "null")).as_bytes()), [Event::Paused]);
    }

    proptest! {
        #[test]
        fn events_come_through_however_they_are_cut(pieces in proptest::collection::vec(1usize..40, 1..60)) {
            let names = ["booted", "paused", "resumed", "rebooted", "shutdown"];
            let text: String = names.iter().map(|name| written("vm", name, "null")).collect();
            let (mut parser, mut events, mut rest) = (Parser::default(), Vec::new(), text.as_bytes());
            for length in pieces.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (now, later) = rest.split_at((*length).min(rest.len()));
                events.extend(parser.feed(now));
                rest = later;
            }
            let expected = [Event::Booted, Event::Paused, Event::Resumed, Event::Rebooted, Event::Shutdown];
            prop_assert_eq!(events, expected);
        }

        #[test]
        fn nothing_that_comes_breaks_it(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
            Parser::default().feed(&bytes);
        }
    }

    #[tokio::test]
    async fn what_was_told_while_nobody_read_is_read() {
        use std::io::Write;
        let folder = tempfile::tempdir().unwrap();
        let folder = super::super::folder::Folder(folder.path().into());
        let mut process = folder.make_events().unwrap();
        process.write_all(written("vm", "booted", "null").as_bytes()).unwrap();
        let mut events = Events::open(&folder.events()).unwrap();
        assert_eq!(events.next().await.unwrap(), Event::Booted);
        drop(events);
        process.write_all(written("vm", "paused", "null").as_bytes()).unwrap();
        let mut events = Events::open(&folder.events()).unwrap();
        assert_eq!(events.waiting(), Some(Event::Paused));
        assert_eq!(events.waiting(), None);
    }
}
