//! A snapshot: a VM at one moment, kept on a node, to which it can return and from which others can begin.
//!
//! ```text
//!  PENDING → READY → DELETING → gone
//!      └───► FAILED ──┘
//! ```

use crate::label::Annotations;
use crate::spec::{Disk, DiskFormat, DiskSource, Draft, Mac, Spec};
use crate::{InstanceId, Labels, Name, NodeId, Phase, SnapshotId, Time, Violation};

/// A VM at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Its id.
    pub id: SnapshotId,
    /// Its name, unique among the snapshots of the project.
    pub name: Name,
    /// The project that owns it.
    pub project: Name,
    /// What it is selected by.
    pub labels: Labels,
    /// Text that weft keeps and never reads.
    pub annotations: Annotations,
    /// When it was asked for.
    pub create_time: Time,
    /// The VM that it is of; it may be gone by now.
    pub instance: InstanceId,
    /// That VM's name.
    pub instance_name: Name,
    /// Where it is kept.
    pub node: NodeId,
    /// What is kept.
    pub scope: Scope,
    /// The snapshot whose memory this one's completes, for a difference.
    pub parent: Option<SnapshotId>,
    /// The specification that the VM ran with.
    pub spec: Spec,
    /// Where it is in its life.
    pub phase: SnapshotPhase,
    /// What was kept; empty until it is ready.
    pub content: Content,
    /// Why it failed, or what its removal waits for; empty otherwise.
    pub message: String,
}

/// What a snapshot keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Disks, devices and the whole memory.
    #[default]
    Full,
    /// The same, but of the memory only what changed since the parent.
    Difference,
    /// Disks alone, of a VM that may be stopped.
    Disks,
    /// Disks, devices and the whole memory, inside the VM's own disks: it is where they are, and goes with them.
    Internal,
}

/// Where a snapshot is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SnapshotPhase {
    /// The node is asked to take it.
    Pending,
    /// It is whole, and can be used.
    Ready,
    /// It could not be taken; nothing of it is kept.
    Failed,
    /// It is being removed.
    Deleting,
}

impl SnapshotPhase {
    /// Every phase.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Ready, Self::Failed, Self::Deleting];

    /// Its name, as people write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Ready => "READY",
            Self::Failed => "FAILED",
            Self::Deleting => "DELETING",
        }
    }
}

/// What was kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Content {
    /// The driver that wrote it, with its version: `firecracker 1.17.0`. Another cannot read it.
    pub driver: String,
    /// When the VM was held for it.
    pub taken: Option<Time>,
    /// Its files.
    pub parts: Vec<Part>,
}

impl Content {
    /// Bytes of all parts.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.parts.iter().map(|part| part.bytes).fold(0, u64::saturating_add)
    }
}

/// One file of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it holds.
    pub role: Role,
    /// Its name in the snapshot's folder.
    pub file: String,
    /// How long it is, in bytes; holes count.
    pub bytes: u64,
    /// The SHA-256 of its bytes; holes count as zeros.
    pub sha256: [u8; 32],
}

/// What a part of a snapshot holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The guest's memory.
    Memory,
    /// The state of CPUs and devices.
    State,
    /// How the VMM was set up.
    Config,
    /// The disk of this name.
    Disk(String),
}

/// How a VM that begins from a snapshot differs from the one that it was taken of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Identity {
    /// It is the same VM.
    Same,
    /// It is another VM: it has its own addresses, context id, host name and disks.
    New,
}

/// The specification of a VM that begins from a snapshot as another VM.
///
/// # Laws
/// What identifies the first VM is made anew: hardware addresses, the vsock context id, ports of the
/// host that lead to it. Disks that can be written become its own copies; what is only read is shared.
#[must_use]
pub fn forked(spec: &Spec, id: &InstanceId, disk_bytes: impl Fn(&str) -> Option<u64>) -> Draft {
    let mut draft = spec.clone().into_draft();
    for (i, nic) in draft.nics.iter_mut().enumerate() {
        nic.mac = Some(Mac::derived(id, u8::try_from(i).unwrap_or(u8::MAX)));
        nic.ip = None;
        if let crate::spec::Attachment::User { forwards } = &mut nic.attachment {
            forwards.clear();
        }
    }
    if let Some(vsock) = &mut draft.vsock {
        let [.., a, b, c, d] = *id.as_bytes();
        // Context ids 0 to 2 and the last are taken.
        vsock.cid = (u32::from_be_bytes([a, b, c, d]) & 0x7fff_ffff) | 0x4000_0000;
    }
    for disk in &mut draft.disks {
        let bytes = disk_bytes(&disk.name);
        if let (false, DiskSource::Path(_) | DiskSource::Blank { .. }, Some(size_bytes)) =
            (disk.read_only, &disk.source, bytes)
        {
            disk.source = DiskSource::Blank { size_bytes };
        }
    }
    draft
}

