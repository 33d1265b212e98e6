//! How an instance ends: asked, by force, by itself; and how nothing of it is left.

use super::Owner;
use crate::inventory::Held;
use std::path::Path;
use std::sync::Arc;
use weft_domain::Fault;
use weft_domain::capability::Feature;
use weft_domain::converge::{Seen, Step, converge};
use weft_domain::instance::{Exit, ExitCause, Power};
use weft_domain::lifecycle::Sight;
use weft_domain::restart;
use weft_domain::usage::Edge;
use weft_ports::fault::{self, Point};
use weft_ports::hypervisor::{End, State, Way};

/// Bytes of a log that are looked at for its last lines.
const TAIL_BYTES: u64 = 16 * 1024;
/// Lines of a log that go into the status.
const TAIL_LINES: usize = 40;
/// The longest such line, in characters.
const TAIL_LINE: usize = 240;

impl Owner {
    /// The time of a guest that cannot be asked runs as well, or it would never be ended by force.
    pub(super) async fn ask_to_stop(&mut self) -> Result<(), Fault> {
        let now = self.now();
        let Some(live) = &mut self.live else { return Ok(()) };
        live.held.note.asked = Some(now);
        let (claim, note, machine) = (live.held.claim, live.held.note.clone(), Arc::clone(&live.machine));
        let asked = self.unless_forced(machine.ask_to_stop()).await;
        // Written down so that a later agent does not give the guest its time anew.
        self.shared.ports.claims.note(claim, note).await?;
        if asked.is_ok() {
            tracing::info!("the guest was asked to stop");
        }
        asked
    }

    /// Starts the guest anew in its process, or ends the process where its driver has no reset: then it is
    /// launched again, as what is wanted has not been done yet.
    pub(super) async fn reset(&mut self, reboot_epoch: u64) -> Result<(), Fault> {
        if !self.drives(Feature::Reset) {
            self.kill().await?;
            return self.until(|_| false).await;
        }
        let log = self.shared.layout.console_log(self.id);
        let extent = self.shared.ports.volumes.log_extent(&log).await;
        self.unless_forced(self.machine()?.reset()).await?;
        self.mark(Edge::Reboot).await;
        let now = self.now();
        let Some(live) = &mut self.live else { return Ok(()) };
        live.held.note.reboot_epoch = reboot_epoch;
        live.held.note.asked = None;
        let (claim, note, start) = (live.held.claim, live.held.note.clone(), live.held.process.console_offset);
        tracing::info!(reboot_epoch, "the guest was reset");
        // It takes up what it was told to be.
        self.told.clear("Identity");
        self.begin_readiness(now, extent.map_or(start, |(end, _)| end));
        self.shared.ports.claims.note(claim, note).await
    }

    /// Whether the driver of the live machine can do this.
    fn drives(&self, feature: Feature) -> bool {
        let Some(live) = &self.live else { return false };
        let drivers = self.shared.ports.drivers.iter().map(|driver| driver.capabilities());
        drivers.into_iter().any(|it| it.driver == live.held.process.driver && it.features.contains(&feature))
    }

    pub(super) async fn kill(&mut self) -> Result<(), Fault> {
        tracing::info!("ending the machine by force");
        self.forsaken = self.placed.is_none();
        self.mark(Edge::Tick).await;
        self.machine()?.kill().await
    }

    /// The machine has ended: write down how, and bury it; what is left of it is settled next.
    pub(super) async fn finish(&mut self) -> Result<(), Fault> {
        let Some(live) = &self.live else { return Ok(()) };
        let State::Ended(end) = live.state.borrow().clone() else { return Ok(()) };
        let mut held = live.held.clone();
        held.note.exit = Some(Box::new(self.exit(&held, end).await));
        self.shared.ports.claims.note(held.claim, held.note.clone()).await?;
        self.mark_end().await;
        if let Err(fault) = live.machine.bury().await {
            tracing::warn!(%fault, "the driver could not bury its machine; its claim is cleared all the same");
        }
        self.part();
        self.unsettled.push(held);
        Ok(())
    }

    /// A process that is gone, or that nobody wants.
    pub(super) async fn bury_stranger(&mut self, mut held: Held) -> Result<(), Fault> {
        if held.note.exit.is_none() && held.note.alive.is_some() {
            let end = self.end_unseen(&held);
            held.note.exit = Some(Box::new(self.exit(&held, end).await));
            self.shared.ports.claims.note(held.claim, held.note.clone()).await?;
        }
        self.conclude(held).await
    }

    /// It ended, or must end, while no agent looked: what can still be told of it.
    fn end_unseen(&self, held: &Held) -> End {
        let lives = held.note.alive.as_ref().is_some_and(|alive| self.shared.ports.processes.lives(alive));
        let (way, message) = match lives {
            true => (Way::Killed, "the VMM was ended by force"),
            false => (Way::Gone, "the VMM was gone when the agent started"),
        };
        End { way, at: self.now(), message: message.to_owned(), log_tail: Vec::new() }
    }

