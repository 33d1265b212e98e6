//! What can fail in this driver, and how it is told outside.

use crate::Finding;
use crate::http;
use crate::tap::Unopened;
use crate::told::chain;
use std::io;
use std::path::PathBuf;
use weft_domain::{Fault, Kind, Reason, Violation};

/// Why something failed with Cloud Hypervisor.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no Cloud Hypervisor here.
    #[error("there is no {program}, looked for in {looked_in}")]
    FindProgram {
        /// The name or path that was looked for.
        program: String,
        /// Where.
        looked_in: String,
    },
    /// It is too old, or does not say its version.
    #[error("{} says that it is {said:?}; {} or newer is needed", program.display(), super::config::gates::OLDEST)]
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
    /// A folder or a file in it cannot be used.
    #[error("cannot use {}", path.display())]
    UseFolder {
        /// Its path.
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
    /// The specification asks for what cannot be had, or not together.
    #[error("the specification asks for what Cloud Hypervisor cannot do")]
    Unserved(Vec<Violation>),
    /// The path of a socket is too long for the kernel.
    #[error("the path {} is too long for a socket", path.display())]
    SocketPath {
        /// The path.
        path: PathBuf,
    },
    /// A device of an interface cannot be opened.
    #[error("cannot open the network device {name}")]
    OpenTap {
        /// Its name.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A disk's file cannot be used.
    #[error("cannot use {}: {why}", path.display())]
    Backing {
        /// The file.
        path: PathBuf,
        /// Why, as a phrase.
        why: String,
    },
    /// A snapshot is not what it should be.
    #[error("the snapshot in {} cannot be used: {why}", folder.display())]
    Snapshot {
        /// Its folder.
        folder: PathBuf,
        /// Why, as a phrase.
        why: String,
    },
    /// It ended while it started.
    #[error("Cloud Hypervisor {how} while it started: {said}")]
    EndedEarly {
        /// With which code or by which signal.
        how: String,
        /// Its last words.
        said: String,
    },
    /// It refused what a start needs.
    #[error("Cloud Hypervisor does not {doing}: {said}")]
    Refused {
        /// What it was asked, as a verb.
        doing: &'static str,
        /// Its words.
        said: String,
    },
    /// It does not answer, or not as it should.
    #[error("Cloud Hypervisor does not answer")]
    Talk(#[source] Talk),
}

/// Why it could not be spoken to, for the log.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Talk(#[from] http::Error);

impl Error {
    /// What became of a call that a start needs.
    pub(super) fn of_call(doing: &'static str, error: http::Error) -> Self {
        if error.is_refusal() { Self::Refused { doing, said: error.said() } } else { Self::Talk(Talk(error)) }
    }

    /// The kind of this error.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.reason().kind()
    }

    fn reason(&self) -> Reason {
        match self {
            Self::FindProgram { .. } | Self::Version { .. } | Self::RunsNothing { .. } => Reason::ProgramMissing,
            Self::UseFolder { .. } => Reason::HostRefused,
            Self::Run { source, .. } => source.reason,
            Self::Unserved(_) => Reason::FieldUnsupported,
            Self::OpenTap { .. } | Self::Backing { .. } => Reason::PathUnusable,
            Self::Snapshot { .. } => Reason::SnapshotUnusable,
            Self::SocketPath { .. } | Self::EndedEarly { .. } | Self::Refused { .. } => Reason::LaunchFailed,
            Self::Talk(_) => Reason::VmmSilent,
        }
    }

    fn fix(&self) -> &'static str {
        match self {
            Self::FindProgram { .. } => "install Cloud Hypervisor, or name its program",
            Self::Version { .. } => "install a newer Cloud Hypervisor",
            Self::RunsNothing { .. } => "see that KVM works on this host (/dev/kvm), and run the program by hand",
            Self::UseFolder { .. } | Self::Run { .. } => "look in weft's log for the cause",
            Self::Unserved(_) => "leave the field out, or name another driver",
            Self::SocketPath { .. } => "choose a shorter data directory",
            Self::OpenTap { .. } => "make the device before, with as many queues as are asked for",
            Self::Backing { .. } => "give a file that weft may read, in the format that the disk names",
            Self::Snapshot { .. } => "take another snapshot",
            Self::EndedEarly { .. } | Self::Refused { .. } => "the VMM's last words say what it lacks",
            Self::Talk(_) => "shut the VM down by force if it stays so",
        }
    }

    /// What `weft doctor` says of one that cannot be used.
    #[must_use]
    pub fn finding(&self) -> Finding {
        let program = match self {
            Self::Version { program, .. } | Self::RunsNothing { program, .. } | Self::Run { program, .. } => {
                Some(program.clone())
            }
            Self::FindProgram { .. }
            | Self::UseFolder { .. }
            | Self::Unserved(_)
            | Self::SocketPath { .. }
            | Self::OpenTap { .. }
            | Self::Backing { .. }
            | Self::Snapshot { .. }
            | Self::EndedEarly { .. }
            | Self::Refused { .. }
            | Self::Talk(_) => None,
        };
        Finding::missing(super::NAME, program, format!("{}; {}", chain(self), self.fix()))
    }
}

impl From<Unopened> for Error {
    fn from(Unopened { name, source }: Unopened) -> Self {
        Self::OpenTap { name, source }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        tracing::debug!(error = %chain(&error), "Cloud Hypervisor");
        let (reason, fix) = (error.reason(), error.fix());
        match error {
            Error::Run { source, .. } => source,
            Error::Unserved(violations) => {
                let fault = Self::from_violations(reason, violations);
                fault.unwrap_or_else(|| Self::new(reason, "the machine cannot be made as asked")).fix(fix)
            }
            Error::Talk(source) => Self::new(reason, source.to_string()).fix(fix).retry_after(1_000),
            Error::OpenTap { source, name } => {
                Self::new(reason, format!("cannot open the network device {name}: {source}")).fix(fix)
            }
            Error::FindProgram { .. }
            | Error::Version { .. }
            | Error::RunsNothing { .. }
            | Error::UseFolder { .. }
            | Error::SocketPath { .. }
            | Error::Backing { .. }
            | Error::Snapshot { .. }
            | Error::EndedEarly { .. }
            | Error::Refused { .. } => Self::new(reason, error.to_string()).fix(fix),
        }
    }
}
