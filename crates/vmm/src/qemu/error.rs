//! What can fail in this driver, and how it is told outside.

use super::client;
use crate::Finding;
use crate::tap::Unopened;
use crate::told::chain;
use std::io;
use std::path::PathBuf;
use weft_domain::{Fault, Kind, Reason, Violation};

/// The longest path of a Unix socket on Linux, in bytes.
pub(super) const MAX_SOCKET_PATH: usize = 107;

/// Why something failed with QEMU.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no QEMU here.
    #[error("there is no {program}, looked for in {looked_in}")]
    FindProgram {
        /// The name or path that was looked for.
        program: String,
        /// Where.
        looked_in: String,
    },
    /// QEMU is too old, or does not say its version.
    #[error("{} says that it is {said:?}; 6.2 or newer is needed", program.display())]
    Version {
        /// The program.
        program: PathBuf,
        /// Its words.
        said: String,
    },
    /// A guest of a few bytes does not run, even in software.
    #[error("{} runs no guest here: {said}", program.display())]
    RunsNothing {
        /// The program.
        program: PathBuf,
        /// Its last words.
        said: String,
    },
    /// The folder for what was found cannot be used.
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
    /// The specification asks for what cannot be had together.
    #[error("the specification asks for what QEMU cannot do")]
    Unserved(Vec<Violation>),
    /// A path has no text form that QEMU could be given.
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
    /// A tap of the host cannot be opened.
    #[error("cannot open the interface {name} of the host")]
    Tap {
        /// Its name.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// What was kept cannot be gone on from.
    #[error("the snapshot cannot be loaded: {said}")]
    Load {
        /// QEMU's last words.
        said: String,
    },
    /// What the machine was given first was refused.
    #[error("the machine could not be set up")]
    Begin(#[source] Fault),
    /// The path of a socket is too long for the kernel.
    #[error("the path {} has more than {MAX_SOCKET_PATH} bytes", path.display())]
    SocketPath {
        /// The path.
        path: PathBuf,
    },
    /// A socket could not be made.
    #[error("cannot listen on {}", path.display())]
    Listen {
        /// Its path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// QEMU ended while it started.
    #[error("QEMU {how} while it started: {said}")]
    EndedEarly {
        /// With which code or by which signal.
        how: String,
        /// Its last words.
        said: String,
    },
    /// QEMU did not come up in time.
    #[error("QEMU was not ready after {seconds} s: {said}")]
    Slow {
        /// The time that it was given.
        seconds: u64,
        /// Its last words.
        said: String,
    },
    /// QEMU does not answer, or not as it should.
    #[error("QEMU does not answer")]
    Talk(#[source] client::Error),
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
            Self::UseFolder { .. } | Self::Listen { .. } => Reason::HostRefused,
            Self::Run { source, .. } => source.reason,
            Self::Unserved(_) => Reason::FieldUnsupported,
            Self::PathText { .. } | Self::Backing { .. } => Reason::PathUnusable,
            Self::Tap { .. } => Reason::HostRefused,
            Self::Load { .. } => Reason::SnapshotUnusable,
            Self::Begin(fault) => fault.reason,
            Self::SocketPath { .. } | Self::EndedEarly { .. } | Self::Slow { .. } => Reason::LaunchFailed,
            Self::Talk(_) => Reason::VmmSilent,
        }
    }

    fn fix(&self) -> &'static str {
        match self {
            Self::FindProgram { .. } => "install QEMU (Debian: apt install qemu-system-x86), or name its program",
            Self::Version { .. } => "install QEMU 6.2 or newer",
            Self::RunsNothing { .. } => "run the program by hand to see what it lacks",
            Self::UseFolder { .. } | Self::Listen { .. } | Self::Run { .. } => "look in weft's log for the cause",
            Self::Unserved(_) => "leave the field out, or name another machine model",
            Self::PathText { .. } => "use a path of UTF-8 text",
            Self::Backing { .. } => "give a file that weft may read, in the format that the disk names",
            Self::SocketPath { .. } => "choose a shorter data directory",
            Self::EndedEarly { .. } => "the VMM's last words say what it lacks",
            Self::Tap { .. } => "see that the interface exists, and that weft may use it",
            Self::Load { .. } => "take the snapshot again, and restore it with the driver that it was taken with",
            Self::Begin(_) => "the VMM's last words say what it lacks",
            Self::Slow { .. } => "the host may be overloaded; boot it again",
            Self::Talk(_) => "shut the VM down by force if it stays so",
        }
    }

    /// What `weft doctor` says of a QEMU that cannot be used.
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
            | Self::SocketPath { .. }
            | Self::Listen { .. }
            | Self::EndedEarly { .. }
            | Self::Tap { .. }
            | Self::Load { .. }
            | Self::Begin(_)
            | Self::Slow { .. }
            | Self::Talk(_) => None,
        };
        Finding::missing(super::NAME, program, format!("{}; {}", chain(self), self.fix()))
    }
}

impl From<Unopened> for Error {
    fn from(Unopened { name, source }: Unopened) -> Self {
        Self::Tap { name, source }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        tracing::debug!(error = %chain(&error), "QEMU");
        let (reason, fix) = (error.reason(), error.fix());
        match error {
            Error::Run { source, .. } | Error::Begin(source) => source,
            Error::Tap { ref source, .. } => Self::new(reason, format!("{error}: {source}")).fix(fix),
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
            | Error::SocketPath { .. }
            | Error::Listen { .. }
            | Error::EndedEarly { .. }
            | Error::Load { .. }
            | Error::Slow { .. } => Self::new(reason, error.to_string()).fix(fix),
        }
    }
}
