//! Who may ask for a hand-over, and what is answered to nonsense.

use crate::talk::{Talk, ask, gate};
use crate::{assert_serves, ended};
use rustix::process::Uid;
use rustix::thread::set_thread_res_uid;
use serde_json::json;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use weft_testbed::daemon::Daemon;

#[test]
fn garbage_and_silence_change_nothing() {
    let mut daemon = Daemon::start(&[]).expect("weft is up");
    let long = [b'x'; 10_000];
    let older = {
        let mut word = ask();
        word["ask"]["reads"]["journal"] = json!(0);
        word.to_string() + "\n"
    };
    let other = {
        let mut word = ask();
        word["ask"]["protocol"] = json!(99);
        word.to_string() + "\n"
    };
    let said: [(&[u8], &str); 7] = [
        (b"", ""),
        (b"GET / HTTP/1.1\r\n\r\n", ""),
        (&long, ""),
        (b"\n\n\n", ""),
        (b"\"go\"\n", ""),
        (older.as_bytes(), "not older"),
        (other.as_bytes(), "version"),
    ];
    for (bytes, answer) in said {
        let mut stream = UnixStream::connect(gate(&daemon)).expect("it listens");
        // It may have heard enough before all was written.
        let _ = stream.write_all(bytes);
        stream.shutdown(std::net::Shutdown::Write).expect("shut");
        let mut text = String::new();
        // A reset is as good an end as any.
        let _ = stream.read_to_string(&mut text);
        assert!(text.contains(answer) && !text.contains("offer"), "{text}");
        assert_serves(&daemon);
    }
    let silent = UnixStream::connect(gate(&daemon)).expect("it listens");
    daemon.replace().unwrap_or_else(|error| panic!("{error:#}"));
    drop(silent);
    assert_serves(&daemon);
}

#[test]
fn another_user_is_not_spoken_to() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can play another user");
        return;
    }
    let daemon = Daemon::start(&[]).expect("weft is up");
    let gate = gate(&daemon);
    let mode = std::fs::metadata(&gate).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // What keeps others out of the folder is taken away, so that the look at who speaks is all that is left.
    let public = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(&gate, public.clone()).expect("opened");
    let above = gate.ancestors().skip(1).take(3);
    for folder in above.filter(|folder| folder.starts_with(daemon.data_dir().parent().expect("a folder"))) {
        std::fs::set_permissions(folder, public.clone()).expect("opened");
    }
    let heard = std::thread::spawn(move || {
        let nobody = Uid::from_raw(65_534);
        set_thread_res_uid(nobody, nobody, nobody).expect("this thread alone becomes another user");
        Talk::over(UnixStream::connect(gate).expect("it can be reached"))
    });
    let mut talk = heard.join().expect("no panic");
    talk.say(&ask());
    assert_eq!(talk.hear(), None);
    assert_serves(&daemon);
    assert!(daemon.log().contains("user 65534 is at the other end"), "{}", daemon.log());
}

#[test]
fn of_two_successors_one_takes_over() {
    let mut daemon = Daemon::start(&[]).expect("weft is up");
    for _ in 0..3 {
        let mut two: Vec<_> = (0..2).map(|_| daemon.successor(&[]).expect("a log").spawn().expect("started")).collect();
        let begun = std::time::Instant::now();
        // Each may come first; the later one is told so, or takes the place of the first.
        let left = loop {
            let pid = crate::told(&daemon)["pid"].as_u64();
            let over = two.iter_mut().map(|one| one.try_wait().expect("a child")).collect::<Vec<_>>();
            let living = over.iter().filter(|status| status.is_none()).count();
            let at = two.iter().position(|one| Some(u64::from(one.id())) == pid);
            if let (1, Some(at)) = (living, at.filter(|at| over[*at].is_none())) {
                break two.swap_remove(at);
            }
            assert!(begun.elapsed() < crate::LIMIT && living > 0, "{over:?}\n{}", daemon.log());
            // why: several processes are looked at, of which none tells us.
            std::thread::sleep(std::time::Duration::from_millis(20));
        };
        ended(&mut two[0]);
        daemon.follow(left).unwrap_or_else(|error| panic!("{error:#}"));
        assert_serves(&daemon);
    }
}

#[test]
fn without_replace_the_second_is_told_and_with_nobody_there_it_just_starts() {
    let mut daemon = Daemon::start(&[]).expect("weft is up");
    let second = daemon.command().args(["up", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]).output();
    let said = String::from_utf8_lossy(&second.expect("run").stderr).into_owned();
    assert!(said.contains(&daemon.pid().to_string()), "{said}");
    daemon.kill().expect("killed");
    let successor = daemon.successor(&[]).expect("a log").spawn().expect("started");
    daemon.follow(successor).unwrap_or_else(|error| panic!("{error:#}"));
    assert!(daemon.log().contains("weft is up"));
    daemon.terminate().expect("ended well");
    assert!(!daemon.data_dir().join("up.json").exists());
}
