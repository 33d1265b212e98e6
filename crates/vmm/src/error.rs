//! What can fail in a driver, whichever VMM it drives, and how it is told outside.
//!
//! Drivers fail in the same ways and tell of them in the same words, but for the name of the VMM and what it
//! says itself: those are a [`Vmm`]'s.

use crate::Finding;
use crate::tap::Unopened;
use crate::told::chain;
use std::fmt;
use std::io;
use std::path::PathBuf;
use weft_domain::{Fault, Kind, Reason, Violation};

/// The longest path of a Unix socket on Linux, in bytes.
pub(crate) const MAX_SOCKET_PATH: usize = 107;

/// What failures of one VMM are told with.
pub trait Vmm: fmt::Debug + Send + Sync + 'static {
    /// The driver's name.
    const DRIVER: &'static str;
    /// The VMM's name for people.
    const TITLE: &'static str;
    /// How it is had.
    const INSTALL: &'static str;
    /// What helps where it runs no guest.
    const RUN: &'static str;
    /// Why it cannot be spoken to.
    type Talk: std::error::Error + Send + Sync + 'static;

    /// The oldest version that is driven.
    fn oldest() -> String;
}

/// Why something failed with a VMM.
#[derive(Debug, thiserror::Error)]
pub enum Error<V: Vmm> {
    /// It is not here.
    #[error("there is no {program}, looked for in {looked_in}")]
    FindProgram {
        /// The name or path that was looked for.
        program: String,
        /// Where.
        looked_in: String,
    },
    /// It is too old, or does not say its version.
    #[error("{} says that it is {said:?}; {} or newer is needed", program.display(), V::oldest())]
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
    /// The specification asks for what cannot be had, or not together.
    #[error("the specification asks for what {} cannot do", V::TITLE)]
    Unserved(Vec<Violation>),
    /// A path has no text form that it could be given.
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
    /// A device of the host's network cannot be opened.
    #[error("cannot open the interface {name} of the host")]
    Tap {
        /// Its name.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The snapshot that the machine should begin from is not what it should be.
    #[error("the snapshot cannot be used: {why}")]
    Snapshot {
        /// Why.
        why: String,
    },
    /// It refused to go on from the snapshot.
    #[error("{} does not take the snapshot: {said}", V::TITLE)]
    Load {
        /// Its words.
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
    /// What should be said has no JSON form.
    #[error("a request has no JSON form")]
    Say(#[source] serde_json::Error),
    /// It ended while it started.
    #[error("{} {how} while it started: {said}", V::TITLE)]
    EndedEarly {
        /// With which code or by which signal.
        how: String,
        /// Its last words.
        said: String,
    },
    /// It did not come up in time.
    #[error("{} was not ready after {seconds} s: {said}", V::TITLE)]
    Slow {
        /// The time that it was given.
        seconds: u64,
        /// Its last words.
        said: String,
    },
    /// It refused what a start needs.
    #[error("{} does not {doing}: {said}", V::TITLE)]
    Refused {
        /// What it was asked, as a verb.
        doing: &'static str,
        /// Its words.
        said: String,
    },
    /// It does not answer, or not as it should.
    #[error("{} does not answer", V::TITLE)]
    Talk(#[source] V::Talk),
    /// Whoever launched it broke off before its guest ran.
    #[error("the launch was broken off before the guest ran")]
    Unbegun,
    /// Another instance answers.
    #[error("another instance answers on its socket: {id}")]
    Stranger {
        /// The instance that it says it is.
        id: String,
    },
}

impl<V: Vmm> Error<V> {
    /// The kind of this error.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.reason().kind()
    }

    fn reason(&self) -> Reason {
        match self {
            Self::FindProgram { .. } | Self::Version { .. } | Self::RunsNothing { .. } => Reason::ProgramMissing,
            Self::UseFolder { .. } | Self::Tap { .. } | Self::Listen { .. } | Self::Say(_) => Reason::HostRefused,
            Self::Run { source, .. } | Self::Begin(source) => source.reason,
            Self::Unserved(_) => Reason::FieldUnsupported,
            Self::PathText { .. } | Self::Backing { .. } => Reason::PathUnusable,
            Self::Snapshot { .. } | Self::Load { .. } => Reason::SnapshotUnusable,
            Self::SocketPath { .. }
            | Self::EndedEarly { .. }
            | Self::Slow { .. }
            | Self::Refused { .. }
            | Self::Unbegun => Reason::LaunchFailed,
            Self::Talk(_) | Self::Stranger { .. } => Reason::VmmSilent,
        }
    }

    fn fix(&self) -> String {
        let fix = match self {
            Self::FindProgram { .. } => return format!("install {}, or name its program", V::INSTALL),
            Self::Version { .. } => return format!("install {} {} or newer", V::TITLE, V::oldest()),
            Self::RunsNothing { .. } => V::RUN,
            Self::UseFolder { .. } | Self::Listen { .. } | Self::Say(_) | Self::Run { .. } => {
                "look in weft's log for the cause"
            }
            Self::Unserved(_) => "leave the field out, or name another driver or machine model",
            Self::PathText { .. } => "use a path of UTF-8 text",
            Self::Backing { .. } => "give a file that weft may read, in the format that the disk names",
            Self::Tap { .. } => "make the interface before, with as many queues as are asked for",
            Self::Snapshot { .. } => "take the snapshot anew",
            Self::Load { .. } => {
                "restore it with the driver and version, and on the sort of host, that it was taken on"
            }
            Self::SocketPath { .. } => "choose a shorter data directory",
            Self::EndedEarly { .. } | Self::Refused { .. } | Self::Begin(_) => "the VMM's own words say what it lacks",
            Self::Slow { .. } => "the host may be overloaded; boot it again",
            Self::Unbegun => "boot it again",
            Self::Talk(_) | Self::Stranger { .. } => "shut the VM down by force if it stays so",
        };
        fix.to_owned()
    }

    /// What `weft doctor` says of a VMM that cannot be used.
    #[must_use]
    pub fn finding(&self) -> Finding {
        let program =
            if let Self::Version { program, .. } | Self::RunsNothing { program, .. } | Self::Run { program, .. } = self
            {
                Some(program.clone())
            } else {
                None
            };
        Finding::missing(V::DRIVER, program, format!("{}; {}", chain(self), self.fix()))
    }
}

impl<V: Vmm> From<Unopened> for Error<V> {
    fn from(Unopened { name, source }: Unopened) -> Self {
        Self::Tap { name, source }
    }
}

impl<V: Vmm> From<Error<V>> for Fault {
    fn from(error: Error<V>) -> Self {
        tracing::debug!(error = %chain(&error), "{}", V::TITLE);
        let (reason, fix, said) = (error.reason(), error.fix(), error.to_string());
        match error {
            Error::Run { source, .. } | Error::Begin(source) => source,
            Error::Tap { source, .. } => Self::new(reason, format!("{said}: {source}")).fix(fix),
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
            | Error::Load { .. }
            | Error::SocketPath { .. }
            | Error::Listen { .. }
            | Error::Say(_)
            | Error::EndedEarly { .. }
            | Error::Slow { .. }
            | Error::Refused { .. }
            | Error::Unbegun
            | Error::Stranger { .. } => Self::new(reason, said).fix(fix),
        }
    }
}
