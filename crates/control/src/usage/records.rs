//! Pages of records and of gaps, by when they end.
//!
//! A source tells the first so many records of a span, and two of them may end in one instant, or a clock may have
//! been set back between them. So a page is made only of what is known to be whole up to some moment: where a source
//! told as many as it may, it is asked again for less of the span.

use super::books::{Books, line};
use super::place::Place;
use super::scope::Asked;
use super::sums::Part;
use futures::future::try_join_all;
use std::sync::Arc;
use weft_domain::usage::Record;
use weft_domain::{Fault, InstanceId, Reason, Time};
use weft_ports::link::UsageReach;
use weft_ports::spool::RawQuery;

/// Records that are asked for at once, at the most.
const MOST: usize = 65_536;

/// Where records come from.
enum Source<'a> {
    /// Gaps, from the ledger.
    Gaps,
    /// All records, from these nodes.
    Nodes(&'a [Arc<dyn UsageReach>]),
}

/// A page of records as nodes have them.
pub(super) async fn records(books: &Books, asked: &Asked, page: (Option<Place>, usize)) -> Result<Part, Fault> {
    let nodes = books.nodes()?;
    part(books, asked, page, &Source::Nodes(&nodes)).await
}

/// A page of gaps.
pub(super) async fn gaps(books: &Books, asked: &Asked, page: (Option<Place>, usize)) -> Result<Part, Fault> {
    part(books, asked, page, &Source::Gaps).await
}

async fn part(
    books: &Books,
    asked: &Asked,
    (after, size): (Option<Place>, usize),
    source: &Source<'_>,
) -> Result<Part, Fault> {
    // No instance at all would mean every one to a node.
    let every = asked.all && matches!(source, Source::Nodes(_));
    let instances = if every { Vec::new() } else { asked.ids(None) };
    if instances.is_empty() && !every {
        return Ok((Vec::new(), None));
    }
    let asks = Asks { books, asked, instances, source };
    // Those that end in the instant of the last one may come after it.
    let mut from = after.map_or(asked.span.from, |place| Time::from_nanos(place.at.saturating_sub(1)));
    let mut found = Vec::new();
    while found.len() <= size && from < asked.span.to {
        let (some, whole) = asks.whole(from, size + 1).await?;
        found.extend(some.into_iter().map(|record| (place(&record), record)).filter(|(at, _)| Some(*at) > after));
        from = whole;
    }
    found.sort_unstable_by_key(|(place, _)| *place);
    found.dedup_by_key(|(place, _)| *place);
    let more = found.len() > size;
    found.truncate(size);
    let next = found.last().filter(|_| more).map(|(place, _)| *place);
    let lines = found.into_iter().map(|(_, record)| {
        let who = asked.subjects.get(&record.meter.instance).cloned();
        line(&who.unwrap_or_else(|| books.subjects.who(record.meter.instance, &books.core.memory)), record)
    });
    Ok((lines.collect(), next))
}

fn place(record: &Record) -> Place {
    Place { at: record.to.wall.as_nanos(), id: *record.meter.incarnation.as_bytes(), sequence: record.sequence }
}

/// What a source is asked.
struct Asks<'a> {
    books: &'a Books,
    asked: &'a Asked,
    instances: Vec<InstanceId>,
    source: &'a Source<'a>,
}

impl Asks<'_> {
    /// All records that end after this and not after the moment that is answered with them, about so many.
    async fn whole(&self, from: Time, about: usize) -> Result<(Vec<Record>, Time), Fault> {
        let (mut to, mut most) = (self.asked.span.to, about + 1);
        loop {
            let (found, cut_short) = self.fetch(from, to, most).await?;
            if !cut_short {
                return Ok((found, to));
            }
            let last = found.iter().map(|record| record.to.wall.as_nanos()).max().unwrap_or(i64::MAX);
            let middle = from.as_nanos().midpoint(to.as_nanos());
            let less = if most < MOST { last.saturating_sub(1).min(to.as_nanos()) } else { middle };
            if less > from.as_nanos() {
                to = Time::from_nanos(less);
            } else if most >= MOST {
                let why = format!("more than {MOST} records end in one instant");
                return Err(Fault::new(Reason::LimitReached, why).fix("ask for fewer VMs"));
            }
            most = (most * 2).min(MOST);
        }
    }

    /// Records that end in this span, and whether there may be more.
    async fn fetch(&self, from: Time, to: Time, most: usize) -> Result<(Vec<Record>, bool), Fault> {
        let told = match self.source {
            Source::Gaps => vec![self.books.ledger.gaps(&self.instances, from, to, most).await?],
            Source::Nodes(nodes) => {
                let query = RawQuery { instances: self.instances.clone(), from, to, most };
                try_join_all(nodes.iter().map(|node| self.ask(node, query.clone()))).await?
            }
        };
        let cut_short = told.iter().any(|some| some.len() >= most);
        let mut found = told.concat();
        // A node is believed what it used, and not what it was asked.
        found.retain(|record| {
            let mine = self.instances.is_empty() || self.instances.binary_search(&record.meter.instance).is_ok();
            mine && from < record.to.wall && record.to.wall <= to
        });
        Ok((found, cut_short))
    }

    async fn ask(&self, node: &Arc<dyn UsageReach>, query: RawQuery) -> Result<Vec<Record>, Fault> {
        let wait = self.books.core.config.records_wait;
        tokio::time::timeout(wait, node.records(query)).await.unwrap_or_else(|_| {
            let why = format!("a node did not tell its records within {} s", wait.as_secs());
            Err(Fault::new(Reason::NodeAway, why).fix("ask for a shorter span, or for buckets").retry_after(1_000))
        })
    }
}
