//! Rows ⇄ bytes. A row carries a checksum over its key and itself, because the engine checks its pages
//! when it opens a file and not when it reads them.
//!
//! ```text
//! objects  key bytes → <crc32: 4> <revision: 8> <record>
//! log      revision  → <crc32: 4> ( <key length: 2> <key> <record length + 1: 4, or 0> <record> )*
//! ```
//! Numbers are big-endian; the checksum covers the row's key and all that follows the checksum.

/// The format that is written, and the newest that is read.
pub const FORMAT: u64 = 1;

/// One change as bytes: a key and the record that is under it now.
pub(crate) type RawChange = (Vec<u8>, Option<Vec<u8>>);

/// The row of an object.
pub(crate) fn object(key: &[u8], revision: u64, record: &[u8]) -> Vec<u8> {
    seal(key, &[&revision.to_be_bytes(), record].concat())
}

/// The revision and the record of an object's row; `None` where it is damaged.
pub(crate) fn read_object<'a>(key: &[u8], row: &'a [u8]) -> Option<(u64, &'a [u8])> {
    let (revision, record) = unseal(key, row)?.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*revision), record))
}

/// The row of a commit in the log.
pub(crate) fn commit(revision: u64, changes: &[RawChange]) -> Vec<u8> {
    let mut body = Vec::new();
    for (key, record) in changes {
        body.extend_from_slice(&u16::try_from(key.len()).expect("a key is shorter than 200 bytes").to_be_bytes());
        body.extend_from_slice(key);
        let length = record.as_ref().map_or(0, |record| record.len() + 1);
        body.extend_from_slice(&u32::try_from(length).expect("a record is within its limit").to_be_bytes());
        body.extend_from_slice(record.as_deref().unwrap_or_default());
    }
    seal(&revision.to_be_bytes(), &body)
}

/// The changes of a commit's row; `None` where it is damaged.
pub(crate) fn read_commit(revision: u64, row: &[u8]) -> Option<Vec<RawChange>> {
    let mut rest = unseal(&revision.to_be_bytes(), row)?;
    let mut changes = Vec::new();
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let (key, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        let (length, after) = after.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (record, after) = after.split_at_checked(length.saturating_sub(1))?;
        changes.push((key.to_vec(), (length > 0).then(|| record.to_vec())));
        rest = after;
    }
    Some(changes)
}

fn checksum(key: &[u8], body: &[u8]) -> [u8; 4] {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(key);
    hasher.update(body);
    hasher.finalize().to_be_bytes()
}

/// A row of this body under this key.
pub(crate) fn seal(key: &[u8], body: &[u8]) -> Vec<u8> {
    [&checksum(key, body)[..], body].concat()
}

/// The body of a row under this key; `None` where it is damaged.
pub(crate) fn unseal<'a>(key: &[u8], row: &'a [u8]) -> Option<&'a [u8]> {
    let (sum, body) = row.split_first_chunk::<4>()?;
    (*sum == checksum(key, body)).then_some(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(any::<u8>(), 0..most)
    }

    proptest! {
        #[test]
        fn objects_read_back(key in bytes(40), revision: u64, record in bytes(100)) {
            let row = object(&key, revision, &record);
            prop_assert_eq!(read_object(&key, &row), Some((revision, &record[..])));
        }

        #[test]
        fn commits_read_back(revision: u64, changes in prop::collection::vec((bytes(9), prop::option::of(bytes(9))), 0..5)) {
            prop_assert_eq!(read_commit(revision, &commit(revision, &changes)), Some(changes));
        }

        #[test]
        fn a_changed_byte_is_noticed(key in bytes(40), record in bytes(50), at: prop::sample::Index, flip in 1u8..) {
            let mut row = object(&key, 7, &record);
            let at = at.index(row.len());
            row[at] ^= flip;
            prop_assert_eq!(read_object(&key, &row), None);
            prop_assert_eq!(read_object(b"another key, longer than forty bytes, as keys go", &row), None);
        }

        #[test]
        fn any_bytes_are_no_trouble(row in bytes(60)) {
            let _ = read_object(b"key", &row);
            let _ = read_commit(1, &row);
        }
    }
}
