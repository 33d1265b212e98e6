//! Fault points: instants between journal, kernel and VMM at which a test may end, break or hold the program.
//!
//! ```text
//!  hit(point) ─┬─ built without the feature `faults`: nothing, not even a branch
//!              └─ built with it, and armed: counted ─► the n-th hit of a plan ─► kill · panic · hold
//! ```
//!
//! What always holds: the list of points is closed and the same in every build, so that a harness can name
//! each; a point has no effect of its own and is passed at most as often as what it names is done.

use std::fmt;

#[cfg(feature = "faults")]
mod armed;

#[cfg(feature = "faults")]
pub use armed::{Act, Plan, arm};

/// Whether points do anything in this build.
pub const BUILT: bool = cfg!(feature = "faults");

macro_rules! points {
    ($($name:ident = $text:literal: $doc:literal,)*) => {
        /// A named instant.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Point {
            $(#[doc = $doc] $name,)*
        }

        impl Point {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// When it is passed, for a person.
            #[must_use]
            pub const fn when(self) -> &'static str {
                match self { $(Self::$name => $doc,)* }
            }
        }
    };
}

points! {
    JournalAppending = "journal.appending": "A commit of the journal is about to be written.",
    JournalWritten = "journal.written": "A commit of the journal is written and not yet on the disk.",
    JournalSynced = "journal.synced": "A commit of the journal is on the disk and nobody was told.",
    JournalAnswered = "journal.answered": "Those who waited for a commit of the journal were told.",
    JournalRewriting = "journal.rewriting": "The journal was written anew and the old one is still in its place.",
    JournalRewritten = "journal.rewritten": "The new journal has taken the place of the old one.",
    StoreStaged = "store.staged": "A transaction of the store is complete and not yet on the disk.",
    StoreCommitted = "store.committed": "A transaction of the store is on the disk and nobody was told.",
    StoreAnswered = "store.answered": "Those who waited for a transaction of the store were told.",
    ControlDeciding = "control.deciding": "A request was checked and its change is about to be committed.",
    ControlDecided = "control.decided": "The change of a request is committed and nobody was told.",
    ControlReported = "control.reported": "A node's report is about to be taken.",
    ControlSwept = "control.swept": "What is outdated is about to be removed from the store.",
    AgentStepping = "agent.stepping": "An owner is about to take a step toward what is desired.",
    AgentStepped = "agent.stepped": "An owner has taken a step and has told nobody.",
    AgentAdopting = "agent.adopting": "A process that was found is about to be taken up.",
    AgentAdopted = "agent.adopted": "A process that was found was taken up.",
    AgentBurying = "agent.burying": "What is left of a process that ended is about to be taken away.",
    AgentBuried = "agent.buried": "What was left of a process is gone and its claim is still held.",
    AgentKeeping = "agent.keeping": "A snapshot is claimed and none of its parts is written.",
    AgentKept = "agent.kept": "The parts of a snapshot are written and its manifest is not.",
    AgentListed = "agent.listed": "The manifest of a snapshot is written and nobody was told.",
    CgroupMade = "cgroup.made": "A cgroup is made and nothing is in it.",
    CgroupRemoving = "cgroup.removing": "A cgroup is about to be removed.",
    LauncherSpawned = "launcher.spawned": "The launcher runs and has no order.",
    LauncherOrdered = "launcher.ordered": "The launcher has its order.",
    LauncherBorne = "launcher.borne": "The process that is to become the program in a jail is born and waits for a word.",
    LauncherDone = "launcher.done": "The program has taken over and nobody was told.",
    ProcessLaunched = "process.launched": "A process runs and is not yet watched.",
    ProcessSignalling = "process.signalling": "A process is about to be sent a signal.",
    ProcessEnded = "process.ended": "A process that was to end is gone.",
    FolderMaking = "folder.making": "A folder is about to be made.",
    FolderMade = "folder.made": "A folder is made and not yet on the disk.",
    DiskMaking = "disk.making": "A disk is about to be made.",
    DiskMade = "disk.made": "A disk is made and not yet on the disk.",
    DiskGrown = "disk.grown": "A disk has grown and that is not yet on the disk.",
    Removing = "volumes.removing": "A disk or folder is about to be removed.",
    Removed = "volumes.removed": "A disk or folder is removed and that is not yet on the disk.",
    PartWritten = "part.written": "A part of a snapshot is written and not yet on the disk.",
    VmmAsking = "vmm.asking": "A VMM is about to be asked.",
    VmmAsked = "vmm.asked": "A VMM was asked and has not answered.",
    VmmAnswered = "vmm.answered": "A VMM has answered and nothing was done with it.",
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Passes a point.
#[inline(always)]
pub fn hit(point: Point) {
    #[cfg(feature = "faults")]
    armed::hit(point);
    #[cfg(not(feature = "faults"))]
    let _ = point;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ_and_are_words() {
        let names: std::collections::BTreeSet<_> = Point::ALL.iter().map(|point| point.as_str()).collect();
        assert_eq!(names.len(), Point::ALL.len());
        for name in names {
            assert!(name.split('.').count() == 2 && name.chars().all(|c| c.is_ascii_lowercase() || c == '.'), "{name}");
        }
    }

    #[test]
    fn a_point_that_nobody_armed_is_passed() {
        Point::ALL.iter().for_each(|point| hit(*point));
    }
}
