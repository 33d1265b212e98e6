//! Watches: what is, then changes; resumed where they ended; ended in order.

use crate::house::*;
use futures::StreamExt;
use std::sync::Arc;
use weft_control::Config;
use weft_domain::object::Revision;
use weft_domain::{Phase, Reason};
use weft_ports::api::{
    Answers, Consoles, EventChange, Events, LogQuery, LogStart, Removal, VmChange, VmRef, Vms, WatchQuery,
};
use weft_ports::link::{Placement, Placements};
use weft_ports::store::fake::Memory;

async fn next<T>(watch: &mut Answers<T>) -> T {
    watch.next().await.expect("the watch goes on").expect("no refusal")
}

#[tokio::test(start_paused = true)]
async fn all_that_is_a_bookmark_then_changes() {
    let house = House::new().await;
    let a = house.make("a").await;
    let mut watch = Vms::watch(&house.control, &call(), WatchQuery::default()).await.expect("a watch");
    assert!(matches!(next(&mut watch).await, VmChange::Set(vm) if vm.value.meta.id == a));
    let VmChange::Bookmark(first) = next(&mut watch).await else { panic!("a bookmark follows the list") };
    let b = house.make("b").await;
    let mut phases = vec![];
    let mut last = first;
    while phases.last() != Some(&Phase::Created) {
        let VmChange::Set(vm) = next(&mut watch).await else { panic!("a change") };
        assert!(vm.value.meta.id == b && vm.revision > last);
        last = vm.revision;
        phases.push(vm.value.status.phase);
    }
    assert_eq!(phases, [Phase::Pending, Phase::Creating, Phase::Created]);
    // Idle, it is told how far it is.
    assert_eq!(next(&mut watch).await, VmChange::Bookmark(last));
    // Resumed from the first bookmark, it tells the same.
    let resumed = WatchQuery { from: Some(first), ..WatchQuery::default() };
    let mut resumed = Vms::watch(&house.control, &call(), resumed).await.expect("a watch");
    assert!(matches!(next(&mut resumed).await, VmChange::Set(vm) if vm.value.status.phase == Phase::Pending));
    let gone = Removal { vm: VmRef::Id(a), etag: None, force: false, allow_missing: false };
    house.control.delete(&call(), gone).await.expect("deleted");
    assert!(matches!(next(&mut watch).await, VmChange::Set(vm) if vm.value.status.phase == Phase::Deleting));
    assert!(matches!(next(&mut watch).await, VmChange::Removed { id, .. } if id == a));
    house.close().await;
    let ended = watch.next().await.expect("an end").expect_err("it is told");
    assert_eq!(ended.reason, Reason::Away);
    assert!(watch.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_watch_of_one_vm_or_project_tells_of_nothing_else() {
    let house = House::new().await;
    let nobody = WatchQuery { vm: Some(named("a")), ..WatchQuery::default() };
    let refused = Vms::watch(&house.control, &call(), nobody).await.err().expect("there is none");
    assert_eq!(refused.reason, Reason::VmNotFound);
    let a = house.make("a").await;
    let of_a = WatchQuery { vm: Some(named("a")), ..WatchQuery::default() };
    let mut of_a = Vms::watch(&house.control, &call(), of_a).await.expect("a watch");
    let elsewhere = WatchQuery { project: Some("other".parse().expect("a name")), ..WatchQuery::default() };
    let mut elsewhere = Vms::watch(&house.control, &call(), elsewhere).await.expect("a watch");
    house.make("b").await;
    let gone = Removal { vm: VmRef::Id(a), etag: None, force: false, allow_missing: false };
    house.control.delete(&call(), gone).await.expect("deleted");
    assert!(matches!(next(&mut of_a).await, VmChange::Set(_)));
    assert!(matches!(next(&mut of_a).await, VmChange::Bookmark(_)));
    assert!(matches!(next(&mut of_a).await, VmChange::Set(vm) if vm.value.meta.id == a));
    assert!(matches!(next(&mut of_a).await, VmChange::Removed { id, .. } if id == a));
    assert!(matches!(next(&mut elsewhere).await, VmChange::Bookmark(_)));
    assert!(matches!(next(&mut elsewhere).await, VmChange::Bookmark(_)));
}

#[tokio::test(start_paused = true)]
async fn events_are_watched_and_a_lost_past_is_said() {
    let store = Arc::new(Memory::new(4));
    let house = House::of(Blueprint { store, ..Blueprint::default() }).await;
    let a = house.make("a").await;
    let all = WatchQuery { vm: Some(VmRef::Id(a)), ..WatchQuery::default() };
    let mut events = Events::watch(&house.control, &call(), all).await.expect("a watch");
    let mut reasons = vec![];
    while let EventChange::Happened(event) = next(&mut events).await {
        reasons.push(event.value.reason.clone());
    }
    assert_eq!(reasons, ["Created", "Preparing", "Prepared"]);
    house.make("b").await;
    house.make("c").await;
    let old = WatchQuery { from: Some(Revision(1)), ..WatchQuery::default() };
    let refused = Vms::watch(&house.control, &call(), old).await.err().expect("compacted");
    assert_eq!(refused.reason, Reason::RevisionCompacted);
}

#[tokio::test(start_paused = true)]
async fn streams_have_a_limit() {
    let config = Config { watches: 1, ..Config::default() };
    let house = House::of(Blueprint { config, ..Blueprint::default() }).await;
    house.make("a").await;
    let one = Vms::watch(&house.control, &call(), WatchQuery::default()).await.expect("the first");
    let two = Vms::watch(&house.control, &call(), WatchQuery::default()).await.err().expect("too many");
    assert_eq!(two.reason, Reason::LimitReached);
    let query = LogQuery { start: LogStart::Offset(0), follow: true, max_bytes: 0 };
    let log = house.control.log(&call(), &named("a"), query).await.err().expect("too many");
    assert_eq!(log.reason, Reason::LimitReached);
    drop(one);
    let again = Vms::watch(&house.control, &call(), WatchQuery::default()).await;
    assert!(again.is_ok(), "there is room again");
}

#[tokio::test(start_paused = true)]
async fn a_slow_node_gets_the_newest_and_no_more() {
    let house = House::new().await;
    let a = house.make("a").await;
    let mut slow = house.control.subscribe(house.node).await.expect("a subscription");
    assert!(matches!(slow.next().await, Some(Placement::Set(placed)) if placed.id == a));
    assert_eq!(slow.next().await, Some(Placement::Synced));
    use weft_domain::instance::{Power as Wish, StopHow};
    use weft_ports::api::Power;
    for _ in 0..5 {
        house.control.boot(&call(), &named("a")).await.expect("booted");
        house.control.shutdown(&call(), &named("a"), StopHow::Force).await.expect("stopped");
    }
    house.control.boot(&call(), &named("a")).await.expect("booted");
    let Some(Placement::Set(newest)) = slow.next().await else { panic!("it is told") };
    assert_eq!((newest.desired.boot_epoch, newest.desired.power), (6, Wish::On));
    let gone = Removal { vm: VmRef::Id(a), etag: None, force: true, allow_missing: false };
    house.control.delete(&call(), gone).await.expect("deleted");
    assert_eq!(slow.next().await, Some(Placement::Removed(a)));
}
