//! What the house says was used; it keeps what it was asked.

use super::House;
use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream;
use weft_domain::object::Revision;
use weft_domain::usage::{Amounts, Cause, Figure, Kind, Meter, Record, Source, Sources, Stamp};
use weft_domain::{Fault, IncarnationId, InstanceId, Labels, Reason, Time};
use weft_ports::api::{
    Answers, Call, ExportChunk, ExportFormat, Grain, Page, Subject, Usage, UsageLine, UsageQuery, UsageScope,
};

const AT: i64 = 1_795_197_600_000;

fn line(name: &str, nanos: u64) -> UsageLine {
    let mut amounts = Amounts::default();
    (amounts[Figure::Cpu], amounts[Figure::NetSentPackets]) = (nanos, u64::MAX);
    let subject = Subject {
        project: "shop".parse().unwrap(),
        instance: InstanceId::new(Time::from_millis(AT), [1; 10]),
        name: name.parse().unwrap(),
        labels: Labels::new([("tier".to_owned(), "front".to_owned())].into()).unwrap(),
    };
    let (from, to) = (Time::from_millis(AT), Time::from_millis(AT + 60_000));
    UsageLine { subject, from, to, amounts, records: 600, gaps: 1, record: None }
}

/// Two sums.
pub(crate) fn lines() -> Vec<UsageLine> {
    vec![line("web", 5), line("db", 1 << 60)]
}

/// A gap, with its record.
pub(crate) fn gap() -> UsageLine {
    let mut line = UsageLine { records: 1, ..line("web", 7) };
    let mut sources = Sources::default();
    (sources[Figure::Cpu], sources[Figure::NetSentPackets]) = (Source::CgroupV2, Source::Tap);
    let incarnation = IncarnationId::new(line.from, [2; 10]);
    line.record = Some(Box::new(Record {
        meter: Meter { instance: line.subject.instance, incarnation, epoch: 3 },
        sequence: u64::MAX,
        kind: Kind::Gap(Cause::Unwatched),
        from: Stamp { monotonic_nanos: 8, wall: line.from },
        to: Stamp { monotonic_nanos: 9, wall: line.to },
        amounts: line.amounts,
        sources,
    }));
    line
}

impl House {
    fn asked(&self, call: &Call, query: &UsageQuery, form: Option<ExportFormat>) {
        let mut state = self.0.lock().unwrap();
        state.seen.call = Some(call.clone());
        state.seen.usage = Some((query.clone(), form));
    }
}

#[async_trait::async_trait]
impl Usage for House {
    async fn query(&self, call: &Call, query: &UsageQuery) -> Result<Page<UsageLine>, Fault> {
        self.asked(call, query, None);
        if query.page_token == "stale" {
            return Err(Fault::field(Reason::PageTokenInvalid, "page_token", "is not one of ours"));
        }
        Ok(Page { items: lines(), next_page_token: "next".to_owned(), revision: Revision::default() })
    }

    async fn watch(&self, call: &Call, scope: UsageScope) -> Result<Answers<Vec<UsageLine>>, Fault> {
        let query = UsageQuery { scope, grain: Grain::Total, page_size: 0, page_token: String::new() };
        self.asked(call, &query, None);
        let slow = Fault::new(Reason::WatcherTooSlow, "you are too slow").fix("ask again");
        Ok(stream::iter([Ok(lines()), Ok(Vec::new()), Err(slow)]).boxed())
    }

    async fn gaps(&self, call: &Call, query: &UsageQuery) -> Result<Page<UsageLine>, Fault> {
        self.asked(call, query, None);
        Ok(Page { items: vec![gap()], next_page_token: String::new(), revision: Revision::default() })
    }

    async fn export(&self, call: &Call, query: UsageQuery, form: ExportFormat) -> Result<Answers<ExportChunk>, Fault> {
        self.asked(call, &query, Some(form));
        let chunk = |(bytes, lines, done): (&'static str, u64, u16)| {
            Ok(ExportChunk { bytes: Bytes::from_static(bytes.as_bytes()), lines, done })
        };
        Ok(stream::iter([("one\n", 1, 500), ("two\n", 2, 1000)].map(chunk)).boxed())
    }
}
