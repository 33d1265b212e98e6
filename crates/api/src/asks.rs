//! What callers ask, read into the domain's words: which VM, what to make, change, stop or remove.
//!
//! Everything wrong with a request is told in one refusal, with proto paths.

pub(crate) mod alter;
pub(crate) mod snapshot;
pub(crate) mod usage;

use crate::convert::vm::{asked, project, revision};
use crate::convert::{Found, spec};
use crate::proto::weft::v1 as wire;
use buffa_types::google::protobuf::Duration as WireDuration;
use std::time::Duration;
use weft_domain::instance::{Meta, StopHow};
use weft_domain::object::Revision;
use weft_domain::spec::{Draft, Spec};
use weft_domain::{Fault, Labels, Name, label::Annotations};
use weft_ports::api::{Call, Change, CreateMode, NewVm, Removal, VmRef, Vms, WatchQuery};

/// How long a guest is given where nothing is said.
const GRACE: Duration = Duration::from_secs(30);

/// Which VM is meant by an id or a name.
pub(crate) fn vm_ref(vm: &str, in_project: &str, found: &mut Found) -> VmRef {
    if let Ok(id) = vm.parse() {
        return VmRef::Id(id);
    }
    let project = project(in_project, "project", found);
    if vm.is_empty() {
        found.add("vm", "is required");
    }
    let name = found.parse_some(vm, "vm").unwrap_or_else(Name::default_project);
    VmRef::Named { project, name }
}

/// The same, alone in its request.
pub(crate) fn one_vm(vm: &str, in_project: &str) -> Result<VmRef, Fault> {
    let mut found = Found::default();
    let vm = vm_ref(vm, in_project, &mut found);
    found.done().map(|()| vm)
}

/// A filter by project; all where none is named.
pub(crate) fn only_project(text: &str) -> Result<Option<Name>, Fault> {
    let mut found = Found::default();
    let project = found.parse_some(text, "project");
    found.done().map(|()| project)
}

/// What a watch begins with.
pub(crate) fn watch_query(project: &str, vm: &str, from: Option<u64>) -> Result<WatchQuery, Fault> {
    let mut found = Found::default();
    let which = (!vm.is_empty()).then(|| vm_ref(vm, project, &mut found));
    let project = found.parse_some(project, "project");
    found.done()?;
    Ok(WatchQuery { project, vm: which, from: from.map(Revision) })
}

/// A VM that is asked for.
pub(crate) fn new_vm(vm: wire::Vm, mode: CreateMode) -> Result<NewVm, Fault> {
    let mut found = Found::default();
    let asked = asked(vm, &mut found);
    let spec = checked(asked.draft, found)?;
    let (name, project) = (asked.name, asked.project);
    Ok(NewVm { project, name, labels: asked.labels, annotations: asked.annotations, spec, mode })
}

/// What is to be done beyond recording it.
pub(crate) fn mode(request: &wire::CreateVmRequest) -> CreateMode {
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
pub(crate) fn removal(request: &wire::DeleteVmRequest) -> Result<Removal, Fault> {
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
pub(crate) async fn change(vms: &dyn Vms, call: &Call, request: wire::UpdateVmRequest) -> Result<Change, Fault> {
    let said = request.vm.as_option().filter(|vm| !vm.id.is_empty()).map(|vm| (vm.name.clone(), vm.project.clone()));
    let wanted = wanted(request)?;
    if let Some((name, project)) = said.filter(|(name, project)| !(name.is_empty() && project.is_empty())) {
        stays(&vms.get(call, &wanted.vm).await?.value.meta, &name, &project)?;
    }
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

/// A VM keeps its name and project: what is said of them beside its id must be so.
fn stays(meta: &Meta, name: &str, project: &str) -> Result<(), Fault> {
    let mut found = Found::default();
    for (said, is, field) in [(name, &meta.name, "vm.name"), (project, &meta.project, "vm.project")] {
        if !said.is_empty() && said != is.as_str() {
            found.add(field, format!("is {is} and cannot change"));
        }
    }
    found.done()
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
