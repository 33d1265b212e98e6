//! Each form is what its standard says, and all say the same.

use super::*;
use crate::api::Subject;
use proptest::prelude::*;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use weft_domain::usage::{Amounts, Cause, Edge, Figure, Kind, Meter, Record, Source, Sources, Stamp, Width};
use weft_domain::{IncarnationId, InstanceId, Labels};

fn sum(labels: &[(&str, &str)]) -> UsageLine {
    let mut amounts = Amounts::default();
    for (i, figure) in Figure::ALL.into_iter().enumerate() {
        amounts[figure] = u64::MAX - i as u64;
    }
    let subject = Subject {
        project: "shop".parse().expect("a name"),
        instance: InstanceId::from_bytes([1; 16]),
        name: "web".parse().expect("a name"),
        labels: Labels::new(labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()).expect("lawful"),
    };
    let (from, to) = (Time::from_millis(1_795_197_600_000), Time::from_nanos(1_795_201_199_999_999_900));
    UsageLine { subject, from, to, amounts, records: 36_000, gaps: 2, record: None }
}

fn recorded(kind: Kind) -> UsageLine {
    let line = sum(&[("tier", "front")]);
    let mut sources = Sources::default();
    sources[Figure::Cpu] = Source::CgroupV2;
    let meter = Meter { instance: line.subject.instance, incarnation: IncarnationId::from_bytes([2; 16]), epoch: 1 };
    let stamp = |monotonic_nanos, wall| Stamp { monotonic_nanos, wall };
    let (from, to) = (stamp(5, line.from), stamp(6, line.to));
    let record = Record { meter, sequence: 9, kind, from, to, amounts: line.amounts, sources };
    UsageLine { records: 1, gaps: 0, record: Some(Box::new(record)), ..line }
}

fn written(form: ExportFormat, grain: Grain, of: &UsageLine) -> String {
    let mut text = String::new();
    line(&mut text, form, grain, of);
    text
}

/// Rows of values, read as RFC 4180 says.
fn read_csv(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut value) = (Vec::new(), Vec::new(), String::new());
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, quoted) {
            ('"', true) if chars.next_if_eq(&'"').is_some() => value.push('"'),
            ('"', _) => quoted = !quoted,
            (',', false) => row.push(std::mem::take(&mut value)),
            ('\r', false) => {
                assert_eq!(chars.next(), Some('\n'));
                row.push(std::mem::take(&mut value));
                rows.push(std::mem::take(&mut row));
            }
            (c, _) => value.push(c),
        }
    }
    assert!(value.is_empty() && row.is_empty() && !quoted, "the last line has its end");
    rows
}

const HOUR: Grain = Grain::Bucket(Width::Hour);

