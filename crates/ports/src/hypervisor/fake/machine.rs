//! A hold on one guest of the fake.

use super::Shelf;
use super::guest::Guest;
use super::{Button, Chosen, End, Machine, State, Way};
use crate::clock::Clock;
use crate::hypervisor::{Address, Duplex};
use crate::processes::{Alive, Ending};
use crate::task::{self, Task};
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio::sync::watch;
use weft_domain::capability::Feature;
use weft_domain::{Fault, Reason};

/// The number of SIGKILL.
const KILL: i32 = 9;

/// A hold on one guest; dropping it leaves the guest as it is.
pub(super) struct Handle {
    pub(super) fake: Arc<Shelf>,
    pub(super) guest: Arc<Guest>,
    pub(super) chosen: Chosen,
    pub(super) clock: Arc<dyn Clock>,
}

impl Handle {
    /// Refuses a verb after the end.
    pub(super) fn before_end(&self, verb: &str) -> Result<(), Fault> {
        match &*self.guest.state.borrow() {
            State::Running | State::Held => Ok(()),
            State::Ended(_) => Err(Fault::new(Reason::PhaseForbids, format!("cannot {verb}: the machine has ended"))),
        }
    }

    pub(super) fn end(&self, way: Way, message: &str) -> End {
        End { way, at: self.clock.now(), message: message.to_owned(), log_tail: Vec::new() }
    }
}

#[async_trait::async_trait]
impl Machine for Handle {
    fn alive(&self) -> Alive {
        self.guest.alive.clone()
    }

    fn chosen(&self) -> Chosen {
        self.chosen.clone()
    }

    fn state(&self) -> watch::Receiver<State> {
        self.guest.state.subscribe()
    }

    fn resets(&self) -> watch::Receiver<u64> {
        self.guest.resets.subscribe()
    }

    fn addresses(&self) -> Vec<Address> {
        vec![Ipv4Addr::new(10, 0, 2, 15).into()]
    }

    async fn pause(&self) -> Result<(), Fault> {
        self.before_end("pause")?;
        self.guest.turn(State::Held);
        Ok(())
    }

    async fn resume(&self) -> Result<(), Fault> {
        self.before_end("resume")?;
        self.guest.turn(State::Running);
        Ok(())
    }

    async fn ask_to_stop(&self) -> Result<(), Fault> {
        self.before_end("ask the guest to stop")?;
        self.guest.turn(State::Running);
        let button = self.guest.behaviour().button;
        match button {
            Button::Heeded => self.guest.end(self.end(Way::Poweroff, "the guest powered off")),
            Button::Ignored => {}
        }
        Ok(())
    }

    async fn reset(&self) -> Result<(), Fault> {
        self.before_end("reset")?;
        self.serves(Feature::Reset)?;
        self.guest.greet();
        Ok(())
    }

    async fn kill(&self) -> Result<(), Fault> {
        self.guest.stop(Ending::Signal(KILL), self.end(Way::Killed, "the VMM was ended as was asked"));
        Ok(())
    }

    async fn console(&self) -> Result<Box<dyn Duplex>, Fault> {
        self.before_end("open the console")?;
        let (near, far) = tokio::io::duplex(4_096);
        let echo = task::spawn("fake-console", echo(self.guest.clone(), far));
        Ok(Box::new(Terminal { stream: near, _echo: echo }))
    }

    async fn bury(&self) -> Result<(), Fault> {
        self.guest.stop(Ending::Code(0), self.end(Way::Killed, "the VMM was buried before its guest ended"));
        Ok(())
    }
}

/// The guest says again what it is told, to the console and its log.
async fn echo(guest: Arc<Guest>, mut far: DuplexStream) {
    let mut buffer = [0; 1_024];
    while let Ok(read @ 1..) = far.read(&mut buffer).await {
        guest.print(&buffer[..read]);
        if far.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

/// The caller's side of a console; the guest's side ends with it.
struct Terminal {
    stream: DuplexStream,
    _echo: Task<()>,
}

impl AsyncRead for Terminal {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Terminal {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
