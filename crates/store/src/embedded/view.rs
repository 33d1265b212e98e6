//! One revision of the store, to be read. The writer publishes a new one with each batch.

use super::fail::{Failure, guarded};
use super::schema::{LOG, OBJECTS, Stand};
use super::{key, row};
use redb::{Database, ReadOnlyTable, ReadableDatabase, ReadableTable};
use std::ops::Bound;
use weft_domain::object::{Key, Object, Revision, Sort, Stored};
use weft_ports::codec::{self, Codec};
use weft_ports::store::Change;

/// One revision of the store.
pub(crate) struct View {
    /// Where it stands.
    pub(crate) stand: Stand,
    objects: ReadOnlyTable<&'static [u8], &'static [u8]>,
    log: ReadOnlyTable<u64, &'static [u8]>,
}

/// What a scan found.
pub(crate) type Found = Vec<(Key, Stored<Object>)>;

/// What was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Verified {
    /// The revision.
    pub revision: u64,
    /// Objects that were decoded.
    pub objects: u64,
    /// Commits of the log that were decoded.
    pub commits: u64,
}

impl View {
    /// The newest revision of the file, which stands there.
    pub(crate) fn of(db: &Database, stand: Stand) -> Result<Self, Failure> {
        let txn = db.begin_read()?;
        Ok(Self { stand, objects: txn.open_table(OBJECTS)?, log: txn.open_table(LOG)? })
    }

    /// What is under a key.
    pub(crate) fn get(&self, wanted: &Key, codec: &dyn Codec) -> Result<Option<Stored<Object>>, Failure> {
        guarded(|| {
            let bytes = key::encode(wanted);
            let Some(value) = self.objects.get(&bytes[..])? else { return Ok(None) };
            Ok(Some(stored(wanted.sort(), &bytes, value.value(), codec)?))
        })
    }

    /// At most `limit` objects of a sort after a key.
    pub(crate) fn scan(
        &self,
        sort: Sort,
        after: Option<&Key>,
        limit: usize,
        codec: &dyn Codec,
    ) -> Result<Found, Failure> {
        let (first, end) = ([key::tag(sort)], [key::tag(sort) + 1]);
        let after = after.map(key::encode).filter(|after| after.as_slice() > &first[..]);
        let from = after.as_deref().map_or(Bound::Included(&first[..]), Bound::Excluded);
        if after.as_deref().is_some_and(|after| after >= &end[..]) {
            return Ok(Vec::new());
        }
        guarded(|| {
            let mut found = Vec::new();
            for entry in self.objects.range::<&[u8]>((from, Bound::Excluded(&end[..])))?.take(limit) {
                let (bytes, value) = entry?;
                let key = key::decode(bytes.value()).ok_or_else(|| Failure::damaged("a key is none"))?;
                found.push((key, stored(sort, bytes.value(), value.value(), codec)?));
            }
            Ok(found)
        })
    }

    /// At most `limit` commits of the log after a revision, with their changes.
    pub(crate) fn log(&self, after: u64, limit: usize, codec: &dyn Codec) -> Result<Vec<(u64, Vec<Change>)>, Failure> {
        guarded(|| {
            let mut commits = Vec::new();
            for entry in self.log.range(after + 1..)?.take(limit) {
                let (revision, value) = entry?;
                commits.push((revision.value(), changes(revision.value(), value.value(), codec)?));
            }
            Ok(commits)
        })
    }

    /// Every object's row, in the order of keys.
    pub(crate) fn rows(&self, mut each: impl FnMut(&[u8], &[u8]) -> Result<(), Failure>) -> Result<(), Failure> {
        guarded(|| {
            for entry in self.objects.iter()? {
                let (bytes, value) = entry?;
                if row::read_object(bytes.value(), value.value()).is_none() {
                    return Err(Failure::damaged("an object's row is not what was written"));
                }
                each(bytes.value(), value.value())?;
            }
            Ok(())
        })
    }

    /// Decodes everything.
    pub(crate) fn verify(&self, codec: &dyn Codec) -> Result<Verified, Failure> {
        let mut verified = Verified { revision: self.stand.revision, ..Verified::default() };
        self.rows(|bytes, value| {
            let key = key::decode(bytes).ok_or_else(|| Failure::damaged("a key is none"))?;
            verified.objects += 1;
            stored(key.sort(), bytes, value, codec).map(drop)
        })?;
        let mut after = self.stand.compacted;
        loop {
            let commits = self.log(after, 256, codec)?;
            let Some((last, _)) = commits.last() else { return Ok(verified) };
            after = *last;
            verified.commits += commits.len() as u64;
        }
    }
}

fn stored(sort: Sort, key: &[u8], value: &[u8], codec: &dyn Codec) -> Result<Stored<Object>, Failure> {
    let (revision, record) =
        row::read_object(key, value).ok_or_else(|| Failure::damaged("an object's row is not what was written"))?;
    Ok(Stored { value: decoded(sort, record, codec)?, revision: Revision(revision) })
}

fn decoded(sort: Sort, record: &[u8], codec: &dyn Codec) -> Result<Object, Failure> {
    codec.decode(sort, record).map_err(|why| match why {
        codec::Error::Damaged(what) => Failure::Damaged(what),
        codec::Error::Newer { found, .. } => Failure::Newer(u64::from(found)),
    })
}

fn changes(revision: u64, value: &[u8], codec: &dyn Codec) -> Result<Vec<Change>, Failure> {
    let damaged = || Failure::Damaged(format!("the log's row of revision {revision} is not what was written"));
    let raw = row::read_commit(revision, value).ok_or_else(damaged)?;
    raw.into_iter()
        .map(|(bytes, record)| {
            let key = key::decode(&bytes).ok_or_else(damaged)?;
            let object = record.map(|record| decoded(key.sort(), &record, codec)).transpose()?;
            Ok(Change { revision: Revision(revision), key, object })
        })
        .collect()
}
