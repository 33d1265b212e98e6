//! The processes port on the real kernel: its conformance suite, and what goes wrong.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "all of this is tests")]

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use weft_domain::{Kind, Reason};
use weft_host::processes::{Config, Linux, open};
use weft_ports::processes::conformance::{self, command, exiter, fresh_claim, sleeper};
use weft_ports::processes::{Alive, Cgroups, Command, Confinement, Ending, Processes, Signal};

fn opened(dir: &Path) -> Linux {
    open(Config::of(dir, dir)).unwrap()
}

/// A shell's words, once it has said its last.
async fn said(linux: &Linux, mut order: Command, script: &str) -> String {
    order.program = "/bin/sh".into();
    order.args = ["-c", script].iter().map(Into::into).collect();
    let (log, claim) = (order.log.clone(), order.claim);
    let alive = linux.launch(order).await.unwrap();
    assert_eq!(linux.ended(&alive).await, Ending::Code(0));
    linux.clear(claim).await.unwrap();
    fs::read_to_string(log).unwrap()
}

#[tokio::test]
async fn keeps_the_laws() {
    let dir = tempfile::tempdir().unwrap();
    let linux = opened(dir.path());
    conformance::all(&linux, dir.path()).await;
}

#[tokio::test]
async fn it_is_a_fresh_process() {
    let dir = tempfile::tempdir().unwrap();
    let linux = opened(dir.path());
    let order = command(dir.path(), "/bin/sh", &[]);
    let claim = order.claim;
    let log = order.log.clone();
    fs::write(&log, "before\n").unwrap();
    // The shell itself reads its status: while it starts another program it holds signals back.
    let script = "echo pid $$; cut -d' ' -f1,6 /proc/$$/stat; pwd; env | sort; ulimit -c; ls /proc/$$/fd; \
                  readlink /proc/$$/fd/0; while IFS= read -r line; do case $line in Sig[BI]*) echo \"$line\";; esac; \
                  done < /proc/$$/status; echo err >&2";
    let text = said(&linux, order, script).await;
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "before", "the log is appended");
    let pid = lines[1].strip_prefix("pid ").unwrap();
    assert_eq!(lines[2], format!("{pid} {pid}"), "it leads a session of its own");
    assert_eq!(Path::new(lines[3]), fs::canonicalize(dir.path()).unwrap());
    assert!(text.contains(&format!("WEFT_CLAIM={claim}\n")), "{text}");
    assert!(text.contains("/dev/null"), "{text}");
    assert!(text.contains("SigBlk:\t0000000000000000"), "{text}");
    // The C library keeps 32 and 33 for itself and leaves them ignored when it spawns.
    assert!(text.contains("SigIgn:\t0000000180000000") || text.contains("SigIgn:\t0000000000000000"), "{text}");
    assert!(text.ends_with("err\n"), "{text}");
    let variables: BTreeSet<_> = lines.iter().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    let lawful = BTreeSet::from(["PATH", "PWD", "OLDPWD", "SHLVL", "WEFT_CLAIM", "WEFT_SCOPE", "_"]);
    assert!(variables.is_subset(&lawful), "{variables:?}");
    let fds: Vec<_> = lines.iter().filter(|line| line.parse::<u32>().is_ok_and(|fd| fd > 2 && fd != 10)).collect();
    assert_eq!(fds, Vec::<&&str>::new(), "no descriptor but the standard ones: {text}");
}

#[tokio::test]
async fn no_number_takes_the_logs_place() {
    let dir = tempfile::tempdir().unwrap();
    let linux = opened(dir.path());
    for count in 1..8 {
        let mut order = command(dir.path(), "/bin/sh", &[]);
        order.log = dir.path().join(format!("log-{count}"));
        order.fds = (3..3 + count).map(|number| (fs::File::open("/dev/null").unwrap().into(), number)).collect();
        assert_eq!(said(&linux, order, "echo out; echo err >&2").await, "out\nerr\n", "{count} descriptors");
    }
}

