//! How processes end: one watcher per process, ours or adopted, until it is gone.
//!
//! The kernel wakes us through a pidfd. A child of ours is reaped at once, so that no zombie stays, and
//! tells its code or signal; of others nothing but the end is known. Endings are remembered for a while,
//! so that they can be asked for again.

use super::cgroup::Tree;
use super::search;
use super::stat;
use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions, WaitIdStatus};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::watch;
use weft_domain::ClaimId;
use weft_ports::processes::{Alive, Ending};
use weft_ports::task::{self, Task};

/// So many endings are remembered.
const REMEMBERED: usize = 1024;

/// Watches processes until they end.
#[derive(Debug)]
pub(super) struct Endings {
    tree: Arc<Tree>,
    scope: Arc<str>,
    boot_id: Arc<str>,
    book: Arc<Mutex<Book>>,
}

#[derive(Debug, Default)]
struct Book {
    watched: HashMap<Alive, Watched>,
    ended: VecDeque<Alive>,
}

#[derive(Debug)]
struct Watched {
    ending: watch::Receiver<Option<Ending>>,
    _task: Task<()>,
}

impl Endings {
    pub(super) fn new(tree: Arc<Tree>, scope: Arc<str>, boot_id: Arc<str>) -> Self {
        Self { tree, scope, boot_id, book: Arc::default() }
    }

    /// Watches a process that was just launched under this claim, by its descriptor.
    pub(super) fn watch_launched(&self, alive: &Alive, claim: ClaimId, pidfd: OwnedFd) {
        self.watch(alive, Some(claim), pidfd);
    }

    /// Waits until a process has ended.
    pub(super) async fn of(&self, alive: &Alive) -> Ending {
        let Some(mut ending) = self.receiver(alive) else { return Ending::Unknown };
        let ended = ending.wait_for(Option::is_some).await;
        ended.ok().and_then(|ending| *ending).unwrap_or(Ending::Unknown)
    }

    /// `None` where there is no such process, and never was one that is remembered.
    fn receiver(&self, alive: &Alive) -> Option<watch::Receiver<Option<Ending>>> {
        if let Some(watched) = self.book().watched.get(alive) {
            return Some(watched.ending.clone());
        }
        let pidfd = held(alive, &self.boot_id)?;
        let claim = search::claim_of(alive.pid, &self.scope);
        Some(self.watch(alive, claim, pidfd))
    }

    fn book(&self) -> std::sync::MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watch(&self, alive: &Alive, claim: Option<ClaimId>, pidfd: OwnedFd) -> watch::Receiver<Option<Ending>> {
        let mut book = self.book();
        if let Some(watched) = book.watched.get(alive) {
            return watched.ending.clone();
        }
        let (told, ending) = watch::channel(None);
        let (tree, shared, who) = (Arc::clone(&self.tree), Arc::downgrade(&self.book), alive.clone());
        let task = task::spawn("watch-process", async move {
            let ending = wait(&who, pidfd).await;
            let ending = judge(ending, claim.is_some_and(|claim| tree.was_out_of_memory(claim)));
            tracing::debug!(pid = who.pid, ?ending, "a process has ended");
            told.send_replace(Some(ending));
            if let Some(book) = shared.upgrade() {
                book.lock().unwrap_or_else(PoisonError::into_inner).remember(who);
            }
        });
        book.watched.insert(alive.clone(), Watched { ending: ending.clone(), _task: task });
        ending
    }
}

impl Book {
    fn remember(&mut self, alive: Alive) {
        self.ended.push_back(alive);
        if self.ended.len() > REMEMBERED
            && let Some(oldest) = self.ended.pop_front()
        {
            self.watched.remove(&oldest);
        }
    }
}

/// A descriptor of this very process; `None` where it is gone.
pub(super) fn held(alive: &Alive, boot_id: &str) -> Option<OwnedFd> {
    let pid = Pid::from_raw(i32::try_from(alive.pid).ok()?)?;
    let pidfd = rustix::process::pidfd_open(pid, PidfdFlags::empty()).ok()?;
    // Looked at after it is held: the pid cannot be given anew to another from here on.
    stat::is_there(alive, boot_id)?;
    Some(pidfd)
}

async fn wait(alive: &Alive, pidfd: OwnedFd) -> Ending {
    match wait_on(pidfd).await {
        Ok(ending) => ending,
        Err(error) => {
            tracing::error!(pid = alive.pid, %error, "a process cannot be waited for");
            Ending::Unknown
        }
    }
}

#[expect(unsafe_code, reason = "tokio's registration of a descriptor has no other door")]
fn registered(pidfd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: the descriptor is owned by what is made, and an `OwnedFd` always names the same one.
    Ok(unsafe { AsyncFd::register_with_interest(pidfd, Interest::READABLE) }?)
}

async fn wait_on(pidfd: OwnedFd) -> io::Result<Ending> {
    let pidfd = registered(pidfd)?;
    loop {
        let mut ready = pidfd.readable().await?;
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        match rustix::process::waitid(WaitId::PidFd(pidfd.get_ref().as_fd()), options) {
            Ok(Some(status)) => return Ok(told(&status)),
            Ok(None) => ready.clear_ready(),
            // Not our child, or reaped already: that it ended is all that is known.
            Err(rustix::io::Errno::CHILD) => return Ok(Ending::Unknown),
            Err(error) => return Err(error.into()),
        }
    }
}

fn told(status: &WaitIdStatus) -> Ending {
    if let Some(code) = status.exit_status() {
        return Ending::Code(code);
    }
    status.terminating_signal().map_or(Ending::Unknown, Ending::Signal)
}

/// The kernel ends what is out of memory as if it were killed.
const fn judge(ending: Ending, out_of_memory: bool) -> Ending {
    match ending {
        Ending::Signal(9) | Ending::Unknown if out_of_memory => Ending::OutOfMemory,
        Ending::Code(_) | Ending::Signal(_) | Ending::OutOfMemory | Ending::Unknown => ending,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn out_of_memory_is_told_only_of_what_was_killed() {
        assert_eq!(judge(Ending::Signal(9), true), Ending::OutOfMemory);
        assert_eq!(judge(Ending::Unknown, true), Ending::OutOfMemory);
        assert_eq!(judge(Ending::Signal(9), false), Ending::Signal(9));
        assert_eq!(judge(Ending::Code(1), true), Ending::Code(1));
        assert_eq!(judge(Ending::Signal(15), true), Ending::Signal(15));
    }
}