#[test]
fn json_lines_are_as_they_were() {
    let vm = "vm-01010101-0101-0101-0101-010101010101";
    let text = written(ExportFormat::JsonLines, HOUR, &sum(&[("q", "a\"b\\")]));
    assert_eq!(
        text,
        format!(r#"{{"id":"{vm}/hour/2026-11-20T18:00:00Z","project":"shop","vm":"{vm}","vm_name":"web","#)
            + r#""labels":{"q":"a\"b\\"},"start_time":"2026-11-20T18:00:00Z","end_time":"2026-11-20T18:59:59.9999999Z","#
            + r#""amounts":{"cpu_nanos":"18446744073709551615","memory_resident_byte_seconds":"18446744073709551614","#
            + r#""memory_granted_byte_seconds":"18446744073709551613","disk_read_bytes":"18446744073709551612","#
            + r#""disk_read_operations":"18446744073709551611","disk_written_bytes":"18446744073709551610","#
            + r#""disk_write_operations":"18446744073709551609","network_received_bytes":"18446744073709551608","#
            + r#""network_received_packets":"18446744073709551607","network_sent_bytes":"18446744073709551606","#
            + r#""network_sent_packets":"18446744073709551605"},"records":"36000","gaps":"2"}"#
            + "\n"
    );
}

#[test]
fn a_record_says_how_it_was_measured() {
    let of = recorded(Kind::Gap(Cause::Unwatched));
    let json: Value = serde_json::from_str(&written(ExportFormat::JsonLines, Grain::Record, &of)).expect("JSON");
    let record = &json["record"];
    assert_eq!(json["id"], "vm-01010101-0101-0101-0101-010101010101/inc-02020202-0202-0202-0202-020202020202/9");
    assert_eq!((&record["cause"], &record["edge"], &record["epoch"]), (&"unwatched".into(), &Value::Null, &1.into()));
    assert_eq!(record["sources"]["cpu_nanos"], "cgroup-v2");
    assert_eq!(record["sources"]["network_sent_bytes"], "none");
    let of = recorded(Kind::Window(Edge::Exit));
    let json: Value = serde_json::from_str(&written(ExportFormat::JsonLines, Grain::Record, &of)).expect("JSON");
    assert_eq!((&json["record"]["edge"], &json["record"]["cause"]), (&"exit".into(), &Value::Null));
}

#[test]
fn an_event_has_what_cloudevents_asks() {
    for (grain, of, sort) in [
        (Grain::Record, recorded(Kind::Window(Edge::Tick)), "weft.v1.usage.record"),
        (HOUR, sum(&[]), "weft.v1.usage.bucket"),
        (Grain::Total, sum(&[]), "weft.v1.usage.total"),
    ] {
        let text = written(ExportFormat::CloudEvents, grain, &of);
        assert_eq!(text.matches('\n').count(), 1);
        let event: BTreeMap<String, Value> = serde_json::from_str(&text).expect("JSON");
        let names: Vec<&str> = event.keys().map(String::as_str).collect();
        let expected = ["data", "datacontenttype", "id", "source", "specversion", "subject", "time", "type"];
        assert_eq!(names, expected);
        assert_eq!((&event["specversion"], &event["type"]), (&"1.0".into(), &sort.into()));
        assert_eq!((&event["source"], &event["time"]), (&"/projects/shop".into(), &event["data"]["end_time"]));
        let alone: Value = serde_json::from_str(&written(ExportFormat::JsonLines, grain, &of)).expect("JSON");
        assert_eq!(event["data"], alone);
        assert_eq!(event["id"], alone["id"]);
    }
}

#[test]
fn ids_tell_lines_apart() {
    let later = UsageLine { from: Time::from_millis(1_795_201_200_000), ..sum(&[]) };
    let mut next = recorded(Kind::Window(Edge::Tick));
    if let Some(record) = &mut next.record {
        record.sequence += 1;
    }
    let ids: BTreeSet<String> = [
        id(HOUR, &sum(&[])),
        id(HOUR, &later),
        id(Grain::Bucket(Width::Day), &sum(&[])),
        id(Grain::Total, &sum(&[])),
        id(Grain::Record, &recorded(Kind::Window(Edge::Tick))),
        id(Grain::Record, &next),
    ]
    .into();
    assert_eq!(ids.len(), 6);
    let grown = UsageLine { records: 40_000, ..sum(&[("new", "label")]) };
    assert_eq!(id(HOUR, &grown), id(HOUR, &sum(&[])), "a bucket that grew is the same bucket");
}

proptest! {
    #[test]
    fn every_form_says_the_same(value in "\\PC{0,40}", kind in prop::option::of(Just(Kind::Window(Edge::Tick)))) {
        let of = match kind {
            Some(kind) => UsageLine { subject: sum(&[("k", &value)]).subject, ..recorded(kind) },
            None => sum(&[("k", &value)]),
        };
        let json: Value = serde_json::from_str(&written(ExportFormat::JsonLines, HOUR, &of)).expect("JSON");
        prop_assert_eq!(&json["labels"]["k"], &Value::from(value));
        let rows = read_csv(&(head(ExportFormat::Csv) + &written(ExportFormat::Csv, HOUR, &of)));
        let [head, row] = rows.as_slice() else { panic!("a head and a line") };
        prop_assert_eq!(head.len(), row.len());
        let cells: BTreeMap<&str, &str> = head.iter().map(String::as_str).zip(row.iter().map(String::as_str)).collect();
        prop_assert_eq!(cells.len(), head.len());
        for name in ["id", "project", "vm", "vm_name", "start_time", "end_time", "records", "gaps"] {
            prop_assert_eq!(&json[name], &Value::from(cells[name]));
        }
        prop_assert_eq!(&serde_json::from_str::<Value>(cells["labels"]).expect("JSON"), &json["labels"]);
        for figure in Figure::ALL.map(Figure::as_str) {
            prop_assert_eq!(&json["amounts"][figure], &Value::from(cells[figure]));
            let source = cells[format!("{figure}_source").as_str()];
            prop_assert_eq!(json["record"]["sources"][figure].as_str().unwrap_or_default(), source);
        }
        let empty = json["record"].is_null();
        for name in ["incarnation", "sequence", "edge", "start_monotonic_nanos", "end_monotonic_nanos"] {
            prop_assert_eq!(json["record"][name].as_str().unwrap_or_default(), cells[name]);
            prop_assert_eq!(cells[name].is_empty(), empty);
        }
    }
}
