//! Starts and ends that meet others.

use crate::assert_leaves_nothing;
use std::time::Duration;
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
