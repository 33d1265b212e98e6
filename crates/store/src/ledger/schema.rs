//! The tables in the ledger's file, and what it says of itself.
//!
//! ```text
//! meta      "magic" → "weft-ledger"    "format" → 1    "commits" → how often it was written
//! buckets, gaps, nodes, subjects: see `row`
//! ```

use crate::embedded::fail::Failure;
use crate::embedded::folder::Names;
use redb::{ReadableTable, TableDefinition, WriteTransaction};

/// The format that is written, and the newest that is read.
pub const FORMAT: u64 = 1;

/// The names in a ledger's folder.
pub(crate) const NAMES: Names =
    Names { file: "ledger.redb", draft: "ledger.new", marker: "ledger", title: "a ledger of weft", format: FORMAT };

const MAGIC: &[u8] = b"weft-ledger";

/// Blocks of buckets.
pub(crate) const BUCKETS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("buckets");
/// Gaps.
pub(crate) const GAPS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("gaps");
/// Where nodes stand.
pub(crate) const NODES: TableDefinition<&[u8], &[u8]> = TableDefinition::new("nodes");
/// Who instances are.
pub(crate) const SUBJECTS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("subjects");
/// What the file says of itself.
pub(crate) const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");

/// How often the file was written, after a look at its magic and format.
pub(crate) fn commits(meta: &impl ReadableTable<&'static str, &'static [u8]>) -> Result<u64, Failure> {
    let magic = meta.get("magic")?.ok_or_else(|| Failure::damaged("it does not say what it is"))?;
    if magic.value() != MAGIC {
        return Err(Failure::damaged("it says that it is something else"));
    }
    let format = number(meta, "format")?;
    if format > FORMAT {
        return Err(Failure::Newer(format));
    }
    number(meta, "commits")
}

fn number(meta: &impl ReadableTable<&'static str, &'static [u8]>, name: &'static str) -> Result<u64, Failure> {
    let missing = || Failure::damaged(format!("it does not say its {name}"));
    let row = meta.get(name)?.ok_or_else(missing)?;
    row.value().try_into().map(u64::from_be_bytes).map_err(|_| missing())
}

/// Writes the first rows of a file.
pub(crate) fn initialise(txn: &WriteTransaction) -> Result<(), Failure> {
    for table in [BUCKETS, GAPS, NODES, SUBJECTS] {
        txn.open_table(table)?;
    }
    let mut meta = txn.open_table(META)?;
    meta.insert("magic", MAGIC)?;
    meta.insert("format", &FORMAT.to_be_bytes()[..])?;
    drop(meta);
    count(txn, 0)
}

/// Writes how often the file was written.
pub(crate) fn count(txn: &WriteTransaction, commits: u64) -> Result<(), Failure> {
    txn.open_table(META)?.insert("commits", &commits.to_be_bytes()[..])?;
    Ok(())
}
