//! What a row of the tables is: a bad request, and the one refusal that it gets over every protocol.

/// A bad request: its name, its method, its body, and what it is told, with the fields at fault.
///
/// A method without a service is one of `weft.v1.VmService`. In texts `$ROOT`, `$OUTSIDE`, `$NODE`, … stand
/// for what the stage has.
pub(crate) type Row = (&'static str, &'static str, Body, Told, &'static [&'static str]);

/// The body of a bad request.
#[derive(Clone, Copy)]
pub(crate) enum Body {
    /// A JSON request; over gRPC the same in protobuf, or as JSON where protobuf has no way to say it.
    Json(&'static str),
    /// `CreateVm` with this JSON as its `vm.spec`.
    Spec(&'static str),
    /// A JSON request that is too long to be written down.
    Made(fn() -> String),
    /// Bytes that are said to be JSON.
    Text(fn() -> Vec<u8>),
    /// Bytes that are said to be protobuf.
    Proto(fn() -> Vec<u8>),
}

/// A refusal: Connect's code, gRPC's number, HTTP's status of a unary Connect answer, the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) code: &'static str,
    pub(crate) number: u32,
    pub(crate) status: u16,
    pub(crate) reason: &'static str,
}

const fn told(code: &'static str, number: u32, status: u16, reason: &'static str) -> Told {
    Told { code, number, status, reason }
}

pub(crate) const FIELD_INVALID: Told = told("invalid_argument", 3, 400, "FIELD_INVALID");
pub(crate) const FIELD_REQUIRED: Told = told("invalid_argument", 3, 400, "FIELD_REQUIRED");
pub(crate) const FIELD_UNKNOWN: Told = told("invalid_argument", 3, 400, "FIELD_UNKNOWN");
pub(crate) const BODY_MALFORMED: Told = told("invalid_argument", 3, 400, "BODY_MALFORMED");
pub(crate) const CONTENT_TYPE_UNSUPPORTED: Told = told("invalid_argument", 3, 415, "CONTENT_TYPE_UNSUPPORTED");
pub(crate) const ENCODING_UNSUPPORTED: Told = told("invalid_argument", 3, 400, "CONTENT_TYPE_UNSUPPORTED");
pub(crate) const BODY_TOO_LARGE: Told = told("resource_exhausted", 8, 429, "BODY_TOO_LARGE");
pub(crate) const PATH_NOT_ALLOWED: Told = told("invalid_argument", 3, 400, "PATH_NOT_ALLOWED");
pub(crate) const PATH_UNUSABLE: Told = told("invalid_argument", 3, 400, "PATH_UNUSABLE");
pub(crate) const REQUEST_ID_REUSED: Told = told("invalid_argument", 3, 400, "REQUEST_ID_REUSED");
pub(crate) const PAGE_TOKEN_INVALID: Told = told("invalid_argument", 3, 400, "PAGE_TOKEN_INVALID");
pub(crate) const FILTER_INVALID: Told = told("invalid_argument", 3, 400, "FILTER_INVALID");
pub(crate) const NO_SUCH_METHOD: Told = told("unimplemented", 12, 404, "METHOD_UNKNOWN");
pub(crate) const WRONG_VERB: Told = told("unimplemented", 12, 405, "METHOD_UNKNOWN");
pub(crate) const VM_NOT_FOUND: Told = told("not_found", 5, 404, "VM_NOT_FOUND");
pub(crate) const NODE_NOT_FOUND: Told = told("not_found", 5, 404, "NODE_NOT_FOUND");
pub(crate) const SNAPSHOT_NOT_FOUND: Told = told("not_found", 5, 404, "SNAPSHOT_NOT_FOUND");
pub(crate) const DEVICE_NOT_FOUND: Told = told("not_found", 5, 404, "DEVICE_NOT_FOUND");
pub(crate) const NAME_TAKEN: Told = told("already_exists", 6, 409, "NAME_TAKEN");
pub(crate) const ETAG_MISMATCH: Told = told("aborted", 10, 409, "ETAG_MISMATCH");
pub(crate) const PHASE_FORBIDS: Told = told("failed_precondition", 9, 400, "PHASE_FORBIDS");
pub(crate) const REVISION_COMPACTED: Told = told("failed_precondition", 9, 400, "REVISION_COMPACTED");
pub(crate) const MEMORY_EXHAUSTED: Told = told("resource_exhausted", 8, 429, "MEMORY_EXHAUSTED");
pub(crate) const DISK_EXHAUSTED: Told = told("resource_exhausted", 8, 429, "DISK_EXHAUSTED");
pub(crate) const DEADLINE_PASSED: Told = told("deadline_exceeded", 4, 504, "DEADLINE_PASSED");
pub(crate) const FIELD_UNSUPPORTED: Told = told("unimplemented", 12, 501, "FIELD_UNSUPPORTED");
pub(crate) const DRIVER_UNAVAILABLE: Told = told("unimplemented", 12, 501, "DRIVER_UNAVAILABLE");
pub(crate) const CONSOLE_UNAVAILABLE: Told = told("failed_precondition", 9, 400, "CONSOLE_UNAVAILABLE");
pub(crate) const ORIGIN_FORBIDDEN: Told = told("permission_denied", 7, 403, "ORIGIN_FORBIDDEN");
