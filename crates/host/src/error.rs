//! What can go wrong with the host, by the act that failed, and how it is told outward.
//!
//! Causes from the kernel are logged where an error becomes a [`Fault`]; the fault says what and what
//! to do.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;
use weft_domain::{ClaimId, Fault, Kind, Reason};

/// What can go wrong with the host.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting of ours that cannot be.
    #[error("{name} {why}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// Why not.
        why: String,
    },
    /// The kernel refused something that should work.
    #[error("cannot {act}: {source}")]
    Host {
        /// What was tried, with what.
        act: String,
        /// What the kernel said.
        #[source]
        source: io::Error,
    },
    /// A program could not be started.
    #[error("cannot start {}: could not {step}: {why}", program.display())]
    Launch {
        /// The program.
        program: PathBuf,
        /// The step that failed.
        step: String,
        /// What the kernel said.
        why: String,
    },
    /// There is no such program.
    #[error("cannot start {}: there is no such program", program.display())]
    ProgramMissing {
        /// The program.
        program: PathBuf,
    },
    /// This host lets us jail nothing.
    #[error("nothing can be jailed here: {why}")]
    NoJail {
        /// What it lacks.
        why: String,
    },
    /// A file of the host cannot be shown in a jail.
    #[error("cannot show {} in the jail: {why}", path.display())]
    Unshown {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// A process whose jail was to be changed has none, or has ended.
    #[error("process {pid} has ended, or is not jailed")]
    NotJailed {
        /// The process.
        pid: u32,
    },
    /// A process that was to be measured has ended.
    #[error("process {pid} has ended")]
    Ended {
        /// The process.
        pid: u32,
    },
    /// What is seen in a jail cannot be changed.
    #[error("cannot change what is seen in a jail: could not {step}: {why}")]
    Visit {
        /// The step that failed.
        step: String,
        /// What the kernel said.
        why: String,
    },
    /// Processes of a claim do not end, or their cgroup does not go.
    #[error("what bears {claim} does not end: {why}")]
    Undying {
        /// The claim.
        claim: ClaimId,
        /// What is left.
        why: String,
    },
    /// The disk is full.
    #[error("the disk is full: cannot {act}")]
    DiskFull {
        /// What was tried.
        act: String,
    },
    /// The journal's disk is full; what was asked was not written.
    #[error("the disk is full: nothing can be written to the journal {}", path.display())]
    JournalFull {
        /// The journal.
        path: PathBuf,
    },
    /// Another process holds the journal.
    #[error("{} is in use by {}", dir.display(), holder.map_or("another process".to_owned(), |pid| format!("process {pid}")))]
    Held {
        /// The folder that is held.
        dir: PathBuf,
        /// Who holds it.
        holder: Option<u32>,
    },
    /// The journal is damaged.
    #[error("the journal {} is damaged at byte {offset}: {why}", path.display())]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// Where.
        offset: u64,
        /// How.
        why: String,
    },
    /// The journal was written by a newer weft.
    #[error("the journal {} has format {version}, which a newer weft wrote", path.display())]
    Newer {
        /// The journal.
        path: PathBuf,
        /// Its format.
        version: u32,
    },
    /// What was written down of usage is damaged.
    #[error("what was written down of usage is damaged in {} at byte {offset}: {why}", path.display())]
    SpoolDamaged {
        /// The file.
        path: PathBuf,
        /// Where.
        offset: u64,
        /// How.
        why: String,
    },
    /// What was written down of usage is of a newer weft.
    #[error("{} has format {version}, which a newer weft wrote", path.display())]
    SpoolNewer {
        /// The file.
        path: PathBuf,
        /// Its format.
        version: u32,
    },
    /// A batch that was dropped for want of room.
    #[error("batch {asked} was dropped for want of room; {first} is the first that is there")]
    BatchDropped {
        /// The one that was asked for.
        asked: u64,
        /// The first that is there.
        first: u64,
    },
    /// A batch that never was.
    #[error("there is no batch {0}")]
    BatchUnknown(u64),
    /// What is used cannot be written down any more, after a write that failed.
    #[error("nothing more of what is used can be written down")]
    SpoolClosed,
    /// The journal is closed, or gave up after a failed write.
    #[error("the journal is closed")]
    Closed,
    /// A claim's id is held for another thing.
    #[error("{0} is held for another thing")]
    ClaimHeld(ClaimId),
    /// A claim that was to be noted is not held.
    #[error("{0} is not held")]
    ClaimUnknown(ClaimId),
    /// More than the journal takes.
    #[error("the journal takes no more than {limit} {what}")]
    TooMuch {
        /// How many.
        limit: usize,
        /// Of what.
        what: &'static str,
    },
    /// A path of a caller's that is not allowed.
    #[error("{field}: {why}")]
    NotAllowed {
        /// The field that named it.
        field: String,
        /// Why not.
        why: String,
        /// The roots that are.
        roots: Vec<PathBuf>,
    },
    /// A path of a caller's that leads to nothing of use.
    #[error("{field}: {why}")]
    Unusable {
        /// The field that named it.
        field: String,
        /// Why not.
        why: String,
    },
    /// Something else is where a disk or folder is to be made.
    #[error("{} {why}", path.display())]
    Occupied {
        /// The path.
        path: PathBuf,
        /// What is there.
        why: String,
    },
    /// A path that is not in a folder of ours was to be made, changed or removed.
    #[error("{} is not in a folder of weft's", path.display())]
    NotOurs {
        /// The path.
        path: PathBuf,
    },
    /// A thread of ours ended before it answered.
    #[error("a thread ended before it answered")]
    Unanswered,
}

