//! Names: DNS labels, unique in a project.

use std::fmt;
use std::str::FromStr;

/// A DNS label: 1 to 63 of `a-z`, `0-9` and `-`, beginning with a letter, not ending with `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

/// A text that is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 63 of a-z, 0-9 and '-', begin with a letter and not end with '-'")]
pub struct ParseName;

impl Name {
    /// The project of those who have no projects.
    #[must_use]
    pub fn default_project() -> Self {
        Self("default".to_owned())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = ParseName;
    fn from_str(text: &str) -> Result<Self, ParseName> {
        let lawful = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let begins = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
        if begins && text.len() <= 63 && text.bytes().all(lawful) && !text.ends_with('-') {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseName)
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lawful_and_unlawful_names() {
        for good in ["a", "web-1", "a1234567890"] {
            assert!(good.parse::<Name>().is_ok(), "{good}");
        }
        let long = "a".repeat(64);
        for bad in ["", "-a", "a-", "1a", "A", "a_b", "a.b", "ä", "a b", "../x", long.as_str()] {
            assert!(bad.parse::<Name>().is_err(), "{bad}");
        }
    }
}