#[tokio::test]
async fn descriptors_get_the_numbers_that_were_asked() {
    let dir = tempfile::tempdir().unwrap();
    let linux = opened(dir.path());
    // Their own numbers overlap with those that are asked for, in the other order.
    let (mut ours, theirs): (Vec<_>, Vec<_>) = (0..4).map(|_| UnixStream::pair().unwrap()).unzip();
    let mut order = command(dir.path(), "/bin/sh", &[]);
    order.fds = theirs.into_iter().map(OwnedFd::from).zip([6, 5, 4, 3]).collect();
    order.confinement.open_files = Some(32);
    said(&linux, order, "echo six >&6; echo five >&5; echo four >&4; echo three >&3; [ $(ulimit -n) = 32 ]").await;
    let words: Vec<String> = ours
        .iter_mut()
        .map(|stream| {
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            text
        })
        .collect();
    assert_eq!(words, ["six\n", "five\n", "four\n", "three\n"], "and ours saw the end, so no copy stayed open");
}

#[tokio::test]
async fn standard_input_and_output_can_be_given() {
    let dir = tempfile::tempdir().unwrap();
    let linux = opened(dir.path());
    let (input, output) = (dir.path().join("input"), dir.path().join("output"));
    fs::write(&input, "typed\n").unwrap();
    fs::write(&output, "before\n").unwrap();
    let appended = fs::File::options().append(true).open(&output).unwrap();
    let mut order = command(dir.path(), "/bin/sh", &[]);
    order.fds = vec![(appended.into(), 1), (fs::File::open(&input).unwrap().into(), 0)];
    assert_eq!(said(&linux, order, "cat; echo err >&2").await, "err\n", "only errors go to the log");
    assert_eq!(fs::read_to_string(&output).unwrap(), "before\ntyped\n");
}

#[tokio::test]
async fn long_orders_arrive_whole() {
    let dir = tempfile::tempdir().unwrap();
    let linux = opened(dir.path());
    let mut order = command(dir.path(), "/bin/sh", &["-c", "echo $#", "sh"]);
    order.args.extend((0..6000).map(|n| format!("{n:0>100}").into()));
    let (log, claim) = (order.log.clone(), order.claim);
    let alive = linux.launch(order).await.unwrap();
    assert_eq!(linux.ended(&alive).await, Ending::Code(0));
    assert_eq!(fs::read_to_string(log).unwrap(), "6000\n");
    linux.clear(claim).await.unwrap();
}

#[tokio::test]
async fn failures_are_exact_and_leave_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let linux = opened(dir.path());
    let file = dir.path().join("file");
    fs::write(&file, "no program").unwrap();
    let good = || sleeper(dir.path());
    let (readable, _) = std::io::pipe().unwrap();
    let cases: Vec<(Command, Reason, &str)> = vec![
        (Command { program: "/no/such/program".into(), ..good() }, Reason::ProgramMissing, "no such program"),
        (Command { program: file.clone(), ..good() }, Reason::LaunchFailed, "could not execute: Permission denied"),
        (Command { log: file.join("x"), ..good() }, Reason::LaunchFailed, "could not open its log"),
        (Command { log: dir.path().to_owned(), ..good() }, Reason::LaunchFailed, "Is a directory"),
        (Command { dir: "/no/such/dir".into(), ..good() }, Reason::LaunchFailed, "enter its folder /no/such/dir"),
        (Command { fds: vec![(readable.into(), 2)], ..good() }, Reason::LaunchFailed, "place its descriptors"),
    ];
    for (order, reason, words) in cases {
        let claim = order.claim;
        let fault = linux.launch(order).await.unwrap_err();
        assert_eq!(fault.reason, reason, "{fault:?}");
        assert!(fault.message.contains(words), "{fault:?}");
        assert!(!fault.fix.is_empty());
        assert!(linux.find().await.unwrap().iter().all(|(of, _)| *of != claim));
        assert!(!linux.confined().await.unwrap().contains(&claim));
    }
    no_zombie_stays().await;
}

