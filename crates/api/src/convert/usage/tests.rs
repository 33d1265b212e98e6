//! Usage goes out and comes back, in both codecs, and so does what is asked of it.

use super::*;
use crate::asks::usage as ask;
use crate::schema::{SCHEMA, check};
use buffa::Message as _;
use proptest::prelude::*;
use weft_domain::{IncarnationId, InstanceId, Labels, Time};
use weft_ports::api::{UsageQuery, UsageScope, VmRef};

fn kind() -> impl Strategy<Value = Kind> {
    let edge = prop::sample::select(Edge::ALL.to_vec()).prop_map(Kind::Window);
    let cause = prop::sample::select(Cause::ALL.to_vec()).prop_map(Kind::Gap);
    prop_oneof![edge, cause]
}

fn name() -> impl Strategy<Value = weft_domain::Name> {
    "[a-z][a-z0-9]{0,9}".prop_map(|text| text.parse().expect("a lawful name"))
}

fn labels() -> impl Strategy<Value = Labels> {
    prop::collection::btree_map("[a-z]{1,5}", "[ -~é]{0,9}", 0..3).prop_map(|map| Labels::new(map).expect("lawful"))
}

fn moment() -> impl Strategy<Value = Time> {
    any::<i64>().prop_map(Time::from_nanos)
}

prop_compose! {
    fn line_of()(
        (subject, times, figures) in (
            (name(), any::<[u8; 16]>(), name(), labels()), (moment(), moment()), any::<[u64; 11]>()
        ),
        of in any::<[u8; 16]>(), kind in kind(), whole: bool, epoch: u32, numbers: [u64; 5],
        sources in prop::collection::vec(prop::sample::select(Source::ALL.to_vec()), 11),
    ) -> UsageLine {
        let (project, id, name, labels) = subject;
        let subject = Subject { project, instance: InstanceId::from_bytes(id), name, labels };
        let (mut amounts, mut from_where) = (Amounts::default(), Sources::default());
        for (figure, (amount, source)) in Figure::ALL.into_iter().zip(figures.into_iter().zip(sources)) {
            (amounts[figure], from_where[figure]) = (amount, source);
        }
        let [sequence, start, end, records, gaps] = numbers;
        let meter = Meter { instance: subject.instance, incarnation: IncarnationId::from_bytes(of), epoch };
        let stamp = |monotonic_nanos, wall| Stamp { monotonic_nanos, wall };
        let (from, to) = times;
        let record = Record {
            meter, sequence, kind, from: stamp(start, from), to: stamp(end, to), amounts, sources: from_where
        };
        UsageLine { subject, from, to, amounts, records, gaps, record: whole.then(|| Box::new(record)) }
    }
}

fn grain() -> impl Strategy<Value = Grain> {
    let width = prop::sample::select(Width::ALL.to_vec()).prop_map(Grain::Bucket);
    prop_oneof![Just(Grain::Record), width, Just(Grain::Total)]
}

