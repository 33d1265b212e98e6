//! What is dropped for its age, and what a clock that was set wrong must not drop.

use super::*;
use weft_domain::usage::Width;

/// Lets the loops come to rest at this time.
async fn settle() {
    // why: on the paused clock this lets every task run until all wait for time.
    tokio::time::sleep(Duration::from_millis(1)).await;
}

async fn hours(metered: &Metered, hours: u64) {
    for _ in 0..hours {
        later(metered, 3_600);
        tokio::time::advance(Duration::from_secs(3_600)).await;
        settle().await;
    }
}

#[tokio::test(start_paused = true)]
async fn narrow_buckets_go_and_sums_stay() {
    let metered = Metered::new().await;
    settle().await;
    let minute = BEGIN - BEGIN.rem_euclid(60);
    let batches = strangers(&metered).seconds(minute, 120);
    metered.take(&batches).await;
    later(&metered, 200);
    let whole = within(asks(Grain::Total), minute, minute + 60);
    let before = metered.all(whole.clone()).await;
    let odd = within(asks(Grain::Total), minute + 7, minute + 67);
    assert_eq!(metered.all(odd.clone()).await[0].from, Time::from_nanos((minute + 7) * 1_000_000_000));
    hours(&metered, 9).await;
    assert_eq!(metered.all(within(asks(Grain::Bucket(Width::Second)), minute, minute + 60)).await, Vec::new());
    assert_eq!(metered.all(whole).await, before);
    let told = metered.all(odd).await;
    assert_eq!(told, before, "edges go back to minutes, and the lines say so");
    let short = metered.refused(within(asks(Grain::Total), minute + 7, minute + 9)).await;
    assert_eq!(short.violations[0].field, "scope.start_time");
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_set_ahead_drops_nothing() {
    let metered = Metered::new().await;
    settle().await;
    let batches = strangers(&metered).seconds(BEGIN, 10);
    metered.take(&batches).await;
    later(&metered, 100_000_000);
    tokio::time::advance(Duration::from_secs(3_700)).await;
    settle().await;
    let seconds = within(asks(Grain::Bucket(Width::Second)), BEGIN, BEGIN + 10);
    assert_eq!(metered.all(seconds).await.len(), 40);
}
