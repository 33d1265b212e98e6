//! Rows of calls to Cloud Hypervisor: what is asked of a fresh process, and the status that has to be answered.

use crate::rows::{Call, Row};

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

pub(crate) const WITHOUT_A_VM: &[Row] = &[
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

pub(crate) const HOW_IT_IS_ASKED: &[Row] = &[
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

pub(crate) const CONFIGURATIONS: &[Row] = &[
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

pub(crate) const WRONG_CONFIGURATIONS: &[Row] = &[
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

pub(crate) const A_LIFE: &[Row] = &[
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
