//! JSON requests held against the protos before they are decoded.
//!
//! Runs inside the RPC library, after the body was read and before it is decoded, for every
//! protocol that carries JSON. On `weft.*` services an unknown field or a wrong type is refused
//! with its path; on compatibility services bodies are made readable instead, as theirs were.

use crate::compat;
use crate::fault::to_wire;
use crate::schema::{self, SCHEMA};
use bytes::Bytes;
use connectrpc::interceptor::{StreamRequest, StreamResponse, UnaryRequest, UnaryResponse};
use connectrpc::{CodecFormat, ConnectError, Interceptor, Next, NextStream, Payload, PayloadStream, RequestContext};
use futures::StreamExt as _;
use weft_domain::{Fault, Reason};

/// The interceptor.
pub(super) struct Strict;

#[connectrpc::async_trait]
impl Interceptor for Strict {
    async fn intercept_unary(&self, mut request: UnaryRequest, next: Next<'_>) -> Result<UnaryResponse, ConnectError> {
        request.payload = judge(&request.ctx, request.payload)?;
        next.run(request).await
    }

    async fn intercept_streaming(
        &self,
        request: StreamRequest,
        inbound: PayloadStream,
        next: NextStream<'_>,
    ) -> Result<StreamResponse, ConnectError> {
        let ctx = request.ctx.clone();
        let judged = inbound.map(move |item| item.and_then(|payload| judge(&ctx, payload)));
        next.run(request, Box::pin(judged)).await
    }
}

/// The payload, to be decoded as it is or as it should have been written.
fn judge(ctx: &RequestContext, payload: Payload) -> Result<Payload, ConnectError> {
    let Some(path) = ctx.path().filter(|_| payload.format() == CodecFormat::Json) else { return Ok(payload) };
    if path.starts_with("/weft.") {
        check(path, payload.bytes()).map_err(to_wire)?;
    } else if let Some(rewritten) = compat::rewrite(path, payload.bytes()) {
        return Ok(Payload::new(rewritten, CodecFormat::Json).with_decode_options(ctx.decode_options().clone()));
    }
    Ok(payload)
}

fn check(path: &str, body: &Bytes) -> Result<(), Fault> {
    let value = serde_json::from_slice(body).map_err(|e| {
        Fault::new(Reason::BodyMalformed, format!("the request's body is not JSON: {e}"))
            .fix("correct the JSON and send it again")
    })?;
    let Some(message) = SCHEMA.input(path) else { return Ok(()) };
    schema::check(&SCHEMA, message, &value, "").into_fault().map_or(Ok(()), Err)
}
