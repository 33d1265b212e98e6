//! On which node an instance is put, as a pure function over what nodes are and have promised.
//!
//! A node fits where a driver serves the whole specification and what is asked can still be
//! promised. Of those that fit, the one with most free memory is taken; of equals, the first.

use crate::admission::{Promise, admit};
use crate::capability::Capabilities;
use crate::needs;
use crate::spec::Draft;
use crate::{Fault, NodeId, Reason};

/// A node that an instance could be put on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The node.
    pub node: NodeId,
    /// Its drivers, in the order in which `auto` tries them.
    pub drivers: Vec<Capabilities>,
    /// What it can promise.
    pub capacity: Promise,
    /// What it has promised.
    pub promised: Promise,
}

/// Where an instance is put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The node.
    pub node: NodeId,
    /// The driver that serves it there.
    pub driver: String,
}

/// Where an instance of this specification is put.
///
/// # Errors
/// There is no node, no driver serves all of it, or nothing that serves it has room.
pub fn schedule(spec: &Draft, candidates: &[Candidate]) -> Result<Choice, Fault> {
    let asked = Promise::of(spec);
    let mut best: Option<(u64, Choice)> = None;
    let mut unserved: Option<Fault> = None;
    let mut full: Option<Fault> = None;
    for candidate in candidates {
        let driver = match needs::choose(spec, &candidate.drivers) {
            Ok(driver) => driver.driver.clone(),
            Err(fault) => {
                unserved.get_or_insert(fault);
                continue;
            }
        };
        if let Err(fault) = admit(candidate.capacity, candidate.promised, asked) {
            full.get_or_insert(fault);
            continue;
        }
        let free = candidate.capacity.memory_bytes.saturating_sub(candidate.promised.memory_bytes);
        if best.as_ref().is_none_or(|(most, _)| free > *most) {
            best = Some((free, Choice { node: candidate.node, driver }));
        }
    }
    let nobody = || {
        Fault::new(Reason::NodeAway, "no node has registered, so there is nowhere to put a VM")
            .fix("start an agent, or wait a moment if weft has just been started")
            .retry_after(1_000)
    };
    best.map(|(_, choice)| choice).ok_or_else(|| full.or(unserved).unwrap_or_else(nobody))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Time;
    use crate::capability::Feature;
    use proptest::prelude::*;

    fn driver(serves: bool) -> Capabilities {
        let all = Draft::default().needs().into_iter().map(|(feature, _)| feature);
        let features = if serves { all.collect() } else { [Feature::Kernel].into() };
        Capabilities { driver: "qemu".into(), version: "1".into(), features, notes: vec![] }
    }

    prop_compose! {
        fn candidate()(byte: u8, serves: bool, memory in 0u64..(4 << 30), promised in 0u64..(2 << 30)) -> Candidate {
            Candidate {
                node: NodeId::new(Time::from_millis(1), [byte; 10]),
                drivers: vec![driver(serves)],
                capacity: Promise { memory_bytes: memory, disk_bytes: 0, instances: 10 },
                promised: Promise { memory_bytes: promised, disk_bytes: 0, instances: 1 },
            }
        }
    }

    proptest! {
        #[test]
        fn the_choice_fits_and_none_fits_better(candidates in prop::collection::vec(candidate(), 0..8)) {
            let spec = Draft::default();
            let fits = |one: &Candidate| {
                needs::choose(&spec, &one.drivers).is_ok()
                    && admit(one.capacity, one.promised, Promise::of(&spec)).is_ok()
            };
            let free = |one: &Candidate| one.capacity.memory_bytes.saturating_sub(one.promised.memory_bytes);
            match schedule(&spec, &candidates) {
                Ok(choice) => {
                    let most = candidates.iter().filter(|one| fits(one)).map(free).max();
                    let best = candidates.iter().any(|one| {
                        one.node == choice.node && fits(one) && Some(free(one)) == most
                    });
                    prop_assert!(best);
                }
                Err(_) => prop_assert!(!candidates.iter().any(fits)),
            }
        }
    }

    #[test]
    fn a_refusal_prefers_the_nearest_reason() {
        let spec = Draft::default();
        let node = NodeId::new(Time::from_millis(1), [1; 10]);
        let none = Promise::default();
        let one = |serves| Candidate { node, drivers: vec![driver(serves)], capacity: none, promised: none };
        let reason = |all: &[Candidate]| schedule(&spec, all).expect_err("nothing fits").reason;
        assert_eq!(reason(&[]), Reason::NodeAway);
        assert_eq!(reason(&[one(false)]), Reason::FieldUnsupported);
        assert_eq!(reason(&[one(false), one(true)]), Reason::MemoryExhausted);
    }
}
