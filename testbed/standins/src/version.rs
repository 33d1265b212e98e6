//! The version that a stand-in claims to be, so that version gates can be tested.
//!
//! Text comes in from the environment, an ordered number goes out. Endpoints and fields say since when they
//! exist; a stand-in of an older version does not know them.

use std::fmt;

/// The environment variable that names the version, such as `1.12.0`.
pub const VARIABLE: &str = "STANDIN_VERSION";

/// `major.minor.patch`, with whatever stood behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    numbers: [u16; 3],
    suffix: String,
}

impl Version {
    /// Reads `1.12.0` or `1.17.0-dev`; missing numbers are zero.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches('v');
        let (plain, suffix) = text.split_at(text.find('-').unwrap_or(text.len()));
        let mut numbers = [0; 3];
        let mut parts = plain.split('.');
        for number in &mut numbers {
            match parts.next() {
                Some(part) => *number = part.parse().ok()?,
                None => break,
            }
        }
        parts.next().is_none().then(|| Self { numbers, suffix: suffix.to_owned() })
    }

    /// The version that the environment asks for, or this one.
    #[expect(clippy::disallowed_methods, reason = "a stand-in is told what to play by its environment")]
    #[must_use]
    pub fn asked_or(default: &str) -> Self {
        let asked = std::env::var(VARIABLE).ok();
        asked
            .and_then(|text| Self::parse(&text))
            .or_else(|| Self::parse(default))
            .unwrap_or(Self { numbers: [0; 3], suffix: String::new() })
    }

    /// Whether this version is that one or newer.
    #[must_use]
    pub fn reached(&self, since: Since) -> bool {
        (self.numbers[0], self.numbers[1]) >= since
    }
}

/// `(major, minor)` of the version that brought something.
pub type Since = (u16, u16);
/// There from the beginning.
pub const ALWAYS: Since = (0, 0);

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(out, "{major}.{minor}.{patch}{}", self.suffix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_an_ordered_version() {
        let version = Version::parse("v1.17.0-dev").unwrap();
        assert_eq!(version.to_string(), "1.17.0-dev");
        assert!(version.reached((1, 17)) && version.reached((1, 9)) && !version.reached((1, 18)));
        assert!(Version::parse("54").unwrap().reached((54, 0)));
        assert!(Version::parse("one").is_none() && Version::parse("1.2.3.4").is_none());
    }
}
