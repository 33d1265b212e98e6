//! What a former agent left, or a step that failed half-way: taken up where it lives and is wanted,
//! buried otherwise.
//!
//! Oldest first, so that the last exit that is kept is the newest; only the newest may be taken up.

use super::{Owner, Running};
use crate::inventory::Held;
use weft_domain::instance::{Power, StopHow};
use weft_domain::{Fault, Reason};
use weft_ports::claims::Note;
use weft_ports::fault::{self, Point};
use weft_ports::hypervisor::{Adoption, Machine};
use weft_ports::processes::Alive;

impl Owner {
    /// Takes up or buries processes until none is unsettled.
    pub(super) async fn settle(&mut self) -> Result<(), Fault> {
        while let Some(held) = self.unsettled.first().cloned() {
            match self.worth_adopting(&held) {
                Some(alive) => match self.adopt(&held, alive).await {
                    // The launcher of a former agent, which ended while it was looked at.
                    Ok(_) if self.is_broken_off(&held) => self.forget_launch(held).await?,
                    Ok(machine) => self.welcome(held, machine).await,
                    // What never ran has not ended: it is launched anew.
                    Err(fault) if fault.reason == Reason::LaunchFailed => {
                        tracing::warn!(%fault, claim = %held.claim, "a former agent broke off a launch");
                        self.forget_launch(held).await?;
                    }
                    Err(_) if self.given_up(&held) => self.bury_stranger(held).await?,
                    Err(fault) => {
                        self.begin_grace().await;
                        return Err(fault);
                    }
                },
                None if self.is_broken_off(&held) => self.forget_launch(held).await?,
                None => self.bury_stranger(held).await?,
            }
            self.unsettled.remove(0);
        }
        Ok(())
    }

    async fn welcome(&mut self, mut held: Held, machine: Box<dyn Machine>) {
        self.restarts = held.process.restarts;
        let made = self.made_of(&mut held);
        self.hold_files(made.as_ref()).await;
        if std::mem::take(&mut held.found)
            // A journal that is full is no reason to leave machines alone: it is found again next time.
            && let Err(fault) = self.shared.ports.claims.note(held.claim, held.note.clone()).await
        {
            tracing::warn!(%fault, claim = %held.claim, "the journal did not take a process that was found");
        }
        self.become_live(Running::new(held, machine, made));
    }

    /// A process was found that nobody had seen to run, and it is gone: that was no machine which ended.
    fn is_broken_off(&self, held: &Held) -> bool {
        let alive = held.note.alive.as_ref().filter(|_| held.found);
        alive.is_some_and(|alive| !self.shared.ports.processes.lives(alive))
    }

    async fn forget_launch(&mut self, held: Held) -> Result<(), Fault> {
        let note = Note { alive: None, ..held.note };
        // Written down first, or an agent that finds it gone would tell of its end.
        self.shared.ports.claims.note(held.claim, note.clone()).await?;
        self.bury_stranger(Held { note, ..held }).await
    }

    /// A process that lives and is wanted, and that its driver cannot speak to for now.
    pub(super) fn silent(&self) -> Option<(&Held, Alive)> {
        let held = self.unsettled.first()?;
        Some((held, self.worth_adopting(held)?))
    }

    /// The process, if it is the newest, lives, and somebody wants it.
    fn worth_adopting(&self, held: &Held) -> Option<Alive> {
        let wanted = self.placed.is_some() && !self.wanted().desired.deleted;
        let newest = self.unsettled.len() == 1 && self.live.is_none();
        let alive = held.note.alive.clone().filter(|_| wanted && newest && held.note.exit.is_none())?;
        self.shared.ports.processes.lives(&alive).then_some(alive)
    }

    /// It should not run any more: if it cannot be taken up, it is ended all the same.
    fn given_up(&self, held: &Held) -> bool {
        let desired = self.wanted().desired;
        let over = match (desired.stop, held.note.asked) {
            (StopHow::Force, _) => true,
            (StopHow::Graceful { timeout }, Some(asked)) => self.now() >= self.past(asked).plus(timeout),
            (StopHow::Graceful { .. }, None) => false,
        };
        let newer = held.process.boot_epoch > desired.boot_epoch;
        (desired.power == Power::Off && over && !newer) || held.process.boot_epoch < desired.boot_epoch
    }

    /// The time of a guest that should stop and cannot be asked runs as well.
    async fn begin_grace(&mut self) {
        let (now, off) = (self.now(), self.wanted().desired.power == Power::Off);
        let Some(held) = self.unsettled.first_mut().filter(|held| off && held.note.asked.is_none()) else { return };
        held.note.asked = Some(now);
        let (claim, note) = (held.claim, held.note.clone());
        // A later agent would give it its time anew, no more.
        if let Err(fault) = self.shared.ports.claims.note(claim, note).await {
            tracing::warn!(%fault, "the journal did not take when a guest should have been asked to stop");
        }
    }

    async fn adopt(&self, held: &Held, alive: Alive) -> Result<Box<dyn Machine>, Fault> {
        let drivers = &self.shared.ports.drivers;
        let driver = drivers.iter().find(|driver| driver.capabilities().driver == held.process.driver);
        let driver = driver.cloned().ok_or_else(|| {
            Fault::new(Reason::DriverUnavailable, format!("driver {} is not here any more", held.process.driver))
                .fix("install it again; the machine runs on until then")
        })?;
        fault::hit(Point::AgentAdopting);
        let (pid, measured) = (alive.pid, alive.clone());
        let adoption = Adoption {
            instance: self.id,
            incarnation: held.process.incarnation,
            alive,
            chosen: held.process.chosen.clone(),
            run_dir: held.process.run_dir.clone(),
            vmm_log: held.process.vmm_log.clone(),
            spec: self.spec_of(held)?,
            ward: held.process.ward,
        };
        // It is never closed.
        let turn = self.shared.adopting.acquire().await;
        // It is measured whether its VMM answers or not.
        self.measure_on(held, &measured).await;
        let machine = driver.adopt(adoption).await?;
        drop(turn);
        tracing::info!(pid, "taken up from a former agent");
        self.shared.figures.adopted();
        fault::hit(Point::AgentAdopted);
        Ok(machine)
    }
}
