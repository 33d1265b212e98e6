//! The descriptor set, read into a [`Schema`].

use super::{Field, Message, Schema, Shape};
use buffa::Message as _;
use buffa_descriptor::generated::descriptor::field_descriptor_proto::{Label, Type};
use buffa_descriptor::generated::descriptor::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet,
};

/// The schema of these descriptors. They are our own build's, so a broken set is a broken build.
pub(super) fn schema(descriptors: &[u8]) -> Schema {
    let set = FileDescriptorSet::decode_from_slice(descriptors).expect("the build wrote a lawful descriptor set");
    let mut schema = Schema::default();
    for file in &set.file {
        let package = file.package.as_deref().unwrap_or_default();
        for message in &file.message_type {
            add_message(&mut schema, package, message);
        }
        for one in &file.enum_type {
            add_enum(&mut schema, package, one);
        }
        for service in &file.service {
            let full = qualified(package, service.name.as_deref());
            for method in &service.method {
                let procedure = format!("/{full}/{}", method.name.as_deref().unwrap_or_default());
                schema.inputs.insert(procedure, plain(method.input_type.as_deref()));
            }
            schema.services.push(full);
        }
    }
    resolve_maps(&mut schema, &set);
    schema
}

fn qualified(scope: &str, name: Option<&str>) -> String {
    let name = name.unwrap_or_default();
    if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") }
}

/// A type name without the leading dot.
fn plain(type_name: Option<&str>) -> String {
    type_name.unwrap_or_default().trim_start_matches('.').to_owned()
}

fn add_enum(schema: &mut Schema, scope: &str, one: &EnumDescriptorProto) {
    let values = one.value.iter().filter_map(|v| v.name.clone()).collect();
    schema.enums.insert(qualified(scope, one.name.as_deref()), values);
}

fn add_message(schema: &mut Schema, scope: &str, message: &DescriptorProto) {
    let full = qualified(scope, message.name.as_deref());
    let mut fields = Message::default();
    for field in &message.field {
        let name = field.name.clone().unwrap_or_default();
        if let Some(json) = field.json_name.clone().filter(|json| *json != name) {
            fields.by_json.insert(json, name.clone());
        }
        // An `optional` field sits in a oneof of its own, which has no siblings.
        let oneof = field.oneof_index.filter(|_| field.proto3_optional != Some(true));
        let repeated = field.label == Some(Label::LABEL_REPEATED);
        fields.fields.insert(name, Field { shape: shape(field), repeated, oneof });
    }
    schema.messages.insert(full.clone(), fields);
    for nested in &message.nested_type {
        add_message(schema, &full, nested);
    }
    for one in &message.enum_type {
        add_enum(schema, &full, one);
    }
}

fn shape(field: &FieldDescriptorProto) -> Shape {
    let Some(kind) = field.r#type else { return Shape::Any };
    match kind {
        Type::TYPE_BOOL => Shape::Bool,
        Type::TYPE_INT32 | Type::TYPE_SINT32 | Type::TYPE_SFIXED32 => Shape::Whole(i32::MIN.into(), i32::MAX.into()),
        Type::TYPE_UINT32 | Type::TYPE_FIXED32 => Shape::Whole(0, u32::MAX.into()),
        Type::TYPE_INT64 | Type::TYPE_SINT64 | Type::TYPE_SFIXED64 => Shape::Whole(i64::MIN.into(), i64::MAX.into()),
        Type::TYPE_UINT64 | Type::TYPE_FIXED64 => Shape::Whole(0, u64::MAX.into()),
        Type::TYPE_DOUBLE | Type::TYPE_FLOAT => Shape::Number,
        Type::TYPE_STRING => Shape::Text,
        Type::TYPE_BYTES => Shape::Bytes,
        Type::TYPE_ENUM => Shape::Enum(plain(field.type_name.as_deref())),
        Type::TYPE_MESSAGE | Type::TYPE_GROUP => message_shape(plain(field.type_name.as_deref())),
    }
}

fn message_shape(full: String) -> Shape {
    match full.as_str() {
        "google.protobuf.Timestamp" | "google.protobuf.FieldMask" => Shape::Text,
        "google.protobuf.Duration" => Shape::Span,
        other if other.starts_with("google.protobuf.") => Shape::Any,
        _ => Shape::Message(full),
    }
}

/// Turns fields of map-entry messages into maps: JSON writes them as objects.
fn resolve_maps(schema: &mut Schema, set: &FileDescriptorSet) {
    let mut entries = Vec::new();
    for file in &set.file {
        let package = file.package.as_deref().unwrap_or_default();
        for message in &file.message_type {
            find_entries(&qualified(package, message.name.as_deref()), message, &mut entries);
        }
    }
    for entry in entries {
        let Some(value) = schema.messages.get(&entry).and_then(|m| m.fields.get("value")).map(|f| f.shape.clone())
        else {
            continue;
        };
        for message in schema.messages.values_mut() {
            for field in message.fields.values_mut() {
                if matches!(&field.shape, Shape::Message(name) if *name == entry) {
                    *field = Field { shape: Shape::Map(Box::new(value.clone())), repeated: false, oneof: None };
                }
            }
        }
    }
}

fn find_entries(full: &str, message: &DescriptorProto, entries: &mut Vec<String>) {
    for nested in &message.nested_type {
        let name = qualified(full, nested.name.as_deref());
        if nested.options.as_option().is_some_and(|o| o.map_entry == Some(true)) {
            entries.push(name.clone());
        }
        find_entries(&name, nested, entries);
    }
}
