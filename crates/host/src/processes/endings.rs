//! How processes end: one watcher of all processes that somebody waits for, ours or adopted, until each is gone.
//!
//! ```text
//!  launched, or waited for ─► pidfd ─► one epoll ─► one task ─► reaped, judged ─► whoever waits
//!                               └ let go with the last who waits
//! ```
//!
//! The kernel wakes us through a pidfd, which is held from the launch, or from the first who waits, until nobody
//! does: who hears of an end by other means asks only then, and ten thousand such processes cost no descriptor.
//! A child of ours that is waited for is reaped at once, and tells its code or signal; one that is not, when it is
//! asked for or its claim is cleared, and its pid is nobody else's until then. Of others nothing but the end is
//! known. Endings are remembered for a while, so that they can be asked for again. A process that lives costs no
//! task and no timer of its own.

use super::cgroup::Tree;
use super::search;
use super::stat;
use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions, WaitIdStatus};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::SetOnce;
use weft_domain::ClaimId;
use weft_ports::processes::{Alive, Ending};
use weft_ports::task::{self, Task};

/// So many endings are remembered.
const REMEMBERED: usize = 1024;
/// When a process that could not be held is tried again.
const AGAIN: Duration = Duration::from_millis(200);
/// So many ends are heard of at once.
const AT_ONCE: usize = 256;

/// A process of this start of the machine: its pid and when it started.
type Who = (u32, u64);
/// How it ends, once it does.
type End = Arc<SetOnce<Ending>>;

/// Watches processes until they end.
#[derive(Debug)]
pub(super) struct Endings {
    scope: Arc<str>,
    boot_id: Arc<str>,
    tree: Arc<Tree>,
    book: Arc<Mutex<Book>>,
    watcher: Mutex<Option<Watcher>>,
}

#[derive(Debug, Default)]
struct Book {
    /// Of processes that are held or have ended.
    known: HashMap<Who, Known>,
    held: HashMap<u64, Held>,
    ended: VecDeque<Who>,
    /// What was seen in the cgroup of its claim, which it cannot leave, whether it is held or not.
    confined: HashMap<ClaimId, Who>,
    next: u64,
}

/// A process, by the key of its descriptor.
#[derive(Debug)]
struct Known {
    key: u64,
    end: End,
}

/// A process that lives, and that somebody waits for or will.
#[derive(Debug)]
struct Held {
    who: Who,
    claim: Option<ClaimId>,
    pidfd: OwnedFd,
    end: End,
    waiting: usize,
}

/// One who waits for an end; with the last of them its process is let go.
#[derive(Debug)]
struct Waiting {
    end: End,
    key: u64,
    book: Arc<Mutex<Book>>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        lock(&self.book).leave(self.key);
    }
}

/// The task, and the epoll that it listens to.
#[derive(Debug)]
struct Watcher {
    epoll: Arc<AsyncFd<OwnedFd>>,
    _task: Task<()>,
}

impl Endings {
    pub(super) fn new(tree: Arc<Tree>, scope: Arc<str>, boot_id: Arc<str>) -> Self {
        Self { scope, boot_id, tree, book: Arc::default(), watcher: Mutex::default() }
    }

    /// Watches a process that was just launched under this claim, by its descriptor.
    pub(super) fn watch_launched(&self, alive: &Alive, claim: ClaimId, pidfd: OwnedFd) {
        self.watch(alive, Some(claim), pidfd);
        self.confines(alive, claim);
    }

    /// A process was seen in the cgroup of its claim.
    pub(super) fn confines(&self, alive: &Alive, claim: ClaimId) {
        if self.tree.confines() {
            lock(&self.book).confined.insert(claim, who(alive));
        }
    }

    /// Whether all that can bear this claim is in its cgroup.
    pub(super) fn is_confined(&self, claim: ClaimId) -> bool {
        lock(&self.book).confined.contains_key(&claim)
    }

