//! The tables in the file, and what it says of itself.
//!
//! ```text
//! meta     "magic" → "weft-store"    "format" → 1    "created" → milliseconds since 1970
//!          "revision" → the newest    "compacted" → the oldest that a watch can begin from
//! objects  and log: see `row`
//! ```

use super::fail::Failure;
use super::row::FORMAT;
use redb::{ReadableTable, TableDefinition};

/// What the file begins to say of itself.
pub(crate) const MAGIC: &[u8] = b"weft-store";

/// Objects by key.
pub(crate) const OBJECTS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("objects");
/// Commits by revision.
pub(crate) const LOG: TableDefinition<u64, &[u8]> = TableDefinition::new("log");
/// What the file says of itself.
pub(crate) const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");

/// Where a file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Stand {
    /// The newest revision.
    pub(crate) revision: u64,
    /// The oldest revision that a watch can begin from.
    pub(crate) compacted: u64,
}

/// Reads where the file stands, after a look at its magic and format.
pub(crate) fn read(meta: &impl ReadableTable<&'static str, &'static [u8]>) -> Result<Stand, Failure> {
    let magic = meta.get("magic")?.ok_or_else(|| Failure::damaged("it does not say what it is"))?;
    if magic.value() != MAGIC {
        return Err(Failure::damaged("it says that it is something else"));
    }
    let format = number(meta, "format")?;
    if format > FORMAT {
        return Err(Failure::Newer(format));
    }
    Ok(Stand { revision: number(meta, "revision")?, compacted: number(meta, "compacted")? })
}

fn number(meta: &impl ReadableTable<&'static str, &'static [u8]>, name: &'static str) -> Result<u64, Failure> {
    let missing = || Failure::damaged(format!("it does not say its {name}"));
    let row = meta.get(name)?.ok_or_else(missing)?;
    row.value().try_into().map(u64::from_be_bytes).map_err(|_| missing())
}

/// Writes the first rows of a file.
pub(crate) fn initialise(txn: &redb::WriteTransaction, stand: Stand, created: u64) -> Result<(), Failure> {
    txn.open_table(OBJECTS)?;
    txn.open_table(LOG)?;
    let mut meta = txn.open_table(META)?;
    meta.insert("magic", MAGIC)?;
    meta.insert("format", &FORMAT.to_be_bytes()[..])?;
    meta.insert("created", &created.to_be_bytes()[..])?;
    drop(meta);
    write(txn, stand)
}

/// Writes where the file stands.
pub(crate) fn write(txn: &redb::WriteTransaction, stand: Stand) -> Result<(), Failure> {
    let mut meta = txn.open_table(META)?;
    meta.insert("revision", &stand.revision.to_be_bytes()[..])?;
    meta.insert("compacted", &stand.compacted.to_be_bytes()[..])?;
    Ok(())
}
