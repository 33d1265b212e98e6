//! A port of this machine that leads to a guest's.

use futures::StreamExt;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use weft_ports::api::{ConsoleInput, Consoles};
use weft_testbed::daemon::Daemon;
use weft_testbed::guest::call;
use weft_testbed::need_guest;
use weft_testbed::watch::{by_name, until_ready};

#[tokio::test]
async fn a_guests_web_server_answers_on_loopback() {
    need_guest!();
    let daemon = Daemon::start(&[]).expect("weft is up");
    // Free now; nobody is likely to take it before the guest's forward does.
    let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
    let forward = format!("user,forward=tcp:{port}:80");
    crate::well(daemon.client_command().args(["vm", "create", "web", "--boot", "--nic", &forward]));
    let weft = daemon.client();
    until_ready(&weft, "web").await;

    let (keys, typed) = futures::channel::mpsc::unbounded();
    let mut screen = weft.attach(&call(), &by_name("web"), typed.boxed()).await.expect("attached");
    let line = "mkdir -p /www; echo here-is-the-guest >/www/index.html; httpd -h /www; echo $((6*7))-served\n";
    keys.unbounded_send(ConsoleInput::Bytes(line.into())).expect("typed");
    let mut seen = String::new();
    while !seen.contains("42-served") {
        let bytes = screen.next().await.expect("the console goes on").expect("no refusal");
        seen.push_str(&String::from_utf8_lossy(&bytes));
    }
    let page = tokio::task::spawn_blocking(move || get(port)).await.expect("joined");
    assert!(page.contains("here-is-the-guest"), "{page}");
    crate::well(daemon.client_command().args(["vm", "delete", "web", "--force"]));
}

fn get(port: u16) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    write!(stream, "GET / HTTP/1.0\r\n\r\n").expect("sent");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("answered");
    text
}