fn query_of() -> impl Strategy<Value = UsageQuery> {
    let vm = prop_oneof![
        any::<[u8; 16]>().prop_map(|id| VmRef::Id(InstanceId::from_bytes(id))),
        (name(), name()).prop_map(|(project, name)| VmRef::Named { project, name }),
    ];
    let when = (prop::option::of(moment()), prop::option::of(moment())).prop_map(|(one, other)| match (one, other) {
        (Some(one), Some(other)) => (Some(one.min(other)), Some(one.max(other))),
        other => other,
    });
    let page = (grain(), any::<u32>(), "[a-z0-9.]{0,9}");
    (prop::option::of(name()), prop::collection::vec(vm, 0..4), labels(), when, page).prop_map(
        |(project, vms, labels, (from, to), (grain, page_size, page_token))| UsageQuery {
            scope: UsageScope { project, vms, labels, from, to },
            grain,
            page_size,
            page_token,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_line_comes_back_in_both_codecs_and_fits_the_schema(given in line_of()) {
        let bytes = line(&given).encode_to_vec();
        prop_assert_eq!(read_line(wire::UsageLine::decode_from_slice(&bytes).unwrap()), Ok(given.clone()));
        let json = serde_json::to_value(line(&given)).unwrap();
        prop_assert_eq!(check(&SCHEMA, "weft.v1.UsageLine", &json, "").into_fault(), None);
        prop_assert_eq!(read_line(serde_json::from_value(json).unwrap()), Ok(given));
    }

    #[test]
    fn a_question_comes_back(given in query_of(), form in prop::sample::select(FORMS.to_vec())) {
        let json = serde_json::to_value(ask::query(&given)).unwrap();
        prop_assert_eq!(check(&SCHEMA, "weft.v1.QueryUsageRequest", &json, "").into_fault(), None);
        prop_assert_eq!(ask::read_query(serde_json::from_value(json).unwrap()), Ok(given.clone()));
        let gaps = UsageQuery { grain: Grain::Record, ..given.clone() };
        prop_assert_eq!(ask::read_gaps(ask::gaps(&given)), Ok(gaps));
        let whole = UsageQuery { page_size: 0, page_token: String::new(), ..given.clone() };
        prop_assert_eq!(ask::read_export(ask::export(&given, form)), Ok((whole, form)));
        let watched = wire::WatchUsageRequest { scope: ask::scope(&given.scope).into(), ..Default::default() };
        prop_assert_eq!(ask::read_watch(watched), Ok(UsageScope { from: None, to: None, ..given.scope }));
    }
}

const FORMS: [ExportFormat; 3] = [ExportFormat::JsonLines, ExportFormat::Csv, ExportFormat::CloudEvents];

#[test]
fn fields_bear_the_names_of_their_figures() {
    let names: Vec<_> = Figure::ALL.into_iter().map(|figure| (figure, figure.as_str())).collect();
    assert_eq!(FIELDS, names);
}

#[test]
fn what_is_wrong_with_a_question_is_told_at_once() {
    let json = serde_json::json!({
        "scope": {
            "project": "No", "vms": ["web", "", "a/b/c", "a/B", "vm-1"], "labels": {"-": "x"},
            "startTime": "2026-01-02T00:00:00Z", "endTime": "2026-01-01T00:00:00Z",
        },
    });
    let fault = ask::read_query(serde_json::from_value(json).unwrap()).unwrap_err();
    let fields: Vec<&str> = fault.violations.iter().map(|v| v.field.as_str()).collect();
    let vms = ["scope.vms[0]", "scope.vms[1]", "scope.vms[2]", "scope.vms[3]", "scope.vms[4]"];
    // Where the project is none, no name in it is one.
    assert_eq!(fields, [&["scope.project"][..], &vms, &["scope.labels", "scope.end_time"]].concat());
    let many = wire::UsageScope { vms: vec!["web".into(); 1_001], ..Default::default() };
    let fault = ask::read_watch(wire::WatchUsageRequest { scope: many.into(), ..Default::default() }).unwrap_err();
    assert_eq!(fault.violations[0].field, "scope.vms");
}

#[test]
fn what_is_left_out_is_everything() {
    let asked = ask::read_query(wire::QueryUsageRequest::default()).unwrap();
    assert_eq!(asked.scope, UsageScope::default());
    assert_eq!(asked.grain, Grain::Total);
    let (asked, form) = ask::read_export(wire::ExportUsageRequest::default()).unwrap();
    assert_eq!((asked.grain, form), (Grain::Total, ExportFormat::JsonLines));
}

#[test]
fn a_record_of_no_kind_is_refused() {
    let given = wire::UsageLine {
        record: wire::UsageRecord { incarnation: "inc-no".into(), ..Default::default() }.into(),
        ..Default::default()
    };
    let fault = read_line(given).unwrap_err();
    let fields: Vec<&str> = fault.violations.iter().map(|v| v.field.as_str()).collect();
    let expected =
        ["line.vm", "line.vm_name", "line.start_time", "line.end_time", "line.record.kind", "line.record.incarnation"];
    assert_eq!(fields, expected);
}
