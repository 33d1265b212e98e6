//! Cloud Hypervisor: every endpoint, well used and badly.

use crate::rows::{Call, Row, Side, compare, json_error, real};
use std::path::Path;
use weft_standins::play::{Answer, Played, within};

/// The class of an error: what a client can go by, not the wording.
fn class(answer: &Answer) -> String {
    let value = answer.json();
    let Some(chain) = value.as_array() else {
        return if answer.body.contains("\"error\"") { "http".to_owned() } else { answer.body.clone() };
    };
    let text: Vec<_> = chain.iter().filter_map(|part| part.as_str()).collect();
    let text = text.join(": ").to_lowercase();
    if text.contains("deserial") {
        return format!("json: {}", json_error(&text).unwrap_or_default());
    }
    let marks = [
        ("bad request", "bad request"),
        ("not found", "not found"),
        ("is not unique", "not unique"),
        ("no bootitem", "no payload"),
        ("validate config", "invalid"),
        ("vm is not created", "not created"),
        ("config is missing", "no config"),
        ("vm is not running", "not running"),
        ("already created", "already created"),
        ("invalid transition", "transition"),
        ("identifier", "unknown device"),
        ("no device with", "unknown device"),
        ("not allowed to remove", "own device"),
        ("cannot open kernel", "kernel"),
        ("exceed maximum", "too many vcpus"),
        ("not a valid size", "size"),
        ("not a directory", "folder"),
        ("lock", "lock"),
    ];
    let known = marks.iter().find(|(mark, _)| text.contains(mark));
    known.map_or_else(|| "other".to_owned(), |(_, class)| (*class).to_owned())
}

fn words(folder: &Path) -> Vec<String> {
    vec!["--api-socket".to_owned(), format!("path={}", folder.join("api.sock").display())]
}

/// The version that the API tells; what `--version` prints of a build between releases is none.
fn version(program: &Path) -> String {
    let folder = tempfile::tempdir().unwrap();
    let words = words(folder.path());
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let mut played = Played::start(program, folder.path(), &words, &[]).unwrap();
    played.ready().unwrap();
    let told = played.call("GET", "/api/v1/vmm.ping", "").unwrap().json();
    told["version"].as_str().unwrap_or_default().to_owned()
}

