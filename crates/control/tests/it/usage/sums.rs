//! Each record counts once, in every grain alike.

use super::*;
use proptest::prelude::*;
use weft_domain::Reason;
use weft_domain::usage::Width;
use weft_ports::clock::Clock as _;
use weft_ports::ledger::conformance::sender::records;

#[tokio::test(start_paused = true)]
async fn total_buckets_and_records_hold_the_same() {
    let metered = Metered::new().await;
    let mut sender = strangers(&metered);
    // Over the ends of a minute, an hour and a day.
    let day = BEGIN - BEGIN.rem_euclid(86_400) + 86_400;
    let begin = day - 70;
    let batches = sender.seconds(begin, 140);
    metered.take(&batches).await;
    later(&metered, 100_000 - (BEGIN.rem_euclid(86_400)).unsigned_abs());
    let records = records(&batches);
    let spans = [(begin, begin + 140), (begin - 5, day), (day, day + 61), (begin + 7, begin + 8), (day - 61, day + 60)];
    for (from, to) in spans {
        let wanted = used(&records, from, to);
        for grain in [Grain::Total, Grain::Bucket(Width::Second), Grain::Record] {
            let lines = metered.all(within(asks(grain), from, to)).await;
            assert_eq!(summed(&lines), wanted, "{grain:?} of {from} to {to}");
        }
    }
    let wanted = used(&records, begin, begin + 140);
    for width in Width::ALL {
        let lines = metered.all(asks(Grain::Bucket(width))).await;
        assert_eq!(summed(&lines), wanted, "{width:?}");
        let whole = |line: &UsageLine| line.to.since(line.from) == Duration::from_secs(width.seconds().unsigned_abs());
        assert!(lines.iter().all(whole));
    }
    let totals = metered.all(within(asks(Grain::Total), begin, begin + 140)).await;
    assert!(totals.iter().all(|line| line.records == 560 && line.gaps == 0), "{totals:?}");
    let open = metered.all(asks(Grain::Total)).await;
    assert_eq!(summed(&open), wanted);
    assert!(
        open.iter().all(|line| line.from >= Time::from_nanos((begin - 86_400) * 1_000_000_000)),
        "where usage begins"
    );
}

#[tokio::test(start_paused = true)]
async fn totals_of_spans_that_meet_are_the_total_of_both() {
    let metered = Metered::new().await;
    let batches = strangers(&metered).seconds(BEGIN, 200);
    metered.take(&batches).await;
    later(&metered, 500);
    let whole = summed(&metered.all(within(asks(Grain::Total), BEGIN, BEGIN + 200)).await);
    for middle in [BEGIN + 1, BEGIN + 59, BEGIN + 60, BEGIN + 61, BEGIN + 199] {
        let mut lines = metered.all(within(asks(Grain::Total), BEGIN, middle)).await;
        lines.extend(metered.all(within(asks(Grain::Total), middle, BEGIN + 200)).await);
        assert_eq!(summed(&lines), whole, "{middle}");
    }
    assert_eq!(metered.all(within(asks(Grain::Total), BEGIN + 9, BEGIN + 9)).await, Vec::new());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn batches_count_once_in_any_order(order in prop::collection::vec(0usize..30, 0..120), crash in 0usize..120) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
        runtime.block_on(async {
            let ledger = Fake::lagging();
            let mut metered = Metered::of(Config::default(), Arc::new(Memory::default()), ledger).await;
            let batches = strangers(&metered).seconds(BEGIN, 30);
            for (turn, which) in order.into_iter().enumerate() {
                metered.metering.take_usage(&batches[which]).await.expect("it follows or waits");
                if turn == crash {
                    metered.ledger.settle();
                }
            }
            // Control is killed: what was not lasting comes again, and what was too.
            let left = metered.ledger.reopened();
            let store = metered.close().await;
            metered = Metered::of(Config::default(), store, left).await;
            metered.take(&batches).await;
            metered.ledger.settle();
            assert_eq!(metered.metering.take_usage(&batches[3]).await, Ok(30));
            later(&metered, 60);
            let wanted = used(&records(&batches), BEGIN, BEGIN + 30);
            for grain in [Grain::Total, Grain::Bucket(Width::Second), Grain::Bucket(Width::Hour)] {
                assert_eq!(summed(&metered.all(asks(grain)).await), wanted);
            }
        });
    }
}

#[tokio::test(start_paused = true)]
async fn what_does_not_follow_is_refused_and_changes_nothing() {
    let metered = Metered::new().await;
    let batches = strangers(&metered).seconds(BEGIN, 3);
    metered.take(&batches[..1]).await;
    later(&metered, 60);
    let before = metered.all(asks(Grain::Total)).await;
    let mut bent = batches[1].clone();
    bent.records[0].amounts = Amounts::default();
    let forged = Batch::seal(metered.house.node, 2, [7; 32], batches[1].records.clone());
    for bad in [bent, forged] {
        let refused = metered.metering.take_usage(&bad).await.expect_err("it does not follow");
        assert_eq!(refused.reason, Reason::LedgerBroken);
        assert_eq!(metered.all(asks(Grain::Total)).await, before);
    }
    // The node has lost its second batch: the third is taken when that is said.
    metered.take(&batches[2..]).await;
    assert_eq!(metered.all(asks(Grain::Total)).await, before);
    metered.metering.pass_over_usage(metered.house.node, 2).await.expect("it is passed over");
    metered.take(&batches[2..]).await;
    let wanted = used(&[&batches[0].records[..], &batches[2].records[..]].concat(), BEGIN, BEGIN + 3);
    assert_eq!(summed(&metered.all(asks(Grain::Total)).await), wanted);
}

#[tokio::test(start_paused = true)]
async fn spans_that_make_no_sense_are_refused_by_field() {
    let metered = Metered::new().await;
    let batches = strangers(&metered).seconds(BEGIN, 3);
    metered.take(&batches).await;
    later(&metered, 60);
    let now = metered.house.clock.now().as_nanos();
    let edges = [i64::MIN, i64::MIN + 1, -1, 0, 1, now - 1, now, now + 1, i64::MAX - 1, i64::MAX];
    let edges: Vec<_> = edges.into_iter().map(|nanos| Some(Time::from_nanos(nanos))).chain([None]).collect();
    let grains = Width::ALL.map(Grain::Bucket).into_iter().chain([Grain::Record, Grain::Total]);
    for grain in grains {
        for (from, to) in edges.iter().flat_map(|from| edges.iter().map(move |to| (*from, *to))) {
            let scope = UsageScope { from, to, ..UsageScope::default() };
            let answer = metered.metering.query(&call(), &UsageQuery { scope: scope.clone(), ..asks(grain) }).await;
            let bad = from.is_some_and(|from| from > to.unwrap_or(Time::from_nanos(now)));
            match answer {
                Ok(_) => assert!(!bad, "{scope:?}"),
                Err(fault) => {
                    assert_eq!(fault.reason, Reason::FieldInvalid, "{scope:?}");
                    assert!(fault.violations.iter().all(|it| it.field.starts_with("scope.")), "{fault:?}");
                    assert!(!fault.violations.is_empty());
                }
            }
        }
    }
    let long = within(asks(Grain::Bucket(Width::Second)), BEGIN - 200_000, BEGIN);
    assert_eq!(metered.refused(long).await.violations[0].field, "scope.start_time");
}
