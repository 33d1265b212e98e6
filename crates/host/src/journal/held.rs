//! The claims that are held, in memory, with a way back while a commit is under way.

use super::record::Record;
use crate::Error;
use std::collections::{BTreeMap, HashMap};
use weft_domain::ClaimId;
use weft_ports::claims::{Claim, Entry, Note};

/// More claims than this are not held at once.
const MOST: usize = 1 << 16;

/// The claims that are held.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// Each apart: the nodes of the tree are half empty where claims only come.
    entries: BTreeMap<u64, Box<Entry>>,
    places: HashMap<ClaimId, u64>,
    next: u64,
    undo: Vec<(u64, Option<Box<Entry>>)>,
}

impl Held {
    /// Applies what was read from the file, where every record fits.
    pub(super) fn replay(&mut self, record: Record) -> Result<(), String> {
        match &record {
            Record::Claimed(claim) if self.places.contains_key(&claim.id) => {
                return Err(format!("{} is claimed twice", claim.id));
            }
            Record::Noted(id, _) if !self.places.contains_key(id) => return Err(format!("{id} is noted, not claimed")),
            Record::Claimed(_) | Record::Noted(..) | Record::Released(_) => {}
        }
        self.apply(record);
        self.undo.clear();
        Ok(())
    }

    /// What must be recorded for these claims; refused where an id is held for another thing.
    pub(super) fn claim(&self, claims: Vec<Claim>) -> Result<Vec<Record>, Error> {
        if self.entries.len() + claims.len() > MOST {
            return Err(Error::TooMuch { limit: MOST, what: "claims" });
        }
        let mut records: Vec<Record> = Vec::new();
        for claim in claims {
            let fresh = records.iter().find_map(|record| match record {
                Record::Claimed(other) if other.id == claim.id => Some(other),
                Record::Claimed(_) | Record::Noted(..) | Record::Released(_) => None,
            });
            match self.entry(claim.id).map(|entry| &entry.claim).or(fresh) {
                Some(held) if *held == claim => {}
                Some(_) => return Err(Error::ClaimHeld(claim.id)),
                None => records.push(Record::Claimed(claim)),
            }
        }
        Ok(records)
    }

    /// What must be recorded for this note; refused where the claim is not held.
    pub(super) fn note(&self, id: ClaimId, note: Note) -> Result<Vec<Record>, Error> {
        match self.entry(id) {
            None => Err(Error::ClaimUnknown(id)),
            Some(entry) if entry.note == note => Ok(Vec::new()),
            Some(_) => Ok(vec![Record::Noted(id, note)]),
        }
    }

    /// What must be recorded for these releases.
    pub(super) fn release(&self, ids: Vec<ClaimId>) -> Vec<Record> {
        ids.into_iter().filter(|id| self.places.contains_key(id)).map(Record::Released).collect()
    }

    /// Applies a record; [`Self::keep`] or [`Self::revert`] follows.
    pub(super) fn apply(&mut self, record: Record) {
        match record {
            Record::Claimed(claim) => {
                let place = self.next;
                self.next += 1;
                self.places.insert(claim.id, place);
                self.entries.insert(place, Box::new(Entry { claim, note: Note::default() }));
                self.undo.push((place, None));
            }
            Record::Noted(id, note) => {
                let place = self.places.get(&id).copied();
                if let Some((place, entry)) = place.and_then(|place| Some((place, self.entries.get_mut(&place)?))) {
                    self.undo.push((place, Some(entry.clone())));
                    entry.note = note;
                }
            }
            Record::Released(id) => {
                if let Some(place) = self.places.remove(&id) {
                    self.undo.push((place, self.entries.remove(&place)));
                }
            }
        }
    }

    /// What was applied is on the disk.
    pub(super) fn keep(&mut self) {
        self.undo.clear();
    }

    /// What was applied since the last keep was not written.
    pub(super) fn revert(&mut self) {
        for (place, before) in std::mem::take(&mut self.undo).into_iter().rev() {
            match before {
                Some(entry) => {
                    self.places.insert(entry.claim.id, place);
                    self.entries.insert(place, entry);
                }
                None => {
                    if let Some(entry) = self.entries.remove(&place) {
                        self.places.remove(&entry.claim.id);
                    }
                }
            }
        }
    }

    fn entry(&self, id: ClaimId) -> Option<&Entry> {
        self.entries.get(self.places.get(&id)?).map(Box::as_ref)
    }

    /// All, oldest first.
    pub(super) fn list(&self) -> Vec<Entry> {
        self.entries.values().map(|entry| entry.as_ref().clone()).collect()
    }

    /// The records from which all would be made anew, one change per claim.
    pub(super) fn anew(&self) -> impl Iterator<Item = Vec<Record>> {
        self.entries.values().map(|entry| {
            let noted = (entry.note != Note::default()).then(|| Record::Noted(entry.claim.id, entry.note.clone()));
            [Some(Record::Claimed(entry.claim.clone())), noted].into_iter().flatten().collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use weft_ports::claims::conformance::{folder, note};

    #[test]
    fn a_revert_brings_back_exactly_what_was() {
        proptest!(|(steps in proptest::collection::vec((0_u8..3, 0_usize..4), 0..24))| {
            let claims: Vec<Claim> = (0..4).map(|n| folder(&n.to_string())).collect();
            let mut held = Held::default();
            for claim in &claims[..2] {
                held.replay(Record::Claimed(claim.clone())).unwrap();
            }
            let before = held.list();
            for (what, which) in steps {
                let id = claims[which].id;
                let records = match what {
                    0 => held.claim(vec![claims[which].clone()]).unwrap(),
                    1 => held.note(id, note()).unwrap_or_default(),
                    _ => held.release(vec![id]),
                };
                records.into_iter().for_each(|record| held.apply(record));
            }
            held.revert();
            prop_assert_eq!(held.list(), before);
            prop_assert_eq!(held.places.len(), 2);
        });
    }

    #[test]
    fn records_that_do_not_fit_are_refused() {
        let mut held = Held::default();
        let claim = folder("x");
        assert!(held.replay(Record::Noted(claim.id, note())).is_err());
        held.replay(Record::Claimed(claim.clone())).unwrap();
        assert!(held.replay(Record::Claimed(claim)).is_err());
    }
}
