//! How answers look: tables for people, descriptions, units. Nothing here writes; all is text.

mod counters;
mod describe;
pub mod escapes;
mod event;
mod node;
pub mod paint;
mod snapshot;
pub mod table;
pub mod units;
pub(crate) mod usage;
pub(crate) mod vm;

pub(crate) use counters::counters;
pub(crate) use describe::vm as describe_vm;
pub(crate) use event::{COLUMNS as EVENT_COLUMNS, row as event_row};
pub(crate) use node::{COLUMNS as NODE_COLUMNS, describe as describe_node, row as node_row};
pub(crate) use snapshot::{COLUMNS as SNAPSHOT_COLUMNS, describe as describe_snapshot, row as snapshot_row};
pub(crate) use vm::{columns as vm_columns, row as vm_row};
