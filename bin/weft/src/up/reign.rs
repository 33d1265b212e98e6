//! One reign: the house is open and served, until it is asked to end or a successor takes it over.
//!
//! ```text
//!  open ─► announce ─► serve ─┬─ asked to end ───────────► close ─► Ended
//!                             ├─ a room or a door broke ─► close ─► error
//!                             └─ a successor said go ────► wane ─► close ─► it serves ──► Ended
//!                                                                    └─ it does not ─► Needed: again
//! ```

use super::doors::Doors;
use super::handover::{Gate, Heir, Predecessor};
use super::house::{House, Rooms};
use super::listen::Ends;
use super::ready::Ready;
use crate::internal;
use crate::observe::Figures;
use crate::settings::Settings;
use crate::state::{self, Running};
use anyhow::{Error, Result};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use weft_domain::{Fault, Reason};
use weft_ports::task::Task;

/// How long rooms may take to end.
const ROOMS: Duration = Duration::from_secs(5);
/// How long answers say that their connection closes before none is taken any more.
const WANE: Duration = Duration::from_millis(50);
/// How long locks are waited for that a process held which is just ending.
const LOCKS: Duration = Duration::from_secs(10);
/// How long our own locks may take to be free.
const FREE: Duration = Duration::from_secs(2);
/// How long a wait is between two looks at a lock.
const LOOK: Duration = Duration::from_millis(2);

/// What stays over several reigns.
pub(crate) struct Realm {
    pub(crate) settings: Settings,
    pub(crate) ready: Ready,
    pub(crate) doors: Doors,
    pub(crate) figures: Figures,
    /// Fires when the process is asked to end.
    pub(crate) end: CancellationToken,
}

/// How a reign was left.
pub(crate) enum Left {
    /// It was asked to end, or another reigns.
    Ended,
    /// It was asked to end before it had taken over.
    Interrupted,
    /// A successor has failed: this weft is needed again.
    Needed(Error),
}

/// What is done where another process holds store or journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Locks {
    /// It is told.
    Refuse,
    /// It is waited for: who held them just now may do so until its process is gone.
    Wait,
}

/// What ends a reign.
enum Cause {
    Asked,
    Broken(Error),
    Heir(Heir),
}

/// A house that is served.
struct Served {
    house: House,
    rooms: Rooms,
    stop: watch::Sender<bool>,
    ends: Ends,
    gate: Gate,
    doors: [Task<()>; 2],
}

impl Realm {
    /// Opens the house, serves it, and closes it.
    ///
    /// # Errors
    /// It cannot be opened, or a room broke.
    pub(crate) async fn reign(&self, predecessor: Option<Predecessor>, locks: Locks) -> Result<Left> {
        let house = self.open(locks).await?;
        self.figures.show(&house.store);
        let (stop, stopped) = watch::channel(false);
        let mut rooms = house.run(stopped);
        let asked = tokio::select! {
            () = house.ready() => predecessor.is_some() && self.end.is_cancelled(),
            () = self.end.cancelled() => true,
            broken = rooms.broken() => return Err(broken),
        };
        if asked {
            close_rooms(&house, rooms, &stop).await;
            return Ok(if predecessor.is_some() { Left::Interrupted } else { Left::Ended });
        }
        let (gate, ends) = (self.announce()?, Ends::default());
        let doors = self.doors.serve(&house, self.figures.clone(), &ends)?;
        if let Some(predecessor) = predecessor {
            predecessor.dismiss().await;
        }
        self.say()?;
        let mut served = Served { house, rooms, stop, ends, gate, doors };
        let cause = tokio::select! {
            () = self.end.cancelled() => Cause::Asked,
            broken = served.rooms.broken() => Cause::Broken(broken),
            broken = shut(&mut served.doors) => Cause::Broken(broken),
            heir = served.gate.asked(&self.doors) => Cause::Heir(heir),
        };
        self.leave(served, cause).await
    }

    /// Opens the house.
    async fn open(&self, locks: Locks) -> Result<House> {
        let begun = Instant::now();
        let patience = if locks == Locks::Wait { LOCKS } else { Duration::ZERO };
        let held = |why: &Error| why.downcast_ref::<Fault>().is_some_and(|it| it.reason == Reason::StoreHeld);
        loop {
            match House::open(&self.settings, &self.ready).await {
                Err(why) if held(&why) && begun.elapsed() < patience => sleep(LOOK).await,
                opened => return opened,
            }
        }
    }

