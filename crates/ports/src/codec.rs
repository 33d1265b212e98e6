//! Stored bytes ⇄ objects. The store is handed one; what the bytes look like is its secret.
//!
//! # Laws
//! `decode(encode(x)) == x`. Bytes that were changed, cut or written by a newer format are an
//! error, never another object.

pub mod fake;

use weft_domain::Spec;
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

/// Writes and reads a specification as bytes that last, for a node's own journal.
pub trait SpecCodec: Send + Sync {
    /// The bytes of a specification.
    fn encode_spec(&self, spec: &Spec) -> Vec<u8>;
    /// The specification of these bytes.
    ///
    /// # Errors
    /// The bytes are damaged, or written by a newer weft.
    fn decode_spec(&self, bytes: &[u8]) -> Result<Spec, Error>;
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
