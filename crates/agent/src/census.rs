//! The census of the node: taken when the agent starts, from time to time, and when somebody asks.
//!
//! ```text
//!  host ─► journal ─► domain::census::take ─┬─ start, timer ─► what is due is taken away, and told
//!  (in this order)                          └─ asked         ─► told
//! ```
//!
//! Owners work meanwhile, and nothing here takes turns with them: `weft_domain::census` says why a look in
//! this order harms nothing that is being made, and what later looks ask for beyond that. When the agent
//! starts no owner works, so what leaked is taken away in the first look.
//!
//! What always holds: what is claimed is never touched; a folder that may hold somebody's disk is told and
//! left alone; whoever asks changes nothing.

use crate::agent::Agent;
use crate::config::Ports;
use crate::figures::Figures;
use crate::looks::lock;
use crate::shared::Shared;
use std::collections::BTreeSet;
use std::path::Path;
use weft_domain::census::{Census, Cure, Depth, Hold, Judged, Sort, Taken, Verdict, What, Wishes, take};
use weft_domain::{Fault, InstanceId};

/// So many lines are told to whoever asks.
const LINES: usize = 1_000;

impl Agent {
    /// Takes a census before any owner works, and takes away what leaked.
    pub(crate) async fn first_census(&self) -> Result<(), Fault> {
        self.shared.looks.begin();
        let taken = self.look(Depth::Outline).await?;
        self.heal(&taken).await;
        Ok(())
    }

    /// Takes a census while owners work, and takes away what leaked and is due.
    pub(crate) async fn next_census(self) {
        match self.look(Depth::Outline).await {
            Ok(taken) => self.heal(&taken).await,
            Err(fault) => tracing::warn!(%fault, "no census could be taken; the next try is not far"),
        }
    }

    /// What is here, for whoever asks.
    pub(crate) async fn told_census(&self) -> Result<Census, Fault> {
        let mut taken = self.look(Depth::Whole).await?;
        if !taken.is_clean() {
            // What only seemed so for an instant is not told.
            taken = taken.confirmed(self.look(Depth::Whole).await?);
        }
        Ok(taken.told(LINES))
    }

    async fn look(&self, depth: Depth) -> Result<Taken, Fault> {
        let Shared { ports, looks, orphans, .. } = self.shared.as_ref();
        let look = ports.sightings.look(depth).await?;
        let holds: Vec<Hold> = ports.claims.list().await?.iter().map(Hold::from).collect();
        let wishes = Wishes {
            ending: self.ending(),
            unknown: orphans.instances().into_iter().collect::<BTreeSet<InstanceId>>(),
            ending_snapshots: looks.ending(&holds),
            unknown_snapshots: orphans.snapshots().into_iter().collect(),
        };
        let at = ports.clock.now();
        // Ten thousand things are sorted in some milliseconds, which the owners are not held up for.
        let taken = tokio::task::spawn_blocking(move || take(look, &holds, &wishes, at)).await;
        taken.map_err(|error| Fault::internal(format!("a census was broken off: {error}")))
    }

    async fn heal(&self, taken: &Taken) {
        let Shared { ports, looks, figures, .. } = self.shared.as_ref();
        figures.census(taken);
        let due: Vec<Judged> = lock(&looks.leaks).due(taken).into_iter().cloned().collect();
        let mut stuck: Vec<&Path> = Vec::new();
        let mut cleared = BTreeSet::new();
        for thing in &due {
            let Some(cure) = thing.cure() else { continue };
            let done = match cure {
                Cure::Clear(claim) if !cleared.insert(claim) => Ok(()),
                Cure::Remove(path) if stuck.iter().any(|mount| mount.starts_with(path)) => continue,
                Cure::Clear(_) | Cure::Remove(_) | Cure::Undo => cured(ports, thing, cure).await,
            };
            if let (Err(_), Sort::Mount, What::Path(path)) = (&done, thing.found.sort, &thing.found.what) {
                stuck.push(path);
            }
            tell_healed(figures, thing, done);
        }
        self.tell_kept(taken);
    }

    /// Says once of each thing that it is left alone.
    fn tell_kept(&self, taken: &Taken) {
        let kept = |thing: &&Judged| {
            let leaked = thing.verdict == Verdict::Leaked && thing.is_kept();
            let in_the_way = thing.verdict == Verdict::Foreign && thing.found.sort == Sort::Folder;
            leaked || in_the_way || thing.verdict == Verdict::Missing && thing.found.sort != Sort::Process
        };
        let kept: Vec<_> = taken.things.iter().filter(kept).collect();
        let now = kept.iter().map(|thing| thing.found.what.clone()).collect();
        let before = std::mem::replace(&mut *lock(&self.shared.looks.told), now);
        for thing in kept.iter().filter(|thing| !before.contains(&thing.found.what)) {
            let line = thing.line();
            tracing::warn!(sort = %line.sort, name = line.name, verdict = %line.verdict, fix = line.fix, "{}", line.why);
        }
    }
}

async fn cured(ports: &Ports, thing: &Judged, cure: Cure<'_>) -> Result<(), Fault> {
    match cure {
        Cure::Clear(claim) => ports.processes.clear(claim).await,
        Cure::Remove(path) => ports.volumes.remove(path).await,
        Cure::Undo => ports.sightings.undo(&thing.found).await,
    }
}

fn tell_healed(figures: &Figures, thing: &Judged, done: Result<(), Fault>) {
    let line = thing.line();
    let claim = line.claim.map(|claim| claim.to_string()).unwrap_or_default();
    match done {
        Ok(()) => {
            figures.healed(line.sort);
            tracing::warn!(sort = %line.sort, name = line.name, claim, "{}: taken away", line.why);
        }
        Err(fault) => {
            let sort = line.sort;
            tracing::warn!(%fault, %sort, name = line.name, claim, "what leaked could not be taken away; tried again");
        }
    }
}
