//! A guest's serial console at the caller's terminal.
//!
//! ```text
//!  keys ──► escape? ──► pending ──► attach ──► answer ──► out
//!  size ───────────────────┘           interrupt, end of input, end of guest ──► left
//! ```
//!
//! Raw mode is on only between the attach and the end, whichever end it is: a [`Guard`](crate::terminal::Guard)
//! puts the terminal back. Input that is no terminal is passed on byte by byte, and its end leaves the
//! console once the guest has been silent for a while.

use crate::Error;
use crate::args::value::Escape;
use crate::desk::Desk;
use crate::show::escapes::Unasked;
use bytes::Bytes;
use futures::StreamExt;
use std::collections::VecDeque;
use std::io;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use tokio_stream::wrappers::ReceiverStream;
use weft_domain::Fault;
use weft_ports::api::{Answers, ConsoleInput, LogQuery, LogStart, VmRef};

/// Pieces of input that wait for the server before no more is read.
const WAITING: usize = 4;
/// How long the last keys have to reach the guest.
const FLUSH: Duration = Duration::from_millis(300);
/// How long reading the history may keep the caller from the console.
const PATIENCE: Duration = Duration::from_secs(5);

/// Which console, and on which terms.
pub(crate) struct Attach {
    /// Whose.
    pub(crate) vm: VmRef,
    /// Its name, for people.
    pub(crate) name: String,
    /// The key that leaves.
    pub(crate) escape: Escape,
    /// How long the guest may be silent after the end of input.
    pub(crate) linger: Duration,
    /// This much of what was written already is shown first.
    pub(crate) history: u64,
}

/// Why a console was left.
#[derive(Debug)]
enum Left {
    Key,
    Silence,
    Interrupt,
    Guest,
    Refused(Fault),
    Broken(Error),
}

/// Is at a console until it is left.
pub(crate) async fn attach(desk: &mut Desk, terms: Attach) -> Result<(), Error> {
    let (send, receive) = mpsc::channel(WAITING);
    let person = desk.terminal.abilities.input_tty;
    let written = history(desk, &terms).await;
    let input = ReceiverStream::new(receive).boxed();
    let call = desk.stream();
    let answers = desk.services.consoles.attach(&call, &terms.vm, input).await?;
    introduce(desk, &terms);
    desk.answer_bytes(&written)?;
    let left = {
        let raw = if person { Some(desk.terminal.raw.enter()) } else { None };
        // Held to the end of the block, whatever happens in it.
        let _guard = raw.transpose().map_err(|source| Error::UseTerminal { source })?;
        Loop::new(send, answers, &terms).run(desk).await
    };
    conclude(desk, &terms, left).await
}

/// The end of what the guest has written already: only for a person, who wants to see where they are.
async fn history(desk: &Desk, terms: &Attach) -> Vec<u8> {
    if !desk.terminal.abilities.out_tty {
        return Vec::new();
    }
    let query = LogQuery { start: LogStart::Tail(terms.history), follow: false, max_bytes: terms.history };
    let call = desk.call(Some(PATIENCE));
    let gather = async {
        let mut text = Vec::new();
        let mut chunks = desk.services.consoles.log(&call, &terms.vm, query).await?;
        while let Some(chunk) = chunks.next().await {
            text.extend_from_slice(&chunk?.bytes);
        }
        Ok::<_, Fault>(text)
    };
    // A console without its history is still a console.
    let Ok(Ok(mut text)) = timeout(PATIENCE, gather).await else { return Vec::new() };
    if text.len() as u64 >= terms.history {
        // A line that is cut off says nothing.
        text.drain(..=text.iter().position(|byte| *byte == b'\n').unwrap_or(0));
    }
    Unasked::default().pass(&text)
}

fn introduce(desk: &mut Desk, terms: &Attach) {
    let leave = match (desk.terminal.abilities.input_tty, terms.escape.0) {
        (true, Some(key)) => format!("press Ctrl-{} to leave", char::from(key | 0x40)),
        (true, None) => "no key leaves it; end this program from outside".to_owned(),
        (false, _) => "it is left at the end of input".to_owned(),
    };
    desk.remark(&format!("at the console of {}; {leave}", terms.name));
}

async fn conclude(desk: &mut Desk, terms: &Attach, left: Left) -> Result<(), Error> {
    let name = &terms.name;
    if desk.terminal.abilities.out_tty {
        desk.answer("\n")?;
    }
    match left {
        Left::Key | Left::Silence => {
            desk.remark(&format!("left the console of {name}; it goes on"));
            Ok(())
        }
        Left::Guest => {
            let vm = desk.services.vms.get(&desk.call(Some(PATIENCE)), &terms.vm).await;
            let phase = vm.map(|vm| format!("; VM {name} is {}", vm.value.status.phase)).unwrap_or_default();
            desk.remark(&format!("the console has ended{phase}"));
            Ok(())
        }
        Left::Interrupt => Err(Error::Interrupted { follow: String::new() }),
        Left::Refused(fault) => Err(fault.into()),
        Left::Broken(error) => Err(error),
    }
}

