//! The laws of [`Claims`], as a suite that any implementation can be put through.
//!
//! `open` opens the same journal each time, after the former one was dropped. The suite panics where a
//! law is broken and leaves the journal empty.

use super::{Claim, Claimed, Claims, Entry, Note, ProcessClaim};
use crate::hypervisor::{Chosen, Ward};
use crate::processes::Alive;
use crate::processes::conformance::fresh_claim;
use bytes::Bytes;
use futures::future::try_join_all;
use std::sync::Arc;
use weft_domain::instance::{Exit, ExitCause};
use weft_domain::spec::{Accelerator, Machine};
use weft_domain::{IncarnationId, InstanceId, Kind, SnapshotId, Time};

/// A claim of a folder.
#[must_use]
pub fn folder(name: &str) -> Claim {
    let id = fresh_claim();
    Claim { id, instance: InstanceId::from_bytes(*id.as_bytes()), what: Claimed::Folder(format!("/x/{name}").into()) }
}

/// A claim of a disk.
#[must_use]
pub fn disk(name: &str) -> Claim {
    Claim { what: Claimed::Disk(format!("/x/{name}").into()), ..folder(name) }
}

/// A claim of a process, every field set.
#[must_use]
pub fn process(name: &str) -> Claim {
    let what = Claimed::Process(Arc::new(ProcessClaim {
        incarnation: IncarnationId::from_bytes(*fresh_claim().as_bytes()),
        driver: "qemu".to_owned(),
        chosen: Chosen { driver: "qemu 7.2.22".to_owned(), machine: Machine::Microvm, accelerator: Accelerator::Tcg },
        boot_epoch: 3,
        generation: u64::MAX,
        at: Time::from_nanos(1_700_000_000_123_456_789),
        run_dir: format!("/run/{name}").into(),
        vmm_log: format!("/x/{name} \"quoted\"\n.log").into(),
        restarts: 2,
        console_offset: 1 << 40,
        spec: Bytes::from_static(b"\0spec"),
        ward: Some(Ward { uid: 1_900_000_001, gid: 1_900_000_001 }),
        origin: Some(SnapshotId::from_bytes([7; 16])),
    }));
    Claim { what, ..folder(name) }
}

/// A note with every field set.
#[must_use]
pub fn note() -> Note {
    Note {
        alive: Some(Alive { pid: 4_194_304, start_ticks: u64::MAX, boot_id: "b".to_owned() }),
        reboot_epoch: 9,
        asked: Some(Time::from_nanos(-1)),
        exit: Some(Box::new(Exit {
            boot_epoch: 3,
            reboot_epoch: 9,
            at: Time::from_millis(5),
            cause: ExitCause::GuestPanic,
            message: "it panicked".to_owned(),
            log_tail: vec!["one".to_owned(), "two\u{0}ä".to_owned()],
            console_tail: vec![String::new()],
        })),
        spec: Bytes::from_static(b"other"),
        applied_generation: 4,
        made_bytes: 1 << 40,
    }
}

/// Every law in turn, on a journal that is empty.
pub async fn all<F: Future<Output = Box<dyn Claims>>>(open: impl Fn() -> F) {
    what_is_claimed_is_listed(&open).await;
    notes_replace_each_other(&open).await;
    release_forgets(&open).await;
    refusals_change_nothing(&open).await;
    many_at_once(&open).await;
}

async fn listed(claims: &dyn Claims) -> Vec<Entry> {
    claims.list().await.expect("list answers")
}

async fn empty(claims: &dyn Claims) {
    let ids = listed(claims).await.into_iter().map(|entry| entry.claim.id).collect();
    claims.release(ids).await.expect("release answers");
    assert_eq!(listed(claims).await, vec![], "all were released");
}

