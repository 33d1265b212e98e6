//! The real binary with real QEMU guests, from outside, over its public API.
//!
//! Guests under software translation take seconds and both processors: these tests share one gate, so that
//! only a few guests run at once whatever the number of test threads.

mod clients;
mod crash;
mod ends;
mod lifecycle;
mod operations;
