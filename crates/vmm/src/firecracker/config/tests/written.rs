//! Bodies set against the written API: against the forms below always, and against Firecracker's own
//! specification file where a folder that holds it is named by `WEFT_SPECS`.

use super::*;
use crate::firecracker::rules;
use std::sync::OnceLock;

/// What a field holds.
enum Form {
    Text,
    Number,
    Flag,
    List(&'static str),
    One(&'static [&'static str]),
    /// An object of a form named below.
    Of(&'static str),
}

use Form::{Flag, List, Number, Of, One, Text};

/// A field: its name, what it holds, and whether it must be there.
type Field = (&'static str, Form, bool);

/// Bodies by call, then the objects within them by name.
const FORMS: &[(&str, &[Field])] = &[
    ("PUT /metrics", &[("metrics_path", Text, true)]),
    ("PUT /serial", &[("serial_out_path", Text, false), ("rate_limiter", Of("bucket"), false)]),
    (
        "PUT /machine-config",
        &[
            ("vcpu_count", Number, true),
            ("mem_size_mib", Number, true),
            ("smt", Flag, false),
            ("cpu_template", One(&["C3", "T2", "T2S", "T2CL", "T2A", "V1N1", "None"]), false),
            ("track_dirty_pages", Flag, false),
            ("huge_pages", One(&["None", "Transparent", "2M"]), false),
        ],
    ),
    (
        "PUT /boot-source",
        &[("kernel_image_path", Text, true), ("initrd_path", Text, false), ("boot_args", Text, false)],
    ),
    (
        "PUT /drives/*",
        &[
            ("drive_id", Text, true),
            ("is_root_device", Flag, true),
            ("partuuid", Text, false),
            ("cache_type", One(&["Unsafe", "Writeback"]), false),
            ("path_on_host", Text, false),
            ("is_read_only", Flag, false),
            ("rate_limiter", Of("limiter"), false),
            ("io_engine", One(&["Sync", "Async"]), false),
            ("socket", Text, false),
        ],
    ),
    (
        "PATCH /drives/*",
        &[("drive_id", Text, true), ("path_on_host", Text, false), ("rate_limiter", Of("limiter"), false)],
    ),
    (
        "PUT /network-interfaces/*",
        &[
            ("iface_id", Text, true),
            ("host_dev_name", Text, true),
            ("guest_mac", Text, false),
            ("mtu", Number, false),
            ("rx_rate_limiter", Of("limiter"), false),
            ("tx_rate_limiter", Of("limiter"), false),
        ],
    ),
    (
        "PATCH /network-interfaces/*",
        &[
            ("iface_id", Text, true),
            ("rx_rate_limiter", Of("limiter"), false),
            ("tx_rate_limiter", Of("limiter"), false),
        ],
    ),
    (
        "PUT /pmem/*",
        &[
            ("id", Text, true),
            ("path_on_host", Text, true),
            ("root_device", Flag, false),
            ("read_only", Flag, false),
            ("rate_limiter", Of("limiter"), false),
        ],
    ),
    ("PUT /vsock", &[("guest_cid", Number, true), ("uds_path", Text, true)]),
    ("PUT /entropy", &[("rate_limiter", Of("limiter"), false)]),
    (
        "PUT /balloon",
        &[
            ("amount_mib", Number, true),
            ("deflate_on_oom", Flag, true),
            ("stats_polling_interval_s", Number, false),
            ("free_page_hinting", Flag, false),
            ("free_page_reporting", Flag, false),
        ],
    ),
    ("PATCH /balloon", &[("amount_mib", Number, true)]),
    ("PATCH /balloon/statistics", &[("stats_polling_interval_s", Number, true)]),
    ("PUT /hotplug/memory", &[("total_size_mib", Number, true)]),
    ("PATCH /hotplug/memory", &[("requested_size_mib", Number, true)]),
    (
        "PUT /mmds/config",
        &[
            ("network_interfaces", List("text"), true),
            ("version", One(&["V1", "V2"]), false),
            ("ipv4_address", Text, false),
            ("imds_compat", Flag, false),
        ],
    ),
    ("PUT /actions", &[("action_type", One(&["InstanceStart", "FlushMetrics", "SendCtrlAltDel"]), true)]),
    ("PATCH /vm", &[("state", One(&["Paused", "Resumed"]), true)]),
    (
        "PUT /snapshot/create",
        &[
            ("snapshot_type", One(&["Full", "Diff"]), false),
            ("snapshot_path", Text, true),
            ("mem_file_path", Text, true),
        ],
    ),
    (
        "PUT /snapshot/load",
        &[
            ("snapshot_path", Text, true),
            ("mem_backend", Of("backend"), true),
            ("track_dirty_pages", Flag, false),
            ("enable_diff_snapshots", Flag, false),
            ("network_overrides", List("tap"), false),
            ("vsock_override", Of("uds"), false),
            ("clock_realtime", Flag, false),
        ],
    ),
    ("limiter", &[("bandwidth", Of("bucket"), false), ("ops", Of("bucket"), false)]),
    ("bucket", &[("size", Number, true), ("refill_time", Number, true), ("one_time_burst", Number, false)]),
    ("backend", &[("backend_type", One(&["File", "Uffd"]), true), ("backend_path", Text, true)]),
    ("tap", &[("iface_id", Text, true), ("host_dev_name", Text, true)]),
    ("uds", &[("uds_path", Text, true)]),
];

/// Judges the body of one call.
pub(super) fn judge(call: &Call) -> Result<(), String> {
    let Some(body) = &call.body else { return Ok(()) };
    let rule = rules::of(call).ok_or("there is no such call")?;
    let name = format!("{} {}", rule.method, rule.path);
    // What these two say is the caller's own.
    if !matches!(rule.path, "/mmds" | "/cpu-config") {
        object(&name, body)?;
    }
    match specification() {
        Some(specification) => against(specification, rule, body).map_err(|why| format!("{name}: {why}")),
        None => Ok(()),
    }
}

fn object(form: &str, body: &Value) -> Result<(), String> {
    let (_, fields) = FORMS.iter().find(|(name, _)| *name == form).ok_or_else(|| format!("{form} has no form"))?;
    let object = body.as_object().ok_or_else(|| format!("{form} is no object"))?;
    for (name, value) in object {
        let (_, held, _) =
            fields.iter().find(|(known, ..)| known == name).ok_or_else(|| format!("{form} has no {name}"))?;
        let right = match held {
            Text => value.as_str().is_some_and(|text| !text.is_empty()),
            Number => value.is_u64(),
            Flag => value.is_boolean(),
            One(all) => value.as_str().is_some_and(|text| all.contains(&text)),
            List("text") => value.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(Value::is_string)),
            List(form) => {
                value.as_array().ok_or("no list")?.iter().try_for_each(|one| object_of(form, one))?;
                true
            }
            Of(form) => {
                object_of(form, value)?;
                true
            }
        };
        if !right {
            return Err(format!("{form}: {name} is {value}"));
        }
    }
    let missing = fields.iter().find(|(name, _, required)| *required && !object.contains_key(*name));
    missing.map_or(Ok(()), |(name, ..)| Err(format!("{form} lacks {name}")))
}

fn object_of(form: &str, value: &Value) -> Result<(), String> {
    object(form, value)
}

/// The specification file, read once.
#[expect(clippy::disallowed_methods, reason = "a test finds the file where whoever runs it says")]
fn specification() -> Option<&'static Value> {
    static READ: OnceLock<Option<Value>> = OnceLock::new();
    let read = || {
        let Some(folder) = std::env::var_os("WEFT_SPECS") else {
            println!("skipped: no specification file, for WEFT_SPECS names no folder");
            return None;
        };
        let text = std::fs::read_to_string(Path::new(&folder).join("firecracker.yaml")).unwrap();
        Some(serde_yaml_ng::from_str(&text).unwrap())
    };
    READ.get_or_init(read).as_ref()
}

