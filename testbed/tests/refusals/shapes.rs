//! Specifications that are wrong in themselves: types, quantities, names, and what excludes one another.

use crate::row::Body::{Json, Made, Spec};
use crate::row::{FIELD_INVALID, FIELD_REQUIRED, FIELD_UNKNOWN, Row};

pub(crate) const TYPES: &[Row] = &[
    ("an unknown field at the top", "CreateVm", Json(r#"{"vmm":{}}"#), FIELD_UNKNOWN, &["vmm"]),
    ("an unknown field inside", "CreateVm", Spec(r#"{"memroy":{}}"#), FIELD_UNKNOWN, &["vm.spec.memroy"]),
    (
        "an unknown field in a list",
        "CreateVm",
        Spec(r#"{"disks":[{"path":"/a"},{"readonly":true}]}"#),
        FIELD_UNKNOWN,
        &["vm.spec.disks[1].readonly"],
    ),
    (
        "two unknown fields",
        "CreateVm",
        Spec(r#"{"cpu":{"count":1},"ram":1}"#),
        FIELD_UNKNOWN,
        &["vm.spec.cpu.count", "vm.spec.ram"],
    ),
    ("a list as a request", "CreateVm", Json("[]"), FIELD_INVALID, &[""]),
    ("a list as a VM", "CreateVm", Json(r#"{"vm":[]}"#), FIELD_INVALID, &["vm"]),
    ("a number as a name", "CreateVm", Json(r#"{"vm":{"name":5}}"#), FIELD_INVALID, &["vm.name"]),
    (
        "a text as a switch",
        "CreateVm",
        Spec(r#"{"memory":{"shared":"yes"}}"#),
        FIELD_INVALID,
        &["vm.spec.memory.shared"],
    ),
    ("an object as a list", "CreateVm", Spec(r#"{"disks":{}}"#), FIELD_INVALID, &["vm.spec.disks"]),
    ("a word as a number", "CreateVm", Spec(r#"{"cpu":{"boot":"many"}}"#), FIELD_INVALID, &["vm.spec.cpu.boot"]),
    ("half a CPU", "CreateVm", Spec(r#"{"cpu":{"boot":1.5}}"#), FIELD_INVALID, &["vm.spec.cpu.boot"]),
    ("fewer than no CPUs", "CreateVm", Spec(r#"{"cpu":{"boot":-1}}"#), FIELD_INVALID, &["vm.spec.cpu.boot"]),
    ("NaN as a number", "CreateVm", Spec(r#"{"cpu":{"boot":"NaN"}}"#), FIELD_INVALID, &["vm.spec.cpu.boot"]),
    ("an exponent beyond all", "CreateVm", Spec(r#"{"cpu":{"boot":1e300}}"#), FIELD_INVALID, &["vm.spec.cpu.boot"]),
    (
        "a number of 23 digits",
        "CreateVm",
        Spec(r#"{"memory":{"sizeBytes":"99999999999999999999999"}}"#),
        FIELD_INVALID,
        &["vm.spec.memory.size_bytes"],
    ),
    ("a machine that is none", "CreateVm", Spec(r#"{"machine":"MACHINE_VAX"}"#), FIELD_INVALID, &["vm.spec.machine"]),
    ("a machine's number that is none", "CreateVm", Spec(r#"{"machine":77}"#), FIELD_INVALID, &["vm.spec.machine"]),
    ("a restart policy that is none", "CreateVm", Spec(r#"{"restart":99}"#), FIELD_INVALID, &["vm.spec.restart"]),
    (
        "a disk's format that is none",
        "CreateVm",
        Spec(r#"{"disks":[{"blank":{"sizeBytes":1048576},"format":9}]}"#),
        FIELD_INVALID,
        &["vm.spec.disks[0].format"],
    ),
    (
        "a feature without a name",
        "CreateVm",
        Spec(r#"{"cpu":{"features":["CPU_FEATURE_UNSPECIFIED"]}}"#),
        FIELD_INVALID,
        &["vm.spec.cpu.features[0]"],
    ),
    (
        "a span that is none",
        "CreateVm",
        Spec(r#"{"readiness":{"serialText":"x","timeout":"soon"}}"#),
        FIELD_INVALID,
        &["vm.spec.readiness.timeout"],
    ),
    ("a number as a label", "CreateVm", Json(r#"{"vm":{"labels":{"a":1}}}"#), FIELD_INVALID, &["vm.labels[\"a\"]"]),
];

pub(crate) const QUANTITIES: &[Row] = &[
    ("no CPU", "CreateVm", Spec(r#"{"cpu":{"boot":0}}"#), FIELD_INVALID, &["vm.spec.cpu.boot", "vm.spec.cpu.max"]),
    (
        "4 billion CPUs",
        "CreateVm",
        Spec(r#"{"cpu":{"boot":4294967295}}"#),
        FIELD_INVALID,
        &["vm.spec.cpu.boot", "vm.spec.cpu.max"],
    ),
    ("more CPUs than at most", "CreateVm", Spec(r#"{"cpu":{"boot":4,"max":2}}"#), FIELD_INVALID, &["vm.spec.cpu.max"]),
    (
        "a topology of other CPUs",
        "CreateVm",
        Spec(r#"{"cpu":{"boot":4,"topology":{"threadsPerCore":2,"coresPerDie":3,"diesPerPackage":1,"packages":1}}}"#),
        FIELD_INVALID,
        &["vm.spec.cpu.topology"],
    ),
    (
        "a topology whose product overflows",
        "CreateVm",
        Spec(r#"{"cpu":{"topology":{"threadsPerCore":65536,"coresPerDie":65536,"diesPerPackage":1,"packages":1}}}"#),
        FIELD_INVALID,
        &["vm.spec.cpu.topology"],
    ),
    (
        "a CPU pinned twice, and one that is none",
        "CreateVm",
        Spec(r#"{"cpu":{"pinning":[{"vcpu":0,"hostCpus":[0]},{"vcpu":0,"hostCpus":[1]},{"vcpu":9,"hostCpus":[1]}]}}"#),
        FIELD_INVALID,
        &["vm.spec.cpu.pinning[1].vcpu", "vm.spec.cpu.pinning[2].vcpu"],
    ),
    ("no memory", "CreateVm", Spec(r#"{"memory":{"sizeBytes":0}}"#), FIELD_INVALID, &["vm.spec.memory.size_bytes"]),
    (
        "more memory than 64 bits of it",
        "CreateVm",
        Spec(r#"{"memory":{"sizeBytes":"18446744073708503040"}}"#),
        FIELD_INVALID,
        &["vm.spec.memory.size_bytes"],
    ),
    (
        "memory that is not whole MiB",
        "CreateVm",
        Spec(r#"{"memory":{"sizeBytes":"268435457"}}"#),
        FIELD_INVALID,
        &["vm.spec.memory.size_bytes"],
    ),
    (
        "too little for the default image",
        "CreateVm",
        Spec(r#"{"memory":{"sizeBytes":"16777216"}}"#),
        FIELD_INVALID,
        &["vm.spec.memory.size_bytes"],
    ),
    (
        "huge pages of 3 MiB",
        "CreateVm",
        Spec(r#"{"memory":{"hugePageBytes":"3145728"}}"#),
        FIELD_INVALID,
        &["vm.spec.memory.huge_page_bytes"],
    ),
    (
        "a balloon larger than the memory",
        "CreateVm",
        Spec(r#"{"memory":{"balloon":{"sizeBytes":"1099511627776"}}}"#),
        FIELD_INVALID,
        &["vm.spec.memory.balloon.size_bytes"],
    ),
    (
        "a readiness of two hours",
        "CreateVm",
        Spec(r#"{"readiness":{"serialText":"x","timeout":"7200s"}}"#),
        FIELD_INVALID,
        &["vm.spec.readiness.timeout"],
    ),
    (
        "a readiness before it began",
        "CreateVm",
        Spec(r#"{"readiness":{"serialText":"x","timeout":"-5s"}}"#),
        FIELD_INVALID,
        &["vm.spec.readiness.timeout"],
    ),
    ("a readiness of nothing", "CreateVm", Spec(r#"{"readiness":{}}"#), FIELD_REQUIRED, &["vm.spec.readiness"]),
    (
        "a readiness of an empty text",
        "CreateVm",
        Spec(r#"{"readiness":{"serialText":""}}"#),
        FIELD_INVALID,
        &["vm.spec.readiness.serial_text"],
    ),
    (
        "a guest's port 0",
        "CreateVm",
        Spec(r#"{"readiness":{"tcpPort":0}}"#),
        FIELD_INVALID,
        &["vm.spec.readiness.tcp_port"],
    ),
    ("a reserved vsock address", "CreateVm", Spec(r#"{"vsock":{"cid":2}}"#), FIELD_INVALID, &["vm.spec.vsock.cid"]),
];

pub(crate) const TEXTS: &[Row] = &[
    ("a name with blanks", "CreateVm", Json(r#"{"vm":{"name":"Not A Name"}}"#), FIELD_INVALID, &["vm.name"]),
    (
        "a name of 64 letters",
        "CreateVm",
        Made(|| format!(r#"{{"vm":{{"name":"{}"}}}}"#, "a".repeat(64))),
        FIELD_INVALID,
        &["vm.name"],
    ),
    ("a project that is a path", "CreateVm", Json(r#"{"vm":{"project":"../x"}}"#), FIELD_INVALID, &["vm.project"]),
    ("a label without letters", "CreateVm", Json(r#"{"vm":{"labels":{"-":"x"}}}"#), FIELD_INVALID, &["vm.labels"]),
    (
        "a label that breaks the line",
        "CreateVm",
        Json(r#"{"vm":{"labels":{"a":"x\ny"}}}"#),
        FIELD_INVALID,
        &["vm.labels"],
    ),
    (
        "a label of 257 bytes",
        "CreateVm",
        Made(|| vm("labels", &[("a".into(), "x".repeat(257))])),
        FIELD_INVALID,
        &["vm.labels"],
    ),
    ("65 labels", "CreateVm", Made(|| vm("labels", &many(65, 1))), FIELD_INVALID, &["vm.labels"]),
    (
        "annotations of 70 kB",
        "CreateVm",
        Made(|| vm("annotations", &many(7, 10_000))),
        FIELD_INVALID,
        &["vm.annotations"],
    ),
    (
        "a command line of 2048 bytes",
        "CreateVm",
        Made(|| format!(r#"{{"vm":{{"spec":{{"payload":{{"cmdline":"{}"}}}}}}}}"#, "x".repeat(2048))),
        FIELD_INVALID,
        &["vm.spec.payload.cmdline"],
    ),
    (
        "a command line of two lines",
        "CreateVm",
        Spec(r#"{"payload":{"cmdline":"quiet\ninit=/bin/sh"}}"#),
        FIELD_INVALID,
        &["vm.spec.payload.cmdline"],
    ),
    (
        "a command line for firmware",
        "CreateVm",
        Spec(r#"{"payload":{"firmware":"/f","cmdline":"quiet"}}"#),
        FIELD_INVALID,
        &["vm.spec.payload.cmdline"],
    ),
    (
        "cloud-init data of 70 kB",
        "CreateVm",
        Made(|| format!(r#"{{"vm":{{"spec":{{"cloudInit":{{"userData":"{}"}}}}}}}}"#, "x".repeat(70_000))),
        FIELD_INVALID,
        &["vm.spec.cloud_init.user_data"],
    ),
    ("a driver that is a path", "CreateVm", Spec(r#"{"driver":"../qemu"}"#), FIELD_INVALID, &["vm.spec.driver"]),
    (
        "an image that is a path",
        "CreateVm",
        Spec(r#"{"payload":{"image":"a/b"}}"#),
        FIELD_INVALID,
        &["vm.spec.payload.image"],
    ),
];

fn many(count: usize, bytes: usize) -> Vec<(String, String)> {
    (0..count).map(|i| (format!("key{i}"), "x".repeat(bytes))).collect()
}

fn vm(field: &str, entries: &[(String, String)]) -> String {
    let map: serde_json::Map<_, _> = entries.iter().map(|(key, value)| (key.clone(), value.clone().into())).collect();
    serde_json::json!({ "vm": { field: map } }).to_string()
}
