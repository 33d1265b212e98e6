//! The console through a real terminal: keys reach the guest, the escape key leaves, and the terminal is as
//! it was, also when the program is told to end.

use crate::found;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use weft_testbed::daemon::{Daemon, program};
use weft_testbed::need_guest;
use weft_testbed::watch::until_ready;

/// A shell of its own in a terminal of its own.
struct Screen {
    child: Child,
    keys: ChildStdin,
    output: ChildStdout,
    seen: String,
}

impl Screen {
    fn of(line: &str) -> Self {
        let mut command = Command::new("script");
        command.args(["-q", "-e", "-c", line, "/dev/null"]).env("SHELL", "/bin/sh");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a terminal");
        let (keys, output) = (child.stdin.take().expect("keys"), child.stdout.take().expect("a screen"));
        Self { child, keys, output, seen: String::new() }
    }

    fn until(&mut self, text: &str) {
        let mut buffer = [0; 1024];
        while !self.seen.contains(text) {
            let read = self.output.read(&mut buffer).expect("the screen goes on");
            assert!(read > 0, "no {text:?} on the screen:\n{}", self.seen);
            self.seen.push_str(&String::from_utf8_lossy(&buffer[..read]));
        }
    }

    fn press(&mut self, keys: &[u8]) {
        self.keys.write_all(keys).and_then(|()| self.keys.flush()).expect("pressed");
    }

    /// What the shell said after `before=` and `after=`: the terminal's settings.
    fn settings(mut self) -> (String, String, String) {
        self.until("over");
        let word = |name: &str| {
            let rest = self.seen.split_once(name).map(|(_, rest)| rest).unwrap_or_default();
            rest.split_whitespace().next().unwrap_or_default().to_owned()
        };
        let words = (word("before="), word("after="), word("code="));
        drop(self.keys);
        let _ = self.child.wait();
        words
    }
}

#[tokio::test]
async fn the_escape_key_leaves_and_the_terminal_is_as_before() {
    need_guest!();
    if !found("script") {
        println!("skipped: no script in PATH");
        return;
    }
    let daemon = Daemon::start(&[]).expect("weft is up");
    crate::well(daemon.client_command().args(["vm", "run", "talk"]));
    until_ready(&daemon.client(), "talk").await;
    let weft = format!("{} --server {} vm console talk", program().display(), daemon.url());
    let line = format!("echo before=$(stty -g); {weft}; c=$?; echo after=$(stty -g); echo code=$c; echo ov''er");
    let (left, ended) = tokio::task::spawn_blocking(move || {
        let mut screen = Screen::of(&line);
        screen.until("leave");
        screen.press(b"echo $((6*7))-seen\n");
        screen.until("42-seen");
        screen.press(b"\x1d");
        let left = screen.settings();

        let mut screen = Screen::of(&line);
        screen.until("leave");
        end_program(&weft);
        (left, screen.settings())
    })
    .await
    .expect("joined");
    assert_eq!(left.0, left.1, "the terminal is as before");
    assert_eq!(left.2, "0");
    assert_eq!(ended.0, ended.1, "the terminal is as before, also after SIGTERM");
    assert_ne!(ended.0, "", "the settings were told");
    crate::well(daemon.client_command().args(["vm", "delete", "talk", "--force"]));
}

/// Asks the one process with exactly this command line to end.
fn end_program(line: &str) {
    let wanted: Vec<u8> = line.split(' ').flat_map(|word| word.bytes().chain([0])).collect();
    let entries = std::fs::read_dir("/proc").expect("processes").flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let mut same = pids.filter(|pid| std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|words| words == wanted));
    let pid = same.next().and_then(rustix::process::Pid::from_raw).expect("the console's process");
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("told");
}