/// Children of ours that ended and were not waited for.
fn zombies() -> BTreeSet<String> {
    let us = std::process::id().to_string();
    let stats = fs::read_dir("/proc").unwrap().flatten();
    let stats = stats.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    let ours = |stat: &String| {
        stat.rsplit_once(") ").is_some_and(|(_, rest)| {
            let fields: Vec<_> = rest.split(' ').collect();
            fields[0] == "Z" && fields[1] == us
        })
    };
    stats.filter(ours).collect()
}

/// Other tests have children too, which are waited for in a moment; one that stays is a leak.
async fn no_zombie_stays() {
    let seen = zombies();
    let gone = async {
        while !zombies().is_disjoint(&seen) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone).await.unwrap();
}

#[tokio::test]
async fn another_scope_sees_nothing() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (first, second) = (opened(one.path()), opened(two.path()));
    let order = sleeper(one.path());
    let claim = order.claim;
    let alive = first.launch(order).await.unwrap();
    assert_eq!(second.find().await.unwrap(), vec![]);
    assert_eq!(second.confined().await.unwrap(), vec![]);
    second.clear(claim).await.unwrap();
    assert!(first.lives(&alive), "another scope's clear does not reach it");
    first.clear(claim).await.unwrap();
}

#[tokio::test]
async fn clear_reaches_what_the_program_started() {
    let dir = tempfile::tempdir().unwrap();
    let linux = opened(dir.path());
    let order = command(dir.path(), "/bin/sh", &["-c", "setsid sleep 1000 & sleep 1000 & echo ready; wait"]);
    let (claim, log) = (order.claim, order.log.clone());
    let alive = linux.launch(order).await.unwrap();
    while !fs::read_to_string(&log).unwrap().contains("ready") {
        tokio::task::yield_now().await;
    }
    assert_eq!(linux.find().await.unwrap(), vec![(claim, alive.clone())], "one per claim, the leader");
    linux.kill(&alive).await.unwrap();
    let left = linux.find().await.unwrap();
    assert!(left.iter().all(|(of, found)| *of == claim && *found != alive), "{left:?}");
    assert_eq!(left.len(), 1, "what it started bears its claim too");
    linux.clear(claim).await.unwrap();
    assert_eq!(linux.find().await.unwrap(), vec![]);
}

#[tokio::test]
async fn a_second_agent_adopts_and_sees_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let first = opened(dir.path());
    let order = sleeper(dir.path());
    let claim = order.claim;
    let alive = first.launch(order).await.unwrap();
    drop(first);
    let second = opened(dir.path());
    assert!(second.lives(&alive), "dropping ends nothing");
    assert_eq!(second.find().await.unwrap(), vec![(claim, alive.clone())]);
    second.signal(&alive, Signal::Terminate).await.unwrap();
    assert_eq!(second.ended(&alive).await, Ending::Signal(15), "still our child, so still reaped");
    second.clear(claim).await.unwrap();
}

#[tokio::test]
async fn limits_are_held_and_running_out_of_memory_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let linux = opened(dir.path());
    if linux.cgroups().0 == Cgroups::None {
        println!("skipped: {}", linux.cgroups().1.unwrap());
        return;
    }
    let mut order = command(dir.path(), "/bin/sh", &["-c", "x=x; while :; do x=$x$x; done"]);
    order.confinement =
        Confinement { memory_bytes: Some(16 << 20), cpu_millis: Some(500), pids: Some(8), open_files: None };
    let claim = order.claim;
    let alive = linux.launch(order).await.unwrap();
    let ending = tokio::time::timeout(Duration::from_secs(60), linux.ended(&alive)).await.unwrap();
    assert_eq!(ending, Ending::OutOfMemory);
    linux.clear(claim).await.unwrap();
    assert!(!linux.confined().await.unwrap().contains(&claim));
}

