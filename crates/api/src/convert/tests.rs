//! What goes out comes back, in both codecs.

use crate::convert::{Found, snapshot, spec, vm};
use crate::proto::weft::v1 as wire;
use crate::sample;
use crate::schema::{SCHEMA, check};
use buffa::Message as _;
use proptest::prelude::*;
use weft_domain::object::{Revision, Stored};
use weft_domain::{Reason, Violation};
use weft_ports::api::CreateMode;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_spec_comes_back_in_proto(given in sample::spec()) {
        let bytes = spec::spec(&given).encode_to_vec();
        let mut found = Found::default();
        let draft = spec::draft(wire::VmSpec::decode_from_slice(&bytes).unwrap(), &mut found);
        prop_assert!(found.done().is_ok());
        prop_assert_eq!(draft.check(), Ok(given));
    }

    #[test]
    fn a_vm_comes_back_in_json_and_fits_the_schema(value in sample::instance(), revision: u64) {
        let given = Stored { value, revision: Revision(revision) };
        let json = serde_json::to_value(vm::stored(&given)).unwrap();
        prop_assert_eq!(check(&SCHEMA, "weft.v1.Vm", &json, "").into_fault(), None);
        let read: wire::Vm = serde_json::from_value(json).unwrap();
        prop_assert_eq!(vm::read_stored(read), Ok(given));
    }

    #[test]
    fn a_snapshot_comes_back_in_json_and_fits_the_schema(value in sample::snapshot(), revision: u64) {
        let given = Stored { value, revision: Revision(revision) };
        let json = serde_json::to_value(snapshot::stored(&given)).unwrap();
        prop_assert_eq!(check(&SCHEMA, "weft.v1.Snapshot", &json, "").into_fault(), None);
        let read: wire::Snapshot = serde_json::from_value(json).unwrap();
        prop_assert_eq!(snapshot::read_stored(read), Ok(given));
    }

    #[test]
    fn damaged_bytes_are_refused_or_read(given in sample::spec(), at: prop::sample::Index, byte: u8, keep: prop::sample::Index) {
        let vm = wire::Vm { name: "a".into(), spec: spec::spec(&given).into(), ..Default::default() };
        let mut bytes = wire::CreateVmRequest { vm: vm.into(), ..Default::default() }.encode_to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes.truncate(keep.index(bytes.len() * 4).max(1));
        if let Ok(request) = wire::CreateVmRequest::decode_from_slice(&bytes) {
            let _ = crate::asks::new_vm(request.vm.into_option().unwrap_or_default(), CreateMode::Create);
        }
    }

    #[test]
    fn any_json_is_judged(json in any_json()) {
        // What passes the schema, the decoder may still refuse; neither may panic.
        let _ = check(&SCHEMA, "weft.v1.CreateVmRequest", &json, "").into_fault();
        let _ = serde_json::from_value::<wire::CreateVmRequest>(json);
    }
}

/// JSON whose keys are often those of the protos.
fn any_json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z0-9.]{0,6}".prop_map(Value::from),
    ];
    let key = proptest::sample::select(
        &[
            "vm",
            "spec",
            "disks",
            "cpu",
            "boot",
            "memory",
            "sizeBytes",
            "labels",
            "path",
            "volume",
            "timeout",
            "readiness",
            "nics",
            "user",
            "forwards",
            "machine",
            "devices",
            "share",
            "numa",
            "distances",
            "rateLimitGroups",
            "platform",
            "x",
        ][..],
    );
    leaf.prop_recursive(6, 48, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((key.clone(), inner), 0..5)
                .prop_map(|entries| entries.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
        ]
    })
}

#[test]
fn what_is_left_out_gets_its_default() {
    let mut found = Found::default();
    let draft = spec::draft(wire::VmSpec::default(), &mut found);
    assert!(found.is_empty());
    assert_eq!(draft, weft_domain::spec::Draft::default());

    let disk = wire::Disk { source: Some(wire::disk::Source::Volume("v".into())), ..Default::default() };
    let given = wire::VmSpec {
        cpu: wire::Cpu { boot: Some(3), ..Default::default() }.into(),
        disks: vec![disk.clone(), disk],
        nics: vec![wire::Nic::default()],
        rng: wire::Rng::default().into(),
        ..Default::default()
    };
    let draft = spec::draft(given, &mut found);
    assert_eq!(draft.cpu.max, 3);
    assert_eq!(draft.disks.iter().map(|d| d.name.as_str()).collect::<Vec<_>>(), ["disk0", "disk1"]);
    assert_eq!(draft.nics[0].name, "nic0");
    assert!(draft.rng.is_some());
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let given = wire::VmSpec {
        disks: vec![wire::Disk::default()],
        nics: vec![wire::Nic { mac: "no".into(), ip: "no".into(), ..Default::default() }],
        ..Default::default()
    };
    let mut found = Found::default();
    spec::draft(given, &mut found);
    let fault = found.done().unwrap_err();
    assert_eq!(fault.reason, Reason::FieldInvalid);
    let fields: Vec<&str> = fault.violations.iter().map(|v: &Violation| v.field.as_str()).collect();
    assert_eq!(fields, ["vm.spec.disks[0]", "vm.spec.nics[0].mac", "vm.spec.nics[0].ip"]);
}

#[test]
fn an_etag_of_another_server_is_refused() {
    for (text, good) in [("", true), ("r0", true), ("r18446744073709551615", true), ("7", false), ("r-1", false)] {
        let mut found = Found::default();
        vm::revision(text, "etag", &mut found);
        assert_eq!(found.is_empty(), good, "{text}");
    }
    assert_eq!(vm::etag(Revision(7)), "r7");
}
