//! What an operator does: a second daemon, backups, health, figures, down.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Output;
use weft_ports::api::{CreateMode, Vms};
use weft_testbed::daemon::Daemon;
use weft_testbed::guest::{call, small, vm};
use weft_testbed::need_guest;
use weft_testbed::watch::by_name;

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").expect("sent");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("answered");
    text
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn a_second_daemon_on_the_same_folder_says_who_holds_it() {
    let daemon = Daemon::start(&[]).expect("weft is up");
    let second =
        daemon.command().args(["up", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]).output().expect("run");
    assert!(!second.status.success());
    let said = words(&second);
    assert!(said.contains(&daemon.pid().to_string()), "the holder's pid is told: {said}");
}

#[test]
fn health_readiness_and_figures_are_served() {
    let daemon = Daemon::start(&[]).expect("weft is up");
    assert!(get(daemon.api(), "/healthz").starts_with("HTTP/1.1 200"));
    let ready = get(daemon.api(), "/readyz");
    assert!(ready.starts_with("HTTP/1.1 200") && ready.contains("\"store\":\"ok\""), "{ready}");
    daemon.client_command().args(["vm", "list"]).output().expect("run");
    let figures = get(daemon.metrics(), "/metrics");
    for name in ["weft_store_commits", "weft_agent_instances", "weft_api_requests", "weft_instances"] {
        assert!(figures.contains(name), "{name} in\n{figures}");
    }
}

#[tokio::test]
async fn a_backup_of_the_live_state_can_be_restored() {
    let mut daemon = Daemon::start(&[]).expect("weft is up");
    daemon.client().create(&call(), vm("kept", small(), CreateMode::Create)).await.expect("made");
    let copy = daemon.data_dir().with_file_name("copy");
    let backup = daemon.command().arg("backup").arg(&copy).output().expect("run");
    assert!(backup.status.success(), "{}", words(&backup));
    let again = daemon.command().arg("backup").arg(&copy).output().expect("run");
    assert!(!again.status.success(), "a file that is there is not written over");
    let refused = daemon.command().arg("restore").arg(&copy).output().expect("run");
    assert!(!refused.status.success(), "a folder with a state is not written over");
    daemon.terminate().expect("ended");
    std::fs::remove_dir_all(daemon.data_dir().join("store")).expect("removed");
    let restored = daemon.command().arg("restore").arg(&copy).output().expect("run");
    assert!(restored.status.success(), "{}", words(&restored));
    daemon.up().expect("up again");
    daemon.client().get(&call(), &by_name("kept")).await.expect("it is there again");
}

#[tokio::test]
async fn a_damaged_state_is_told_and_left_as_it_is() {
    let mut daemon = Daemon::start(&[]).expect("weft is up");
    daemon.client().create(&call(), vm("kept", small(), CreateMode::Create)).await.expect("made");
    daemon.terminate().expect("ended");
    let state = daemon.data_dir().join("store/state.redb");
    let mut bytes = std::fs::read(&state).expect("read");
    bytes[64..4096].fill(0xa5);
    std::fs::write(&state, &bytes).expect("written");
    let error = format!("{:#}", daemon.up().expect_err("a damaged state is not opened"));
    assert!(error.contains("damaged") && error.contains("backup"), "{error}");
    assert_eq!(std::fs::read(&state).expect("read"), bytes, "nothing was changed");
}

#[tokio::test]
async fn down_stops_guests_and_then_the_daemon() {
    need_guest!();
    let mut daemon = Daemon::start(&[]).expect("weft is up");
    let weft = daemon.client();
    weft.create(&call(), vm("one", small(), CreateMode::Boot)).await.expect("booted");
    weft_testbed::watch::until_ready(&weft, "one").await;
    let mut down = daemon.command();
    let down = tokio::task::spawn_blocking(move || down.arg("down").output()).await.expect("joined").expect("run");
    assert!(down.status.success(), "{}", words(&down));
    assert!(words(&down).contains("one is STOPPED"), "{}", words(&down));
    daemon.wait_for_end().expect("ended well");
    assert!(daemon.vmms().is_empty());
    assert!(daemon.cgroups().is_empty(), "{:?}", daemon.cgroups());
}

#[tokio::test]
async fn a_guest_is_no_caller_of_the_api() {
    use weft_domain::instance::StopHow;
    use weft_ports::api::Power;
    need_guest!();
    let daemon = Daemon::start(&[]).expect("weft is up");
    let weft = daemon.client();
    weft.create(&call(), vm("spy", small(), CreateMode::Boot)).await.expect("booted");
    weft_testbed::watch::until_ready(&weft, "spy").await;
    // 10.0.2.2 is the host's loopback as a guest on a user-mode network sees it.
    let port = daemon.api().rsplit(':').next().expect("a port");
    let ask = format!("wget -q -O - --header 'Host: 127.0.0.1' http://10.0.2.2:{port}/healthz; echo asked-$?\n");
    let seen = crate::crash::type_and_read(&weft, "spy", &ask, "asked-1").await;
    assert!(!seen.contains("\nok"), "the guest was served: {seen}");
    assert!(daemon.log().contains("a guest connected, and is not served"));
    assert!(get(daemon.api(), "/healthz").contains("ok"), "the host's own users are served");
    weft.shutdown(&call(), &by_name("spy"), StopHow::Force).await.expect("ended");
}