/// Whether a snapshot of this scope can be taken of an instance in this phase.
#[must_use]
pub const fn can_be_taken(phase: Phase, scope: Scope) -> bool {
    let lives = matches!(phase, Phase::Running | Phase::Paused);
    match scope {
        Scope::Full | Scope::Difference | Scope::Internal => lives,
        Scope::Disks => lives || phase.at_rest(),
    }
}

/// What keeps a machine from being kept inside its own disks: each that can be written must be a
/// copy-on-write image, and there must be one.
#[must_use]
pub fn no_room_inside(draft: &Draft) -> Vec<Violation> {
    let written = || draft.disks.iter().enumerate().filter(|(_, disk)| !disk.read_only);
    if written().next().is_none() {
        let why = "has none that can be written, inside which it could be kept";
        return vec![Violation { field: "vm.spec.disks".to_owned(), why: why.to_owned() }];
    }
    let raw = written().filter(|(_, disk)| disk.format != DiskFormat::Qcow2);
    let why = |disk: &Disk| format!("disk {:?} is no copy-on-write image, so nothing can be kept inside it", disk.name);
    raw.map(|(i, disk)| Violation { field: format!("vm.spec.disks[{i}].format"), why: why(disk) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Attachment, Nic, Vsock};

    #[test]
    fn a_fork_shares_nothing_that_names_it() {
        let first = InstanceId::new(Time::from_millis(1), [1; 10]);
        let second = InstanceId::new(Time::from_millis(2), [9; 10]);
        let mut draft = Draft::default();
        let mut nic = Nic::new("nic0", Attachment::User { forwards: Vec::new() });
        nic.mac = Some(Mac::derived(&first, 0));
        draft.nics.push(nic);
        draft.vsock = Some(Vsock { cid: 3, pci_segment: 0, iommu: false });
        draft.disks.push(Disk::new("data", DiskSource::Path("/images/a.raw".into())));
        let mut shared = Disk::new("tools", DiskSource::Path("/images/b.raw".into()));
        shared.read_only = true;
        draft.disks.push(shared);
        let spec = draft.check().unwrap();
        let fork = forked(&spec, &second, |name| (name == "data").then_some(4096));
        assert_ne!(fork.nics[0].mac, spec.nics[0].mac);
        assert!(fork.vsock.is_some_and(|vsock| vsock.cid > 3 && vsock.cid != u32::MAX));
        assert_eq!(fork.disks[0].source, DiskSource::Blank { size_bytes: 4096 });
        assert_eq!(fork.disks[1].source, spec.disks[1].source);
    }

    #[test]
    fn only_images_that_can_be_written_hold_a_machine() {
        let image = |name: &str, format, read_only| {
            let disk = Disk::new(name, DiskSource::Path(format!("/images/{name}").into()));
            Disk { format, read_only, ..disk }
        };
        let fields = |disks| {
            let found = no_room_inside(&Draft { disks, ..Draft::default() });
            found.into_iter().map(|found| found.field).collect::<Vec<_>>()
        };
        let (root, raw) = (image("root", DiskFormat::Qcow2, false), image("data", DiskFormat::Raw, false));
        let tools = image("tools", DiskFormat::Raw, true);
        assert_eq!(fields(vec![root.clone(), tools.clone()]), Vec::<String>::new());
        assert_eq!(fields(vec![tools.clone(), raw.clone(), root]), ["vm.spec.disks[1].format"]);
        assert_eq!(fields(vec![tools]), ["vm.spec.disks"]);
        assert!(can_be_taken(Phase::Paused, Scope::Internal) && !can_be_taken(Phase::Stopped, Scope::Internal));
    }
}
