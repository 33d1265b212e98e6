//! What a long life must not gather.

use crate::{assert_leaves_nothing, removal};
use weft_ports::api::{CreateMode, Vms};
use weft_testbed::daemon::Daemon;
use weft_testbed::guest::{call, small, vm};
use weft_testbed::need_guest;

const LIVES: usize = 150;
/// Memory that may stay with the process after them, in KiB: caches fill and events are kept.
const SLACK: usize = 24 << 10;

/// Open descriptors, and resident memory in KiB.
fn figures(daemon: &Daemon) -> (usize, usize) {
    let proc = format!("/proc/{}", daemon.pid());
    let status = std::fs::read_to_string(format!("{proc}/status")).expect("it lives");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a figure");
    let resident = line.trim().trim_end_matches(" kB").parse().expect("a number");
    (std::fs::read_dir(format!("{proc}/fd")).expect("it lives").count(), resident)
}

async fn live(daemon: &Daemon, mode: CreateMode, times: usize) {
    let weft = daemon.client();
    for _ in 0..times {
        weft.create(&call(), vm("short", small(), mode)).await.expect("made");
        weft.delete(&call(), removal("short")).await.expect("deleted");
    }
}

#[tokio::test]
async fn many_short_lives_leave_no_descriptor_and_little_memory() {
    need_guest!();
    let daemon = Daemon::start(&[]).expect("weft is up");
    live(&daemon, CreateMode::Create, 20).await;
    live(&daemon, CreateMode::Boot, 1).await;
    let (fds, resident) = figures(&daemon);
    live(&daemon, CreateMode::Create, LIVES).await;
    live(&daemon, CreateMode::Boot, 6).await;
    let (fds_after, resident_after) = figures(&daemon);
    assert!(fds_after <= fds + 4, "{fds_after} descriptors, {fds} before");
    assert!(resident_after <= resident + SLACK, "{resident_after} KiB, {resident} before");
    assert_leaves_nothing(&daemon).await;
}
