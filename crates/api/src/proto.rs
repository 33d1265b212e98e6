//! The code made from `proto/`. Only this room sees it.
#![allow(missing_docs, unreachable_pub, dead_code, reason = "made by a generator")]
#![allow(clippy::all, clippy::unwrap_used, clippy::wildcard_enum_match_arm, reason = "made by a generator")]
#![allow(clippy::too_many_lines, clippy::cast_possible_truncation, reason = "made by a generator")]

include!(concat!(env!("OUT_DIR"), "/proto.rs"));
