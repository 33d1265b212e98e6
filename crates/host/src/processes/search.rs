//! Finds processes by the claim that they bear in the variables they were started with.
//!
//! Every process that we launch carries `WEFT_CLAIM` and `WEFT_SCOPE`; those that it starts itself carry
//! them too. The scope keeps two data folders on one machine apart. Processes of other users cannot be
//! read and are passed over, or, where we are root, believed only if jails run as them: anybody may start a
//! process with any variables. A process can write over its variables, but not leave its cgroup; where it
//! has one of ours, that counts.

use super::{Config, stat};
use std::collections::BTreeMap;
use std::fs;
use std::ops::RangeInclusive;
use weft_domain::ClaimId;
use weft_ports::processes::Alive;

/// The variable that names the claim.
pub(super) const CLAIM: &str = "WEFT_CLAIM";
/// The variable that names the scope.
pub(super) const SCOPE: &str = "WEFT_SCOPE";

/// A process that bears a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bearer {
    /// The claim.
    pub(super) claim: ClaimId,
    /// The process.
    pub(super) alive: Alive,
    /// Whether it leads its session, as the one that was launched does.
    pub(super) leads: bool,
}

/// The claim in these variables, where they are of this scope.
fn claim_in(environ: &[u8], scope: &str) -> Option<ClaimId> {
    if value(environ, SCOPE)? != scope {
        return None;
    }
    value(environ, CLAIM)?.parse().ok()
}

/// The value of a variable.
fn value<'a>(environ: &'a [u8], name: &str) -> Option<&'a str> {
    environ.split(|byte| *byte == 0).find_map(|variable| {
        let rest = variable.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
        std::str::from_utf8(rest).ok()
    })
}

/// The claim that this process bears.
pub(super) fn claim_of(pid: u32, scope: &str) -> Option<ClaimId> {
    confined_claim(pid, scope).or_else(|| said_by(pid, scope))
}

/// The claim in whose cgroup this process is.
pub(super) fn confined_claim(pid: u32, scope: &str) -> Option<ClaimId> {
    confined_as(&stat::read_text(format!("/proc/{pid}/cgroup")).ok()?, scope)
}

fn said_by(pid: u32, scope: &str) -> Option<ClaimId> {
    claim_in(&stat::read(format!("/proc/{pid}/environ")).ok()?, scope)
}

/// Whether what this process says of itself is believed. Its real user counts: a program that becomes
/// another by itself has been started with the variables of whoever called it.
fn is_believed(pid: u32, users: &RangeInclusive<u32>) -> bool {
    let ours = rustix::process::geteuid().as_raw();
    stat::user_of(pid).is_some_and(|(user, _)| user == ours || users.contains(&user))
}

/// The claim whose cgroup is among these.
fn confined_as(cgroups: &str, scope: &str) -> Option<ClaimId> {
    let ours = format!("/weft/{scope}/");
    cgroups.lines().find_map(|line| line.split_once(&ours)?.1.split('/').next()?.parse().ok())
}

/// Whose claim a process bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bearing {
    /// One of this scope.
    Ours(ClaimId),
    /// One of another.
    Anothers(ClaimId),
}

/// What a living process bears, by two small files of it; by a third where it says so itself.
pub(crate) fn bearing(pid: u32, whose: &Config) -> Option<Bearing> {
    let confined = || confined_claim(pid, &whose.scope);
    let said = || {
        let environ = stat::read(format!("/proc/{pid}/environ")).ok()?;
        let said = match claim_in(&environ, &whose.scope) {
            Some(claim) => Bearing::Ours(claim),
            None => Bearing::Anothers(value(&environ, SCOPE).and(value(&environ, CLAIM))?.parse().ok()?),
        };
        is_believed(pid, &whose.users).then_some(said)
    };
    let bearing = confined().map(Bearing::Ours).or_else(said)?;
    stat::of(pid).filter(stat::Stat::is_living).map(|_| bearing)
}

/// Who a pid is now, if it is living.
pub(super) fn living(pid: u32, boot_id: &str) -> Option<(Alive, bool)> {
    let stat = stat::of(pid).filter(stat::Stat::is_living)?;
    let alive = Alive { pid, start_ticks: stat.start_ticks, boot_id: boot_id.to_owned() };
    Some((alive, stat.session == pid))
}

/// Every process there is, dead ones too.
pub(crate) fn pids() -> std::io::Result<Vec<u32>> {
    let pids = fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    Ok(pids.collect())
}

