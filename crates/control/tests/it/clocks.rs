//! The wall clock is set an hour and a year ahead and back, under a running control: nothing is forgotten
//! early, nothing is done twice, no time makes an error, and later ids sort later.

use crate::house::*;
use std::time::Duration;
use weft_control::Config;
use weft_domain::instance::StopHow;
use weft_domain::{InstanceId, Phase};
use weft_ports::api::{Events, ListQuery, Power, Removal, Vms};
use weft_ports::clock::Fake;

const HOUR: Duration = Duration::from_secs(3_600);
const YEAR: Duration = Duration::from_secs(365 * 86_400);

/// How somebody sets it.
type Jump = fn(&Fake, Duration);

/// A life under whatever the clock says now; answers the VM's id.
async fn live(house: &House, name: &str) -> InstanceId {
    let control = &house.control;
    let id = house.make_running(name).await;
    let paused = control.pause(&call(), &named(name)).await.expect("paused").value;
    assert!(paused.meta.update_time >= paused.meta.create_time, "{:?}", paused.meta);
    let stopped = control.shutdown(&call(), &named(name), StopHow::Force).await.expect("stopped").value;
    assert_eq!(stopped.status.phase, Phase::Stopped);
    let removal = Removal { vm: named(name), etag: None, force: true, allow_missing: false };
    Vms::delete(control, &call(), removal).await.expect("deleted");
    id
}

#[tokio::test(start_paused = true)]
async fn a_wall_clock_that_is_set_forgets_nothing_and_does_nothing_twice() {
    let config = Config { sweep_every: Duration::from_secs(5), ..Config::default() };
    let house = House::of(Blueprint { config, ..Blueprint::default() }).await;
    house.clock.advance(YEAR * 3);
    let first = house.control.create(&repeatable("r", 1), new_vm("kept")).await.expect("created");
    let mut last = first.value.meta.id;
    let jumps: [(Jump, Duration); 6] = [
        (Fake::advance, HOUR),
        (Fake::set_back, HOUR),
        (Fake::advance, YEAR),
        (Fake::set_back, YEAR),
        (Fake::set_back, YEAR),
        (Fake::advance, YEAR),
    ];
    for (round, (jump, span)) in jumps.into_iter().enumerate() {
        jump(&house.clock, span);
        // So that what is stale is swept.
        tokio::time::advance(Duration::from_secs(6)).await;
        let id = live(&house, &format!("vm{round}")).await;
        assert!(id > last, "round {round}: a later id sorts later");
        last = id;
        let again = house.control.create(&repeatable("r", 1), new_vm("kept")).await;
        assert_eq!(again.expect("repeated"), first, "round {round}: its answer is kept for a day that passes");
    }
    let query = ListQuery { page_size: 1000, ..ListQuery::default() };
    let events = Events::list(&house.control, &call(), &query).await.expect("events").items;
    assert!(events.iter().any(|event| event.value.instance == Some(first.value.meta.id)), "no event is dropped early");
}
