//! One verdict for each thing, and what to say of it.

use super::{Depth, Found, Held, Hold, Judged, Line, Look, Mark, Sort, Stage, Taken, Verdict, What, Wishes, YOUNG};
use crate::{ClaimId, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Sets what was found against what is claimed, and against what the state says of that. The host must have been looked at before the
/// claims were read.
#[must_use]
pub fn take(look: Look, holds: &[Hold], wishes: &Wishes, at: Time) -> Taken {
    let mut book = Book::of(holds, wishes);
    look.found.iter().for_each(|found| book.shelter(found));
    let mut seen = Seen::default();
    let mut things = Vec::with_capacity(look.found.len());
    for found in look.found {
        let hold = book.hold_of(&found);
        seen.add(&found, hold);
        let verdict = book.verdict(&found, hold, at);
        things.push(Judged { found, verdict, owner: hold.map(|hold| (hold.claim, hold.instance)) });
    }
    let missing = holds.iter().filter(|hold| book.standing(hold) != Verdict::Released);
    things.extend(missing.filter_map(|hold| seen.missing(hold, look.depth, at)));
    Taken { at, things }
}

/// How long ago, or ahead where a clock was turned back, a claim was made.
pub(super) fn is_young(claim: ClaimId, at: Time) -> bool {
    let made = claim.made();
    at.since(made).max(made.since(at)) < YOUNG
}

struct Book<'a> {
    processes: BTreeMap<ClaimId, &'a Hold>,
    places: BTreeMap<&'a Path, &'a Hold>,
    /// Processes by their pid, as they were noted.
    noted: BTreeMap<String, &'a Hold>,
    /// What bears the claims that processes bear which were noted as another's.
    sheltered: BTreeMap<ClaimId, &'a Hold>,
    wishes: &'a Wishes,
}

impl<'a> Book<'a> {
    fn of(holds: &'a [Hold], wishes: &'a Wishes) -> Self {
        let (places, noted, sheltered) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let mut book = Self { processes: BTreeMap::new(), places, noted, sheltered, wishes };
        for hold in holds {
            match &hold.held {
                Held::Process { run_dir, stage } => {
                    if let Stage::Noted { pid } = stage {
                        book.noted.insert(pid.to_string(), hold);
                    }
                    book.processes.insert(hold.claim, hold);
                    book.places.insert(run_dir, hold);
                }
                Held::Folder(path) | Held::Disk(path) | Held::Snapshot(_, path) => {
                    book.places.insert(path, hold);
                }
            }
        }
        book
    }

    /// A process that was noted for one claim and bears another, as after somebody moved it into a cgroup
    /// that is not its own: whatever bears that other claim is not ended, for it would be ended with it.
    fn shelter(&mut self, found: &Found) {
        if let (Sort::Process, Mark::Claim(borne), What::Name(pid)) = (found.sort, &found.mark, &found.what)
            && let Some(hold) = self.noted.get(pid).filter(|hold| hold.claim != *borne)
            && !self.processes.contains_key(borne)
        {
            self.sheltered.insert(*borne, hold);
        }
    }

    /// The claim that is held of a thing.
    fn hold_of(&self, found: &Found) -> Option<&'a Hold> {
        match found.mark {
            Mark::Claim(claim) => self.processes.get(&claim).or_else(|| self.sheltered.get(&claim)).copied(),
            Mark::Place => {
                let path = found.path()?;
                let inside = path.ancestors().find_map(|folder| self.places.get(folder));
                inside.or_else(|| self.places.get(finished(path)?.as_path())).copied()
            }
            Mark::House | Mark::Draft(_) | Mark::Stranger(_) => None,
        }
    }

    fn verdict(&self, found: &Found, hold: Option<&Hold>, at: Time) -> Verdict {
        match (found.mark.clone(), hold) {
            (Mark::Stranger(_), _) => Verdict::Foreign,
            (Mark::House, _) => Verdict::Adopted,
            (Mark::Draft(touched), _) if at.since(touched).max(touched.since(at)) < YOUNG => Verdict::Adopted,
            (Mark::Claim(_) | Mark::Place, Some(hold)) => self.standing(hold),
            (Mark::Draft(_), _) | (Mark::Claim(_) | Mark::Place, None) => Verdict::Leaked,
        }
    }

    /// What is to be thought of what this claim is of.
    fn standing(&self, hold: &Hold) -> Verdict {
        let wishes = self.wishes;
        let (ending, unknown) = match &hold.held {
            Held::Process { stage: Stage::Gone, .. } => return Verdict::Released,
            Held::Snapshot(id, _) => (wishes.ending_snapshots.contains(id), wishes.unknown_snapshots.contains(id)),
            Held::Folder(_) | Held::Disk(_) | Held::Process { .. } => {
                (wishes.ending.contains(&hold.instance), wishes.unknown.contains(&hold.instance))
            }
        };
        match (ending, unknown) {
            (true, _) => Verdict::Released,
            (false, true) => Verdict::Orphaned,
            (false, false) => Verdict::Adopted,
        }
    }
}

