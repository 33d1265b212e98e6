//! Every request that can be made, held against the API as it is written.
//!
//! `schemas.txt` says it in short: a line for each message, `field:type`, `!` after what must be there, `=`
//! before the words of an enumeration. Where the written API itself is found, the two are compared.
#![allow(clippy::print_stdout, reason = "a test that is skipped says why")]

use super::*;
use crate::cloud_hypervisor::client::Request;
use crate::cloud_hypervisor::model::{
    ReceiveMigrationData, RestoreConfig, RestoredNet, SendMigrationData, VmRemoveDevice, VmResize, VmResizeDisk,
    VmSnapshotConfig,
};
use crate::http::Method;
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;

/// The message of each path.
const MESSAGES: &[(&str, &str)] = &[
    ("vm.create", "VmConfig"),
    ("vm.resize", "VmResize"),
    ("vm.resize-disk", "VmResizeDisk"),
    ("vm.remove-device", "VmRemoveDevice"),
    ("vm.add-disk", "DiskConfig"),
    ("vm.add-net", "NetConfig"),
    ("vm.add-pmem", "PmemConfig"),
    ("vm.add-fs", "FsConfig"),
    ("vm.add-vdpa", "VdpaConfig"),
    ("vm.add-device", "DeviceConfig"),
    ("vm.add-user-device", "UserDeviceConfig"),
    ("vm.add-generic-vhost-user", "GenericVhostUserConfig"),
    ("vm.add-vsock", "VsockConfig"),
    ("vm.snapshot", "VmSnapshotConfig"),
    ("vm.restore", "RestoreConfig"),
    ("vm.receive-migration", "ReceiveMigrationData"),
    ("vm.send-migration", "SendMigrationData"),
];
/// Read by the program and left out where it is written.
const UNWRITTEN: &[(&str, &str)] = &[("RestoreConfig", "net_fds")];

/// The messages by name, each with what is said of it.
fn schemas() -> BTreeMap<&'static str, &'static str> {
    include_str!("written/schemas.txt").lines().filter_map(|line| line.split_once(' ')).collect()
}

/// Holds a value against a type; answers what is wrong.
fn check(value: &Value, kind: &str, path: &str) -> Result<(), String> {
    let wrong = || Err(format!("{path} is {value}, which is no {kind}"));
    if let Some(inner) = kind.strip_prefix('[').and_then(|kind| kind.strip_suffix(']')) {
        let Value::Array(items) = value else { return wrong() };
        return items.iter().enumerate().try_for_each(|(i, item)| check(item, inner, &format!("{path}[{i}]")));
    }
    match kind {
        "int" if value.is_u64() => return Ok(()),
        "bool" if value.is_boolean() => return Ok(()),
        "text" if value.is_string() => return Ok(()),
        "int" | "bool" | "text" => return wrong(),
        _ => {}
    }
    let said = schemas().get(kind).copied().ok_or_else(|| format!("{path} has the unknown type {kind}"))?;
    if let Some(words) = said.strip_prefix("= ") {
        return if words.split(' ').any(|word| value == word) { Ok(()) } else { wrong() };
    }
    let Value::Object(fields) = value else { return wrong() };
    let known: Vec<_> = said.split(' ').filter_map(|field| field.split_once(':')).collect();
    for (name, _) in known.iter().filter_map(|(name, kind)| Some((name.strip_suffix('!')?, kind))) {
        if !fields.contains_key(name) {
            return Err(format!("{path}.{name} is missing"));
        }
    }
    for (name, field) in fields {
        if UNWRITTEN.contains(&(kind, name)) {
            continue;
        }
        let found = known.iter().find(|(known, _)| known.trim_end_matches('!') == name);
        let (_, inner) = found.ok_or_else(|| format!("{path}.{name} is not written"))?;
        check(field, inner, &format!("{path}.{name}"))?;
    }
    Ok(())
}

fn hold(request: &Request) {
    let call = request.call();
    let name = call.path.strip_prefix("/api/v1/").expect("each path is under the same root");
    match (MESSAGES.iter().find(|(path, _)| *path == name), &call.body) {
        (Some((_, kind)), Some(body)) => check(body, kind, name).unwrap_or_else(|why| panic!("{why}")),
        (None, None) => assert!(matches!(call.method, Method::Get | Method::Put)),
        (Some(_), None) => panic!("{name} must say something"),
        (None, Some(_)) => panic!("{name} must say nothing"),
    }
}

/// Leaves out of a machine with everything what these bits say.
fn some_of_everything(bits: u32, number: u32) -> Draft {
    let mut draft = everything();
    let mut bits = (0..32).map(|i| bits >> i & 1 == 1);
    let mut no = || bits.next().unwrap_or_default();
    if no() {
        draft.memory.zones.clear();
        draft.numa.clear();
        draft.memory.hotplug_bytes = u64::from(number) << 27;
    }
    if no() {
        draft.memory.huge_page_bytes = None;
    }
    if no() {
        draft.memory.balloon = None;
    }
    if no() {
        draft.cpu.topology = None;
    }
    if no() {
        draft.cpu.features.clear();
        draft.cpu.pinning.clear();
        draft.cpu.core_scheduling = CoreScheduling::Auto;
    }
    if no() {
        draft.payload = Payload::Firmware { firmware: "/i/fw".into() };
    }
    if no() {
        draft.disks.truncate(1);
        draft.disks[0].queues = number % 3;
        draft.disks[0].queue_pinning.clear();
    }
    if no() {
        draft.nics.truncate(1);
        draft.nics[0].vhost_mode = VhostMode::Client;
        draft.nics[0].offloads = None;
    }
    if no() {
        draft.devices.truncate(number as usize % 6);
    }
    if no() {
        draft.serial = Console::new([ConsoleMode::Off, ConsoleMode::Null, ConsoleMode::Pty][number as usize % 3]);
    }
    if no() {
        draft.rng = None;
    }
    if no() {
        draft.vsock = None;
    }
    if no() {
        draft.rate_limit_groups.clear();
        draft.disks.iter_mut().for_each(|disk| disk.rate_limit_group = None);
    }
    draft
}

