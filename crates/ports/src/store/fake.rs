//! The store in memory, for tests: all laws but the one about loss of power.
//!
//! A watch follows the log: each watcher keeps the revision it has told, and is woken by the newest.

pub mod sample;
mod text;

pub use text::Text;

use super::{Change, Changes, Commit, Expect, Figures, Refused, Store, Write};
use crate::codec::Codec;
use futures::StreamExt;
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::watch;
use weft_domain::object::{Key, Object, Revision, Sort, Stored};
use weft_domain::{Fault, Reason};

/// The store in memory.
pub struct Memory {
    state: Arc<Mutex<State>>,
    newest: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<Key, Stored<Object>>,
    log: VecDeque<(u64, Vec<Change>)>,
    keep: usize,
    revision: u64,
    compacted: u64,
    commits: u64,
    full: bool,
    closed: bool,
}

impl Default for Memory {
    fn default() -> Self {
        Self::new(100_000)
    }
}

impl Memory {
    /// A store whose log keeps this many commits.
    #[must_use]
    pub fn new(keep: usize) -> Self {
        Self::of(State { keep, ..State::default() })
    }

    fn of(state: State) -> Self {
        Self { newest: watch::Sender::new(state.revision), state: Arc::new(Mutex::new(state)) }
    }

    /// The store that a backup holds. Only names and events can be read back.
    ///
    /// # Errors
    /// The file cannot be read or is no backup.
    pub fn restore(from: &Path) -> Result<Self, Fault> {
        let damaged = |what: &str| Fault::new(Reason::StoreDamaged, format!("the backup is damaged: {what}"));
        let text = std::fs::read_to_string(from).map_err(|why| damaged(&why.to_string()))?;
        let mut lines = text.lines();
        let number = |line: Option<&str>| line.and_then(|word| word.parse::<u64>().ok());
        let revision = number(lines.next()).ok_or_else(|| damaged("it has no revision"))?;
        let mut state = State { keep: 100_000, revision, compacted: revision, ..State::default() };
        while let (Some(revision), Some(record)) = (number(lines.next()), lines.next()) {
            let bytes: Option<Vec<u8>> = record.split(' ').map(|byte| u8::from_str_radix(byte, 16).ok()).collect();
            let bytes = bytes.ok_or_else(|| damaged("a record is no bytes"))?;
            let (key, value) = read_object(&bytes).ok_or_else(|| damaged("a record cannot be read"))?;
            state.objects.insert(key, Stored { value, revision: Revision(revision) });
        }
        Ok(Self::of(state))
    }

    /// From now on there is no space for writes.
    pub fn fill(&self) {
        self.locked().full = true;
    }

    /// From now on there is space again.
    pub fn free(&self) {
        self.locked().full = false;
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics while it holds the state")
    }

    fn opened(&self) -> Result<MutexGuard<'_, State>, Fault> {
        let state = self.locked();
        if state.closed { Err(away()) } else { Ok(state) }
    }
}

fn away() -> Fault {
    Fault::new(Reason::Away, "the store is closed")
}

/// A backup holds no keys, as the objects that can be read back tell theirs.
fn read_object(bytes: &[u8]) -> Option<(Key, Object)> {
    let split = bytes.iter().position(|byte| *byte == 0)?;
    let key = std::str::from_utf8(&bytes[..split]).ok()?;
    let record = &bytes[split + 1..];
    if let Some((project, name)) = key.split_once('/') {
        let key = Key::Name(project.parse().ok()?, name.parse().ok()?);
        return Some((key, Text.decode(Sort::Name, record).ok()?));
    }
    Some((Key::Event(key.parse().ok()?), Text.decode(Sort::Event, record).ok()?))
}

fn write_object(key: &Key, object: &Object) -> Vec<u8> {
    let key = match key {
        Key::Name(project, name) => format!("{project}/{name}"),
        Key::Event(id) => id.to_string(),
        Key::Instance(_) | Key::Request(_) | Key::Node(_) | Key::Snapshot(_) | Key::SnapshotName(..) => {
            "unread".to_owned()
        }
    };
    [key.as_bytes(), &[0], &Text.encode(object)].concat()
}

impl State {
    fn check(&self, commit: &Commit) -> Result<(), Refused> {
        for expect in &commit.expect {
            let (key, wanted) = match expect {
                Expect::Absent(key) => (key, None),
                Expect::At(key, revision) => (key, Some(*revision)),
            };
            let found = self.objects.get(key).map(|stored| stored.revision);
            if found != wanted {
                return Err(Refused::Conflict { key: key.clone(), found });
            }
        }
        if self.full && self.grows(commit) {
            return Err(Fault::new(Reason::StoreFull, "there is no space for the state").into());
        }
        Ok(())
    }

    /// Whether there are more objects after it.
    fn grows(&self, commit: &Commit) -> bool {
        let (mut more, mut fewer) = (0, 0);
        for write in &commit.writes {
            match write {
                Write::Put(key, _) => more += usize::from(!self.objects.contains_key(key)),
                Write::Delete(key) => fewer += usize::from(self.objects.contains_key(key)),
            }
        }
        more > fewer
    }

    fn apply(&mut self, commit: Commit) -> u64 {
        self.revision += 1;
        self.commits += 1;
        let revision = Revision(self.revision);
        let mut changes = Vec::new();
        for write in commit.writes {
            let (key, object) = match write {
                Write::Put(key, object) => {
                    self.objects.insert(key.clone(), Stored { value: object.clone(), revision });
                    (key, Some(object))
                }
                Write::Delete(key) if self.objects.remove(&key).is_some() => (key, None),
                Write::Delete(_) => continue,
            };
            changes.push(Change { revision, key, object });
        }
        self.log.push_back((self.revision, changes));
        while self.log.len() > self.keep.max(1) {
            self.compacted = self.log.pop_front().map_or(self.compacted, |(revision, _)| revision);
        }
        self.revision
    }
}