fn against(specification: &Value, rule: &rules::Rule, body: &Value) -> Result<(), String> {
    let method = rule.method.to_string().to_lowercase();
    let paths = specification["paths"].as_object().ok_or("no paths")?;
    let same = |path: &str| {
        let path = path.split_once('{').map_or(path.to_owned(), |(before, _)| format!("{before}*"));
        path == rule.path
    };
    let call = paths.iter().find(|(path, _)| same(path)).map(|(_, calls)| &calls[method.as_str()]);
    let parameters = call.and_then(|call| call["parameters"].as_array()).ok_or("it is not written")?;
    let said = parameters.iter().find(|parameter| parameter["in"] == "body").ok_or("it has no body")?;
    fits(specification, &said["schema"], body)
}

fn fits(specification: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap_or(name);
        return fits(specification, &specification["definitions"][name], value).map_err(|why| format!("{name}: {why}"));
    }
    let wrong = |why: &str| Err(format!("{value} {why}"));
    if let Some(all) = schema["enum"].as_array()
        && !all.contains(value)
    {
        return wrong("is none of those allowed");
    }
    match schema["type"].as_str() {
        Some("integer") => match value.as_u64() {
            Some(number) if schema["minimum"].as_u64().is_some_and(|least| number < least) => wrong("is too small"),
            Some(number) if schema["maximum"].as_u64().is_some_and(|most| number > most) => wrong("is too large"),
            Some(_) => Ok(()),
            None => wrong("is no integer"),
        },
        Some("boolean") if !value.is_boolean() => wrong("is no boolean"),
        Some("string") if !value.is_string() => wrong("is no string"),
        Some("array") => {
            let all = value.as_array().ok_or_else(|| format!("{value} is no list"))?;
            all.iter().try_for_each(|one| fits(specification, &schema["items"], one))
        }
        Some("object") | None => object_fits(specification, schema, value),
        Some(_) => Ok(()),
    }
}

