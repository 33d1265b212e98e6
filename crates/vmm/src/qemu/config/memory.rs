//! Memory: what it is made of, the modules and the device by which more is plugged, and NUMA nodes.

use super::place::{Layout, MODULES};
use super::{Blueprint, Bus, Line};
use serde_json::{Value, json};
use weft_domain::spec::{Balloon, HotplugMethod, Memory, Spec};

/// The id of the virtio-mem device.
pub(in crate::qemu) const PLUGGABLE: &str = "pluggable";
/// The id of the balloon.
pub(in crate::qemu) const BALLOON: &str = "balloon";

/// The object that memory of this kind comes from.
pub(in crate::qemu) fn backend(id: &str, bytes: u64, memory: &Memory) -> Value {
    // A memory file can be shared with another process; plain memory is a little cheaper.
    let filed = memory.shared || memory.huge_page_bytes.is_some();
    let kind = if filed { "memory-backend-memfd" } else { "memory-backend-ram" };
    let mut backend = json!({
        "qom-type": kind, "id": id, "size": bytes,
        "share": memory.shared, "merge": memory.mergeable, "prealloc": memory.prefault,
    });
    if let Some(page) = memory.huge_page_bytes {
        backend["hugetlb"] = json!(true);
        backend["hugetlbsize"] = json!(page);
    }
    if memory.reserve {
        backend["reserve"] = json!(true);
    }
    backend
}

/// A memory module: its object and its device.
pub(in crate::qemu) fn module(slot: u64, bytes: u64, memory: &Memory) -> (Value, Value) {
    let id = format!("module{slot}");
    let device = json!({"driver": "pc-dimm", "id": id, "memdev": format!("{id}-bytes"), "slot": slot});
    (backend(&format!("{id}-bytes"), bytes, memory), device)
}

/// Whether more is plugged by a virtio-mem device; else by modules.
pub(in crate::qemu) fn by_device(memory: &Memory) -> bool {
    memory.hotplug_method == HotplugMethod::VirtioMem && memory.hotplug_bytes > 0
}

pub(super) fn add(blueprint: &Blueprint<'_>, line: &mut Line) {
    let (spec, layout) = (&blueprint.order.spec, blueprint.layout);
    let memory = &spec.memory;
    let mut size = format!("size={}M", layout.base_bytes >> 20);
    let room = memory.hotplug_bytes + blueprint.pmem_bytes.iter().sum::<u64>();
    if room > 0 {
        // What was plugged into the first of its kind is not more than it could become.
        let most = spec.memory.size_bytes.max(layout.base_bytes) + room;
        size.push_str(&format!(",slots={MODULES},maxmem={}M", most.div_ceil(1 << 20)));
    }
    line.option("-m", size);
    if spec.numa.is_empty() {
        line.json("-object", &backend("ram", layout.base_bytes, memory));
    } else {
        numa(spec, line);
    }
}

/// Nodes, each with one zone.
fn numa(spec: &Spec, line: &mut Line) {
    for zone in &spec.memory.zones {
        let mut bytes = backend(&format!("zone-{}", zone.name), zone.size_bytes, &spec.memory);
        if let Some(node) = zone.host_numa_node {
            bytes["host-nodes"] = json!([node]);
            bytes["policy"] = json!("bind");
        }
        line.json("-object", &bytes);
    }
    for node in &spec.numa {
        let cpus: String = node.cpus.iter().map(|cpu| format!(",cpus={cpu}")).collect();
        let zone: String = node.zones.iter().map(|zone| format!(",memdev=zone-{zone}")).collect();
        line.option("-numa", format!("node,nodeid={}{cpus}{zone}", node.id));
    }
    for node in &spec.numa {
        for (other, distance) in &node.distances {
            line.option("-numa", format!("dist,src={},dst={other},val={distance}", node.id));
        }
    }
}

/// What was plugged already, the device by which more is, and the balloon.
pub(super) fn devices(blueprint: &Blueprint<'_>, bus: &mut Bus, line: &mut Line) {
    let memory = &blueprint.order.spec.memory;
    let Layout { modules, asked_bytes, .. } = blueprint.layout;
    for plugged in modules {
        let (object, mut device) = module(plugged.slot, plugged.bytes, memory);
        device["addr"] = json!(plugged.address);
        line.json("-object", &object);
        line.json("-device", &device);
    }
    if by_device(memory) {
        let mut object = backend(&format!("{PLUGGABLE}-bytes"), memory.hotplug_bytes, memory);
        // Most of it may never be asked for.
        object["prealloc"] = json!(false);
        if object["qom-type"] == "memory-backend-ram" {
            object["reserve"] = json!(false);
        }
        line.json("-object", &object);
        let device = json!({"id": PLUGGABLE, "memdev": format!("{PLUGGABLE}-bytes"), "requested-size": asked_bytes});
        line.json("-device", &bus.root(bus.name("virtio-mem", device)));
    }
    if let Some(balloon) = &memory.balloon {
        line.json("-device", &bus.root(bus.name("virtio-balloon", self::balloon(balloon))));
    }
}

fn balloon(balloon: &Balloon) -> Value {
    json!({
        "id": BALLOON, "deflate-on-oom": balloon.deflate_on_oom,
        "free-page-reporting": balloon.free_page_reporting,
    })
}
