//! Rules on comments: whatever a user of the API meets says what it is, in a
//! comment that stands before it (a comment behind it reaches no document).

use super::place::{Lint, has_comment};
use protox::prost_reflect::{EnumDescriptor, FileDescriptor, MessageDescriptor};

/// Rules on every message, field, oneof, enum, value, service and RPC of a file.
pub(crate) fn judge(file: &FileDescriptor, lint: &mut Lint) {
    for message in file.messages() {
        judge_message(file, &message, lint);
    }
    for listed in file.enums() {
        judge_enum(file, &listed, lint);
    }
    for service in file.services() {
        need("COMMENT_SERVICE", file, (service.path(), service.full_name()), lint);
        for rpc in service.methods() {
            need("COMMENT_RPC", file, (rpc.path(), rpc.full_name()), lint);
        }
    }
}

fn judge_message(file: &FileDescriptor, message: &MessageDescriptor, lint: &mut Lint) {
    if message.is_map_entry() {
        return;
    }
    need("COMMENT_MESSAGE", file, (message.path(), message.full_name()), lint);
    for field in message.fields() {
        need("COMMENT_FIELD", file, (field.path(), field.full_name()), lint);
    }
    for oneof in message.oneofs().filter(|oneof| !oneof.is_synthetic()) {
        need("COMMENT_ONEOF", file, (oneof.path(), oneof.full_name()), lint);
    }
    for inner in message.child_messages() {
        judge_message(file, &inner, lint);
    }
    for inner in message.child_enums() {
        judge_enum(file, &inner, lint);
    }
}

fn judge_enum(file: &FileDescriptor, listed: &EnumDescriptor, lint: &mut Lint) {
    need("COMMENT_ENUM", file, (listed.path(), listed.full_name()), lint);
    for value in listed.values() {
        need("COMMENT_ENUM_VALUE", file, (value.path(), value.full_name()), lint);
    }
}

fn need(rule: &'static str, file: &FileDescriptor, (path, name): (&[i32], &str), lint: &mut Lint) {
    if !has_comment(file, path) {
        lint.refuse(rule, file, path, format!("{name} has no comment before it"));
    }
}
