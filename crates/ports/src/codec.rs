//! Stored bytes ⇄ objects. The store is handed one; what the bytes look like is its secret.
//!
//! # Laws
//! `decode(encode(x)) == x`. Bytes that were changed, cut or written by a newer format are an
//! error, never another object.

use weft_domain::object::{Object, Sort};

/// Bytes that are no object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes are damaged.
    #[error("the record is damaged: {0}")]
    Damaged(String),
    /// The bytes were written by a newer weft.
    #[error("the record has format {found}; this weft reads up to {known}")]
    Newer {
        /// The format that was found.
        found: u32,
        /// The newest that is known.
        known: u32,
    },
}

/// Writes and reads stored bytes.
pub trait Codec: Send + Sync {
    /// The bytes of an object.
    fn encode(&self, object: &Object) -> Vec<u8>;
    /// The object of these bytes, which must be of this sort.
    ///
    /// # Errors
    /// The bytes are damaged, of another sort, or newer than this weft.
    fn decode(&self, sort: Sort, bytes: &[u8]) -> Result<Object, Error>;
}
