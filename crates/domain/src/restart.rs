//! When a dead instance lives again: the restart policy with a capped exponential backoff.

use crate::Time;
use crate::instance::ExitCause;
use crate::spec::RestartPolicy;
use std::time::Duration;

/// The wait before the first restart.
pub const FIRST: Duration = Duration::from_secs(1);
/// The longest wait.
pub const CAP: Duration = Duration::from_secs(300);
/// An incarnation that ran this long starts the count anew.
pub const STEADY: Duration = Duration::from_secs(600);

/// What follows an exit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It stays down.
    Stay,
    /// It is started again at this moment.
    At(Time),
}

/// What follows an exit by this cause, `restarts` restarts after the last asked boot.
#[must_use]
pub fn verdict(policy: RestartPolicy, cause: ExitCause, exited: Time, restarts: u32) -> Verdict {
    let again = match policy {
        RestartPolicy::Never => false,
        RestartPolicy::OnFailure => cause.is_failure(),
        RestartPolicy::Always => cause.is_failure() || cause == ExitCause::GuestPoweroff,
    };
    if again { Verdict::At(exited.plus(wait(restarts))) } else { Verdict::Stay }
}

/// The wait before restart number `restarts`, from 0: doubling from [`FIRST`] up to [`CAP`].
#[must_use]
pub fn wait(restarts: u32) -> Duration {
    FIRST.saturating_mul(1u32.checked_shl(restarts.min(20)).unwrap_or(u32::MAX)).min(CAP)
}

/// How many restarts count against an incarnation that started and ended at these moments.
#[must_use]
pub fn counted(restarts: u32, started: Time, ended: Time) -> u32 {
    if ended.since(started) >= STEADY { 0 } else { restarts }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_table_of_policies() {
        use RestartPolicy as R;
        let at = Time::from_millis(1_000);
        for cause in ExitCause::ALL {
            assert_eq!(verdict(R::Never, cause, at, 0), Verdict::Stay);
            assert_eq!(verdict(R::OnFailure, cause, at, 0) != Verdict::Stay, cause.is_failure(), "{cause:?}");
            let asked = matches!(cause, ExitCause::Shutdown | ExitCause::Forced);
            assert_eq!(verdict(R::Always, cause, at, 0) == Verdict::Stay, asked, "{cause:?}");
        }
    }

    #[test]
    fn a_steady_run_forgives() {
        let start = Time::from_millis(0);
        assert_eq!(counted(7, start, start.plus(STEADY)), 0);
        assert_eq!(counted(7, start, start.plus(Duration::from_secs(5))), 7);
    }

    proptest! {
        #[test]
        fn the_wait_grows_and_is_capped(n in 0u32..10_000) {
            prop_assert!(wait(n) >= FIRST && wait(n) <= CAP);
            prop_assert!(wait(n + 1) >= wait(n));
        }
    }
}
