//! Rows of calls to Firecracker: what is asked of a fresh process, and the status that has to be answered.

use crate::rows::{Call, Row};

const KERNEL: Call = ("PUT", "/boot-source", r#"{"kernel_image_path":"DIR/kernel"}"#, 204);

const UNDRIVEN: Call =
    ("PUT", "/boot-source", r#"{"kernel_image_path":"DIR/kernel","boot_args":"standin.virtio=off"}"#, 204);

const START: Call = ("PUT", "/actions", r#"{"action_type":"InstanceStart"}"#, 204);

const PAUSE: Call = ("PATCH", "/vm", r#"{"state":"Paused"}"#, 204);

const DISK: Call = (
    "PUT",
    "/drives/disk",
    r#"{"drive_id":"disk","is_root_device":false,"is_read_only":false,"path_on_host":"DIR/disk"}"#,
    204,
);

const ROOT: Call = (
    "PUT",
    "/drives/root",
    r#"{"drive_id":"root","is_root_device":true,"is_read_only":true,"path_on_host":"DIR/disk"}"#,
    204,
);

const SNAPSHOT: Call =
    ("PUT", "/snapshot/create", r#"{"snapshot_path":"DIR/state","mem_file_path":"DIR/memory"}"#, 204);

pub(crate) const WHAT_IS_ASKED_AND_HOW_IT_IS_ASKED: &[Row] = &[
    ("instance", &[("GET", "/", "", 200)]),
    ("version", &[("GET", "/version", "", 200)]),
    ("machine", &[("GET", "/machine-config", "", 200)]),
    ("config", &[("GET", "/vm/config", "", 200)]),
    ("unknown path", &[("GET", "/nowhere", "", 400), ("PUT", "/nowhere", "{}", 400)]),
    ("post", &[("POST", "/actions", "{}", 400)]),
    ("get with a body", &[("GET", "/", "{}", 400)]),
    ("put without a body", &[("PUT", "/boot-source", "", 400), ("PATCH", "/vm", "", 400)]),
    ("no json", &[("PUT", "/boot-source", "kernel", 400), ("PUT", "/boot-source", "{", 400)]),
    ("unknown field", &[("PUT", "/boot-source", r#"{"kernel_image_path":"x","typo":1}"#, 400)]),
    ("missing field", &[("PUT", "/boot-source", "{}", 400)]),
    ("wrong type", &[("PUT", "/boot-source", r#"{"kernel_image_path":7}"#, 400)]),
    ("unknown action", &[("PUT", "/actions", r#"{"action_type":"Explode"}"#, 400)]),
    ("no drive id", &[("PUT", "/drives", r#"{"drive_id":"a"}"#, 400)]),
    ("hyphen in an id", &[("PUT", "/drives/a-b", r#"{"drive_id":"a-b","is_root_device":false}"#, 400)]),
    ("two ids", &[("PUT", "/drives/a", r#"{"drive_id":"b","is_root_device":false}"#, 400)]),
    ("snapshot of no kind", &[("PUT", "/snapshot/explode", "{}", 400), ("PUT", "/snapshot", "{}", 400)]),
    ("trailing slash", &[("GET", "/version/", "", 200)]),
    ("balloon nowhere", &[("GET", "/balloon/nowhere", "", 400)]),
];

pub(crate) const A_MACHINE_IS_CONFIGURED: &[Row] = &[
    ("kernel", &[KERNEL, ("GET", "/vm/config", "", 200)]),
    ("no such kernel", &[("PUT", "/boot-source", r#"{"kernel_image_path":"DIR/none"}"#, 400)]),
    (
        "no such initrd",
        &[("PUT", "/boot-source", r#"{"kernel_image_path":"DIR/kernel","initrd_path":"DIR/none"}"#, 400)],
    ),
    (
        "size",
        &[
            ("PUT", "/machine-config", r#"{"vcpu_count":2,"mem_size_mib":64}"#, 204),
            ("GET", "/machine-config", "", 200),
            ("PATCH", "/machine-config", r#"{"mem_size_mib":96}"#, 204),
            ("GET", "/machine-config", "", 200),
        ],
    ),
    ("no vcpus", &[("PUT", "/machine-config", r#"{"vcpu_count":0,"mem_size_mib":64}"#, 400)]),
    ("too many vcpus", &[("PUT", "/machine-config", r#"{"vcpu_count":33,"mem_size_mib":64}"#, 400)]),
    ("vcpus beyond a byte", &[("PUT", "/machine-config", r#"{"vcpu_count":256,"mem_size_mib":64}"#, 400)]),
    ("negative memory", &[("PUT", "/machine-config", r#"{"vcpu_count":1,"mem_size_mib":-1}"#, 400)]),
    ("odd with smt", &[("PUT", "/machine-config", r#"{"vcpu_count":3,"mem_size_mib":64,"smt":true}"#, 400)]),
    ("no memory", &[("PUT", "/machine-config", r#"{"vcpu_count":1,"mem_size_mib":0}"#, 400)]),
    ("odd huge pages", &[("PUT", "/machine-config", r#"{"vcpu_count":1,"mem_size_mib":65,"huge_pages":"2M"}"#, 400)]),
    ("empty patch", &[("PATCH", "/machine-config", "{}", 400)]),
    (
        "template",
        &[
            ("PATCH", "/machine-config", r#"{"cpu_template":"T2"}"#, 204),
            ("GET", "/machine-config", "", 200),
            ("PATCH", "/machine-config", r#"{"cpu_template":"None"}"#, 204),
            ("GET", "/machine-config", "", 200),
        ],
    ),
    ("null flag", &[("PUT", "/machine-config", r#"{"vcpu_count":1,"mem_size_mib":64,"smt":null}"#, 400)]),
    (
        "cpu config",
        &[
            ("PUT", "/cpu-config", r#"{"kvm_capabilities":["!121"]}"#, 204),
            ("PUT", "/cpu-config", r#"{"kvm_capabilities":["many"]}"#, 400),
            ("PUT", "/cpu-config", r#"{"msr_modifiers":[{"addr":"0x10","bitmap":"0b2"}]}"#, 400),
            ("PUT", "/cpu-config", r#"{"typo":[]}"#, 400),
        ],
    ),
    ("serial", &[("PUT", "/serial", r#"{"serial_out_path":"DIR/serial"}"#, 204), ("PUT", "/serial", "{}", 204)]),
    ("entropy", &[("PUT", "/entropy", "{}", 204), ("GET", "/vm/config", "", 200)]),
    (
        "limited entropy",
        &[
            ("PUT", "/entropy", r#"{"rate_limiter":{"bandwidth":{"size":1000,"refill_time":100}}}"#, 204),
            ("GET", "/vm/config", "", 200),
        ],
    ),
    (
        "logger",
        &[
            ("PUT", "/logger", r#"{"log_path":"DIR/other.log","level":"info","show_level":true}"#, 204),
            ("PUT", "/logger", r#"{"level":"loud"}"#, 400),
            ("PUT", "/logger", r#"{"log_path":"DIR/none/log"}"#, 400),
        ],
    ),
    (
        "metrics once",
        &[
            ("PUT", "/metrics", r#"{"metrics_path":"DIR/metrics","typo":1}"#, 204),
            ("PUT", "/metrics", r#"{"metrics_path":"DIR/metrics"}"#, 400),
        ],
    ),
];

pub(crate) const DEVICES_STAND_BESIDE_EACH_OTHER: &[Row] = &[
    ("disk", &[DISK, ("GET", "/vm/config", "", 200)]),
    ("disk again", &[DISK, DISK, ROOT, ROOT, ("GET", "/vm/config", "", 200)]),
    (
        "two roots",
        &[
            ROOT,
            (
                "PUT",
                "/drives/more",
                r#"{"drive_id":"more","is_root_device":true,"is_read_only":true,"path_on_host":"DIR/other"}"#,
                400,
            ),
        ],
    ),
    (
        "no such disk",
        &[(
            "PUT",
            "/drives/a",
            r#"{"drive_id":"a","is_root_device":false,"is_read_only":false,"path_on_host":"DIR/none"}"#,
            400,
        )],
    ),
    ("disk without a path", &[("PUT", "/drives/a", r#"{"drive_id":"a","is_root_device":false}"#, 400)]),
    (
        "disk of two kinds",
        &[(
            "PUT",
            "/drives/a",
            r#"{"drive_id":"a","is_root_device":false,"is_read_only":false,"path_on_host":"DIR/disk","socket":"x"}"#,
            400,
        )],
    ),
    (
        "vhost-user without a backend",
        &[("PUT", "/drives/a", r#"{"drive_id":"a","is_root_device":false,"socket":"DIR/none.sock"}"#, 400)],
    ),
    (
        "limited disk",
        &[
            (
                "PUT",
                "/drives/a",
                r#"{"drive_id":"a","is_root_device":false,"is_read_only":false,"path_on_host":"DIR/disk","rate_limiter":{"ops":{"size":10,"refill_time":100,"one_time_burst":5},"bandwidth":{"size":0,"refill_time":1}}}"#,
                204,
            ),
            ("GET", "/vm/config", "", 200),
        ],
    ),
    (
        "unknown limiter",
        &[("PUT", "/drives/a", r#"{"drive_id":"a","is_root_device":false,"rate_limiter":{"typo":{}}}"#, 400)],
    ),
    ("pmem", &[("PUT", "/pmem/p", r#"{"id":"p","path_on_host":"DIR/other"}"#, 204), ("GET", "/vm/config", "", 200)]),
    (
        "pmem that is limited anew",
        &[
            UNDRIVEN,
            ("PUT", "/pmem/p", r#"{"id":"p","path_on_host":"DIR/other"}"#, 204),
            ("PATCH", "/pmem/p", r#"{"id":"p"}"#, 400),
            START,
            ("PATCH", "/pmem/p", r#"{"id":"p","rate_limiter":{"bandwidth":{"size":1000,"refill_time":100}}}"#, 204),
            ("PATCH", "/pmem/p", r#"{"id":"p","rate_limiter":{"ops":{"size":0,"refill_time":0}}}"#, 204),
            ("PATCH", "/pmem/p", r#"{"id":"p"}"#, 204),
            ("PATCH", "/pmem/p", r#"{"id":"q"}"#, 400),
            ("PATCH", "/pmem/q", r#"{"id":"q","rate_limiter":{"ops":{"size":1,"refill_time":1}}}"#, 400),
            ("GET", "/vm/config", "", 200),
        ],
    ),
    (
        "pmem root beside a root",
        &[ROOT, ("PUT", "/pmem/p", r#"{"id":"p","path_on_host":"DIR/other","root_device":true}"#, 400)],
    ),
    (
        "vsock",
        &[
            ("PUT", "/vsock", r#"{"guest_cid":3,"uds_path":"DIR/v.sock"}"#, 204),
            ("PUT", "/vsock", r#"{"guest_cid":4,"uds_path":"DIR/v.sock"}"#, 204),
            ("GET", "/vm/config", "", 200),
        ],
    ),
    ("vsock on a taken path", &[("PUT", "/vsock", r#"{"guest_cid":3,"uds_path":"DIR/disk"}"#, 400)]),
    ("mac", &[("PUT", "/network-interfaces/e", r#"{"iface_id":"e","host_dev_name":"x","guest_mac":"02:00"}"#, 400)]),
    (
        "long tap",
        &[("PUT", "/network-interfaces/e", r#"{"iface_id":"e","host_dev_name":"a-name-that-is-too-long"}"#, 400)],
    ),
];

pub(crate) const MEMORY_THAT_CAN_BE_PLUGGED: &[Row] = &[
    (
        "hotplug memory",
        &[
            ("PUT", "/hotplug/memory", r#"{"total_size_mib":256}"#, 204),
            ("GET", "/vm/config", "", 200),
            ("GET", "/hotplug/memory", "", 400),
            ("PUT", "/hotplug/memory", r#"{"total_size_mib":100}"#, 400),
            ("PUT", "/hotplug/memory", r#"{"total_size_mib":256,"block_size_mib":3}"#, 400),
            ("PUT", "/hotplug/memory", r#"{"total_size_mib":256,"block_size_mib":1}"#, 400),
            ("PUT", "/hotplug/memory", r#"{"total_size_mib":256,"slot_size_mib":64}"#, 400),
        ],
    ),
    (
        "asked of a guest that drives none",
        &[
            UNDRIVEN,
            ("PUT", "/hotplug/memory", r#"{"total_size_mib":256}"#, 204),
            START,
            ("GET", "/hotplug/memory", "", 200),
            ("PATCH", "/hotplug/memory", r#"{"requested_size_mib":128}"#, 400),
            ("PATCH", "/hotplug/memory", r#"{"requested_size_mib":3}"#, 400),
            ("PATCH", "/hotplug/memory", r#"{"requested_size_mib":512}"#, 400),
        ],
    ),
];

pub(crate) const BALLOONS_AND_METADATA: &[Row] = &[
    ("no balloon", &[("GET", "/balloon", "", 400)]),
    (
        "balloon",
        &[
            ("PUT", "/balloon", r#"{"amount_mib":16,"deflate_on_oom":true}"#, 204),
            ("GET", "/balloon", "", 200),
            ("PATCH", "/balloon", r#"{"amount_mib":8}"#, 400),
            ("GET", "/balloon/statistics", "", 400),
            ("PATCH", "/machine-config", r#"{"mem_size_mib":8}"#, 400),
        ],
    ),
    ("large balloon", &[("PUT", "/balloon", r#"{"amount_mib":1000,"deflate_on_oom":true}"#, 400)]),
    (
        "balloon that the guest does not drive",
        &[
            UNDRIVEN,
            (
                "PUT",
                "/balloon",
                r#"{"amount_mib":16,"deflate_on_oom":true,"stats_polling_interval_s":1,"free_page_hinting":true}"#,
                204,
            ),
            START,
            ("GET", "/balloon", "", 200),
            ("PATCH", "/balloon", r#"{"amount_mib":8}"#, 400),
            ("PATCH", "/balloon", r#"{"amount_mib":1000}"#, 400),
            ("PATCH", "/balloon/statistics", r#"{"stats_polling_interval_s":0}"#, 400),
            ("PATCH", "/balloon/statistics", r#"{"stats_polling_interval_s":2}"#, 204),
            ("PATCH", "/balloon/hinting/start", "", 400),
            ("PATCH", "/balloon/hinting/start", r#"{"acknowledge_on_stop":false}"#, 400),
            ("PATCH", "/balloon/hinting/start", r#"{"acknowledge":false}"#, 400),
            ("PATCH", "/balloon/hinting/stop", "", 400),
            ("GET", "/balloon/hinting/status", "", 200),
        ],
    ),
    (
        "balloon without statistics",
        &[
            UNDRIVEN,
            ("PUT", "/balloon", r#"{"amount_mib":0,"deflate_on_oom":false}"#, 204),
            START,
            ("GET", "/balloon/statistics", "", 400),
            ("PATCH", "/balloon/statistics", r#"{"stats_polling_interval_s":2}"#, 400),
            ("PATCH", "/balloon/hinting/stop", "", 400),
            ("GET", "/balloon/hinting/status", "", 400),
        ],
    ),
    ("half a balloon", &[("PUT", "/balloon", r#"{"amount_mib":1}"#, 400)]),
    ("no metadata", &[("GET", "/mmds", "", 200), ("PATCH", "/mmds", r#"{"a":1}"#, 400)]),
    (
        "metadata",
        &[
            ("PUT", "/mmds", r#"{"a":{"b":1,"c":2}}"#, 204),
            ("PATCH", "/mmds", r#"{"a":{"b":null},"d":[1]}"#, 204),
            ("GET", "/mmds", "", 200),
        ],
    ),
    (
        "too much metadata",
        &[
            (
                "PUT",
                "/mmds",
                r#"{"a":"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"}"#,
                413,
            ),
            ("GET", "/mmds", "", 200),
        ],
    ),
    (
        "metadata for nobody",
        &[
            ("PUT", "/mmds/config", r#"{"network_interfaces":[]}"#, 400),
            ("PUT", "/mmds/config", r#"{"network_interfaces":["eth0"]}"#, 400),
            ("PUT", "/mmds/config", r#"{"network_interfaces":["eth0"],"ipv4_address":"10.0.0.1"}"#, 400),
            ("PUT", "/mmds/config", r#"{"network_interfaces":["eth0"],"ipv4_address":"here"}"#, 400),
            ("PUT", "/mmds/config", r#"{"network_interfaces":["eth0"],"version":"V3"}"#, 400),
            ("PUT", "/mmds/elsewhere", "{}", 400),
        ],
    ),
];

pub(crate) const BEFORE_AND_AFTER_THE_START: &[Row] = &[
    ("nothing to start", &[("PUT", "/actions", r#"{"action_type":"InstanceStart"}"#, 400), ("GET", "/", "", 200)]),
    (
        "text to start",
        &[
            ("PUT", "/boot-source", r#"{"kernel_image_path":"DIR/text"}"#, 204),
            ("PUT", "/actions", r#"{"action_type":"InstanceStart"}"#, 400),
            KERNEL,
            START,
            ("GET", "/", "", 200),
        ],
    ),
    (
        "too early",
        &[
            ("PUT", "/actions", r#"{"action_type":"SendCtrlAltDel"}"#, 400),
            ("PUT", "/actions", r#"{"action_type":"FlushMetrics"}"#, 400),
            ("PATCH", "/vm", r#"{"state":"Paused"}"#, 400),
            ("PUT", "/snapshot/create", r#"{"snapshot_path":"a","mem_file_path":"b"}"#, 400),
            ("PATCH", "/drives/a", r#"{"drive_id":"a"}"#, 400),
            ("DELETE", "/drives/a", "", 400),
            ("PATCH", "/hotplug/memory", r#"{"requested_size_mib":0}"#, 400),
            ("PATCH", "/balloon/hinting/start", "", 400),
            ("PATCH", "/network-interfaces/e", r#"{"iface_id":"e"}"#, 400),
        ],
    ),
    (
        "too late",
        &[
            KERNEL,
            START,
            ("PUT", "/actions", r#"{"action_type":"InstanceStart"}"#, 400),
            ("PUT", "/boot-source", r#"{"kernel_image_path":"DIR/kernel"}"#, 400),
            ("PUT", "/machine-config", r#"{"vcpu_count":1,"mem_size_mib":64}"#, 400),
            ("PUT", "/vsock", r#"{"guest_cid":3,"uds_path":"DIR/v.sock"}"#, 400),
            ("PUT", "/entropy", "{}", 400),
            ("PUT", "/serial", "{}", 400),
            ("PUT", "/logger", "{}", 400),
            ("PUT", "/metrics", r#"{"metrics_path":"DIR/m"}"#, 400),
            ("PUT", "/balloon", r#"{"amount_mib":1,"deflate_on_oom":true}"#, 400),
            ("PUT", "/cpu-config", "{}", 400),
            ("PUT", "/hotplug/memory", r#"{"total_size_mib":128}"#, 400),
            ("PUT", "/snapshot/load", r#"{"snapshot_path":"a","mem_file_path":"b"}"#, 400),
            ("GET", "/mmds", "", 400),
            ("PUT", "/mmds", "{}", 400),
            ("GET", "/balloon", "", 400),
            ("GET", "/hotplug/memory", "", 400),
        ],
    ),
    (
        "pause and go on",
        &[
            KERNEL,
            START,
            PAUSE,
            PAUSE,
            ("GET", "/", "", 200),
            ("PATCH", "/vm", r#"{"state":"Resumed"}"#, 204),
            ("PATCH", "/vm", r#"{"state":"Resumed"}"#, 204),
            ("PATCH", "/vm", r#"{"state":"Gone"}"#, 400),
            ("PUT", "/actions", r#"{"action_type":"FlushMetrics"}"#, 204),
        ],
    ),
    (
        "live changes",
        &[
            KERNEL,
            DISK,
            START,
            ("PATCH", "/drives/disk", r#"{"drive_id":"disk","path_on_host":"DIR/other"}"#, 204),
            ("PATCH", "/drives/disk", r#"{"drive_id":"disk","path_on_host":"DIR/none"}"#, 400),
            ("PATCH", "/drives/disk", r#"{"drive_id":"disk"}"#, 400),
            ("PATCH", "/drives/none", r#"{"drive_id":"none","path_on_host":"DIR/other"}"#, 400),
            ("PATCH", "/drives/disk", r#"{"drive_id":"disk","rate_limiter":{"ops":{"size":5,"refill_time":10}}}"#, 204),
            ("PATCH", "/network-interfaces/e", r#"{"iface_id":"e"}"#, 400),
            ("GET", "/vm/config", "", 200),
        ],
    ),
    (
        "no pci",
        &[
            KERNEL,
            START,
            (
                "PUT",
                "/drives/more",
                r#"{"drive_id":"more","is_root_device":false,"is_read_only":false,"path_on_host":"DIR/other"}"#,
                400,
            ),
            ("DELETE", "/drives/more", "", 400),
        ],
    ),
];

pub(crate) const DEVICES_COME_AND_GO_WITH_PCI: &[Row] = &[(
    "hotplug",
    &[
        KERNEL,
        ROOT,
        START,
        (
            "PUT",
            "/drives/more",
            r#"{"drive_id":"more","is_root_device":false,"is_read_only":false,"path_on_host":"DIR/other"}"#,
            204,
        ),
        (
            "PUT",
            "/drives/more",
            r#"{"drive_id":"more","is_root_device":false,"is_read_only":false,"path_on_host":"DIR/other"}"#,
            400,
        ),
        (
            "PUT",
            "/drives/boss",
            r#"{"drive_id":"boss","is_root_device":true,"is_read_only":false,"path_on_host":"DIR/other"}"#,
            400,
        ),
        ("PUT", "/pmem/p", r#"{"id":"p","path_on_host":"DIR/none"}"#, 400),
        ("GET", "/vm/config", "", 200),
        ("DELETE", "/drives/more", "", 204),
        ("DELETE", "/drives/more", "", 400),
        ("DELETE", "/drives/root", "", 400),
        ("DELETE", "/drives", "", 400),
        ("DELETE", "/drives/more", "{}", 400),
    ],
)];

pub(crate) const SNAPSHOTS_ARE_MADE_AND_LOADED: &[Row] = &[
    (
        "not paused",
        &[KERNEL, START, ("PUT", "/snapshot/create", r#"{"snapshot_path":"DIR/s","mem_file_path":"DIR/m"}"#, 400)],
    ),
    ("made", &[KERNEL, START, PAUSE, SNAPSHOT, ("GET", "/", "", 200)]),
    (
        "nowhere",
        &[
            KERNEL,
            START,
            PAUSE,
            ("PUT", "/snapshot/create", r#"{"snapshot_path":"DIR/none/s","mem_file_path":"DIR/m"}"#, 400),
        ],
    ),
    (
        "of a kind",
        &[("PUT", "/snapshot/create", r#"{"snapshot_path":"a","mem_file_path":"b","snapshot_type":"Half"}"#, 400)],
    ),
    (
        "after a configuration",
        &[
            KERNEL,
            (
                "PUT",
                "/snapshot/load",
                r#"{"snapshot_path":"DIR/s","mem_backend":{"backend_type":"File","backend_path":"DIR/m"}}"#,
                400,
            ),
        ],
    ),
    (
        "two memories",
        &[(
            "PUT",
            "/snapshot/load",
            r#"{"snapshot_path":"a","mem_file_path":"b","mem_backend":{"backend_type":"File","backend_path":"c"}}"#,
            400,
        )],
    ),
    ("no memory", &[("PUT", "/snapshot/load", r#"{"snapshot_path":"a"}"#, 400)]),
    (
        "a load that fails ends it",
        &[
            ("PUT", "/snapshot/load", r#"{"snapshot_path":"DIR/text","mem_file_path":"DIR/disk"}"#, 400),
            ("GET", "/", "", 0),
        ],
    ),
];

pub(crate) const NICS: &[Row] = &[
    (
        "nics",
        &[
            ("PUT", "/network-interfaces/e", r#"{"iface_id":"e","host_dev_name":"weftdiff0"}"#, 204),
            ("PUT", "/network-interfaces/f", r#"{"iface_id":"f","host_dev_name":"weftdiff0"}"#, 400),
            (
                "PUT",
                "/network-interfaces/f",
                r#"{"iface_id":"f","host_dev_name":"weftdiff1","guest_mac":"02:00:00:00:00:01"}"#,
                204,
            ),
            (
                "PUT",
                "/network-interfaces/g",
                r#"{"iface_id":"g","host_dev_name":"weftdiff2","guest_mac":"02:00:00:00:00:01"}"#,
                400,
            ),
            ("PUT", "/network-interfaces/h", r#"{"iface_id":"h","host_dev_name":"weftdiff3","mtu":60}"#, 400),
            (
                "PUT",
                "/network-interfaces/e",
                r#"{"iface_id":"e","host_dev_name":"weftdiff0","mtu":1500,"rx_rate_limiter":{"ops":{"size":1,"refill_time":1}}}"#,
                204,
            ),
            ("GET", "/vm/config", "", 200),
        ],
    ),
    (
        "metadata over a nic",
        &[
            ("PUT", "/network-interfaces/e", r#"{"iface_id":"e","host_dev_name":"weftdiff0"}"#, 204),
            ("PUT", "/mmds/config", r#"{"network_interfaces":["e"],"version":"V2"}"#, 204),
            ("PUT", "/mmds/config", r#"{"network_interfaces":["e"],"ipv4_address":"10.0.0.1"}"#, 400),
            ("GET", "/vm/config", "", 200),
            KERNEL,
            START,
            ("PUT", "/mmds", r#"{"a":1}"#, 204),
            ("GET", "/mmds", "", 200),
            (
                "PATCH",
                "/network-interfaces/e",
                r#"{"iface_id":"e","tx_rate_limiter":{"ops":{"size":1,"refill_time":1}}}"#,
                204,
            ),
            ("PATCH", "/network-interfaces/none", r#"{"iface_id":"none"}"#, 400),
        ],
    ),
];
