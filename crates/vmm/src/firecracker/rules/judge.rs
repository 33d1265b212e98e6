//! Whether a list of calls keeps the rules, for one version.

use super::*;
use serde_json::Value;

/// Judges calls to a fresh Firecracker, in order.
pub(in crate::firecracker) fn judge(calls: &[Call], version: Line, pci: bool) -> Result<(), String> {
    let (mut prepared, mut started) = (false, false);
    for call in calls {
        let named = format!("{} {}", call.method, call.path);
        let rule = of(call).ok_or_else(|| format!("{named}: there is no such call"))?;
        if version < rule.since {
            return Err(format!("{named}: came with {}", rule.since));
        }
        let lawful = match rule.when {
            When::Any => true,
            When::Before => !started,
            When::After => started,
            When::Plug(since) => !started || (pci && version >= since),
        };
        if !lawful || (rule.effect == Effect::Starts && prepared) {
            return Err(format!("{named}: is not lawful here"));
        }
        let is_silent = matches!(call.method, Method::Get | Method::Delete);
        if is_silent != call.body.is_none() {
            return Err(format!("{named}: has a body where none is allowed, or none where one is asked"));
        }
        if let Some(body) = &call.body {
            fields(rule, call, body, version).map_err(|why| format!("{named}: {why}"))?;
        }
        prepared |= rule.effect == Effect::Prepares;
        started |= rule.effect == Effect::Starts || is_start(call);
    }
    Ok(())
}

fn is_start(call: &Call) -> bool {
    call.body.as_ref().is_some_and(|body| body["action_type"] == "InstanceStart")
}

fn fields(rule: &Rule, call: &Call, body: &Value, version: Line) -> Result<(), String> {
    let object = body.as_object().ok_or("its body is no object")?;
    for (path, field, since) in FIELDS {
        if *path == rule.path && object.contains_key(*field) && version < *since {
            return Err(format!("{field} came with {since}"));
        }
    }
    let id = ["drive_id", "iface_id", "id"].iter().find_map(|name| object.get(*name)).and_then(Value::as_str);
    match (rule.path.ends_with('*'), id) {
        (true, id) if id != call.path.rsplit('/').next() => Err("the id is not that of the path".to_owned()),
        (_, _) => Ok(()),
    }
}

#[test]
fn what_is_out_of_order_is_found() {
    let put = |path: &str, body: Value| Call::with(Method::Put, path, body);
    let start = put("/actions", serde_json::json!({"action_type": "InstanceStart"}));
    let drive = put("/drives/a", serde_json::json!({"drive_id": "a", "is_root_device": false}));
    let load = put("/snapshot/load", serde_json::json!({}));
    let pause = Call::with(Method::Patch, "/vm", serde_json::json!({"state": "Paused"}));
    let fine = [drive.clone(), start.clone(), pause.clone(), drive.clone()];
    assert_eq!(judge(&fine, Line(1, 17), true), Ok(()));
    for (calls, version, pci) in [
        (vec![start.clone(), drive.clone()], Line(1, 17), false),
        (vec![start, drive.clone()], Line(1, 15), true),
        (vec![drive.clone(), load], Line(1, 17), true),
        (vec![pause], Line(1, 17), true),
        (vec![put("/drives/a-b", serde_json::json!({"drive_id": "a-b"}))], Line(1, 17), true),
        (vec![put("/drives/b", drive.body.unwrap())], Line(1, 17), true),
        (vec![put("/pmem/a", serde_json::json!({"id": "a"}))], Line(1, 13), true),
        (vec![put("/network-interfaces/a", serde_json::json!({"iface_id": "a", "mtu": 9000}))], Line(1, 15), true),
        (vec![Call::bare(Method::Put, "/vsock")], Line(1, 17), true),
        (vec![put("/nothing", serde_json::json!({}))], Line(1, 17), true),
    ] {
        assert!(judge(&calls, version, pci).is_err(), "{calls:?}");
    }
}
