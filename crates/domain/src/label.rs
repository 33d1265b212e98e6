//! Labels and annotations: small sorted maps with limits, as in Kubernetes.

use std::collections::BTreeMap;

/// At most this many entries in one map.
pub const MAX_ENTRIES: usize = 64;
/// The longest key, in bytes.
pub const MAX_KEY: usize = 128;
/// The longest value of a label, in bytes.
pub const MAX_VALUE: usize = 256;
/// All annotations of a resource together, in bytes.
pub const MAX_ANNOTATIONS: usize = 64 * 1024;

/// Labels: what resources are selected by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Labels(BTreeMap<String, String>);

/// Annotations: text that weft keeps and never reads.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Annotations(BTreeMap<String, String>);

fn check_key(key: &str) -> Result<(), String> {
    let lawful = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/');
    let ends = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric());
    if key.len() <= MAX_KEY && key.bytes().all(lawful) && ends(key.bytes().next()) && ends(key.bytes().last()) {
        Ok(())
    } else {
        Err(format!(
            "key {key:?} must be 1 to {MAX_KEY} of letters, digits, '-', '_', '.' and '/', and begin and end with a letter or digit"
        ))
    }
}

fn check_count(count: usize) -> Result<(), String> {
    if count > MAX_ENTRIES { Err(format!("has {count} entries; at most {MAX_ENTRIES} are kept")) } else { Ok(()) }
}

impl Labels {
    /// The labels of this map.
    ///
    /// # Errors
    /// A sentence that names the key at fault.
    pub fn new(map: BTreeMap<String, String>) -> Result<Self, String> {
        check_count(map.len())?;
        for (key, value) in &map {
            check_key(key)?;
            if value.len() > MAX_VALUE || value.chars().any(char::is_control) {
                return Err(format!("value of {key:?} must be at most {MAX_VALUE} bytes without control characters"));
            }
        }
        Ok(Self(map))
    }

    /// The map.
    #[must_use]
    pub const fn as_map(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

impl Annotations {
    /// The annotations of this map.
    ///
    /// # Errors
    /// A sentence that names the key at fault.
    pub fn new(map: BTreeMap<String, String>) -> Result<Self, String> {
        check_count(map.len())?;
        for key in map.keys() {
            check_key(key)?;
        }
        let bytes: usize = map.iter().map(|(key, value)| key.len() + value.len()).sum();
        if bytes > MAX_ANNOTATIONS {
            return Err(format!("hold {bytes} bytes; at most {MAX_ANNOTATIONS} are kept"));
        }
        Ok(Self(map))
    }

    /// The map.
    #[must_use]
    pub const fn as_map(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}
