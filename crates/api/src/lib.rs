//! The written form of weft, both doors of it.
//!
//! `proto/` is the one contract for wire and disk. The code made from it is buried here: outside
//! this room there are only the domain's words and the ports.
//!
//! ```text
//!  server     requests in Connect, gRPC and gRPC-Web ─► ports      compat  metald's words ─► ports
//!  client     ports ─► requests to another weft                    schema  JSON held against the protos
//!  codec      objects ⇄ stored bytes                               convert generated types ⇄ domain
//!  documents  manifests and answers ⇄ domain                       fault   refusals ⇄ error details
//!  asks       requests read into the domain's words
//! ```
//!
//! What it does not know: listeners, accounts, where state is, how VMs run.

#![allow(refining_impl_trait, reason = "each adapter answers one message type and says so")]

mod asks;
pub mod client;
pub mod codec;
mod compat;
mod convert;
pub mod documents;
mod fault;
mod proto;
#[cfg(test)]
mod sample;
mod schema;
pub mod server;

pub use client::Client;
pub use codec::Records;
pub use documents::Documents;