fn sorted(commit: &Commit) -> Result<(), Fault> {
    let wrong = |write: &Write| matches!(write, Write::Put(key, object) if key.sort() != object.sort());
    if commit.writes.iter().any(wrong) {
        return Err(Fault::internal("an object was put under a key of another sort"));
    }
    Ok(())
}

#[async_trait::async_trait]
impl Store for Memory {
    async fn commit(&self, commit: Commit) -> Result<Revision, Refused> {
        sorted(&commit)?;
        let mut state = self.opened()?;
        state.check(&commit)?;
        let revision = state.apply(commit);
        self.newest.send_replace(revision);
        Ok(Revision(revision))
    }

    async fn get(&self, key: &Key) -> Result<Option<Stored<Object>>, Fault> {
        Ok(self.opened()?.objects.get(key).cloned())
    }

    async fn scan(
        &self,
        sort: Sort,
        after: Option<Key>,
        limit: usize,
    ) -> Result<(Vec<(Key, Stored<Object>)>, Revision), Fault> {
        let state = self.opened()?;
        let beyond = |key: &Key| after.as_ref().is_none_or(|after| key > after);
        let found = state.objects.iter().filter(|(key, _)| key.sort() == sort && beyond(key)).take(limit);
        Ok((found.map(|(key, stored)| (key.clone(), stored.clone())).collect(), Revision(state.revision)))
    }

    async fn revision(&self) -> Result<Revision, Fault> {
        Ok(Revision(self.opened()?.revision))
    }

    async fn watch(&self, after: Revision) -> Result<Changes, Fault> {
        let state = self.opened()?;
        if after.0 < state.compacted || after.0 > state.revision {
            let why = format!("changes after revision {after} are not in the log");
            return Err(Fault::new(Reason::RevisionCompacted, why).fix("list, and watch from the list's revision"));
        }
        let watcher = Watcher { state: Arc::clone(&self.state), newest: self.newest.subscribe(), told: after.0 };
        Ok(futures::stream::unfold(Some(watcher), |watcher| async { watcher?.next().await }).boxed())
    }

    async fn backup(&self, to: &Path) -> Result<Revision, Fault> {
        let (revision, text) = {
            let state = self.opened()?;
            let mut text = format!("{}\n", state.revision);
            for (key, stored) in &state.objects {
                let bytes = write_object(key, &stored.value);
                let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                text.push_str(&format!("{}\n{}\n", stored.revision, hex.join(" ")));
            }
            (Revision(state.revision), text)
        };
        let refused = |why: std::io::Error| Fault::new(Reason::PathUnusable, format!("the backup's file: {why}"));
        let mut file = std::fs::File::create_new(to).map_err(refused)?;
        std::io::Write::write_all(&mut file, text.as_bytes()).map_err(refused)?;
        Ok(revision)
    }

    fn figures(&self) -> Figures {
        let state = self.locked();
        Figures { revision: state.revision, compacted: state.compacted, commits: state.commits, syncs: 0, bytes: 0 }
    }

    async fn close(&self) {
        self.locked().closed = true;
        self.newest.send_modify(|_| {});
    }
}

struct Watcher {
    state: Arc<Mutex<State>>,
    newest: watch::Receiver<u64>,
    told: u64,
}

type Told = Option<(Result<Vec<Change>, Fault>, Option<Watcher>)>;

impl Watcher {
    async fn next(mut self) -> Told {
        loop {
            self.newest.borrow_and_update();
            match self.look() {
                Ok(Some(changes)) => return Some((Ok(changes), Some(self))),
                Ok(None) => {}
                Err(fault) => return Some((Err(fault), None)),
            }
            if self.newest.changed().await.is_err() {
                return Some((Err(away()), None));
            }
        }
    }

    fn look(&mut self) -> Result<Option<Vec<Change>>, Fault> {
        let state = self.state.lock().expect("no test panics while it holds the state");
        if state.closed {
            return Err(away());
        }
        if self.told < state.compacted {
            let why = "the watcher was slower than the log is long";
            return Err(Fault::new(Reason::WatcherTooSlow, why).fix("list, and watch from the list's revision"));
        }
        let first = usize::try_from(self.told - state.compacted).unwrap_or(usize::MAX);
        for (revision, changes) in state.log.iter().skip(first) {
            self.told = *revision;
            if !changes.is_empty() {
                return Ok(Some(changes.clone()));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::conformance::{self, Setting};
    use std::path::PathBuf;

    struct Fake(tempfile::TempDir);

    #[async_trait::async_trait]
    impl Setting for Fake {
        async fn fresh(&self) -> Arc<dyn Store> {
            Arc::new(Memory::default())
        }
        async fn short(&self, keep: usize) -> Arc<dyn Store> {
            Arc::new(Memory::new(keep))
        }
        async fn opened(&self, backup: &Path) -> Arc<dyn Store> {
            Arc::new(Memory::restore(backup).expect("a backup opens"))
        }
        fn folder(&self) -> PathBuf {
            self.0.path().to_owned()
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn the_fake_obeys_the_laws() {
        conformance::run(&Fake(tempfile::tempdir().expect("a folder"))).await;
    }

    #[tokio::test]
    async fn a_full_store_reads_deletes_and_recovers() {
        let store = Memory::default();
        conformance::fill::run(&store, || store.fill(), || store.free()).await;
    }
}
