//! Usage, both ways.
//!
//! The record of a line is told without what the line says already: its instance, its span and its amounts are
//! the line's own.

use super::{Choice as _, Found, choice, timestamp};
use crate::convert::vm::project;
use crate::proto::weft::v1 as wire;
use std::fmt::Display;
use std::str::FromStr;
use weft_domain::usage::{Amounts, Cause, Edge, Figure, Kind, Meter, Record, Source, Sources, Stamp, Width};
use weft_domain::{Fault, Reason};
use weft_ports::api::{ExportChunk, ExportFormat, Grain, Subject, UsageLine};
use wire::usage_record::Kind as WireKind;

choice!(Source, UsageSource, Source::None, {
    Source::None = USAGE_SOURCE_UNSPECIFIED,
    Source::CgroupV1 = USAGE_SOURCE_CGROUP_V1,
    Source::CgroupV2 = USAGE_SOURCE_CGROUP_V2,
    Source::Proc = USAGE_SOURCE_PROC,
    Source::Tap = USAGE_SOURCE_TAP,
    Source::Vmm = USAGE_SOURCE_VMM,
    Source::Grant = USAGE_SOURCE_GRANT,
});

choice!(Edge, UsageEdge, Edge::Tick, {
    Edge::Tick = USAGE_EDGE_TICK,
    Edge::Pause = USAGE_EDGE_PAUSE,
    Edge::Resume = USAGE_EDGE_RESUME,
    Edge::Reboot = USAGE_EDGE_REBOOT,
    Edge::Resize = USAGE_EDGE_RESIZE,
    Edge::Adopt = USAGE_EDGE_ADOPT,
    Edge::Migrate = USAGE_EDGE_MIGRATE,
    Edge::Exit = USAGE_EDGE_EXIT,
} else {
    USAGE_EDGE_UNSPECIFIED => Err("is required"),
});

choice!(Cause, UsageCause, Cause::Unwatched, {
    Cause::Unwatched = USAGE_CAUSE_UNWATCHED,
    Cause::Reset = USAGE_CAUSE_RESET,
    Cause::Unreadable = USAGE_CAUSE_UNREADABLE,
    Cause::Dropped = USAGE_CAUSE_DROPPED,
} else {
    USAGE_CAUSE_UNSPECIFIED => Err("is required"),
});

choice!(ExportFormat, UsageFormat, ExportFormat::JsonLines, {
    ExportFormat::JsonLines = USAGE_FORMAT_JSON_LINES,
    ExportFormat::Csv = USAGE_FORMAT_CSV,
    ExportFormat::CloudEvents = USAGE_FORMAT_CLOUD_EVENTS,
} else {
    USAGE_FORMAT_UNSPECIFIED => Ok(ExportFormat::JsonLines),
});

impl super::Choice for Grain {
    type Wire = wire::UsageGrain;
    const FALLBACK: Self = Self::Total;

    fn read(value: wire::UsageGrain) -> Result<Self, &'static str> {
        use wire::UsageGrain as G;
        Ok(match value {
            G::USAGE_GRAIN_UNSPECIFIED | G::USAGE_GRAIN_TOTAL => Self::Total,
            G::USAGE_GRAIN_RECORD => Self::Record,
            G::USAGE_GRAIN_SECOND => Self::Bucket(Width::Second),
            G::USAGE_GRAIN_MINUTE => Self::Bucket(Width::Minute),
            G::USAGE_GRAIN_HOUR => Self::Bucket(Width::Hour),
            G::USAGE_GRAIN_DAY => Self::Bucket(Width::Day),
        })
    }

    fn write(self) -> wire::UsageGrain {
        use wire::UsageGrain as G;
        match self {
            Self::Record => G::USAGE_GRAIN_RECORD,
            Self::Bucket(Width::Second) => G::USAGE_GRAIN_SECOND,
            Self::Bucket(Width::Minute) => G::USAGE_GRAIN_MINUTE,
            Self::Bucket(Width::Hour) => G::USAGE_GRAIN_HOUR,
            Self::Bucket(Width::Day) => G::USAGE_GRAIN_DAY,
            Self::Total => G::USAGE_GRAIN_TOTAL,
        }
    }
}

/// Pairs each figure with its field, which bears the same name.
macro_rules! figures {
    ($($figure:ident = $field:ident,)*) => {
        fn amounts(of: &Amounts) -> wire::UsageAmounts {
            wire::UsageAmounts { $($field: of[Figure::$figure],)* ..Default::default() }
        }

        fn read_amounts(of: &wire::UsageAmounts) -> Amounts {
            let mut read = Amounts::default();
            $(read[Figure::$figure] = of.$field;)*
            read
        }

        fn sources(of: &Sources) -> wire::UsageSources {
            wire::UsageSources { $($field: of[Figure::$figure].write().into(),)* ..Default::default() }
        }

        fn read_sources(of: &wire::UsageSources, found: &mut Found) -> Sources {
            let mut read = Sources::default();
            $(read[Figure::$figure] = found.choice(of.$field, concat!("line.record.sources.", stringify!($field)));)*
            read
        }

        #[cfg(test)]
        const FIELDS: &[(Figure, &str)] = &[$((Figure::$figure, stringify!($field)),)*];
    };
}

