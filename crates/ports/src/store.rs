//! Objects by key, each change at a revision; commits are all or none, and last.
//!
//! # Laws
//! 1. A commit is applied whole or not at all; when it answers, neither `kill -9` nor a loss of power
//!    undoes it. Revisions grow by one with each commit.
//! 2. A precondition that does not hold refuses the whole commit and names the key.
//! 3. A scan is of one revision, in the order of keys.
//! 4. A watch from revision r tells every change after r exactly once, in order, or ends with
//!    `RevisionCompacted` or `WatcherTooSlow`; it never skips silently.
//! 5. A backup is of one revision, taken while the store works, and opens as a store of that revision.
//! 6. A store that cannot take a write (a full disk) refuses it with `StoreFull`, keeps what it has, and
//!    goes on reading. What makes the state smaller is still taken.

pub mod conformance;
pub mod fake;

use futures::stream::BoxStream;
use std::path::Path;
use weft_domain::Fault;
use weft_domain::object::{Key, Object, Revision, Sort, Stored};

/// Changes that are made together. Preconditions are of the state before the commit; writes are done in
/// their order, and the deletion of what is not there is no change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Commit {
    /// What must hold.
    pub expect: Vec<Expect>,
    /// What is written.
    pub writes: Vec<Write>,
}

/// What must hold for a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expect {
    /// There is nothing under this key.
    Absent(Key),
    /// What is under this key last changed at this revision.
    At(Key, Revision),
}

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// This object is now under this key.
    Put(Key, Object),
    /// There is nothing under this key any more; absence is fine.
    Delete(Key),
}

/// Why a commit was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A precondition did not hold; the revision is that of what is there, if anything.
    #[error("another write came first")]
    Conflict {
        /// The key whose precondition did not hold.
        key: Key,
        /// When what is there last changed.
        found: Option<Revision>,
    },
    /// The store could not.
    #[error(transparent)]
    Store(#[from] Fault),
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The commit it belongs to.
    pub revision: Revision,
    /// The key.
    pub key: Key,
    /// What is under it now.
    pub object: Option<Object>,
}

/// A stream of commits, each with all its changes; a commit without changes is passed over, and a refusal
/// ends the stream.
pub type Changes = BoxStream<'static, Result<Vec<Change>, Fault>>;

/// The figures of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// The newest revision.
    pub revision: u64,
    /// The oldest revision from which a watch can begin.
    pub compacted: u64,
    /// Commits since it was opened.
    pub commits: u64,
    /// Times that the disk was made to hold what was written.
    pub syncs: u64,
    /// Bytes on the disk.
    pub bytes: u64,
}

/// The store.
#[async_trait::async_trait]
pub trait Store: Send + Sync {
    /// Makes changes, all or none.
    async fn commit(&self, commit: Commit) -> Result<Revision, Refused>;
    /// What is under a key.
    async fn get(&self, key: &Key) -> Result<Option<Stored<Object>>, Fault>;
    /// At most `limit` objects of a sort after `after`, in the order of keys, and the revision they are of.
    async fn scan(
        &self,
        sort: Sort,
        after: Option<Key>,
        limit: usize,
    ) -> Result<(Vec<(Key, Stored<Object>)>, Revision), Fault>;
    /// The newest revision.
    async fn revision(&self) -> Result<Revision, Fault>;
    /// Changes after this revision, as they come. A revision that the log no longer holds, or that this
    /// store has not reached, is refused with `RevisionCompacted`: list, and watch from the list's revision.
    async fn watch(&self, after: Revision) -> Result<Changes, Fault>;
    /// Writes a copy of the store, of one revision, to a file that must not exist.
    async fn backup(&self, to: &Path) -> Result<Revision, Fault>;
    /// Its figures.
    fn figures(&self) -> Figures;
    /// Answers when it takes nothing more, as where what writes has fallen: only an opening anew helps. One that
    /// cannot fall never answers.
    async fn fallen(&self) {
        std::future::pending().await
    }
    /// Ends it in order; later calls answer `Away`.
    async fn close(&self);
}
