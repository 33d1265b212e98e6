//! Repeated requests get the first answer; request ids are not for two requests.

use crate::house::*;
use futures::future::join_all;
use std::time::Duration;
use weft_control::Config;
use weft_domain::instance::StopHow;
use weft_domain::{Phase, Reason};
use weft_ports::api::{Power, Removal, VmRef, Vms};

#[tokio::test(start_paused = true)]
async fn a_repeated_create_gets_the_first_answer_whatever_happened_since() {
    let house = House::new().await;
    let control = &house.control;
    let first = control.create(&repeatable("r1", 1), new_vm("")).await.expect("created");
    assert_eq!(first.value.status.phase, Phase::Created);
    let vm = VmRef::Id(first.value.meta.id);
    assert_eq!(control.create(&repeatable("r1", 1), new_vm("")).await.expect("repeated"), first);
    control.boot(&repeatable("r1", 1), &vm).await.expect("another method is another request");
    assert_eq!(control.create(&repeatable("r1", 1), new_vm("")).await.expect("repeated"), first);
    let removal = Removal { vm, etag: None, force: true, allow_missing: false };
    let gone = control.delete(&repeatable("r2", 1), removal.clone()).await.expect("deleted");
    assert_eq!(control.create(&repeatable("r1", 1), new_vm("")).await.expect("repeated"), first);
    assert_eq!(control.delete(&repeatable("r2", 1), removal).await.expect("repeated"), gone);
    let misused = control.create(&repeatable("r1", 2), new_vm("")).await.expect_err("another body");
    assert_eq!((misused.reason, misused.violations[0].field.as_str()), (Reason::RequestIdReused, "request_id"));
    let long = control.create(&repeatable(&"x".repeat(129), 1), new_vm("")).await.expect_err("too long");
    assert_eq!(long.reason, Reason::FieldInvalid);
}

#[tokio::test(start_paused = true)]
async fn the_same_request_at_once_makes_one() {
    let house = House::new().await;
    let all = (0..8).map(|_| {
        let control = house.control.clone();
        async move { control.create(&repeatable("r", 1), new_vm("web")).await.expect("answered") }
    });
    let answers = join_all(all).await;
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
    let all = (0..8).map(|_| {
        let control = house.control.clone();
        async move { control.create(&repeatable("unnamed", 1), new_vm("")).await.expect("answered") }
    });
    let answers = join_all(all).await;
    assert!(answers.iter().all(|answer| answer.value.meta.id == answers[0].value.meta.id));
}

#[tokio::test(start_paused = true)]
async fn a_repeated_verb_does_nothing_again() {
    let house = House::new().await;
    let (control, vm) = (&house.control, named("a"));
    house.make_running("a").await;
    // It runs already: the answer is kept all the same.
    let first = control.boot(&repeatable("b", 1), &vm).await.expect("a no-op");
    let stopped = control.shutdown(&repeatable("s", 1), &vm, StopHow::Force).await.expect("stopped");
    assert_eq!(control.boot(&repeatable("b", 1), &vm).await.expect("repeated"), first);
    assert_eq!(Vms::get(control, &call(), &vm).await.expect("there").value.status.phase, Phase::Stopped);
    control.boot(&call(), &vm).await.expect("booted");
    assert_eq!(control.shutdown(&repeatable("s", 1), &vm, StopHow::Force).await.expect("repeated"), stopped);
    assert_eq!(Vms::get(control, &call(), &vm).await.expect("there").value.status.phase, Phase::Running);
}

#[tokio::test(start_paused = true)]
async fn answers_outlive_a_restart_and_not_their_day() {
    let house = House::new().await;
    let first = house.control.create(&repeatable("r", 1), new_vm("a")).await.expect("created");
    let store = house.close().await;
    let config = Config { sweep_every: Duration::from_secs(5), ..Config::default() };
    let house = House::of(Blueprint { store, config, with_agent: true }).await;
    assert_eq!(house.control.create(&repeatable("r", 1), new_vm("a")).await.expect("repeated"), first);
    let day_and_hour = Duration::from_secs(25 * 60 * 60);
    house.clock.advance(day_and_hour);
    tokio::time::advance(day_and_hour).await;
    // A commit of our own comes back after the sweep's.
    house.make("b").await;
    let again = house.control.create(&repeatable("r", 1), new_vm("a")).await.expect_err("forgotten");
    assert_eq!(again.reason, Reason::NameTaken);
}
