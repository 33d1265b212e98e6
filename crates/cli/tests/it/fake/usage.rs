//! Two VMs that used something, a gap, and seconds as a test wants them.

use super::{NOW, World, name};
use bytes::Bytes;
use futures::StreamExt;
use futures::stream;
use weft_domain::object::Revision;
use weft_domain::usage::{Amounts, Cause, Edge, Figure, Kind, Meter, Record, Sources, Stamp};
use weft_domain::{Fault, IncarnationId, InstanceId, Labels, Reason, Time};
use weft_ports::api::{
    Answers, Call, ExportChunk, ExportFormat, Grain, Page, Subject, Usage, UsageLine, UsageQuery, UsageScope,
};

/// What a VM used in a span before [`NOW`].
pub(crate) fn line(vm: &str, seconds: i64, cpu_nanos: u64) -> UsageLine {
    let mut amounts = Amounts::default();
    let bytes = u64::try_from(seconds).unwrap() * (256 << 20);
    amounts[Figure::Cpu] = cpu_nanos;
    (amounts[Figure::MemoryResident], amounts[Figure::MemoryGranted]) = (bytes / 2, bytes);
    (amounts[Figure::DiskRead], amounts[Figure::DiskReads]) = (3 << 20, 41);
    (amounts[Figure::NetSent], amounts[Figure::NetSentPackets]) = (1500, 2);
    let number = if vm == "web" { 1 } else { 2 };
    let subject = Subject {
        project: name("default"),
        instance: InstanceId::new(Time::from_millis(1_795_197_000_000), [number; 10]),
        name: name(vm),
        labels: Labels::default(),
    };
    let from = Time::from_nanos(NOW.as_nanos() - seconds * 1_000_000_000);
    UsageLine { subject, from, to: NOW, amounts, records: 10 * seconds.unsigned_abs(), gaps: 0, record: None }
}

/// The same as one record.
pub(crate) fn recorded(vm: &str, kind: Kind) -> UsageLine {
    let line = line(vm, 75, 5_000_000);
    let incarnation = IncarnationId::new(line.from, [3; 10]);
    let stamp = |wall| Stamp { monotonic_nanos: 1, wall };
    let record = Record {
        meter: Meter { instance: line.subject.instance, incarnation, epoch: 0 },
        sequence: 7,
        kind,
        from: stamp(line.from),
        to: stamp(line.to),
        amounts: line.amounts,
        sources: Sources::default(),
    };
    let gaps = u64::from(matches!(kind, Kind::Gap(_)));
    UsageLine { records: 1, gaps, record: Some(Box::new(record)), ..line }
}

impl World {
    /// What was asked of usage.
    pub(crate) fn asked(&self) -> Vec<UsageQuery> {
        self.state.lock().unwrap().asked.clone()
    }

    fn ask(&self, query: &UsageQuery) {
        self.state.lock().unwrap().asked.push(query.clone());
    }
}

#[async_trait::async_trait]
impl Usage for World {
    /// A line to a page, so that paging is seen to work; nobody used anything in other projects.
    async fn query(&self, call: &Call, query: &UsageQuery) -> Result<Page<UsageLine>, Fault> {
        self.called("usage", call);
        self.ask(query);
        if query.scope.from > Some(NOW) {
            return Err(Fault::field(Reason::FieldInvalid, "scope.start_time", "is not yet"));
        }
        let mut items = match query.grain {
            Grain::Total => vec![line("web", 3600, 1_270_000_000), line("db", 90, 0)],
            Grain::Record => vec![recorded("web", Kind::Window(Edge::Tick)), recorded("db", Kind::Gap(Cause::Reset))],
            Grain::Bucket(width) => vec![line("web", width.seconds(), 2_000_000)],
        };
        if query.scope.project.as_ref().is_some_and(|project| project.as_str() != "default") {
            items.clear();
        }
        let begin: usize = query.page_token.parse().unwrap_or(0);
        let next_page_token = if begin + 1 < items.len() { (begin + 1).to_string() } else { String::new() };
        let items = items.into_iter().skip(begin).take(1).collect();
        Ok(Page { items, next_page_token, revision: Revision::default() })
    }

    async fn watch(&self, call: &Call, scope: UsageScope) -> Result<Answers<Vec<UsageLine>>, Fault> {
        self.called("watch-usage", call);
        self.ask(&UsageQuery { scope, grain: Grain::Total, page_size: 0, page_token: String::new() });
        let seconds = std::mem::take(&mut self.state.lock().unwrap().knobs.seconds);
        Ok(stream::iter(seconds).boxed())
    }

    async fn gaps(&self, call: &Call, query: &UsageQuery) -> Result<Page<UsageLine>, Fault> {
        self.called("gaps", call);
        self.ask(query);
        let items = vec![recorded("web", Kind::Gap(Cause::Unwatched)), recorded("db", Kind::Gap(Cause::Dropped))];
        Ok(Page { items, next_page_token: String::new(), revision: Revision::default() })
    }

    async fn export(&self, call: &Call, query: UsageQuery, form: ExportFormat) -> Result<Answers<ExportChunk>, Fault> {
        self.called("export", call);
        self.ask(&query);
        let fails = self.state.lock().unwrap().knobs.refuses.clone();
        let chunk = |text: &str, lines, done| Ok(ExportChunk { bytes: Bytes::from(text.to_owned()), lines, done });
        let mut chunks = vec![chunk(&format!("{form:?}\n"), 1, 405), chunk("and more\n", 2, 1000)];
        if let Some(why) = fails {
            chunks[1] = Err(Fault::new(Reason::Away, why));
        }
        Ok(stream::iter(chunks).boxed())
    }
}
