//! What Cloud Hypervisor answers to what it does not do: a chain of reasons, outermost first.
//!
//! Codes changed with versions: 404 for a VM that is not there came with 53; 400, 404 and 409 for what is
//! wrong with a configuration or an id came with 54; before, all of these were 500. Up to 46 the body was the
//! outermost reason as plain text.

use crate::version::Version;
use crate::wire::Reply;
use serde_json::json;

/// Why something is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Why {
    /// Nothing was created.
    NotCreated,
    /// There is no configuration to boot.
    NoConfig,
    /// It is not booted.
    NotRunning,
    /// There is one already.
    AlreadyCreated,
    /// It is on its way to another host.
    Migrating,
    /// No device has this id.
    Unknown(String),
    /// This id is taken.
    NotUnique(String),
    /// The configuration is wrong.
    Invalid(String),
    /// Anything else, outermost first.
    Failed(Vec<String>),
    /// A vCPU's removal is pending.
    Pending,
    /// The request is none that the endpoint takes.
    BadRequest,
    /// There is no such endpoint.
    NotFound,
    /// The body is no JSON that the endpoint takes.
    Unreadable(String),
}

impl Why {
    /// Something that failed, in one line.
    pub(crate) fn failed(text: impl Into<String>) -> Self {
        Self::Failed(vec![text.into()])
    }

    fn status(&self, version: &Version) -> u16 {
        let since = |major, code| if version.reached((major, 0)) { code } else { 500 };
        match self {
            Self::NotCreated | Self::NoConfig => since(53, 404),
            Self::Unknown(_) => since(54, 404),
            Self::NotUnique(_) => since(54, 409),
            Self::Invalid(_) => since(54, 400),
            Self::NotRunning | Self::AlreadyCreated | Self::Migrating | Self::Failed(_) => 500,
            Self::Pending => 429,
            Self::BadRequest | Self::Unreadable(_) => 400,
            Self::NotFound => 404,
        }
    }

    fn chain(&self, what: &str) -> Vec<String> {
        let inner = match self {
            Self::Pending => return vec!["Too Many Requests".to_owned()],
            Self::BadRequest => return vec!["Bad Request".to_owned()],
            Self::NotFound => return vec!["Not Found".to_owned()],
            Self::Unreadable(why) => return vec!["The JSON cannot be deserialized".to_owned(), why.clone()],
            Self::NotCreated => vec!["VM is not created".to_owned()],
            Self::NoConfig => vec!["VM config is missing".to_owned()],
            Self::NotRunning => vec!["VM is not running".to_owned()],
            Self::AlreadyCreated => vec!["VM is already created".to_owned()],
            Self::Migrating => vec!["VM is migrating".to_owned()],
            Self::Unknown(id) => vec![format!("no device has the identifier: {id}")],
            Self::NotUnique(id) => {
                vec!["Failed to validate config".to_owned(), format!("Identifier {id} is not unique")]
            }
            Self::Invalid(why) => vec!["Failed to validate config".to_owned(), why.clone()],
            Self::Failed(why) => why.clone(),
        };
        ["Error from API".to_owned(), what.to_owned()].into_iter().chain(inner).collect()
    }

    /// As it goes over the wire.
    pub(crate) fn reply(&self, what: &str, version: &Version) -> Reply {
        let chain = self.chain(what);
        let status = self.status(version);
        if version.reached((47, 0)) {
            return Reply::json(status, &json!(chain));
        }
        Reply { status, body: chain.into_iter().next(), ..Reply::default() }
    }
}