/// What happened first.
enum Happened {
    Passed,
    Answer(Option<Result<Bytes, Fault>>),
    Size(bool),
    Read(io::Result<usize>),
}

/// What is under way between the terminal and the guest.
struct Loop {
    send: mpsc::Sender<ConsoleInput>,
    answers: Answers<Bytes>,
    pending: VecDeque<ConsoleInput>,
    escape: Option<u8>,
    linger: Duration,
    heard: Instant,
    open: bool,
    person: bool,
}

impl Loop {
    fn new(send: mpsc::Sender<ConsoleInput>, answers: Answers<Bytes>, terms: &Attach) -> Self {
        let (pending, escape, linger) = (VecDeque::new(), terms.escape.0, terms.linger);
        Self { send, answers, pending, escape, linger, heard: Instant::now(), open: true, person: true }
    }

    async fn run(mut self, desk: &mut Desk) -> Left {
        let interrupt = desk.terminal.interrupt.clone();
        self.person = desk.terminal.abilities.input_tty;
        let mut sized = self.person;
        if self.person {
            desk.terminal.size.mark_changed();
        } else {
            self.escape = None;
        }
        let mut keys = vec![0; 4096];
        loop {
            let room = self.pending.len() < WAITING;
            let silence = sleep((self.heard + self.linger).saturating_duration_since(Instant::now()));
            let happened = tokio::select! {
                biased;
                () = interrupt.cancelled() => return Left::Interrupt,
                answer = self.answers.next() => Happened::Answer(answer),
                permit = self.send.reserve(), if !self.pending.is_empty() => {
                    match (permit, self.pending.pop_front()) {
                        (Ok(permit), Some(input)) => permit.send(input),
                        // Nobody listens any more; the answers will say why.
                        (Err(_), _) | (_, None) => self.pending.clear(),
                    }
                    Happened::Passed
                }
                changed = desk.terminal.size.changed(), if sized && room => Happened::Size(changed.is_ok()),
                read = desk.terminal.input.read(&mut keys), if self.open && room => Happened::Read(read),
                () = silence, if !self.open && self.pending.is_empty() => return Left::Silence,
            };
            let left = match happened {
                Happened::Passed => None,
                Happened::Answer(answer) => self.answered(desk, answer),
                Happened::Size(true) => self.resized(desk),
                Happened::Size(false) => {
                    sized = false;
                    None
                }
                Happened::Read(Ok(count)) => self.typed(&keys[..count]),
                Happened::Read(Err(source)) => Some(Left::Broken(Error::UseTerminal { source })),
            };
            if let Some(left) = left {
                if matches!(left, Left::Key) {
                    self.flush().await;
                }
                return left;
            }
        }
    }

    fn answered(&mut self, desk: &mut Desk, answer: Option<Result<Bytes, Fault>>) -> Option<Left> {
        self.heard = Instant::now();
        match answer {
            Some(Ok(bytes)) => desk.answer_bytes(&bytes).err().map(Left::Broken),
            Some(Err(fault)) => Some(Left::Refused(fault)),
            None => Some(Left::Guest),
        }
    }

    fn resized(&mut self, desk: &mut Desk) -> Option<Left> {
        let size = *desk.terminal.size.borrow_and_update();
        self.pending.push_back(ConsoleInput::Resize(size.columns, size.rows));
        None
    }

    /// Takes what was typed; tells why the console is left, if it is.
    fn typed(&mut self, keys: &[u8]) -> Option<Left> {
        let escape = self.escape.and_then(|escape| keys.iter().position(|key| *key == escape));
        let passed = &keys[..escape.unwrap_or(keys.len())];
        if !passed.is_empty() {
            self.pending.push_back(ConsoleInput::Bytes(Bytes::copy_from_slice(passed)));
        }
        match (escape, keys.is_empty()) {
            (Some(_), _) => Some(Left::Key),
            (None, true) if self.person => Some(Left::Key),
            (None, true) => {
                (self.open, self.heard) = (false, Instant::now());
                None
            }
            (None, false) => None,
        }
    }

    /// What was typed before the key that leaves still reaches the guest.
    async fn flush(mut self) {
        let last = async {
            while let Some(input) = self.pending.pop_front() {
                if self.send.send(input).await.is_err() {
                    return;
                }
            }
            drop(self.send);
            while let Some(Ok(_)) = self.answers.next().await {}
        };
        // Whoever presses the key wants to go: the rest is lost.
        let _ = timeout(FLUSH, last).await;
    }
}
