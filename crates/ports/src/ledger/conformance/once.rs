//! Each batch is taken once.

use super::super::Ledger;
use super::sender::{Sender, records};
use super::{Setting, assert_holds};
use crate::spool::Batch;
use std::sync::Arc;
use weft_domain::usage::Width;
use weft_domain::{NodeId, Reason};

/// A second of some day, near the end of an hour.
const BEGIN: i64 = 1_700_002_780;

async fn take(ledger: &dyn Ledger, batch: &Batch) -> u64 {
    ledger.take(batch).await.expect("it follows, or came before")
}

async fn taken(ledger: &dyn Ledger, node: NodeId) -> u64 {
    ledger.taken(node).await.expect("an open ledger answers")
}

/// Closes the ledger and opens it again.
async fn closed_and_opened(setting: &dyn Setting, ledger: Arc<dyn Ledger>) -> Arc<dyn Ledger> {
    ledger.close().await;
    drop(ledger);
    setting.open().await
}

/// Sends again what is not lasting, as a node does.
async fn sent_again(ledger: &dyn Ledger, batches: &[Batch]) {
    let from = usize::try_from(taken(ledger, batches[0].node).await).expect("a suite sends few");
    for batch in &batches[from..] {
        take(ledger, batch).await;
    }
}

pub(super) async fn begins_with_nothing(setting: &dyn Setting) {
    let (ledger, sender) = (setting.open().await, Sender::new());
    assert_eq!(taken(&*ledger, sender.node).await, 0);
    for width in Width::ALL {
        let found = ledger.buckets(&super::everything(&sender.instances, width)).await;
        assert_eq!(found, Ok(Vec::new()));
    }
    ledger.close().await;
}

pub(super) async fn repeated_batches_count_once(setting: &dyn Setting) {
    let (ledger, mut sender) = (setting.open().await, Sender::new());
    let batches = sender.seconds(BEGIN, 90);
    for (n, batch) in batches.iter().enumerate() {
        for again in [n, n, n / 2, 0] {
            let lasting = take(&*ledger, &batches[again]).await;
            assert!(lasting <= batch.sequence, "nothing is lasting before it came");
        }
    }
    assert_holds(&*ledger, &records(&batches)).await;
    let ledger = closed_and_opened(setting, ledger).await;
    assert_eq!(taken(&*ledger, sender.node).await, 90, "closing makes it lasting");
    for batch in &batches {
        assert_eq!(take(&*ledger, batch).await, 90);
    }
    assert_holds(&*ledger, &records(&batches)).await;
    ledger.close().await;
}

pub(super) async fn any_order_comes_to_the_same(setting: &dyn Setting) {
    let (mut ledger, mut sender) = (setting.open().await, Sender::new());
    let batches = sender.seconds(BEGIN + 5, 60);
    // Each order is a step through all of them that has no factor in common with their number.
    for step in [59, 7, 23] {
        for n in 0..60 {
            take(&*ledger, &batches[n * step % 60]).await;
        }
        ledger = closed_and_opened(setting, ledger).await;
    }
    sent_again(&*ledger, &batches).await;
    assert_holds(&*ledger, &records(&batches)).await;
    let ledger = closed_and_opened(setting, ledger).await;
    assert_eq!(taken(&*ledger, sender.node).await, 60);
    assert_holds(&*ledger, &records(&batches)).await;
    ledger.close().await;
}

