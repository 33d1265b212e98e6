//! Usage as it comes: each second once, and nobody waits for a slow reader.

use super::*;
use futures::StreamExt;
use weft_domain::Reason;
use weft_ports::api::Answers;
use weft_ports::ledger::conformance::sender::records;

async fn next(watch: &mut Answers<Vec<UsageLine>>) -> Vec<UsageLine> {
    watch.next().await.expect("the watch goes on").expect("no refusal")
}

fn begins(lines: &[UsageLine]) -> i64 {
    lines[0].from.as_nanos() / 1_000_000_000
}

/// One more second goes by, in which its node hands on what was used three seconds before.
async fn second(metered: &Metered, sender: &mut Sender, begin: i64) -> Vec<Record> {
    let batches = sender.seconds(begin, 1);
    metered.take(&batches).await;
    later(metered, 1);
    records(&batches)
}

#[tokio::test(start_paused = true)]
async fn each_second_is_told_once_to_all_who_watch() {
    let metered = Metered::new().await;
    let mut sender = strangers(&metered);
    let first = second(&metered, &mut sender, BEGIN).await;
    later(&metered, 2);
    let mut all = metered.metering.watch(&call(), UsageScope::default()).await.expect("a watch");
    let one = UsageScope { vms: vec![weft_ports::api::VmRef::Id(sender.instances[2])], ..UsageScope::default() };
    let mut one = metered.metering.watch(&call(), one).await.expect("a watch");
    let mut wanted = first;
    for turn in 0..5 {
        let (told, alone) = (next(&mut all).await, next(&mut one).await);
        assert_eq!(begins(&told), BEGIN + turn);
        assert_eq!(summed(&told), used(&wanted, BEGIN + turn, BEGIN + turn + 1));
        assert_eq!(alone, told[2..3]);
        wanted = second(&metered, &mut sender, BEGIN + turn + 1).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_loses_seconds_and_sees_which() {
    let metered = Metered::new().await;
    let mut sender = strangers(&metered);
    second(&metered, &mut sender, BEGIN).await;
    later(&metered, 2);
    let mut slow = metered.metering.watch(&call(), UsageScope::default()).await.expect("a watch");
    let mut brisk = metered.metering.watch(&call(), UsageScope::default()).await.expect("a watch");
    for turn in 0..40 {
        assert_eq!(begins(&next(&mut brisk).await), BEGIN + turn, "it is not held up by the other");
        second(&metered, &mut sender, BEGIN + turn + 1).await;
    }
    let mut told = vec![begins(&next(&mut slow).await)];
    while told.last() < Some(&(BEGIN + 39)) {
        told.push(begins(&next(&mut slow).await));
    }
    assert!(told.len() < 20 && told[0] > BEGIN + 20, "{told:?}");
    assert!(told.windows(2).all(|pair| pair[1] == pair[0] + 1), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn watches_are_bounded_and_end_in_order() {
    let config = Config { watches: 1, ..Config::default() };
    let metered = Metered::of(config, Arc::new(Memory::default()), Fake::new()).await;
    let mut watch = metered.metering.watch(&call(), UsageScope::default()).await.expect("the first");
    let second = metered.metering.watch(&call(), UsageScope::default()).await.err().expect("too many");
    assert_eq!(second.reason, Reason::LimitReached);
    assert_eq!(next(&mut watch).await, Vec::new(), "a second in which nothing was used is told too");
    metered.close().await;
    assert_eq!(watch.next().await.expect("an end").expect_err("it is told").reason, Reason::Away);
    assert!(watch.next().await.is_none());
}