async fn what_is_claimed_is_listed<F: Future<Output = Box<dyn Claims>>>(open: &impl Fn() -> F) {
    let journal = open().await;
    assert_eq!(listed(&*journal).await, vec![], "it begins empty");
    let made = [folder("a"), disk("b"), process("c")];
    journal.claim(made[..1].to_vec()).await.expect("claim answers");
    journal.claim(made[1..].to_vec()).await.expect("claim answers");
    journal.claim(vec![]).await.expect("no claims are no error");
    let expected: Vec<_> = made.iter().map(|claim| Entry { claim: claim.clone(), note: Note::default() }).collect();
    assert_eq!(listed(&*journal).await, expected, "oldest first");
    drop(journal);
    let again = open().await;
    assert_eq!(listed(&*again).await, expected, "a new reader sees the same");
    again.claim(made.to_vec()).await.expect("claiming again is success");
    assert_eq!(listed(&*again).await, expected);
    empty(&*again).await;
}

async fn notes_replace_each_other<F: Future<Output = Box<dyn Claims>>>(open: &impl Fn() -> F) {
    let journal = open().await;
    let claim = process("noted");
    journal.claim(vec![claim.clone()]).await.expect("claim answers");
    journal.note(claim.id, Note { reboot_epoch: 1, ..Note::default() }).await.expect("note answers");
    journal.note(claim.id, note()).await.expect("note answers");
    drop(journal);
    let again = open().await;
    assert_eq!(listed(&*again).await, vec![Entry { claim, note: note() }], "the newest note");
    empty(&*again).await;
}

async fn release_forgets<F: Future<Output = Box<dyn Claims>>>(open: &impl Fn() -> F) {
    let journal = open().await;
    let made = [folder("x"), folder("y"), folder("z")];
    journal.claim(made.to_vec()).await.expect("claim answers");
    let gone = vec![made[0].id, made[2].id, fresh_claim()];
    journal.release(gone.clone()).await.expect("release answers, absence is success");
    journal.release(gone).await.expect("and again");
    drop(journal);
    let again = open().await;
    let left: Vec<_> = listed(&*again).await.into_iter().map(|entry| entry.claim).collect();
    assert_eq!(left, made[1..2]);
    empty(&*again).await;
}

async fn refusals_change_nothing<F: Future<Output = Box<dyn Claims>>>(open: &impl Fn() -> F) {
    let journal = open().await;
    let held = folder("held");
    journal.claim(vec![held.clone()]).await.expect("claim answers");
    let other = Claim { what: Claimed::Folder("/x/other".into()), ..held.clone() };
    let fault = journal.claim(vec![folder("new"), other]).await.expect_err("the id is held for another thing");
    assert_eq!(fault.kind(), Kind::Conflict, "{fault:?}");
    let fault = journal.note(fresh_claim(), note()).await.expect_err("there is no such claim");
    assert_eq!(fault.kind(), Kind::Conflict, "{fault:?}");
    let left: Vec<_> = listed(&*journal).await.into_iter().map(|entry| entry.claim).collect();
    assert_eq!(left, vec![held], "all or none");
    empty(&*journal).await;
}

async fn many_at_once<F: Future<Output = Box<dyn Claims>>>(open: &impl Fn() -> F) {
    let journal = open().await;
    let made: Vec<_> = (0..64).map(|n| folder(&n.to_string())).collect();
    try_join_all(made.iter().map(|claim| journal.claim(vec![claim.clone()]))).await.expect("every claim answers");
    try_join_all(made.iter().map(|claim| journal.note(claim.id, note()))).await.expect("every note answers");
    drop(journal);
    let again = open().await;
    let mut left: Vec<_> = listed(&*again).await.into_iter().map(|entry| (entry.claim.id, entry.note)).collect();
    left.sort_by_key(|(id, _)| *id);
    let mut expected: Vec<_> = made.iter().map(|claim| (claim.id, note())).collect();
    expected.sort_by_key(|(id, _)| *id);
    assert_eq!(left, expected, "none is lost");
    empty(&*again).await;
}
