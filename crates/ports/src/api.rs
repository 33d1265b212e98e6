//! What a caller may ask of weft, in domain words.
//!
//! `control` implements these; `api`'s client implements them from afar; command line, console and
//! operator hold them and do not know which it is.
//!
//! # Laws
//! A mutation with a request id that was seen before gets the first answer, whatever happened since;
//! with another body it is refused. A verb commits what is desired, then waits until it is reached or
//! the caller's time is up, and answers the resource as it then is. A caller that goes away loses
//! nothing.

mod devices;
mod snapshots;
mod usage;

pub use devices::{Alter, Devices};
pub use snapshots::{Fork, KeptSnapshot, NewSnapshot, SnapshotRef, SnapshotRemoval, Snapshots};
pub use usage::{ExportChunk, ExportFormat, Grain, Subject, Usage, UsageLine, UsageQuery, UsageScope};

use bytes::Bytes;
use futures::stream::BoxStream;
use std::time::Duration;
use weft_domain::census::Census;
use weft_domain::event::Event;
use weft_domain::instance::StopHow;
use weft_domain::label::Annotations;
use weft_domain::node::{Node, Orphans};
use weft_domain::object::{Revision, Stored};
use weft_domain::spec::Spec;
use weft_domain::{Fault, Instance, InstanceId, Labels, Name};

/// A stream that may end with a refusal.
pub type Answers<T> = BoxStream<'static, Result<T, Fault>>;

/// A VM with its revision, which is its etag.
pub type Vm = Stored<Instance>;

/// Who asks, and on which terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Who asks.
    pub caller: String,
    /// Makes a repetition of a mutation safe; 1 to 128 bytes.
    pub request_id: Option<String>,
    /// The hash of the request's body without its request id.
    pub body: [u8; 32],
    /// How long the caller waits from now; `None` where the caller did not say.
    pub timeout: Option<Duration>,
}

impl Call {
    /// A call by this caller with no request id and no deadline.
    #[must_use]
    pub fn by(caller: impl Into<String>) -> Self {
        Self { caller: caller.into(), request_id: None, body: [0; 32], timeout: None }
    }
}

/// Which VM is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum VmRef {
    /// The one with this id.
    Id(InstanceId),
    /// The one with this name in this project.
    Named {
        /// The project.
        project: Name,
        /// The name.
        name: Name,
    },
}

/// A VM that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVm {
    /// The project.
    pub project: Name,
    /// Its name; made from its id where none is given.
    pub name: Option<Name>,
    /// What it is selected by.
    pub labels: Labels,
    /// Text that weft keeps and never reads.
    pub annotations: Annotations,
    /// What is asked.
    pub spec: Spec,
    /// What is to be done beyond recording it.
    pub mode: CreateMode,
}

/// What a create does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum CreateMode {
    /// Makes it, and answers when it is CREATED.
    #[default]
    Create,
    /// Makes and boots it, and answers when it is RUNNING.
    Boot,
    /// Checks everything and makes nothing.
    ValidateOnly,
}

/// A change that is asked for: `None` leaves a part as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which VM.
    pub vm: VmRef,
    /// Only if this is its revision.
    pub etag: Option<Revision>,
    /// All labels.
    pub labels: Option<Labels>,
    /// All annotations.
    pub annotations: Option<Annotations>,
    /// The whole specification.
    pub spec: Option<Spec>,
    /// Whether anything is changed or only checked.
    pub validate_only: bool,
}

/// A removal that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// Which VM.
    pub vm: VmRef,
    /// Only if this is its revision.
    pub etag: Option<Revision>,
    /// Even while it runs.
    pub force: bool,
    /// Absence is success.
    pub allow_missing: bool,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListQuery {
    /// Only this project; all where none is given.
    pub project: Option<Name>,
    /// The text of a filter (AIP-160, the subset in the documentation); empty for all.
    pub filter: String,
    /// At most so many; 0 lets the service choose.
    pub page_size: u32,
    /// Where the last page ended; empty for the first.
    pub page_token: String,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The things, in the list's order.
    pub items: Vec<T>,
    /// Where the next page begins; empty after the last.
    pub next_page_token: String,
    /// The revision that the page was read at.
    pub revision: Revision,
}

/// What a watch begins with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WatchQuery {
    /// Only this project; all where none is given.
    pub project: Option<Name>,
    /// Only this VM.
    pub vm: Option<VmRef>,
    /// Changes after this revision; `None` begins with everything that is.
    pub from: Option<Revision>,
}

/// One step of a watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VmChange {
    /// It is now so.
    Set(Box<Vm>),
    /// It is gone.
    Removed {
        /// Which it was.
        id: InstanceId,
        /// When it went.
        revision: Revision,
    },
    /// All changes up to this revision were told; a watch can resume from here.
    Bookmark(Revision),
}

