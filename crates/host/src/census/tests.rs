//! The eyes on this machine.

use super::*;
use crate::volumes;
use weft_ports::processes::Processes;
use weft_ports::sightings::conformance::{self, Stage};
use weft_ports::sightings::fake::Places;

fn stage(dir: &Path) -> (Linux, Stage) {
    let (data, run) = (dir.join("data"), dir.join("run"));
    let linux = processes::open(processes::Config::of(&data, &run)).unwrap();
    let config = Config { data_dir: data.clone(), run_dir: run.clone(), cache_dir: dir.join("cache") };
    let eyes = open(config, &linux);
    let own = vec![data.clone(), run.clone()];
    let volumes = volumes::open(volumes::Config { own, roots: vec![], disks: data.clone() }).unwrap();
    let places = Places { vms: data.join("vms"), snapshots: data.join("snapshots"), run: run.join("vms") };
    (eyes, Stage { processes: Arc::new(linux), volumes: Arc::new(volumes), places, dir: dir.to_owned() })
}

#[tokio::test]
async fn keeps_the_laws() {
    let dir = tempfile::tempdir().unwrap();
    let (eyes, stage) = stage(dir.path());
    conformance::all(&eyes, &stage).await;
}

#[tokio::test]
async fn drafts_locks_and_strangers_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let (eyes, stage) = stage(dir.path());
    let (data, run) = (dir.path().join("data"), dir.path().join("run"));
    for folder in ["store", "journal", "copies", "cache"] {
        fs::create_dir(data.join(folder)).unwrap();
    }
    for file in
        ["data/store/lock", "data/node-id", "data/node-id.new", "data/copies/ab", "data/mine.txt", "run/launcher-1.new"]
    {
        fs::write(dir.path().join(file), "x").unwrap();
    }
    let look = eyes.look(Depth::Outline).await.unwrap();
    let seen = |path: &Path| look.found.iter().find(|one| one.what == What::Path(path.to_owned()));
    let mark =
        |path: &Path| seen(path).map(|one| (one.sort, matches!(one.mark, Mark::Draft(_)), one.mark == Mark::House));
    assert_eq!(mark(&data.join("store/lock")), Some((Sort::Lock, false, true)));
    assert_eq!(mark(&data.join("node-id")), None);
    for draft in [data.join("node-id.new"), data.join("copies/ab"), run.join("launcher-1.new")] {
        assert_eq!(mark(&draft), Some((Sort::Draft, true, false)), "{}", draft.display());
    }
    assert_eq!(mark(&data.join("mine.txt")), Some((Sort::File, false, false)));
    drop(stage);
}

#[tokio::test]
async fn what_a_jailed_process_makes_without_end_is_told_to_a_limit() {
    let dir = tempfile::tempdir().unwrap();
    let (eyes, stage) = stage(dir.path());
    let folder = stage.places.run.join("0123456789ab");
    for n in 0..40 {
        fs::create_dir_all(folder.join(n.to_string())).unwrap();
        (0..40).for_each(|file| fs::write(folder.join(n.to_string()).join(file.to_string()), "").unwrap());
    }
    let look = eyes.look(Depth::Whole).await.unwrap();
    let told = look.found.iter().filter(|one| one.sort == Sort::Socket).count();
    assert_eq!(told, 256);
}

#[tokio::test]
async fn where_a_successor_asks_is_ours() {
    let dir = tempfile::tempdir().unwrap();
    let (eyes, stage) = stage(dir.path());
    let run = dir.path().join("run");
    let (gate, begun, other) = (run.join("up-0a.sock"), run.join("up-0a.77"), run.join("up-0a.x"));
    let _open = [&gate, &begun, &other].map(|path| std::os::unix::net::UnixListener::bind(path).unwrap());
    let look = eyes.look(Depth::Outline).await.unwrap();
    let mark = |path: &Path| &look.found.iter().find(|one| one.what == What::Path(path.to_owned())).unwrap().mark;
    assert_eq!(mark(&gate), &Mark::House);
    assert!(matches!(mark(&begun), Mark::Draft(_)) && matches!(mark(&other), Mark::Stranger(_)));
    drop(stage);
}

#[tokio::test]
async fn who_is_not_believed_bears_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let users = 61_000..=61_001;
    let config = processes::Config { users, ..processes::Config::of(&dir.path().join("data"), dir.path()) };
    let linux = processes::open(config.clone()).unwrap();
    let Ok(()) = linux.jails() else { return println!("skipped: nobody else can be here") };
    let said = |user: u32| {
        let mut command = std::process::Command::new("/bin/sleep");
        std::os::unix::process::CommandExt::uid(command.arg("1000"), user);
        let claim = weft_ports::processes::conformance::fresh_claim();
        command.env("WEFT_CLAIM", claim.to_string()).env("WEFT_SCOPE", &config.scope);
        (claim, command.spawn().unwrap())
    };
    let mut all = [said(0), said(61_001), said(65_534)];
    let found: Vec<_> = linux.find().await.unwrap().into_iter().map(|(claim, _)| claim).collect();
    let borne =
        all.each_ref().map(|(claim, child)| (found.contains(claim), search::bearing(child.id(), &config).is_some()));
    for (_, child) in &mut all {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert_eq!(borne, [(true, true), (true, true), (false, false)]);
}

#[tokio::test]
async fn one_of_another_data_folder_is_foreign_and_so_are_its_sockets() {
    let dir = tempfile::tempdir().unwrap();
    let (eyes, mine) = stage(dir.path());
    let other = processes::open(processes::Config::of(Path::new("/no/other"), dir.path())).unwrap();
    let command = weft_ports::processes::conformance::sleeper(dir.path());
    let claim = command.claim;
    let alive = weft_ports::processes::Processes::launch(&other, command).await.unwrap();
    let text = claim.to_string();
    let sockets = mine.places.run.join(&text[text.len() - 12..]);
    fs::create_dir_all(&sockets).unwrap();
    let look = eyes.look(Depth::Whole).await.unwrap();
    weft_ports::processes::Processes::clear(&other, claim).await.unwrap();
    let is_foreign = |what: What| {
        let one = look.found.iter().find(|one| one.what == what).unwrap_or_else(|| panic!("{what} is seen"));
        matches!(one.mark, Mark::Stranger(_))
    };
    assert!(is_foreign(What::Name(alive.pid.to_string())));
    assert!(is_foreign(What::Path(sockets)));
}

#[tokio::test]
async fn only_what_is_ours_is_undone() {
    let dir = tempfile::tempdir().unwrap();
    let (eyes, _stage) = stage(dir.path());
    let file = dir.path().join("data/x");
    fs::write(&file, "x").unwrap();
    for found in [
        Found::at(Sort::File, &file, Mark::Place),
        Found::at(Sort::Mount, "/", Mark::Place),
        Found::at(Sort::Cgroup, &file, Mark::Place),
        Found::named(Sort::Link, "lo", Mark::Place),
    ] {
        assert!(eyes.undo(&found).await.is_err(), "{found:?}");
    }
    assert!(file.exists());
    let Some(folder) = eyes.0.cgroups.first() else { return println!("skipped: no cgroups") };
    let probe = folder.join("probe-4194305");
    fs::create_dir_all(&probe).unwrap();
    let look = eyes.look(Depth::Outline).await.unwrap();
    let found = look.found.iter().find(|one| one.what == What::Path(probe.clone())).expect("it is seen");
    assert_eq!(found.mark, Mark::Place);
    eyes.undo(found).await.unwrap();
    assert!(!probe.exists());
    eyes.undo(found).await.unwrap();
}
