//! The census over a whole house: every sort of leak is planted by hand under a running weft with live VMs.
//!
//! What leaked is told and healed, what is foreign is told and left alone, and live VMs are never touched.

#![expect(clippy::print_stdout, reason = "a skipped test says so")]

mod house;
mod offline;
mod plant;

use house::{House, alive, counted};
use plant::Plants;
use std::time::{Duration, Instant};
use weft_domain::census::{Sort, Verdict};
use weft_ports::api::{ListQuery, Nodes};
use weft_testbed::guest::call;

/// The longest that healing takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until this is so.
fn until(what: &str, so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        // why: another process works, and tells nobody.
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[tokio::test]
async fn what_leaked_is_healed_and_nothing_else_is_touched() {
    let Some(house) = House::open(&["node.census_interval=1s"]).await else { return };
    let (one, two) = (house.boot("one").await, house.boot("two").await);
    let cgroups = house.cgroups();
    let clean = house.census().await;
    assert!(clean.is_clean(), "{:#?}\n{}", clean.lines, house.daemon.log());
    assert_eq!(counted(&clean, Sort::Process, Verdict::Adopted), 2, "{:#?}", clean.counts);
    assert_eq!(counted(&clean, Sort::Folder, Verdict::Adopted), 2, "{:#?}", clean.counts);

    let plants = Plants::set(&house);
    let told = house.census().await;
    for (sort, name) in plants.leaked.iter().chain(&plants.kept) {
        let line = told.lines.iter().find(|line| line.sort == *sort && line.name == *name);
        // The timer may have healed it already, where it may be healed.
        match line {
            Some(line) => assert_eq!(line.verdict, Verdict::Leaked, "{line:?}"),
            None => assert!(!plants.kept.contains(&(*sort, name.clone())), "{sort} {name} is not told: {told:#?}"),
        }
    }
    for (sort, name) in &plants.foreign {
        let line = told.lines.iter().find(|line| line.sort == *sort && line.name == *name);
        assert_eq!(line.map(|line| line.verdict), Some(Verdict::Foreign), "{sort} {name}: {told:#?}");
    }
    until(&format!("not all was healed: {}", house.daemon.log()), || plants.healed());
    plants.assert_rest_is_there();
    for pid in [one, two] {
        assert!(alive(pid), "a live VM was ended: {}", house.daemon.log());
    }
    assert_eq!(house.cgroups(), cgroups, "cgroups of live VMs");
    let metrics = house.metrics();
    for figure in ["weft_census_healed", "weft_census_things"] {
        assert!(metrics.contains(figure), "{figure}: {metrics}");
    }

    // What is kept for its bytes is still told, with what to do, and the command says so by its code.
    let (code, shown) = house.doctor(&[]);
    assert_eq!(code, Some(20), "{shown}");
    assert!(shown.contains("leaked") && shown.contains("remove it by hand"), "{shown}");
    let (_, json) = house.doctor(&["-o", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap_or_else(|why| panic!("{why}: {json}"));
    assert_eq!(json["kind"], "NodeCensus");
    plants.clear_kept();
    let (code, shown) = house.doctor(&[]);
    assert_eq!(code, Some(0), "{shown}");
    house.delete_all().await;
    let left = house.census().await;
    assert!(left.is_clean() && left.count(Verdict::Released) == 0, "{left:#?}");
}

#[tokio::test]
async fn a_live_vm_is_not_harmed_by_whoever_says_that_it_is_another() {
    let Some(house) = House::open(&["node.census_interval=1s"]).await else { return };
    let (one, two) = (house.boot("one").await, house.boot("two").await);
    let Some(stray) = plant::move_into_a_stray_cgroup(&house, one) else {
        return println!("skipped: no cgroups that can be moved into");
    };
    // One more process bears a claim that nobody holds and lies in the cgroup of a live VM.
    let in_two = plant::stranger_in_the_cgroup_of(&house, two);
    let looks = house.looks();
    until("no further censuses", || house.looks() >= looks + 4);
    assert!(alive(one) && alive(two), "a live VM was ended: {}", house.daemon.log());
    if let Some(mut stranger) = in_two {
        assert!(alive(stranger.id()), "what is in the cgroup of a claim counts as that claim's");
        stranger.kill().and_then(|()| stranger.wait()).expect("it can be ended");
    }
    let told = house.census().await;
    assert!(counted(&told, Sort::Process, Verdict::Adopted) >= 2, "{told:#?}");
    plant::take_back(&house, one, &stray);
    until("the stray cgroup stays", || stray.iter().all(|folder| !folder.exists()));
    assert!(alive(one) && alive(two));
    house.delete_all().await;
}

#[tokio::test]
async fn a_census_of_no_node_is_refused_and_of_this_one_is_given() {
    let Some(house) = House::open(&[]).await else { return };
    let weft = house.daemon.client();
    let fault = weft.census(&call(), "nobody").await.expect_err("there is no such node");
    assert_eq!(fault.reason, weft_domain::Reason::NodeNotFound);
    assert_eq!(weft.census(&call(), "").await.expect_err("no node was named").violations[0].field, "node");
    let node = Nodes::list(&weft, &call(), &ListQuery::default()).await.expect("a list").items.remove(0).value;
    for name in [node.id.to_string(), node.name.to_string()] {
        weft.census(&call(), &name).await.expect("a census");
    }
}
