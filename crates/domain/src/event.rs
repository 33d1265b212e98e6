//! What happened, for people and for watchers.

use crate::{EventId, InstanceId, Name, NodeId, Phase, Time};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its id; later events have later ids.
    pub id: EventId,
    /// When it happened.
    pub at: Time,
    /// The project it belongs to.
    pub project: Name,
    /// The instance it is about.
    pub instance: Option<InstanceId>,
    /// The instance's name at the time.
    pub instance_name: Option<Name>,
    /// The node it happened on.
    pub node: Option<NodeId>,
    /// Whether somebody should look at it.
    pub severity: Severity,
    /// One word for machines, in upper camel case: `Created`, `Booting`, `Exited`.
    pub reason: String,
    /// One sentence for people.
    pub message: String,
    /// The phase after it.
    pub phase: Option<Phase>,
}

/// Whether somebody should look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// All is well.
    Normal,
    /// Somebody should look.
    Warning,
}