pub(super) async fn what_does_not_follow_changes_nothing(setting: &dyn Setting) {
    let (mut ledger, mut sender) = (setting.open().await, Sender::new());
    let mut other = Sender::of(sender.node, sender.instances.clone());
    let (batches, others) = (sender.seconds(BEGIN, 5), other.seconds(BEGIN + 1, 5));
    for batch in &batches[..4] {
        take(&*ledger, batch).await;
    }
    let mut torn = batches[4].clone();
    torn.records.pop();
    let mut zero = Batch::seal(sender.node, 0, [0; 32], batches[4].records.clone());
    for _ in 0..2 {
        for wrong in others.iter().chain([&torn, &zero]) {
            let refused = ledger.take(wrong).await.expect_err("it does not follow");
            assert_eq!(refused.reason, Reason::LedgerBroken, "{refused}");
            assert!(refused.message.contains(&format!("batch {}", wrong.sequence)) && !refused.fix.is_empty());
        }
        assert_holds(&*ledger, &records(&batches[..4])).await;
        zero = Batch::seal(sender.node, 5, [1; 32], Vec::new());
        ledger = closed_and_opened(setting, ledger).await;
        assert_eq!(taken(&*ledger, sender.node).await, 4);
    }
    take(&*ledger, &batches[4]).await;
    assert_holds(&*ledger, &records(&batches)).await;
    ledger.close().await;
}

pub(super) async fn a_crash_loses_nothing_that_was_answered(setting: &dyn Setting) {
    let (mut ledger, mut sender) = (setting.open().await, Sender::new());
    let batches = sender.seconds(BEGIN, 150);
    let mut lasting = 0;
    for crash in 1..=6 {
        for batch in &batches[..crash * 25] {
            let answer = take(&*ledger, batch).await;
            assert!(answer >= lasting, "what is lasting stays so");
            lasting = answer;
        }
        assert_holds(&*ledger, &records(&batches[..crash * 25])).await;
        if crash % 3 == 0 {
            ledger.close().await;
            lasting = batches[..crash * 25].len() as u64;
        }
        drop(ledger);
        ledger = setting.open().await;
        let found = taken(&*ledger, sender.node).await;
        assert!(found >= lasting, "{lasting} was answered, {found} is there");
        let kept = usize::try_from(found).expect("a suite sends few");
        assert_holds(&*ledger, &records(&batches[..kept])).await;
        if kept == 0 {
            assert_eq!(ledger.buckets(&super::everything(&sender.instances, Width::Day)).await, Ok(Vec::new()));
        }
        lasting = found;
    }
    sent_again(&*ledger, &batches).await;
    assert_holds(&*ledger, &records(&batches)).await;
    ledger.close().await;
}

pub(super) async fn what_a_node_lost_is_passed_over(setting: &dyn Setting) {
    let (mut ledger, mut sender) = (setting.open().await, Sender::new());
    let batches = sender.seconds(BEGIN, 20);
    for batch in batches[..5].iter().chain(&batches[11..13]) {
        take(&*ledger, batch).await;
    }
    ledger.pass_over(sender.node, 3).await.expect("an open ledger answers");
    assert_holds(&*ledger, &records(&batches[..5])).await;
    ledger.pass_over(sender.node, 11).await.expect("an open ledger answers");
    let there = [&batches[..5], &batches[11..13]].concat();
    assert_holds(&*ledger, &records(&there)).await;
    ledger = closed_and_opened(setting, ledger).await;
    assert_eq!(taken(&*ledger, sender.node).await, 13);
    for batch in &batches[5..] {
        take(&*ledger, batch).await;
    }
    let there = [&batches[..5], &batches[11..]].concat();
    assert_holds(&*ledger, &records(&there)).await;
    let stranger = Sender::new();
    ledger.pass_over(stranger.node, 7).await.expect("an open ledger answers");
    drop(ledger);
    let ledger = setting.open().await;
    assert_eq!(taken(&*ledger, stranger.node).await, 7, "it is lasting when it is answered");
    ledger.close().await;
}

pub(super) async fn an_instance_on_two_nodes_is_one(setting: &dyn Setting) {
    let (ledger, mut here) = (setting.open().await, Sender::new());
    let mut there = Sender::of(Sender::new().node, here.instances.clone());
    let (before, after) = (here.seconds(BEGIN, 40), there.seconds(BEGIN + 20, 40));
    for (before, after) in before.iter().zip(&after) {
        take(&*ledger, after).await;
        take(&*ledger, before).await;
    }
    let all = [records(&before), records(&after)].concat();
    assert_holds(&*ledger, &all).await;
    let ledger = closed_and_opened(setting, ledger).await;
    assert_holds(&*ledger, &all).await;
    ledger.close().await;
}
