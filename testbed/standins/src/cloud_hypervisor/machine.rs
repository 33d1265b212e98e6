//! The machine inside: the scripted guest on its serial line, running, paused or gone.
//!
//! ```text
//!  socket | pty | tty ── lines ──► waits while paused ──► guest ──► the same way back, or a file
//!                                                           └─► what it did to its machine ──► the VMM
//! ```
//!
//! A boot is told from the next by its number, so that what an old guest did never hits a new one.

use super::consoles::Line;
use crate::faults::{Fault, Faults};
use crate::guest::{Act, Guest, POWERING_OFF, lines};
use serde_json::Value;
use std::io::{Read, Write};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How long a guest takes to react to its power button.
const REACTION: Duration = Duration::from_millis(50);

/// What a guest did to its machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    PowerOff,
    Reset,
    Panic,
}

/// The machine.
pub(crate) struct Machine {
    inner: Mutex<Inner>,
    changed: Condvar,
    faults: Faults,
    deeds: Sender<(u64, Deed)>,
}

#[derive(Default)]
struct Inner {
    boot: u64,
    guest: Option<Guest>,
    running: bool,
    out: Option<Box<dyn Write + Send>>,
    lines: Vec<Line>,
}

impl Machine {
    /// A machine that is off; what its guests do goes to `deeds`.
    pub(crate) fn new(faults: Faults, deeds: Sender<(u64, Deed)>) -> Arc<Self> {
        Arc::new(Self { inner: Mutex::default(), changed: Condvar::new(), faults, deeds })
    }

    /// Boots a guest on a serial line; it runs at once and says so.
    pub(crate) fn boot(self: &Arc<Self>, guest: Guest, serial: Line, held: Vec<Line>) {
        let (banner, errands, leaves) = (guest.banner(), guest.errands(), guest.leaves());
        self.take(guest, serial, held);
        let mut inner = self.lock();
        inner.running = true;
        say(&mut inner, &banner);
        if let Some(act) = leaves {
            let deed = if act == Act::PowerOff { Deed::PowerOff } else { Deed::Reset };
            let _ = self.deeds.send((inner.boot, deed));
        }
        drop(inner);
        self.changed.notify_all();
        if !errands.is_empty() {
            let machine = self.clone();
            thread::spawn(move || errands.iter().for_each(|errand| machine.hear(errand)));
        }
    }

    /// Takes a guest over, paused.
    pub(crate) fn take(self: &Arc<Self>, guest: Guest, mut serial: Line, held: Vec<Line>) {
        let mut inner = self.lock();
        inner.boot += 1;
        inner.guest = Some(guest);
        inner.running = false;
        inner.out = serial.writer();
        let machine = self.clone();
        serial.listen(move |stream| machine.hear_all(stream));
        inner.lines = held;
        inner.lines.push(serial);
    }

    /// The number of this boot.
    pub(crate) fn boots(&self) -> u64 {
        self.lock().boot
    }

    /// Lets the guest run, or stops it.
    pub(crate) fn run(&self, running: bool) {
        self.lock().running = running;
        self.changed.notify_all();
    }

    /// Takes the guest away and closes its line.
    pub(crate) fn off(&self) {
        let mut inner = self.lock();
        inner.boot += 1;
        inner.guest = None;
        inner.out = None;
        let lines = std::mem::take(&mut inner.lines);
        drop(inner);
        drop(lines);
    }

    /// What a snapshot keeps of the guest.
    pub(crate) fn freeze(&self) -> Value {
        self.lock().guest.as_ref().map(Guest::freeze).unwrap_or_default()
    }

    /// The power button; a guest that hangs or is told so does not react, one that is paused reacts later.
    pub(crate) fn power_button(self: &Arc<Self>) {
        let boot = self.boots();
        if self.faults.on(Fault::IgnoreShutdown) || self.lock().guest.as_ref().is_none_or(Guest::hung) {
            return;
        }
        let machine = self.clone();
        thread::spawn(move || {
            // why: it is the guest that takes this time.
            thread::sleep(REACTION);
            let mut inner = machine.wait();
            if inner.boot == boot {
                say(&mut inner, POWERING_OFF);
                let _ = machine.deeds.send((boot, Deed::PowerOff));
            }
        });
    }

    /// What comes over a line until it ends; replies go back the same way where a line says so.
    fn hear_all(&self, (stream, back): (Box<dyn Read + Send>, Option<Box<dyn Write + Send>>)) {
        let answered = back.is_some();
        if let Some(back) = back {
            self.lock().out = Some(back);
        }
        lines(stream, |line| self.hear(line));
        if answered {
            self.lock().out = None;
        }
    }

    fn hear(&self, line: &str) {
        let mut inner = self.wait();
        let boot = inner.boot;
        let Some(guest) = &mut inner.guest else { return };
        let act = guest.hear(line);
        if let Some(words) = act.words() {
            say(&mut inner, words);
        }
        let deed = match act {
            Act::PowerOff => Deed::PowerOff,
            Act::Reboot | Act::Crash => Deed::Reset,
            Act::Panic => Deed::Panic,
            Act::Say(_) | Act::Hang | Act::Nothing => return,
        };
        let _ = self.deeds.send((boot, deed));
    }

    /// The guest once it runs.
    fn wait(&self) -> MutexGuard<'_, Inner> {
        let inner = self.lock();
        self.changed.wait_while(inner, |inner| !inner.running).unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn say(inner: &mut Inner, text: &str) {
    if let Some(out) = &mut inner.out {
        let _ = out.write_all(format!("{text}\r\n").as_bytes()).and_then(|()| out.flush());
    }
}
