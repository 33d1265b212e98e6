//! How the program ends: one code per kind of error, one table.

use weft_domain::Kind;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Exit(u8);

impl Exit {
    /// All was done.
    pub const DONE: Self = Self(0);
    /// The words make no command.
    pub const USAGE: Self = Self(2);
    /// A census found something that is leaked or missing.
    pub const UNCLEAN: Self = Self(20);
    /// The caller broke off.
    pub const INTERRUPTED: Self = Self(130);

    /// The one table: kinds to codes.
    #[must_use]
    pub const fn of(kind: Kind) -> Self {
        Self(match kind {
            Kind::Internal => 1,
            Kind::NotFound => 3,
            Kind::AlreadyExists => 4,
            Kind::FailedPrecondition => 5,
            Kind::InvalidArgument => 6,
            Kind::ResourceExhausted => 7,
            Kind::Unavailable => 8,
            Kind::DeadlineExceeded => 9,
            Kind::PermissionDenied | Kind::Unauthenticated => 10,
            Kind::Unsupported => 11,
            Kind::Conflict => 12,
        })
    }

    /// The code.
    #[must_use]
    pub const fn code(self) -> u8 {
        self.0
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_kind_looks_like_success_usage_or_interruption() {
        for kind in Kind::ALL {
            let exit = Exit::of(kind);
            assert!(![Exit::DONE, Exit::USAGE, Exit::UNCLEAN, Exit::INTERRUPTED].contains(&exit), "{kind:?}");
        }
    }
}
