//! Disks and interfaces that are wrong in themselves.

use crate::row::Body::{Made, Spec};
use crate::row::{FIELD_INVALID, FIELD_REQUIRED, Row};

pub(crate) const DISKS: &[Row] = &[
    ("a disk from nowhere", "CreateVm", Spec(r#"{"disks":[{}]}"#), FIELD_REQUIRED, &["vm.spec.disks[0]"]),
    (
        "a disk from two places",
        "CreateVm",
        Spec(r#"{"disks":[{"path":"/a","volume":"v"}]}"#),
        FIELD_INVALID,
        &["vm.spec.disks[0].volume"],
    ),
    (
        "two root disks",
        "CreateVm",
        Spec(r#"{"disks":[{"blank":{"sizeBytes":1048576},"root":true},{"blank":{"sizeBytes":1048576},"root":true}]}"#),
        FIELD_INVALID,
        &["vm.spec.disks[1].root"],
    ),
    (
        "two disks of one name",
        "CreateVm",
        Spec(r#"{"disks":[{"name":"a","blank":{"sizeBytes":1048576}},{"name":"a","blank":{"sizeBytes":1048576}}]}"#),
        FIELD_INVALID,
        &["vm.spec.disks[1].name"],
    ),
    (
        "a disk's name that is an option",
        "CreateVm",
        Spec(r#"{"disks":[{"name":"a,id=b","blank":{"sizeBytes":1048576}}]}"#),
        FIELD_INVALID,
        &["vm.spec.disks[0].name"],
    ),
    (
        "a blank disk of nothing",
        "CreateVm",
        Spec(r#"{"disks":[{"blank":{}}]}"#),
        FIELD_INVALID,
        &["vm.spec.disks[0].blank.size_bytes"],
    ),
    (
        "a blank disk that is not whole sectors",
        "CreateVm",
        Spec(r#"{"disks":[{"blank":{"sizeBytes":1048577}}]}"#),
        FIELD_INVALID,
        &["vm.spec.disks[0].blank.size_bytes"],
    ),
    (
        "a blank disk of 16 EiB",
        "CreateVm",
        Spec(r#"{"disks":[{"blank":{"sizeBytes":"18446744073709551104"}}]}"#),
        FIELD_INVALID,
        &["vm.spec.disks[0].blank.size_bytes"],
    ),
    ("33 disks", "CreateVm", Made(disks), FIELD_INVALID, &["vm.spec.disks"]),
    (
        "a serial number with a comma",
        "CreateVm",
        Spec(r#"{"disks":[{"blank":{"sizeBytes":1048576},"serial":"a,b"}]}"#),
        FIELD_INVALID,
        &["vm.spec.disks[0].serial"],
    ),
    (
        "a queue of 17",
        "CreateVm",
        Spec(r#"{"disks":[{"blank":{"sizeBytes":1048576},"queueSize":17}]}"#),
        FIELD_INVALID,
        &["vm.spec.disks[0].queue_size"],
    ),
    (
        "a limit that limits nothing",
        "CreateVm",
        Spec(r#"{"disks":[{"blank":{"sizeBytes":1048576},"rateLimit":{}}]}"#),
        FIELD_INVALID,
        &["vm.spec.disks[0].rate_limit"],
    ),
    (
        "a bucket that never fills",
        "CreateVm",
        Spec(r#"{"disks":[{"blank":{"sizeBytes":1048576},"rateLimit":{"ops":{"size":1}}}]}"#),
        FIELD_INVALID,
        &["vm.spec.disks[0].rate_limit.ops.refill_ms"],
    ),
    (
        "a vhost-user disk without shared memory",
        "CreateVm",
        Spec(r#"{"disks":[{"vhostUserSocket":"/srv/s"}]}"#),
        FIELD_INVALID,
        &["vm.spec.memory.shared"],
    ),
];

pub(crate) const NICS: &[Row] = &[
    (
        "two interfaces of one name",
        "CreateVm",
        Spec(r#"{"nics":[{"name":"a"},{"name":"a"}]}"#),
        FIELD_INVALID,
        &["vm.spec.nics[1].name"],
    ),
    ("17 interfaces", "CreateVm", Made(nics), FIELD_INVALID, &["vm.spec.nics"]),
    (
        "addresses that are none",
        "CreateVm",
        Spec(r#"{"nics":[{"mac":"zz"},{"ip":"1.2.3"}]}"#),
        FIELD_INVALID,
        &["vm.spec.nics[0].mac", "vm.spec.nics[1].ip"],
    ),
    (
        "a multicast address",
        "CreateVm",
        Spec(r#"{"nics":[{"mac":"01:00:5e:00:00:01"}]}"#),
        FIELD_INVALID,
        &["vm.spec.nics[0].mac"],
    ),
    (
        "an address of zeros",
        "CreateVm",
        Spec(r#"{"nics":[{"mac":"00:00:00:00:00:00"}]}"#),
        FIELD_INVALID,
        &["vm.spec.nics[0].mac"],
    ),
    (
        "one address twice",
        "CreateVm",
        Spec(r#"{"nics":[{"mac":"52:54:00:00:00:01"},{"mac":"52:54:00:00:00:01"}]}"#),
        FIELD_INVALID,
        &["vm.spec.nics[1].mac"],
    ),
    ("an MTU of 575", "CreateVm", Spec(r#"{"nics":[{"mtu":575}]}"#), FIELD_INVALID, &["vm.spec.nics[0].mtu"]),
    ("257 queues", "CreateVm", Spec(r#"{"nics":[{"queues":257}]}"#), FIELD_INVALID, &["vm.spec.nics[0].queues"]),
    (
        "port 0 on both sides",
        "CreateVm",
        Spec(r#"{"nics":[{"user":{"forwards":[{}]}}]}"#),
        FIELD_INVALID,
        &["vm.spec.nics[0].user.forwards[0].host_port", "vm.spec.nics[0].user.forwards[0].guest_port"],
    ),
    (
        "port 65536",
        "CreateVm",
        Spec(r#"{"nics":[{"user":{"forwards":[{"hostPort":65536,"guestPort":22}]}}]}"#),
        FIELD_INVALID,
        &["vm.spec.nics[0].user.forwards[0].host_port"],
    ),
    (
        "one port of the host twice",
        "CreateVm",
        Spec(
            r#"{"nics":[{"user":{"forwards":[{"hostPort":2222,"guestPort":22}]}},{"user":{"forwards":[{"hostPort":2222,"guestPort":80}]}}]}"#,
        ),
        FIELD_INVALID,
        &["vm.spec.nics[1].user.forwards[0].host_port"],
    ),
    ("65 forwards", "CreateVm", Made(forwards), FIELD_INVALID, &["vm.spec.nics[0].user.forwards"]),
    (
        "a tap with a name that is an option",
        "CreateVm",
        Spec(r#"{"nics":[{"tap":"tap0,script=/x"}]}"#),
        FIELD_INVALID,
        &["vm.spec.nics[0].tap"],
    ),
    (
        "a vhost-user interface without shared memory",
        "CreateVm",
        Spec(r#"{"nics":[{"vhostUserSocket":"/srv/s"}]}"#),
        FIELD_INVALID,
        &["vm.spec.memory.shared"],
    ),
    (
        "a serial port to a file without a path",
        "CreateVm",
        Spec(r#"{"serial":{"mode":"CONSOLE_MODE_FILE"}}"#),
        FIELD_REQUIRED,
        &["vm.spec.serial.path"],
    ),
    (
        "a serial port to a socket with a path",
        "CreateVm",
        Spec(r#"{"serial":{"mode":"CONSOLE_MODE_SOCKET","path":"/srv/s"}}"#),
        FIELD_INVALID,
        &["vm.spec.serial.path"],
    ),
    (
        "metadata on an interface that is none",
        "CreateVm",
        Spec(r#"{"metadata":{"json":"{}","nics":["eth9"]}}"#),
        FIELD_INVALID,
        &["vm.spec.metadata.nics[0]"],
    ),
];

fn disks() -> String {
    let disks: Vec<_> = (0..33).map(|_| serde_json::json!({ "blank": { "sizeBytes": 1 << 20 } })).collect();
    serde_json::json!({ "vm": { "spec": { "disks": disks } } }).to_string()
}

fn nics() -> String {
    let nics: Vec<_> = (0..17).map(|_| serde_json::json!({})).collect();
    serde_json::json!({ "vm": { "spec": { "nics": nics } } }).to_string()
}

fn forwards() -> String {
    let forwards: Vec<_> =
        (1..66).map(|port| serde_json::json!({ "hostPort": 2000 + port, "guestPort": port })).collect();
    serde_json::json!({ "vm": { "spec": { "nics": [{ "user": { "forwards": forwards } }] } } }).to_string()
}