    /// Nothing of the process is left, its end is told, and then its claim is let go.
    async fn conclude(&mut self, held: Held) -> Result<(), Fault> {
        fault::hit(Point::AgentBurying);
        self.forsaken |= self.placed.is_none();
        self.last_reading(&held).await?;
        self.clear_sockets(&held).await?;
        fault::hit(Point::AgentBuried);
        if let Some(exit) = held.note.exit.map(|exit| *exit) {
            if self.ended.as_ref() != Some(&exit) {
                tracing::info!(cause = exit.cause.as_str(), message = exit.message, "ended");
                self.shared.figures.exited(exit.cause);
            }
            if !self.forsaken {
                self.restarts = restart::counted(held.process.restarts, held.process.at, exit.at);
                let failed = exit.cause.is_failure();
                self.ended = Some(exit);
                if !self.wanted().desired.deleted {
                    self.tell(if failed { Sight::Failed } else { self.after_end() }).await?;
                }
            }
        }
        self.shared.ports.claims.release(vec![held.claim]).await?;
        self.shared.wards.free(held.claim);
        self.shared.files.free(self.id);
        Ok(())
    }

    /// Whether it stays down after an end that is no failure.
    fn after_end(&self) -> Sight {
        let seen = Seen { prepared: true, ..self.seen() };
        let plan = converge(&self.wanted(), &seen, self.now());
        let again = plan.waiting || plan.steps.iter().any(|step| matches!(step, Step::Launch { .. }));
        if again { Sight::Waiting } else { Sight::Stopped }
    }

    async fn clear_sockets(&self, held: &Held) -> Result<(), Fault> {
        self.shared.ports.processes.clear(held.claim).await?;
        self.shared.ports.volumes.remove(&held.process.run_dir).await
    }

    /// Takes away everything of the instance, then its claims, then says so.
    pub(super) async fn release(&mut self) -> Result<(), Fault> {
        let folder = self.shared.layout.folder(self.id);
        for path in self.things.paths().filter(|path| !path.starts_with(&folder) || **path == folder) {
            self.shared.ports.volumes.remove(path).await?;
        }
        self.shared.ports.claims.release(self.things.values().map(|thing| thing.claim).collect()).await?;
        self.things.clear();
        tracing::info!("released");
        self.tell(Sight::Released).await
    }

    async fn exit(&self, held: &Held, end: End) -> Exit {
        let desired = self.wanted().desired;
        // An agent may have asked, or ended it for a reboot or a newer boot, and died before it wrote that down.
        let renewed = held.note.reboot_epoch < desired.reboot_epoch || held.process.boot_epoch < desired.boot_epoch;
        let asked = held.note.asked.is_some() || desired.power == Power::Off || desired.deleted || renewed;
        let cause = match end.way {
            Way::Poweroff if asked => ExitCause::Shutdown,
            Way::Poweroff => ExitCause::GuestPoweroff,
            Way::Killed | Way::Moved => ExitCause::Forced,
            Way::Reset => ExitCause::GuestReset,
            Way::Panic => ExitCause::GuestPanic,
            Way::OutOfMemory => ExitCause::OutOfMemory,
            Way::Died | Way::Gone if self.host_restarted(held) => ExitCause::HostRestarted,
            Way::Gone if asked => ExitCause::Forced,
            Way::Died | Way::Gone => ExitCause::VmmDied,
        };
        let message = match (cause, held.note.asked) {
            (ExitCause::Forced, Some(asked)) if end.way == Way::Killed => {
                let waited = end.at.since(asked).as_secs();
                format!("the guest did not stop within {waited} s of being asked, and was ended by force")
            }
            (ExitCause::HostRestarted, _) => "the host was restarted".to_owned(),
            (ExitCause::Forced, _) if end.way == Way::Gone => {
                "the VMM ended, as was asked, while no agent ran that could see how".to_owned()
            }
            (_, _) => end.message,
        };
        let (own, console_tail) = self.tails(&held.process.vmm_log).await;
        let log_tail = if end.log_tail.is_empty() { own } else { end.log_tail };
        let (boot_epoch, reboot_epoch) = (held.process.boot_epoch, held.note.reboot_epoch);
        Exit { boot_epoch, reboot_epoch, at: end.at, cause, message, log_tail, console_tail }
    }

    fn host_restarted(&self, held: &Held) -> bool {
        held.note.alive.as_ref().is_some_and(|alive| alive.boot_id != self.shared.ports.processes.boot_id())
    }

    /// The last lines of the VMM's log and of the console.
    pub(super) async fn tails(&self, vmm_log: &Path) -> (Vec<String>, Vec<String>) {
        let console = self.shared.layout.console_log(self.id);
        tokio::join!(self.tail(vmm_log), self.tail(&console))
    }

    async fn tail(&self, log: &Path) -> Vec<String> {
        let volumes = &self.shared.ports.volumes;
        let read = async {
            let (end, _) = volumes.log_extent(log).await?;
            let max = usize::try_from(TAIL_BYTES).unwrap_or(usize::MAX);
            volumes.read_log(log, end.saturating_sub(TAIL_BYTES), max).await
        };
        // A log that cannot be read tells nothing; the exit is told without it.
        let Ok((_, bytes)) = read.await else { return Vec::new() };
        last_lines(&String::from_utf8_lossy(&bytes))
    }
}

fn last_lines(text: &str) -> Vec<String> {
    let clean = |line: &str| -> String { line.chars().filter(|c| !c.is_control()).take(TAIL_LINE).collect() };
    let lines: Vec<String> = text.lines().map(clean).filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_clean_and_bounded() {
        let text = (0..50).map(|i| format!("line {i}\r\n")).collect::<String>() + "\x1b[0m\u{7}\n" + &"x".repeat(999);
        let lines = last_lines(&text);
        assert_eq!(lines.len(), TAIL_LINES);
        assert_eq!(lines.last().map(String::len), Some(TAIL_LINE));
        assert!(lines.iter().all(|line| !line.contains(['\r', '\u{7}', '\x1b'])));
    }
}