#[tokio::test]
async fn a_zombie_is_dead() {
    let dir = tempfile::tempdir().unwrap();
    let linux = opened(dir.path());
    // A child of ours that nobody reaps yet.
    let mut child = std::process::Command::new("/bin/sleep").arg("1000").spawn().unwrap();
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    let ticks = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap().parse().unwrap();
    let alive = Alive { pid: child.id(), start_ticks: ticks, boot_id: linux.boot_id() };
    assert!(linux.lives(&alive));
    child.kill().unwrap();
    let path = format!("/proc/{}/stat", child.id());
    while !fs::read_to_string(&path).unwrap().contains(") Z ") {
        tokio::task::yield_now().await;
    }
    assert!(!linux.lives(&alive));
    child.wait().unwrap();
}

#[tokio::test]
async fn nothing_leaks() {
    let dir = tempfile::tempdir().unwrap();
    let linux = Arc::new(opened(dir.path()));
    let round = || async {
        let launches = (0..8).map(|n| {
            let (linux, order) = (Arc::clone(&linux), exiter(dir.path(), n));
            async move {
                let claim = order.claim;
                let alive = linux.launch(order).await.unwrap();
                assert_eq!(linux.ended(&alive).await, Ending::Code(n));
                linux.clear(claim).await.unwrap();
            }
        });
        futures::future::join_all(launches).await;
    };
    round().await;
    let sockets = || {
        let fds = fs::read_dir("/proc/self/fd").unwrap().flatten();
        let ours = fds.filter_map(|fd| fs::read_link(fd.path()).ok()).filter(|to| {
            let to = to.to_string_lossy();
            to.contains("pidfd") || to.contains(dir.path().to_str().unwrap())
        });
        ours.count()
    };
    let before = sockets();
    for _ in 0..5 {
        round().await;
    }
    // Other tests of this program hold pidfds of their own meanwhile, but never this many.
    assert!(sockets() <= before + 16, "{before} became {}", sockets());
    no_zombie_stays().await;
}

#[tokio::test]
async fn a_launch_that_nobody_waits_for_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let linux = opened(dir.path());
    // A pipe without a reader's end keeps the launcher waiting where it opens its log.
    let log = dir.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&log).status().unwrap().success());
    let order = Command { log: log.clone(), ..sleeper(dir.path()) };
    let claim = order.claim;
    assert!(tokio::time::timeout(Duration::from_millis(50), linux.launch(order)).await.is_err());
    let reader = fs::File::open(&log).unwrap();
    linux.clear(claim).await.unwrap();
    drop(reader);
    assert_eq!(linux.find().await.unwrap(), vec![]);
}

#[test]
fn settings_that_cannot_be_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config::of(dir.path(), dir.path());
    for scope in ["", "A", "a/b", "..", &"a".repeat(65)] {
        let error = open(Config { scope: scope.to_owned(), ..config.clone() }).unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidArgument, "{scope:?}");
    }
    assert!(open(Config { oom_score_adj: 1001, ..config }).is_err());
}

/// Run by the test below as a process of its own: launches a sleeper, says who it is, and waits to be killed.
#[test]
#[ignore = "a part of another test"]
fn agent_for_the_test_below() {
    let Ok(dir) = std::env::var("WEFT_TEST_DIR") else { return };
    let dir = Path::new(&dir);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let linux = opened(dir);
        let alive = linux.launch(sleeper(dir)).await.unwrap();
        let text = format!("{} {} {}", alive.pid, alive.start_ticks, alive.boot_id);
        fs::write(dir.join("who.new"), text).unwrap();
        fs::rename(dir.join("who.new"), dir.join("who")).unwrap();
        std::future::pending::<()>().await;
    });
}

