//! Rules on names: messages, enums, services and RPCs are UpperCamel, fields and
//! oneofs lower_snake, enum values UPPER_SNAKE behind the enum's own name.

use super::place::Lint;
use protox::prost_reflect::{EnumDescriptor, FileDescriptor, MessageDescriptor};

/// Rules on every name of a file.
pub(crate) fn judge(file: &FileDescriptor, lint: &mut Lint) {
    for message in file.messages() {
        judge_message(file, &message, lint);
    }
    for listed in file.enums() {
        judge_enum(file, &listed, lint);
    }
    for service in file.services() {
        if !is_upper_camel(service.name()) {
            let what = format!("service {} is not UpperCamel", service.name());
            lint.refuse("SERVICE_PASCAL_CASE", file, service.path(), what);
        }
        if !service.name().ends_with("Service") {
            let what = format!("service {} does not end in Service", service.name());
            lint.refuse("SERVICE_SUFFIX", file, service.path(), what);
        }
        for rpc in service.methods().filter(|rpc| !is_upper_camel(rpc.name())) {
            let what = format!("rpc {} is not UpperCamel", rpc.name());
            lint.refuse("RPC_PASCAL_CASE", file, rpc.path(), what);
        }
    }
}

fn judge_message(file: &FileDescriptor, message: &MessageDescriptor, lint: &mut Lint) {
    if message.is_map_entry() {
        return;
    }
    if !is_upper_camel(message.name()) {
        let what = format!("message {} is not UpperCamel", message.full_name());
        lint.refuse("MESSAGE_PASCAL_CASE", file, message.path(), what);
    }
    for field in message.fields() {
        if !is_lower_snake(field.name()) {
            let what = format!("field {} is not lower_snake", field.full_name());
            lint.refuse("FIELD_LOWER_SNAKE_CASE", file, field.path(), what);
        }
        if field.is_required() {
            let what = format!("field {} is required, which can never be taken back", field.full_name());
            lint.refuse("FIELD_NOT_REQUIRED", file, field.path(), what);
        }
    }
    for oneof in message.oneofs().filter(|oneof| !oneof.is_synthetic() && !is_lower_snake(oneof.name())) {
        let what = format!("oneof {} is not lower_snake", oneof.full_name());
        lint.refuse("ONEOF_LOWER_SNAKE_CASE", file, oneof.path(), what);
    }
    for inner in message.child_messages() {
        judge_message(file, &inner, lint);
    }
    for inner in message.child_enums() {
        judge_enum(file, &inner, lint);
    }
}

fn judge_enum(file: &FileDescriptor, listed: &EnumDescriptor, lint: &mut Lint) {
    if !is_upper_camel(listed.name()) {
        let what = format!("enum {} is not UpperCamel", listed.full_name());
        lint.refuse("ENUM_PASCAL_CASE", file, listed.path(), what);
    }
    let options = listed.enum_descriptor_proto().options.as_ref();
    if options.is_some_and(|options| options.allow_alias()) {
        let what = format!("enum {} has two names for one number", listed.full_name());
        lint.refuse("ENUM_NO_ALLOW_ALIAS", file, listed.path(), what);
    }
    let prefix = format!("{}_", upper_snake(listed.name()));
    for (index, value) in listed.values().enumerate() {
        if !is_upper_snake(value.name()) {
            let what = format!("value {} is not UPPER_SNAKE", value.name());
            lint.refuse("ENUM_VALUE_UPPER_SNAKE_CASE", file, value.path(), what);
        }
        if !value.name().starts_with(&prefix) {
            let what = format!("value {} does not start with {prefix}", value.name());
            lint.refuse("ENUM_VALUE_PREFIX", file, value.path(), what);
        }
        if value.number() == 0 && !value.name().ends_with("_UNSPECIFIED") {
            let what = format!("zero value {} does not end in _UNSPECIFIED", value.name());
            lint.refuse("ENUM_ZERO_VALUE_SUFFIX", file, value.path(), what);
        }
        if index == 0 && value.number() != 0 {
            let what = format!("the first value {} is not zero", value.name());
            lint.refuse("ENUM_FIRST_VALUE_ZERO", file, value.path(), what);
        }
    }
}

/// `lower_snake_2`.
pub(crate) fn is_lower_snake(name: &str) -> bool {
    is_snake(name, |c| c.is_ascii_lowercase())
}

fn is_upper_snake(name: &str) -> bool {
    is_snake(name, |c| c.is_ascii_uppercase())
}

fn is_snake(name: &str, letter: fn(char) -> bool) -> bool {
    let whole = !name.starts_with('_') && !name.ends_with('_') && !name.contains("__");
    whole && name.starts_with(letter) && name.chars().all(|c| letter(c) || c.is_ascii_digit() || c == '_')
}

fn is_upper_camel(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase()) && name.chars().all(|c| c.is_ascii_alphanumeric())
}

/// `VmPhase` is `VM_PHASE`, `HTTPCode` is `HTTP_CODE`.
fn upper_snake(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (at, c) in letters.iter().enumerate() {
        let after_small = at > 0 && (letters[at - 1].is_lowercase() || letters[at - 1].is_ascii_digit());
        let before_small = at > 0 && letters.get(at + 1).is_some_and(|next| next.is_lowercase());
        if c.is_uppercase() && (after_small || before_small) {
            snake.push('_');
        }
        snake.push(c.to_ascii_uppercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases() {
        assert!(is_lower_snake("memory_bytes") && is_lower_snake("v6"));
        assert!(!is_lower_snake("memoryBytes") && !is_lower_snake("a__b") && !is_lower_snake("_a"));
        assert!(is_upper_camel("VmService") && !is_upper_camel("Vm_Service") && !is_upper_camel("vm"));
    }

    #[test]
    fn enum_prefixes() {
        assert_eq!(upper_snake("VmPhase"), "VM_PHASE");
        assert_eq!(upper_snake("HTTPCode"), "HTTP_CODE");
        assert_eq!(upper_snake("Ipv6Mode"), "IPV6_MODE");
    }
}
