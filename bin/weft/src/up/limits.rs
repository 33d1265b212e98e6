//! What the kernel lets one process have, and what it gives back: thousands of VMs take a descriptor each or more,
//! and memory that only their start needs.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::time::Duration;

/// As many descriptors as are asked for where we may raise the bound ourselves.
const DESCRIPTORS: u64 = 1 << 20;

/// How often memory that is free is given back.
const TRIM: Duration = Duration::from_secs(30);

/// Gives back what bursts leave free, for as long as it is held.
pub(super) async fn trim() {
    loop {
        tokio::time::sleep(TRIM).await;
        // One that fails has nothing to tell.
        let _ = tokio::task::spawn_blocking(weft_host::allocator::trim).await;
    }
}

/// Raises the bound on open files as far as we may. VMMs are given bounds of their own.
pub(super) fn raise() {
    let now = getrlimit(Resource::Nofile);
    let Some(most) = now.maximum else { return };
    let raise = |to: u64| setrlimit(Resource::Nofile, Rlimit { current: Some(to), maximum: Some(to.max(most)) });
    // Only root may pass the upper bound, and not that of the kernel.
    let raised = if most < DESCRIPTORS { raise(DESCRIPTORS).or_else(|_| raise(most)) } else { raise(most) };
    if let Err(why) = raised {
        tracing::warn!(%why, "the bound on open files stays as it is");
    }
}