#[tokio::test]
async fn it_outlives_an_agent_that_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let mut agent = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "agent_for_the_test_below", "--ignored", "--nocapture"])
        .env("WEFT_TEST_DIR", dir.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let who = dir.path().join("who");
    while !who.exists() {
        assert!(agent.try_wait().unwrap().is_none(), "the agent ended too early");
        tokio::task::yield_now().await;
    }
    agent.kill().unwrap();
    agent.wait().unwrap();
    let text = fs::read_to_string(who).unwrap();
    let parts: Vec<&str> = text.split(' ').collect();
    let alive =
        Alive { pid: parts[0].parse().unwrap(), start_ticks: parts[1].parse().unwrap(), boot_id: parts[2].to_owned() };
    let linux = opened(dir.path());
    assert!(linux.lives(&alive), "it survives");
    let found = linux.find().await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].1, alive, "with its pid unchanged");
    let ended = linux.ended(&alive);
    linux.signal(&alive, Signal::Kill).await.unwrap();
    assert_eq!(tokio::time::timeout(Duration::from_secs(20), ended).await.unwrap(), Ending::Unknown);
    linux.clear(found[0].0).await.unwrap();
    linux.clear(fresh_claim()).await.unwrap();
}

/// Descriptors of this process by which that one is held.
fn held(alive: &Alive) -> usize {
    let told = fs::read_dir("/proc/self/fdinfo").unwrap().flatten().filter_map(|fd| fs::read_to_string(fd.path()).ok());
    told.filter(|told| told.lines().any(|line| line.strip_prefix("Pid:\t") == Some(&alive.pid.to_string()))).count()
}

/// Begins to wait for an end, and gives up.
async fn wait_in_vain(linux: &Linux, alive: &Alive) {
    tokio::select! {
        biased;
        ending = linux.ended(alive) => panic!("it has ended: {ending:?}"),
        () = std::future::ready(()) => {}
    }
}

#[tokio::test]
async fn a_process_that_nobody_waits_for_is_held_by_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let linux = opened(dir.path());
    let order = sleeper(dir.path());
    let claim = order.claim;
    let alive = linux.launch(order).await.unwrap();
    assert_eq!(held(&alive), 1, "from its launch");
    wait_in_vain(&linux, &alive).await;
    assert_eq!(held(&alive), 0);
    let waiting = async {
        let (one, other) = tokio::join!(linux.ended(&alive), linux.ended(&alive));
        assert_eq!((one, other), (Ending::Signal(9), Ending::Signal(9)));
    };
    let ending = async {
        wait_in_vain(&linux, &alive).await;
        assert_eq!(held(&alive), 1, "two wait still, by one descriptor");
        linux.signal(&alive, Signal::Kill).await.unwrap();
    };
    tokio::join!(biased; waiting, ending);
    assert_eq!(held(&alive), 0);
    assert_eq!(linux.ended(&alive).await, Ending::Signal(9), "it is told again");
    linux.clear(claim).await.unwrap();
}

#[tokio::test]
async fn an_end_that_nobody_waited_for_is_told_and_reaped() {
    let dir = tempfile::tempdir().unwrap();
    let linux = opened(dir.path());
    for asked in [true, false] {
        let mut order = command(dir.path(), "/bin/sh", &["-c", "read line; exit 7"]);
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        order.fds = vec![(OwnedFd::from(theirs), 0)];
        let claim = order.claim;
        let alive = linux.launch(order).await.unwrap();
        wait_in_vain(&linux, &alive).await;
        std::io::Write::write_all(&mut ours, b"\n").unwrap();
        let stat = format!("/proc/{}/stat", alive.pid);
        while !fs::read_to_string(&stat).unwrap().contains(") Z ") {
            tokio::task::yield_now().await;
        }
        if asked {
            assert_eq!(linux.ended(&alive).await, Ending::Code(7));
        }
        linux.clear(claim).await.unwrap();
        assert!(!Path::new(&stat).exists(), "no zombie is left");
    }
}
