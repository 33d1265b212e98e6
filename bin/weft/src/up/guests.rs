//! Guests are no callers.
//!
//! A VMM with a user-mode network connects to the host's loopback when its guest asks for the gateway's
//! address. Without accounts, loopback is all that tells a user of this machine from anybody else: so a
//! connection whose other end a VMM holds is not served.

use std::net::SocketAddr;
use weft_control::Control;
use weft_host::peers;

/// Tells guests' connections from callers'.
#[derive(Clone)]
pub(crate) struct Guests(Control);

impl Guests {
    pub(crate) fn new(control: Control) -> Self {
        Self(control)
    }

    /// The VMM at the other end of this connection, if one is. Reads `/proc`, some tens of microseconds.
    pub(crate) fn at(&self, peer: SocketAddr, ours: SocketAddr) -> Option<u32> {
        let vmms = self.0.processes();
        if vmms.is_empty() {
            return None;
        }
        let inode = peers::socket_of(peer, ours)?;
        vmms.into_iter().find(|pid| peers::holds(*pid, inode))
    }
}
