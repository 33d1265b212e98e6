//! Garbage: over the network, and in the files that weft keeps.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;
use weft_ports::api::{CreateMode, Vms};
use weft_testbed::daemon::Daemon;
use weft_testbed::guest::{call, small, vm};
use weft_testbed::watch::by_name;

/// Connections that ask nothing.
const IDLE: usize = 500;

fn say(daemon: &Daemon, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(daemon.api()).expect("it listens");
    // It may hang up in the middle of it.
    let _ = stream.write_all(bytes);
    stream
}

fn descriptors(daemon: &Daemon) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", daemon.pid())).expect("it lives").count()
}

#[tokio::test]
async fn garbage_on_the_port_harms_nobody() {
    let daemon = Daemon::start(&[]).expect("weft is up");
    let noise: Vec<u8> = (0..65_536u32).map(|i| i.wrapping_mul(2_654_435_761).to_be_bytes()[1]).collect();
    let mut huge = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ".to_vec();
    huge.resize(4 << 20, b'a');
    let preface = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), &noise].concat();
    let before = descriptors(&daemon);
    for bytes in [noise.as_slice(), &preface, &huge, b"\0", b"GET"] {
        let mut stream = say(&daemon, bytes);
        let _ = stream.shutdown(Shutdown::Write);
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("set");
        let mut answer = Vec::new();
        // A reset is an answer too; a timeout is not.
        if let Err(why) = stream.read_to_end(&mut answer) {
            assert_ne!(
                why.kind(),
                std::io::ErrorKind::WouldBlock,
                "it holds on to {:?}",
                &bytes[..bytes.len().min(20)]
            );
        }
    }
    let idle: Vec<_> = (0..IDLE).map(|i| say(&daemon, if i % 2 == 0 { b"" } else { b"PRI * HT" })).collect();
    daemon.client().create(&call(), vm("served", small(), CreateMode::Create)).await.expect("others are served");
    for mut stream in idle {
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("set");
        let ended = stream.read(&mut [0; 1]);
        assert!(!ended.is_err_and(|why| why.kind() == std::io::ErrorKind::WouldBlock), "who asks nothing is let go");
    }
    assert!(descriptors(&daemon) <= before + 20, "{} descriptors, {before} before", descriptors(&daemon));
}

#[tokio::test]
async fn garbage_in_its_files_is_told_or_made_good_and_never_lost_data() {
    let mut daemon = Daemon::start(&[]).expect("weft is up");
    daemon.client().create(&call(), vm("kept", small(), CreateMode::Create)).await.expect("made");
    daemon.kill().expect("killed");
    let data = daemon.data_dir();
    let journal = data.join("journal/claims.log");
    let whole = std::fs::read(&journal).expect("a journal");
    std::fs::write(data.join("up.json"), "{\"pid\": 1").expect("written");
    std::fs::write(&journal, [whole.as_slice(), &[0xa5; 11]].concat()).expect("written");
    daemon.up().expect("a torn tail and a torn note are made good");
    daemon.client().get(&call(), &by_name("kept")).await.expect("kept");
    daemon.kill().expect("killed");
    let whole = std::fs::read(&journal).expect("a journal");
    let id = std::fs::read(data.join("node-id")).expect("an id");
    let mut spoilt = whole.clone();
    let middle = whole.len() / 3;
    spoilt[middle..middle + 8].fill(0xa5);
    for (file, bytes, right) in [
        ("journal/claims.log", spoilt.as_slice(), whole.as_slice()),
        ("node-id", b"", &id),
        ("node-id", b"\xff\xfenode", &id),
    ] {
        std::fs::write(data.join(file), bytes).expect("written");
        let refused = format!("{:#}", daemon.up().expect_err("garbage is refused"));
        let name = file.split('/').next().unwrap_or_default();
        assert!(refused.contains(name), "{file}: {refused}");
        assert_eq!(std::fs::read(data.join(file)).expect("there"), bytes, "it is left as it was found");
        std::fs::write(data.join(file), right).expect("written");
    }
    daemon.up().expect("up again");
    daemon.client().get(&call(), &by_name("kept")).await.expect("kept");
}
