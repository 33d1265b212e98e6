//! A process that commits without end is killed at random moments: whatever it was told is committed is
//! there, nothing is there in part, and revisions go on.

use rand::RngExt;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use weft_domain::object::{Object, Sort};
use weft_ports::store::fake::{Text, sample};
use weft_ports::store::{Commit, Store, Write};
use weft_store::embedded::{self, Config, Embedded};

const ROUNDS: usize = 25;
const TASKS: u64 = 4;
/// The child works only in a folder with this file in it.
const SIGN: &str = "commit-until-killed";

fn open(dir: &Path) -> Embedded {
    let config = Config { reserve_bytes: 1 << 20, log_commits: 200, ..Config::at(dir.join("store")) };
    embedded::open(config, Arc::new(Text)).expect("the store opens")
}

/// The commit that belongs to a task's number: an event, and two names that must always be equal.
fn commit(task: u64, n: u64) -> Commit {
    let object = Object::Name(sample::id(n));
    let name = |which| sample::name(task * 2 + which).0;
    let (key, event) = sample::event(task * 1_000_000 + n);
    let writes = vec![Write::Put(name(0), object.clone()), Write::Put(key, event), Write::Put(name(1), object)];
    Commit { expect: vec![], writes }
}

/// Not a test: what the other one starts and kills. It says `task number revision` when a commit is done.
#[test]
#[ignore = "it is started by the other test"]
fn child_that_commits() {
    if !Path::new(SIGN).exists() {
        return;
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let store = Arc::new(open(Path::new(".")));
        let begin = store.revision().await.expect("an open store has a revision").0;
        println!("\nopen {begin}");
        let tasks: Vec<_> = (0..TASKS)
            .map(|task| {
                let store = Arc::clone(&store);
                weft_ports::task::spawn("writer", async move {
                    for n in begin + 1.. {
                        let revision = store.commit(commit(task, n)).await.expect("it is taken");
                        println!("\ndone {task} {n} {revision}");
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("it never ends by itself");
        }
    });
}

/// Runs the child for a while after its first commit and kills it; answers what it was told.
fn run_and_kill(dir: &Path, span: Duration) -> Vec<(u64, u64, u64)> {
    let program = std::env::current_exe().expect("this program");
    let mut child = Command::new(program)
        .args(["--exact", "child_that_commits", "--ignored", "--nocapture", "--test-threads=1"])
        .current_dir(dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the child starts");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let open = lines.by_ref().map_while(Result::ok).find(|line| line.starts_with("open "));
    assert!(open.is_some(), "the child opens the store");
    let killer = std::thread::spawn(move || {
        // why: the moment of the kill is the input of this test
        std::thread::sleep(span);
        child.kill().expect("it is killed");
        child.wait().expect("it is reaped");
    });
    let mut told = Vec::new();
    for line in lines.map_while(Result::ok) {
        let words: Vec<&str> = line.split(' ').collect();
        if let ["done", task, n, revision] = words.as_slice() {
            let number = |word: &str| word.parse::<u64>().ok();
            // The last line may have been cut short by the kill.
            told.extend(
                number(task).zip(number(n)).zip(number(revision)).map(|((task, n), revision)| (task, n, revision)),
            );
        }
    }
    killer.join().expect("the killer ends");
    told
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let root = tempfile::tempdir().expect("a folder");
    std::fs::write(root.path().join(SIGN), "").expect("a file");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let begin = Instant::now();
    let mut events = 0;
    let mut acknowledged = 0;
    for round in 0..ROUNDS {
        let span = Duration::from_micros(rand::rng().random_range(0..60_000));
        let mut told = run_and_kill(root.path(), span);
        // A cut line may have lost digits of its revision: only whole lines count, so the last is left out.
        told.pop();
        acknowledged += told.len();
        runtime.block_on(async {
            let store = open(root.path());
            let newest = store.revision().await.expect("an open store has a revision").0;
            for (task, n, revision) in &told {
                assert!(*revision <= newest, "round {round}: revision {revision} is gone");
                let (key, event) = sample::event(task * 1_000_000 + n);
                let found = store.get(&key).await.expect("an open store reads").expect("it was acknowledged");
                assert_eq!((found.value, found.revision.0), (event, *revision), "round {round}");
            }
            let (names, _) = store.scan(Sort::Name, None, 100).await.expect("an open store scans");
            for task in 0..TASKS {
                let of = |which| names.iter().find(|(key, _)| *key == sample::name(task * 2 + which).0).map(|(_, s)| s);
                assert_eq!(of(0), of(1), "round {round}: a commit is there in part");
            }
            let (found, _) = store.scan(Sort::Event, None, 10_000_000).await.expect("an open store scans");
            assert_eq!(found.len() as u64, newest, "round {round}: one event for each revision");
            assert!(found.len() >= events + told.len(), "round {round}: nothing of earlier rounds is gone");
            events = found.len();
            store.verify().await.expect("it is whole");
        });
        if begin.elapsed() > Duration::from_secs(60) {
            assert!(round >= 20, "only {round} rounds in a minute");
            break;
        }
    }
    assert!(acknowledged > ROUNDS, "{acknowledged} commits were acknowledged in all");
    println!("{acknowledged} acknowledged commits, {events} in all, in {:?}", begin.elapsed());
}
