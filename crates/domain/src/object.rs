//! What the store keeps: objects under keys, each change at a revision.

use crate::event::Event;
use crate::node::Node;
use crate::node::Orphans;
use crate::snapshot::Snapshot;
use crate::{EventId, Instance, InstanceId, Name, NodeId, SnapshotId, Time};
use std::fmt;

/// The store's clock: counts commits, from 1. Zero is before all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Revision(pub u64);

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The sorts of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sort {
    /// An instance.
    Instance,
    /// Who has a name.
    Name,
    /// The answer to a request.
    Request,
    /// An event.
    Event,
    /// A node.
    Node,
    /// A snapshot.
    Snapshot,
    /// Which snapshot has a name.
    SnapshotName,
}

impl Sort {
    /// Every sort.
    pub const ALL: [Self; 7] =
        [Self::Instance, Self::Name, Self::Request, Self::Event, Self::Node, Self::Snapshot, Self::SnapshotName];
}

/// What an object is found by. Keys of a sort are ordered as their fields are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// An instance, by id.
    Instance(InstanceId),
    /// Who has this name in this project.
    Name(Name, Name),
    /// The answer to a request, by the hash of caller, method and request id.
    Request([u8; 32]),
    /// An event, by id: oldest first.
    Event(EventId),
    /// A node, by id.
    Node(NodeId),
    /// A snapshot, by id.
    Snapshot(SnapshotId),
    /// Which snapshot has this name in this project.
    SnapshotName(Name, Name),
}

impl Key {
    /// The sort of object that is under it.
    #[must_use]
    pub const fn sort(&self) -> Sort {
        match self {
            Self::Instance(_) => Sort::Instance,
            Self::Name(..) => Sort::Name,
            Self::Request(_) => Sort::Request,
            Self::Event(_) => Sort::Event,
            Self::Node(_) => Sort::Node,
            Self::Snapshot(_) => Sort::Snapshot,
            Self::SnapshotName(..) => Sort::SnapshotName,
        }
    }
}

/// One object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Object {
    /// An instance.
    Instance(Box<Instance>),
    /// Who has a name.
    Name(InstanceId),
    /// The answer to a request.
    Request(Box<Answered>),
    /// An event.
    Event(Box<Event>),
    /// A node.
    Node(Box<Node>),
    /// A snapshot.
    Snapshot(Box<Snapshot>),
    /// Which snapshot has a name.
    SnapshotName(SnapshotId),
}

impl Object {
    /// Its sort.
    #[must_use]
    pub const fn sort(&self) -> Sort {
        match self {
            Self::Instance(_) => Sort::Instance,
            Self::Name(_) => Sort::Name,
            Self::Request(_) => Sort::Request,
            Self::Event(_) => Sort::Event,
            Self::Node(_) => Sort::Node,
            Self::Snapshot(_) => Sort::Snapshot,
            Self::SnapshotName(_) => Sort::SnapshotName,
        }
    }
}

/// The answer that a request was given, kept so that its repetition gets the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The hash of the request's body.
    pub body: [u8; 32],
    /// When it was answered.
    pub at: Time,
    /// The resource, as it was answered.
    pub answer: Answer,
    /// The revision of the resource in the answer; zero where one commit wrote both, so that it is the
    /// revision of this record.
    pub revision: Revision,
}

/// What a request was answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// An instance.
    Instance(Box<Instance>),
    /// A snapshot.
    Snapshot(Box<Snapshot>),
    /// What was to be removed was not there.
    Absent,
    /// What a node lets go.
    Orphans(Orphans),
}

/// An object with the revision at which it last changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored<T> {
    /// The object.
    pub value: T,
    /// When it last changed.
    pub revision: Revision,
}
