//! The laws of [`Sightings`], as a suite that any implementation can be put through.
//!
//! The suite panics where a law is broken and leaves nothing behind.

use super::Sightings;
use super::fake::Places;
use crate::processes::Processes;
use crate::processes::conformance::{fresh_claim, sleeper};
use crate::volumes::Volumes;
use std::path::PathBuf;
use std::sync::Arc;
use weft_domain::census::{Depth, Found, Mark, Sort, What};
use weft_domain::{ClaimId, InstanceId, SnapshotId};

/// What makes things on the host that is looked at.
pub struct Stage {
    /// Its processes, of the scope that is looked at.
    pub processes: Arc<dyn Processes>,
    /// Its folders.
    pub volumes: Arc<dyn Volumes>,
    /// Where they are; empty or absent.
    pub places: Places,
    /// A folder on the disk of the machine that runs the suite.
    pub dir: PathBuf,
}

/// Every law in turn.
pub async fn all(sightings: &dyn Sightings, stage: &Stage) {
    processes_are_seen_by_their_claim(sightings, stage).await;
    folders_are_seen_by_their_place(sightings, stage).await;
    what_is_not_ours_is_not_undone(sightings).await;
}

async fn seen(sightings: &dyn Sightings, depth: Depth) -> Vec<Found> {
    let look = sightings.look(depth).await.expect("the host can be looked at");
    assert_eq!(look.depth, depth);
    for (i, one) in look.found.iter().enumerate() {
        assert!(
            !look.found[..i].iter().any(|other| (other.sort, &other.what) == (one.sort, &one.what)),
            "{one:?} twice"
        );
    }
    look.found
}

async fn processes_are_seen_by_their_claim(sightings: &dyn Sightings, stage: &Stage) {
    let command = sleeper(&stage.dir);
    let claim = command.claim;
    let of_claim = |found: &[Found], sort| found.iter().any(|one| one.sort == sort && one.mark == Mark::Claim(claim));
    assert!(!of_claim(&seen(sightings, Depth::Outline).await, Sort::Process), "it was not started");
    let alive = stage.processes.launch(command).await.expect("it can be launched");
    let confined = stage.processes.confined().await.expect("cgroups can be listed").contains(&claim);
    for depth in [Depth::Outline, Depth::Whole] {
        let found = seen(sightings, depth).await;
        let pid = Found::named(Sort::Process, alive.pid.to_string(), Mark::Claim(claim));
        assert!(found.contains(&pid), "{found:?}");
        assert_eq!(of_claim(&found, Sort::Cgroup), confined, "{found:?}");
    }
    stage.processes.clear(claim).await.expect("it can be cleared");
    let found = seen(sightings, Depth::Whole).await;
    assert!(!of_claim(&found, Sort::Process) && !of_claim(&found, Sort::Cgroup), "{found:?}");
}

async fn folders_are_seen_by_their_place(sightings: &dyn Sightings, stage: &Stage) {
    let claim = fresh_claim();
    let (vm, snapshot) = (InstanceId::from_bytes(*claim.as_bytes()), SnapshotId::from_bytes(*claim.as_bytes()));
    let folders = [
        (Sort::Folder, stage.places.vms.join(vm.to_string()), true),
        (Sort::Snapshot, stage.places.snapshots.join(snapshot.to_string()), true),
        (Sort::RunFolder, stage.places.run.join(digits(claim)), true),
        (Sort::Folder, stage.places.vms.join("lost+found"), false),
    ];
    for (_, folder, _) in &folders {
        stage.volumes.make_folder(folder).await.expect("a folder can be made");
    }
    let disk = folders[0].1.join("disk-a.raw");
    stage.volumes.make_blank(&disk, 1 << 20).await.expect("a disk can be made");
    for depth in [Depth::Outline, Depth::Whole] {
        let found = seen(sightings, depth).await;
        for (sort, folder, is_ours) in &folders {
            let one = found.iter().find(|one| one.what == What::Path(folder.clone()));
            let one = one.unwrap_or_else(|| panic!("{} is not seen: {found:?}", folder.display()));
            assert_eq!((one.sort, one.mark == Mark::Place), (*sort, *is_ours), "{one:?}");
        }
        let inside = found.iter().any(|one| one.what == What::Path(disk.clone()) && one.mark == Mark::Place);
        assert_eq!(inside, depth == Depth::Whole, "{found:?}");
    }
    for (_, folder, _) in &folders {
        stage.volumes.remove(folder).await.expect("a folder can be removed");
    }
    let found = seen(sightings, Depth::Whole).await;
    assert!(!found.iter().any(|one| folders.iter().any(|(_, at, _)| one.what == What::Path(at.clone()))), "{found:?}");
}

fn digits(claim: ClaimId) -> String {
    let text = claim.to_string();
    text[text.len() - 12..].to_owned()
}

async fn what_is_not_ours_is_not_undone(sightings: &dyn Sightings) {
    let proc = Found::at(Sort::Mount, "/proc", Mark::Stranger("it is the host's"));
    assert!(sightings.undo(&proc).await.is_err(), "the host's own is not taken away");
}
