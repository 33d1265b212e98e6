//! What is asked of a ledger.

use super::super::{BucketQuery, Ledger, Subject};
use super::sender::{Sender, records};
use super::{Setting, assert_holds, everything, expected};
use crate::clock::{Clock, System};
use std::collections::BTreeMap;
use std::time::Duration;
use weft_domain::usage::{Bucket, Cause, Record, Width};
use weft_domain::{InstanceId, Labels, Name, Time};

const BEGIN: i64 = 1_700_002_780;
const SECOND: i64 = 1_000_000_000;

fn at(seconds: i64) -> Time {
    Time::from_nanos(seconds * SECOND)
}

/// Takes all records of a sender's next batch.
async fn take(ledger: &dyn Ledger, sender: &mut Sender, records: Vec<Record>) {
    let batch = sender.batch(records);
    ledger.take(&batch).await.expect("it follows");
}

pub(super) async fn are_answered_by_instance_then_by_time(setting: &dyn Setting) {
    let (ledger, mut sender) = (setting.open().await, Sender::new());
    let batches = sender.seconds(BEGIN, 75);
    for batch in &batches[..50] {
        ledger.take(batch).await.expect("it follows");
    }
    ledger.close().await;
    drop(ledger);
    // Some are on the disk now, some will not be.
    let ledger = setting.open().await;
    for batch in &batches[50..] {
        ledger.take(batch).await.expect("it follows");
    }
    let [a, b, ..] = sender.instances[..] else { panic!("a sender has four") };
    let all = records(&batches);
    for (width, most) in [(Width::Second, 7), (Width::Second, 75), (Width::Minute, 1), (Width::Day, 9)] {
        let mut wanted: Vec<_> = expected(&all, width).into_iter().collect();
        wanted.retain(|((instance, _), _)| [a, b].contains(instance));
        let mut found = Vec::new();
        // The order of the question changes nothing, nor does it to name one twice.
        let mut query = BucketQuery { most, ..everything(&[b, a, b], width) };
        loop {
            let page = ledger.buckets(&query).await.expect("an open ledger answers");
            assert!(page.len() <= most);
            let Some(last) = page.last() else { break };
            query.after = Some((last.instance, last.begins));
            found.extend(page.into_iter().map(|used| ((used.instance, used.begins), used.bucket)));
        }
        assert_eq!(found, wanted, "{most} buckets of a {} at a time", width.as_str());
    }
    assert_eq!(ledger.buckets(&BucketQuery { most: 0, ..everything(&[a], Width::Day) }).await, Ok(Vec::new()));
    ledger.close().await;
}

pub(super) async fn have_edges(setting: &dyn Setting) {
    let (ledger, mut sender) = (setting.open().await, Sender::new());
    // The last instant of a second, of a minute, and just before the epoch.
    let ends = [at(BEGIN), Time::from_nanos(BEGIN * SECOND + 1), at(BEGIN + 20), at(0), Time::from_nanos(-1)];
    let all: Vec<_> = ends.into_iter().map(|end| sender.window(0, end)).collect();
    take(&*ledger, &mut sender, all.clone()).await;
    assert_holds(&*ledger, &all).await;
    let begins = async |width: Width, from: Time, to: Time| {
        let query = BucketQuery { from, to, ..everything(&sender.instances[..1], width) };
        let found = ledger.buckets(&query).await.expect("an open ledger answers");
        found.iter().map(|used| used.begins).collect::<Vec<_>>()
    };
    assert_eq!(begins(Width::Second, at(BEGIN - 1), at(BEGIN)).await, [BEGIN - 1]);
    assert_eq!(begins(Width::Second, at(BEGIN - 1), Time::from_nanos(BEGIN * SECOND + 1)).await, [BEGIN - 1, BEGIN]);
    assert_eq!(begins(Width::Second, Time::from_nanos((BEGIN - 1) * SECOND + 1), at(BEGIN)).await, [0; 0]);
    assert_eq!(begins(Width::Minute, at(BEGIN - 60), at(BEGIN + 60)).await, [BEGIN - 40]);
    assert_eq!(begins(Width::Second, at(-1), at(0)).await, [-1]);
    assert_eq!(begins(Width::Second, at(9), at(1)).await, [0; 0]);
    ledger.close().await;
}

