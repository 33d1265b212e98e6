//! Disks: the bytes as block nodes, the device above them, and what they are limited to.

use super::place::{self, Sort};
use super::{Medium, text};
use crate::qemu::Error;
use serde_json::{Value, json};
use std::path::Path;
use weft_domain::spec::{Disk, DiskCache, DiskFormat, RateLimit, TokenBucket};
use weft_ports::hypervisor::Backing;

/// A disk's bytes: the file, and the format above it. Nothing is guessed from its content.
pub(in crate::qemu) fn block_node(node: &str, disk: &Disk, backing: &Backing, medium: Medium) -> Result<Value, Error> {
    let driver = match medium {
        Medium::File => "file",
        Medium::Device => "host_device",
    };
    let mut cache = json!({"direct": disk.direct});
    if disk.cache == DiskCache::Unsafe {
        cache["no-flush"] = json!(true);
    }
    let kept = disk.read_only || disk.sparse == Some(false);
    let discard = if kept { "ignore" } else { "unmap" };
    let file = json!({
        "driver": driver, "filename": text(&backing.path)?, "read-only": disk.read_only,
        "discard": discard, "cache": cache,
    });
    let mut node = json!({
        "node-name": node, "read-only": disk.read_only,
        "discard": discard, "cache": cache, "file": file,
    });
    match backing.format {
        DiskFormat::Raw => node["driver"] = json!("raw"),
        DiskFormat::Qcow2 => {
            node["driver"] = json!("qcow2");
            // An image must not lead to files that its owner did not name.
            node["backing"] = Value::Null;
        }
    }
    Ok(node)
}

/// The device above a block node, without its place.
pub(in crate::qemu) fn device(disk: &Disk, node: &str) -> Value {
    let mut device = json!({"id": Sort::Disk.id(&disk.name), "drive": node});
    if let Some(serial) = &disk.serial {
        device["serial"] = json!(serial);
    }
    shape(disk, device)
}

/// The device of a disk that another process plays; its character device is made before.
pub(in crate::qemu) fn played(disk: &Disk) -> Value {
    let id = Sort::Disk.id(&disk.name);
    shape(disk, json!({"chardev": format!("{id}-socket"), "id": id}))
}

fn shape(disk: &Disk, mut device: Value) -> Value {
    if disk.queues > 0 {
        device["num-queues"] = json!(disk.queues);
    }
    if disk.queue_size > 0 {
        device["queue-size"] = json!(disk.queue_size);
    }
    if disk.iommu {
        device["iommu_platform"] = json!(true);
    }
    device
}

/// The node that a disk has at its start.
pub(in crate::qemu) fn node(disk: &Disk) -> String {
    place::node("disk", &disk.name)
}

/// A socket of another process that QEMU connects to, as an option.
pub(in crate::qemu) fn socket(id: &str, path: &Path) -> Result<String, Error> {
    Ok(format!("socket,id={id},path={}", super::escaped(path)?))
}

/// A limit in the words of `block_set_io_throttle`, without the device; `None` lifts it.
///
/// A token bucket that fills in a second or more is QEMU's own: its rate, and its size as what may go at
/// once. One that fills faster has the rate, and QEMU's least bucket of a tenth of a second.
pub(in crate::qemu) fn throttle(limit: Option<&RateLimit>) -> Value {
    let (bytes, bytes_at_once) = rate(limit.and_then(|limit| limit.bandwidth));
    let (ops, ops_at_once) = rate(limit.and_then(|limit| limit.ops));
    json!({
        "bps": bytes, "bps_rd": 0, "bps_wr": 0, "bps_max": bytes_at_once,
        "iops": ops, "iops_rd": 0, "iops_wr": 0, "iops_max": ops_at_once,
    })
}

/// Tokens in a second, and the most at once where that is more.
fn rate(bucket: Option<TokenBucket>) -> (u64, u64) {
    let Some(TokenBucket { size, refill_ms, .. }) = bucket else { return (0, 0) };
    let per_second = (u128::from(size) * 1_000).div_ceil(u128::from(refill_ms.max(1)));
    // QEMU's own bound.
    let per_second = u64::try_from(per_second).unwrap_or(u64::MAX).clamp(1, 1_000_000_000_000_000);
    (per_second, if size >= per_second { size.min(1_000_000_000_000_000) } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_bucket_is_a_rate_and_what_may_go_at_once() {
        let bucket = |size, refill_ms| Some(TokenBucket { size, refill_ms, one_time_burst: 0 });
        assert_eq!(rate(bucket(10 << 20, 10_000)), (1 << 20, 10 << 20));
        assert_eq!(rate(bucket(1_000, 1_000)), (1_000, 1_000));
        assert_eq!(rate(bucket(100, 100)), (1_000, 0));
        assert_eq!(rate(bucket(u64::MAX, 1)), (1_000_000_000_000_000, 1_000_000_000_000_000));
        assert_eq!(rate(None), (0, 0));
        let lifted = throttle(None);
        assert!(lifted.as_object().unwrap().values().all(|value| value == 0));
    }
}
