//! Durations in, figures out: order statistics by nearest rank, in microseconds.

use serde::Serialize;
use std::time::Duration;

/// What is told of many durations, in microseconds with one decimal.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Summary {
    /// How many there were.
    pub(crate) count: usize,
    /// The shortest.
    pub(crate) min_us: f64,
    /// Half were at most this.
    pub(crate) p50_us: f64,
    /// Nine in ten were at most this.
    pub(crate) p90_us: f64,
    /// 99 in a hundred were at most this; of fewer than a hundred it is the longest.
    pub(crate) p99_us: f64,
    /// The longest.
    pub(crate) max_us: f64,
}

impl Summary {
    /// The figures of these durations; `None` of none.
    pub(crate) fn of(durations: &[Duration]) -> Option<Self> {
        let mut sorted = durations.to_vec();
        sorted.sort_unstable();
        let (first, last) = (sorted.first()?, sorted.last()?);
        // The nearest rank: the smallest that at least so many percent do not exceed.
        let rank = |percent: usize| micros(sorted[(sorted.len() * percent).div_ceil(100).saturating_sub(1)]);
        Some(Self {
            count: sorted.len(),
            min_us: micros(*first),
            p50_us: rank(50),
            p90_us: rank(90),
            p99_us: rank(99),
            max_us: micros(*last),
        })
    }
}

/// In microseconds, rounded to one decimal.
pub(crate) fn micros(duration: Duration) -> f64 {
    rounded(duration.as_secs_f64() * 1e6, 1)
}

/// Rounded to so many decimals.
pub(crate) fn rounded(value: f64, decimals: i32) -> f64 {
    let scale = 10f64.powi(decimals);
    (value * scale).round() / scale
}

/// How many per second, with one decimal; 0 where no time passed.
pub(crate) fn rate(count: usize, wall: Duration) -> f64 {
    let seconds = wall.as_secs_f64();
    if seconds > 0.0 { rounded(count as f64 / seconds, 1) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn durations(micros: impl IntoIterator<Item = u64>) -> Vec<Duration> {
        micros.into_iter().map(Duration::from_micros).collect()
    }

    #[test]
    fn figures_are_of_the_nearest_rank_whatever_the_order() {
        let figures = Summary::of(&durations((1..=200).rev())).unwrap();
        let wanted = Summary { count: 200, min_us: 1.0, p50_us: 100.0, p90_us: 180.0, p99_us: 198.0, max_us: 200.0 };
        assert_eq!(figures, wanted);
    }

    #[test]
    fn few_durations_have_figures_too() {
        assert_eq!(Summary::of(&[]), None);
        let one = Summary::of(&durations([7])).unwrap();
        assert_eq!((one.count, one.min_us, one.p50_us, one.p99_us, one.max_us), (1, 7.0, 7.0, 7.0, 7.0));
        let three = Summary::of(&durations([30, 10, 20])).unwrap();
        assert_eq!((three.p50_us, three.p90_us, three.p99_us), (20.0, 30.0, 30.0));
    }

    #[test]
    fn rates_and_rounding() {
        assert_eq!(rate(300, Duration::from_secs(2)), 150.0);
        assert_eq!(rate(300, Duration::ZERO), 0.0);
        assert_eq!(micros(Duration::from_nanos(1_234)), 1.2);
        assert_eq!(rounded(1.236, 2), 1.24);
    }
}
