//! Starts and ends that meet others.

use crate::assert_leaves_nothing;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use weft_domain::Phase;
use weft_ports::api::{CreateMode, Vms};
use weft_testbed::daemon::Daemon;
use weft_testbed::guest::{call, small, vm};
use weft_testbed::need_guest;
use weft_testbed::watch::{by_name, until};

#[tokio::test]
async fn an_end_in_the_middle_of_a_boot_loses_nothing() {
    need_guest!();
    let mut daemon = Daemon::start(&[]).expect("weft is up");
    for (i, wait) in [0, 30, 90, 200].into_iter().enumerate() {
        let (weft, name) = (daemon.client(), format!("vm{i}"));
        weft.create(&call(), vm(&name, small(), CreateMode::Create)).await.expect("made");
        let booting = name.clone();
        let boot = weft_ports::task::spawn("boot", async move {
            use weft_ports::api::Power;
            weft.boot(&call(), &by_name(&booting)).await
        });
        // why: the instant is what is tried here.
        tokio::time::sleep(Duration::from_millis(wait)).await;
        daemon.terminate().expect("ended well");
        let answered = boot.await.expect("joined").is_ok();
        daemon.up().expect("up again");
        let there = daemon.client().get(&call(), &by_name(&name)).await.expect("there").value.status.phase;
        if answered || there != Phase::Created {
            until(&daemon.client(), &name, |vm| vm.value.status.phase == Phase::Running).await;
        }
    }
    assert_leaves_nothing(&daemon).await;
}

#[test]
fn of_several_that_start_on_one_folder_one_runs_and_the_others_say_so() {
    let mut daemon = Daemon::start(&[]).expect("weft is up");
    daemon.terminate().expect("ended");
    let start = |daemon: &Daemon| {
        let mut command = daemon.command();
        command.args(["up", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]);
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().expect("run")
    };
    let mut rivals: Vec<_> = (0..2).map(|_| start(&daemon)).collect();
    let started = daemon.up().is_ok();
    if !started {
        // One of the rivals runs then, and the other is refused in a moment.
        let ended = |rival: &mut std::process::Child| rival.try_wait().expect("asked").is_some();
        for _ in 0..3000 {
            if rivals.iter_mut().any(ended) {
                break;
            }
            // why: whichever of two processes ends first is waited for.
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    let mut refused = 0;
    for mut rival in rivals {
        if !started && rival.try_wait().expect("asked").is_none() {
            rival.kill().expect("killed");
            rival.wait().expect("ended");
            continue;
        }
        let output = rival.wait_with_output().expect("ended");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains("another"), "{said}");
        refused += 1;
    }
    assert_eq!(refused, if started { 2 } else { 1 });
}

/// How long a start may take to be up or to have ended.
const DECIDED: Duration = Duration::from_secs(15);
/// Instants of a start that are tried.
const SAMPLE: u32 = 4;
/// A start passes fewer points than this.
const POINTS: u32 = 40;

/// What became of a start: its end, or nothing where it is up.
fn decided(child: &mut Child, daemon: &Daemon, plan: &str) -> Option<ExitStatus> {
    let (begun, pid) = (Instant::now(), child.id());
    while begun.elapsed() < DECIDED {
        if let Some(status) = child.try_wait().expect("asked") {
            return Some(status);
        }
        let told = std::fs::read_to_string(daemon.data_dir().join("up.json")).unwrap_or_default();
        let told: serde_json::Value = serde_json::from_str(&told).unwrap_or_default();
        if told["pid"] == pid {
            return None;
        }
        // why: another process is waited for, which may say nothing.
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().expect("killed");
    child.wait().expect("ended");
    panic!("with {plan} weft is neither up nor down");
}

/// A start on an empty folder with this plan.
fn start_with(daemon: &Daemon, plan: &str) -> Child {
    // There may be none yet.
    let _ = std::fs::remove_dir_all(daemon.data_dir());
    let mut command: Command = daemon.command();
    command.args(["up", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]).env("WEFT_FAULT", plan);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("run")
}

#[test]
fn a_part_that_falls_while_it_comes_up_leaves_it_up_or_ends_it() {
    let mut daemon = Daemon::start(&[]).expect("weft is up");
    daemon.terminate().expect("ended");
    let seed = std::process::id();
    println!("seed {seed}");
    let sample = (0..SAMPLE).map(|i| (seed.wrapping_mul(2_654_435_761) >> 8).wrapping_add(i * 7) % POINTS + 1);
    // What writes the state falls with the first thing that is written: nobody could be served.
    let writers = ["store.staged", "store.committed"].map(|point| (format!("{point}:1:panic"), true));
    for (plan, ends) in writers.into_iter().chain(sample.map(|nth| (format!("*:{nth}:panic"), false))) {
        let mut child = start_with(&daemon, &plan);
        let ended = decided(&mut child, &daemon, &plan);
        if ended.is_none() {
            // It is up for a moment at least; a part may fall yet, and then it ends by itself.
            crate::signal(child.id(), rustix::process::Signal::TERM);
        }
        let output = child.wait_with_output().expect("ended");
        let said = String::from_utf8_lossy(&output.stderr);
        if said.contains("no fault points") {
            return println!("skipped: this build has no fault points");
        }
        assert!(!ends || ended.is_some(), "{plan} lets it come up");
        assert!(ended.is_none_or(|status| !status.success()), "with {plan} it ended as if it had been asked:\n{said}");
    }
}
