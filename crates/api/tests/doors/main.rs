//! Both doors over a real listener: every wire form, every sort of refusal, the client against the
//! server, metald's documented calls.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "tests")]

mod compat;
mod far;
mod house;
mod kept;
mod raw;
mod refusals;
mod usage;
mod wire;
