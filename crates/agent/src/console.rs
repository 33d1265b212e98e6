//! The serial console of a live machine: one connection, many who look and type.
//!
//! ```text
//!  machine's socket ──► hub ──broadcast──► each attached caller
//!                   ◄── hub ◄──queue────── what they type
//! ```
//!
//! The hub reads whatever comes for as long as the machine lives, attached or not: an undrained socket
//! would hold up the guest. The log is written by the VMM itself and does not pass through here.

use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{broadcast, mpsc, watch};
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;
use weft_domain::{Fault, Reason};
use weft_ports::api::{Answers, ConsoleInput};
use weft_ports::hypervisor::{Duplex, State};
use weft_ports::task::{self, Task};

/// Chunks that a slow caller may lag behind before it loses some.
const LAG: usize = 1024;
/// Chunks typed and not yet taken by the guest.
const TYPED: usize = 64;
/// How long a console is read after its machine's end.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// A connection to the console of one machine.
pub(crate) struct Hub {
    /// Weak, so that those who look see the end when the pump does.
    output: broadcast::WeakSender<Bytes>,
    input: mpsc::Sender<Bytes>,
    pump: Task<()>,
}

impl Hub {
    pub(crate) fn open(console: Box<dyn Duplex>, state: watch::Receiver<State>) -> Self {
        let (output, _) = broadcast::channel(LAG);
        let (input, typed) = mpsc::channel(TYPED);
        let weak = output.downgrade();
        let pump = task::spawn("console", async move {
            tokio::select! { () = pump(console, output, typed) => {}, () = last_words(state) => {} }
        });
        Self { output: weak, input, pump }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.pump.is_finished()
    }

    /// What the guest writes from now on, while `input` is typed; ends with the machine.
    pub(crate) fn attach(&self, input: BoxStream<'static, ConsoleInput>) -> Answers<Bytes> {
        let Some(output) = self.output.upgrade().map(|output| BroadcastStream::new(output.subscribe())) else {
            return futures::stream::empty().boxed();
        };
        let typist = task::spawn("console-input", typist(input, self.input.clone()));
        let answers = output.map(move |chunk| {
            // The typist lives as long as somebody reads.
            let _held = &typist;
            chunk.map_err(|BroadcastStreamRecvError::Lagged(lost)| {
                Fault::new(Reason::WatcherTooSlow, format!("the console ran {lost} chunks ahead of its reader"))
                    .fix("attach again; `weft vm logs` has what was missed")
            })
        });
        answers.boxed()
    }
}

async fn typist(mut input: BoxStream<'static, ConsoleInput>, to: mpsc::Sender<Bytes>) {
    while let Some(typed) = input.next().await {
        match typed {
            ConsoleInput::Bytes(bytes) => {
                if to.send(bytes).await.is_err() {
                    return;
                }
            }
            // A serial line has no size: a guest asks the terminal itself, as `resize` does.
            ConsoleInput::Resize(..) => {}
        }
    }
}

/// After the end of its machine a console may say what is on its way, and no more.
async fn last_words(mut state: watch::Receiver<State>) {
    // A driver that looks away says nothing of the end: then the console's own end is waited for.
    if state.wait_for(|state| matches!(state, State::Ended(_))).await.is_err() {
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(LAST_WORDS).await;
}

async fn pump(console: Box<dyn Duplex>, output: broadcast::Sender<Bytes>, mut typed: mpsc::Receiver<Bytes>) {
    let (mut from, mut to) = tokio::io::split(console);
    let reading = async {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            match from.read(&mut buffer).await {
                Ok(0) | Err(_) => return,
                // Nobody may be looking: then it is only drained.
                Ok(n) => drop(output.send(Bytes::copy_from_slice(&buffer[..n]))),
            }
        }
    };
    let writing = async {
        while let Some(bytes) = typed.recv().await {
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
        std::future::pending::<()>().await;
    };
    tokio::select! { () = reading => {}, () = writing => {} }
}
