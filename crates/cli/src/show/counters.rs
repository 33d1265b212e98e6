//! Counters of a VM's devices as a table.

use super::paint::Paint;
use super::table::{Cell, Table};
use weft_ports::hypervisor::Counters;

/// A row for each counter, by device.
pub(crate) fn counters(counters: &Counters, paint: Paint) -> String {
    let of_device = |(device, all): (&String, &std::collections::BTreeMap<String, u64>)| {
        let row = |(name, count): (&String, &u64)| -> Vec<Cell> {
            vec![device.as_str().into(), name.as_str().into(), count.to_string().into()]
        };
        all.iter().map(row).collect::<Vec<_>>()
    };
    let rows: Vec<Vec<Cell>> = counters.iter().flat_map(of_device).collect();
    Table::new(&["DEVICE", "COUNTER", "VALUE"], paint).whole(&rows)
}
