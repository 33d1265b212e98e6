//! Waiting for a verb: a moving line on a terminal that says where the VM is, until it is done or the
//! caller breaks off.

use crate::Error;
use crate::desk::{Desk, waits_for};
use crate::show::escapes::printable;
use crate::show::units;
use futures::StreamExt;
use std::future::{Future, pending};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, interval_at, sleep};
use weft_domain::{Fault, Instance};
use weft_ports::api::{Call, VmChange, VmRef, Vms, WatchQuery};

/// What is done faster than this moves nothing.
const PATIENCE: Duration = Duration::from_millis(300);
const TICK: Duration = Duration::from_millis(120);
/// The wait before a watch that ended is begun again.
const RETRY: Duration = Duration::from_millis(500);
const FRAMES: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/// What is waited for.
pub(crate) struct Waited {
    /// As a phrase: `booting demo`.
    pub(crate) title: String,
    /// The VM that tells how far it is.
    pub(crate) vm: Option<VmRef>,
    /// How it can be followed by somebody who breaks off.
    pub(crate) follow: String,
}

/// The answer of `verb`, with a moving line while it takes its time.
pub(crate) async fn wait<T, F>(desk: &mut Desk, waited: Waited, verb: F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Fault>>,
{
    let shown = desk.terminal.abilities.err_tty && !desk.globals.quiet;
    let interrupt = desk.terminal.interrupt.clone();
    let (tell, told) = watch::channel(String::new());
    let follow = follow(Arc::clone(&desk.services.vms), desk.stream(), waited.vm.filter(|_| shown), tell);
    let mut line = Line { title: waited.title, start: Instant::now(), frame: 0 };
    let mut ticks = interval_at(Instant::now() + PATIENCE, TICK);
    tokio::pin!(verb, follow);
    let answer = loop {
        tokio::select! {
            biased;
            answer = &mut verb => break answer.map_err(Error::from),
            () = interrupt.cancelled() => break Err(Error::Interrupted { follow: waited.follow }),
            () = &mut follow => {}
            _ = ticks.tick(), if shown => {
                let columns = usize::from(desk.terminal.size.borrow().columns);
                line.draw(&mut desk.terminal.err, &told.borrow(), columns);
            }
        }
    };
    line.clear(&mut desk.terminal.err);
    answer
}

/// Tells where the VM is, for ever.
async fn follow(vms: Arc<dyn Vms>, call: Call, vm: Option<VmRef>, tell: watch::Sender<String>) {
    let Some(vm) = vm else { return pending().await };
    loop {
        let query = WatchQuery { vm: Some(vm.clone()), ..WatchQuery::default() };
        if let Ok(mut changes) = vms.watch(&call, query).await {
            while let Some(Ok(change)) = changes.next().await {
                if let VmChange::Set(vm) = change {
                    tell.send_replace(state(&vm.value));
                }
            }
        }
        sleep(RETRY).await;
    }
}

fn state(vm: &Instance) -> String {
    let phase = vm.status.phase.as_str();
    match waits_for(vm) {
        Some(message) => format!("{phase}: {}", printable(&message)),
        None => phase.to_owned(),
    }
}

/// The moving line.
struct Line {
    title: String,
    start: Instant,
    frame: usize,
}

impl Line {
    fn draw(&mut self, err: &mut dyn Write, state: &str, columns: usize) {
        let spin = FRAMES[self.frame % FRAMES.len()];
        self.frame += 1;
        let time = units::took(self.start.elapsed());
        let state = if state.is_empty() { String::new() } else { format!(", {state}") };
        let text = format!("{spin} {} {time}{state}", self.title);
        // A line that wraps could not be drawn over.
        let text: String = text.chars().take(columns.saturating_sub(1)).collect();
        let _ = write!(err, "\r\x1b[2K{text}").and_then(|()| err.flush());
    }

    fn clear(&self, err: &mut dyn Write) {
        if self.frame > 0 {
            let _ = write!(err, "\r\x1b[2K").and_then(|()| err.flush());
        }
    }
}
