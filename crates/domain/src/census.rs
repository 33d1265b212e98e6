//! Everything of weft's on a host, set against what is claimed and what is wanted.
//!
//! ```text
//!  found ──┐                 ┌─ claimed, and wanted           → adopted
//!          │                 ├─ claimed, its end was asked    → released: being taken away
//!  claims ─┼─► take ─► each ─┼─ claimed, unknown to the state → orphaned: kept until a person gives it up
//!          │                 ├─ bears our name, unclaimed     → leaked: taken away, or told
//!  wishes ─┘                 ├─ not ours                      → foreign: left alone
//!                            └─ claimed, noted, not there     → missing
//! ```
//!
//! What always holds: everything that was found gets exactly one verdict; what is claimed is never leaked;
//! what is not marked as ours is never anything but foreign; what may hold somebody's bytes is told and
//! left alone, whoever made it.
//!
//! **Why a look cannot harm what is just being made.** A thing is claimed before it is made, and let go
//! after it is gone. So whoever looks at the host first and reads the claims after that finds every living
//! thing claimed; what seems leaked for an instant was taken away between the two, and taking it away once
//! more does nothing, since no claim's id is ever given twice. [`Leaks`] asks for more where owners work: a
//! thing must be leaked in two looks in a row, and a claim that nobody holds must not be young, because
//! drivers that are tried out beside a running agent bear claims that no journal holds.
//!
//! What it does not know: how a host is looked at, how a journal is read, how anything is taken away.

mod judge;
mod leaks;
#[cfg(test)]
mod tests;

pub use judge::take;
pub use leaks::{Cure, Leaks};

use crate::{ClaimId, InstanceId, SnapshotId, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A half-written file that was touched within this is being written; a claim made within this may be of
/// something that is under way.
pub const YOUNG: Duration = Duration::from_secs(30);

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$one:meta])* $variant:ident = $text:literal;)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$one])* $variant,)* }

        impl $name {
            /// All of them, in their order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
            /// The word for it.
            #[must_use]
            pub const fn as_str(self) -> &'static str { match self { $(Self::$variant => $text,)* } }
            /// The one of this word, where there is one.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> { match text { $($text => Some(Self::$variant),)* _ => None } }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(self.as_str()) }
        }
    };
}

words! {
    /// What a thing on a host is.
    ///
    /// weft makes no links, network namespaces or tables of packet filters today: a link or namespace that
    /// bears its name is another's, and so foreign; tables are not looked at.
    Sort {
        /// A process.
        Process = "process";
        /// A cgroup, in however many trees.
        Cgroup = "cgroup";
        /// The folder of one incarnation.
        RunFolder = "run-folder";
        /// What lies in one: a socket, a FIFO, a link, the root of a jail.
        Socket = "socket";
        /// The folder of an instance.
        Folder = "folder";
        /// A disk or an overlay.
        Disk = "disk";
        /// A log.
        Log = "log";
        /// The folder of a snapshot.
        Snapshot = "snapshot";
        /// A part of a snapshot, or its manifest.
        Part = "part";
        /// Another file.
        File = "file";
        /// A file that is being written under a passing name.
        Draft = "draft";
        /// The file of a lock.
        Lock = "lock";
        /// A mount that the host sees.
        Mount = "mount";
        /// A network interface.
        Link = "link";
        /// A network namespace with a name.
        Netns = "netns";
    }
}

words! {
    /// What is to be thought of a thing.
    Verdict {
        /// Claimed, and wanted.
        Adopted = "adopted";
        /// Claimed, and being taken away.
        Released = "released";
        /// Claimed, and unknown to the state: kept until a person gives it up.
        Orphaned = "orphaned";
        /// Not ours; left alone.
        Foreign = "foreign";
        /// It bears our name, and nobody claims it.
        Leaked = "leaked";
        /// Claimed and noted, and not there.
        Missing = "missing";
    }
}

/// One thing that is on the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub sort: Sort,
    /// Which.
    pub what: What,
    /// Whose it says it is.
    pub mark: Mark,
}

/// How a thing is named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// By a path.
    Path(PathBuf),
    /// By a number or name of the kernel's.
    Name(String),
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// Whose a thing says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// It bears this claim.
    Claim(ClaimId),
    /// It lies where claims name things by their path, and is named as weft names them.
    Place,
    /// It belongs to this weft as such, as its locks do.
    House,
    /// It is a draft of this weft's own files, last touched at this moment.
    Draft(Time),
    /// It is not ours, and why one might have thought so.
    Stranger(&'static str),
}

/// Something that is claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The claim.
    pub claim: ClaimId,
    /// The instance that it is for; of a snapshot, the one that it is of.
    pub instance: InstanceId,
    /// What.
    pub held: Held,
}

/// What a claim is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// A folder and all in it.
    Folder(PathBuf),
    /// A disk.
    Disk(PathBuf),
    /// A snapshot's folder and all in it.
    Snapshot(SnapshotId, PathBuf),
    /// A process, its cgroup and its folder for sockets.
    Process {
        /// The folder.
        run_dir: PathBuf,
        /// How far it has come.
        stage: Stage,
    },
}

