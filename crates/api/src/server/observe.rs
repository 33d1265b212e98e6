//! What is to be seen of requests: a span around each, counts and durations by method and code.
//!
//! Runs outermost inside the RPC library, where the method is known to exist, so that a caller
//! cannot make labels of its own. What is refused before that is counted by [`refused`].

use connectrpc::interceptor::{StreamRequest, StreamResponse, UnaryRequest, UnaryResponse};
use connectrpc::{ConnectError, Interceptor, Next, NextStream, PayloadStream, RequestContext};
use opentelemetry::metrics::{Counter, Histogram};
use opentelemetry::{KeyValue, global};
use std::sync::LazyLock;
use std::time::Instant;
use tracing::Instrument as _;
use weft_domain::Reason;

static REFUSED: LazyLock<Counter<u64>> = LazyLock::new(|| {
    global::meter("weft.api").u64_counter("weft.api.refused").with_description("Requests refused at the door").build()
});

/// Counts a request that was refused before it reached a service.
pub(super) fn refused(reason: Reason) {
    REFUSED.add(1, &[KeyValue::new("reason", reason.as_str())]);
}

/// The interceptor. Make it after the meter provider is in place.
pub(super) struct Observe {
    requests: Counter<u64>,
    duration: Histogram<f64>,
}

impl Observe {
    /// An interceptor on the global meter.
    pub(super) fn new() -> Self {
        let meter = global::meter("weft.api");
        Self {
            requests: meter
                .u64_counter("weft.api.requests")
                .with_description("Requests served, by method and code")
                .build(),
            duration: meter
                .f64_histogram("weft.api.request.duration")
                .with_unit("s")
                .with_description("How long requests took; of streams, until the first answer")
                .with_boundaries(vec![0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0])
                .build(),
        }
    }

    fn done(&self, method: &'static str, started: Instant, error: Option<&ConnectError>) {
        let code = error.map_or("ok", |e| e.code.as_str());
        let labels = [KeyValue::new("method", method), KeyValue::new("code", code)];
        self.requests.add(1, &labels);
        let took = started.elapsed();
        self.duration.record(took.as_secs_f64(), &labels[..1]);
        match error {
            Some(error) => {
                tracing::debug!(code, took_us = took.as_micros(), message = error.message.as_deref(), "refused");
            }
            None => tracing::debug!(code, took_us = took.as_micros(), "answered"),
        }
    }
}

fn method(ctx: &RequestContext) -> &'static str {
    ctx.spec().map_or("unknown", |spec| spec.procedure)
}

#[connectrpc::async_trait]
impl Interceptor for Observe {
    async fn intercept_unary(&self, request: UnaryRequest, next: Next<'_>) -> Result<UnaryResponse, ConnectError> {
        let (method, started) = (method(&request.ctx), Instant::now());
        let span = tracing::info_span!("request", method);
        async {
            let answer = next.run(request).await;
            self.done(method, started, answer.as_ref().err());
            answer
        }
        .instrument(span)
        .await
    }

    async fn intercept_streaming(
        &self,
        request: StreamRequest,
        inbound: PayloadStream,
        next: NextStream<'_>,
    ) -> Result<StreamResponse, ConnectError> {
        let (method, started) = (method(&request.ctx), Instant::now());
        let span = tracing::info_span!("request", method);
        async {
            let answer = next.run(request, inbound).await;
            self.done(method, started, answer.as_ref().err());
            answer
        }
        .instrument(span)
        .await
    }
}
