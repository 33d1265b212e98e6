//! Figures as people say them: sizes, ages, moments.

use jiff::Timestamp;
use std::time::Duration;
use weft_domain::Time;

/// A number of bytes, in the largest unit that leaves it whole, or to one decimal.
#[must_use]
pub fn bytes(count: u64) -> String {
    const UNITS: [(&str, u32); 4] = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    for (unit, shift) in UNITS {
        let one = 1u64 << shift;
        if count >= one {
            let (whole, rest) = (count >> shift, count & (one - 1));
            let tenth = rest.saturating_mul(10) >> shift;
            return if tenth == 0 { format!("{whole}{unit}") } else { format!("{whole}.{tenth}{unit}") };
        }
    }
    format!("{count}B")
}

/// A span in its two largest units, as kubectl writes ages: `42s`, `5m10s`, `3h`, `2d4h`.
#[must_use]
pub fn age(span: Duration) -> String {
    const UNITS: [(u64, &str, u64, &str); 3] = [(86_400, "d", 3_600, "h"), (3_600, "h", 60, "m"), (60, "m", 1, "s")];
    let seconds = span.as_secs();
    for (large, name, small, part) in UNITS {
        if seconds >= large {
            let rest = seconds % large / small;
            let head = seconds / large;
            return if rest == 0 || head >= 10 { format!("{head}{name}") } else { format!("{head}{name}{rest}{part}") };
        }
    }
    format!("{seconds}s")
}

/// How long something took, to a tenth of a second below ten.
#[must_use]
pub fn took(span: Duration) -> String {
    let millis = span.as_millis();
    if millis < 10_000 { format!("{}.{}s", millis / 1000, millis % 1000 / 100) } else { age(span) }
}

/// A span that may be short, in its two largest units.
#[must_use]
pub fn span(nanos: u64) -> String {
    match nanos {
        0 => "0s".to_owned(),
        1..1_000_000 => format!("{}us", nanos / 1_000),
        1_000_000..1_000_000_000 => format!("{}ms", nanos / 1_000_000),
        _ => took(Duration::from_nanos(nanos)),
    }
}

/// Memory over time, in bytes times hours.
#[must_use]
pub fn byte_hours(byte_seconds: u64) -> String {
    format!("{}·h", bytes(byte_seconds / 3_600))
}

/// A share in tenths of a percent.
#[must_use]
pub fn percent(tenths: u64) -> String {
    format!("{}.{}%", tenths / 10, tenths % 10)
}

/// A moment, in UTC, to the second.
#[must_use]
pub fn moment(at: Time) -> String {
    match Timestamp::from_nanosecond(i128::from(at.as_nanos())) {
        Ok(at) => at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        Err(_) => "?".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_well() {
        for (count, text) in [
            (0, "0B"),
            (512, "512B"),
            (1024, "1KiB"),
            (1536, "1.5KiB"),
            (256 << 20, "256MiB"),
            (3 << 29, "1.5GiB"),
            (24 << 30, "24GiB"),
            (u64::MAX, "16777215.9TiB"),
        ] {
            assert_eq!(bytes(count), text);
        }
    }

    #[test]
    fn ages_read_well() {
        for (seconds, text) in
            [(0, "0s"), (59, "59s"), (60, "1m"), (310, "5m10s"), (601, "10m"), (3_660, "1h1m"), (187_200, "2d4h")]
        {
            assert_eq!(age(Duration::from_secs(seconds)), text);
        }
        assert_eq!(took(Duration::from_millis(1_270)), "1.2s");
        assert_eq!(took(Duration::from_secs(75)), "1m15s");
    }

    #[test]
    fn usage_reads_well() {
        for (nanos, text) in [
            (0, "0s"),
            (999, "0us"),
            (1_500, "1us"),
            (2_000_000, "2ms"),
            (1_270_000_000, "1.2s"),
            (3_660_000_000_000, "1h1m"),
        ] {
            assert_eq!(span(nanos), text);
        }
        assert_eq!(byte_hours((3 << 29) * 3_600), "1.5GiB·h");
        assert_eq!(byte_hours(3_599), "0B·h");
        assert_eq!((percent(7).as_str(), percent(1_234).as_str()), ("0.7%", "123.4%"));
    }

    #[test]
    fn moments_read_well() {
        assert_eq!(moment(Time::from_millis(1_763_662_800_000)), "2025-11-20T18:20:00Z");
        assert_eq!(moment(Time::from_nanos(i64::MIN)), "1677-09-21T00:12:43Z");
    }
}
