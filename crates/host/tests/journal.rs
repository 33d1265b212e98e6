//! The journal of claims on a real disk: its conformance suite, and what goes wrong.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "all of this is tests")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use weft_domain::{Fault, Reason};
use weft_host::journal::{Config, Journal, open};
use weft_ports::claims::conformance::{self, folder, note, process};
use weft_ports::claims::{Claims, Entry, Note};

fn opened(dir: &Path) -> Journal {
    open(Config { dir: dir.to_owned() }).unwrap()
}

fn refused(dir: &Path) -> Fault {
    open(Config { dir: dir.to_owned() }).map(drop).unwrap_err().into()
}

#[tokio::test]
async fn keeps_the_laws() {
    let dir = tempfile::tempdir().unwrap();
    conformance::all(|| async { Box::new(opened(dir.path())) as Box<dyn Claims> }).await;
}

#[tokio::test]
async fn a_second_agent_is_told_who_holds_it() {
    let dir = tempfile::tempdir().unwrap();
    let first = opened(dir.path());
    let fault = refused(dir.path());
    assert_eq!(fault.reason, Reason::StoreHeld);
    assert!(fault.message.contains(&format!("process {}", std::process::id())), "{fault:?}");
    drop(first);
    drop(opened(dir.path()));
}

#[tokio::test]
async fn it_stays_bounded_and_keeps_what_is_held() {
    let dir = tempfile::tempdir().unwrap();
    let journal = opened(dir.path());
    let kept = [folder("kept"), process("kept too")];
    journal.claim(kept.to_vec()).await.unwrap();
    journal.note(kept[1].id, note()).await.unwrap();
    let mut heavy = note();
    for n in 0..200 {
        let claim = process("passing");
        journal.claim(vec![claim.clone()]).await.unwrap();
        heavy.exit.as_mut().unwrap().message = format!("{n}").repeat(16_000);
        journal.note(claim.id, heavy.clone()).await.unwrap();
        journal.release(vec![claim.id]).await.unwrap();
    }
    drop(journal);
    let length = fs::metadata(dir.path().join("claims.log")).unwrap().len();
    assert!(length < 3 << 20, "{length}");
    let list = opened(dir.path()).list().await.unwrap();
    assert_eq!(list.iter().map(|entry| entry.claim.clone()).collect::<Vec<_>>(), kept);
    assert_eq!(list[1].note, note());
}

#[tokio::test]
async fn a_change_that_is_too_long_is_refused_and_the_rest_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let journal = opened(dir.path());
    let claim = process("x");
    journal.claim(vec![claim.clone()]).await.unwrap();
    let mut long = note();
    long.exit.as_mut().unwrap().message = "x".repeat(2 << 20);
    assert_eq!(journal.note(claim.id, long).await.unwrap_err().reason, Reason::LimitReached);
    journal.note(claim.id, note()).await.unwrap();
    assert_eq!(journal.list().await.unwrap()[0].note, note());
}

fn brief() -> Note {
    Note { reboot_epoch: 7, ..Note::default() }
}

async fn sample(dir: &Path) -> (Vec<u8>, Vec<Entry>) {
    let journal = opened(dir);
    let claims = [folder("0"), folder("1")];
    journal.claim(claims[..1].to_vec()).await.unwrap();
    journal.note(claims[0].id, brief()).await.unwrap();
    journal.claim(claims[1..].to_vec()).await.unwrap();
    let list = journal.list().await.unwrap();
    drop(journal);
    (fs::read(dir.join("claims.log")).unwrap(), list)
}

