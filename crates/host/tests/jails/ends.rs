//! Whatever ends a launch with a jail, and whenever: nothing of it is left.

use crate::room::{Room, admitting, bind, opened, read, skips, until};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use weft_domain::ClaimId;
use weft_host::processes::scope_of;
use weft_ports::processes::{Access, Command, Ending, Processes};

/// Processes whose variables name the scope of this folder, zombies aside.
fn bearers(dir: &Path) -> Vec<String> {
    let wanted = format!("WEFT_SCOPE={}", scope_of(dir));
    let entries = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let bears = |path: &PathBuf| {
        fs::read(path.join("environ"))
            .is_ok_and(|bytes| bytes.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes()))
    };
    entries.filter(bears).map(|path| path.display().to_string()).collect()
}

/// Children of ours that ended and were not waited for.
fn zombies() -> BTreeSet<String> {
    let us = std::process::id().to_string();
    let stats =
        fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    let ours = |stat: &String| {
        stat.rsplit_once(')').is_some_and(|(_, rest)| {
            let fields: Vec<_> = rest.split_whitespace().collect();
            fields[0] == "Z" && fields[1] == us
        })
    };
    stats.filter(ours).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_leave_nothing() {
    let room = Room::new();
    let linux = Arc::new(opened(room.path()));
    if skips(&linux) {
        return;
    }
    let lives = (0..50).map(|n| {
        let (linux, order) = (Arc::clone(&linux), room.shell(if n % 2 == 0 { "exec sleep 1000" } else { "exit 3" }));
        async move {
            let claim = order.claim;
            let alive = linux.launch(order).await.unwrap();
            let ending = if n % 2 == 0 { linux.kill(&alive).await.unwrap() } else { linux.ended(&alive).await };
            assert_eq!(ending, if n % 2 == 0 { Ending::Signal(9) } else { Ending::Code(3) });
            linux.clear(claim).await.unwrap();
            claim
        }
    });
    let claims: BTreeSet<ClaimId> = futures::future::join_all(lives).await.into_iter().collect();
    assert_eq!(claims.len(), 50);
    assert_eq!(bearers(room.path()), Vec::<String>::new());
    assert!(linux.confined().await.unwrap().iter().all(|claim| !claims.contains(claim)));
    room.leaves_nothing();
}

#[tokio::test]
async fn it_outlives_who_launched_it() {
    let room = Room::new();
    let first = opened(room.path());
    if skips(&first) {
        return;
    }
    let order = room.shell("exec sleep 1000");
    let claim = order.claim;
    let alive = first.launch(order).await.unwrap();
    drop(first);
    let second = opened(room.path());
    assert!(second.lives(&alive));
    assert_eq!(second.find().await.unwrap(), vec![(claim, alive.clone())]);
    let more = vec![bind(Path::new("/dev/zero"), "/dev/zero", Access::Read)];
    second.show(&alive, admitting(more)).await.unwrap();
    assert!(Path::new(&format!("/proc/{}/root/dev/zero", alive.pid)).exists());
    assert_eq!(second.kill(&alive).await.unwrap(), Ending::Signal(9));
    second.clear(claim).await.unwrap();
    room.leaves_nothing();
}

/// Gives up waiting after ever longer times, from before anything happened to after all is done.
#[tokio::test(flavor = "multi_thread")]
async fn a_launch_that_is_given_up_leaves_nothing() {
    let room = Room::new();
    let linux = opened(room.path());
    if skips(&linux) {
        return;
    }
    let mut done = 0;
    let mut wait = Duration::ZERO;
    while done < 3 {
        let order = room.shell("exec sleep 1000");
        let claim = order.claim;
        done += u32::from(tokio::time::timeout(wait, linux.launch(order)).await.is_ok());
        linux.clear(claim).await.unwrap();
        wait += Duration::from_micros(100);
    }
    // A launch that goes on after nobody waits for it ends what it started.
    while !bearers(room.path()).is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(linux.find().await.unwrap(), vec![]);
    while !linux.confined().await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    room.leaves_nothing();
}

/// Kills the launcher itself after ever longer times; which of its steps that meets is the kernel's choice.
#[tokio::test(flavor = "multi_thread")]
async fn a_launcher_that_is_killed_leaves_nothing() {
    let room = Room::new();
    let linux = Arc::new(opened(room.path()));
    if skips(&linux) {
        return;
    }
    let (mut met, mut late, mut wait) = (0, 0, Duration::ZERO);
    while late < 5 {
        let order = room.shell("exec sleep 1000");
        let claim = order.claim;
        let killing = std::thread::spawn({
            let bears = format!("WEFT_CLAIM={claim}");
            move || kill_first(&bears, wait)
        });
        let launched = linux.launch(order).await;
        let killed = killing.join().unwrap();
        met += u32::from(killed && launched.is_err());
        late += u32::from(launched.is_ok());
        linux.clear(claim).await.unwrap();
        assert!(linux.find().await.unwrap().is_empty());
        wait += Duration::from_micros(200);
    }
    println!("{met} launchers were killed before they were done");
    // Other tests have children too, which are waited for in a moment.
    let seen = zombies();
    until(|| zombies().is_disjoint(&seen)).await;
    assert_eq!(bearers(room.path()), Vec::<String>::new());
    room.leaves_nothing();
}

/// Kills the first process that bears this, a while after it was there.
fn kill_first(bears: &str, wait: Duration) -> bool {
    let begun = Instant::now();
    let mut found = None;
    while begun.elapsed() < Duration::from_secs(5) && found.is_none() {
        found = fs::read_dir("/proc").unwrap().flatten().find_map(|entry| {
            let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
            let environ = fs::read(entry.path().join("environ")).ok()?;
            environ.split(|byte| *byte == 0).any(|variable| variable == bears.as_bytes()).then_some(pid)
        });
    }
    let seen = Instant::now();
    while seen.elapsed() < wait {
        std::hint::spin_loop();
    }
    let pid = found.and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::kill_process(pid, rustix::process::Signal::KILL).is_ok())
}

