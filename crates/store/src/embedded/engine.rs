//! The engine's file: made, opened, looked through.
//!
//! Opening checks every page's checksum (the engine does so itself where the file was not closed in
//! order) and every row's, and that the log has no gap; only then is anything written. See `disk`.

use super::disk::{Backing, OnDisk};
use super::fail::{Failure, guarded};
use super::schema::{self, LOG, META, OBJECTS, Stand};
use super::{key, row};
use redb::{Builder, Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, StorageBackend};
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// An open file.
pub(crate) struct Engine {
    /// The engine.
    pub(crate) db: Database,
    /// Where it stands.
    pub(crate) stand: Stand,
    /// Bytes of the rows in its log.
    pub(crate) log_bytes: u64,
}

/// Makes an empty file into a store's, at this stand, and closes it.
pub(crate) fn create(file: Box<dyn StorageBackend>, stand: Stand) -> Result<(), Failure> {
    let db = Builder::new().set_cache_size(1 << 20).create_with_backend(Backing::direct(file))?;
    let txn = db.begin_write()?;
    schema::initialise(&txn, stand, now())?;
    txn.commit()?;
    Ok(())
}

/// Milliseconds since 1970, for a person to read.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Opens a store's file and looks through all of it. Nothing is written to a file that is not whole, nor
/// to one that stands before `least`.
pub(crate) fn open(file: Box<dyn StorageBackend>, cache: usize, least: u64) -> Result<Engine, Failure> {
    let backing = Backing::rehearsing(file);
    let engine = guarded(|| rehearse(&backing, cache))?;
    if engine.stand.revision < least {
        let what = format!("its newest revision is {}, but it had reached {least}", engine.stand.revision);
        return Err(Failure::Damaged(what));
    }
    backing.perform()?;
    Ok(engine)
}

/// Opens a copy's file to be read, and looks through all of it.
pub(crate) fn open_copy(file: File) -> Result<Engine, Failure> {
    let backing = Backing::rehearsing(Box::new(OnDisk::plain(file)));
    guarded(|| rehearse(&backing, 8 << 20))
}

fn rehearse(backing: &Backing, cache: usize) -> Result<Engine, Failure> {
    if backing.len()? == 0 {
        return Err(Failure::damaged("its file is empty"));
    }
    let repaired = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&repaired);
    let mut builder = Builder::new();
    builder.set_cache_size(cache).set_repair_callback(move |_| seen.store(true, Ordering::Relaxed));
    let mut db = builder.create_with_backend(backing.clone())?;
    // The repair that follows a crash has looked at every page already.
    if !repaired.load(Ordering::Relaxed) && !db.check_integrity()? {
        tracing::warn!("the state's file was not as it was left, and the engine has mended it");
    }
    let (stand, log_bytes) = look_through(&db)?;
    Ok(Engine { db, stand, log_bytes })
}

/// Checks every row.
fn look_through(db: &Database) -> Result<(Stand, u64), Failure> {
    let txn = db.begin_read()?;
    let stand = schema::read(&txn.open_table(META)?)?;
    let objects = txn.open_table(OBJECTS)?;
    let mut count = 0;
    for entry in objects.iter()? {
        let (bytes, value) = entry?;
        let (revision, _) = row::read_object(bytes.value(), value.value())
            .ok_or_else(|| Failure::damaged("an object's row is not what was written"))?;
        if key::decode(bytes.value()).is_none() || revision > stand.revision {
            return Err(Failure::damaged("an object's row is not of this store"));
        }
        count += 1;
    }
    if count != objects.len()? {
        return Err(Failure::damaged("objects are missing"));
    }
    let mut next = stand.compacted + 1;
    let mut bytes = 0;
    for entry in txn.open_table(LOG)?.iter()? {
        let (revision, value) = entry?;
        if revision.value() != next || row::read_commit(next, value.value()).is_none() {
            return Err(Failure::Damaged(format!("the log's row of revision {next} is not what was written")));
        }
        bytes += value.value().len() as u64;
        next += 1;
    }
    if next != stand.revision + 1 {
        return Err(Failure::Damaged(format!("the log ends before revision {}", stand.revision)));
    }
    Ok((stand, bytes))
}
