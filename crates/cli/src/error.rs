//! What can go wrong in a command, and how the program then ends.

use crate::Exit;
use crate::args::flag;
use std::io;
use std::path::PathBuf;
use weft_domain::lifecycle::Phase;
use weft_domain::{Fault, Instance, Kind};

/// What went wrong in a command.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// weft refused.
    #[error(transparent)]
    Refused(#[from] Fault),
    /// The words make no command.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What to do about it.
        fix: String,
    },
    /// A file could not be read.
    #[error("{} cannot be read", path.display())]
    ReadFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("{} cannot be written", path.display())]
    WriteFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The terminal does not do what it must.
    #[error("the terminal cannot be used")]
    UseTerminal {
        /// Why.
        source: io::Error,
    },
    /// An answer could not be written.
    #[error("the answer cannot be written")]
    WriteAnswer {
        /// Why.
        source: io::Error,
    },
    /// The wait was over before it was so.
    #[error("VM {name} is {phase}, not yet {wanted}")]
    NotYet {
        /// Which VM.
        name: String,
        /// Where it is.
        phase: Phase,
        /// Where it should be.
        wanted: String,
        /// What it is waiting for, as far as it says.
        message: Option<String>,
    },
    /// The VM failed.
    #[error("VM {} has failed", vm.meta.name)]
    Failed {
        /// The VM, which knows more.
        vm: Box<Instance>,
    },
    /// The caller broke off.
    #[error("interrupted")]
    Interrupted {
        /// How what goes on can be seen; empty where nothing goes on.
        follow: String,
    },
    /// Several failed, each told already.
    #[error("{failed} of {all} failed")]
    Several {
        /// How many.
        failed: usize,
        /// Of how many.
        all: usize,
        /// How the first of them ends the program.
        exit: Exit,
    },
}

impl Error {
    /// The same; a refusal of fields names their flags.
    #[must_use]
    pub(crate) fn with_flags(mut self) -> Self {
        if let Self::Refused(fault) = &mut self {
            flag::name(fault);
        }
        self
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Refused(fault) => fault.kind(),
            Self::Usage { .. } => Kind::InvalidArgument,
            Self::ReadFile { source, .. } | Self::WriteFile { source, .. }
                if source.kind() == io::ErrorKind::NotFound =>
            {
                Kind::NotFound
            }
            Self::ReadFile { .. } | Self::WriteFile { .. } => Kind::InvalidArgument,
            Self::UseTerminal { .. } | Self::Failed { .. } | Self::Several { .. } => Kind::FailedPrecondition,
            Self::WriteAnswer { .. } => Kind::Internal,
            Self::NotYet { .. } | Self::Interrupted { .. } => Kind::DeadlineExceeded,
        }
    }

    /// How the program ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage { .. } => Exit::USAGE,
            Self::Interrupted { .. } => Exit::INTERRUPTED,
            Self::Several { exit, .. } => *exit,
            // The reader has seen enough.
            Self::WriteAnswer { source } if source.kind() == io::ErrorKind::BrokenPipe => Exit::DONE,
            Self::Refused(_)
            | Self::ReadFile { .. }
            | Self::WriteFile { .. }
            | Self::UseTerminal { .. }
            | Self::WriteAnswer { .. }
            | Self::NotYet { .. }
            | Self::Failed { .. } => Exit::of(self.kind()),
        }
    }
}