    /// Tells other commands on this machine who serves here, and where a successor asks.
    fn announce(&self) -> Result<Gate> {
        let gate = Gate::open(&self.settings)?;
        let running = Running {
            pid: rustix::process::getpid().as_raw_nonzero().get(),
            api: self.doors.api()?,
            metrics: self.doors.metrics()?,
            gate: Some(gate.path().to_owned()),
        };
        running.tell(&self.settings.data_dir)?;
        Ok(gate)
    }

    fn say(&self) -> Result<()> {
        let (api, metrics) = (self.doors.api()?, self.doors.metrics()?);
        tracing::info!(%api, %metrics, data = %self.settings.data_dir.display(), "weft is up");
        // Somebody who listened once may have gone since.
        let said = internal::print(&format!("weft is up at http://{api} (metrics at http://{metrics}/metrics)\n"));
        if let Err(why) = said {
            tracing::debug!("nobody reads standard output: {why:#}");
        }
        Ok(())
    }

    async fn leave(&self, served: Served, cause: Cause) -> Result<Left> {
        let Served { house, rooms, stop, ends, gate, doors } = served;
        match &cause {
            Cause::Heir(heir) => {
                tracing::info!(pid = heir.pid, version = heir.version, "another weft takes over; VMs go on");
                ends.wane.cancel();
                sleep(WANE).await;
            }
            Cause::Asked | Cause::Broken(_) => {
                tracing::info!("weft goes down; VMs go on");
                house.health.set(weft_api::server::Serving::No);
            }
        }
        ends.close.cancel();
        house.control.hurry();
        for door in doors {
            // One that broke has given its answer already; the other keeps its own limits.
            if !door.is_finished() {
                let _ = door.await;
            }
        }
        close_rooms(&house, rooms, &stop).await;
        self.figures.hide();
        drop(house);
        match cause {
            Cause::Asked => self.depart(gate, Ok(Left::Ended)),
            Cause::Broken(why) => self.depart(gate, Err(why)),
            Cause::Heir(heir) => Ok(self.cede(&gate, heir).await),
        }
    }

    fn depart(&self, gate: Gate, left: Result<Left>) -> Result<Left> {
        gate.close();
        Running::untell(&self.settings.data_dir);
        left
    }

    /// Gives what was let go to a successor.
    async fn cede(&self, gate: &Gate, mut heir: Heir) -> Left {
        let pid = heir.pid;
        if !self.is_free().await {
            if !heir.lives().await {
                return Left::Needed(Error::msg("the successor is gone, and not all was let go"));
            }
            // The end of this process lets go what a task of it still holds.
            tracing::warn!("not all was let go in time: ending at once");
            return Left::Ended;
        }
        let enthroned = tokio::select! {
            enthroned = heir.enthrone() => enthroned,
            never = gate.refuse(pid) => match never {},
        };
        match enthroned {
            Ok(()) => {
                tracing::info!(pid, "another weft has taken over");
                Left::Ended
            }
            Err(why) if self.end.is_cancelled() => {
                tracing::warn!("{why:#}; ending all the same, as was asked");
                Running::untell(&self.settings.data_dir);
                Left::Ended
            }
            Err(why) => Left::Needed(why),
        }
    }

    /// Whether store and journal are let go; a task that is just ending is waited for.
    async fn is_free(&self) -> bool {
        let begun = Instant::now();
        while !state::is_free(&self.settings.data_dir) {
            if begun.elapsed() > FREE {
                return false;
            }
            sleep(LOOK).await;
        }
        true
    }
}

/// Answers when a door ends that should be open.
async fn shut([api, metrics]: &mut [Task<()>; 2]) -> Error {
    let (name, ended) = tokio::select! {
        ended = api => ("API", ended),
        ended = metrics => ("metrics", ended),
    };
    let why = ended.map_or_else(|why| why.to_string(), |()| "it ended by itself".to_owned());
    Error::msg(format!("the {name} can no longer be served: {why}"))
}

async fn close_rooms(house: &House, rooms: Rooms, stop: &watch::Sender<bool>) {
    stop.send_replace(true);
    rooms.join(ROOMS).await;
    house.store.close().await;
}
