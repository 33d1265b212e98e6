//! The machine inside: the scripted guest on its serial line, running, paused or gone.
//!
//! ```text
//!  stdin ── lines ──► waits while paused ──► guest ──► stdout, or the file that /serial names
//! ```
//!
//! The guest that powers off, resets or crashes ends the process: metrics are written, then it exits, with 0
//! but for a triple fault.

use super::output::{Log, Metrics};
use crate::faults::{Fault, Faults};
use crate::guest::{Act, Guest, POWERING_OFF, lines};
use serde_json::Value;
use std::fs::File;
use std::io::{self, Write as _};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How long a guest takes to react to `SendCtrlAltDel`.
const REACTION: Duration = Duration::from_millis(30);

/// The machine.
#[derive(Debug)]
pub(crate) struct Machine {
    inner: Mutex<Inner>,
    changed: Condvar,
    log: Arc<Log>,
    metrics: Arc<Metrics>,
    faults: Faults,
}

#[derive(Debug, Default)]
struct Inner {
    guest: Option<Guest>,
    running: bool,
    out: Option<File>,
}

impl Machine {
    /// A machine that is off.
    #[must_use]
    pub(crate) fn new(log: Arc<Log>, metrics: Arc<Metrics>, faults: Faults) -> Arc<Self> {
        Arc::new(Self { inner: Mutex::default(), changed: Condvar::new(), log, metrics, faults })
    }

    /// Boots a guest, which then says that it is ready.
    pub(crate) fn boot(self: &Arc<Self>, guest: Guest, out: Option<File>) {
        let errands = {
            let mut inner = self.lock();
            let errands = guest.errands();
            if guest.leaves().is_some() {
                self.end_soon();
            }
            let banner = guest.banner();
            inner.guest = Some(guest);
            inner.running = true;
            inner.out = out;
            self.say(&mut inner, &banner);
            errands
        };
        self.listen(errands);
    }

    /// Takes a guest over from a snapshot, paused.
    pub(crate) fn restore(self: &Arc<Self>, guest: Guest, out: Option<File>) {
        {
            let mut inner = self.lock();
            inner.guest = Some(guest);
            inner.out = out;
        }
        self.listen(Vec::new());
    }

    /// Lets the guest run, or stops it.
    pub(crate) fn run(&self, running: bool) {
        self.lock().running = running;
        self.changed.notify_all();
    }

    /// What a snapshot keeps of the guest.
    #[must_use]
    pub(crate) fn freeze(&self) -> Value {
        self.lock().guest.as_ref().map(Guest::freeze).unwrap_or_default()
    }

    /// The keys that ask a guest to go; a guest that hangs, is paused or is told so does not react.
    pub(crate) fn ctrl_alt_del(self: &Arc<Self>) {
        if self.faults.on(Fault::IgnoreShutdown) || self.lock().guest.as_ref().is_none_or(Guest::hung) {
            return;
        }
        let machine = self.clone();
        thread::spawn(move || {
            // why: it is the guest that takes this time.
            thread::sleep(REACTION);
            let mut inner = machine.wait();
            machine.say(&mut inner, POWERING_OFF);
            machine.end(0);
        });
    }

    fn listen(self: &Arc<Self>, errands: Vec<String>) {
        let machine = self.clone();
        thread::spawn(move || {
            for errand in errands {
                machine.hear(&errand);
            }
            lines(io::stdin(), |line| machine.hear(line));
        });
    }

    fn hear(&self, line: &str) {
        let mut inner = self.wait();
        let Some(guest) = &mut inner.guest else { return };
        let act = guest.hear(line);
        if let Some(words) = act.words() {
            self.say(&mut inner, words);
        }
        match act {
            Act::PowerOff | Act::Reboot => self.end(0),
            Act::Crash => self.end(1),
            Act::Say(_) | Act::Hang | Act::Panic | Act::Nothing => {}
        }
    }

    fn say(&self, inner: &mut Inner, text: &str) {
        let line = format!("{text}\r\n");
        self.metrics.add("uart", "write_count", line.len() as u64);
        let _ = match &mut inner.out {
            Some(file) => file.write_all(line.as_bytes()),
            None => io::stdout().write_all(line.as_bytes()).and_then(|()| io::stdout().flush()),
        };
    }

    fn end(&self, code: i32) {
        if code == 0 {
            self.log.say("Vmm is stopping.");
            self.metrics.count("i8042", "reset_count");
        } else {
            self.log.fail("Unexpected exit reason on vcpu run: Shutdown");
        }
        self.metrics.flush();
        self.log.say(&format!("Firecracker exiting. exit_code={code}"));
        crate::wire::leave(code);
    }

    /// Ends once the reply to the request that started it is sent.
    fn end_soon(self: &Arc<Self>) {
        let machine = self.clone();
        thread::spawn(move || {
            // why: it is the guest that takes this time.
            thread::sleep(REACTION);
            machine.end(0);
        });
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
