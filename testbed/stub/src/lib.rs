//! weft-stub: the least program that passes for a Firecracker, of which ten thousand fit on one machine.
//!
//! Its source is in `program/`, and needs nothing but the standard library; this crate carries what the build
//! script makes of it, to be written to a file and named as a driver's program. It keeps none of the rules of
//! the real one: for those there are the stand-ins. It knows nothing of weft.

/// The program.
pub const PROGRAM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/weft-stub"));