/// VMs as resources.
#[async_trait::async_trait]
pub trait Vms: Send + Sync {
    /// Makes one.
    async fn create(&self, call: &Call, new: NewVm) -> Result<Vm, Fault>;
    /// The one.
    async fn get(&self, call: &Call, vm: &VmRef) -> Result<Vm, Fault>;
    /// A page of them, by id.
    async fn list(&self, call: &Call, query: &ListQuery) -> Result<Page<Vm>, Fault>;
    /// Changes one.
    async fn update(&self, call: &Call, change: Change) -> Result<Vm, Fault>;
    /// Removes one; answers it as it was, or nothing where it was absent and that was allowed.
    async fn delete(&self, call: &Call, removal: Removal) -> Result<Option<Vm>, Fault>;
    /// Changes as they come.
    async fn watch(&self, call: &Call, query: WatchQuery) -> Result<Answers<VmChange>, Fault>;
}

/// What runs.
#[async_trait::async_trait]
pub trait Power: Send + Sync {
    /// Runs it.
    async fn boot(&self, call: &Call, vm: &VmRef) -> Result<Vm, Fault>;
    /// Stops it.
    async fn shutdown(&self, call: &Call, vm: &VmRef, how: StopHow) -> Result<Vm, Fault>;
    /// Holds it.
    async fn pause(&self, call: &Call, vm: &VmRef) -> Result<Vm, Fault>;
    /// Lets it go on.
    async fn resume(&self, call: &Call, vm: &VmRef) -> Result<Vm, Fault>;
    /// Starts the guest anew.
    async fn reboot(&self, call: &Call, vm: &VmRef, how: StopHow) -> Result<Vm, Fault>;
}

/// Where a log is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LogStart {
    /// This byte, counted from the first that the guest ever wrote.
    Offset(u64),
    /// This many bytes before the end.
    Tail(u64),
}

/// Which part of a log is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LogQuery {
    /// Where it begins.
    pub start: LogStart,
    /// Whether it goes on as the guest writes.
    pub follow: bool,
    /// At most so many bytes; 0 for no limit.
    pub max_bytes: u64,
}

/// A piece of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogChunk {
    /// The offset of its first byte. A gap to the last piece means that the log's bound dropped bytes.
    pub offset: u64,
    /// The bytes, as the guest wrote them.
    pub bytes: Bytes,
}

/// What goes into a console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsoleInput {
    /// Bytes typed.
    Bytes(Bytes),
    /// The size of the caller's terminal: columns, rows.
    Resize(u16, u16),
}

/// Consoles and their logs.
#[async_trait::async_trait]
pub trait Consoles: Send + Sync {
    /// The serial console's log.
    async fn log(&self, call: &Call, vm: &VmRef, query: LogQuery) -> Result<Answers<LogChunk>, Fault>;
    /// The serial console: what the guest writes from now on, while `input` is typed.
    async fn attach(
        &self,
        call: &Call,
        vm: &VmRef,
        input: BoxStream<'static, ConsoleInput>,
    ) -> Result<Answers<Bytes>, Fault>;
}

/// Which orphans of a node are given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GivenUp {
    /// All that there are.
    All,
    /// These.
    These(Orphans),
}

/// Nodes.
#[async_trait::async_trait]
pub trait Nodes: Send + Sync {
    /// The one of this id or name.
    async fn get(&self, call: &Call, node: &str) -> Result<Stored<Node>, Fault>;
    /// A page of them, by id.
    async fn list(&self, call: &Call, query: &ListQuery) -> Result<Page<Stored<Node>>, Fault>;
    /// What is on the one of this id or name, set against what is claimed there.
    async fn census(&self, call: &Call, node: &str) -> Result<Census, Fault>;
    /// Removes what is on the one of this id or name and unknown to the state, with all that is of it. Answers
    /// what is no more.
    async fn release_orphans(&self, call: &Call, node: &str, which: &GivenUp) -> Result<Orphans, Fault>;
}

/// One step of a watch of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventChange {
    /// It happened.
    Happened(Box<Stored<Event>>),
    /// All events up to this revision were told; a watch can resume from here.
    Bookmark(Revision),
}

/// Events.
#[async_trait::async_trait]
pub trait Events: Send + Sync {
    /// A page of them, oldest first.
    async fn list(&self, call: &Call, query: &ListQuery) -> Result<Page<Stored<Event>>, Fault>;
    /// Events as they come.
    async fn watch(&self, call: &Call, query: WatchQuery) -> Result<Answers<EventChange>, Fault>;
}

/// Copies of the state.
#[async_trait::async_trait]
pub trait Backups: Send + Sync {
    /// A copy of the whole state, of one revision, as the bytes of a file.
    async fn backup(&self, call: &Call) -> Result<Answers<Bytes>, Fault>;
}
