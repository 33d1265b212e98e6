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

#[tokio::test(start_paused = true)]
async fn a_removal_that_found_nothing_removes_nothing_later() {
    let house = House::new().await;
    let by_name = Removal { vm: named("a"), etag: None, force: true, allow_missing: true };
    assert_eq!(house.control.delete(&repeatable("d", 1), by_name.clone()).await, Ok(None));
    let id = house.make("a").await;
    assert_eq!(house.control.delete(&repeatable("d", 1), by_name.clone()).await, Ok(None), "the first answer");
    let gone = Removal { vm: VmRef::Id(id), ..by_name.clone() };
    house.control.delete(&repeatable("by id", 1), gone.clone()).await.expect("deleted").expect("it was there");
    assert_eq!(house.control.delete(&repeatable("again by id", 1), gone).await, Ok(None));
    house.make("a").await;
    let store = house.close().await;
    let house = House::of(Blueprint { store, config: Config::default(), with_agent: true }).await;
    assert_eq!(house.control.delete(&repeatable("d", 1), by_name.clone()).await, Ok(None), "it outlives a restart");
    let misused = house.control.delete(&repeatable("d", 2), by_name.clone()).await.expect_err("another body");
    assert_eq!(misused.reason, Reason::RequestIdReused);
    let strict = Removal { allow_missing: false, ..by_name };
    Vms::get(&house.control, &call(), &named("a")).await.expect("nobody removed it");
    house.control.delete(&repeatable("d2", 1), strict).await.expect("another request does").expect("it was there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_removal_at_once_has_one_answer() {
    let house = House::new().await;
    for round in 0..20 {
        let (name, request) = (format!("vm{round}"), format!("d{round}"));
        let all = (0..6).map(|nth| {
            let (control, name, request) = (house.control.clone(), name.clone(), request.clone());
            weft_ports::task::spawn("caller", async move {
                if nth == 3 {
                    control.create(&call(), new_vm(&name)).await.expect("created");
                }
                let removal = Removal { vm: named(&name), etag: None, force: true, allow_missing: true };
                control.delete(&repeatable(&request, 1), removal).await.expect("answered").is_some()
            })
        });
        let answers: Vec<bool> = join_all(all).await.into_iter().map(|answer| answer.expect("joined")).collect();
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
        // Where nothing was found first, the one that was made since is still there.
        assert_eq!(Vms::get(&house.control, &call(), &named(&name)).await.is_err(), answers[0]);
        let rest = Removal { vm: named(&name), etag: None, force: true, allow_missing: true };
        house.control.delete(&call(), rest).await.expect("removed");
    }
}
