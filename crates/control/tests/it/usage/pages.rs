//! Pages and exports while batches come: nothing is skipped, nothing told twice.

use super::*;
use futures::StreamExt;
use std::collections::BTreeSet;
use weft_domain::Reason;
use weft_domain::usage::{Cause, Width};
use weft_ports::api::ExportFormat;
use weft_ports::export;

/// What makes a line that line.
fn mark(line: &UsageLine) -> (InstanceId, Time, Option<u64>) {
    (line.subject.instance, line.from, line.record.as_ref().map(|record| record.sequence))
}

#[tokio::test(start_paused = true)]
async fn pages_neither_skip_nor_repeat_while_batches_come() {
    for grain in [Grain::Bucket(Width::Second), Grain::Record, Grain::Total] {
        let metered = Metered::new().await;
        let mut sender = strangers(&metered);
        let (first, rest) = (sender.seconds(BEGIN, 20), sender.seconds(BEGIN + 20, 60));
        metered.take(&first).await;
        later(&metered, 20);
        let all: Vec<_> = metered.all(asks(grain)).await.iter().map(mark).collect();
        let mut rest = rest.chunks(1);
        let (mut seen, mut query) = (Vec::new(), UsageQuery { page_size: 3, ..asks(grain) });
        loop {
            let page = metered.metering.query(&call(), &query).await.expect("a page");
            assert!(page.items.len() <= 3);
            seen.extend(page.items.iter().map(mark));
            query.page_token = page.next_page_token;
            if query.page_token.is_empty() {
                break;
            }
            later(&metered, 1);
            metered.take(rest.next().unwrap_or_default()).await;
        }
        assert_eq!(seen, all, "{grain:?}");
        assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len());
        assert!(metered.all(asks(Grain::Record)).await.len() > 320, "more came meanwhile");
    }
}

#[tokio::test(start_paused = true)]
async fn records_of_one_instant_and_of_a_clock_that_was_set_back_are_all_told() {
    let metered = Metered::new().await;
    let mut sender = strangers(&metered);
    let at = |nanos: i64| Time::from_nanos(BEGIN * 1_000_000_000 + nanos);
    let mut records = Vec::new();
    for round in 0..30 {
        // Forward, then from before where it began, then nowhere.
        let end = if round < 10 {
            at(round * 7)
        } else if round < 20 {
            at(round * 5 - 60)
        } else {
            at(33)
        };
        records.extend((0..4).map(|which| sender.window(which, end)));
    }
    metered.take(&[sender.batch(records.clone())]).await;
    later(&metered, 9);
    let wanted: BTreeSet<_> = records.iter().map(|record| (record.meter.instance, record.sequence)).collect();
    for page_size in [1, 2, 7, 1_000] {
        let lines = metered.all(UsageQuery { page_size, ..asks(Grain::Record) }).await;
        assert!(lines.is_sorted_by_key(|line| line.to));
        let told: Vec<_> = lines.iter().map(|line| (line.subject.instance, mark(line).2.expect("a record"))).collect();
        assert_eq!(told.len(), wanted.len(), "none twice by {page_size}");
        assert_eq!(told.into_iter().collect::<BTreeSet<_>>(), wanted);
    }
}

