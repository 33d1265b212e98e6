//! Whether the process of an instance is jailed, and what is told of it.

use super::Owner;
use super::start::confinement;
use weft_domain::capability::{Capabilities, Feature};
use weft_domain::{ClaimId, Fault, Reason};
use weft_ports::hypervisor::Ward;
use weft_ports::processes::{Cgroups, Hold};

/// Why a process is not jailed: a word for machines, and a sentence for people.
type WhyNot = (&'static str, String);

impl Owner {
    /// Whom the process of this claim runs as; nobody where it is not jailed.
    pub(super) fn ward_for(&self, claim: ClaimId, driver: &Capabilities) -> Result<Option<Ward>, Fault> {
        match self.unjailed(driver) {
            None => self.shared.wards.take(claim).map(Some),
            Some((_, why)) if self.shared.wards.are_required() => {
                let fault = Fault::new(Reason::JailFailed, format!("the VMM would not be jailed: {why}"));
                Err(fault.fix("mend that, name another driver, or set jail.mode to auto"))
            }
            Some(_) => Ok(None),
        }
    }

    fn unjailed(&self, driver: &Capabilities) -> Option<WhyNot> {
        if !self.shared.wards.are_given() {
            return Some(("JailOff", "by configuration".to_owned()));
        }
        if let Err(why) = self.shared.ports.processes.jails() {
            return Some(("JailUnavailable", format!("the host cannot: {why}")));
        }
        let can = driver.features.contains(&Feature::Jail);
        (!can).then(|| ("DriverCannotJail", format!("driver {} cannot", driver.driver)))
    }

    /// Looks whether the live process is in its cgroup, and puts it back.
    pub(super) async fn look_for_cgroup(&mut self) {
        let (Some(live), Some(placed)) = (self.up(), &self.placed) else { return };
        let (claim, alive) = (live.held.claim, live.machine.alive());
        let held = self.shared.ports.processes.hold(claim, &alive, &confinement(&placed.spec)).await;
        let now = self.now();
        match held {
            Ok(Hold::Inside) => {}
            Ok(Hold::PutBack) => {
                tracing::warn!(pid = alive.pid, "somebody took the process out of its cgroup: put back");
                let why = "somebody took its process out of its cgroup, and it was put back: memory that it has by now \
                           does not count there, so limits are wholly held from the next boot on; shut it down and \
                           boot it anew";
                self.told.condition(now, "Confined", false, ("WasOutside", why));
            }
            Err(fault) => {
                let why = format!(
                    "somebody took its process out of its cgroup, and it cannot be put back ({fault}): limits are not \
                     held until the next boot; shut it down and boot it anew"
                );
                self.told.condition(now, "Confined", false, ("OutsideCgroup", &why));
            }
        }
    }

    /// Says how the live process is confined.
    pub(super) fn tell_confined(&mut self) {
        let Some(running) = &self.live else { return };
        let process = &running.held.process;
        let drivers = &self.shared.ports.drivers;
        let driver = drivers.iter().map(|driver| driver.capabilities()).find(|it| it.driver == process.driver);
        let (cgroups, warning) = self.shared.ports.processes.cgroups();
        let limits = warning.unwrap_or_else(|| format!("in a cgroup of its own ({cgroups:?})"));
        let (holds, reason, message) = match (process.ward, driver.and_then(|driver| self.unjailed(&driver))) {
            (Some(ward), _) if cgroups != Cgroups::None => {
                (true, "Jailed", format!("jailed as user {}, {limits}", ward.uid))
            }
            (Some(ward), _) => (false, "NoCgroup", format!("jailed as user {}; {limits}", ward.uid)),
            (None, Some((reason, why))) => (false, reason, format!("not jailed: {why}; {limits}")),
            (None, None) => (false, "NotJailedYet", format!("not jailed until its next boot; {limits}")),
        };
        let now = self.now();
        self.told.condition(now, "Confined", holds, (reason, &message));
    }
}
