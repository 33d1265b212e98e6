//! The stub: the least program that passes for a Firecracker, so that ten thousand of them fit on one machine.
//!
//! ```text
//!  args ─► API socket ─► log line ─► one connection after the other ─► answer
//! ```
//!
//! It has no guest and judges nothing: whatever is put is taken, and only what a driver of VMs reads back is
//! remembered. One thread waits in the kernel; there are no timers, so a stub that nobody speaks to costs
//! nothing. What it tells when it starts, and when it is asked, is one line of figures of the usual length.

use std::env;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::exit;
use std::time::{SystemTime, UNIX_EPOCH};

/// What it says it is.
const VERSION: &str = "1.17.0-dev";
/// The longest request that is read.
const LIMIT: usize = 64 * 1024;
/// Groups of figures in a line, and figures in each: as many as a machine without devices tells.
const FIGURES: (u32, u32) = (24, 12);

/// What is remembered of one machine.
struct Machine {
    id: String,
    state: &'static str,
    metrics: Option<File>,
}

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    let value = |name: &str| args.iter().position(|arg| arg == name).and_then(|at| args.get(at + 1)).cloned();
    if args.iter().any(|arg| arg == "--version") {
        println!("Firecracker v{VERSION}\n");
        return;
    }
    if args.iter().any(|arg| arg == "--no-api") {
        // The guest of a configuration file has ended already.
        return;
    }
    let mut machine =
        Machine { id: value("--id").unwrap_or_else(|| "stub".to_owned()), state: "Not started", metrics: None };
    let log = value("--log-path").and_then(|path| written(&path));
    let path = value("--api-sock").unwrap_or_else(|| "api.sock".to_owned());
    let listener = UnixListener::bind(&path).unwrap_or_else(|why| {
        eprintln!("the API socket {path} cannot be bound: {why}");
        exit(1)
    });
    if let Some(mut log) = log.as_ref() {
        // A log that nobody hears is no reason not to run. It stays open: its end is that of the machine.
        let _ = writeln!(log, "[{}:main] Listening on API socket ({path}).", machine.id);
    }
    for stream in listener.incoming().flatten() {
        serve(stream, &mut machine);
    }
}

/// A file or FIFO that is written to; a FIFO is opened for both ways, so that it has no end.
fn written(path: &str) -> Option<File> {
    OpenOptions::new().read(true).append(true).create(true).open(path).ok()
}

/// Answers one connection until it is closed or says what cannot be read.
fn serve(mut stream: UnixStream, machine: &mut Machine) {
    let mut held = Vec::new();
    let mut chunk = [0; 2048];
    loop {
        match whole(&held) {
            Some((head, end)) => {
                let answer = answer(&held[..head], &held[head..end], machine);
                if stream.write_all(answer.as_bytes()).is_err() {
                    return;
                }
                held.drain(..end);
            }
            None if held.len() > LIMIT => return,
            None => match stream.read(&mut chunk) {
                Ok(read @ 1..) => held.extend_from_slice(&chunk[..read]),
                Ok(0) | Err(_) => return,
            },
        }
    }
}

/// Where the head of the first request ends and where its body does, once all of it is there.
fn whole(held: &[u8]) -> Option<(usize, usize)> {
    let head = held.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&held[..head]).to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    let end = head.checked_add(length.unwrap_or(0))?;
    (held.len() >= end).then_some((head, end))
}

fn answer(head: &[u8], body: &[u8], machine: &mut Machine) -> String {
    let (head, body) = (String::from_utf8_lossy(head), String::from_utf8_lossy(body));
    let mut words = head.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    match (method, path) {
        ("GET", "/") => return told(machine),
        ("GET", "/machine-config") => return content(r#"{"vcpu_count":1,"mem_size_mib":1,"smt":false}"#),
        ("PUT", "/metrics") => machine.metrics = field(&body, "metrics_path").and_then(written),
        ("PUT", "/actions") => act(field(&body, "action_type").unwrap_or_default(), machine),
        ("PATCH", "/vm") => machine.state = if field(&body, "state") == Some("Paused") { "Paused" } else { "Running" },
        _ => {}
    }
    "HTTP/1.1 204 \r\nServer: Firecracker API\r\nConnection: keep-alive\r\n\r\n".to_owned()
}

fn act(action: &str, machine: &mut Machine) {
    match action {
        "InstanceStart" => {
            machine.state = "Running";
            tell_figures(machine);
        }
        "FlushMetrics" => tell_figures(machine),
        "SendCtrlAltDel" => exit(0),
        _ => {}
    }
}

fn told(machine: &Machine) -> String {
    let Machine { id, state, .. } = machine;
    content(&format!(r#"{{"id":"{id}","state":"{state}","vmm_version":"{VERSION}","app_name":"Firecracker"}}"#))
}

fn content(json: &str) -> String {
    let head = "HTTP/1.1 200 \r\nServer: Firecracker API\r\nConnection: keep-alive\r\nContent-Type: application/json";
    format!("{head}\r\nContent-Length: {}\r\n\r\n{json}", json.len())
}

/// The text of a field of a flat document.
fn field<'a>(body: &'a str, name: &str) -> Option<&'a str> {
    let after = body.split_once(&format!("\"{name}\""))?.1.split_once(':')?.1;
    after.trim_start().strip_prefix('"')?.split('"').next()
}

fn tell_figures(machine: &mut Machine) {
    let Some(file) = &mut machine.metrics else { return };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let mut line = format!("{{\"utc_timestamp_ms\":{now}");
    for group in 0..FIGURES.0 {
        line.push_str(&format!(",\"group_{group}\":{{\"first_count\":0"));
        for figure in 1..FIGURES.1 {
            line.push_str(&format!(",\"figure_of_some_name_{figure}_count\":{}", figure % 2));
        }
        line.push('}');
    }
    line.push_str("}\n");
    // As with the log.
    let _ = file.write_all(line.as_bytes());
}
