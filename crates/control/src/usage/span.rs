//! Spans of the wall clock, cut into the widest whole buckets that fit.
//!
//! ```text
//!   from                                                              to
//!    │ seconds │ minutes │ hours │        days        │ hours │ minutes │ seconds │
//! ```
//!
//! An edge goes back to where a bucket begins that is still kept. It does so whichever side of it is asked for, so
//! that spans which meet share no bucket and leave none out.

use weft_domain::Time;
use weft_domain::usage::Width;
use weft_ports::ledger::Keep;

/// Buckets of one width, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    /// How wide each is.
    pub(super) width: Width,
    /// The first begins here, in seconds since the epoch.
    pub(super) from: i64,
    /// And here one begins that is not of them.
    pub(super) to: i64,
}

/// The whole second that a moment lies in.
pub(super) const fn second(at: Time) -> i64 {
    at.as_nanos().div_euclid(1_000_000_000)
}

/// When a second begins; stays within the moments that there are.
pub(super) const fn moment(second: i64) -> Time {
    Time::from_nanos(second.saturating_mul(1_000_000_000))
}

/// Where the bucket begins that a second lies in.
pub(super) const fn floor(second: i64, width: Width) -> i64 {
    second.div_euclid(width.seconds()) * width.seconds()
}

/// Where the first bucket begins that lies whole after this.
const fn ceil(second: i64, width: Width) -> i64 {
    floor(second + width.seconds() - 1, width)
}

/// The last second at or before this one at which a span can begin or end, by what is kept now.
pub(super) fn edge(second: i64, keep: &Keep, now: Time) -> i64 {
    let narrow = [(Width::Second, Width::Minute), (Width::Minute, Width::Hour), (Width::Hour, Width::Day)];
    let kept = narrow.into_iter().find(|(width, wider)| floor(second, *wider) >= keep.since(*width, now));
    floor(second, kept.map_or(Width::Day, |(width, _)| width))
}

/// The widest buckets that together are this span, in their order.
pub(super) fn runs(from: i64, to: i64) -> Vec<Run> {
    let mut runs = Vec::new();
    cut(from, to, &[Width::Day, Width::Hour, Width::Minute, Width::Second], &mut runs);
    runs
}

fn cut(from: i64, to: i64, widths: &[Width], into: &mut Vec<Run>) {
    let Some((width, narrower)) = widths.split_first() else { return };
    let (first, last) = (ceil(from, *width), floor(to, *width));
    if first >= last {
        return cut(from, to, narrower, into);
    }
    cut(from, first, narrower, into);
    into.push(Run { width: *width, from: first, to: last });
    cut(last, to, narrower, into);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn runs_are_the_span_and_no_more(from in -400_000i64..400_000, long in 0i64..400_000) {
            let runs = runs(from, from + long);
            let mut at = from;
            for run in &runs {
                prop_assert_eq!(run.from, at);
                prop_assert!(run.to > run.from);
                prop_assert_eq!((floor(run.from, run.width), floor(run.to, run.width)), (run.from, run.to));
                at = run.to;
            }
            prop_assert_eq!(at, from + long.max(0));
            prop_assert!(runs.len() <= 7);
        }

        #[test]
        fn an_edge_needs_only_what_is_kept(from in 0i64..4_000_000_000, long in 0i64..40_000_000, age in 0i64..90_000_000) {
            let (keep, now) = (Keep::default(), moment(from + long + age));
            let (first, last) = (edge(from, &keep, now), edge(from + long, &keep, now));
            prop_assert!(first <= from && from - first < Width::Day.seconds());
            for run in runs(first, last) {
                prop_assert!(run.from >= keep.since(run.width, now) || run.width == Width::Day, "{:?}", run);
            }
        }

        #[test]
        fn what_is_new_is_told_to_the_second(back in 0i64..18_000) {
            let now = 1_800_000_000;
            prop_assert_eq!(edge(now - back, &Keep::default(), moment(now)), now - back);
        }
    }

    #[test]
    fn a_span_without_length_has_no_runs() {
        assert_eq!(runs(7, 7), Vec::new());
        assert_eq!(runs(60, 120), [Run { width: Width::Minute, from: 60, to: 120 }]);
    }
}
