//! How a refusal is told: a closed list of kinds, a closed list of reasons, the field at fault.
//!
//! Every room maps its own errors into a [`Fault`]; doors map a `Fault` to their protocol. A
//! `Fault` never carries internals: paths a caller gave may appear, causes go to the log.

use std::fmt;

/// The closed list of error kinds. One table at each door maps it to codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The request can never be right as it stands.
    InvalidArgument,
    /// There is no such thing.
    NotFound,
    /// There is one already.
    AlreadyExists,
    /// Somebody else changed it first.
    Conflict,
    /// It is not in a phase or form where this is lawful.
    FailedPrecondition,
    /// A limit or a capacity is used up.
    ResourceExhausted,
    /// It is not known who asks.
    Unauthenticated,
    /// It is known, and they may not.
    PermissionDenied,
    /// Try again later: a part is away.
    Unavailable,
    /// Not done within the caller's time.
    DeadlineExceeded,
    /// Lawful, but nothing here can do it.
    Unsupported,
    /// A fault of ours.
    Internal,
}

impl Kind {
    /// Every kind, in the order of the list.
    pub const ALL: [Self; 12] = [
        Self::InvalidArgument,
        Self::NotFound,
        Self::AlreadyExists,
        Self::Conflict,
        Self::FailedPrecondition,
        Self::ResourceExhausted,
        Self::Unauthenticated,
        Self::PermissionDenied,
        Self::Unavailable,
        Self::DeadlineExceeded,
        Self::Unsupported,
        Self::Internal,
    ];
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $kind:ident;)*) => {
        /// The closed list of machine-readable reasons. Each belongs to one [`Kind`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason { $($(#[$doc])* $name,)* }
        impl Reason {
            /// Every reason, in the order of the list.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];
            /// The text that goes over the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str { match self { $(Self::$name => $text,)* } }
            /// The kind that it belongs to.
            #[must_use]
            pub const fn kind(self) -> Kind { match self { $(Self::$name => Kind::$kind,)* } }
            /// The reason with this text, where there is one.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> { match text { $($text => Some(Self::$name),)* _ => None } }
        }
    };
}

reasons! {
    /// A field holds a value that it may not hold.
    FieldInvalid = "FIELD_INVALID", InvalidArgument;
    /// A field that must be given is missing.
    FieldRequired = "FIELD_REQUIRED", InvalidArgument;
    /// The message names a field that does not exist.
    FieldUnknown = "FIELD_UNKNOWN", InvalidArgument;
    /// The body is not what its content type says.
    BodyMalformed = "BODY_MALFORMED", InvalidArgument;
    /// The content type is none that is spoken here.
    ContentTypeUnsupported = "CONTENT_TYPE_UNSUPPORTED", InvalidArgument;
    /// The body is larger than the limit.
    BodyTooLarge = "BODY_TOO_LARGE", ResourceExhausted;
    /// A path is outside the allowed roots, or leads out of them.
    PathNotAllowed = "PATH_NOT_ALLOWED", InvalidArgument;
    /// A path leads to nothing, or to something of the wrong sort.
    PathUnusable = "PATH_UNUSABLE", InvalidArgument;
    /// The same request id came with another body.
    RequestIdReused = "REQUEST_ID_REUSED", InvalidArgument;
    /// The page token is not one of ours.
    PageTokenInvalid = "PAGE_TOKEN_INVALID", InvalidArgument;
    /// A filter cannot be read.
    FilterInvalid = "FILTER_INVALID", InvalidArgument;
    /// The method does not exist.
    MethodUnknown = "METHOD_UNKNOWN", Unsupported;
    /// There is no VM of this name or id.
    VmNotFound = "VM_NOT_FOUND", NotFound;
    /// There is no node of this name or id.
    NodeNotFound = "NODE_NOT_FOUND", NotFound;
    /// There is no snapshot of this name or id.
    SnapshotNotFound = "SNAPSHOT_NOT_FOUND", NotFound;
    /// The VM has no disk, interface or device of this name.
    DeviceNotFound = "DEVICE_NOT_FOUND", NotFound;
    /// The name is taken in this project.
    NameTaken = "NAME_TAKEN", AlreadyExists;
    /// The etag is not the current one.
    EtagMismatch = "ETAG_MISMATCH", Conflict;
    /// Another write came first; read and try again.
    WriteConflict = "WRITE_CONFLICT", Conflict;
    /// The verb is not lawful in this phase.
    PhaseForbids = "PHASE_FORBIDS", FailedPrecondition;
    /// The node has not the memory that was asked.
    MemoryExhausted = "MEMORY_EXHAUSTED", ResourceExhausted;
    /// The node has not the disk space that was asked.
    DiskExhausted = "DISK_EXHAUSTED", ResourceExhausted;
    /// A limit on a number of things is reached.
    LimitReached = "LIMIT_REACHED", ResourceExhausted;
    /// The state's file system is full; reads go on.
    StoreFull = "STORE_FULL", ResourceExhausted;
    /// The state is held by another process.
    StoreHeld = "STORE_HELD", FailedPrecondition;
    /// The state is damaged; nothing was changed.
    StoreDamaged = "STORE_DAMAGED", FailedPrecondition;
    /// The state was written by a newer weft.
    StoreNewer = "STORE_NEWER", FailedPrecondition;
    /// A batch of usage does not follow those that were taken of its node.
    LedgerBroken = "LEDGER_BROKEN", InvalidArgument;
    /// The revision is older than what the log still holds.
    RevisionCompacted = "REVISION_COMPACTED", FailedPrecondition;
    /// The watcher was too slow; start again from the last revision seen.
    WatcherTooSlow = "WATCHER_TOO_SLOW", Unavailable;
    /// The store, the agent or the server is closing or away.
    Away = "AWAY", Unavailable;
    /// The node of this VM is out of reach.
    NodeAway = "NODE_AWAY", Unavailable;
    /// Not done within the caller's time; it goes on.
    DeadlinePassed = "DEADLINE_PASSED", DeadlineExceeded;
    /// No driver here serves this field.
    FieldUnsupported = "FIELD_UNSUPPORTED", Unsupported;
    /// No driver of this name is here.
    DriverUnavailable = "DRIVER_UNAVAILABLE", Unsupported;
    /// The driver cannot do this verb.
    VerbUnsupported = "VERB_UNSUPPORTED", Unsupported;
    /// A program that is needed is not installed.
    ProgramMissing = "PROGRAM_MISSING", FailedPrecondition;
    /// The default kernel and root could not be prepared.
    ImageUnavailable = "IMAGE_UNAVAILABLE", FailedPrecondition;
    /// The VMM refused a change of the running machine.
    ChangeRefused = "CHANGE_REFUSED", FailedPrecondition;
    /// The snapshot could not be taken.
    SnapshotFailed = "SNAPSHOT_FAILED", Internal;
    /// The snapshot is not whole, not ready, or of another driver.
    SnapshotUnusable = "SNAPSHOT_UNUSABLE", FailedPrecondition;
    /// A disk that weft made is gone, or shorter than it was.
    DiskLost = "DISK_LOST", FailedPrecondition;
    /// Something still needs it.
    InUse = "IN_USE", FailedPrecondition;
    /// The migration failed; the machine runs on where it was.
    MigrationFailed = "MIGRATION_FAILED", Internal;
    /// The VMM could not be jailed.
    JailFailed = "JAIL_FAILED", FailedPrecondition;
    /// The VMM could not be started.
    LaunchFailed = "LAUNCH_FAILED", Internal;
    /// The VMM does not answer.
    VmmSilent = "VMM_SILENT", Unavailable;
    /// The VM has no console that can be attached.
    ConsoleUnavailable = "CONSOLE_UNAVAILABLE", FailedPrecondition;
    /// The caller is not known.
    CallerUnknown = "CALLER_UNKNOWN", Unauthenticated;
    /// The request's host or origin is not loopback.
    OriginForbidden = "ORIGIN_FORBIDDEN", PermissionDenied;
    /// The host refused, with what it said in the log.
    HostRefused = "HOST_REFUSED", Internal;
    /// A fault of ours; the log says more.
    Bug = "INTERNAL", Internal;
}