/// Every living process that bears a claim of this scope.
pub(super) fn bearers(whose: &Config, boot_id: &str) -> std::io::Result<Vec<Bearer>> {
    Ok(pids()?
        .into_iter()
        .filter_map(|pid| {
            let (alive, leads) = living(pid, boot_id)?;
            // Few processes say so, and only of those it is worth a second look.
            let said = said_by(pid, &whose.scope)?;
            let confined = confined_claim(pid, &whose.scope);
            let claim = confined.or_else(|| is_believed(pid, &whose.users).then_some(said))?;
            // The variables were read of the process that was looked at, not of one that came after it.
            stat::is_there(&alive, boot_id)?;
            Some(Bearer { claim, alive, leads })
        })
        .collect())
}

/// One process per claim: the one that leads its session, else the oldest. A process can write other
/// variables over its own; out of its cgroup it cannot get, so that is believed first.
pub(super) fn one_per_claim(by_variables: Vec<Bearer>, by_cgroup: Vec<Bearer>) -> Vec<(ClaimId, Alive)> {
    let confined: BTreeMap<u32, ClaimId> = by_cgroup.iter().map(|bearer| (bearer.alive.pid, bearer.claim)).collect();
    let honest = |bearer: &Bearer| confined.get(&bearer.alive.pid).is_none_or(|claim| *claim == bearer.claim);
    let honest = by_variables.into_iter().filter(honest);
    let mut found: BTreeMap<ClaimId, Bearer> = BTreeMap::new();
    for bearer in honest.chain(by_cgroup) {
        let rank = |bearer: &Bearer| (!bearer.leads, bearer.alive.start_ticks, bearer.alive.pid);
        match found.get(&bearer.claim) {
            Some(other) if rank(other) <= rank(&bearer) => {}
            Some(_) | None => _ = found.insert(bearer.claim, bearer),
        }
    }
    found.into_values().map(|bearer| (bearer.claim, bearer.alive)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_ports::processes::conformance::fresh_claim;

    fn bearer(claim: ClaimId, pid: u32, leads: bool) -> Bearer {
        Bearer { claim, alive: Alive { pid, start_ticks: u64::from(pid), boot_id: String::new() }, leads }
    }

    #[test]
    fn the_leader_stands_for_its_claim() {
        let (one, two) = (fresh_claim(), fresh_claim());
        let bearers = vec![bearer(one, 1, false), bearer(two, 9, false), bearer(one, 5, true), bearer(two, 8, false)];
        let found: Vec<_> =
            one_per_claim(bearers, Vec::new()).into_iter().map(|(claim, alive)| (claim, alive.pid)).collect();
        assert_eq!(found, [(one, 5), (two, 8)]);
    }

    #[test]
    fn who_says_he_is_another_is_not_believed() {
        let (one, two) = (fresh_claim(), fresh_claim());
        let said = vec![bearer(one, 1, true), bearer(one, 2, true), bearer(two, 3, true)];
        let confined = vec![bearer(two, 1, true), bearer(one, 2, true)];
        let found: Vec<_> =
            one_per_claim(said, confined).into_iter().map(|(claim, alive)| (claim, alive.pid)).collect();
        assert_eq!(found, [(one, 2), (two, 1)]);
    }

    #[test]
    fn the_cgroup_tells_the_claim() {
        let claim = fresh_claim();
        let cgroups = format!("9:name=systemd:/user.slice\n4:pids:/weft/a/{claim}\n0::/weft/a/{claim}/further\n");
        assert_eq!(confined_as(&cgroups, "a"), Some(claim));
        assert_eq!(confined_as(&cgroups, "b"), None);
        assert_eq!(confined_as("4:pids:/weft/a/probe-7\n0::/\n", "a"), None);
    }

    #[test]
    fn a_claim_counts_in_its_scope_only() {
        let id = "claim-01234567-89ab-7cde-8f01-23456789abcd";
        let environ = format!("PATH=/bin\0WEFT_CLAIM={id}\0WEFT_SCOPE=a\0");
        assert_eq!(claim_in(environ.as_bytes(), "a").map(|claim| claim.to_string()).as_deref(), Some(id));
        assert_eq!(claim_in(environ.as_bytes(), "b"), None);
        for other in ["", "WEFT_SCOPE=a\0", "XWEFT_CLAIM=x\0WEFT_SCOPE=a", "WEFT_CLAIM=claim-x\0WEFT_SCOPE=a\0"] {
            assert_eq!(claim_in(other.as_bytes(), "a"), None, "{other:?}");
        }
    }
}
