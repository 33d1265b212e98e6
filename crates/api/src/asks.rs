//! Requests that make, change, stop or remove a VM, read into the domain's words.

use super::call::vm_ref;
use crate::convert::vm::{asked, revision};
use crate::convert::{Found, spec};
use crate::proto::weft::v1 as wire;
use buffa_types::google::protobuf::Duration as WireDuration;
use std::time::Duration;
use weft_domain::instance::StopHow;
use weft_domain::object::Revision;
use weft_domain::spec::{Draft, Spec};
use weft_domain::{Fault, Labels, label::Annotations};
use weft_ports::api::{Call, Change, CreateMode, NewVm, Removal, VmRef, Vms};

/// How long a guest is given where nothing is said.
const GRACE: Duration = Duration::from_secs(30);

/// A VM that is asked for.
pub(crate) fn new_vm(vm: wire::Vm, mode: CreateMode) -> Result<NewVm, Fault> {
    let mut found = Found::default();
    let asked = asked(vm, &mut found);
    let spec = checked(asked.draft, found)?;
    let (name, project) = (asked.name, asked.project);
    Ok(NewVm { project, name, labels: asked.labels, annotations: asked.annotations, spec, mode })
}

/// What is to be done beyond recording it.
pub(super) fn mode(request: &wire::CreateVmRequest) -> CreateMode {
    match (request.validate_only, request.boot) {
        (true, _) => CreateMode::ValidateOnly,
        (false, true) => CreateMode::Boot,
        (false, false) => CreateMode::Create,
    }
}

/// The draft, checked by the domain; all violations in one refusal.
fn checked(draft: Draft, mut found: Found) -> Result<Spec, Fault> {
    let spec = draft.check().map_err(|all| found.extend(all)).ok();
    found.done()?;
    spec.ok_or_else(|| Fault::internal("the spec was refused unsaid"))
}

/// How a guest is stopped.
pub(crate) fn stop_how(force: bool, timeout: Option<&WireDuration>) -> Result<StopHow, Fault> {
    let mut found = Found::default();
    let given = found.span(timeout, "timeout");
    if given.is_some() && force {
        found.add("timeout", "cannot be given together with force");
    }
    if given.is_some_and(|t| !(1..=3600).contains(&t.as_secs())) {
        found.add("timeout", "must be from 1s to 3600s");
    }
    found.done()?;
    if force { Ok(StopHow::Force) } else { Ok(StopHow::Graceful { timeout: given.unwrap_or(GRACE) }) }
}

/// A removal that is asked for.
pub(super) fn removal(request: &wire::DeleteVmRequest) -> Result<Removal, Fault> {
    let mut found = Found::default();
    let vm = vm_ref(&request.vm, &request.project, &mut found);
    let etag = revision(&request.etag, "etag", &mut found);
    found.done()?;
    Ok(Removal { vm, etag, force: request.force, allow_missing: request.allow_missing })
}

/// A change as it was written, not yet joined with what is.
#[derive(Debug)]
struct Wanted {
    vm: VmRef,
    etag: Option<Revision>,
    labels: Option<Labels>,
    annotations: Option<Annotations>,
    spec: Option<wire::VmSpec>,
    /// Fields of the spec that are changed; empty where the whole spec is.
    fields: Vec<String>,
    validate_only: bool,
}

/// The change that is asked for. Where only some fields of the spec change, the others are read
/// first, and the change is tied to the revision they were read at.
pub(super) async fn change(vms: &dyn Vms, call: &Call, request: wire::UpdateVmRequest) -> Result<Change, Fault> {
    let wanted = wanted(request)?;
    let Wanted { vm, mut etag, labels, annotations, spec: given, fields, validate_only } = wanted;
    let mut found = Found::default();
    let spec = match given {
        None => None,
        Some(given) if fields.is_empty() => {
            let draft = spec::draft(given, &mut found);
            Some(checked(draft, found)?)
        }
        Some(given) => {
            let current = vms.get(call, &vm).await?;
            etag = etag.or(Some(current.revision));
            let mut whole = spec::spec(&current.value.spec);
            for field in &fields {
                spec::copy_field(&given, &mut whole, field);
            }
            let draft = spec::draft(whole, &mut found);
            Some(checked(draft, found)?)
        }
    };
    Ok(Change { vm, etag, labels, annotations, spec, validate_only })
}

fn wanted(request: wire::UpdateVmRequest) -> Result<Wanted, Fault> {
    let mut found = Found::default();
    let Some(vm) = request.vm.into_option() else {
        found.add("vm", "is required");
        return Err(found.done().err().unwrap_or_else(|| Fault::internal("a violation was lost")));
    };
    let which = if vm.id.is_empty() {
        vm_ref(&vm.name, &vm.project, &mut found)
    } else {
        found.parse(&vm.id, "vm.id").map_or_else(|| vm_ref(&vm.id, "", &mut Found::default()), VmRef::Id)
    };
    let mask = request.update_mask.into_option().map(|m| m.paths).unwrap_or_default();
    let named = |field: &str| mask.iter().any(|p| p == field);
    let fields: Vec<String> = mask.iter().filter_map(|p| p.strip_prefix("spec.")).map(str::to_owned).collect();
    for path in &mask {
        let field = path.strip_prefix("spec.");
        if !field.map_or_else(|| ["labels", "annotations", "spec"].contains(&path.as_str()), spec::has_field) {
            found.add("update_mask", format!("{path:?} is not a field that can be changed"));
        }
    }
    let (has_labels, has_annotations) = if mask.is_empty() {
        (!vm.labels.is_empty(), !vm.annotations.is_empty())
    } else {
        (named("labels"), named("annotations"))
    };
    let whole_spec = if mask.is_empty() { vm.spec.is_set() } else { named("spec") };
    let wants_spec = whole_spec || !fields.is_empty();
    let wanted = Wanted {
        vm: which,
        etag: revision(&vm.etag, "vm.etag", &mut found),
        labels: has_labels.then(|| found.labels(vm.labels, "vm.labels")),
        annotations: has_annotations.then(|| found.annotations(vm.annotations, "vm.annotations")),
        spec: wants_spec.then(|| vm.spec.into_option().unwrap_or_default()),
        fields: if whole_spec { Vec::new() } else { fields },
        validate_only: request.validate_only,
    };
    found.done().map(|()| wanted)
}
