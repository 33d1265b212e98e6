//! The laws of the ledger as a suite: any implementation can be put through it.
//!
//! Each law has nodes and instances of its own, so that all run on one ledger, which is opened again and again.
//! The suite panics at the first law that does not hold.

mod once;
mod questions;
pub mod sender;

use super::{BucketQuery, Keep, Ledger};
use sender::Sender;
use std::collections::BTreeMap;
use std::sync::Arc;
use weft_domain::usage::{Bucket, Record, Width, bucket};
use weft_domain::{InstanceId, Reason, Time};

/// How the suite gets its ledger.
#[async_trait::async_trait]
pub trait Setting: Send + Sync {
    /// The ledger, after the former one was closed, or dropped as if it had been killed; empty at first.
    async fn open(&self) -> Arc<dyn Ledger>;
    /// For how long it keeps what.
    fn keep(&self) -> Keep;
}

/// Puts the ledger of this setting through every law.
///
/// # Panics
/// A law does not hold.
pub async fn run(setting: &dyn Setting) {
    once::begins_with_nothing(setting).await;
    once::repeated_batches_count_once(setting).await;
    once::any_order_comes_to_the_same(setting).await;
    once::what_does_not_follow_changes_nothing(setting).await;
    once::a_crash_loses_nothing_that_was_answered(setting).await;
    once::what_a_node_lost_is_passed_over(setting).await;
    once::an_instance_on_two_nodes_is_one(setting).await;
    questions::are_answered_by_instance_then_by_time(setting).await;
    questions::have_edges(setting).await;
    questions::are_the_same_whatever_the_clock_says(setting).await;
    questions::find_gaps(setting).await;
    questions::find_subjects(setting).await;
    questions::find_what_was_not_pruned(setting).await;
    closing_is_final(setting).await;
}

async fn closing_is_final(setting: &dyn Setting) {
    let (ledger, mut sender) = (setting.open().await, Sender::new());
    ledger.close().await;
    ledger.close().await;
    let away = |reason| assert_eq!(reason, Some(Reason::Away));
    away(ledger.take(&sender.batch(Vec::new())).await.err().map(|fault| fault.reason));
    away(ledger.taken(sender.node).await.err().map(|fault| fault.reason));
    away(ledger.subjects().await.err().map(|fault| fault.reason));
    away(ledger.remember(&[]).await.err().map(|fault| fault.reason));
    away(ledger.prune(Time::from_nanos(0)).await.err().map(|fault| fault.reason));
    away(ledger.gaps(&[], Time::from_nanos(0), Time::from_nanos(9), 9).await.err().map(|fault| fault.reason));
    away(ledger.buckets(&everything(&[], Width::Day)).await.err().map(|fault| fault.reason));
}

/// Everything of these instances.
#[must_use]
pub fn everything(instances: &[InstanceId], width: Width) -> BucketQuery {
    let (from, to) = (Time::from_nanos(i64::MIN), Time::from_nanos(i64::MAX));
    BucketQuery { instances: instances.to_vec(), width, from, to, after: None, most: usize::MAX }
}

/// What the buckets of each width must be after these records.
#[must_use]
pub fn expected(records: &[Record], width: Width) -> BTreeMap<(InstanceId, i64), Bucket> {
    let mut buckets = BTreeMap::<_, Bucket>::new();
    for record in records {
        let into = buckets.entry((record.meter.instance, bucket(record.to.wall, width))).or_default();
        *into = into.plus(&Bucket::of(record));
    }
    buckets
}

/// Looks that the buckets of every width hold what these records hold, and nothing else of their instances.
///
/// # Panics
/// They do not.
pub async fn assert_holds(ledger: &dyn Ledger, records: &[Record]) {
    let mut instances: Vec<_> = records.iter().map(|record| record.meter.instance).collect();
    instances.sort_unstable();
    instances.dedup();
    for width in Width::ALL {
        let found = ledger.buckets(&everything(&instances, width)).await.expect("an open ledger answers");
        let found: Vec<_> = found.into_iter().map(|used| ((used.instance, used.begins), used.bucket)).collect();
        let wanted: Vec<_> = expected(records, width).into_iter().collect();
        assert_eq!(found, wanted, "buckets of a {}", width.as_str());
    }
}