figures! {
    Cpu = cpu_nanos,
    MemoryResident = memory_resident_byte_seconds,
    MemoryGranted = memory_granted_byte_seconds,
    DiskRead = disk_read_bytes,
    DiskReads = disk_read_operations,
    DiskWritten = disk_written_bytes,
    DiskWrites = disk_write_operations,
    NetReceived = network_received_bytes,
    NetReceivedPackets = network_received_packets,
    NetSent = network_sent_bytes,
    NetSentPackets = network_sent_packets,
}

/// One line.
pub(crate) fn line(line: &UsageLine) -> wire::UsageLine {
    wire::UsageLine {
        vm: line.subject.instance.to_string(),
        vm_name: line.subject.name.to_string(),
        project: line.subject.project.to_string(),
        labels: line.subject.labels.as_map().clone(),
        start_time: timestamp(line.from).into(),
        end_time: timestamp(line.to).into(),
        amounts: amounts(&line.amounts).into(),
        records: line.records,
        gaps: line.gaps,
        record: line.record.as_deref().map(record).into(),
        ..Default::default()
    }
}

fn record(record: &Record) -> wire::UsageRecord {
    let kind = match record.kind {
        Kind::Window(edge) => WireKind::Edge(edge.write().into()),
        Kind::Gap(cause) => WireKind::Cause(cause.write().into()),
    };
    wire::UsageRecord {
        incarnation: record.meter.incarnation.to_string(),
        epoch: record.meter.epoch,
        sequence: record.sequence,
        kind: Some(kind),
        start_monotonic_nanos: record.from.monotonic_nanos,
        end_monotonic_nanos: record.to.monotonic_nanos,
        sources: sources(&record.sources).into(),
        ..Default::default()
    }
}

/// Reads a line, as another server told it.
pub(crate) fn read_line(line: wire::UsageLine) -> Result<UsageLine, Fault> {
    let mut found = Found::default();
    let named = (required(&mut found, &line.vm, "line.vm"), required(&mut found, &line.vm_name, "line.vm_name"));
    let project = project(&line.project, "line.project", &mut found);
    let labels = found.labels(line.labels, "line.labels");
    let (from, to) = (found.time(&line.start_time, "line.start_time"), found.time(&line.end_time, "line.end_time"));
    let amounts = read_amounts(&line.amounts.into_option().unwrap_or_default());
    let record = line.record.into_option().map(|one| (read_kind(&one, &mut found), one));
    let record = record.map(|(kind, one)| {
        let incarnation = required(&mut found, &one.incarnation, "line.record.incarnation");
        (
            kind,
            incarnation,
            read_sources(&one.sources.into_option().unwrap_or_default(), &mut found),
            one.epoch,
            [one.sequence, one.start_monotonic_nanos, one.end_monotonic_nanos],
        )
    });
    found.done()?;
    let lost = || Fault::new(Reason::Bug, "an id was refused unsaid");
    let (Some(instance), Some(name)) = named else { return Err(lost()) };
    let record = record.map(|(kind, incarnation, sources, epoch, [sequence, start, end])| {
        let meter = Meter { instance, incarnation: incarnation.ok_or_else(lost)?, epoch };
        let stamp = |monotonic_nanos, wall| Stamp { monotonic_nanos, wall };
        let (from, to) = (stamp(start, from), stamp(end, to));
        Ok::<_, Fault>(Box::new(Record { meter, sequence, kind, from, to, amounts, sources }))
    });
    let subject = Subject { project, instance, name, labels };
    Ok(UsageLine { subject, from, to, amounts, records: line.records, gaps: line.gaps, record: record.transpose()? })
}

fn required<T: FromStr<Err: Display>>(found: &mut Found, text: &str, field: &str) -> Option<T> {
    found.parse(text, field)
}

fn read_kind(record: &wire::UsageRecord, found: &mut Found) -> Kind {
    match &record.kind {
        Some(WireKind::Edge(edge)) => Kind::Window(found.choice(*edge, "line.record.edge")),
        Some(WireKind::Cause(cause)) => Kind::Gap(found.choice(*cause, "line.record.cause")),
        None => {
            found.add("line.record.kind", "is required");
            Kind::Window(Edge::FALLBACK)
        }
    }
}

/// A piece of an export.
pub(crate) fn chunk(chunk: &ExportChunk) -> wire::ExportUsageResponse {
    wire::ExportUsageResponse {
        chunk: chunk.bytes.to_vec(),
        lines: chunk.lines,
        done_permille: chunk.done.into(),
        ..Default::default()
    }
}

/// Reads a piece of an export.
pub(crate) fn read_chunk(chunk: wire::ExportUsageResponse) -> ExportChunk {
    let done = u16::try_from(chunk.done_permille).unwrap_or(1000).min(1000);
    ExportChunk { bytes: chunk.chunk.into(), lines: chunk.lines, done }
}

#[cfg(test)]
mod tests;
