//! Where in a file a descriptor stands, and what is said of it there.
//!
//! A descriptor's path (as in `SourceCodeInfo`) goes in, its line or its leading
//! comment comes out. `Lint` gathers what the rules find.

use crate::verdict::Finding;
use protox::prost_reflect::FileDescriptor;
use protox::prost_reflect::prost_types::source_code_info::Location;

/// What a rule found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) package: String,
    /// The rule's name in buf.
    pub(crate) rule: &'static str,
    place: String,
    what: String,
}

impl Found {
    /// As the checks' common form.
    pub(crate) fn finding(self) -> Finding {
        Finding::new(self.place, format!("{} ({})", self.what, self.rule))
    }
}

/// All that was found.
#[derive(Debug, Default)]
pub(crate) struct Lint {
    pub(crate) found: Vec<Found>,
}

impl Lint {
    /// `rule` is broken by what stands at `path` of `file`.
    pub(crate) fn refuse(&mut self, rule: &'static str, file: &FileDescriptor, path: &[i32], what: impl Into<String>) {
        let line = location(file, path).and_then(|found| found.span.first().copied()).unwrap_or(0);
        self.found.push(Found {
            package: file.package_name().to_owned(),
            rule,
            place: format!("proto/{}:{}", file.name(), line + 1),
            what: what.into(),
        });
    }
}

/// Whether a comment stands before what is at `path`.
pub(crate) fn has_comment(file: &FileDescriptor, path: &[i32]) -> bool {
    location(file, path)
        .and_then(|found| found.leading_comments.as_deref())
        .is_some_and(|comment| !comment.trim().is_empty())
}

fn location<'f>(file: &'f FileDescriptor, path: &[i32]) -> Option<&'f Location> {
    let positions = file.file_descriptor_proto().source_code_info.as_ref()?;
    positions.location.iter().find(|found| found.path == path)
}

/// Numbers of fields of `FileDescriptorProto`, for positions without a descriptor.
pub(crate) mod field {
    /// `package`.
    pub(crate) const PACKAGE: i32 = 2;
    /// `dependency`.
    pub(crate) const DEPENDENCY: i32 = 3;
    /// `syntax`.
    pub(crate) const SYNTAX: i32 = 12;
}
