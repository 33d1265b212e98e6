//! Events as rows.

use super::escapes::printable;
use super::paint::Paint;
use super::table::Cell;
use super::units::moment;
use weft_domain::event::{Event, Severity};

/// The heads of a row.
pub(crate) const COLUMNS: [&str; 5] = ["TIME", "SEVERITY", "VM", "REASON", "MESSAGE"];

/// One event as a row.
pub(crate) fn row(event: &Event, paint: Paint) -> Vec<Cell> {
    let severity = match event.severity {
        Severity::Normal => Cell::from("normal"),
        Severity::Warning => Cell::painted("warning", paint.warning("warning")),
    };
    let vm = event.instance_name.as_ref().map(ToString::to_string).unwrap_or_default();
    vec![moment(event.at).into(), severity, vm.into(), event.reason.as_str().into(), printable(&event.message).into()]
}