fn requests(draft: Draft, version: Version) -> Vec<Request> {
    let order = order(draft);
    let sockets = Path::new("/r/run");
    let whole = machine(&Blueprint { order: &order, version, sockets });
    let mut requests = vec![Request::Create(Box::new(whole))];
    for (disk, backing) in order.spec.disks.iter().zip(&order.disks) {
        requests.push(Request::AddDisk(super::super::disk(disk, Some(backing), version)));
    }
    for (i, asked) in order.spec.nics.iter().enumerate() {
        requests.push(Request::AddNet(nic(asked, i, &order)));
        requests.push(Request::AddNet(plugged_nic(asked)));
    }
    requests.extend(order.spec.devices.iter().map(|device| Request::Add(super::super::device(device))));
    requests.extend(order.spec.vsock.iter().map(|asked| Request::AddVsock(vsock(asked, sockets))));
    requests
}

fn verbs(number: u32) -> Vec<Request> {
    let id = format!("disk-{number}");
    let resize = VmResize {
        desired_vcpus: Some(number),
        desired_ram: Some(number.into()),
        desired_balloon: Some(number.into()),
    };
    let net = RestoredNet { id: id.clone(), num_fds: 1 };
    vec![
        Request::Info,
        Request::Counters,
        Request::Boot,
        Request::Pause,
        Request::Resume,
        Request::Shutdown,
        Request::Reboot,
        Request::PowerButton,
        Request::Nmi,
        Request::End,
        Request::Resize(resize),
        Request::Resize(VmResize { desired_vcpus: None, desired_ram: None, desired_balloon: None }),
        Request::ResizeDisk(VmResizeDisk { id: id.clone(), desired_size: number.into() }),
        Request::Remove(VmRemoveDevice { id }),
        Request::Snapshot(VmSnapshotConfig { destination_url: "file:///x".to_owned() }),
        Request::Restore(RestoreConfig {
            source_url: "file:///x".to_owned(),
            prefault: Some(true),
            resume: Some(true),
            net_fds: Some(vec![net]),
        }),
        Request::Receive(ReceiveMigrationData { receiver_url: "unix:/x".to_owned() }),
        Request::Send(SendMigrationData { destination_url: "unix:/x".to_owned(), timeout_s: Some(number.into()) }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn every_request_is_as_it_is_written(bits: u32, number in 0u32..1_000, old: bool) {
        let mut draft = some_of_everything(bits, number);
        if old {
            draft.memory.reserve = false;
        }
        let version = if old { gates::OLDEST } else { NEW };
        requests(draft, version).iter().chain(&verbs(number)).for_each(hold);
    }
}

#[test]
fn what_is_wrong_is_seen() {
    for (value, kind, why) in [
        (serde_json::json!({"cid": 3}), "VsockConfig", "socket is missing"),
        (serde_json::json!({"cid": "3", "socket": "/s"}), "VsockConfig", "no int"),
        (serde_json::json!({"cid": 3, "socket": "/s", "cdi": 1}), "VsockConfig", "cdi is not written"),
        (serde_json::json!({"mode": "tty"}), "SerialConfig", "no ConsoleMode"),
    ] {
        let found = check(&value, kind, "x").unwrap_err();
        assert!(found.contains(why), "{found}");
    }
}

/// The written API, in the same short form.
fn shortened(document: &Value, name: &str) -> Option<String> {
    let schema = &document["components"]["schemas"][name];
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<_> = words.iter().filter_map(Value::as_str).collect();
        return Some(format!("= {}", words.join(" ")));
    }
    let must: Vec<_> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let fields = schema["properties"].as_object()?.iter().map(|(field, said)| {
        let mark = if must.contains(&field.as_str()) { "!" } else { "" };
        format!("{field}{mark}:{}", kind(said))
    });
    let mut fields: Vec<_> = fields.collect();
    fields.sort();
    Some(fields.join(" "))
}

fn kind(said: &Value) -> String {
    if let Some(reference) = said["$ref"].as_str() {
        return reference.rsplit('/').next().unwrap_or_default().to_owned();
    }
    match said["type"].as_str().unwrap_or_default() {
        "array" => format!("[{}]", kind(&said["items"])),
        "integer" => "int".to_owned(),
        "boolean" => "bool".to_owned(),
        "string" => "text".to_owned(),
        other => other.to_owned(),
    }
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the written API is not ours to keep: it is looked for where it is named"
)]
fn the_short_form_says_what_is_written() {
    let Some(folder) = std::env::var_os("WEFT_SPECS") else {
        println!("skipped: WEFT_SPECS names no folder with cloud-hypervisor.yaml");
        return;
    };
    let path = Path::new(&folder).join("cloud-hypervisor.yaml");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let document: Value = serde_yaml_ng::from_str(&text).unwrap();
    for (name, said) in schemas() {
        let mut ours: Vec<_> = said.split(' ').collect();
        if !said.starts_with('=') {
            ours.sort_unstable();
        }
        assert_eq!(Some(ours.join(" ")), shortened(&document, name), "{name}");
    }
}
