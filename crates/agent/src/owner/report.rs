//! What an owner tells control: sights, conditions, readiness; each once, in order.

use super::Owner;
use super::alter::applied_generation;
use super::mention::Mentions;
use crate::inventory::Held;
use std::time::Duration;
use weft_domain::instance::{Condition, Running};
use weft_domain::lifecycle::Sight;
use weft_domain::spec::ReadinessProbe;
use weft_domain::{Fault, Time};
use weft_ports::hypervisor::{Chosen, State};
use weft_ports::link::Report;
use weft_ports::processes::Alive;

/// How often a guest that is not ready yet is looked at.
const READINESS_LOOK: Duration = Duration::from_millis(200);
/// The least time between two upkeeps on the node, whoever's they are.
const UPKEEP_SHARE: Duration = Duration::from_millis(10);
/// How long an agent in the guest is waited for in one look.
const GREETING: Duration = Duration::from_millis(500);
/// Bytes of a console's log that are searched for the sign of readiness in one look.
const READINESS_BYTES: usize = 256 * 1024;

/// What was told last, and what is to be told next.
#[derive(Default)]
pub(super) struct Told {
    last: Option<Report>,
    mentions: Mentions,
    conditions: Vec<Condition>,
    ready: Option<Waiting>,
    bounded: Option<Time>,
    /// Control did not take the last report.
    refused: bool,
}

/// A guest that is not ready yet.
struct Waiting {
    sign: Sign,
    until: Time,
    /// Why it may have said so unheard: a word for machines, and a sentence for people.
    missed: Option<(&'static str, &'static str)>,
}

/// By what a guest shows that it is ready.
enum Sign {
    /// This text on its serial console, looked for from this byte of the log.
    Serial { text: String, offset: u64 },
    /// An answer of its agent.
    Agent,
}

impl Sign {
    /// What is told when it is there: a word for machines, and a sentence for people.
    const fn seen(&self) -> (&'static str, &'static str) {
        match self {
            Self::Serial { .. } => ("SerialText", "the guest said so on its serial console"),
            Self::Agent => ("GuestAgent", "the guest's agent answers"),
        }
    }

    /// What is told when it did not come in time.
    fn missing(&self) -> String {
        match self {
            Self::Serial { text, .. } => format!("the serial console did not show {text:?} in time"),
            Self::Agent => "the guest's agent did not answer in time".to_owned(),
        }
    }
}

/// Some of the log was dropped before it was looked at.
const DROPPED: (&str, &str) = ("LogDropped", "the part of the console's log that would tell was dropped");
/// It goes on from memory.
const WENT_ON: (&str, &str) = ("WentOn", "the guest goes on from a snapshot, and may have said so before that");

impl Told {
    pub(super) fn sight(&self) -> Option<Sight> {
        self.last.as_ref().map(|report| report.sight)
    }

    pub(super) fn end_readiness(&mut self) {
        self.ready = None;
        self.clear("Ready");
    }

    /// The guest goes on from memory: what it says no more it may have said before.
    pub(super) fn goes_on(&mut self, now: Time) {
        if let Some(waiting) = &mut self.ready {
            waiting.missed = Some(WENT_ON);
            self.condition(now, "Ready", None, WENT_ON);
        }
    }

    /// Control may have forgotten what it was told.
    pub(super) fn forget(&mut self) {
        self.last = None;
    }

    /// Whether control refused a report since this was last asked.
    pub(super) fn take_refusal(&mut self) -> bool {
        std::mem::take(&mut self.refused)
    }