/// Run by the test below as a process of its own: launches one jail after another until it is killed.
#[test]
#[ignore = "a part of another test"]
fn agent_for_the_test_below() {
    let Ok(dir) = std::env::var("WEFT_TEST_DIR") else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let room = Room::at(Path::new(&dir));
        let linux = opened(room.path());
        fs::write(room.path().join("begun"), "").unwrap();
        loop {
            let order: Command = room.shell("exec sleep 1000");
            linux.launch(order).await.unwrap();
        }
    });
}

#[tokio::test]
async fn an_agent_that_is_killed_leaves_only_what_is_found() {
    let room = Room::new();
    let linux = opened(room.path());
    if skips(&linux) {
        return;
    }
    for round in 0..12_u64 {
        let mut agent = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "ends::agent_for_the_test_below", "--ignored", "--nocapture"])
            .env("WEFT_TEST_DIR", room.path())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let begun = room.path().join("begun");
        while !begun.exists() {
            assert!(agent.try_wait().unwrap().is_none(), "the agent ended too early");
            tokio::task::yield_now().await;
        }
        let since = Instant::now();
        while since.elapsed() < Duration::from_micros(10_000 + round * 370) {
            std::hint::spin_loop();
        }
        agent.kill().unwrap();
        agent.wait().unwrap();
        fs::remove_file(begun).unwrap();
        // Those that were on their way end by themselves, or become programs that are found.
        while !bearers(room.path()).is_empty() {
            for (claim, _) in linux.find().await.unwrap() {
                linux.clear(claim).await.unwrap();
            }
        }
        for claim in linux.confined().await.unwrap() {
            linux.clear(claim).await.unwrap();
        }
        assert_eq!(linux.confined().await.unwrap(), vec![]);
    }
    assert!(!read("/proc/self/mountinfo").contains(room.path().to_str().unwrap()));
    room.leaves_nothing();
}