pub(super) async fn are_the_same_whatever_the_clock_says(setting: &dyn Setting) {
    let (ledger, mut sender) = (setting.open().await, Sender::new());
    let mut all = Vec::new();
    let mut now = BEGIN;
    // A clock that is set an hour forth and back between records, and once to the ends of time.
    for step in [0, 3600, 1, -3600, -3600, 3600, 0, 3601, -3599] {
        now += step;
        let records: Vec<_> =
            (1..=8).map(|n| sender.window(n % 4, Time::from_nanos(now * SECOND + n as i64))).collect();
        all.extend_from_slice(&records);
        take(&*ledger, &mut sender, records).await;
    }
    for end in [i64::MIN / 2, i64::MAX] {
        let record = sender.window(0, Time::from_nanos(end));
        all.push(record);
        take(&*ledger, &mut sender, vec![record]).await;
    }
    assert_holds(&*ledger, &all).await;
    ledger.close().await;
    drop(ledger);
    let ledger = setting.open().await;
    assert_holds(&*ledger, &all).await;
    ledger.close().await;
}

pub(super) async fn find_gaps(setting: &dyn Setting) {
    let (ledger, mut sender) = (setting.open().await, Sender::new());
    let mut gaps = Vec::new();
    for (n, cause) in Cause::ALL.into_iter().cycle().take(12).enumerate() {
        let end = at(BEGIN + n as i64 / 2);
        let records = vec![sender.gap(n % 3, end, cause), sender.window(n % 3, end)];
        gaps.push(records[0]);
        take(&*ledger, &mut sender, records).await;
    }
    let own = sender.instances.clone();
    let of = async |ledger: &dyn Ledger, which: &[usize], from: i64, to: i64, most: usize| {
        let instances: Vec<InstanceId> = which.iter().map(|which| own[*which]).collect();
        ledger.gaps(&instances, at(from), at(to), most).await.expect("an open ledger answers")
    };
    let wanted = |which: &[usize], from: i64, to: i64| {
        let lies = |gap: &&Record| {
            which.iter().any(|which| own[*which] == gap.meter.instance)
                && at(from) < gap.to.wall
                && gap.to.wall <= at(to)
        };
        gaps.iter().filter(lies).copied().collect::<Vec<_>>()
    };
    let mut ledger = ledger;
    for _ in 0..2 {
        for (which, from, to) in
            [(&[0, 1, 2][..], BEGIN - 1, BEGIN + 9), (&[1], BEGIN, BEGIN + 3), (&[3], 0, BEGIN + 9)]
        {
            let (mut found, mut wanted) = (of(&*ledger, which, from, to, 99).await, wanted(which, from, to));
            assert!(found.is_sorted_by_key(|gap| gap.to.wall), "the oldest first");
            found.sort_by_key(|gap| gap.sequence);
            wanted.sort_by_key(|gap| gap.sequence);
            assert_eq!(found, wanted, "{which:?} from {from} to {to}");
        }
        let first = of(&*ledger, &[0, 1, 2], BEGIN - 1, BEGIN + 9, 5).await;
        assert_eq!(first.iter().map(|gap| gap.to.wall).max(), Some(at(BEGIN + 2)), "the oldest five");
        ledger.close().await;
        drop(ledger);
        ledger = setting.open().await;
    }
    ledger.close().await;
}

fn subject(instance: InstanceId, name: &str, labels: &[(&str, &str)]) -> Subject {
    let labels: BTreeMap<_, _> = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Subject {
        project: "acme".parse().expect("it is a name"),
        instance,
        name: name.parse().expect("it is a name"),
        labels: Labels::new(labels).expect("they are labels"),
    }
}

