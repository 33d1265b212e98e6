//! Whom jailed processes run as: a user of the range belongs to at most one claim.
//!
//! What is taken is written into the claim of its process before the process is made, so that the next
//! agent knows of it; it is free again when the claim is let go.

use crate::config::JailPolicy;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::{Mutex, MutexGuard, PoisonError};
use weft_domain::{ClaimId, Fault, Reason};
use weft_ports::hypervisor::Ward;

/// The users of a node that jailed processes run as.
pub(crate) struct Wards {
    range: Option<RangeInclusive<u32>>,
    required: bool,
    taken: Mutex<Taken>,
}

/// Who has which user.
#[derive(Default)]
struct Taken {
    by: BTreeMap<ClaimId, u32>,
    users: BTreeSet<u32>,
    /// Where the search for a free user begins.
    next: u32,
}

impl Taken {
    /// A user that nobody has; the one after the last that was given, where that is free.
    fn free_in(&self, range: &RangeInclusive<u32>) -> Option<u32> {
        let next = self.next.clamp(*range.start(), *range.end());
        // It ends at the latest after as many as are taken.
        (next..=*range.end()).chain(*range.start()..next).find(|uid| !self.users.contains(uid))
    }

    fn give(&mut self, claim: ClaimId, uid: u32) {
        self.users.insert(uid);
        if let Some(old) = self.by.insert(claim, uid) {
            self.users.remove(&old);
        }
        self.next = uid.saturating_add(1);
    }
}

impl Wards {
    pub(crate) fn new(policy: &JailPolicy) -> Self {
        let range = match policy {
            JailPolicy::Off => None,
            JailPolicy::Auto { uids } | JailPolicy::Required { uids } => Some(uids.clone()),
        };
        let required = matches!(policy, JailPolicy::Required { .. });
        Self { range, required, taken: Mutex::default() }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether any process is to be jailed.
    pub(crate) const fn are_given(&self) -> bool {
        self.range.is_some()
    }

    /// Whether a process that cannot be jailed is not started.
    pub(crate) const fn are_required(&self) -> bool {
        self.required
    }

    /// From now on just these are taken.
    pub(crate) fn reset(&self, held: impl Iterator<Item = (ClaimId, Ward)>) {
        let by: BTreeMap<_, _> = held.map(|(claim, ward)| (claim, ward.uid)).collect();
        let users = by.values().copied().collect();
        *self.taken() = Taken { by, users, next: 0 };
    }

    /// A user for this claim, which nobody else has.
    pub(crate) fn take(&self, claim: ClaimId) -> Result<Ward, Fault> {
        let mut taken = self.taken();
        let uid = self.range.as_ref().and_then(|range| taken.free_in(range)).ok_or_else(|| {
            let why = format!("all {} users of the range that jailed VMMs run as are taken", taken.users.len());
            Fault::new(Reason::LimitReached, why).fix("widen the range of users in the configuration")
        })?;
        taken.give(claim, uid);
        Ok(Ward { uid, gid: uid })
    }

    /// The claim is held no more.
    pub(crate) fn free(&self, claim: ClaimId) {
        let mut taken = self.taken();
        if let Some(uid) = taken.by.remove(&claim) {
            taken.users.remove(&uid);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(number: u8) -> ClaimId {
        ClaimId::from_bytes([number; 16])
    }

    #[test]
    fn no_two_claims_have_the_same_user() {
        let wards = Wards::new(&JailPolicy::Auto { uids: 10..=12 });
        wards.reset([(claim(1), Ward { uid: 11, gid: 11 })].into_iter());
        let taken: Vec<u32> = [2, 3].map(|number| wards.take(claim(number)).unwrap().uid).to_vec();
        assert_eq!(taken, [10, 12]);
        assert_eq!(wards.take(claim(4)).unwrap_err().reason, Reason::LimitReached);
        wards.free(claim(1));
        assert_eq!(wards.take(claim(4)), Ok(Ward { uid: 11, gid: 11 }));
    }

    #[test]
    fn none_is_given_where_nothing_is_jailed() {
        let wards = Wards::new(&JailPolicy::Off);
        assert!(!wards.are_given() && wards.take(claim(1)).is_err());
    }
}