    /// Nothing bears this claim any more; a child that ended unheard is reaped.
    pub(super) fn forget(&self, claim: ClaimId) {
        let mut book = lock(&self.book);
        let Some((pid, start_ticks)) = book.confined.remove(&claim) else { return };
        if book.known.contains_key(&(pid, start_ticks)) {
            return;
        }
        // Nobody else reaps, so its pid is its own as long as this is seen.
        let dead = stat::of(pid).is_some_and(|stat| stat.start_ticks == start_ticks && !stat.is_living());
        if let (true, Some(pid)) = (dead, i32::try_from(pid).ok().and_then(Pid::from_raw)) {
            // Where it is another's child, that one reaps it.
            let _ = rustix::process::waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
        }
    }

    /// Waits until a process has ended.
    pub(super) async fn of(&self, alive: &Alive) -> Ending {
        loop {
            match self.end_of(alive) {
                Ok(Some(waiting)) => return *waiting.end.wait().await,
                Ok(None) => return Ending::Unknown,
                // What cannot be looked at has not ended.
                Err(error) => tracing::warn!(pid = alive.pid, %error, "a process cannot be held; trying again"),
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// `None` where there is no such process, and never was one that is remembered.
    fn end_of(&self, alive: &Alive) -> io::Result<Option<Waiting>> {
        if alive.boot_id != *self.boot_id {
            return Ok(None);
        }
        if let Some(waiting) = self.join(alive) {
            return Ok(Some(waiting));
        }
        let Some(pidfd) = held(alive, &self.boot_id)? else { return Ok(None) };
        let confined = search::confined_claim(alive.pid, &self.scope);
        if let Some(claim) = confined {
            self.confines(alive, claim);
        }
        // One that is dead already no longer tells what it was in.
        let seen =
            || lock(&self.book).confined.iter().find(|(_, who)| **who == self::who(alive)).map(|(claim, _)| *claim);
        let claim = confined.or_else(seen).or_else(|| search::claim_of(alive.pid, &self.scope));
        self.watch(alive, claim, pidfd);
        Ok(self.join(alive))
    }

    /// Waits with others, where the process is held or is remembered.
    fn join(&self, alive: &Alive) -> Option<Waiting> {
        let (key, end) = lock(&self.book).join(who(alive))?;
        Some(Waiting { end, key, book: Arc::clone(&self.book) })
    }

    fn watch(&self, alive: &Alive, claim: Option<ClaimId>, pidfd: OwnedFd) {
        let who = who(alive);
        let mut book = lock(&self.book);
        if book.known.contains_key(&who) {
            return;
        }
        let end = End::default();
        let key = book.next;
        book.next += 1;
        book.known.insert(who, Known { key, end: Arc::clone(&end) });
        let data = epoll::EventData::new_u64(key);
        let flags = epoll::EventFlags::IN | epoll::EventFlags::ET;
        let added = self.epoll().and_then(|watcher| Ok(epoll::add(watcher.get_ref(), &pidfd, data, flags)?));
        match added {
            Ok(()) => _ = book.held.insert(key, Held { who, claim, pidfd, end, waiting: 0 }),
            Err(error) => {
                tracing::error!(pid = alive.pid, %error, "a process cannot be waited for");
                book.tell(who, &end, Ending::Unknown);
            }
        }
    }

    /// The epoll; its task is begun with the first process.
    fn epoll(&self) -> io::Result<Arc<AsyncFd<OwnedFd>>> {
        let mut watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watcher) = watcher.as_ref() {
            return Ok(Arc::clone(&watcher.epoll));
        }
        let epoll = Arc::new(registered(epoll::create(epoll::CreateFlags::CLOEXEC)?)?);
        let listening = listen(Arc::clone(&epoll), Arc::clone(&self.book), Arc::clone(&self.tree));
        *watcher = Some(Watcher { epoll: Arc::clone(&epoll), _task: task::spawn("watch-processes", listening) });
        Ok(epoll)
    }
}

fn lock(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

fn who(alive: &Alive) -> Who {
    (alive.pid, alive.start_ticks)
}

impl Book {
    fn join(&mut self, who: Who) -> Option<(u64, End)> {
        let known = self.known.get(&who)?;
        if let Some(held) = self.held.get_mut(&known.key) {
            held.waiting += 1;
        }
        Some((known.key, Arc::clone(&known.end)))
    }

    /// One waits no more: its process, if it lives, is held for the others only.
    fn leave(&mut self, key: u64) {
        let Some(held) = self.held.get_mut(&key) else { return };
        held.waiting -= 1;
        if held.waiting == 0
            && let Some(held) = self.held.remove(&key)
        {
            self.known.remove(&held.who);
        }
    }

    fn tell(&mut self, who: Who, end: &End, ending: Ending) {
        // Told once only: it is held no longer.
        let _ = end.set(ending);
        self.ended.push_back(who);
        if self.ended.len() > REMEMBERED
            && let Some(oldest) = self.ended.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    /// Takes one of those that are held, if it has ended.
    fn bury(&mut self, key: u64) -> Option<(Held, Ending)> {
        let held = self.held.get(&key)?;
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        let ending = match rustix::process::waitid(WaitId::PidFd(held.pidfd.as_fd()), options) {
            Ok(Some(status)) => told(&status),
            Ok(None) => return None,
            // Not our child, or reaped already: that it ended is all that is known.
            Err(rustix::io::Errno::CHILD) => Ending::Unknown,
            Err(error) => {
                tracing::error!(pid = held.who.0, %error, "a process cannot be waited for");
                Ending::Unknown
            }
        };
        Some((self.held.remove(&key)?, ending))
    }
}

/// The keys of processes that have ended since the last look.
fn heard_of(epoll: &OwnedFd) -> io::Result<Vec<u64>> {
    let mut events = Vec::with_capacity(AT_ONCE);
    epoll::wait(epoll, spare_capacity(&mut events), Some(&Timespec::default()))?;
    Ok(events.into_iter().map(|event| event.data.u64()).collect())
}

/// Hears of ends for as long as it is held.
async fn listen(epoll: Arc<AsyncFd<OwnedFd>>, book: Arc<Mutex<Book>>, tree: Arc<Tree>) {
    loop {
        let heard = async {
            let mut ready = epoll.readable().await?;
            let keys = heard_of(epoll.get_ref())?;
            if keys.is_empty() {
                ready.clear_ready();
            }
            io::Result::Ok(keys)
        };
        let keys = match heard.await {
            Ok(keys) => keys,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return tracing::error!(%error, "no end of a process is heard of any more"),
        };
        for key in keys {
            let gone = lock(&book).bury(key);
            let Some((gone, ending)) = gone else { continue };
            let ending = judge(ending, gone.claim.is_some_and(|claim| tree.was_out_of_memory(claim)));
            tracing::debug!(pid = gone.who.0, ?ending, "a process has ended");
            lock(&book).tell(gone.who, &gone.end, ending);
        }
    }
}

/// A descriptor of this very process; `None` where it is gone.
///
/// # Errors
/// It cannot be held now, as where we have no descriptor left; it may well live.
pub(super) fn held(alive: &Alive, boot_id: &str) -> io::Result<Option<OwnedFd>> {
    let Some(pid) = i32::try_from(alive.pid).ok().and_then(Pid::from_raw) else { return Ok(None) };
    let pidfd = match rustix::process::pidfd_open(pid, PidfdFlags::empty()) {
        Ok(pidfd) => pidfd,
        Err(rustix::io::Errno::SRCH | rustix::io::Errno::INVAL) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    // Looked at after it is held: the pid cannot be given anew to another from here on.
    let stat = stat::look(alive.pid)?;
    let same = stat.is_some_and(|stat| alive.boot_id == boot_id && alive.start_ticks == stat.start_ticks);
    Ok(same.then_some(pidfd))
}

#[expect(unsafe_code, reason = "tokio's registration of a descriptor has no other door")]
fn registered(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: the descriptor is owned by what is made, and an `OwnedFd` always names the same one.
    Ok(unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) }?)
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
