//! Cloud Hypervisor's own words: what is sent to it and what it answers, field by field as it is written.
//!
//! A field that is not given is left out, so that a version which does not know it is not told of it:
//! unknown fields are passed over in silence there, and [`super::config::gates`] says which version knows
//! which. File descriptors never appear here: they travel beside a request.

mod device;
mod machine;
mod verb;

pub(super) use device::*;
pub(super) use machine::*;
pub(super) use verb::*;

/// A message of the API: what must be given, and what may be left out.
macro_rules! form {
    ($(#[$doc:meta])* $name:ident { $($must:ident: $needed:ty,)* } $({ $($may:ident: $given:ty,)* })?) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub(in crate::cloud_hypervisor) struct $name {
            $(pub(in crate::cloud_hypervisor) $must: $needed,)*
            $($(
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub(in crate::cloud_hypervisor) $may: Option<$given>,
            )*)?
        }
    };
}
use form;