#[tokio::test]
async fn a_cut_at_any_byte_loses_only_what_was_cut() {
    let dir = tempfile::tempdir().unwrap();
    let (bytes, all) = sample(dir.path()).await;
    let path = dir.path().join("claims.log");
    let mut last = 0;
    for end in 20..=bytes.len() {
        fs::write(&path, &bytes[..end]).unwrap();
        let journal = opened(dir.path());
        let list = journal.list().await.unwrap();
        let noted = list.iter().filter(|entry| entry.note == brief()).count();
        let progress = list.len() + noted;
        assert!(progress >= last, "{end}");
        assert!(list.iter().zip(&all).all(|(one, other)| one.claim == other.claim), "{end}");
        last = progress;
        if end % 16 != 0 {
            continue;
        }
        // It can be written again at once.
        journal.claim(vec![folder("more")]).await.unwrap();
        drop(journal);
        assert_eq!(opened(dir.path()).list().await.unwrap().len(), list.len() + 1, "{end}");
    }
    assert_eq!(last, 3);
}

#[tokio::test]
async fn a_flipped_byte_is_an_error_or_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (bytes, all) = sample(dir.path()).await;
    let path = dir.path().join("claims.log");
    for at in 0..bytes.len() {
        let mut spoilt = bytes.clone();
        spoilt[at] ^= 0x55;
        fs::write(&path, &spoilt).unwrap();
        match open(Config { dir: dir.path().to_owned() }) {
            Ok(journal) => assert_eq!(journal.list().await.unwrap(), all, "{at}"),
            Err(error) => {
                assert_eq!(error.reason(), Reason::StoreDamaged, "{at}: {error}");
                assert_eq!(fs::read(&path).unwrap(), spoilt, "nothing is changed");
            }
        }
    }
}

#[tokio::test]
async fn what_is_no_journal_is_never_taken_for_an_empty_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("claims.log");
    for bytes in [&b""[..], b"weft", b"{}", &[0; 4096]] {
        fs::write(&path, bytes).unwrap();
        assert_eq!(refused(dir.path()).reason, Reason::StoreDamaged);
    }
    let mut newer = b"weft.claims\n\x02\0\0\0".to_vec();
    newer.extend_from_slice(&crc32fast::hash(&newer).to_le_bytes());
    fs::write(&path, &newer).unwrap();
    let fault = refused(dir.path());
    assert_eq!(fault.reason, Reason::StoreNewer);
    assert!(fault.message.contains("format 2"), "{fault:?}");
}

/// Run by the test below as a process of its own: claims and notes, telling each that was answered.
#[test]
#[ignore = "a part of another test"]
fn agent_for_the_test_below() {
    let Ok(dir) = std::env::var("WEFT_TEST_DIR") else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let journal = opened(Path::new(&dir));
        let writers = (0..4).map(|_| async {
            loop {
                let claim = folder("x");
                journal.claim(vec![claim.clone()]).await.unwrap();
                println!("claimed {}", claim.id);
                journal.note(claim.id, note()).await.unwrap();
                println!("noted {}", claim.id);
            }
        });
        futures::future::join_all(writers).await;
    });
}

#[tokio::test]
async fn what_was_answered_survives_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let (mut claimed, mut noted) = (Vec::new(), Vec::new());
    for round in 0..20 {
        let mut agent = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "agent_for_the_test_below", "--ignored", "--nocapture"])
            .env("WEFT_TEST_DIR", dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut words = BufReader::new(agent.stdout.take().unwrap()).lines();
        let mut told = Vec::new();
        // Killed in the middle of its writing, at another moment each time.
        while told.len() < 8 + 7 * round {
            told.push(words.next().expect("it goes on until it is killed").unwrap());
        }
        agent.kill().unwrap();
        agent.wait().unwrap();
        told.extend(words.map_while(Result::ok));
        for line in told {
            if let Some(id) = line.strip_prefix("claimed ") {
                claimed.push(id.parse().unwrap());
            }
            if let Some(id) = line.strip_prefix("noted ") {
                noted.push(id.parse().unwrap());
            }
        }
        let list = opened(dir.path()).list().await.unwrap();
        let ids: Vec<_> = list.iter().map(|entry| entry.claim.id).collect();
        assert!(claimed.iter().all(|id| ids.contains(id)), "round {round}: a claim is lost");
        let with_note = |id| list.iter().any(|entry| entry.claim.id == id && entry.note == note());
        assert!(noted.iter().all(|id| with_note(*id)), "round {round}: a note is lost");
    }
}
