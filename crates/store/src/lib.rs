//! How state is kept: [`embedded`], one file on one machine, behind [`weft_ports::store::Store`]; and what was
//! used: [`ledger`], another file beside it, behind [`weft_ports::ledger::Ledger`].
//!
//! # What survives what
//!
//! | what happens | what is there afterwards |
//! |---|---|
//! | weft is killed (`kill -9`) | every commit that was acknowledged; one that was not is there whole or not at all |
//! | the machine loses power | the same, as far as the disk tells the truth about `fdatasync` |
//! | the disk is full | everything; writes are refused with `STORE_FULL`, reads and deletions go on; with space again, all goes on |
//! | the disk refuses something else | what was acknowledged; the file is opened again and says what is true |
//! | bytes of the file change, or its end is missing | nothing is opened and nothing is written: `STORE_DAMAGED` |
//! | the file is gone | the same: a folder that has had a store never becomes an empty one |
//! | a newer weft has written it | `STORE_NEWER`, and nothing is written |
//! | two processes open it | the second gets `STORE_HELD`, which names the first |
//!
//! A commit is acknowledged after one `fdatasync`, which it shares with all that waited beside it. The
//! engine's file has two roots, each with a checksum over all beneath it; a commit writes new pages and one
//! root and syncs once, and a start after a crash takes the newest root that is whole. So a crash costs
//! one reading of the whole file at the next start.
//!
//! Three checksums watch over the bytes: the engine's over its pages, looked at when a file is opened; the
//! row's over a key, a revision and a record, looked at with every read; the record's own, which is the
//! codec's. [`embedded::Embedded::verify`] looks at all records of a live store.
//!
//! What is *not* told: bytes that change after a crash in just those pages that the very last batch wrote,
//! before the next start. They cannot be told from a batch that was not finished, so that batch is gone.
//! The marker in the folder bounds it: a store never opens before the revision that it had at its last start
//! or close in order.
//!
//! # Backups
//!
//! A backup is a file of the same form, of one revision, without the log of changes, made while the store
//! works and read back before it gets its name. [`embedded::restore`] makes an empty folder into that store.
//! Revisions go on from the backup's, so whoever watched the original must list again.
//!
//! # Limits
//!
//! Everything has one, in [`embedded::Config`]: commits that wait, writes and bytes of a commit, the log's
//! length, memory for pages. A watcher that is slower than the log is long is told so. Part of the disk is
//! kept in reserve, as a file that is given up when the disk is full, so that a batch that has begun can end
//! and deletions can be made.
//!
//! What it does not know: what an object's bytes mean. It is handed a [`weft_ports::codec::Codec`].

pub mod embedded;
mod error;
pub mod ledger;

pub use error::Error;
