//! Rate limits, both ways; texts that may be absent.

use crate::proto::weft::v1 as wire;
use buffa::MessageField;
use std::path::Path;
use weft_domain::spec::{RateLimit, TokenBucket};

/// A text; nothing where it is empty.
pub(super) fn some(text: String) -> Option<String> {
    if text.is_empty() { None } else { Some(text) }
}

/// A path as text. Paths come in as text, so nothing is lost.
pub(super) fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// A token bucket.
pub(super) fn bucket(b: wire::TokenBucket) -> TokenBucket {
    TokenBucket { size: b.size, refill_ms: b.refill_ms, one_time_burst: b.one_time_burst }
}

/// The written form of a token bucket.
pub(super) fn write_bucket(b: TokenBucket) -> wire::TokenBucket {
    wire::TokenBucket { size: b.size, refill_ms: b.refill_ms, one_time_burst: b.one_time_burst, ..Default::default() }
}

/// A rate limit.
pub(super) fn rate_limit(rate: wire::RateLimit) -> RateLimit {
    RateLimit { bandwidth: rate.bandwidth.into_option().map(bucket), ops: rate.ops.into_option().map(bucket) }
}

/// The written form of a rate limit, where there is one.
pub(super) fn rate<P: buffa::ProtoBox<wire::RateLimit>>(rate: Option<RateLimit>) -> MessageField<wire::RateLimit, P> {
    rate.map(|r| wire::RateLimit {
        bandwidth: r.bandwidth.map(write_bucket).into(),
        ops: r.ops.map(write_bucket).into(),
        ..Default::default()
    })
    .into()
}
