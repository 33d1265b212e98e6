//! under way
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::unwrap_used, clippy::wildcard_enum_match_arm, clippy::too_many_lines, clippy::cast_possible_truncation, clippy::disallowed_methods, clippy::unimplemented, clippy::todo)]
mod proto { include!(concat!(env!("OUT_DIR"), "/proto.rs")); }
mod fault;
mod convert;
mod schema;
