//! What was written is read back; what was damaged never is.

mod old;

use super::{FORMAT, HEADER, Records};
use crate::sample;
use proptest::prelude::*;
use weft_domain::object::{Object, Sort};
use weft_domain::{InstanceId, SnapshotId};
use weft_ports::codec::{Codec as _, Error, SpecCodec as _};

fn object() -> impl Strategy<Value = Object> {
    prop_oneof![
        sample::instance().prop_map(|i| Object::Instance(Box::new(i))),
        any::<[u8; 16]>().prop_map(|id| Object::Name(InstanceId::from_bytes(id))),
        sample::answered().prop_map(|a| Object::Request(Box::new(a))),
        sample::event().prop_map(|e| Object::Event(Box::new(e))),
        sample::node().prop_map(|n| Object::Node(Box::new(n))),
        sample::snapshot().prop_map(|s| Object::Snapshot(Box::new(s))),
        any::<[u8; 16]>().prop_map(|id| Object::SnapshotName(SnapshotId::from_bytes(id))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_was_written_is_read_back(object in object()) {
        let bytes = Records.encode(&object);
        prop_assert_eq!(Records.decode(object.sort(), &bytes), Ok(object.clone()));
        prop_assert_eq!(Records.encode(&object), bytes, "the same object has the same bytes");
    }

    #[test]
    fn no_flipped_bit_goes_unseen(object in object(), at: prop::sample::Index, bit in 0u8..8) {
        let mut bytes = Records.encode(&object);
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(Records.decode(object.sort(), &bytes).is_err(), "byte {at}, bit {bit}");
    }

    #[test]
    fn no_cut_goes_unseen(object in object(), keep: prop::sample::Index) {
        let bytes = Records.encode(&object);
        let keep = keep.index(bytes.len());
        prop_assert!(Records.decode(object.sort(), &bytes[..keep]).is_err());
    }

    #[test]
    fn any_bytes_are_refused(bytes: Vec<u8>) {
        for sort in Sort::ALL {
            prop_assert!(Records.decode(sort, &bytes).is_err());
        }
    }

    #[test]
    fn a_specification_lasts_by_itself(spec in sample::spec(), at: prop::sample::Index, bit in 0u8..8) {
        let mut bytes = Records.encode_spec(&spec);
        prop_assert_eq!(Records.decode_spec(&bytes), Ok(spec));
        for sort in Sort::ALL {
            prop_assert!(Records.decode(sort, &bytes).is_err(), "it is of no sort");
        }
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(Records.decode_spec(&bytes).is_err(), "byte {at}, bit {bit}");
    }

    #[test]
    fn another_sort_is_refused(object in object()) {
        let bytes = Records.encode(&object);
        for sort in Sort::ALL.into_iter().filter(|sort| *sort != object.sort()) {
            prop_assert!(matches!(Records.decode(sort, &bytes), Err(Error::Damaged(_))));
        }
    }
}

#[test]
fn a_newer_format_is_said_to_be_newer() {
    let mut bytes = Records.encode(&Object::Name(InstanceId::from_bytes([1; 16])));
    bytes[4..6].copy_from_slice(&(FORMAT + 1).to_le_bytes());
    let newer = Error::Newer { found: u32::from(FORMAT) + 1, known: u32::from(FORMAT) };
    assert_eq!(Records.decode(Sort::Name, &bytes), Err(newer));
}

#[test]
fn an_empty_record_is_damaged() {
    assert!(matches!(Records.decode(Sort::Name, &[]), Err(Error::Damaged(_))));
    assert_eq!(HEADER, 12);
}
