//! The census: what leaked goes, at the start and later; what is claimed, foreign or worth something stays.

use crate::house::{CENSUS, House, blank, pass};
use std::time::Duration;
use weft_domain::census::{Found, Mark, Sort, Verdict};
use weft_domain::{ClaimId, InstanceId, Phase};
use weft_ports::link::Reach;
use weft_ports::processes::Processes;
use weft_ports::volumes::Volumes;

/// A claim that nobody holds, made this long ago.
fn stray(house: &House, age: Duration) -> ClaimId {
    use weft_ports::clock::Clock;
    let now = i64::try_from(house.clock.now().as_millis()).unwrap();
    let made = now - i64::try_from(age.as_millis()).unwrap();
    ClaimId::new(weft_domain::Time::from_millis(made), house.clock.random())
}

/// A process that bears this claim, and no folder for its sockets.
async fn launched(house: &House, claim: ClaimId) {
    crate::adoption::launched(house, InstanceId::from_bytes([9; 16]), claim).await;
    let text = claim.to_string();
    house.disk.remove(&house.config.run_dir.join(&text[text.len() - 12..])).await.unwrap();
}

async fn bears(house: &House, claim: ClaimId) -> bool {
    let found = house.host.find().await.unwrap();
    found.iter().any(|(of, _)| *of == claim) || house.host.confined().await.unwrap().contains(&claim)
}

#[tokio::test(start_paused = true)]
async fn what_leaks_while_owners_work_goes_after_two_looks() {
    let house = House::up();
    let id = house.running("a", |draft| draft.disks.push(blank("data", 1 << 20))).await;
    let pids = house.living(id);
    let claim = stray(&house, Duration::from_secs(3600));
    launched(&house, claim).await;
    let run = house.config.run_dir.join("0123456789ab");
    house.disk.make_folder(&run).await.unwrap();
    let vms = house.config.data_dir.join("vms");
    let (theirs, strange) = (vms.join(InstanceId::from_bytes([7; 16]).to_string()), vms.join("lost+found"));
    for folder in [&theirs, &strange] {
        house.disk.make_folder(folder).await.unwrap();
    }
    let mount = Found::at(Sort::Mount, run.join("root"), Mark::Place);
    let link = Found::named(Sort::Link, "weft0", Mark::Stranger("not ours"));
    house.sightings.put(mount.clone());
    house.sightings.put(link.clone());
    let told = house.agent.census().await.unwrap();
    assert_eq!((told.count(Verdict::Leaked), told.count(Verdict::Missing)), (5, 0), "{told:#?}");
    pass(CENSUS + Duration::from_secs(1)).await;
    assert!(bears(&house, claim).await, "it was seen once");
    pass(CENSUS).await;
    assert!(!bears(&house, claim).await, "it was seen twice");
    let left = house.disk.entries(&house.config.run_dir).await.unwrap();
    assert!(!left.contains(&"0123456789ab".to_owned()), "{left:?}");
    assert_eq!(house.sightings.left(), [link], "the mount goes, and what is not ours stays");
    assert_eq!(house.living(id), pids, "what is claimed is left alone");
    let left = house.disk.entries(&vms).await.unwrap();
    assert!(left.len() == 3 && left.contains(&"lost+found".to_owned()), "what may hold a disk stays: {left:?}");
    for folder in [&theirs, &strange] {
        house.disk.remove(folder).await.unwrap();
    }
    assert!(house.agent.census().await.unwrap().is_clean());
    house.delete(id).await;
    house.assert_empty().await;
}

#[tokio::test(start_paused = true)]
async fn a_young_claim_that_nobody_holds_is_given_time() {
    let house = House::up();
    house.idle().await;
    pass(CENSUS * 2 - Duration::from_secs(5)).await;
    let claim = stray(&house, Duration::ZERO);
    launched(&house, claim).await;
    pass(Duration::from_secs(10)).await;
    assert!(bears(&house, claim).await, "one look");
    pass(CENSUS).await;
    assert!(!bears(&house, claim).await, "two looks, and it is old");
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_starts_slowly_is_not_taken_for_a_leak() {
    use weft_ports::hypervisor::fake::Behaviour;
    let house = House::up();
    house.vmm.expect(Behaviour { launch_delay: CENSUS * 3, ..Behaviour::default() });
    let id = house.create("slow", |_| {});
    house.until(id, Phase::Created).await;
    house.ask(id, weft_domain::lifecycle::Verb::Boot, crate::house::GRACE).await;
    pass(CENSUS * 2).await;
    let told = house.agent.census().await.unwrap();
    assert!(told.is_clean(), "{told:#?}");
    house.until(id, Phase::Running).await;
    house.delete(id).await;
    house.assert_empty().await;
}

#[tokio::test(start_paused = true)]
async fn what_somebody_took_away_is_told_as_missing() {
    let house = House::up();
    let id = house.create("a", |draft| draft.disks.push(blank("data", 1 << 20)));
    house.until(id, Phase::Created).await;
    house.kill().await;
    let folder = house.config.data_dir.join("vms").join(id.to_string());
    house.disk.fake.remove(&folder).await.unwrap();
    pass(Duration::from_secs(60)).await;
    let told = house.agent.census().await.unwrap();
    let missing: Vec<_> = told.lines.iter().map(|line| (line.sort, line.verdict, line.instance)).collect();
    assert_eq!(missing, [(Sort::Folder, Verdict::Missing, Some(id)), (Sort::Disk, Verdict::Missing, Some(id))]);
}
