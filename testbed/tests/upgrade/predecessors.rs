//! A weft that is replaced dies at each step of the hand-over: the successor serves all the same.

use crate::talk::Talk;
use crate::{LIMIT, assert_serves, ended, told};
use serde_json::{Value, json};
use std::fs::File;
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::os::unix::net::UnixListener;
use std::time::Duration;
use weft_ports::api::{CreateMode, Vms};
use weft_testbed::daemon::Daemon;
use weft_testbed::guest::{call, small, vm};
use weft_testbed::watch::by_name;

/// Where a predecessor dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Connected,
    Asked,
    Offered,
    Going,
    Released,
}

/// A weft that holds the data folder of a daemon that was ended, played by this test.
struct Played {
    gate: UnixListener,
    api: TcpListener,
    metrics: TcpListener,
    _locks: [File; 2],
}

impl Played {
    fn hold(daemon: &Daemon) -> Self {
        let data = daemon.data_dir();
        let lock = |name: &str| {
            let file = File::options().read(true).write(true).open(data.join(name)).expect("a lock");
            file.lock().expect("it is free");
            file
        };
        let locks = [lock("store/lock"), lock("journal/claims.lock")];
        let path = data.join("run/played.sock");
        let _ = std::fs::remove_file(&path);
        let gate = UnixListener::bind(&path).expect("a gate");
        let listen = || TcpListener::bind("127.0.0.1:0").expect("a port");
        let (api, metrics) = (listen(), listen());
        let up = json!({
            "pid": std::process::id(), "gate": path,
            "api": api.local_addr().expect("bound"), "metrics": metrics.local_addr().expect("bound"),
        });
        std::fs::write(data.join("up.json"), up.to_string()).expect("told");
        Self { gate, api, metrics, _locks: locks }
    }

    /// Plays up to this step; where all is let go is what dies.
    fn until(self, step: Step) {
        let (stream, _) = self.gate.accept().expect("a successor asks");
        if step == Step::Connected {
            return;
        }
        let mut talk = Talk::over(stream);
        let asked = talk.hear().expect("it asks");
        assert_eq!(asked["ask"]["protocol"], 1, "{asked}");
        if step == Step::Asked {
            return;
        }
        let offer = json!({ "offer": {
            "protocol": 1, "version": "0.0.0", "pid": std::process::id(),
            "api": self.api.local_addr().expect("bound"), "metrics": self.metrics.local_addr().expect("bound"),
        }});
        talk.say_with(&offer, &[self.api.as_fd(), self.metrics.as_fd()]);
        if step == Step::Offered {
            return;
        }
        assert_eq!(talk.hear(), Some(json!("go")));
        if step == Step::Going {
            return;
        }
        let Self { _locks, .. } = self;
        drop(_locks);
        talk.say(&json!("released"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wherever_a_predecessor_dies_its_successor_serves() {
    let mut daemon = Daemon::start(&[]).expect("weft is up");
    daemon.client().create(&call(), vm("kept", small(), CreateMode::Create)).await.expect("made");
    for step in [Step::Connected, Step::Asked, Step::Offered, Step::Going, Step::Released] {
        daemon.terminate().expect("ended");
        let played = Played::hold(&daemon);
        let api = played.api.local_addr().expect("bound");
        let successor = daemon.successor(&[]).expect("a log").spawn().expect("started");
        played.until(step);
        daemon.follow(successor).unwrap_or_else(|error| panic!("{step:?}: {error:#}"));
        assert_serves(&daemon);
        daemon.client().get(&call(), &by_name("kept")).await.expect("it is there");
        let handed = matches!(step, Step::Offered | Step::Going | Step::Released);
        assert_eq!(told(&daemon)["api"] == json!(api), handed, "{step:?}: sockets that came are served");
    }
}

/// What a predecessor offers that is not what it should be.
type Wrong = fn(&Played) -> (Value, File);

#[test]
fn what_is_handed_over_is_looked_at() {
    let mut daemon = Daemon::start(&[]).expect("weft is up");
    daemon.terminate().expect("ended");
    let played = Played::hold(&daemon);
    let mut successor = daemon.successor(&[]).expect("a log").spawn().expect("started");
    let words: [Wrong; 2] = [
        |played| (offer(played.api.local_addr().expect("bound")), File::open("/dev/null").expect("there")),
        |_| (offer("127.0.0.1:1".parse().expect("an address")), File::open("/dev/null").expect("there")),
    ];
    for word in words.iter().cycle() {
        played.gate.set_nonblocking(true).expect("set");
        let begun = std::time::Instant::now();
        let stream = loop {
            match played.gate.accept() {
                Ok((stream, _)) => break Some(stream),
                Err(_) if successor.try_wait().expect("a child").is_some() => break None,
                Err(_) => assert!(begun.elapsed() < LIMIT, "it asks or ends"),
            }
            // why: either of two things is waited for, of which one tells us nothing.
            std::thread::sleep(Duration::from_millis(5));
        };
        let Some(stream) = stream else { break };
        stream.set_nonblocking(false).expect("set");
        let mut talk = Talk::over(stream);
        talk.hear();
        let (word, file) = word(&played);
        talk.say_with(&word, &[file.as_fd(), file.as_fd()]);
        assert_eq!(talk.hear(), None, "it does not go on with such sockets");
    }
    assert!(!ended(&mut successor).success());
    assert!(daemon.log().contains("is no listening socket"), "{}", daemon.log());
}

fn offer(api: std::net::SocketAddr) -> Value {
    json!({ "offer": { "protocol": 1, "version": "0.0.0", "pid": 1, "api": api, "metrics": api } })
}
