//! Keys ⇄ bytes, in one order: comparing two keys' bytes gives what comparing the keys gives.
//!
//! ```text
//! 01 <id: 16>                     an instance
//! 02 <project> 00 <name>          a name; no name holds a zero byte, so the shorter one comes first
//! 03 <hash: 32>                   the answer to a request
//! 04 <id: 16>                     an event
//! 05 <id: 16>                     a node
//! 06 <id: 16>                     a snapshot
//! 07 <project> 00 <name>          a snapshot's name
//! ```

use weft_domain::object::{Key, Sort};
use weft_domain::{EventId, InstanceId, Name, NodeId, SnapshotId};

/// The first byte of a sort's keys.
pub(crate) const fn tag(sort: Sort) -> u8 {
    match sort {
        Sort::Instance => 1,
        Sort::Name => 2,
        Sort::Request => 3,
        Sort::Event => 4,
        Sort::Node => 5,
        Sort::Snapshot => 6,
        Sort::SnapshotName => 7,
    }
}

/// The bytes of a key.
pub(crate) fn encode(key: &Key) -> Vec<u8> {
    let tag = [tag(key.sort())];
    match key {
        Key::Instance(id) => [&tag[..], id.as_bytes()].concat(),
        Key::Name(project, name) | Key::SnapshotName(project, name) => {
            [&tag[..], project.as_str().as_bytes(), &[0], name.as_str().as_bytes()].concat()
        }
        Key::Request(hash) => [&tag[..], hash].concat(),
        Key::Event(id) => [&tag[..], id.as_bytes()].concat(),
        Key::Node(id) => [&tag[..], id.as_bytes()].concat(),
        Key::Snapshot(id) => [&tag[..], id.as_bytes()].concat(),
    }
}

/// The key of these bytes, where they are one.
pub(crate) fn decode(bytes: &[u8]) -> Option<Key> {
    let (tag, rest) = bytes.split_first()?;
    match tag {
        1 => Some(Key::Instance(InstanceId::from_bytes(rest.try_into().ok()?))),
        2 => names(rest).map(|(project, name)| Key::Name(project, name)),
        3 => Some(Key::Request(rest.try_into().ok()?)),
        4 => Some(Key::Event(EventId::from_bytes(rest.try_into().ok()?))),
        5 => Some(Key::Node(NodeId::from_bytes(rest.try_into().ok()?))),
        6 => Some(Key::Snapshot(SnapshotId::from_bytes(rest.try_into().ok()?))),
        7 => names(rest).map(|(project, name)| Key::SnapshotName(project, name)),
        _ => None,
    }
}

/// A project and a name in it.
fn names(bytes: &[u8]) -> Option<(Name, Name)> {
    let split = bytes.iter().position(|byte| *byte == 0)?;
    let name = |bytes: &[u8]| std::str::from_utf8(bytes).ok()?.parse::<Name>().ok();
    Some((name(&bytes[..split])?, name(&bytes[split + 1..])?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name() -> impl Strategy<Value = Name> {
        "[a-c][a-c0-1-]{0,3}[a-c0]|[a-c]".prop_map(|text| text.parse().expect("the pattern is of names"))
    }

    fn key() -> impl Strategy<Value = Key> {
        prop_oneof![
            any::<[u8; 16]>().prop_map(|id| Key::Instance(InstanceId::from_bytes(id))),
            (name(), name()).prop_map(|(project, name)| Key::Name(project, name)),
            any::<[u8; 32]>().prop_map(Key::Request),
            any::<[u8; 16]>().prop_map(|id| Key::Event(EventId::from_bytes(id))),
            any::<[u8; 16]>().prop_map(|id| Key::Node(NodeId::from_bytes(id))),
            any::<[u8; 16]>().prop_map(|id| Key::Snapshot(SnapshotId::from_bytes(id))),
            (name(), name()).prop_map(|(project, name)| Key::SnapshotName(project, name)),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn bytes_read_back(key in key()) {
            prop_assert_eq!(decode(&encode(&key)), Some(key));
        }

        #[test]
        fn bytes_are_ordered_as_keys_are(a in key(), b in key()) {
            prop_assert_eq!(encode(&a).cmp(&encode(&b)), a.cmp(&b));
        }

        #[test]
        fn names_are_ordered_as_their_fields_are(a in (name(), name()), b in (name(), name())) {
            let (a, b) = (Key::Name(a.0, a.1), Key::Name(b.0, b.1));
            prop_assert_eq!(encode(&a).cmp(&encode(&b)), a.cmp(&b));
        }

        #[test]
        fn any_bytes_are_refused_or_read_back(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Some(key) = decode(&bytes) { prop_assert_eq!(encode(&key), bytes); }
        }
    }
}
