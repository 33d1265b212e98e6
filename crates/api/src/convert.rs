//! Between the written form and the domain.
//!
//! Outward is a plain function of the domain's value. Inward, everything wrong is collected in a
//! [`Found`] with its proto path (`vm.spec.disks[1].path`), so that a caller learns all at once.
//! What the domain itself refuses keeps the same paths.

pub(crate) mod census;
pub(crate) mod event;
pub(crate) mod feature;
pub(crate) mod node;
pub(crate) mod snapshot;
pub(crate) mod spec;
pub(crate) mod usage;
pub(crate) mod vm;

use buffa::{EnumValue, Enumeration, MessageField};
use buffa_types::google::protobuf::{Duration as WireDuration, Timestamp};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;
use weft_domain::label::Annotations;
use weft_domain::{Fault, Labels, Reason, Time, Violation};

/// What was found wrong while reading.
#[derive(Debug, Default)]
pub(crate) struct Found(Vec<Violation>);

impl Found {
    /// One more field at fault.
    pub(crate) fn add(&mut self, field: impl Into<String>, why: impl Into<String>) {
        self.0.push(Violation { field: field.into(), why: why.into() });
    }

    /// Whether nothing was found.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What the domain found.
    pub(crate) fn extend(&mut self, more: Vec<Violation>) {
        self.0.extend(more);
    }

    /// Refuses where anything was found.
    pub(crate) fn done(self) -> Result<(), Fault> {
        let missing = self.0.iter().all(|v| v.why.starts_with("is required") || v.why.starts_with("needs one of"));
        let reason = if missing { Reason::FieldRequired } else { Reason::FieldInvalid };
        let fix = "correct these fields and send it again";
        Fault::from_violations(reason, self.0).map_or(Ok(()), |fault| Err(fault.fix(fix)))
    }

    /// A text read as what it should be; `None` where it is not, which is then known.
    pub(crate) fn parse<T: FromStr<Err: Display>>(&mut self, text: &str, field: &str) -> Option<T> {
        text.parse().map_err(|e: T::Err| self.add(field, e.to_string())).ok()
    }

    /// The same, where an empty text means that there is none.
    pub(crate) fn parse_some<T: FromStr<Err: Display>>(&mut self, text: &str, field: &str) -> Option<T> {
        if text.is_empty() { None } else { self.parse(text, field) }
    }

    /// An enum's value; its default where there is none or it is not known here.
    pub(crate) fn choice<T: Choice>(&mut self, value: EnumValue<T::Wire>, field: &str) -> T {
        let read = value.as_known().map_or_else(|| Err("is not a value that is known here"), T::read);
        read.unwrap_or_else(|why| {
            self.add(field, why);
            T::FALLBACK
        })
    }

    /// A span that is not negative; `None` where there is none.
    pub(crate) fn span(&mut self, value: Option<&WireDuration>, field: &str) -> Option<Duration> {
        let value = value?;
        let parts = (u64::try_from(value.seconds), u32::try_from(value.nanos));
        let (Ok(seconds), Ok(nanos @ 0..1_000_000_000)) = parts else {
            self.add(field, "must be a span that is not negative");
            return None;
        };
        Some(Duration::new(seconds, nanos))
    }

    /// A port number as it fits a port; the domain refuses 0.
    pub(crate) fn port(&mut self, value: u32, field: &str) -> u16 {
        u16::try_from(value).unwrap_or_else(|_| {
            self.add(field, "must be from 1 to 65535");
            1
        })
    }

    /// Labels of this map.
    pub(crate) fn labels(&mut self, map: BTreeMap<String, String>, field: &str) -> Labels {
        Labels::new(map).unwrap_or_else(|why| {
            self.add(field, why);
            Labels::default()
        })
    }

    /// Annotations of this map.
    pub(crate) fn annotations(&mut self, map: BTreeMap<String, String>, field: &str) -> Annotations {
        Annotations::new(map).unwrap_or_else(|why| {
            self.add(field, why);
            Annotations::default()
        })
    }

    /// A moment that must be there.
    pub(crate) fn time<P: buffa::ProtoBox<Timestamp>>(
        &mut self,
        value: &MessageField<Timestamp, P>,
        field: &str,
    ) -> Time {
        self.time_some(value, field).unwrap_or_else(|| {
            if value.is_unset() {
                self.add(field, "is required");
            }
            Time::default()
        })
    }

    /// A moment, where there is one.
    pub(crate) fn time_some<P: buffa::ProtoBox<Timestamp>>(
        &mut self,
        value: &MessageField<Timestamp, P>,
        field: &str,
    ) -> Option<Time> {
        let value = value.as_option()?;
        let nanos = value.seconds.checked_mul(1_000_000_000).and_then(|n| n.checked_add(value.nanos.into()));
        if nanos.is_none() {
            self.add(field, "is out of the times that are kept");
        }
        nanos.map(Time::from_nanos)
    }
}

/// A moment as the wire has it.
pub(crate) fn timestamp(time: Time) -> Timestamp {
    let nanos = time.as_nanos();
    let rest = i32::try_from(nanos.rem_euclid(1_000_000_000)).expect("less than a second in nanoseconds fits");
    Timestamp { seconds: nanos.div_euclid(1_000_000_000), nanos: rest, ..Default::default() }
}

/// A span as the wire has it; stays at the longest that the wire can tell.
pub(crate) fn duration(span: Duration) -> WireDuration {
    let nanos = i32::try_from(span.subsec_nanos()).expect("less than a second in nanoseconds fits");
    WireDuration { seconds: i64::try_from(span.as_secs()).unwrap_or(i64::MAX), nanos, ..Default::default() }
}

/// A closed choice, both ways.
pub(crate) trait Choice: Sized + Copy {
    /// Its enum on the wire.
    type Wire: Enumeration;
    /// What stands in where the value was refused.
    const FALLBACK: Self;
    /// The choice of this value, or why there is none.
    fn read(value: Self::Wire) -> Result<Self, &'static str>;
    /// The value of this choice.
    fn write(self) -> Self::Wire;
}

/// Pairs the values of a domain enum with those of a proto enum. The list after `else` tells what
/// values without a partner mean.
macro_rules! choice {
    ($domain:ty, $wire:ident, $fallback:path, {$($value:path = $name:ident,)*} $(else {$($extra:ident => $means:expr,)*})?) => {
        impl crate::convert::Choice for $domain {
            type Wire = crate::proto::weft::v1::$wire;
            const FALLBACK: Self = $fallback;
            fn read(value: Self::Wire) -> Result<Self, &'static str> {
                match value {
                    $(crate::proto::weft::v1::$wire::$name => Ok($value),)*
                    $($(crate::proto::weft::v1::$wire::$extra => $means,)*)?
                }
            }
            fn write(self) -> Self::Wire {
                match self { $($value => crate::proto::weft::v1::$wire::$name,)* }
            }
        }
    };
}
pub(crate) use choice;

#[cfg(test)]
mod tests;