/// How far a claimed process has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Nobody noted that it was started.
    Coming,
    /// It was started as this process.
    Noted {
        /// Its pid.
        pid: u32,
    },
    /// It ended, and is being buried.
    Gone,
}

/// What the state says of claimed things; all that it does not name here is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wishes {
    /// Instances whose end was asked.
    pub ending: BTreeSet<InstanceId>,
    /// Instances that it does not know.
    pub unknown: BTreeSet<InstanceId>,
    /// Snapshots whose end was asked.
    pub ending_snapshots: BTreeSet<SnapshotId>,
    /// Snapshots that it does not know.
    pub unknown_snapshots: BTreeSet<SnapshotId>,
}

/// How closely a host was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Depth {
    /// What stands by itself, and what lies in folders not.
    Outline,
    /// Everything.
    Whole,
}

/// What was seen in one look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// How closely.
    pub depth: Depth,
    /// Everything that was found.
    pub found: Vec<Found>,
}

/// One thing with its verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// What it is; for what is missing, as it should be.
    pub found: Found,
    /// What is to be thought of it.
    pub verdict: Verdict,
    /// The claim that is held of it, and whose it is.
    pub owner: Option<(ClaimId, InstanceId)>,
}

/// Everything in one look with its verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// When.
    pub at: Time,
    /// Each thing, and what is missing.
    pub things: Vec<Judged>,
}

impl Taken {
    /// A later look, without what it shows as leaked or missing and this one did not: that was on its way.
    #[must_use]
    pub fn confirmed(&self, mut later: Self) -> Self {
        let passing = |thing: &Judged| matches!(thing.verdict, Verdict::Leaked | Verdict::Missing);
        let key = |thing: &Judged| (thing.found.sort, thing.found.what.clone(), thing.verdict);
        let before: BTreeSet<_> = self.things.iter().filter(|thing| passing(thing)).map(key).collect();
        later.things.retain(|thing| !passing(thing) || before.contains(&key(thing)));
        later
    }

    /// Whether nothing is leaked and nothing is missing.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        !self.things.iter().any(|thing| matches!(thing.verdict, Verdict::Leaked | Verdict::Missing))
    }

    /// What is told of it: how many there are of each, and what a person should see, at most so much of it.
    #[must_use]
    pub fn told(&self, limit: usize) -> Census {
        let mut counts = BTreeMap::new();
        for thing in &self.things {
            *counts.entry((thing.found.sort, thing.verdict)).or_default() += 1;
        }
        let mut shown: Vec<_> = self.things.iter().filter(|thing| thing.verdict != Verdict::Adopted).collect();
        // What somebody must do something about is not cut off for what is left alone, nor what lies in our
        // folders for what others run.
        let far = |thing: &Judged| thing.verdict == Verdict::Foreign && thing.found.path().is_none();
        shown.sort_by_key(|thing| (std::cmp::Reverse(thing.verdict), far(thing)));
        let left_out = shown.len().saturating_sub(limit) as u64;
        let lines = shown.into_iter().take(limit).map(Judged::line).collect();
        Census { at: self.at, counts, lines, left_out }
    }
}

/// A census as it is told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Census {
    /// When it was taken.
    pub at: Time,
    /// How many there are of each.
    pub counts: BTreeMap<(Sort, Verdict), u64>,
    /// All but what is adopted, what matters most first.
    pub lines: Vec<Line>,
    /// How many lines were left out.
    pub left_out: u64,
}

impl Census {
    /// How many have this verdict.
    #[must_use]
    pub fn count(&self, verdict: Verdict) -> u64 {
        self.counts.iter().filter(|((_, of), _)| *of == verdict).map(|(_, count)| count).sum()
    }

    /// Whether nothing is leaked and nothing is missing.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.count(Verdict::Leaked) == 0 && self.count(Verdict::Missing) == 0
    }
}

/// One thing of a census, for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it is.
    pub sort: Sort,
    /// Which: a path, a pid, a name.
    pub name: String,
    /// What is to be thought of it.
    pub verdict: Verdict,
    /// The claim that it bears, or that is held of it.
    pub claim: Option<ClaimId>,
    /// Whose it is.
    pub instance: Option<InstanceId>,
    /// Why, as a sentence.
    pub why: String,
    /// What to do about it; empty where there is nothing to do.
    pub fix: String,
}

impl Found {
    /// Something at a path.
    #[must_use]
    pub fn at(sort: Sort, path: impl Into<PathBuf>, mark: Mark) -> Self {
        Self { sort, what: What::Path(path.into()), mark }
    }

    /// Something with a number or name of the kernel's.
    #[must_use]
    pub fn named(sort: Sort, name: impl Into<String>, mark: Mark) -> Self {
        Self { sort, what: What::Name(name.into()), mark }
    }

    fn path(&self) -> Option<&Path> {
        match &self.what {
            What::Path(path) => Some(path),
            What::Name(_) => None,
        }
    }
}
