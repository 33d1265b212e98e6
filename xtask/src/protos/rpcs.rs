//! Rules on RPCs: each has a request and a response of its own, named after it.

use super::place::Lint;
use protox::prost_reflect::{FileDescriptor, MessageDescriptor, MethodDescriptor};
use std::collections::BTreeMap;

/// Rules on the RPCs of all files together, since a type may be shared across files.
pub(crate) fn judge(files: &[FileDescriptor], lint: &mut Lint) {
    let mut users: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let all: Vec<(&FileDescriptor, MethodDescriptor)> = files
        .iter()
        .flat_map(|file| file.services().map(move |service| (file, service)))
        .flat_map(|(file, service)| service.methods().map(|rpc| (file, rpc)).collect::<Vec<_>>())
        .collect();
    for (_, rpc) in &all {
        for message in [rpc.input(), rpc.output()] {
            users.entry(message.full_name().to_owned()).or_default().push(rpc.name().to_owned());
        }
    }
    for (file, rpc) in &all {
        judge_name(file, rpc, (&rpc.input(), "Request", "RPC_REQUEST_STANDARD_NAME"), lint);
        judge_name(file, rpc, (&rpc.output(), "Response", "RPC_RESPONSE_STANDARD_NAME"), lint);
        for message in [rpc.input(), rpc.output()] {
            let sharing = &users[message.full_name()];
            if sharing.len() > 1 {
                let what = format!("{} is shared by {}", message.full_name(), sharing.join(", "));
                lint.refuse("RPC_REQUEST_RESPONSE_UNIQUE", file, rpc.path(), what);
            }
        }
    }
}

/// `GetVmRequest` or, where two services have the same RPC, `VmServiceGetVmRequest`.
fn judge_name(
    file: &FileDescriptor,
    rpc: &MethodDescriptor,
    (message, suffix, rule): (&MessageDescriptor, &str, &'static str),
    lint: &mut Lint,
) {
    let short = format!("{}{suffix}", rpc.name());
    let long = format!("{}{short}", rpc.parent_service().name());
    if message.name() != short && message.name() != long {
        let what = format!("rpc {} takes or gives {}: it should be {short}", rpc.name(), message.name());
        lint.refuse(rule, file, rpc.path(), what);
    }
}
