//! Guests are no callers.
//!
//! A VMM with a user-mode network connects to the host's loopback when its guest asks for the gateway's
//! address. Without accounts, loopback is all that tells a user of this machine from anybody else: so a
//! connection whose other end a VMM holds is not served, nor, while VMs run, one whose other end nobody
//! holds any more: a guest may have sent its request and gone.

use std::net::SocketAddr;
use weft_control::Control;
use weft_host::peers;

/// Who is not served.
pub(crate) enum Stranger {
    /// A guest, through the VMM of this process.
    Guest(u32),
    /// Nobody holds the other end any more.
    Gone,
}

/// Tells guests' connections from callers'.
#[derive(Clone)]
pub(crate) struct Guests(Control);

impl Guests {
    pub(crate) fn new(control: Control) -> Self {
        Self(control)
    }

    /// Who is at the other end of this connection, if they are not served. Reads `/proc`, some tens of
    /// microseconds.
    pub(crate) fn stranger(&self, peer: SocketAddr, ours: SocketAddr) -> Option<Stranger> {
        let vmms = self.0.processes();
        if vmms.is_empty() {
            return None;
        }
        // The kernel's table is read in parts and may miss a line that is there: once more, then.
        let held = || peers::socket_of(peer, ours);
        let Some(inode) = held().or_else(held) else {
            return Some(Stranger::Gone);
        };
        vmms.into_iter().find(|pid| peers::holds(*pid, inode)).map(Stranger::Guest)
    }
}
