//! The metadata store: one JSON document with a limit, put whole or merged.

use super::refusal::Refusal;
use serde_json::{Map, Value};

/// The store.
#[derive(Debug)]
pub(crate) struct Metadata {
    document: Option<Value>,
    limit: usize,
}

impl Metadata {
    /// An empty store with this limit in bytes.
    #[must_use]
    pub(crate) fn new(limit: usize) -> Self {
        Self { document: None, limit }
    }

    /// What is in it; an empty object where nothing is.
    #[must_use]
    pub(crate) fn document(&self) -> Value {
        match &self.document {
            None | Some(Value::Null) => Value::Object(Map::new()),
            Some(document) => document.clone(),
        }
    }

    /// Replaces what is in it.
    ///
    /// # Errors
    /// When it does not fit.
    pub(crate) fn put(&mut self, document: Value) -> Result<(), Refusal> {
        self.fits(&document)?;
        self.document = Some(document);
        Ok(())
    }

    /// Merges a patch into it (RFC 7396).
    ///
    /// # Errors
    /// When nothing was ever put, or the outcome does not fit.
    pub(crate) fn patch(&mut self, patch: &Value) -> Result<(), Refusal> {
        let Some(document) = &self.document else { return Err(Self::missing()) };
        let mut document = document.clone();
        merge(&mut document, patch);
        self.fits(&document)?;
        self.document = Some(document);
        Ok(())
    }

    /// The refusal where there is no store.
    #[must_use]
    pub(crate) fn missing() -> Refusal {
        Refusal::bad("MMDS error: the data store is not initialized.")
    }

    fn fits(&self, document: &Value) -> Result<(), Refusal> {
        if document.to_string().len() > self.limit { Err(Refusal::too_large()) } else { Ok(()) }
    }
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else { return };
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else {
            merge(target.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn patches_merge_and_the_limit_holds() {
        let mut store = Metadata::new(64);
        assert!(store.patch(&json!({})).is_err());
        store.put(json!({ "a": { "b": 1 }, "c": 2 })).unwrap();
        store.patch(&json!({ "a": { "d": 3 }, "c": null })).unwrap();
        assert_eq!(store.document(), json!({ "a": { "b": 1, "d": 3 } }));
        assert!(store.patch(&json!({ "e": "x".repeat(64) })).is_err());
        assert_eq!(store.document(), json!({ "a": { "b": 1, "d": 3 } }));
    }
}
