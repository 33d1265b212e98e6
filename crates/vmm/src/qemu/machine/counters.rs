//! Counters of devices, under QEMU's own names. Of interfaces QEMU keeps none.

use super::owner::{Owner, Trouble};
use crate::qemu::config::memory::BALLOON;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use weft_ports::hypervisor::Counters;

impl Owner {
    /// The counters of its disks, and what the guest told of its memory last.
    pub(super) async fn count(&mut self) -> Result<Counters, Trouble> {
        let mut counters = disks(&self.call("query-blockstats", Value::Null).await?);
        let Some(balloon) = self.shared.running().memory.balloon else { return Ok(counters) };
        let mut counted = numbers(&self.call("query-balloon", Value::Null).await?);
        if balloon.statistics_seconds > 0 {
            let path = json!({"path": format!("/machine/peripheral/{BALLOON}"), "property": "guest-stats"});
            let told = self.call("qom-get", path).await?;
            counted.extend(numbers(&told["stats"]));
        }
        counters.insert(BALLOON.to_owned(), counted);
        Ok(counters)
    }
}

fn disks(answer: &Value) -> Counters {
    let one = |entry: &Value| {
        // The path of the device, or of the part of it that is virtio.
        let path = entry["qdev"].as_str()?;
        let name = path.split('/').find_map(|part| part.strip_prefix("blk-"))?;
        Some((name.to_owned(), numbers(&entry["stats"])))
    };
    answer.as_array().into_iter().flatten().filter_map(one).collect()
}

fn numbers(fields: &Value) -> BTreeMap<String, u64> {
    let fields = fields.as_object().into_iter().flatten();
    // A statistic that the guest did not tell is all ones.
    fields.filter_map(|(name, value)| Some((name.clone(), value.as_u64().filter(|n| *n != u64::MAX)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disks_are_counted_by_their_names() {
        let answer = json!([
            {"qdev": "/machine/peripheral/blk-root/virtio-backend", "stats": {"rd_bytes": 512, "timed_stats": []}},
            {"qdev": "blk-data", "stats": {"wr_bytes": 1}},
            {"device": "", "stats": {"rd_bytes": 7}},
        ]);
        let counted = disks(&answer);
        assert_eq!(counted["root"], BTreeMap::from([("rd_bytes".to_owned(), 512)]));
        assert_eq!(counted["data"]["wr_bytes"], 1);
        assert_eq!(counted.len(), 2);
        assert!(numbers(&json!({"stat-swap-in": u64::MAX})).is_empty());
    }
}
