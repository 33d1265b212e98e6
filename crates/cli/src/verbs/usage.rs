//! `usage`: what was used as a table or as documents, and its gaps.

mod export;
mod live;

pub(crate) use export::export;

use super::USUAL;
use crate::Error;
use crate::args::Output;
use crate::args::usage::{GapsArgs, ScopeArgs, SpanArgs, UsageArgs, UsageCommand};
use crate::desk::{Desk, Shape};
use crate::progress::{Waited, wait};
use crate::show::table::{Cell, Table};
use crate::show::units::moment;
use crate::show::usage::{View, columns, gap_columns, gap_row, row};
use crate::show::vm::Scope;
use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use weft_domain::{Fault, Labels, Reason, Time};
use weft_ports::api::{Grain, Page, UsageLine, UsageQuery, UsageScope};
use weft_ports::documents::Item;

/// The most lines of one answer.
const MAX_LINES: usize = 100_000;
/// So many lines are asked for at once.
const PAGE: u32 = 1_000;

/// `usage`.
pub(crate) async fn usage(desk: &mut Desk, args: UsageArgs) -> Result<(), Error> {
    match args.command {
        Some(UsageCommand::Gaps(args)) => gaps(desk, args).await,
        Some(UsageCommand::Export(args)) => export(desk, args).await,
        None if args.live => live::live(desk, scope(desk, args.scope)?).await,
        None => query(desk, args).await,
    }
}

async fn query(desk: &mut Desk, args: UsageArgs) -> Result<(), Error> {
    let grain = args.grain.into();
    let view = view(desk, &args.scope, grain);
    let scope = within(scope(desk, args.scope)?, &args.span, desk.now());
    let (usage, call) = (Arc::clone(&desk.services.usage), desk.call(Some(USUAL)));
    let from = scope.from;
    let asked = UsageQuery { scope, grain, page_size: PAGE, page_token: String::new() };
    let lines = all(asked, move |asked| {
        let (usage, call) = (Arc::clone(&usage), call.clone());
        async move { usage.query(&call, &asked).await }
    });
    let waited = Waited { title: "summing up".to_owned(), vm: None, follow: String::new() };
    let lines = wait(desk, waited, lines).await.map_err(Error::with_flags)?;
    show(desk, &lines, &columns(view), |line| row(line, view))?;
    if grain == Grain::Total {
        wider(desk, &lines, from);
    }
    Ok(())
}

async fn gaps(desk: &mut Desk, args: GapsArgs) -> Result<(), Error> {
    let view = view(desk, &args.scope, Grain::Record);
    let scope = within(scope(desk, args.scope)?, &args.span, desk.now());
    let (usage, call) = (Arc::clone(&desk.services.usage), desk.call(Some(USUAL)));
    let asked = UsageQuery { scope, grain: Grain::Record, page_size: PAGE, page_token: String::new() };
    let lines = all(asked, move |asked| {
        let (usage, call) = (Arc::clone(&usage), call.clone());
        async move { usage.gaps(&call, &asked).await }
    });
    let waited = Waited { title: "listing".to_owned(), vm: None, follow: String::new() };
    let lines = wait(desk, waited, lines).await.map_err(Error::with_flags)?;
    show(desk, &lines, &gap_columns(view), |line| gap_row(line, view))
}

/// Says that sums are of more than was asked, where only wide buckets are kept of then.
fn wider(desk: &mut Desk, lines: &[UsageLine], asked: Option<Time>) {
    let begins = lines.iter().map(|line| line.from).min();
    let Some((asked, begins)) = asked.zip(begins) else { return };
    if asked.since(begins) >= Duration::from_secs(1) {
        desk.remark(&format!("the sums begin at {}: of then only wider buckets are kept", moment(begins)));
    }
}

/// All pages of an answer, one after the other.
async fn all<A, F>(mut asked: UsageQuery, ask: A) -> Result<Vec<UsageLine>, Fault>
where
    A: Fn(UsageQuery) -> F,
    F: Future<Output = Result<Page<UsageLine>, Fault>>,
{
    let mut lines = Vec::new();
    loop {
        let page = ask(asked.clone()).await?;
        lines.extend(page.items);
        if page.next_page_token.is_empty() {
            return Ok(lines);
        }
        if lines.len() >= MAX_LINES {
            let why = format!("the answer has more than {MAX_LINES} lines");
            let fix = "ask for a shorter span or a coarser grain, or write it to a file with weft usage export";
            return Err(Fault::new(Reason::LimitReached, why).fix(fix));
        }
        asked.page_token = page.next_page_token;
    }
}

/// Whose usage is meant.
fn scope(desk: &Desk, args: ScopeArgs) -> Result<UsageScope, Error> {
    let vms: Vec<_> = args.vms.iter().map(|word| desk.vm(word)).collect::<Result<_, _>>()?;
    // A VM that is named brings its project with it; one that is told by its id may be in any.
    let project = (!args.all_projects && vms.is_empty()).then(|| desk.globals.project.clone());
    let labels = Labels::new(args.labels.into_iter().collect());
    let labels = labels.map_err(|why| Error::from(Fault::field(Reason::FieldInvalid, "scope.labels", why)));
    Ok(UsageScope { project, vms, labels: labels.map_err(Error::with_flags)?, from: None, to: None })
}

/// The same, within a span.
fn within(scope: UsageScope, span: &SpanArgs, now: Time) -> UsageScope {
    let ago = |since: Duration| {
        let nanos = i64::try_from(since.as_nanos()).unwrap_or(i64::MAX);
        Time::from_nanos(now.as_nanos().saturating_sub(nanos))
    };
    UsageScope { from: span.from.or_else(|| span.since.map(ago)), to: span.to, ..scope }
}

fn view(desk: &Desk, scope: &ScopeArgs, grain: Grain) -> View {
    let all = if scope.all_projects { Scope::All } else { Scope::Project };
    View { scope: all, grain, wide: desk.globals.output == Output::Wide }
}

/// Shows lines as a table, or as the caller wants them.
fn show(
    desk: &mut Desk,
    lines: &[UsageLine],
    heads: &[&'static str],
    row: impl Fn(&UsageLine) -> Vec<Cell>,
) -> Result<(), Error> {
    if let Some(form) = desk.form() {
        let items: Vec<_> = lines.iter().map(Item::Usage).collect();
        let text = desk.written(&items, Shape::Many, form);
        return desk.answer(&text);
    }
    if desk.globals.output == Output::Name {
        let mut told = BTreeSet::new();
        let names = lines.iter().map(|line| &line.subject.name).filter(|name| told.insert(*name));
        let text: String = names.map(|name| format!("{name}\n")).collect();
        return desk.answer(&text);
    }
    if lines.is_empty() {
        desk.remark("nothing was measured there");
        return Ok(());
    }
    let rows: Vec<_> = lines.iter().map(row).collect();
    let text = Table::new(heads, desk.paint()).whole(&rows);
    desk.answer(&text)
}
