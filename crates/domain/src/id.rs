//! Ids: UUIDv7 with a typed prefix in text form (`vm-…`), so that one kind is never taken for another.

use crate::Time;
use std::fmt;
use std::str::FromStr;
use uuid::{Builder, Uuid};

/// A text that is no id of the kind that was wanted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is not an id of the form {prefix}-01234567-89ab-7cde-8f01-23456789abcd")]
pub struct ParseId {
    prefix: &'static str,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// The prefix of the text form, without its dash.
            pub const PREFIX: &'static str = $prefix;

            /// A new id made at this moment from these random bytes.
            #[must_use]
            pub fn new(at: Time, random: [u8; 10]) -> Self {
                Self(Builder::from_unix_timestamp_millis(at.as_millis(), &random).into_uuid())
            }

            /// When it was made.
            #[must_use]
            pub fn made(&self) -> Time {
                let [a, b, c, d, e, f, ..] = *self.as_bytes();
                // Forty-eight bits of milliseconds lie first.
                Time::from_millis(i64::from_be_bytes([0, 0, a, b, c, d, e, f]))
            }

            /// The id with these bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// Its bytes, ordered by time.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "-{}"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = ParseId;
            fn from_str(text: &str) -> Result<Self, ParseId> {
                let refused = ParseId { prefix: $prefix };
                let rest = text.strip_prefix(concat!($prefix, "-")).ok_or(refused.clone())?;
                // Only the hyphenated form: one thing, one text.
                if rest.len() != 36 || rest.bytes().any(|b| b.is_ascii_uppercase()) {
                    return Err(refused);
                }
                Uuid::try_parse(rest).map(Self).map_err(|_| refused)
            }
        }
    )*};
}

ids! {
    /// One VM or container that was asked for.
    InstanceId = "vm";
    /// One machine that runs instances.
    NodeId = "node";
    /// One running process of an instance; dies once.
    IncarnationId = "inc";
    /// One record in a node's journal.
    ClaimId = "claim";
    /// One event.
    EventId = "event";
    /// One snapshot.
    SnapshotId = "snap";
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn text_reads_back(ms in 0i64..4_000_000_000_000, random: [u8; 10]) {
            let id = InstanceId::new(Time::from_millis(ms), random);
            prop_assert_eq!(id.to_string().parse::<InstanceId>(), Ok(id));
            prop_assert_eq!(id.made(), Time::from_millis(ms));
        }

        #[test]
        fn later_ids_sort_later(ms in 0i64..4_000_000_000_000, a: [u8; 10], b: [u8; 10]) {
            let (first, second) = (Time::from_millis(ms), Time::from_millis(ms + 1));
            prop_assert!(InstanceId::new(first, a) < InstanceId::new(second, b));
        }

        #[test]
        fn any_text_is_refused_or_reads_back(text in ".{0,48}") {
            if let Ok(id) = text.parse::<NodeId>() { prop_assert_eq!(id.to_string(), text); }
        }
    }

    #[test]
    fn another_kinds_id_is_refused() {
        let vm = InstanceId::new(Time::from_millis(1), [7; 10]).to_string();
        assert!(vm.parse::<NodeId>().is_err());
    }
}
