//! What was used: tables, the live view, files.

use crate::fake::World;
use crate::fake::usage::line;
use crate::screen::{Screen, at, shown};
use weft_cli::terminal::Size;
use weft_domain::usage::Width;
use weft_domain::{Fault, Reason, Time};
use weft_ports::api::{Grain, VmRef};

#[tokio::test]
async fn usage_is_told() {
    let world = World::new();
    let mut log = String::new();
    for text in [
        "usage",
        "usage -o wide",
        "usage -A",
        "usage -o json",
        "usage -o name",
        "usage --project nobody",
        "usage --project nobody -q",
        "usage --grain minute",
        "usage --grain raw",
        "usage --from 2026-11-20T17:30:00Z",
        "usage --from 2026-11-20T17:30:00Z --grain minute",
        "usage --from 2026-11-20T17:00:00.5Z -q",
        "usage --from 2030-01-01",
        "usage --vm Bad_Name",
        "usage --label=-=x",
        "usage gaps",
        "usage gaps -o wide",
        "usage gaps -o yaml",
    ] {
        log += &format!("$ weft {text}\n{}\n", shown(&at(&world, text).await));
    }
    insta::assert_snapshot!(log);
}

#[tokio::test]
async fn flags_narrow_what_is_asked() {
    let world = World::new();
    at(&world, "usage --vm web --vm vm-01010101-0101-7101-8101-010101010101 -l a=b --grain hour --since 1h30m").await;
    at(&world, "usage --project shop --from 2026-11-01 --to 2026-11-02T08:00:00.5Z").await;
    at(&world, "usage gaps -A").await;
    let asked = world.asked();
    let scope = &asked[0].scope;
    assert_eq!((&scope.project, scope.labels.as_map().get("a").map(String::as_str)), (&None, Some("b")));
    let [VmRef::Named { project, name }, VmRef::Id(_)] = scope.vms.as_slice() else { panic!("{scope:?}") };
    assert_eq!((project.as_str(), name.as_str()), ("default", "web"));
    // An hour and a half before 18:00.
    assert_eq!((scope.from, scope.to), (Some(Time::from_millis(1_795_192_200_000)), None));
    assert_eq!(asked[0].grain, Grain::Bucket(Width::Hour));
    let scope = &asked[1].scope;
    assert_eq!(scope.project.as_ref().map(|p| p.as_str()), Some("shop"));
    let span = (Time::from_millis(1_793_491_200_000), Time::from_millis(1_793_606_400_500));
    assert_eq!((scope.from, scope.to), (Some(span.0), Some(span.1)));
    assert_eq!((&asked[2].scope.project, asked[2].grain), (&None, Grain::Record));
}

#[tokio::test]
async fn seconds_are_lines_where_nobody_looks() {
    let world = World::new();
    for (text, says) in [
        ("usage --live", "2026-11-20T18:00:00Z   web"),
        ("usage --live -o name", "web\ndb\nweb\n"),
        ("usage --live -o json", "{\"usage web 10 records\"}\n"),
    ] {
        world.knobs(|knobs| {
            knobs.seconds =
                vec![Ok(vec![line("web", 1, 153_400_000), line("db", 1, 0)]), Ok(vec![line("web", 1, 2_000_000)])];
        });
        let ran = at(&world, text).await;
        assert!(ran.out.contains(says) && !ran.out.contains('\u{1b}'), "{text}: {ran:?}");
        assert_eq!((ran.exit.code(), ran.out.contains("15.3%")), (0, text == "usage --live"), "{ran:?}");
    }
}

#[tokio::test]
async fn a_person_sees_the_table_drawn_over_itself() {
    let world = World::new();
    world.knobs(|knobs| {
        knobs.seconds = vec![
            Ok(vec![line("web", 1, 500_000_000), line("db", 1, 1_000_000_000)]),
            Ok(vec![line("web", 1, 1_500_000_000)]),
        ];
    });
    let mut screen = Screen::person();
    screen.size.send_replace(Size { columns: 100, rows: 24 });
    let exit = screen.begin(&world, "usage --live --no-color").await;
    insta::assert_snapshot!("live", screen.ran(exit).out.replace('\u{1b}', "^["));

    world.knobs(|knobs| knobs.seconds = vec![Ok(vec![line("web", 1, 1), line("db", 1, 1)])]);
    let mut screen = Screen::person();
    screen.size.send_replace(Size { columns: 20, rows: 3 });
    let exit = screen.begin(&world, "usage --live --no-color").await;
    let out = screen.ran(exit).out;
    assert!(out.ends_with("… and 2 more\n") && out.lines().all(|line| line.chars().count() < 20), "{out}");
}

#[tokio::test]
async fn a_slow_reader_asks_again() {
    let world = World::new();
    let slow = Fault::new(Reason::WatcherTooSlow, "you are too slow");
    world.knobs(|knobs| knobs.seconds = vec![Ok(vec![line("web", 1, 1)]), Err(slow)]);
    assert_eq!(at(&world, "usage --live").await.exit.code(), 0);
    assert_eq!(world.calls("watch-usage").len(), 2);
}

#[tokio::test]
async fn an_export_is_whole_or_not_there() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let files = || std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect::<Vec<_>>();
    let run = async |line: &str| {
        let mut screen = Screen::person();
        screen.folder = folder.path().to_owned();
        let exit = screen.begin(&world, line).await;
        screen.ran(exit)
    };
    let ran = run("usage export -f out.csv --format csv --grain day --since 24h").await;
    assert_eq!((ran.exit.code(), ran.out.as_str()), (0, ""));
    assert!(ran.err.contains("\r\u{1b}[2Kexporting: 40.5 %, 1 line, 4B"), "{:?}", ran.err);
    assert!(ran.err.ends_with("\r\u{1b}[2K2 lines, 13B, written to out.csv\n"), "{:?}", ran.err);
    assert_eq!(std::fs::read_to_string(folder.path().join("out.csv")).unwrap(), "Csv\nand more\n");
    assert_eq!(world.asked()[0].grain, Grain::Bucket(Width::Day));

    world.knobs(|knobs| knobs.refuses = Some("it went away".to_owned()));
    let ran = run("usage export -f out.csv -q").await;
    assert_ne!(ran.exit.code(), 0);
    assert_eq!(std::fs::read_to_string(folder.path().join("out.csv")).unwrap(), "Csv\nand more\n", "it is as it was");
    assert_eq!(files(), ["out.csv"], "nothing is left behind");

    world.knobs(|knobs| knobs.refuses = None);
    assert_eq!(run("usage export -f -").await.out, "JsonLines\nand more\n");
    let ran = run("usage export -f no/such/folder").await;
    assert_eq!(ran.exit.code(), 3, "{ran:?}");
    let ran = run("usage export -f .").await;
    assert!(ran.err.contains("no plain file"), "{ran:?}");
}

#[tokio::test]
async fn who_breaks_off_leaves_nothing() {
    let world = World::new();
    let mut screen = Screen::pipes();
    screen.interrupt.cancel();
    world.knobs(|knobs| knobs.seconds = vec![Ok(Vec::new())]);
    assert_eq!(screen.begin(&world, "usage --live").await.code(), 130);
    let folder = tempfile::tempdir().unwrap();
    screen.folder = folder.path().to_owned();
    assert_eq!(screen.begin(&world, "usage export -f out").await.code(), 130);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
