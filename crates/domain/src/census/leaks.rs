//! What of that which leaked may be taken away now, and how.

use super::judge::is_young;
use super::{Judged, Mark, Sort, Taken, Verdict, What};
use crate::{ClaimId, Time};
use std::collections::BTreeSet;
use std::path::Path;

/// How a leaked thing is taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cure<'a> {
    /// All that bears this claim is ended, and its cgroup removed.
    Clear(ClaimId),
    /// What is at this path is removed.
    Remove(&'a Path),
    /// Whoever found it takes it away.
    Undo,
}

impl Judged {
    /// Whether it is left alone though nobody claims it, since it may hold what somebody needs.
    #[must_use]
    pub const fn is_kept(&self) -> bool {
        match self.found.sort {
            Sort::Folder | Sort::Disk | Sort::Log | Sort::Snapshot | Sort::Part | Sort::File => true,
            // A draft is of no worth to anybody, but where it lies in a folder that is kept, that is kept whole.
            Sort::Draft => matches!(self.found.mark, Mark::Place),
            Sort::Process | Sort::Cgroup | Sort::RunFolder | Sort::Socket => false,
            Sort::Lock | Sort::Mount | Sort::Link | Sort::Netns => false,
        }
    }

    /// How it is taken away; `None` where it is not ours to take away.
    #[must_use]
    pub fn cure(&self) -> Option<Cure<'_>> {
        if self.verdict != Verdict::Leaked || self.is_kept() {
            return None;
        }
        match (self.found.sort, &self.found.mark, &self.found.what) {
            (_, Mark::Claim(claim), _) => Some(Cure::Clear(*claim)),
            (Sort::RunFolder | Sort::Socket | Sort::Draft, _, What::Path(path)) => Some(Cure::Remove(path)),
            (_, _, _) => Some(Cure::Undo),
        }
    }
}

/// What leaked in the last look.
#[derive(Debug, Clone, Default)]
pub struct Leaks {
    /// `None` before the first.
    last: Option<BTreeSet<(Sort, What)>>,
}

impl Leaks {
    /// What may be taken away after this look. In the first no owner works, so it is all that can be, but for
    /// drafts: whose they are may be at work. Later it is what was leaked in the look before as well, and
    /// bears no young claim. Mounts come first: what lies under them must not be reached through them.
    pub fn due<'a>(&mut self, taken: &'a Taken) -> Vec<&'a Judged> {
        let leaked: Vec<_> = taken.things.iter().filter(|thing| thing.cure().is_some()).collect();
        let key = |thing: &Judged| (thing.found.sort, thing.found.what.clone());
        let now = leaked.iter().map(|thing| key(thing)).collect();
        let last = self.last.replace(now);
        let is_due = |thing: &&Judged| match &last {
            None => thing.found.sort != Sort::Draft,
            Some(last) => last.contains(&key(thing)) && !bears_young(thing, taken.at),
        };
        let mut due: Vec<_> = leaked.into_iter().filter(is_due).collect();
        due.sort_by_key(|thing| thing.found.sort != Sort::Mount);
        due
    }
}

fn bears_young(thing: &Judged, at: Time) -> bool {
    match thing.found.mark {
        Mark::Claim(claim) => is_young(claim, at),
        Mark::Place | Mark::House | Mark::Draft(_) | Mark::Stranger(_) => false,
    }
}
