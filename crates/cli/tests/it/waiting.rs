//! Waiting: moving lines, breaking off, watching.

use crate::fake::{World, name};
use crate::screen::{Screen, at, shown};
use std::time::Duration;
// why: the clock is paused, so a span passes at once and only orders what happens.
use tokio::time::sleep;
use weft_domain::Phase;
use weft_domain::instance::Condition;
use weft_domain::spec::{Draft, Readiness, ReadinessProbe};

fn preparing() -> Condition {
    Condition {
        kind: "ImagePrepared".to_owned(),
        holds: Some(false),
        reason: "Downloading".to_owned(),
        message: "downloading the kernel: 43 %".to_owned(),
        since: weft_domain::Time::default(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_person_sees_where_it_is() {
    let world = World::new();
    world.knobs(|knobs| {
        knobs.delay = Duration::from_secs(3);
        knobs.condition = Some(preparing());
    });
    let mut screen = Screen::person();
    let exit = screen.begin(&world, "vm create demo --no-color").await;
    let ran = screen.ran(exit);
    assert_eq!((ran.exit.code(), ran.out.as_str()), (0, "VM demo is CREATED\n"));
    assert!(ran.err.contains("creating demo 1.0s, CREATING: downloading the kernel: 43 %"), "{}", ran.err);
    assert!(ran.err.ends_with("\r\u{1b}[2Krun it: weft vm boot demo\n"), "{:?}", ran.err);
}

#[tokio::test(start_paused = true)]
async fn pipes_and_quiet_see_no_moving_line() {
    let world = World::new();
    world.knobs(|knobs| knobs.delay = Duration::from_secs(3));
    assert_eq!(at(&world, "vm create demo").await.err, "");
    let mut screen = Screen::person();
    let exit = screen.begin(&world, "vm create demo2 -q").await;
    assert_eq!((exit.code(), screen.err.text().as_str()), (0, ""));
    assert!(world.calls("watch").is_empty(), "nobody is asked for what is not shown");
}

#[tokio::test(start_paused = true)]
async fn breaking_off_says_that_it_goes_on() {
    let world = World::new();
    world.put("demo", Phase::Created);
    world.knobs(|knobs| knobs.delay = Duration::from_secs(30));
    let mut screen = Screen::pipes();
    let run = screen.begin(&world, "vm boot demo");
    let interrupt = screen.interrupt.clone();
    let (exit, ()) = tokio::join!(run, async {
        sleep(Duration::from_secs(1)).await;
        interrupt.cancel();
    });
    insta::assert_snapshot!("interrupted", shown(&screen.ran(exit)));
}

#[tokio::test(start_paused = true)]
async fn a_watch_tells_changes_until_it_is_left() {
    let world = World::new();
    world.put("demo", Phase::Created);
    world.put_as(&name("other"), "theirs", Phase::Running);
    let mut screen = Screen::pipes();
    let run = screen.begin(&world, "vm watch");
    let interrupt = screen.interrupt.clone();
    let (exit, ()) = tokio::join!(run, async {
        for phase in [Phase::Starting, Phase::Running] {
            sleep(Duration::from_secs(1)).await;
            world.edit("demo", |vm| vm.status.phase = phase);
        }
        sleep(Duration::from_secs(1)).await;
        world.remove("demo");
        sleep(Duration::from_secs(1)).await;
        interrupt.cancel();
    });
    insta::assert_snapshot!("watched", shown(&screen.ran(exit)));
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_where_it_should() {
    let world = World::new();
    world.put("demo", Phase::Starting);
    let later = |line: &'static str, act: fn(&World)| {
        let (world, mut screen) = (world.clone(), Screen::pipes());
        async move {
            let run = screen.begin(&world, line);
            let (exit, ()) = tokio::join!(run, async {
                sleep(Duration::from_secs(1)).await;
                act(&world);
            });
            screen.ran(exit)
        }
    };
    let ran = later("vm wait demo", |world| {
        world.edit("demo", |vm| vm.status.phase = Phase::Running);
    })
    .await;
    assert_eq!((ran.exit.code(), ran.out.as_str()), (0, "VM demo is RUNNING\n"));
    let ran = at(&world, "vm wait demo --for Ready").await;
    assert_eq!(ran.exit.code(), 5, "without a sign of readiness it would wait for ever: {ran:?}");
    world.edit("demo", |vm| {
        let probe = ReadinessProbe::Serial { text: "up".into() };
        let readiness = Some(Readiness { probe, timeout: Duration::from_secs(9) });
        vm.spec = Draft { readiness, ..Draft::default() }.check().unwrap();
    });
    let ran = later("vm wait demo --for Ready -o json", |world| {
        world.edit("demo", |vm| {
            vm.status.conditions.push(Condition { kind: "Ready".into(), holds: Some(true), ..preparing() })
        });
    })
    .await;
    assert_eq!((ran.exit.code(), ran.out.as_str()), (0, "{\"vm demo RUNNING\"}\n"));
    let ran = at(&world, "vm wait demo --for stopped --timeout 2s").await;
    assert_eq!(ran.exit.code(), 9);
    assert!(ran.err.starts_with("error: VM demo is RUNNING, not yet STOPPED\n"), "{ran:?}");
    let ran = later("vm wait demo --for stopped", |world| world.remove("demo")).await;
    assert_eq!(ran.exit.code(), 3);
    world.put("demo", Phase::Running);
    let ran = later("vm wait demo --for gone", |world| world.remove("demo")).await;
    assert_eq!((ran.exit.code(), ran.err.as_str()), (0, "VM demo is gone\n"));
    assert_eq!(at(&world, "vm wait demo --for gone").await.exit.code(), 0);
    assert_eq!(at(&world, "vm wait demo").await.exit.code(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_watch_can_be_given_a_time() {
    let world = World::new();
    world.put("demo", Phase::Running);
    let ran = at(&world, "vm list --watch --timeout 2s -o name").await;
    assert_eq!((ran.exit.code(), ran.out.as_str()), (0, "demo\n"));
}
