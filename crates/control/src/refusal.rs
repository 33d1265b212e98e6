//! What callers are told when they are refused: each refusal in one place, with what to do about it.

use weft_domain::lifecycle::Refused;
use weft_domain::snapshot::Snapshot;
use weft_domain::{Fault, Name, NodeId, Reason};
use weft_ports::api::{SnapshotRef, VmRef};

/// There is no such VM.
pub(crate) fn no_vm(vm: &VmRef) -> Fault {
    let which = match vm {
        VmRef::Id(id) => format!("there is no VM {id}"),
        VmRef::Named { project, name } => format!("there is no VM {name} in project {project}"),
    };
    Fault::new(Reason::VmNotFound, which).fix("`weft vm list` shows the VMs that there are")
}

/// There was no such VM when this request was answered first.
pub(crate) fn was_absent() -> Fault {
    Fault::new(Reason::VmNotFound, "there was no such VM when this request was answered first")
        .fix("send it again under another request id")
}

/// A snapshot is inside the disks of the VM.
pub(crate) fn holds(snapshot: &Snapshot) -> Fault {
    let why = format!("snapshot {} is kept inside the VM's disks", snapshot.name);
    Fault::field(Reason::InUse, "vm", why).fix("delete that snapshot first")
}

/// There is no such snapshot.
pub(crate) fn no_snapshot(snapshot: &SnapshotRef) -> Fault {
    let which = match snapshot {
        SnapshotRef::Id(id) => format!("there is no snapshot {id}"),
        SnapshotRef::Named { project, name } => format!("there is no snapshot {name} in project {project}"),
    };
    Fault::new(Reason::SnapshotNotFound, which).fix("`weft snapshot list` shows the snapshots that there are")
}

/// There is no such node.
pub(crate) fn no_node(node: &str) -> Fault {
    Fault::new(Reason::NodeNotFound, format!("there is no node {node:?}"))
        .fix("`weft node list` shows the nodes that there are")
}

/// The node's agent is not connected.
pub(crate) fn node_away(node: Option<NodeId>) -> Fault {
    let why = match node {
        Some(node) => format!("{node} is out of reach: its agent is not connected"),
        None => "the VM is on no node".to_owned(),
    };
    Fault::new(Reason::NodeAway, why).fix("wait until its agent is back, then try again").retry_after(1_000)
}

/// The name is taken.
pub(crate) fn name_taken(name: &Name, project: &Name, field: &str) -> Fault {
    let why = format!("{name} is taken in project {project}");
    Fault::field(Reason::NameTaken, field, why).fix("choose another name, or delete the VM that has it")
}

/// The etag in this field is another. How etags are written is not known here, so the current one is not told.
pub(crate) fn etag(field: &str) -> Fault {
    Fault::field(Reason::EtagMismatch, field, "is not the current one: somebody changed the VM since it was read")
        .fix("read the VM again and repeat the change on what it is now")
}

/// The etag of a snapshot is another.
pub(crate) fn snapshot_etag() -> Fault {
    Fault::field(Reason::EtagMismatch, "etag", "is not the current one: the snapshot has changed since it was read")
        .fix("read the snapshot again, then decide")
}

/// The verb is not lawful in this phase.
pub(crate) fn phase(refused: &Refused) -> Fault {
    Fault::new(Reason::PhaseForbids, refused.to_string()).fix(refused.fix())
}

/// Others were faster too often.
pub(crate) fn contended() -> Fault {
    Fault::new(Reason::WriteConflict, "other writes to the VM came first, again and again")
        .fix("try again")
        .retry_after(100)
}

/// The request id came with another body.
pub(crate) fn reused() -> Fault {
    Fault::field(Reason::RequestIdReused, "request_id", "was used before with another body")
        .fix("use a new request id for a new request")
}

/// Control is closing.
pub(crate) fn closing() -> Fault {
    Fault::new(Reason::Away, "weft is closing").fix("try again when it is back").retry_after(1_000)
}