#[tokio::test(start_paused = true)]
async fn gaps_are_told_oldest_first_also_many_of_one_instant() {
    let metered = Metered::new().await;
    let mut sender = strangers(&metered);
    let at = |second: i64| Time::from_nanos((BEGIN + second) * 1_000_000_000);
    let mut records = Vec::new();
    for round in 0..5 {
        records.extend((0..4).map(|which| sender.gap(which, at(round / 2), Cause::Unwatched)));
        records.push(sender.window(0, at(round)));
    }
    metered.take(&[sender.batch(records)]).await;
    later(&metered, 9);
    for page_size in [1, 3, 4, 100] {
        let (mut lines, mut query) = (Vec::new(), UsageQuery { page_size, ..asks(Grain::Record) });
        loop {
            let page = metered.metering.gaps(&call(), &query).await.expect("a page");
            lines.extend(page.items);
            query.page_token = page.next_page_token;
            if query.page_token.is_empty() {
                break;
            }
        }
        assert!(lines.is_sorted_by_key(|line| line.to) && lines.iter().all(|line| (line.records, line.gaps) == (1, 1)));
        let told: BTreeSet<_> = lines.iter().map(mark).collect();
        assert_eq!((told.len(), lines.len()), (20, 20), "by {page_size}");
    }
    let token = metered.metering.gaps(&call(), &UsageQuery { page_size: 1, ..asks(Grain::Record) }).await;
    let page_token = token.expect("a page").next_page_token;
    let foreign = UsageQuery { page_token, ..asks(Grain::Record) };
    assert_eq!(metered.refused(foreign).await.reason, Reason::PageTokenInvalid);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_away_makes_no_shorter_list() {
    let metered = Metered::new().await;
    let batches = strangers(&metered).seconds(BEGIN, 3);
    metered.take(&batches).await;
    later(&metered, 9);
    metered.spool.silent.store(true, Ordering::Relaxed);
    assert_eq!(metered.refused(asks(Grain::Record)).await.reason, Reason::NodeAway);
    assert_eq!(metered.all(asks(Grain::Total)).await.len(), 4, "sums need no node");
    let house = House::new().await;
    let alone = Metering::open(&house.control, Arc::new(Fake::new())).await.expect("it opens");
    let refused = alone.query(&call(), &asks(Grain::Record)).await.expect_err("no way to the node");
    assert_eq!(refused.reason, Reason::NodeAway);
    assert!(Metering::open(&house.control, Arc::new(Fake::new())).await.is_err(), "one ledger keeps all");
}

#[tokio::test(start_paused = true)]
async fn an_export_is_all_lines_in_pieces() {
    let metered = Metered::new().await;
    let batches = strangers(&metered).seconds(BEGIN, 300);
    metered.take(&batches).await;
    later(&metered, 400);
    for grain in [Grain::Record, Grain::Bucket(Width::Second), Grain::Total] {
        let lines = metered.all(UsageQuery { page_size: 1_000, ..asks(grain) }).await;
        for form in [ExportFormat::JsonLines, ExportFormat::Csv, ExportFormat::CloudEvents] {
            let mut wanted = export::head(form);
            lines.iter().for_each(|line| export::line(&mut wanted, form, grain, line));
            let pieces = metered.metering.export(&call(), asks(grain), form).await.expect("an export");
            let pieces: Vec<_> = pieces.map(|piece| piece.expect("no refusal")).collect().await;
            assert!(pieces.is_sorted_by_key(|piece| (piece.done, piece.lines)));
            assert!(pieces.iter().all(|piece| piece.bytes.is_empty() || piece.bytes.ends_with(b"\n")));
            let last = pieces.last().expect("one at least");
            assert_eq!((last.done, last.lines), (1_000, lines.len() as u64));
            let bytes: Vec<u8> = pieces.iter().flat_map(|piece| piece.bytes.to_vec()).collect();
            assert_eq!(String::from_utf8(bytes).expect("text"), wanted, "{grain:?} {form:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_export_of_nothing_has_a_head_and_an_end_and_a_closing_house_ends_it() {
    let metered = Metered::new().await;
    let mut empty = metered.metering.export(&call(), asks(Grain::Total), ExportFormat::Csv).await.expect("an export");
    let head = empty.next().await.expect("a piece").expect("no refusal");
    assert_eq!((head.bytes.as_ref(), head.done), (export::head(ExportFormat::Csv).as_bytes(), 1_000));
    assert!(empty.next().await.is_none());
    let batches = strangers(&metered).seconds(BEGIN, 300);
    metered.take(&batches).await;
    later(&metered, 400);
    let mut cut = metered.metering.export(&call(), asks(Grain::Record), ExportFormat::Csv).await.expect("an export");
    assert!(cut.next().await.expect("a piece").is_ok());
    metered.close().await;
    assert_eq!(cut.next().await.expect("an end").expect_err("it is not whole").reason, Reason::Away);
    assert!(cut.next().await.is_none());
}
