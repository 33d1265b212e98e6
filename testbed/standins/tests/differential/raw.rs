//! What is below the API: bytes that are no request, or one that no server of this kind takes.

use crate::rows::{real, stage};
use std::io::Write as _;
use std::path::Path;
use weft_standins::play::{Played, answer};

const ROWS: &[(&str, &str, u16)] = &[
    ("a request", "GET PING HTTP/1.1\r\n\r\n", 200),
    ("http/1.0", "GET PING HTTP/1.0\r\n\r\n", 200),
    ("an absolute address", "GET http://localhostPING HTTP/1.1\r\n\r\n", 200),
    ("unknown headers", "GET PING HTTP/1.1\r\nX-Any: thing\r\nAccept: text/html\r\n\r\n", 200),
    ("http/2", "GET PING HTTP/2.0\r\n\r\n", 400),
    ("small letters", "get PING HTTP/1.1\r\n\r\n", 400),
    ("no version", "GET PING\r\n\r\n", 400),
    ("nothing", "\r\n\r\n", 400),
    ("a header without a value", "GET PING HTTP/1.1\r\nHost\r\n\r\n", 400),
    ("a length that is no number", "GET PING HTTP/1.1\r\nContent-Length: many\r\n\r\n", 400),
    ("a negative length", "GET PING HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
    ("a large body", "PUT PING HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", 400),
    ("no identity", "GET PING HTTP/1.1\r\nAccept-Encoding: identity;q=0\r\n\r\n", 400),
    ("nothing at all", "GET PING HTTP/1.1\r\nAccept-Encoding: *;q=0\r\n\r\n", 400),
    ("gzip", "GET PING HTTP/1.1\r\nAccept-Encoding: gzip\r\n\r\n", 200),
    ("a length of zero", "GET PING HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 200),
    ("no such method", "HEAD PING HTTP/1.1\r\n\r\n", 400),
];

fn ask(program: &Path, ping: &str) -> Vec<(u16, bool)> {
    let folder = stage();
    let socket = folder.path().join("api.sock").display().to_string();
    let word = if ping == "/version" { "--api-sock" } else { "--api-socket" };
    let mut played = Played::start(program, folder.path(), &[word, &socket], &[]).unwrap();
    played.ready().unwrap();
    let long = format!("GET {ping} HTTP/1.1\r\nX-Long: {}\r\n\r\n", "x".repeat(2000));
    let texts = ROWS.iter().map(|(_, text, _)| text.replace("PING", ping));
    let answers = texts.chain([long]).map(|text| {
        let mut stream = played.connect().unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        let answer = answer(&mut stream).unwrap();
        (answer.status, answer.body.starts_with("{ \"error\": "))
    });
    answers.collect()
}

fn both(variable: &str, name: &str, ping: &str, stand_in: &str) {
    let mine = ask(Path::new(stand_in), ping);
    for ((row, _, expected), told) in ROWS.iter().zip(&mine) {
        assert_eq!(told.0, *expected, "{name}: {row}");
    }
    assert_eq!(mine.last(), Some(&(400, true)), "{name}: a long header");
    match real(variable, name) {
        Some(program) => assert_eq!(mine, ask(&program, ping), "{name}"),
        None => println!("skipped: no {name} binary to compare the stand-in with"),
    }
}

#[test]
fn bytes_to_firecracker() {
    both("WEFT_FIRECRACKER", "firecracker", "/version", env!("CARGO_BIN_EXE_standin-firecracker"));
}

#[test]
fn bytes_to_cloud_hypervisor() {
    let stand_in = env!("CARGO_BIN_EXE_standin-cloud-hypervisor");
    both("WEFT_CLOUD_HYPERVISOR", "cloud-hypervisor", "/api/v1/vmm.ping", stand_in);
}
