//! What was used, for those who pay and those who charge.

use super::{Answers, Call, Page, VmRef};
pub use crate::ledger::Subject;
use bytes::Bytes;
use weft_domain::usage::{Amounts, Record, Width};
use weft_domain::{Fault, Labels, Name, Time};

/// Whose usage, and when.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UsageScope {
    /// Only this project; all where none is given.
    pub project: Option<Name>,
    /// Only these instances, which may be gone by now; all where none is given.
    pub vms: Vec<VmRef>,
    /// Only instances with all of these labels.
    pub labels: Labels,
    /// From here.
    pub from: Option<Time>,
    /// To here; until now where nothing is given.
    pub to: Option<Time>,
}

/// How fine usage is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grain {
    /// Each record as it was made, for as long as nodes keep them.
    Record,
    /// Buckets of this width, each whole where the span touches it.
    Bucket(Width),
    /// One sum for the whole span, of the widest buckets that fit. An edge goes back to where a bucket begins that is
    /// still kept; the line's span says where.
    Total,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageQuery {
    /// Whose, and when.
    pub scope: UsageScope,
    /// How fine.
    pub grain: Grain,
    /// At most so many lines; 0 lets the service choose.
    pub page_size: u32,
    /// Where the last page ended; empty for the first.
    pub page_token: String,
}

/// One line of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageLine {
    /// Whose.
    pub subject: Subject,
    /// From here.
    pub from: Time,
    /// To here.
    pub to: Time,
    /// What was used.
    pub amounts: Amounts,
    /// How many records it gathers.
    pub records: u64,
    /// How many of them are gaps.
    pub gaps: u64,
    /// The record itself, where records were asked for: its instance, span and amounts are those of the line.
    pub record: Option<Box<Record>>,
}

/// In which form usage is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExportFormat {
    /// One JSON object a line.
    JsonLines,
    /// Comma-separated values with a head.
    Csv,
    /// One CloudEvents 1.0 object a line.
    CloudEvents,
}

/// A piece of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportChunk {
    /// Whole lines.
    pub bytes: Bytes,
    /// How many lines were written up to here.
    pub lines: u64,
    /// How much of the span is done, in thousandths.
    pub done: u16,
}

/// What was used.
#[async_trait::async_trait]
pub trait Usage: Send + Sync {
    /// A page of lines: sums by instance and then by time, records by when they end.
    async fn query(&self, call: &Call, query: &UsageQuery) -> Result<Page<UsageLine>, Fault>;
    /// Lines as they come: each second, what every instance in scope used in it. A slow reader loses seconds in
    /// between, and is told so by the span of the next lines; times of the scope are passed over.
    async fn watch(&self, call: &Call, scope: UsageScope) -> Result<Answers<Vec<UsageLine>>, Fault>;
    /// A page of gaps, oldest first.
    async fn gaps(&self, call: &Call, query: &UsageQuery) -> Result<Page<UsageLine>, Fault>;
    /// Everything in scope, piece by piece.
    async fn export(&self, call: &Call, query: UsageQuery, form: ExportFormat) -> Result<Answers<ExportChunk>, Fault>;
}