async fn names(ledger: &dyn Ledger, of: &[InstanceId]) -> Vec<Name> {
    let all = ledger.subjects().await.expect("an open ledger answers");
    assert!(all.is_sorted_by_key(|subject| subject.instance), "by instance");
    all.into_iter().filter(|subject| of.contains(&subject.instance)).map(|subject| subject.name).collect()
}

pub(super) async fn find_subjects(setting: &dyn Setting) {
    let (ledger, sender) = (setting.open().await, Sender::new());
    let [a, b, ..] = sender.instances[..] else { panic!("a sender has four") };
    let (long, wide) = ("x".repeat(63), "ä €\u{10ffff}".repeat(20));
    let (first, second) = (subject(b, "b", &[]), subject(a, &long, &[("tier", "web"), ("of/it", &wide)]));
    ledger.remember(&[first.clone(), second.clone()]).await.expect("an open ledger answers");
    ledger.remember(&[]).await.expect("nobody is no error");
    let renamed = Subject { name: "c".parse().expect("it is a name"), ..first };
    ledger.remember(std::slice::from_ref(&renamed)).await.expect("an open ledger answers");
    drop(ledger);
    let ledger = setting.open().await;
    let all = ledger.subjects().await.expect("an open ledger answers");
    let own: Vec<_> = all.into_iter().filter(|subject| sender.instances.contains(&subject.instance)).collect();
    assert_eq!(own, [second, renamed], "each as it was last seen, lasting when it is answered");
    ledger.close().await;
}

/// The sum of all buckets of a width.
async fn sum(ledger: &dyn Ledger, instances: &[InstanceId], width: Width) -> Bucket {
    let found = ledger.buckets(&everything(instances, width)).await.expect("an open ledger answers");
    found.iter().fold(Bucket::default(), |sum, used| sum.plus(&used.bucket))
}

/// Runs last of those with subjects: it lives in the future.
pub(super) async fn find_what_was_not_pruned(setting: &dyn Setting) {
    let (ledger, mut sender) = (setting.open().await, Sender::new());
    let keep = setting.keep();
    let begin = System.now();
    let batches = sender.seconds(begin.as_nanos() / SECOND, 3);
    let mut all = records(&batches);
    for batch in &batches {
        ledger.take(batch).await.expect("it follows");
    }
    let gap = sender.gap(0, begin, Cause::Unwatched);
    all.push(gap);
    take(&*ledger, &mut sender, vec![gap]).await;
    let own = sender.instances.clone();
    ledger.remember(&[subject(own[0], "used", &[]), subject(own[3], "other", &[])]).await.expect("it answers");
    let whole = all.iter().fold(Bucket::default(), |sum, record| sum.plus(&Bucket::of(record)));
    // Two days more than any implementation may keep things together for.
    let spare = Duration::from_secs(2 * Width::Day.seconds().unsigned_abs());
    let spans = [keep.seconds, keep.minutes, keep.hours, keep.days];
    for (n, span) in spans.into_iter().enumerate() {
        ledger.prune(begin.plus(span)).await.expect("an open ledger prunes");
        for (m, width) in Width::ALL.into_iter().enumerate() {
            let left = if m < n { Bucket::default() } else { whole };
            assert_eq!(sum(&*ledger, &own, width).await, left, "of a {} before {span:?} are over", width.as_str());
        }
        assert_eq!(names(&*ledger, &own).await.len(), 2, "they are kept as long as usage is");
        ledger.prune(begin.plus(span).plus(spare)).await.expect("an open ledger prunes");
        assert_eq!(sum(&*ledger, &own, Width::ALL[n]).await, Bucket::default(), "after {span:?} are over");
    }
    assert_eq!(names(&*ledger, &own).await, [], "nothing of theirs is kept");
    assert_eq!(ledger.gaps(&own, Time::from_nanos(0), begin, 9).await, Ok(Vec::new()));
    // Late usage of something old is usage.
    take(&*ledger, &mut sender, vec![all[0]]).await;
    assert_holds(&*ledger, &all[..1]).await;
    ledger.close().await;
}
