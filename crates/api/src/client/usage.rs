//! `Usage` from afar.

use super::{Client, answers, options};
use crate::asks::usage as ask;
use crate::convert::usage::{read_chunk, read_line};
use crate::fault::from_wire;
use crate::proto::weft::v1 as wire;
use weft_domain::Fault;
use weft_domain::object::Revision;
use weft_ports::api::{Answers, Call, ExportChunk, ExportFormat, Page, Usage, UsageLine, UsageQuery, UsageScope};

#[async_trait::async_trait]
impl Usage for Client {
    async fn query(&self, call: &Call, query: &UsageQuery) -> Result<Page<UsageLine>, Fault> {
        let answer = self.usage.query_usage_with_options(ask::query(query), options(call)).await;
        let answer = answer.map_err(|e| from_wire(&e))?.into_owned();
        page(answer.lines, answer.next_page_token)
    }

    async fn watch(&self, call: &Call, scope: UsageScope) -> Result<Answers<Vec<UsageLine>>, Fault> {
        let request = wire::WatchUsageRequest { scope: ask::scope(&scope).into(), ..Default::default() };
        answers!(self.usage.watch_usage_with_options(request, options(call)), second)
    }

    async fn gaps(&self, call: &Call, query: &UsageQuery) -> Result<Page<UsageLine>, Fault> {
        let answer = self.usage.list_usage_gaps_with_options(ask::gaps(query), options(call)).await;
        let answer = answer.map_err(|e| from_wire(&e))?.into_owned();
        page(answer.gaps, answer.next_page_token)
    }

    async fn export(&self, call: &Call, query: UsageQuery, form: ExportFormat) -> Result<Answers<ExportChunk>, Fault> {
        answers!(self.usage.export_usage_with_options(ask::export(&query, form), options(call)), |piece| Ok(
            read_chunk(piece)
        ))
    }
}

fn lines(lines: Vec<wire::UsageLine>) -> Result<Vec<UsageLine>, Fault> {
    lines.into_iter().map(read_line).collect()
}

fn second(second: wire::WatchUsageResponse) -> Result<Vec<UsageLine>, Fault> {
    lines(second.lines)
}

/// A page; usage is of no revision of the state.
fn page(told: Vec<wire::UsageLine>, next_page_token: String) -> Result<Page<UsageLine>, Fault> {
    Ok(Page { items: lines(told)?, next_page_token, revision: Revision::default() })
}
