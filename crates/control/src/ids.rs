//! New ids that only grow: a later one sorts later, within a millisecond and after a clock set back.

use std::sync::Mutex;
use weft_domain::{EventId, InstanceId, SnapshotId, Time};

/// Values of the counter within one millisecond: the twelve bits that UUIDv7 has beside its time.
const IN_A_MILLISECOND: u16 = 1 << 12;

/// Makes ids.
#[derive(Debug, Default)]
pub(crate) struct Ids(Mutex<(u64, u16)>);

impl Ids {
    /// Ids that come after this one.
    pub(crate) fn after(newest: Option<&EventId>) -> Self {
        let ms = newest.map_or(0, |id| {
            let [a, b, c, d, e, f, ..] = *id.as_bytes();
            u64::from_be_bytes([0, 0, a, b, c, d, e, f])
        });
        Self(Mutex::new((ms + u64::from(newest.is_some()), 0)))
    }

    /// The id of an event.
    pub(crate) fn event(&self, now: Time, random: [u8; 10]) -> EventId {
        let (at, bytes) = self.next(now, random);
        EventId::new(at, bytes)
    }

    /// The id of an instance.
    pub(crate) fn instance(&self, now: Time, random: [u8; 10]) -> InstanceId {
        let (at, bytes) = self.next(now, random);
        InstanceId::new(at, bytes)
    }

    /// The id of a snapshot.
    pub(crate) fn snapshot(&self, now: Time, random: [u8; 10]) -> SnapshotId {
        let (at, bytes) = self.next(now, random);
        SnapshotId::new(at, bytes)
    }

    fn next(&self, now: Time, mut random: [u8; 10]) -> (Time, [u8; 10]) {
        let mut last = self.0.lock().expect("no lock of ids is held over a panic");
        let (ms, count) = match now.as_millis() {
            ms if ms > last.0 => (ms, 0),
            _ if last.1 + 1 < IN_A_MILLISECOND => (last.0, last.1 + 1),
            _ => (last.0 + 1, 0),
        };
        *last = (ms, count);
        random[..2].copy_from_slice(&count.to_be_bytes());
        (Time::from_millis(i64::try_from(ms).unwrap_or(i64::MAX)), random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_only_grow() {
        let ids = Ids::default();
        let mut last = ids.event(Time::from_millis(5), [255; 10]);
        for i in 0..10_000 {
            // The clock stands still, then goes back.
            let id = ids.event(Time::from_millis(if i < 5_000 { 5 } else { 1 }), [0; 10]);
            assert!(id > last);
            last = id;
        }
        assert!(Ids::after(Some(&last)).event(Time::from_millis(0), [0; 10]) > last);
    }
}
