//! The whole house under test: the real binary, real guests, real faults.
//!
//! ```text
//!  daemon  a `weft up` of its own: started, killed, started again; its client; what it left
//!  guest   whether a real guest can run here, and VMs that boot one
//!  watch   waiting for a VM over the API's own watch
//!  machines the real QEMU without a daemon, as a stage for the port's suite
//!  vmms    which Firecracker and Cloud Hypervisor a test plays: real ones, or what stands in for them
//!  tiny    the small guest on any real VMM, driven by hand with nothing of weft
//! ```
//!
//! A test that needs what this machine lacks prints `skipped: why` and returns. Every daemon has a folder,
//! ports and processes of its own, and takes all of them with it when it goes.

pub mod corpus;
pub mod daemon;
pub mod guest;
pub mod machines;
pub mod tiny;
pub mod vmms;
pub mod watch;
