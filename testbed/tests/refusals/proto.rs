//! JSON rows as protobuf, by the contract itself: the protos are compiled as a client of another language would.

use base64::Engine as _;
use prost_reflect::prost::Message as _;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, MethodDescriptor, Value,
};
use serde_json::Value as Json;

/// The contract.
pub(crate) struct Contract(DescriptorPool);

impl Contract {
    /// Compiles the protos of this workspace.
    pub(crate) fn compile() -> Self {
        let mut compiler = protox::Compiler::new(["../proto"]).expect("the protos are there");
        compiler.include_imports(true);
        for file in ["vm_service", "snapshot_service", "node_service", "event_service", "state_service"] {
            compiler.open_file(format!("weft/v1/{file}.proto")).expect("the proto compiles");
        }
        for file in ["vmprovisioner/v1/vm.proto", "google/rpc/status.proto", "google/rpc/error_details.proto"] {
            compiler.open_file(file).expect("the proto compiles");
        }
        Self(compiler.descriptor_pool())
    }

    /// The method of a path, where there is one.
    pub(crate) fn method(&self, path: &str) -> Option<MethodDescriptor> {
        let (service, method) = path.trim_start_matches('/').split_once('/')?;
        self.0.get_service_by_name(service)?.methods().find(|one| one.name() == method)
    }

    /// A JSON request in protobuf; `None` where protobuf cannot say it.
    pub(crate) fn encode(&self, path: &str, json: &str) -> Option<Vec<u8>> {
        let json: Json = serde_json::from_str(json).expect("a row's JSON is lawful");
        Some(message(&self.method(path)?.input(), &json)?.encode_to_vec())
    }
}

fn message(of: &MessageDescriptor, json: &Json) -> Option<DynamicMessage> {
    let mut made = DynamicMessage::new(of.clone());
    for (key, json) in json.as_object()? {
        let field = of.get_field_by_json_name(key).or_else(|| of.get_field_by_name(key))?;
        let taken = field.containing_oneof().is_some_and(|one| one.fields().any(|other| made.has_field(&other)));
        if taken {
            return None;
        }
        if !json.is_null() {
            made.try_set_field(&field, value(&field, json)?).ok()?;
        }
    }
    Some(made)
}

fn value(field: &FieldDescriptor, json: &Json) -> Option<Value> {
    if field.is_map() {
        let Kind::Message(entry) = field.kind() else { return None };
        let entries = json.as_object()?.iter();
        let entry = |(key, json): (&String, &Json)| {
            Some((MapKey::String(key.clone()), single(&entry.map_entry_value_field().kind(), json)?))
        };
        return entries.map(entry).collect::<Option<_>>().map(Value::Map);
    }
    if field.is_list() {
        return json.as_array()?.iter().map(|json| single(&field.kind(), json)).collect::<Option<_>>().map(Value::List);
    }
    single(&field.kind(), json)
}

#[expect(clippy::wildcard_enum_match_arm, reason = "kinds that the contract does not use")]
fn single(kind: &Kind, json: &Json) -> Option<Value> {
    match kind {
        Kind::Bool => json.as_bool().map(Value::Bool),
        Kind::String => json.as_str().map(|text| Value::String(text.to_owned())),
        Kind::Bytes => {
            let bytes = base64::engine::general_purpose::STANDARD.decode(json.as_str()?).ok()?;
            Some(Value::Bytes(bytes.into()))
        }
        Kind::Uint32 => whole(json).map(Value::U32),
        Kind::Int32 => whole(json).map(Value::I32),
        Kind::Uint64 => whole(json).map(Value::U64),
        Kind::Int64 => whole(json).map(Value::I64),
        Kind::Enum(of) => {
            let named = json.as_str().map(|name| of.get_value_by_name(name).map(|value| value.number()));
            named.unwrap_or_else(|| whole(json)).map(Value::EnumNumber)
        }
        Kind::Message(of) => match (of.full_name(), json) {
            ("google.protobuf.Duration", Json::String(text)) => span(of, text).map(Value::Message),
            ("google.protobuf.FieldMask", Json::String(text)) => mask(of, text).map(Value::Message),
            _ => message(of, json).map(Value::Message),
        },
        _ => None,
    }
}

fn whole<T: std::str::FromStr>(json: &Json) -> Option<T> {
    json.as_str().map_or_else(|| json.to_string(), str::to_owned).parse().ok()
}

fn span(of: &MessageDescriptor, text: &str) -> Option<DynamicMessage> {
    let mut made = DynamicMessage::new(of.clone());
    made.set_field_by_name("seconds", Value::I64(text.strip_suffix('s')?.parse().ok()?));
    Some(made)
}

fn mask(of: &MessageDescriptor, text: &str) -> Option<DynamicMessage> {
    let mut made = DynamicMessage::new(of.clone());
    let paths = text.split(',').map(|path| Value::String(path.to_owned())).collect();
    made.set_field_by_name("paths", Value::List(paths));
    Some(made)
}

impl Contract {
    /// A message of this name as JSON with the proto's own names; bytes in base64.
    pub(crate) fn decode(&self, name: &str, bytes: &[u8]) -> Option<Json> {
        Some(read(&DynamicMessage::decode(self.0.get_message_by_name(name)?, bytes).ok()?))
    }
}

fn read(message: &DynamicMessage) -> Json {
    message
        .fields()
        .map(|(field, value)| (field.name().to_owned(), told(value)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn told(value: &Value) -> Json {
    match value {
        Value::Bool(it) => (*it).into(),
        Value::I32(it) | Value::EnumNumber(it) => (*it).into(),
        Value::I64(it) => (*it).into(),
        Value::U32(it) => (*it).into(),
        Value::U64(it) => (*it).into(),
        Value::F32(it) => (*it).into(),
        Value::F64(it) => (*it).into(),
        Value::String(it) => it.as_str().into(),
        Value::Bytes(it) => base64::engine::general_purpose::STANDARD_NO_PAD.encode(it).into(),
        Value::Message(it) => read(it),
        Value::List(all) => all.iter().map(told).collect::<Vec<_>>().into(),
        Value::Map(all) => {
            let entries = all.iter().map(|(key, value)| (key.as_str().unwrap_or_default().to_owned(), told(value)));
            entries.collect::<serde_json::Map<_, _>>().into()
        }
    }
}
