//! What Firecracker answers to what it does not do: a status, a text, and whether the process goes on.

use crate::wire::Reply;
use serde_json::json;

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    status: u16,
    text: String,
    exit: Option<i32>,
}

impl Refusal {
    /// 400 with this text.
    pub(crate) fn bad(text: impl Into<String>) -> Self {
        Self { status: 400, text: text.into(), exit: None }
    }

    /// 413: the metadata would not fit.
    #[must_use]
    pub(crate) fn too_large() -> Self {
        Self { status: 413, ..Self::bad("MMDS limit exceeded error: the metadata does not fit into the store.") }
    }

    /// 400 for a body that is not what the endpoint takes.
    #[must_use]
    pub(crate) fn unreadable(why: String) -> Self {
        Self::bad(format!("The json body of the request cannot be deserialized: {why}."))
    }

    /// 400 for what has to be done before the machine starts.
    #[must_use]
    pub(crate) fn started() -> Self {
        Self::bad("The requested operation is not supported after starting the microVM.")
    }

    /// 400 for what needs a machine that has started.
    #[must_use]
    pub(crate) fn not_started() -> Self {
        Self::bad("The requested operation is not supported before starting the microVM.")
    }

    /// The same, and the process ends with this code.
    #[must_use]
    pub(crate) fn fatal(self, code: i32) -> Self {
        Self { exit: Some(code), ..self }
    }

    /// As it goes over the wire.
    #[must_use]
    pub(crate) fn reply(&self) -> Reply {
        Reply { exit: self.exit, ..Reply::json(self.status, &json!({ "fault_message": self.text })) }
    }

    /// The text alone.
    #[must_use]
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}
