//! Events, set against what was acknowledged: each change has told itself once, and a watch that resumes
//! tells what a list tells.

use super::judge::{Sort, Verdict};
use super::ledger::Ledger;
use futures::StreamExt;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use weft_api::Client;
use weft_domain::event::Event;
use weft_domain::object::{Revision, Stored};
use weft_domain::{EventId, Fault, InstanceId};
use weft_ports::api::{Call, EventChange, Events, ListQuery, WatchQuery};

/// How long a watch may take to tell what is there already.
const PATIENCE: Duration = Duration::from_secs(10);

/// All events, and the revision that they are of.
pub(super) async fn list(api: &Client) -> Result<(Vec<Stored<Event>>, Revision), Fault> {
    let mut query = ListQuery { page_size: 1000, ..ListQuery::default() };
    let (mut all, mut revision) = (Vec::new(), None);
    loop {
        let page = Events::list(api, &Call { timeout: Some(PATIENCE), ..Call::by("bench") }, &query).await?;
        all.extend(page.items);
        // Later pages may be newer: what is of the first is sure to be there.
        let revision = *revision.get_or_insert(page.revision);
        query.page_token = page.next_page_token;
        if query.page_token.is_empty() {
            return Ok((all, revision));
        }
    }
}

/// What a watch tells after this revision, until it has told all that was listed.
pub(super) async fn watch(
    api: &Client,
    since: Revision,
    all: &[Stored<Event>],
    until: Revision,
) -> Result<Vec<Stored<Event>>, Fault> {
    let mut wanted: BTreeSet<EventId> =
        all.iter().filter(|it| it.revision > since && it.revision <= until).map(|it| it.value.id).collect();
    let mut told = Vec::new();
    let query = WatchQuery { from: Some(since), ..WatchQuery::default() };
    let mut steps = Events::watch(api, &Call::by("bench"), query).await?;
    let gathered = async {
        while !wanted.is_empty() {
            match steps.next().await {
                Some(Ok(EventChange::Happened(event))) => {
                    wanted.remove(&event.value.id);
                    told.push(*event);
                }
                Some(Ok(EventChange::Bookmark(_))) => {}
                Some(Err(fault)) => return Err(fault),
                None => return Ok(()),
            }
        }
        Ok(())
    };
    // What is not told in time is missing, which the judge says.
    tokio::time::timeout(PATIENCE, gathered).await.unwrap_or(Ok(()))?;
    Ok(told)
}

/// Which events are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// All.
    All,
    /// The newest: of what was made before the oldest of them, nothing is known.
    Newest,
}

/// What is wrong with them.
pub(super) fn judge(book: &Ledger, (all, kept): (&[Stored<Event>], Kept), watched: &[Stored<Event>]) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    let mut accuse = |sort, what| verdicts.push(Verdict { sort, what, name: None });
    for pair in all.windows(2).filter(|pair| pair[0].value.id >= pair[1].value.id) {
        accuse(Sort::Dishonoured, format!("event {} is listed before {}", pair[0].value.id, pair[1].value.id));
    }
    for pair in watched.windows(2).filter(|pair| pair[0].revision > pair[1].revision) {
        accuse(Sort::Dishonoured, format!("a watch told revision {} before {}", pair[0].revision, pair[1].revision));
    }
    let first = watched.iter().map(|it| it.revision).min();
    let last = watched.iter().map(|it| it.revision).max();
    let seen: BTreeSet<EventId> = watched.iter().map(|it| it.value.id).collect();
    if seen.len() < watched.len() {
        accuse(Sort::Doubled, "a watch told an event twice".to_owned());
    }
    let missed =
        |it: &&Stored<Event>| Some(it.revision) >= first && Some(it.revision) < last && !seen.contains(&it.value.id);
    for event in all.iter().filter(missed) {
        accuse(Sort::Lost, format!("a watch passed over event {} of revision {}", event.value.id, event.revision));
    }
    let mut births = BTreeMap::<(String, &str), u64>::new();
    for event in all {
        let sort = match event.value.reason.as_str() {
            "Created" | "Forked" => "born",
            "Deleted" => "gone",
            _ => continue,
        };
        let id = event.value.instance.map(|id| id.to_string()).unwrap_or_default();
        *births.entry((id, sort)).or_default() += 1;
    }
    let oldest = all.first().map(|event| event.value.id.made()).filter(|_| kept == Kept::Newest);
    let told = |id: &&String| oldest.is_none_or(|oldest| id.parse().is_ok_and(|id: InstanceId| id.made() > oldest));
    let born = book.born.keys().filter(told).map(|id| (id, "born"));
    let wanted = born.chain(book.gone.iter().filter(told).map(|id| (id, "gone")));
    for (id, sort) in wanted {
        match births.get(&(id.clone(), sort)).copied().unwrap_or(0) {
            1 => {}
            0 => accuse(Sort::Lost, format!("no event tells that {id} was {sort}")),
            many => accuse(Sort::Doubled, format!("{many} events tell that {id} was {sort}")),
        }
    }
    verdicts
}
