//! The journal in memory. Clones share it, so a second agent reads what the first one claimed.

use super::{Claim, Claims, Entry, Note};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use weft_domain::{ClaimId, Fault, Reason};

/// A journal in memory.
#[derive(Debug, Clone, Default)]
pub struct Fake {
    held: Arc<Mutex<Held>>,
}

#[derive(Debug, Default)]
struct Held {
    entries: Vec<Entry>,
    refuse: Option<Fault>,
}

impl Fake {
    /// A journal that holds nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses the next verb that writes with this.
    pub fn refuse_next(&self, fault: Fault) {
        self.held().refuse = Some(fault);
    }

    /// All that is held, oldest first.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.held().entries.clone()
    }

    fn writing(&self) -> Result<MutexGuard<'_, Held>, Fault> {
        let mut held = self.held();
        match held.refuse.take() {
            Some(fault) => Err(fault),
            None => Ok(held),
        }
    }
}

#[async_trait::async_trait]
impl Claims for Fake {
    async fn claim(&self, claims: Vec<Claim>) -> Result<(), Fault> {
        let mut held = self.writing()?;
        let mut made = held.entries.clone();
        for claim in claims {
            match made.iter().find(|entry| entry.claim.id == claim.id) {
                Some(entry) if entry.claim == claim => {}
                Some(_) => return Err(Fault::new(Reason::WriteConflict, format!("{} is held already", claim.id))),
                None => made.push(Entry { claim, note: Note::default() }),
            }
        }
        held.entries = made;
        Ok(())
    }

    async fn note(&self, id: ClaimId, note: Note) -> Result<(), Fault> {
        let mut held = self.writing()?;
        let entry = held.entries.iter_mut().find(|entry| entry.claim.id == id);
        let entry = entry.ok_or_else(|| Fault::new(Reason::WriteConflict, format!("{id} is not held")))?;
        entry.note = note;
        Ok(())
    }

    async fn release(&self, ids: Vec<ClaimId>) -> Result<(), Fault> {
        self.writing()?.entries.retain(|entry| !ids.contains(&entry.claim.id));
        Ok(())
    }

    async fn list(&self) -> Result<Vec<Entry>, Fault> {
        Ok(self.entries())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::conformance;

    #[tokio::test]
    async fn keeps_the_laws() {
        let fake = Fake::new();
        conformance::all(|| {
            let again = fake.clone();
            async move { Box::new(again) as Box<dyn Claims> }
        })
        .await;
    }
}
