//! One launch from its cgroup to its program; undone as a whole where nobody takes what came of it.

use super::cgroup::Tree;
use super::jail;
use super::launcher::{Launcher, Place, Started};
use crate::Error;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use weft_domain::ClaimId;
use weft_ports::processes::{Alive, Command};

/// A process that was started; it and its cgroup go again if nobody takes it.
#[derive(Debug)]
pub(super) struct Begun {
    started: Option<Started>,
    tree: Arc<Tree>,
    claim: ClaimId,
}

impl Begun {
    /// Who it is, and the descriptor by which it is waited for.
    pub(super) fn take(mut self) -> (Alive, Option<OwnedFd>) {
        self.started.take().expect("it is taken once").take()
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if let Some(started) = self.started.take() {
            drop(started);
            remove(&self.tree, self.claim);
        }
    }
}

/// Its process is gone; whatever is left is the claim's to clear.
fn remove(tree: &Tree, claim: ClaimId) {
    if let Err(error) = tree.remove(claim) {
        tracing::debug!(%claim, %error, "the cgroup of a launch that failed is left");
    }
}

/// Starts a command's program in its cgroup.
pub(super) fn begin(
    launcher: &Launcher,
    tree: Arc<Tree>,
    command: &Command,
    place: &Place<'_>,
) -> Result<Begun, Error> {
    jail::check(command)?;
    // The launcher comes up while its cgroups are made; without its order it starts nothing.
    let waiting = launcher.spawn(command, place)?;
    let cgroups = tree.make(command.claim, &command.confinement)?;
    match waiting.order(&cgroups) {
        Ok(started) => Ok(Begun { started: Some(started), tree, claim: command.claim }),
        Err(error) => {
            remove(&tree, command.claim);
            Err(error)
        }
    }
}
