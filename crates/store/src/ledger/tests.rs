//! The ledger on a disk that can be made to fail: power that is lost at any moment, and refusals of any act.

use super::{Book, Config, NAMES, engine, start};
use crate::embedded::folder::Folder;
use crate::embedded::tests::platter::{Platter, Refusal};
use rand::RngExt;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use weft_domain::usage::{Cause, Width};
use weft_domain::{Fault, Reason, Time};
use weft_ports::ledger::Ledger;
use weft_ports::ledger::conformance::sender::{Sender, records};
use weft_ports::ledger::conformance::{assert_holds, everything};
use weft_ports::spool::Batch;
use weft_ports::task;

fn made() -> Platter {
    let platter = Platter::default();
    engine::fill(platter.file()).expect("a file is made");
    platter
}

/// A ledger that is written after every few batches.
fn opened(platter: &Platter, dir: &tempfile::TempDir) -> Result<Book, Fault> {
    let config = Config { held: 30, span: Duration::from_secs(3600), ..Config::at(dir.path()) };
    let folder = Folder::hold_as(dir.path(), &NAMES)?;
    Ok(start(&config, Arc::new(platter.clone()), folder)?)
}

fn batches(count: u32) -> (Sender, Vec<Batch>) {
    let mut sender = Sender::new();
    let mut batches = sender.seconds(1_700_000_000, count);
    let gap = sender.gap(2, Time::from_millis(1_700_000_900_000), Cause::Dropped);
    batches.push(sender.batch(vec![gap]));
    (sender, batches)
}

/// What is there is what the ledger says was taken, and that is no less than was answered.
async fn assert_kept(book: &Book, batches: &[Batch], promised: u64) {
    let taken = book.taken(batches[0].node).await.expect("an open ledger answers");
    assert!(taken >= promised, "{promised} was answered, {taken} is there");
    let there = records(&batches[..usize::try_from(taken).expect("a test sends few")]);
    assert_holds(book, &there).await;
    book.verify().await.expect("it is whole");
}

/// Batches are taken; meanwhile the power is lost again and again, each time at another moment and with another
/// choice of what the disk had of the unsynced writes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_survives_loss_of_power() {
    let (platter, dir) = (made(), tempfile::tempdir().expect("a folder"));
    let book = opened(&platter, &dir).expect("it opens");
    let (_, batches) = batches(200);
    let answered = Arc::new(AtomicU64::new(0));
    let writer = {
        let (answered, batches) = (Arc::clone(&answered), batches.clone());
        task::spawn("writer", async move {
            for batch in &batches {
                answered.store(book.take(batch).await.expect("nothing refuses"), Ordering::SeqCst);
            }
        })
    };
    let mut random = SmallRng::seed_from_u64(5);
    let mut images = Vec::new();
    while !writer.is_finished() {
        // First what was promised, then the picture: everything promised must be in it.
        let promised = answered.load(Ordering::SeqCst);
        images.push((promised, platter.after_loss_of_power(&mut random)));
        for _ in 0..random.random_range(0..200) {
            tokio::task::yield_now().await;
        }
    }
    writer.await.expect("it ends");
    images.push((answered.load(Ordering::SeqCst), platter.after_loss_of_power(&mut random)));
    assert!(images.len() > 20 && images[images.len() - 1].0 > 100, "{} moments", images.len());
    let step = images.len().div_ceil(50);
    for (promised, image) in images.into_iter().rev().step_by(step) {
        let dir = tempfile::tempdir().expect("a folder");
        let book = opened(&image, &dir).expect("it opens after a loss of power");
        assert_kept(&book, &batches, promised).await;
    }
}

#[tokio::test]
async fn a_refusal_of_the_disk_is_outlived() {
    let mut refusals = 0;
    for acts in 0..40 {
        let refusal = if acts % 2 == 0 { Refusal::Broken } else { Refusal::Full };
        let (platter, dir) = (made(), tempfile::tempdir().expect("a folder"));
        let book = opened(&platter, &dir).expect("it opens");
        let (sender, batches) = batches(40);
        for batch in &batches[..20] {
            book.take(batch).await.expect("nothing refuses");
        }
        platter.refuse_after(acts, refusal);
        for batch in &batches[20..] {
            if let Err(fault) = book.take(batch).await {
                assert!([Reason::StoreFull, Reason::Away].contains(&fault.reason), "{fault}");
                refusals += 1;
                // What is asked goes on whatever the disk did.
                book.buckets(&everything(&sender.instances, Width::Minute)).await.expect("it is answered");
                break;
            }
        }
        // Where something was refused a moment ago, closing tries again at once.
        platter.refuse_after(u64::MAX, refusal);
        book.close().await;
        let book = opened(&platter, &dir).expect("it opens");
        assert_kept(&book, &batches, 0).await;
        let from = usize::try_from(book.taken(sender.node).await.expect("it answers")).expect("a test sends few");
        for batch in &batches[from..] {
            book.take(batch).await.expect("nothing refuses any more");
        }
        assert_holds(&book, &records(&batches)).await;
    }
    assert!(refusals > 5, "{refusals} refusals were seen");
}
