//! What is on a host of all that weft can make there.
//!
//! # Laws
//! `look` changes nothing. It shows every thing of a scope that was there from before the call until its
//! answer; what came or went meanwhile it may show or not. Each thing is shown once, marked by what it is
//! itself: by the claim it bears, or by its place. [`Depth::Outline`] shows what [`Depth::Whole`] does, but
//! for what lies in folders of instances, snapshots and incarnations. `undo` takes away a thing that `look`
//! showed and no other port takes away; absence is success, and what is not ours is refused.

pub mod conformance;
pub mod fake;

use crate::claims::{Claimed, Entry};
use std::path::Path;
use weft_domain::Fault;
use weft_domain::census::{Depth, Found, Held, Hold, Look, Stage};

/// Looks at a host.
#[async_trait::async_trait]
pub trait Sightings: Send + Sync {
    /// Everything of weft's that is there.
    async fn look(&self, depth: Depth) -> Result<Look, Fault>;
    /// Whether there is a network device of this name, in the network namespace that this file is or in ours.
    async fn device(&self, name: &str, namespace: Option<&Path>) -> Result<bool, Fault>;
    /// Takes a thing away that nobody claims: a mount, a cgroup without a claim.
    async fn undo(&self, found: &Found) -> Result<(), Fault>;
}

impl From<&Entry> for Hold {
    fn from(entry: &Entry) -> Self {
        let held = match &entry.claim.what {
            Claimed::Folder(path) => Held::Folder(path.clone()),
            Claimed::Disk(path) => Held::Disk(path.clone()),
            Claimed::Snapshot(id, path) => Held::Snapshot(*id, path.clone()),
            Claimed::Process(process) => {
                let stage = match (&entry.note.exit, &entry.note.alive) {
                    (Some(_), _) => Stage::Gone,
                    (None, Some(alive)) => Stage::Noted { pid: alive.pid },
                    (None, None) => Stage::Coming,
                };
                Held::Process { run_dir: process.run_dir.clone(), stage }
            }
        };
        Self { claim: entry.claim.id, instance: entry.claim.instance, held }
    }
}