/// One field at fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field from the request's root, in proto names: `vm.spec.disks[1].path`.
    pub field: String,
    /// Why it was refused, as a sentence without the field's name.
    pub why: String,
}

/// A refusal in the domain's words: what, why, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The machine-readable reason; its kind is [`Fault::kind`].
    pub reason: Reason,
    /// What happened and why, as one sentence.
    pub message: String,
    /// What to do about it, as one sentence; empty where nothing can be said.
    pub fix: String,
    /// The fields at fault.
    pub violations: Vec<Violation>,
    /// When a retry may help, in milliseconds.
    pub retry_after_ms: Option<u64>,
}

impl Fault {
    /// A refusal for this reason, with what happened and why.
    #[must_use]
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), fix: String::new(), violations: Vec::new(), retry_after_ms: None }
    }

    /// A refusal of one field.
    #[must_use]
    pub fn field(reason: Reason, field: impl Into<String>, why: impl Into<String>) -> Self {
        let (field, why) = (field.into(), why.into());
        Self::new(reason, format!("{field}: {why}")).at(field, why)
    }

    /// A fault of ours. The cause belongs in the log, not here.
    #[must_use]
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Reason::Bug, message).fix("look in weft's log for the cause, and report it")
    }

    /// The same, with what to do about it.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = fix.into();
        self
    }

    /// The same, with one more field at fault.
    #[must_use]
    pub fn at(mut self, field: impl Into<String>, why: impl Into<String>) -> Self {
        self.violations.push(Violation { field: field.into(), why: why.into() });
        self
    }

    /// The same, saying when a retry may help.
    #[must_use]
    pub fn retry_after(mut self, ms: u64) -> Self {
        self.retry_after_ms = Some(ms);
        self
    }

    /// The kind, by the reason.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.reason.kind()
    }

    /// All violations as one refusal; `None` where there are none.
    #[must_use]
    pub fn from_violations(reason: Reason, violations: Vec<Violation>) -> Option<Self> {
        let first = violations.first()?;
        let more = match violations.len() {
            1 => String::new(),
            n => format!(" (and {} more)", n - 1),
        };
        let message = format!("{}: {}{more}", first.field, first.why);
        Some(Self { violations, ..Self::new(reason, message) })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_reads_back_and_texts_are_unique() {
        for reason in Reason::ALL {
            assert_eq!(Reason::parse(reason.as_str()), Some(*reason));
        }
        assert_eq!(Reason::parse("NO_SUCH_REASON"), None);
    }

    #[test]
    fn many_violations_become_one_sentence() {
        let two = vec![
            Violation { field: "a".into(), why: "is wrong".into() },
            Violation { field: "b".into(), why: "is wrong".into() },
        ];
        let fault = Fault::from_violations(Reason::FieldInvalid, two).expect("two violations");
        assert_eq!(fault.message, "a: is wrong (and 1 more)");
        assert_eq!(Fault::from_violations(Reason::FieldInvalid, vec![]), None);
    }
}