impl Error {
    /// The kernel refused this act.
    pub(crate) fn host(act: impl Into<String>, source: impl Into<io::Error>) -> Self {
        let (act, source) = (act.into(), source.into());
        if matches!(
            source.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
        ) {
            return Self::DiskFull { act };
        }
        Self::Host { act, source }
    }

    /// The reason, for machines.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::Setting { .. } | Self::BatchUnknown(_) => Reason::FieldInvalid,
            Self::Host { .. } | Self::Undying { .. } | Self::Visit { .. } => Reason::HostRefused,
            Self::NoJail { .. } => Reason::VerbUnsupported,
            Self::NotJailed { .. } | Self::Ended { .. } => Reason::PhaseForbids,
            Self::Launch { .. } => Reason::LaunchFailed,
            Self::ProgramMissing { .. } => Reason::ProgramMissing,
            Self::DiskFull { .. } => Reason::DiskExhausted,
            Self::JournalFull { .. } => Reason::StoreFull,
            Self::Held { .. } => Reason::StoreHeld,
            Self::Damaged { .. } | Self::SpoolDamaged { .. } => Reason::StoreDamaged,
            Self::Newer { .. } | Self::SpoolNewer { .. } => Reason::StoreNewer,
            Self::BatchDropped { .. } => Reason::RevisionCompacted,
            Self::Closed | Self::SpoolClosed => Reason::Away,
            Self::ClaimHeld(_) | Self::ClaimUnknown(_) => Reason::WriteConflict,
            Self::TooMuch { .. } => Reason::LimitReached,
            Self::NotAllowed { .. } => Reason::PathNotAllowed,
            Self::Unusable { .. } | Self::Occupied { .. } | Self::Unshown { .. } => Reason::PathUnusable,
            Self::NotOurs { .. } | Self::Unanswered => Reason::Bug,
        }
    }

    /// The kind, by the reason.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.reason().kind()
    }

    fn fix(&self) -> String {
        match self {
            Self::Setting { name, .. } => format!("set {name} to another value"),
            Self::NoJail { .. } => "ask `weft doctor` what is missing, or run VMs without a jail".to_owned(),
            Self::Unshown { .. } => "name a file that is there, on a file system that the jail can use".to_owned(),
            Self::NotJailed { .. } | Self::Ended { .. } => "look again which process it is".to_owned(),
            Self::Host { .. } | Self::Visit { .. } => {
                "look in weft's log, and ask `weft doctor` what this host lets weft do".to_owned()
            }
            Self::Launch { .. } => "look at the program's own log, and ask `weft doctor`".to_owned(),
            Self::ProgramMissing { program } => {
                format!("install {}, or say where it is", program.file_name().unwrap_or_default().display())
            }
            Self::Undying { .. } => {
                "see in which state the processes are with `ps`; a busy disk can hold them".to_owned()
            }
            Self::DiskFull { .. } | Self::JournalFull { .. } => {
                "free space on the file system of weft's data folder; what is there already is safe".to_owned()
            }
            Self::Held { .. } => "stop the other weft, or use another data folder".to_owned(),
            Self::Damaged { .. } => {
                "nothing was changed: put back a copy of the file from before; without one, keep what is there, end the \
                 VMs by hand, move the file away, and start weft again: it begins a new journal, and disks stay"
                    .to_owned()
            }
            Self::SpoolDamaged { .. } => {
                "nothing was changed: put back a copy of the file from before; without one, move it away and start \
                 weft again: what control has of it already is safe, the rest of it is lost"
                    .to_owned()
            }
            Self::BatchDropped { first, .. } => format!("go on with batch {first}, and note what is missing"),
            Self::BatchUnknown(_) => "begin with the first batch that is there".to_owned(),
            Self::Newer { .. } | Self::SpoolNewer { .. } => "run the weft that wrote it, or a newer one".to_owned(),
            Self::Closed | Self::SpoolClosed => "start weft again".to_owned(),
            Self::ClaimHeld(_) | Self::ClaimUnknown(_) => "read the claims and try again".to_owned(),
            Self::TooMuch { .. } => "delete what is not needed any more".to_owned(),
            Self::NotAllowed { roots, .. } => match roots.as_slice() {
                [] => "no root is allowed here: allow one in the configuration".to_owned(),
                roots => format!("put the file under an allowed root: {}", listed(roots)),
            },
            Self::Unusable { .. } => "name a file that weft can use".to_owned(),
            Self::Occupied { .. } => "take it away, or use another path".to_owned(),
            Self::NotOurs { .. } | Self::Unanswered => "look in weft's log for the cause, and report it".to_owned(),
        }
    }
}

fn listed(roots: &[PathBuf]) -> String {
    let mut text = String::new();
    for root in roots {
        let comma = if text.is_empty() { "" } else { ", " };
        // Writing to a string cannot fail.
        let _ = write!(text, "{comma}{}", root.display());
    }
    text
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        if error.kind() == Kind::Internal {
            tracing::error!(%error, "the host refused");
        }
        let message = if let Error::Host { act, source } = &error {
            format!("cannot {act}: {}", source.kind())
        } else {
            error.to_string()
        };
        let fault = Fault::new(error.reason(), message).fix(error.fix());
        if let Error::NotAllowed { field, why, .. } | Error::Unusable { field, why } = error {
            return fault.at(field, why);
        }
        fault
    }
}

impl From<tokio::task::JoinError> for Error {
    fn from(_: tokio::task::JoinError) -> Self {
        Self::Unanswered
    }
}

/// Runs what may wait for a disk or the kernel on a thread for that.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await?
}
