//! VMs as rows.

use super::paint::Paint;
use super::table::Cell;
use super::units;
use std::collections::BTreeMap;
use weft_domain::spec::{Accelerator, Machine, RestartPolicy};
use weft_domain::{Instance, NodeId, Time};

/// Names of nodes, as far as they are known.
pub(crate) type NodeNames = BTreeMap<NodeId, String>;

/// What a row of a VM shows beside the usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Columns {
    /// Whether the project comes first.
    pub(crate) scope: Scope,
    /// Ids, drivers and addresses come last.
    pub(crate) wide: bool,
}

/// Whose VMs are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Those of one project.
    Project,
    /// Those of all, each with its project.
    All,
}

/// What a row is seen by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    /// What it shows.
    pub(crate) columns: Columns,
    /// Names of nodes.
    pub(crate) nodes: &'a NodeNames,
    /// Ages count to here.
    pub(crate) now: Time,
    /// Its colours.
    pub(crate) paint: Paint,
}

/// The heads of these columns.
pub(crate) fn columns(shown: Columns) -> Vec<&'static str> {
    let mut heads = if shown.scope == Scope::All { vec!["PROJECT"] } else { Vec::new() };
    heads.extend(["NAME", "PHASE", "CPUS", "MEMORY", "NODE", "AGE"]);
    if shown.wide {
        heads.extend(["ID", "DRIVER", "MACHINE", "PID", "ADDRESSES", "RESTARTS"]);
    }
    heads
}

/// One VM as a row.
pub(crate) fn row(vm: &Instance, view: View<'_>) -> Vec<Cell> {
    let (meta, status) = (&vm.meta, &vm.status);
    let mut row: Vec<Cell> = Vec::new();
    if view.columns.scope == Scope::All {
        row.push(meta.project.as_str().into());
    }
    row.push(meta.name.as_str().into());
    row.push(Cell::painted(status.phase.as_str(), view.paint.phase(status.phase)));
    row.push(vm.spec.cpu.boot.to_string().into());
    row.push(units::bytes(vm.spec.memory.size_bytes).into());
    row.push(node_name(vm, view.nodes).into());
    row.push(units::age(view.now.since(meta.create_time)).into());
    if view.columns.wide {
        let running = status.running.as_ref();
        row.push(meta.id.to_string().into());
        row.push(running.map(|running| running.driver.clone()).unwrap_or_default().into());
        row.push(running.map(|running| machine(running.machine)).unwrap_or_default().into());
        row.push(running.map(|running| running.pid.to_string()).unwrap_or_default().into());
        row.push(addresses(vm).into());
        row.push(status.restarts.to_string().into());
    }
    row
}

/// The node of a VM: its name, or its id where the name is not known.
pub(crate) fn node_name(vm: &Instance, nodes: &NodeNames) -> String {
    let Some(placement) = vm.placement else { return String::new() };
    nodes.get(&placement.node).cloned().unwrap_or_else(|| placement.node.to_string())
}

/// The guest's addresses, with commas between.
pub(crate) fn addresses(vm: &Instance) -> String {
    let all: Vec<_> = vm.status.addresses.iter().map(ToString::to_string).collect();
    all.join(",")
}

/// A machine model's name.
pub(crate) const fn machine(machine: Machine) -> &'static str {
    match machine {
        Machine::Auto => "auto",
        Machine::Microvm => "microvm",
        Machine::Pc => "pc",
        Machine::Q35 => "q35",
    }
}

/// An accelerator's name.
pub(crate) const fn accelerator(accelerator: Accelerator) -> &'static str {
    match accelerator {
        Accelerator::Auto => "auto",
        Accelerator::Kvm => "kvm",
        Accelerator::Tcg => "tcg",
    }
}

/// A restart policy's name.
pub(crate) const fn restart(policy: RestartPolicy) -> &'static str {
    match policy {
        RestartPolicy::Never => "never",
        RestartPolicy::OnFailure => "on-failure",
        RestartPolicy::Always => "always",
    }
}
