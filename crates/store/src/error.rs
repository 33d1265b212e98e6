//! What can go wrong with kept state, and what a person should do about it.

use std::io;
use std::path::PathBuf;
use weft_domain::{Fault, Kind, Reason};

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process, or another store of this one, has the folder.
    #[error("the state in {} is held by {holder}", dir.display())]
    Held {
        /// The folder.
        dir: PathBuf,
        /// Who holds it: `process 4711 (weft)`.
        holder: String,
    },
    /// A newer weft wrote it.
    #[error("the state in {} has format {found}; this weft knows formats up to {known}", dir.display())]
    Newer {
        /// The folder.
        dir: PathBuf,
        /// The format that was found.
        found: u64,
        /// The newest format that is known.
        known: u64,
    },
    /// It is not what was written.
    #[error("the state in {} is damaged: {what}", dir.display())]
    Damaged {
        /// The folder.
        dir: PathBuf,
        /// What was found.
        what: String,
    },
    /// A backup is not what was written, or no backup at all.
    #[error("the backup {} cannot be used: {what}", path.display())]
    Backup {
        /// The file.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// There is no space.
    #[error("there is no space for the state in {}", dir.display())]
    Full {
        /// The folder.
        dir: PathBuf,
    },
    /// A restore was asked into a folder that holds something.
    #[error("{} is not empty", dir.display())]
    NotEmpty {
        /// The folder.
        dir: PathBuf,
    },
    /// A backup was asked to a file that exists.
    #[error("{} exists already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot {act} {}", path.display())]
    Access {
        /// What was tried: `open`, `lock`.
        act: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The disk refused in the middle of work; the store is being opened again.
    #[error("the disk failed under the state in {}", dir.display())]
    Disk {
        /// The folder.
        dir: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It was closed.
    #[error("the store is closed")]
    Closed,
    /// A commit is larger than a commit may be.
    #[error("the commit has {size} {unit}; at most {limit} are allowed")]
    Limit {
        /// What it has.
        size: usize,
        /// What it may have.
        limit: usize,
        /// Of what: `writes`, `bytes`.
        unit: &'static str,
    },
    /// An object was put under a key of another sort.
    #[error("an object was put under a key of another sort")]
    Sort,
}

impl Error {
    /// The machine-readable reason.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::Held { .. } => Reason::StoreHeld,
            Self::Newer { .. } => Reason::StoreNewer,
            Self::Damaged { .. } | Self::Backup { .. } => Reason::StoreDamaged,
            Self::Full { .. } => Reason::StoreFull,
            Self::NotEmpty { .. } | Self::Exists { .. } => Reason::PathUnusable,
            Self::Access { .. } => Reason::HostRefused,
            Self::Disk { .. } | Self::Closed => Reason::Away,
            Self::Limit { .. } => Reason::LimitReached,
            Self::Sort => Reason::Bug,
        }
    }

    /// The kind, by the reason.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.reason().kind()
    }

    fn fix(&self) -> &'static str {
        match self {
            Self::Held { .. } => "stop the process that holds it, or choose another data folder",
            Self::Newer { .. } => "start the weft that wrote it, or a newer one",
            Self::Damaged { .. } => {
                "leave the folder as it is, restore a copy made by `weft backup` into an empty folder, and start \
                 weft with that"
            }
            Self::Backup { .. } => "use another file that `weft backup` made",
            Self::Full { .. } => "free space on its file system; reading and deleting go on meanwhile",
            Self::NotEmpty { .. } => "name an empty folder, or one that does not exist yet",
            Self::Exists { .. } => "name a file that does not exist yet",
            Self::Access { .. } => "see that the path exists and that weft may use it",
            Self::Disk { .. } => "look at the kernel's log for the disk; weft goes on by itself when it can",
            Self::Closed => "try again when weft has started again",
            Self::Limit { .. } => "make the request smaller",
            Self::Sort => "look in weft's log for the cause, and report it",
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let source = std::error::Error::source(&error).map(|source| format!(": {source}")).unwrap_or_default();
        Self::new(error.reason(), format!("{error}{source}")).fix(error.fix())
    }
}