    /// Sets a condition; it keeps its time unless it changes.
    pub(super) fn condition(&mut self, now: Time, kind: &str, holds: impl Into<Option<bool>>, why: (&str, &str)) {
        let (kind, holds, (reason, message)) = (kind.to_owned(), holds.into(), why);
        let (reason, message) = (reason.to_owned(), message.to_owned());
        let mut new = Condition { kind, holds, reason, message, since: now };
        match self.conditions.iter_mut().find(|old| old.kind == new.kind) {
            Some(old) => {
                if old.holds == new.holds && old.reason == new.reason {
                    new.since = old.since;
                }
                *old = new;
            }
            None => {
                // There are one or two, of thousands of machines.
                self.conditions.reserve_exact(1);
                self.conditions.push(new);
            }
        }
    }

    pub(super) fn clear(&mut self, kind: &str) {
        self.conditions.retain(|condition| condition.kind != kind);
    }
}

fn running(held: &Held, chosen: Chosen, alive: &Alive, resets: u64) -> Running {
    Running {
        incarnation: held.process.incarnation,
        pid: alive.pid,
        boot_epoch: held.process.boot_epoch,
        reboot_epoch: held.note.reboot_epoch,
        start_time: held.process.at,
        driver: chosen.driver,
        machine: chosen.machine,
        accelerator: chosen.accelerator,
        jail: held.process.ward.map(|ward| ward.uid),
        applied_generation: applied_generation(held),
        resets,
    }
}

impl Owner {
    /// Tells a sight, unless it is what was told last.
    pub(super) async fn tell(&mut self, sight: Sight) -> Result<(), Fault> {
        if !self.told.mentions.end().await {
            self.told.forget();
        }
        let Some(report) = self.report(sight) else { return Ok(()) };
        if self.told.last.as_ref() == Some(&report) {
            return Ok(());
        }
        let node = self.shared.config.node.id;
        let taken = self.shared.ports.placements.report(node, report.clone()).await;
        self.told.refused = taken.is_err();
        if taken.is_ok() {
            self.told.last = Some(report);
        }
        taken
    }

    /// Tells a sight that soon passes, without waiting for it.
    pub(super) fn mention(&mut self, sight: Sight) {
        let Some(report) = self.report(sight) else { return };
        if self.told.last.as_ref() != Some(&report) {
            self.told.last = Some(report.clone());
            self.told.mentions.send(&self.shared.ports.placements, self.shared.config.node.id, report);
        }
    }

    fn report(&self, sight: Sight) -> Option<Report> {
        let placed = self.placed.as_ref()?;
        let live = self.up().map(|live| {
            let resets = *live.resets.borrow();
            running(&live.held, live.machine.chosen(), &live.machine.alive(), resets)
        });
        let silent = || self.silent().map(|(held, alive)| running(held, held.process.chosen.clone(), &alive, 0));
        let running = live.or_else(silent);
        let addresses = self.up().map(|live| live.machine.addresses()).unwrap_or_default();
        Some(Report {
            id: self.id,
            placement: placed.placement,
            generation: placed.generation,
            boot_epoch: placed.desired.boot_epoch,
            sight,
            running,
            last_exit: self.ended.clone(),
            restarts: self.restarts,
            addresses,
            conditions: self.told.conditions.clone(),
            restart_required: self.restart_required(),
        })
    }

    /// A guest that starts at this moment, with its console's log at this length, is not ready until it
    /// says so.
    pub(super) fn begin_readiness(&mut self, at: Time, offset: u64) {
        self.told.end_readiness();
        let Some(readiness) = self.placed.as_ref().and_then(|placed| placed.spec.readiness.clone()) else { return };
        let sign = match readiness.probe {
            ReadinessProbe::Serial { text } => Sign::Serial { text, offset },
            ReadinessProbe::GuestAgent => Sign::Agent,
            // No driver serves these, so no specification that runs asks for them.
            ReadinessProbe::Vsock { .. } | ReadinessProbe::Tcp { .. } | ReadinessProbe::Http { .. } => return,
        };
        self.told.ready = Some(Waiting { sign, until: at.plus(readiness.timeout), missed: None });
        self.told.condition(self.now(), "Ready", false, ("Waiting", "the guest has not said that it is ready"));
    }

