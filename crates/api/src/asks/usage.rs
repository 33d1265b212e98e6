//! What is asked of usage, read into the domain's words, and written.

use super::vm_ref;
use crate::convert::{Choice as _, Found, timestamp};
use crate::proto::weft::v1 as wire;
use weft_domain::Fault;
use weft_ports::api::{ExportFormat, Grain, UsageQuery, UsageScope, VmRef};

/// So many VMs are named in one scope.
const MOST_VMS: usize = 1_000;

/// Whose usage, and when.
fn read_scope(scope: wire::UsageScope, found: &mut Found) -> UsageScope {
    let project = found.parse_some(&scope.project, "scope.project");
    if scope.vms.len() > MOST_VMS {
        found.add("scope.vms", format!("has {} entries; at most {MOST_VMS} are allowed", scope.vms.len()));
    }
    let vms = scope.vms.iter().take(MOST_VMS).enumerate();
    let vms = vms.map(|(i, vm)| read_vm(vm, &scope.project, (i, &mut *found))).collect();
    let labels = found.labels(scope.labels, "scope.labels");
    let from = found.time_some(&scope.start_time, "scope.start_time");
    let to = found.time_some(&scope.end_time, "scope.end_time");
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        found.add("scope.end_time", "must not be before start_time");
    }
    UsageScope { project, vms, labels, from, to }
}

/// A VM by its id, its name, or its project and name.
fn read_vm(text: &str, in_project: &str, (place, found): (usize, &mut Found)) -> VmRef {
    let (project, vm) = text.split_once('/').unwrap_or((in_project, text));
    let mut inner = Found::default();
    let read = vm_ref(vm, project, &mut inner);
    if !inner.is_empty() {
        let forms = "must be an id, a name, or a project and a name with `/` between";
        found.add(format!("scope.vms[{place}]"), forms);
    }
    read
}

/// The same as the wire has it.
pub(crate) fn scope(scope: &UsageScope) -> wire::UsageScope {
    let vm = |vm: &VmRef| match vm {
        VmRef::Id(id) => id.to_string(),
        VmRef::Named { project, name } => format!("{project}/{name}"),
    };
    wire::UsageScope {
        project: scope.project.as_ref().map(ToString::to_string).unwrap_or_default(),
        vms: scope.vms.iter().map(vm).collect(),
        labels: scope.labels.as_map().clone(),
        start_time: scope.from.map(timestamp).into(),
        end_time: scope.to.map(timestamp).into(),
        ..Default::default()
    }
}

/// A question.
pub(crate) fn read_query(request: wire::QueryUsageRequest) -> Result<UsageQuery, Fault> {
    let mut found = Found::default();
    let scope = read_scope(request.scope.into_option().unwrap_or_default(), &mut found);
    let grain = found.choice(request.grain, "grain");
    found.done()?;
    Ok(UsageQuery { scope, grain, page_size: request.page_size, page_token: request.page_token })
}

/// The same as the wire has it.
pub(crate) fn query(query: &UsageQuery) -> wire::QueryUsageRequest {
    wire::QueryUsageRequest {
        scope: scope(&query.scope).into(),
        grain: query.grain.write().into(),
        page_size: query.page_size,
        page_token: query.page_token.clone(),
        ..Default::default()
    }
}

/// A question for gaps, which are told one by one.
pub(crate) fn read_gaps(request: wire::ListUsageGapsRequest) -> Result<UsageQuery, Fault> {
    let mut found = Found::default();
    let scope = read_scope(request.scope.into_option().unwrap_or_default(), &mut found);
    found.done()?;
    Ok(UsageQuery { scope, grain: Grain::Record, page_size: request.page_size, page_token: request.page_token })
}

/// The same as the wire has it.
pub(crate) fn gaps(query: &UsageQuery) -> wire::ListUsageGapsRequest {
    wire::ListUsageGapsRequest {
        scope: scope(&query.scope).into(),
        page_size: query.page_size,
        page_token: query.page_token.clone(),
        ..Default::default()
    }
}

/// Whose usage is watched.
pub(crate) fn read_watch(request: wire::WatchUsageRequest) -> Result<UsageScope, Fault> {
    let mut found = Found::default();
    let scope = read_scope(request.scope.into_option().unwrap_or_default(), &mut found);
    found.done()?;
    Ok(UsageScope { from: None, to: None, ..scope })
}

/// An export that is asked for.
pub(crate) fn read_export(request: wire::ExportUsageRequest) -> Result<(UsageQuery, ExportFormat), Fault> {
    let mut found = Found::default();
    let scope = read_scope(request.scope.into_option().unwrap_or_default(), &mut found);
    let (grain, form) = (found.choice(request.grain, "grain"), found.choice(request.format, "format"));
    found.done()?;
    Ok((UsageQuery { scope, grain, page_size: 0, page_token: String::new() }, form))
}

/// The same as the wire has it.
pub(crate) fn export(query: &UsageQuery, form: ExportFormat) -> wire::ExportUsageRequest {
    wire::ExportUsageRequest {
        scope: scope(&query.scope).into(),
        grain: query.grain.write().into(),
        format: form.write().into(),
        ..Default::default()
    }
}
