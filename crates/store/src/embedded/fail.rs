//! What the engine's errors and panics mean to the store.

use crate::Error;
use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// How an act on the file failed, before it is known in which folder.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What was read is not what was written.
    Damaged(String),
    /// The file has this format.
    Newer(u64),
    /// There is no space.
    Full,
    /// The disk refused.
    Disk(io::Error),
    /// An earlier failure stopped the engine; it must be opened again.
    Lost,
}

impl Failure {
    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged(what.into())
    }

    /// The same, in this folder.
    pub(crate) fn at(self, dir: &Path) -> Error {
        let dir = dir.to_owned();
        match self {
            Self::Damaged(what) => Error::Damaged { dir, what },
            Self::Newer(found) => Error::Newer { dir, found, known: super::row::FORMAT },
            Self::Full => Error::Full { dir },
            Self::Disk(source) => Error::Disk { dir, source },
            Self::Lost => Error::Disk { dir, source: io::Error::other("it failed a moment ago") },
        }
    }
}

/// Whether this refusal says that there is no space.
pub(crate) fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    [StorageFull, QuotaExceeded, FileTooLarge].contains(&error.kind())
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        // So the engine tells a file that is too short or that is none of its own.
        let strange = [io::ErrorKind::InvalidData, io::ErrorKind::UnexpectedEof].contains(&error.kind());
        if is_full(&error) {
            Self::Full
        } else if strange {
            Self::Damaged(error.to_string())
        } else {
            Self::Disk(error)
        }
    }
}

macro_rules! from_engine {
    ($($name:ident)*) => {$(
        impl From<redb::$name> for Failure {
            fn from(error: redb::$name) -> Self {
                match redb::Error::from(error) {
                    redb::Error::Io(error) => error.into(),
                    // A poisoned lock is the trace of a panic: opening again tells whether over damage.
                    redb::Error::PreviousIo | redb::Error::DatabaseClosed | redb::Error::LockPoisoned(_) => {
                        Self::Lost
                    }
                    other => Self::Damaged(other.to_string()),
                }
            }
        }
    )*};
}

from_engine! { DatabaseError StorageError TransactionError TableError CommitError }

/// Does this; a panic of the engine over damaged pages becomes a failure.
pub(crate) fn guarded<T>(act: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    // What the closure leaves half done is closed and opened again, never used on.
    catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|panic| Err(Failure::Damaged(said(&*panic))))
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    format!("the engine stopped over it ({})", text.unwrap_or("without a word"))
}
