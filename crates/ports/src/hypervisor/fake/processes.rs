//! The fake's guests seen as processes, so that an agent finds by claim what it then adopts.
//!
//! Only what the fake launched as a machine is here: it starts no programs.

use super::Fake;
use super::guest::{BOOT_ID, Guest};
use crate::processes::{Alive, Cgroups, Command, Confinement, Ending, Hold, Processes, Showing, Signal};
use std::sync::Arc;
use weft_domain::{ClaimId, Fault, Reason};

/// The number of SIGTERM.
const TERMINATE: i32 = 15;
/// The number of SIGKILL.
const KILL: i32 = 9;
/// Why nothing is jailed here.
const NO_JAILS: &str = "the fake's machines are no processes, so it jails nothing";

impl Fake {
    fn by_claim(&self, claim: ClaimId) -> Option<Arc<Guest>> {
        self.world().guests.get(&claim).cloned()
    }
}

#[async_trait::async_trait]
impl Processes for Fake {
    fn cgroups(&self) -> (Cgroups, Option<String>) {
        (Cgroups::V2, None)
    }

    fn boot_id(&self) -> String {
        BOOT_ID.to_owned()
    }

    fn jails(&self) -> Result<(), String> {
        Err(NO_JAILS.to_owned())
    }

    async fn launch(&self, _: Command) -> Result<Alive, Fault> {
        Err(Fault::new(Reason::VerbUnsupported, "the fake starts machines, not programs"))
    }

    fn lives(&self, alive: &Alive) -> bool {
        self.by_process(alive).is_some_and(|guest| guest.lives())
    }

    async fn find(&self) -> Result<Vec<(ClaimId, Alive)>, Fault> {
        let world = self.world();
        let living = world.guests.iter().filter(|(_, guest)| guest.lives());
        Ok(living.map(|(claim, guest)| (*claim, guest.alive.clone())).collect())
    }

    async fn ended(&self, alive: &Alive) -> Ending {
        let Some(guest) = self.by_process(alive) else { return Ending::Unknown };
        let mut process = guest.process.subscribe();
        let ending = process.wait_for(Option::is_some).await.ok().and_then(|ending| *ending);
        ending.unwrap_or(Ending::Unknown)
    }

    async fn signal(&self, alive: &Alive, signal: Signal) -> Result<(), Fault> {
        let ending = match signal {
            Signal::Terminate => Ending::Signal(TERMINATE),
            Signal::Kill => Ending::Signal(KILL),
        };
        if let Some(guest) = self.by_process(alive) {
            guest.die(ending, self.clock.now());
        }
        Ok(())
    }

    async fn kill(&self, alive: &Alive) -> Result<Ending, Fault> {
        self.signal(alive, Signal::Kill).await?;
        Ok(self.ended(alive).await)
    }

    async fn clear(&self, claim: ClaimId) -> Result<(), Fault> {
        if let Some(guest) = self.by_claim(claim) {
            guest.die(Ending::Signal(KILL), self.clock.now());
        }
        self.world().guests.remove(&claim);
        Ok(())
    }

    async fn show(&self, _: &Alive, _: Showing) -> Result<(), Fault> {
        Err(Fault::new(Reason::VerbUnsupported, NO_JAILS))
    }

    async fn hold(&self, _: ClaimId, _: &Alive, _: &Confinement) -> Result<Hold, Fault> {
        Ok(Hold::Inside)
    }

    async fn confined(&self) -> Result<Vec<ClaimId>, Fault> {
        Ok(self.world().guests.keys().copied().collect())
    }
}