    /// When the owner must look again even if nothing happens.
    pub(super) fn next_look(&self) -> Duration {
        match (&self.live, &self.told.ready) {
            (Some(_), Some(_)) => READINESS_LOOK,
            (Some(_), None) => self.upkeep_every(),
            (None, _) => Duration::MAX,
        }
    }

    /// How often logs are bounded: less often where there are very many, so that all of them together take the
    /// same small part of a processor.
    fn upkeep_every(&self) -> Duration {
        self.shared.config.upkeep.max(UPKEEP_SHARE * self.shared.figures.crowd())
    }

    /// What has just begun has nothing to be looked after yet.
    pub(super) fn put_off_upkeep(&mut self) {
        self.told.bounded = Some(self.now());
    }

    /// Bounds the logs of a live machine and looks whether its guest is ready.
    pub(super) async fn upkeep(&mut self) {
        if self.live.is_none() {
            return;
        }
        self.look_for_readiness().await;
        let now = self.now();
        if self.told.bounded.is_some_and(|last| now.since(last) < self.upkeep_every()) {
            return;
        }
        self.told.bounded = Some(now);
        self.look_for_disks().await;
        self.look_for_nics().await;
        self.look_for_cgroup().await;
        let (layout, config) = (&self.shared.layout, &self.shared.config);
        let logs =
            [(layout.console_log(self.id), config.console_log_bytes), (layout.vmm_log(self.id), config.vmm_log_bytes)];
        for (log, keep) in logs {
            if let Err(fault) = self.shared.ports.volumes.bound_log(&log, keep).await {
                tracing::warn!(%fault, log = %log.display(), "a log could not be bounded");
            }
        }
    }

    async fn look_for_readiness(&mut self) {
        let Some(mut waiting) = self.told.ready.take() else { return };
        let found = match &mut waiting.sign {
            Sign::Serial { text, offset } => {
                let (found, dropped) = self.search(text, offset).await;
                waiting.missed = dropped.then_some(DROPPED).or(waiting.missed);
                found
            }
            Sign::Agent => self.agent_answers().await,
        };
        let now = self.now();
        if found {
            self.told.condition(now, "Ready", true, waiting.sign.seen());
        } else if now < waiting.until {
            self.told.ready = Some(waiting);
        } else if let Some(why) = waiting.missed {
            self.told.condition(now, "Ready", None, why);
        } else {
            self.told.condition(now, "Ready", false, ("TimedOut", &waiting.sign.missing()));
        }
    }

    /// A guest that is held, or whose agent takes long, has not answered.
    async fn agent_answers(&self) -> bool {
        let Some(live) = self.up().filter(|live| *live.state.borrow() == State::Running) else { return false };
        let greeted = tokio::time::timeout(GREETING, live.machine.greet_agent()).await;
        matches!(greeted, Ok(Ok(())))
    }

    /// Searches what the console's log got since the last look; whether it is there, and whether some of
    /// the log was dropped before it was looked at.
    async fn search(&self, text: &str, offset: &mut u64) -> (bool, bool) {
        let log = self.shared.layout.console_log(self.id);
        let mut dropped = false;
        loop {
            let read = self.shared.ports.volumes.read_log(&log, *offset, READINESS_BYTES).await;
            let Ok((from, bytes)) = read else { return (false, dropped) };
            if contains(&bytes, text.as_bytes()) {
                return (true, dropped);
            }
            dropped |= from > *offset;
            // The text may have begun at the end of what was read.
            let seen = from.saturating_add(bytes.len() as u64);
            let begun = (text.len() as u64).saturating_sub(1);
            *offset = seen.saturating_sub(begun).max(*offset);
            if bytes.len() < READINESS_BYTES {
                return (false, dropped);
            }
        }
    }
}

fn contains(hay: &[u8], needle: &[u8]) -> bool {
    hay.windows(needle.len().max(1)).any(|window| window == needle)
}
