//! What should run on this node, and what runs here.
//!
//! ```text
//!  Placements ──watch──► agent ──► owner of instance A ──► converge (pure) ──► steps ──► ports
//!      ▲                   │                                                           │
//!      └──── reports ──────┴──────────────── state of the machine ◄────────────────────┘
//! ```
//!
//! One task owns one instance: it alone launches, holds, ends and buries its machine, so nothing is
//! done twice at the same time. Every owner is the same loop: look, plan by `domain::converge`, do,
//! report. It keeps no history beyond the journal of claims, so starting anew after `kill -9` and going
//! on as usual are one path.
//!
//! Snapshots are kept beside: one task keeps one snapshot, and asks the owner of its VM to hold the VM for
//! it. A snapshot outlives its VM.
//!
//! What each machine used is measured by a thread beside, at whole intervals and at every boundary of its life;
//! it is written down on the node first and then handed on to control. `sampler` says how.
//!
//! A census sets the host against the journal, at the start and from time to time, and takes away what bears
//! our name and nobody claims.
//!
//! What always holds: a host resource is claimed in the journal before it is made, and its claim is let
//! go after it is gone. A machine is never ended because the agent ends.
//!
//! What it does not know: any VMM, how state is kept, who asked.

mod agent;
mod census;
mod config;
mod console;
mod figures;
mod files;
mod inventory;
mod keeper;
mod layout;
mod looks;
mod manifest;
mod orphans;
mod owner;
mod reach;
pub mod sampler;
mod shared;
mod shipper;
mod vet;
mod wards;

pub use agent::{Agent, open};
pub use config::{Config, JailPolicy, Metering, Ports};