fn both(rows: &[Row]) {
    let found = real("WEFT_CLOUD_HYPERVISOR", "cloud-hypervisor");
    let version = found.as_deref().map_or_else(|| "54.0.0".to_owned(), version);
    let side = |program: &Path| Side { program: program.to_owned(), version: version.clone(), words, class };
    let stand_in = side(Path::new(env!("CARGO_BIN_EXE_standin-cloud-hypervisor")));
    let real = found.as_deref().map(side);
    if real.is_none() {
        println!("skipped: no cloud-hypervisor binary to compare the stand-in with");
    }
    let differences = compare(&stand_in, real.as_ref(), rows);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

const CREATE: Call = (
    "PUT",
    "/api/v1/vm.create",
    r#"{"payload":{"kernel":"DIR/kernel"},"cpus":{"boot_vcpus":1,"max_vcpus":4},"memory":{"size":268435456,"hotplug_size":1073741824},"disks":[{"id":"root","path":"DIR/disk","image_type":"Raw"}],"balloon":{"size":0},"console":{"mode":"Off"}}"#,
    204,
);
const BOOT: Call = ("PUT", "/api/v1/vm.boot", "", 204);
const INFO: Call = ("GET", "/api/v1/vm.info", "", 200);
const PAUSE: Call = ("PUT", "/api/v1/vm.pause", "", 204);
const RESUME: Call = ("PUT", "/api/v1/vm.resume", "", 204);
const SHUTDOWN: Call = ("PUT", "/api/v1/vm.shutdown", "", 204);
const DELETE: Call = ("PUT", "/api/v1/vm.delete", "", 204);

const WITHOUT_A_VM: &[Row] = &[
    ("info", &[("GET", "/api/v1/vm.info", "", 404)]),
    ("counters", &[("GET", "/api/v1/vm.counters", "", 500)]),
    ("boot", &[("PUT", "/api/v1/vm.boot", "", 404)]),
    ("pause", &[("PUT", "/api/v1/vm.pause", "", 500)]),
    ("resume", &[("PUT", "/api/v1/vm.resume", "", 500)]),
    ("shutdown", &[("PUT", "/api/v1/vm.shutdown", "", 500)]),
    ("reboot", &[("PUT", "/api/v1/vm.reboot", "", 404)]),
    ("power button", &[("PUT", "/api/v1/vm.power-button", "", 500)]),
    ("nmi", &[("PUT", "/api/v1/vm.nmi", "", 500)]),
    ("delete", &[DELETE, DELETE]),
    ("resize", &[("PUT", "/api/v1/vm.resize", r#"{"desired_vcpus":2}"#, 404)]),
    ("resize disk", &[("PUT", "/api/v1/vm.resize-disk", r#"{"id":"a","desired_size":1}"#, 404)]),
    ("resize zone", &[("PUT", "/api/v1/vm.resize-zone", r#"{"id":"a","desired_ram":1}"#, 404)]),
    ("add disk", &[("PUT", "/api/v1/vm.add-disk", r#"{"path":"DIR/disk"}"#, 404)]),
    ("remove", &[("PUT", "/api/v1/vm.remove-device", r#"{"id":"a"}"#, 404)]),
    ("snapshot", &[("PUT", "/api/v1/vm.snapshot", r#"{"destination_url":"file://DIR/folder"}"#, 500)]),
    ("restore from nowhere", &[("PUT", "/api/v1/vm.restore", r#"{"source_url":"file://DIR/none"}"#, 500)]),
    ("restore from nothing", &[("PUT", "/api/v1/vm.restore", r#"{"source_url":"file://DIR/folder"}"#, 500)]),
    ("send", &[("PUT", "/api/v1/vm.send-migration", r#"{"destination_url":"unix:DIR/m"}"#, 500)]),
    ("receive from nowhere", &[("PUT", "/api/v1/vm.receive-migration", r#"{"receiver_url":"nope:x"}"#, 500)]),
    ("coredump", &[("PUT", "/api/v1/vm.coredump", r#"{"destination_url":"file://DIR/x"}"#, 404)]),
    ("shutdown of the vmm", &[("PUT", "/api/v1/vmm.shutdown", "", 200)]),
];

const HOW_IT_IS_ASKED: &[Row] = &[
    ("unknown path", &[("GET", "/api/v1/nothing", "", 404), ("PUT", "/vm.boot", "", 404)]),
    ("get for put", &[("GET", "/api/v1/vm.boot", "", 400), ("PUT", "/api/v1/vm.info", "", 400)]),
    ("other methods", &[("PATCH", "/api/v1/vm.boot", "{}", 400), ("DELETE", "/api/v1/vm.delete", "", 400)]),
    ("post", &[("POST", "/api/v1/vm.boot", "", 400)]),
    (
        "a body where none goes",
        &[CREATE, ("PUT", "/api/v1/vm.boot", "{}", 400), ("PUT", "/api/v1/vm.delete", "{}", 400)],
    ),
    ("no body where one goes", &[("PUT", "/api/v1/vm.create", "", 400), ("PUT", "/api/v1/vm.resize", "", 400)]),
    ("no json", &[("PUT", "/api/v1/vm.create", "{", 400), ("PUT", "/api/v1/vm.add-disk", "disk", 400)]),
    ("missing field", &[("PUT", "/api/v1/vm.create", r#"{"cpus":{"boot_vcpus":1}}"#, 400)]),
    ("wrong type", &[("PUT", "/api/v1/vm.create", r#"{"memory":{"size":"much"}}"#, 400)]),
    ("wrong variant", &[("PUT", "/api/v1/vm.create", r#"{"serial":{"mode":"pty"}}"#, 400)]),
    ("unknown field", &[("PUT", "/api/v1/vm.create", r#"{"typo":1,"console":{"mode":"Off","typo":1}}"#, 204), INFO]),
    (
        "unknown field of a limiter",
        &[("PUT", "/api/v1/vm.create", r#"{"disks":[{"path":"x","rate_limiter_config":{"typo":1}}]}"#, 400)],
    ),
    ("wrong address", &[("PUT", "/api/v1/vm.create", r#"{"net":[{"ip":"here"}]}"#, 400)]),
    ("null flag", &[("PUT", "/api/v1/vm.create", r#"{"watchdog":null}"#, 400)]),
    ("negative number", &[("PUT", "/api/v1/vm.create", r#"{"memory":{"size":-1}}"#, 400)]),
    ("large number", &[("PUT", "/api/v1/vm.create", r#"{"disks":[{"path":"x","queue_size":70000}]}"#, 400)]),
];

const CONFIGURATIONS: &[Row] = &[
    ("defaults", &[("PUT", "/api/v1/vm.create", r#"{"console":{"mode":"Off"}}"#, 204), INFO]),
    ("twice", &[CREATE, ("PUT", "/api/v1/vm.create", "{}", 500)]),
    (
        "no payload",
        &[("PUT", "/api/v1/vm.create", r#"{"console":{"mode":"Off"}}"#, 204), ("PUT", "/api/v1/vm.boot", "", 400)],
    ),
    (
        "everything filled in",
        &[
            (
                "PUT",
                "/api/v1/vm.create",
                r#"{"console":{"mode":"Null"},"payload":{"kernel":"k"},"disks":[{"path":"a"},{"path":"b","readonly":true,"rate_limiter_config":{"ops":{"size":1,"refill_time":100}}}],"net":[{"mac":"02:00:00:00:00:01","fds":[7]}],"fs":[{"tag":"t","socket":"s"}],"pmem":[{"file":"f"}],"vsock":{"cid":3,"socket":"s"},"numa":[{"guest_numa_id":0,"distances":[{"destination":1,"distance":20}]}],"pci_segments":[{"pci_segment":1}],"platform":{"uuid":"u","oem_strings":["a"]},"memory":{"size":0,"zones":[{"id":"z","size":268435456}]},"rate_limit_groups":[{"id":"g","rate_limiter_config":{}}],"tpm":{"socket":"t"},"landlock_rules":[{"path":"p","access":"rw"}],"user_devices":[{"socket":"s"}],"vdpa":[{"path":"p"}],"devices":[{"path":"p"}],"generic_vhost_user":[{"socket":"s","queue_sizes":[128],"device_type":26}],"rtc":{},"cpus":{"boot_vcpus":2,"max_vcpus":4,"topology":{"threads_per_core":1,"cores_per_die":4,"dies_per_package":1,"packages":1},"affinity":[{"vcpu":0,"host_cpus":[0,1]}]}}"#,
                204,
            ),
            INFO,
        ],
    ),
    (
        "a console on a socket",
        &[("PUT", "/api/v1/vm.create", r#"{"console":{"mode":"Socket","socket":"DIR/c"}}"#, 500), INFO],
    ),
    (
        "a serial socket on a taken path",
        &[(
            "PUT",
            "/api/v1/vm.create",
            r#"{"console":{"mode":"Off"},"serial":{"mode":"Socket","socket":"DIR/disk"}}"#,
            500,
        )],
    ),
];

/// A configuration that is created and refused when it boots.
macro_rules! refused {
    ($name:literal, $config:literal) => {
        (
            $name,
            &[
                (
                    "PUT",
                    "/api/v1/vm.create",
                    concat!(r#"{"payload":{"kernel":"DIR/kernel"},"console":{"mode":"Off"},"#, $config, "}"),
                    204,
                ),
                ("PUT", "/api/v1/vm.boot", "", 400),
            ],
        )
    };
}

const WRONG_CONFIGURATIONS: &[Row] = &[
    refused!("max below boot", r#""cpus":{"boot_vcpus":2,"max_vcpus":1}"#),
    refused!("too many vcpus", r#""cpus":{"boot_vcpus":1,"max_vcpus":9000}"#),
    refused!(
        "topology",
        r#""cpus":{"boot_vcpus":1,"max_vcpus":1,"topology":{"threads_per_core":2,"cores_per_die":1,"dies_per_package":1,"packages":1}}"#
    ),
    refused!("mergeable and shared", r#""memory":{"size":268435456,"shared":true,"mergeable":true}"#),
    refused!("huge page size alone", r#""memory":{"size":268435456,"hugepage_size":2097152}"#),
    (
        "huge page size",
        &[
            (
                "PUT",
                "/api/v1/vm.create",
                r#"{"payload":{"kernel":"DIR/kernel"},"console":{"mode":"Off"},"memory":{"size":268435456,"hugepages":true,"hugepage_size":3000000}}"#,
                204,
            ),
            ("PUT", "/api/v1/vm.boot", "", 500),
        ],
    ),
    refused!("vhost-user without shared memory", r#""disks":[{"vhost_user":true,"vhost_socket":"s"}]"#),
    refused!(
        "vhost-user without a socket",
        r#""memory":{"size":268435456,"shared":true},"disks":[{"vhost_user":true}]"#
    ),
    refused!("path and socket", r#""disks":[{"path":"DIR/disk","vhost_socket":"s"}]"#),
    refused!("disk queues", r#""disks":[{"path":"DIR/disk","num_queues":2}]"#),
    refused!("disk queue size", r#""disks":[{"path":"DIR/disk","queue_size":100}]"#),
    refused!("small disk queue", r#""disks":[{"path":"DIR/disk","queue_size":2}]"#),
    refused!("long serial", r#""disks":[{"path":"DIR/disk","serial":"012345678901234567890"}]"#),
    refused!("no such group", r#""disks":[{"path":"DIR/disk","rate_limit_group":"g"}]"#),
    refused!("one net queue", r#""net":[{"num_queues":1}]"#),
    refused!("net queues", r#""net":[{"num_queues":8}]"#),
    refused!("small mtu", r#""net":[{"mtu":1000}]"#),
    refused!("ip alone", r#""net":[{"ip":"10.0.0.1"}]"#),
    refused!("mask alone", r#""net":[{"mask":"255.0.0.0"}]"#),
    refused!("tso without csum", r#""net":[{"offload_csum":false}]"#),
    refused!("special cid", r#""vsock":{"cid":2,"socket":"DIR/v"}"#),
    refused!("large balloon", r#""memory":{"size":268435456},"balloon":{"size":268435456}"#),
    refused!("fs without shared memory", r#""fs":[{"tag":"t","socket":"s"}]"#),
    refused!("own id", r#""disks":[{"path":"DIR/disk","id":"__a"}]"#),
    refused!("segment that is not there", r#""disks":[{"path":"DIR/disk","pci_segment":1}]"#),
    (
        "firmware and kernel",
        &[
            (
                "PUT",
                "/api/v1/vm.create",
                r#"{"payload":{"kernel":"DIR/kernel","firmware":"DIR/kernel"},"console":{"mode":"Off"}}"#,
                204,
            ),
            ("PUT", "/api/v1/vm.boot", "", 400),
        ],
    ),
    (
        "two of an id",
        &[
            (
                "PUT",
                "/api/v1/vm.create",
                r#"{"payload":{"kernel":"DIR/kernel"},"console":{"mode":"Off"},"disks":[{"path":"DIR/disk","id":"a"},{"path":"DIR/other","id":"a"}]}"#,
                204,
            ),
            ("PUT", "/api/v1/vm.boot", "", 409),
        ],
    ),
    (
        "no such kernel",
        &[
            ("PUT", "/api/v1/vm.create", r#"{"payload":{"kernel":"DIR/none"},"console":{"mode":"Off"}}"#, 204),
            ("PUT", "/api/v1/vm.boot", "", 500),
            ("PUT", "/api/v1/vm.boot", "", 500),
            PAUSE,
            DELETE,
        ],
    ),
    (
        "no such disk",
        &[
            (
                "PUT",
                "/api/v1/vm.create",
                r#"{"payload":{"kernel":"DIR/kernel"},"console":{"mode":"Off"},"disks":[{"path":"DIR/none"}]}"#,
                204,
            ),
            ("PUT", "/api/v1/vm.boot", "", 500),
            ("PUT", "/api/v1/vm.pause", "", 500),
        ],
    ),
];

const A_LIFE: &[Row] = &[
    ("created", &[CREATE, INFO, ("PUT", "/api/v1/vm.pause", "", 500), ("PUT", "/api/v1/vm.reboot", "", 404)]),
    (
        "created and changed",
        &[
            CREATE,
            ("PUT", "/api/v1/vm.resize", r#"{"desired_vcpus":2,"desired_ram":536870912,"desired_balloon":4096}"#, 204),
            ("PUT", "/api/v1/vm.add-disk", r#"{"path":"DIR/other","id":"more","image_type":"Raw"}"#, 204),
            ("PUT", "/api/v1/vm.add-disk", r#"{"path":"DIR/other","id":"more"}"#, 409),
            ("PUT", "/api/v1/vm.add-vsock", r#"{"cid":3,"socket":"DIR/v"}"#, 204),
            ("PUT", "/api/v1/vm.add-vsock", r#"{"cid":4,"socket":"DIR/w"}"#, 500),
            ("PUT", "/api/v1/vm.resize-disk", r#"{"id":"root","desired_size":1}"#, 500),
            INFO,
            ("PUT", "/api/v1/vm.remove-device", r#"{"id":"root"}"#, 204),
            ("PUT", "/api/v1/vm.remove-device", r#"{"id":"root"}"#, 404),
            ("PUT", "/api/v1/vm.add-net", r#"{"num_queues":1}"#, 400),
            ("PUT", "/api/v1/vm.add-fs", r#"{"tag":"t","socket":"s"}"#, 400),
            INFO,
        ],
    ),
    (
        "booted",
        &[
            CREATE,
            BOOT,
            ("PUT", "/api/v1/vm.boot", "", 500),
            ("PUT", "/api/v1/vm.create", "{}", 500),
            ("GET", "/api/v1/vm.counters", "", 200),
            ("PUT", "/api/v1/vm.resume", "", 500),
            PAUSE,
            ("PUT", "/api/v1/vm.pause", "", 500),
            ("PUT", "/api/v1/vm.nmi", "", 204),
            ("PUT", "/api/v1/vm.power-button", "", 204),
            RESUME,
            ("PUT", "/api/v1/vm.resume", "", 500),
            ("PUT", "/api/v1/vm.reboot", "", 204),
            ("PUT", "/api/v1/vm.snapshot", r#"{"destination_url":"file://DIR/folder"}"#, 500),
            ("PUT", "/api/v1/vm.restore", r#"{"source_url":"file://DIR/folder"}"#, 500),
            ("PUT", "/api/v1/vm.receive-migration", r#"{"receiver_url":"unix:DIR/m"}"#, 500),
            SHUTDOWN,
            ("PUT", "/api/v1/vm.shutdown", "", 500),
            INFO,
            BOOT,
            DELETE,
            ("GET", "/api/v1/vm.info", "", 404),
        ],
    ),
    (
        "resized",
        &[
            CREATE,
            BOOT,
            ("PUT", "/api/v1/vm.resize", r#"{"desired_vcpus":9}"#, 500),
            ("PUT", "/api/v1/vm.resize", r#"{"desired_vcpus":2}"#, 204),
            ("PUT", "/api/v1/vm.resize", r#"{"desired_ram":301000000}"#, 500),
            ("PUT", "/api/v1/vm.resize", r#"{"desired_ram":536870912}"#, 204),
            ("PUT", "/api/v1/vm.resize", r#"{"desired_ram":107374182400}"#, 500),
            ("PUT", "/api/v1/vm.resize", "{}", 204),
            ("PUT", "/api/v1/vm.resize-disk", r#"{"id":"root","desired_size":8388608}"#, 204),
            ("PUT", "/api/v1/vm.resize-disk", r#"{"id":"none","desired_size":8388608}"#, 404),
            ("PUT", "/api/v1/vm.resize-zone", r#"{"id":"none","desired_ram":1}"#, 500),
            SHUTDOWN,
            INFO,
        ],
    ),
    (
        "devices come and go",
        &[
            CREATE,
            BOOT,
            ("PUT", "/api/v1/vm.add-disk", r#"{"path":"DIR/other","id":"more","image_type":"Raw"}"#, 200),
            ("PUT", "/api/v1/vm.add-disk", r#"{"path":"DIR/other","id":"again","image_type":"Raw"}"#, 500),
            ("PUT", "/api/v1/vm.add-disk", r#"{"path":"DIR/other","id":"more","image_type":"Raw"}"#, 409),
            ("PUT", "/api/v1/vm.add-disk", r#"{"path":"DIR/none","id":"none","image_type":"Raw"}"#, 500),
            ("PUT", "/api/v1/vm.add-disk", r#"{"path":"DIR/other","queue_size":3}"#, 400),
            ("PUT", "/api/v1/vm.add-vsock", r#"{"cid":3,"socket":"DIR/v","id":"v"}"#, 200),
            ("PUT", "/api/v1/vm.add-pmem", r#"{"file":"DIR/none"}"#, 500),
            ("PUT", "/api/v1/vm.remove-device", r#"{"id":"none"}"#, 404),
            ("PUT", "/api/v1/vm.remove-device", r#"{"id":"__rng"}"#, 500),
            ("PUT", "/api/v1/vm.remove-device", r#"{"id":"more"}"#, 204),
            SHUTDOWN,
            INFO,
        ],
    ),
];

#[test]
fn without_a_vm() {
    both(WITHOUT_A_VM);
}

#[test]
fn how_it_is_asked() {
    both(HOW_IT_IS_ASKED);
}

#[test]
fn configurations() {
    both(CONFIGURATIONS);
}

#[test]
fn wrong_configurations() {
    both(WRONG_CONFIGURATIONS);
}

#[test]
fn a_life() {
    both(A_LIFE);
}

/// What a program tells on its event monitor while these calls are made; devices' own events are left out, for
/// the idle kernel drives none.
fn events(program: &Path, version: &str, calls: &[Call], least: usize) -> Vec<String> {
    let folder = crate::rows::stage();
    let home = folder.path().display().to_string();
    let mut words = words(folder.path());
    words.extend(["--event-monitor".to_owned(), format!("path={home}/events")]);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let mut played = Played::start(program, folder.path(), &words, &[("STANDIN_VERSION", version)]).unwrap();
    played.ready().unwrap();
    for (method, path, body, _) in calls {
        played.call(method, path, &body.replace("DIR", &home)).unwrap();
    }
    let mut told = Vec::new();
    // The real program writes events beside the API, so the last may come after the last reply.
    let _ = within(|| {
        told = read_events(&folder.path().join("events"));
        told.len() >= least
    });
    told
}

fn read_events(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap();
    let events = text.split("\n\n").filter_map(|event| serde_json::from_str::<serde_json::Value>(event).ok());
    let events = events.filter(|event| event["source"] != "virtio-device");
    events.map(|event| format!("{} {} {}", event["source"], event["event"], event["properties"])).collect()
}

#[test]
fn the_same_is_told_of_every_life() {
    let stand_in = Path::new(env!("CARGO_BIN_EXE_standin-cloud-hypervisor"));
    let Some(real) = real("WEFT_CLOUD_HYPERVISOR", "cloud-hypervisor") else {
        println!("skipped: no cloud-hypervisor binary to compare the stand-in with");
        return;
    };
    let version = version(&real);
    for (name, calls) in A_LIFE.iter().chain(WITHOUT_A_VM) {
        let mine = events(stand_in, &version, calls, 1);
        assert_eq!(events(&real, &version, calls, mine.len()), mine, "{name}");
    }
}