fn object_fits(specification: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let Some(properties) = schema["properties"].as_object() else { return Ok(()) };
    let object = value.as_object().ok_or_else(|| format!("{value} is no object"))?;
    let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
    if let Some(missing) = required.iter().filter_map(Value::as_str).find(|name| !object.contains_key(*name)) {
        return Err(format!("{missing} is missing"));
    }
    object.iter().try_for_each(|(name, value)| {
        let schema = properties.get(name).ok_or_else(|| format!("there is no {name}"))?;
        fits(specification, schema, value).map_err(|why| format!("{name}: {why}"))
    })
}

#[test]
fn what_changes_a_running_machine_fits_as_well() {
    use crate::firecracker::model as m;
    let limit = Some(RateLimit { bandwidth: None, ops: Some(bucket(5)) });
    let said = |method, path: &str, body: Value| Call::with(method, path, body);
    let json = |body: &dyn Fn() -> serde_json::Result<Value>| body().unwrap();
    let drive = m::PartialDrive {
        drive_id: "a".into(),
        path_on_host: Some("disk_a".into()),
        rate_limiter: Some(m::RateLimiter::instead(limit)),
    };
    let interface = m::PartialInterface {
        iface_id: "a".into(),
        rx_rate_limiter: m::RateLimiter::instead(None),
        tx_rate_limiter: m::RateLimiter::instead(limit),
    };
    let snapshot = m::SnapshotCreate {
        snapshot_type: "Diff",
        snapshot_path: "/s/state".into(),
        mem_file_path: "/s/memory".into(),
    };
    let calls = [
        said(Method::Patch, "/drives/a", json(&|| serde_json::to_value(&drive))),
        said(Method::Patch, "/network-interfaces/a", json(&|| serde_json::to_value(&interface))),
        said(Method::Patch, "/balloon", json(&|| serde_json::to_value(m::BalloonSize { amount_mib: 3 }))),
        said(
            Method::Patch,
            "/balloon/statistics",
            json(&|| serde_json::to_value(m::BalloonInterval { stats_polling_interval_s: 3 })),
        ),
        said(
            Method::Patch,
            "/hotplug/memory",
            json(&|| serde_json::to_value(m::MemoryRequest { requested_size_mib: 2 })),
        ),
        said(Method::Patch, "/vm", json(&|| serde_json::to_value(m::Turn { state: "Paused" }))),
        said(Method::Put, "/actions", json(&|| serde_json::to_value(m::Action { action_type: "FlushMetrics" }))),
        said(Method::Put, "/snapshot/create", json(&|| serde_json::to_value(&snapshot))),
    ];
    for call in &calls {
        assert_eq!(judge(call), Ok(()), "{call:?}");
    }
    let wrong = said(Method::Patch, "/vm", serde_json::json!({"state": "Gone"}));
    assert!(judge(&wrong).is_err() && judge(&said(Method::Put, "/vsock", serde_json::json!({}))).is_err());
}