/// What a draft beside a file becomes: `.disk.raw.new` is to be `disk.raw`.
fn finished(path: &Path) -> Option<PathBuf> {
    let name = path.file_name().and_then(OsStr::to_str)?;
    Some(path.with_file_name(name.strip_prefix('.')?.strip_suffix(".new")?))
}

/// What was seen of what is claimed.
#[derive(Default)]
struct Seen {
    processes: BTreeSet<ClaimId>,
    places: BTreeSet<PathBuf>,
}

impl Seen {
    fn add(&mut self, found: &Found, hold: Option<&Hold>) {
        let Some(hold) = hold else { return };
        match (&hold.held, found.sort, &found.what) {
            (_, Sort::Process, _) => _ = self.processes.insert(hold.claim),
            (Held::Folder(path) | Held::Disk(path) | Held::Snapshot(_, path), _, What::Path(found))
                if path == found =>
            {
                self.places.insert(path.clone());
            }
            (_, _, _) => {}
        }
    }

    /// What this claim is of, if it should have been seen and was not.
    fn missing(&self, hold: &Hold, depth: Depth, at: Time) -> Option<Judged> {
        let there = |path: &Path| self.places.contains(path) || is_young(hold.claim, at);
        let found = match &hold.held {
            Held::Process { stage: Stage::Noted { pid }, .. } if !self.processes.contains(&hold.claim) => {
                Found::named(Sort::Process, pid.to_string(), Mark::Claim(hold.claim))
            }
            Held::Folder(path) if !there(path) => Found::at(Sort::Folder, path, Mark::Place),
            Held::Snapshot(_, path) if !there(path) => Found::at(Sort::Snapshot, path, Mark::Place),
            Held::Disk(path) if depth == Depth::Whole && !there(path) => Found::at(Sort::Disk, path, Mark::Place),
            Held::Process { .. } | Held::Folder(_) | Held::Snapshot(..) | Held::Disk(_) => return None,
        };
        Some(Judged { found, verdict: Verdict::Missing, owner: Some((hold.claim, hold.instance)) })
    }
}

impl Judged {
    /// It as a line for a person.
    #[must_use]
    pub fn line(&self) -> Line {
        let borne = match self.found.mark {
            Mark::Claim(claim) => Some(claim),
            Mark::Place | Mark::House | Mark::Draft(_) | Mark::Stranger(_) => None,
        };
        let (why, fix) = self.words();
        Line {
            sort: self.found.sort,
            name: self.found.what.to_string(),
            verdict: self.verdict,
            claim: self.owner.map(|(claim, _)| claim).or(borne),
            instance: self.owner.map(|(_, instance)| instance),
            why: why.to_owned(),
            fix: fix.to_owned(),
        }
    }

    /// Why, and what to do about it.
    fn words(&self) -> (&'static str, &'static str) {
        match (self.verdict, &self.found.mark) {
            (Verdict::Foreign, Mark::Stranger(why)) => (why, ""),
            (Verdict::Foreign, _) => ("it is not weft's", ""),
            (Verdict::Adopted, Mark::House) => ("it belongs to this weft", ""),
            (Verdict::Adopted, Mark::Draft(_)) => ("it is being written", ""),
            (Verdict::Adopted, _) => ("it is claimed, and wanted", ""),
            (Verdict::Released, _) => ("it is claimed and not wanted any more: it is being taken away", ""),
            (Verdict::Orphaned, _) => (
                "it is claimed, and the state does not know what it is for: it is kept",
                "bring the state back that knows it, or give it up by its id; docs/guides/operations.md says how",
            ),
            (Verdict::Leaked, _) if self.is_kept() => (
                "nobody claims it, and it may hold somebody's disk: it is left alone",
                "look at what is in it, keep what you need, and remove it by hand",
            ),
            (Verdict::Leaked, Mark::Draft(_)) => {
                ("it was left half-written by a process that is gone", "a running weft takes it away by itself")
            }
            (Verdict::Leaked, _) if self.found.sort == Sort::Process => (
                "it bears weft's name, and nobody claims it",
                "a running weft takes it away by itself; one that starts refuses to where its sockets are here too, for \
                 then the journal has lost records: put that back as it was",
            ),
            (Verdict::Leaked, _) => {
                ("it bears weft's name, and nobody claims it", "a running weft takes it away by itself")
            }
            (Verdict::Missing, _) if self.found.sort == Sort::Process => (
                "it was started for its claim, and is not there any more",
                "a running weft tells how it ended and follows its restart policy; `weft vm get` shows that",
            ),
            (Verdict::Missing, _) => (
                "it is claimed, and not there: somebody else took it away",
                "bring it back from a copy or a snapshot, or delete what it was for",
            ),
        }
    }
}
