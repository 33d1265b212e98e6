//! What can fail in this driver, and how it is told outside.

use crate::told::chain;
use crate::{Finding, http};
use std::io;
use std::path::PathBuf;
use weft_domain::{Fault, Kind, Reason, Violation};

/// Why something failed with Firecracker.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no Firecracker here.
    #[error("there is no {program}, looked for in {looked_in}")]
    FindProgram {
        /// The name or path that was looked for.
        program: String,
        /// Where.
        looked_in: String,
    },
    /// Firecracker is too old, or does not say its version.
    #[error("{} says that it is {said:?}; {} or newer is needed", program.display(), super::version::OLDEST)]
    Version {
        /// The program.
        program: PathBuf,
        /// Its words.
        said: String,
    },
    /// A guest of a few bytes does not run.
    #[error("{} runs no guest here: {said}", program.display())]
    RunsNothing {
        /// The program.
        program: PathBuf,
        /// Its last words.
        said: String,
    },
    /// A folder or file of ours cannot be used.
    #[error("cannot use {}", path.display())]
    UseFolder {
        /// The folder or a file in it.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The node cannot run a program at all.
    #[error("cannot run {}", program.display())]
    Run {
        /// The program.
        program: PathBuf,
        /// Why.
        #[source]
        source: Fault,
    },
    /// The specification asks for what cannot be had.
    #[error("the specification asks for what Firecracker cannot do")]
    Unserved(Vec<Violation>),
    /// A path has no text form that Firecracker could be given.
    #[error("the path {} is not UTF-8", path.display())]
    PathText {
        /// The path.
        path: PathBuf,
    },
    /// A file that the machine needs cannot be used.
    #[error("cannot use {}: {why}", path.display())]
    Backing {
        /// The file.
        path: PathBuf,
        /// Why, as a phrase.
        why: String,
    },
    /// The snapshot that the machine should begin from cannot be.
    #[error("the snapshot cannot be used: {why}")]
    Snapshot {
        /// Why.
        why: String,
    },
    /// The path of a socket is too long for the kernel.
    #[error("the path {} is longer than a socket's may be", path.display())]
    SocketPath {
        /// The path.
        path: PathBuf,
    },
    /// What should be said has no JSON form.
    #[error("a request has no JSON form")]
    Say(#[source] serde_json::Error),
    /// Firecracker ended while it started.
    #[error("Firecracker {how} while it started: {said}")]
    EndedEarly {
        /// With which code or by which signal.
        how: String,
        /// Its last words.
        said: String,
    },
    /// Firecracker did not come up in time.
    #[error("Firecracker was not ready after {seconds} s: {said}")]
    Slow {
        /// The time that it was given.
        seconds: u64,
        /// Its last words.
        said: String,
    },
    /// Firecracker refused a part of the machine.
    #[error("Firecracker does not take the machine: {said}")]
    Refused {
        /// The call and its words.
        said: String,
    },
    /// Firecracker refused to go on from the snapshot.
    #[error("Firecracker does not take the snapshot: {said}")]
    RefusedSnapshot {
        /// Its words.
        said: String,
    },
    /// Firecracker does not answer, or not as it should.
    #[error("Firecracker does not answer")]
    Talk(#[source] http::Error),
    /// Another instance answers.
    #[error("another instance answers on its socket: {id}")]
    Stranger {
        /// The instance that it says it is.
        id: String,
    },
}

impl Error {
    /// The kind of this error.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.reason().kind()
    }

    fn reason(&self) -> Reason {
        match self {
            Self::FindProgram { .. } | Self::Version { .. } | Self::RunsNothing { .. } => Reason::ProgramMissing,
            Self::UseFolder { .. } | Self::Say(_) => Reason::HostRefused,
            Self::Run { source, .. } => source.reason,
            Self::Unserved(_) => Reason::FieldUnsupported,
            Self::PathText { .. } | Self::Backing { .. } => Reason::PathUnusable,
            Self::Snapshot { .. } | Self::RefusedSnapshot { .. } => Reason::SnapshotUnusable,
            Self::SocketPath { .. } | Self::EndedEarly { .. } | Self::Slow { .. } | Self::Refused { .. } => {
                Reason::LaunchFailed
            }
            Self::Talk(_) | Self::Stranger { .. } => Reason::VmmSilent,
        }
    }

    fn fix(&self) -> &'static str {
        match self {
            Self::FindProgram { .. } => "install Firecracker from its releases, or name its program",
            Self::Version { .. } => "install a newer Firecracker",
            Self::RunsNothing { .. } => "see that /dev/kvm is there and may be used",
            Self::UseFolder { .. } | Self::Say(_) | Self::Run { .. } => "look in weft's log for the cause",
            Self::Unserved(_) => "leave the field out, or name another driver",
            Self::PathText { .. } => "use a path of UTF-8 text",
            Self::Backing { .. } => "give a file that weft may read, in the form that Firecracker takes",
            Self::Snapshot { .. } => "take the snapshot anew",
            Self::RefusedSnapshot { .. } => "restore it with the version and on the sort of host that it was taken on",
            Self::SocketPath { .. } => "choose a shorter data directory",
            Self::EndedEarly { .. } | Self::Refused { .. } => "the VMM's own words say what it lacks",
            Self::Slow { .. } => "the host may be overloaded; boot it again",
            Self::Talk(_) | Self::Stranger { .. } => "shut the VM down by force if it stays so",
        }
    }

    /// What `weft doctor` says of a Firecracker that cannot be used.
    #[must_use]
    pub fn finding(&self) -> Finding {
        let program = match self {
            Self::Version { program, .. } | Self::RunsNothing { program, .. } | Self::Run { program, .. } => {
                Some(program.clone())
            }
            Self::FindProgram { .. }
            | Self::UseFolder { .. }
            | Self::Unserved(_)
            | Self::PathText { .. }
            | Self::Backing { .. }
            | Self::Snapshot { .. }
            | Self::SocketPath { .. }
            | Self::Say(_)
            | Self::EndedEarly { .. }
            | Self::Slow { .. }
            | Self::Refused { .. }
            | Self::RefusedSnapshot { .. }
            | Self::Talk(_)
            | Self::Stranger { .. } => None,
        };
        Finding::missing(super::NAME, program, format!("{}; {}", chain(self), self.fix()))
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        tracing::debug!(error = %chain(&error), "Firecracker");
        let (reason, fix) = (error.reason(), error.fix());
        match error {
            Error::Run { source, .. } => source,
            Error::Unserved(violations) => {
                let fault = Self::from_violations(reason, violations);
                fault.unwrap_or_else(|| Self::new(reason, "the machine cannot be made as asked")).fix(fix)
            }
            Error::Talk(source) => Self::new(reason, source.to_string()).fix(fix).retry_after(1_000),
            Error::FindProgram { .. }
            | Error::Version { .. }
            | Error::RunsNothing { .. }
            | Error::UseFolder { .. }
            | Error::PathText { .. }
            | Error::Backing { .. }
            | Error::Snapshot { .. }
            | Error::SocketPath { .. }
            | Error::Say(_)
            | Error::EndedEarly { .. }
            | Error::Slow { .. }
            | Error::Refused { .. }
            | Error::RefusedSnapshot { .. }
            | Error::Stranger { .. } => Self::new(reason, error.to_string()).fix(fix),
        }
    }
}
