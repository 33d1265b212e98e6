//! Bad requests to the real server: what each is told, to the letter, over Connect and over gRPC.
//!
//! ```text
//!  shapes, devices, further, requests, alters, kept,
//!  usage, broken, paths, house, metald                       tables of rows: data
//!  http                                                      oddities of HTTP itself, by protocol
//!  row    what a row is                     proto   JSON rows as protobuf, by the contract
//!  stage  a daemon with files and VMs       wire    requests and answers as bytes
//!  play   each row over each protocol: code, reason, fields, message, fix, link
//! ```
//!
//! Afterwards the server is well, and no row has made anything.

mod alters;
mod broken;
mod devices;
mod further;
mod house;
mod http;
mod kept;
mod metald;
mod paths;
mod play;
mod proto;
mod requests;
mod row;
mod shapes;
mod stage;
mod usage;
mod wire;

use play::Play;
use proto::Contract;
use stage::Stage;
use weft_ports::api::{Removal, Vms as _};
use weft_ports::claims::Claims as _;
use weft_testbed::guest::call;
use weft_testbed::need_guest;
use weft_testbed::watch::by_name;

#[tokio::test]
async fn at_the_door() {
    let (stage, contract) = (Stage::bare().await, Contract::compile());
    let mut play = Play::on(&stage, &contract);
    for rows in [
        shapes::TYPES,
        shapes::QUANTITIES,
        shapes::TEXTS,
        devices::DISKS,
        devices::NICS,
        further::MACHINE,
        further::DISKS,
        further::DEVICES,
        paths::SPELLING,
        requests::WHICH,
        requests::TERMS,
        requests::LISTS,
        requests::STREAMS,
        alters::DOOR,
        kept::DOOR,
        usage::DOOR,
        broken::JSON,
        broken::PROTO,
        broken::LARGE,
        metald::DOOR,
    ] {
        play.rows(rows).await;
    }
    play.odds(http::CONNECT).await;
    play.odds(http::GRPC).await;
    nothing_was_made(&stage, &[]).await;
    play.end("at the door");
}

#[tokio::test]
async fn in_the_house() {
    need_guest!();
    let (mut stage, contract) = (Stage::furnished().await, Contract::compile());
    let mut play = Play::on(&stage, &contract);
    for rows in [paths::FILES, house::BEYOND, house::PHASES, alters::HOUSE, kept::HOUSE, metald::HOUSE] {
        play.rows(rows).await;
    }
    if stage.has_kvm().await {
        println!("skipped: KVM works here, so it is not refused");
    } else {
        play.rows(house::NO_KVM).await;
    }
    nothing_was_made(&stage, &["made", "runs", "held"]).await;
    play.end("in the house");
    for name in ["made", "runs", "held"] {
        let removal = Removal { vm: by_name(name), etag: None, force: true, allow_missing: false };
        stage.daemon.client().delete(&call(), removal).await.expect("deleted");
    }
    nothing_was_made(&stage, &[]).await;
    nothing_is_claimed(&mut stage).await;
}

/// The server is well, and has these VMs and nothing else.
async fn nothing_was_made(stage: &Stage, vms: &[&str]) {
    let mut names = stage.names().await;
    names.sort();
    let mut wanted = vms.to_vec();
    wanted.sort_unstable();
    assert_eq!(names, wanted, "the VMs that there are");
    assert_eq!(stage.daemon.entries("vms").len(), vms.len(), "folders of VMs");
    let log = stage.daemon.log();
    let troubled = log.lines().find(|line| line.contains(" ERROR ") || line.contains("panicked"));
    assert_eq!(troubled, None, "a bad request is no trouble of ours");
    let running = vms.iter().filter(|name| **name != "made").count();
    assert_eq!(stage.daemon.vmms().len(), running, "VMMs");
    assert_eq!(stage.daemon.entries("run/vms").len(), running, "folders of sockets");
}

/// The journal of an ended daemon names nothing on the host.
async fn nothing_is_claimed(stage: &mut Stage) {
    stage.daemon.terminate().expect("ended well");
    let dir = stage.daemon.data_dir().join("journal");
    assert!(dir.is_dir(), "the journal is there");
    let journal = weft_host::journal::open(weft_host::journal::Config { dir }).expect("the journal can be read");
    assert!(journal.list().await.expect("claims").is_empty());
}
