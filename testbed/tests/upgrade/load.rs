//! Clients that ask without pause while one weft takes the place of another.

use crate::{LIMIT, ended};
use futures::StreamExt;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use weft_domain::Reason;
use weft_ports::api::{Call, CreateMode, ListQuery, VmChange, Vms, WatchQuery};
use weft_ports::task::spawn;
use weft_testbed::daemon::Daemon;
use weft_testbed::guest::{call, small, vm};
use weft_testbed::watch::by_name;

/// How often the binary is replaced.
const TIMES: usize = 5;

/// One request on a connection of its own; its whole answer.
pub(crate) fn ask_anew(address: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(LIMIT))?;
    write!(stream, "GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    if text.is_empty() { Err(std::io::ErrorKind::UnexpectedEof.into()) } else { Ok(text) }
}

/// A connection that is kept as long as answers allow.
struct Kept {
    address: String,
    stream: Option<BufReader<TcpStream>>,
}

impl Kept {
    /// One request; its status line.
    fn ask(&mut self) -> std::io::Result<String> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect(&self.address)?;
                stream.set_read_timeout(Some(LIMIT))?;
                BufReader::new(stream)
            }
        };
        write!(stream.get_mut(), "GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")?;
        let (mut status, mut length, mut kept) = (String::new(), 0, true);
        if stream.read_line(&mut status)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        loop {
            let mut line = String::new();
            stream.read_line(&mut line)?;
            let line = line.trim().to_ascii_lowercase();
            kept &= line != "connection: close";
            if let Some(number) = line.strip_prefix("content-length: ") {
                length = number.parse().expect("a number");
            }
            if line.is_empty() {
                break;
            }
        }
        stream.read_exact(&mut vec![0; length])?;
        self.stream = kept.then_some(stream);
        Ok(status)
    }
}

/// What clients saw.
#[derive(Default)]
struct Seen {
    over: AtomicBool,
    answered: AtomicUsize,
    trouble: std::sync::Mutex<Vec<String>>,
}

impl Seen {
    fn take(&self, client: &str, answer: std::io::Result<String>) {
        match answer {
            Ok(answer) if answer.starts_with("HTTP/1.1 200") => _ = self.answered.fetch_add(1, Ordering::Relaxed),
            other => self.trouble.lock().expect("no panic").push(format!("{client}: {other:?}")),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_ask_without_pause_are_never_refused() {
    let mut daemon = Daemon::start(&[]).expect("weft is up");
    let seen = Arc::new(Seen::default());
    let mut clients = Vec::new();
    for number in 0..4 {
        let (address, seen) = (daemon.api().to_owned(), Arc::clone(&seen));
        clients.push(std::thread::spawn(move || {
            let mut kept = Kept { address: address.clone(), stream: None };
            while !seen.over.load(Ordering::Relaxed) {
                match number % 2 {
                    0 => seen.take("anew", ask_anew(&address)),
                    _ => seen.take("kept", kept.ask()),
                }
            }
        }));
    }
    let (weft, also) = (daemon.client(), Arc::clone(&seen));
    let changes = spawn("changes", async move {
        let call = Call { timeout: Some(LIMIT), ..Call::by("test") };
        let (mut number, mut refused) = (0, Vec::new());
        while !also.over.load(Ordering::Relaxed) {
            number += 1;
            let new = vm(&format!("vm-{number}"), small(), CreateMode::Create);
            match weft.create(&call, new).await {
                Ok(_) => {}
                Err(fault) => refused.push(fault.to_string()),
            }
        }
        (number, refused)
    });
    let before = daemon.pid();
    for _ in 0..TIMES {
        daemon.replace().unwrap_or_else(|error| panic!("{error:#}"));
    }
    assert_ne!(daemon.pid(), before);
    // why: clients are to see the last one for a while.
    tokio::time::sleep(Duration::from_millis(200)).await;
    seen.over.store(true, Ordering::Relaxed);
    for client in clients {
        client.join().expect("no panic");
    }
    let (made, refused) = changes.await.expect("no panic");
    let trouble = seen.trouble.lock().expect("no panic").clone();
    assert!(trouble.is_empty(), "{} answered; {trouble:?}\n{}", seen.answered.load(Ordering::Relaxed), daemon.log());
    assert!(refused.is_empty(), "{refused:?}");
    let query = ListQuery { page_size: 1000, ..ListQuery::default() };
    let mut there = 0;
    let mut page = daemon.client().list(&call(), &query).await.expect("a list");
    loop {
        there += page.items.len();
        if page.next_page_token.is_empty() {
            break;
        }
        let next = ListQuery { page_token: page.next_page_token, ..query.clone() };
        page = daemon.client().list(&call(), &next).await.expect("a list");
    }
    assert_eq!(there, made, "what was acknowledged is there, and nothing else");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_ends_at_once_and_resumes_by_its_revision() {
    let mut daemon = Daemon::start(&[]).expect("weft is up");
    let weft = daemon.client();
    weft.create(&call(), vm("first", small(), CreateMode::Create)).await.expect("made");
    let mut steps = weft.watch(&Call::by("test"), WatchQuery::default()).await.expect("a watch");
    let mut from = None;
    while from.is_none() {
        if let VmChange::Bookmark(revision) = steps.next().await.expect("it goes on").expect("no refusal") {
            from = Some(revision);
        }
    }
    let begun = Instant::now();
    let replaced = tokio::task::spawn_blocking(move || daemon.replace().map(|()| daemon));
    let ended = loop {
        if let Err(fault) = steps.next().await.expect("a watch ends with a reason") {
            break fault;
        }
    };
    assert_eq!(ended.reason, Reason::Away, "{ended}");
    let daemon = replaced.await.expect("no panic").unwrap_or_else(|error| panic!("{error:#}"));
    assert!(begun.elapsed() < Duration::from_secs(20), "a watch does not hold up its weft");
    let weft = daemon.client();
    weft.create(&call(), vm("second", small(), CreateMode::Create)).await.expect("made");
    let mut steps = weft.watch(&Call::by("test"), WatchQuery { from, ..WatchQuery::default() }).await.expect("resumed");
    let next = steps.next().await.expect("it goes on").expect("no refusal");
    assert!(
        matches!(next, VmChange::Set(vm) if vm.value.meta.name.as_str() == "second"),
        "nothing twice, nothing less"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_watches_goes_on_watching() {
    let mut daemon = Daemon::start(&[]).expect("weft is up");
    let mut watch = daemon.client_command();
    watch.args(["vm", "watch", "-o", "name"]).stdout(std::process::Stdio::piped());
    let mut watch = watch.spawn().expect("run");
    let mut lines = BufReader::new(watch.stdout.take().expect("piped"));
    let mut line = || {
        let mut text = String::new();
        lines.read_line(&mut text).expect("a line");
        text.trim().to_owned()
    };
    daemon.client().create(&call(), vm("before", small(), CreateMode::Create)).await.expect("made");
    assert_eq!(line(), "before");
    daemon.replace().unwrap_or_else(|error| panic!("{error:#}"));
    daemon.client().create(&call(), vm("after", small(), CreateMode::Create)).await.expect("made");
    while line() != "after" {}
    daemon.client().get(&call(), &by_name("after")).await.expect("it is there");
    watch.kill().expect("killed");
    ended(&mut watch);
}
