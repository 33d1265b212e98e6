//! What every handler needs: who asks on which terms, and the answer's form.

use crate::convert::Found;
use crate::fault::to_wire;
use buffa::Message;
use connectrpc::{ConnectError, RequestContext, Response, ServiceResult, ServiceStream};
use futures::StreamExt as _;
use sha2::{Digest as _, Sha256};
use weft_domain::Fault;
use weft_ports::api::{Answers, Call};

/// Who asks where nobody is asked for a name.
const LOCAL: &str = "local";
/// The longest request id, in bytes.
const MAX_REQUEST_ID: usize = 128;

/// The terms of a call that changes nothing.
pub(super) fn reading(ctx: &RequestContext) -> Call {
    Call { timeout: ctx.time_remaining(), ..Call::by(LOCAL) }
}

/// The terms of a mutation; `body` is the request without its request id.
pub(super) fn changing(ctx: &RequestContext, request_id: String, body: &impl Message) -> Result<Call, Fault> {
    let mut found = Found::default();
    if request_id.len() > MAX_REQUEST_ID {
        found.add("request_id", format!("has {} bytes; at most {MAX_REQUEST_ID} are allowed", request_id.len()));
    }
    // A blank one is a caller's mistake that would make other requests look like repetitions.
    if request_id.chars().any(char::is_control) || (!request_id.is_empty() && request_id.trim().is_empty()) {
        found.add("request_id", "must not be blank nor have control characters");
    }
    found.done()?;
    let mut hash = Sha256::new();
    hash.update(ctx.path().unwrap_or_default());
    hash.update([0]);
    hash.update(body.encode_to_vec());
    let request_id = (!request_id.is_empty()).then_some(request_id);
    Ok(Call { request_id, body: hash.finalize().into(), ..reading(ctx) })
}

/// The answer to a unary call.
pub(super) fn answer<T, W>(answer: Result<T, Fault>, write: impl FnOnce(T) -> W) -> ServiceResult<W> {
    answer.map(|value| Response::new(write(value))).map_err(to_wire)
}

/// The answer to a call that streams.
pub(super) fn stream<T, W>(
    answers: Result<Answers<T>, Fault>,
    mut write: impl FnMut(T) -> W + Send + 'static,
) -> Result<Response<ServiceStream<W>>, ConnectError>
where
    T: 'static,
    W: Send + 'static,
{
    let answers = answers.map_err(to_wire)?;
    Ok(Response::stream(answers.map(move |step| step.map(&mut write).map_err(to_wire))))
}
