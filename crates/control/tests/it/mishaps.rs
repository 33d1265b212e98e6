//! What may go wrong around control: a full store, a log too short, a caller or node that goes away.

use crate::house::*;
use futures::StreamExt;
use std::sync::Arc;
use std::time::Duration;
use weft_control::Config;
use weft_domain::event::{Event, Severity};
use weft_domain::object::{Key, Object};
use weft_domain::{EventId, Name, Phase, Reason, Time};
use weft_ports::api::{
    Consoles, CreateMode, Events, ListQuery, LogQuery, LogStart, NewVm, Nodes, Power, Removal, VmRef, Vms,
};
use weft_ports::clock::Clock;
use weft_ports::link::{Placement, Placements};
use weft_ports::store::fake::Memory;
use weft_ports::store::{Commit, Store, Write};

#[tokio::test(start_paused = true)]
async fn a_full_store_refuses_new_work_and_goes_on_reading() {
    let store = Arc::new(Memory::default());
    let house = House::of(Blueprint { store: Arc::clone(&store) as Arc<dyn Store>, ..Blueprint::default() }).await;
    house.make("a").await;
    store.fill();
    let refused = house.control.create(&call(), new_vm("b")).await.expect_err("no space");
    assert_eq!(refused.reason, Reason::StoreFull);
    let refused = house.control.boot(&call(), &named("a")).await.expect_err("no space");
    assert_eq!(refused.reason, Reason::StoreFull);
    let kept = Vms::get(&house.control, &call(), &named("a")).await.expect("reads go on");
    assert_eq!(kept.value.status.phase, Phase::Created);
    let removal = Removal { vm: named("a"), etag: None, force: true, allow_missing: false };
    house.control.delete(&call(), removal).await.expect("a deletion makes room");
    store.free();
    house.make("b").await;
    house.control.boot(&call(), &named("b")).await.expect("there is space again");
}

#[tokio::test(start_paused = true)]
async fn memory_that_fell_behind_is_loaded_anew() {
    let store = Arc::new(Memory::new(4));
    let house = House::of(Blueprint { store: Arc::clone(&store) as Arc<dyn Store>, ..Blueprint::default() }).await;
    house.make("a").await;
    // Another writer is faster than the log is long.
    for i in 0..20u8 {
        let event = Event {
            id: EventId::new(Time::from_millis(i.into()), [i; 10]),
            at: house.clock.now(),
            project: Name::default_project(),
            instance: None,
            instance_name: None,
            node: None,
            severity: Severity::Normal,
            reason: "Told".into(),
            message: String::new(),
            phase: None,
        };
        let writes = vec![Write::Put(Key::Event(event.id), Object::Event(Box::new(event)))];
        store.commit(Commit { expect: vec![], writes }).await.expect("a commit");
    }
    let running = house.control.boot(&call(), &named("a")).await.expect("booted");
    assert_eq!(running.value.status.phase, Phase::Running);
    let query = ListQuery { filter: "reason = Told".into(), ..ListQuery::default() };
    let told = Events::list(&house.control, &call(), &query).await.expect("events");
    assert_eq!(told.items.len(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_loses_nothing() {
    let house = House::silent().await;
    let call = repeatable("r", 1);
    let hasty = tokio::time::timeout(Duration::from_secs(1), house.control.create(&call, new_vm("a")));
    assert!(hasty.await.is_err(), "the caller went away");
    let there = Vms::get(&house.control, &call, &named("a")).await.expect("it was committed");
    // Repeated, the request finds the same VM and waits on.
    let again = house.control.create(&call, new_vm("a")).await.expect("repeated");
    assert_eq!(again.value.meta.id, there.value.meta.id);
    // Its room is counted once.
    for name in ["b", "c", "d"] {
        house.control.create(&repeatable(name, 1), new_vm(name)).await.expect("there is room for four");
    }
    let fifth = house.control.create(&repeatable("e", 1), new_vm("e")).await.expect_err("not for five");
    assert_eq!(fifth.reason, Reason::MemoryExhausted);
}

#[tokio::test(start_paused = true)]
async fn a_vm_that_was_never_made_can_be_removed() {
    let house = House::silent().await;
    let vm = house.control.create(&call(), new_vm("a")).await.expect("committed");
    let removal = Removal { vm: VmRef::Id(vm.value.meta.id), etag: None, force: false, allow_missing: false };
    let mut placements = house.control.subscribe(house.node).await.expect("a subscription");
    assert!(matches!(placements.next().await, Some(Placement::Set(_))));
    assert_eq!(placements.next().await, Some(Placement::Synced));
    let gone = house.control.delete(&call(), removal).await.expect("committed").expect("it was there");
    assert_eq!(gone.value.status.phase, Phase::Deleting);
    assert!(matches!(placements.next().await, Some(Placement::Set(placed)) if placed.desired.deleted));
    let taken = house.control.create(&call(), new_vm("a")).await.expect_err("until nothing of it is left");
    assert_eq!(taken.reason, Reason::NameTaken);
}

#[tokio::test(start_paused = true)]
async fn what_passes_of_a_node_is_known_and_not_stored() {
    let house = House::new().await;
    let commits = house.store.figures().commits;
    let mut node = the_node(house.node);
    node.facts.allocatable_disk_bytes = 5;
    node.facts.agent_start = Time::from_millis(77);
    house.control.register(node.clone()).await.expect("registered again");
    assert_eq!(house.store.figures().commits, commits);
    let seen = Nodes::get(&house.control, &call(), &house.node.to_string()).await.expect("the node");
    assert_eq!(seen.value.facts, node.facts);
    node.facts.kernel = "7".into();
    house.control.register(node).await.expect("registered again");
    assert_eq!(house.store.figures().commits, commits + 1);
}

#[tokio::test(start_paused = true)]
async fn without_a_node_nothing_can_be_made_and_no_console_be_read() {
    let house = House::new().await;
    house.make("a").await;
    let store = house.close().await;
    let clock: Arc<dyn Clock> = Arc::new(weft_ports::clock::Fake::default());
    let control = weft_control::open(Config::default(), store, clock).await.expect("the store opens");
    let refused = control.create(&call(), new_vm("b")).await.expect_err("no agent is there");
    assert_eq!(refused.reason, Reason::NodeAway);
    let dry = NewVm { mode: CreateMode::ValidateOnly, ..new_vm("b") };
    assert_eq!(control.create(&call(), dry).await.expect_err("no agent is there").reason, Reason::NodeAway);
    let query = LogQuery { start: LogStart::Offset(0), follow: false, max_bytes: 0 };
    let refused = control.log(&call(), &named("a"), query).await.err().expect("no agent is there");
    assert_eq!(refused.reason, Reason::NodeAway);
    let refused = control.log(&call(), &named("nobody"), query).await.err().expect("no such VM");
    assert_eq!(refused.reason, Reason::VmNotFound);
}
