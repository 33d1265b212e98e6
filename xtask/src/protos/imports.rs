//! Rules on imports: none is public or weak, none is unused.
//!
//! An import is used when a field, an RPC or an extension names a type of it,
//! or an option of the file is defined in it.

use super::place::{Lint, field};
use protox::prost_reflect::{
    DynamicMessage, ExtensionDescriptor, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor,
};
use std::collections::BTreeSet;

/// Rules on the imports of one file.
pub(crate) fn judge(file: &FileDescriptor, lint: &mut Lint) {
    let written = file.file_descriptor_proto();
    let used = used_files(file);
    for (index, import) in (0..).zip(&written.dependency) {
        let path = [field::DEPENDENCY, index];
        if written.public_dependency.contains(&index) {
            lint.refuse("IMPORT_NO_PUBLIC", file, &path, format!("{import} is imported publicly"));
        }
        if written.weak_dependency.contains(&index) {
            lint.refuse("IMPORT_NO_WEAK", file, &path, format!("{import} is imported weakly"));
        }
        if !used.contains(import) {
            lint.refuse("IMPORT_USED", file, &path, format!("{import} is imported and not used"));
        }
    }
}

/// The names of all files that something of `file` leads to.
fn used_files(file: &FileDescriptor) -> BTreeSet<String> {
    let mut used = Used::default();
    used.options(&file.options());
    file.messages().for_each(|message| used.message(&message));
    for listed in file.enums() {
        used.listed(&listed);
    }
    for extension in file.extensions() {
        used.extension(&extension);
    }
    for service in file.services() {
        used.options(&service.options());
        for rpc in service.methods() {
            used.options(&rpc.options());
            used.type_of(&Kind::Message(rpc.input()));
            used.type_of(&Kind::Message(rpc.output()));
        }
    }
    used.files
}

#[derive(Default)]
struct Used {
    files: BTreeSet<String>,
}

impl Used {
    fn file(&mut self, file: &FileDescriptor) {
        self.files.insert(file.name().to_owned());
    }

    fn options(&mut self, options: &DynamicMessage) {
        for (extension, _) in options.extensions() {
            self.file(&extension.parent_file());
        }
    }

    fn type_of(&mut self, kind: &Kind) {
        if let Some(message) = kind.as_message() {
            self.file(&message.parent_file());
        }
        if let Some(listed) = kind.as_enum() {
            self.file(&listed.parent_file());
        }
    }

    fn field(&mut self, field: &FieldDescriptor) {
        self.type_of(&field.kind());
        self.options(&field.options());
    }

    fn extension(&mut self, extension: &ExtensionDescriptor) {
        self.type_of(&extension.kind());
        self.file(&extension.containing_message().parent_file());
        self.options(&extension.options());
    }

    fn listed(&mut self, listed: &protox::prost_reflect::EnumDescriptor) {
        self.options(&listed.options());
        for value in listed.values() {
            self.options(&value.options());
        }
    }

    fn message(&mut self, message: &MessageDescriptor) {
        self.options(&message.options());
        message.fields().for_each(|field| self.field(&field));
        message.oneofs().for_each(|oneof| self.options(&oneof.options()));
        message.child_messages().for_each(|inner| self.message(&inner));
        message.child_enums().for_each(|inner| self.listed(&inner));
        message.child_extensions().for_each(|inner| self.extension(&inner));
    }
}
