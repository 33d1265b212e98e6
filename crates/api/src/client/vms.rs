//! `Vms` and `Power` from afar.

use super::{Client, answers, missing, named, options};
use crate::convert::vm::{etag, read_stored};
use crate::convert::{duration, spec};
use crate::fault::from_wire;
use crate::proto::weft::v1 as wire;
use buffa_types::google::protobuf::{Duration, FieldMask};
use weft_domain::Fault;
use weft_domain::instance::StopHow;
use weft_domain::object::Revision;
use weft_ports::api::{
    Answers, Call, Change, CreateMode, ListQuery, NewVm, Page, Power, Removal, Vm, VmChange, VmRef, Vms, WatchQuery,
};

/// The VM in an answer that always has one.
macro_rules! vm_of {
    ($call:expr) => {{
        let response = $call.await.map_err(|e| from_wire(&e))?.into_owned();
        response.vm.into_option().ok_or_else(|| missing("VM")).and_then(read_stored)
    }};
}

pub(super) use vm_of;

/// The request id, empty where there is none.
pub(super) fn id(call: &Call) -> String {
    call.request_id.clone().unwrap_or_default()
}

/// `force` and the guest's time.
fn how(how: StopHow) -> (bool, Option<Duration>) {
    match how {
        StopHow::Force => (true, None),
        StopHow::Graceful { timeout } => (false, Some(duration(timeout))),
    }
}

fn changed(change: Change) -> (wire::Vm, FieldMask) {
    let mut vm = match change.vm {
        VmRef::Id(id) => wire::Vm { id: id.to_string(), ..Default::default() },
        VmRef::Named { project, name } => {
            wire::Vm { name: name.to_string(), project: project.to_string(), ..Default::default() }
        }
    };
    let mut paths = Vec::new();
    vm.etag = change.etag.map(etag).unwrap_or_default();
    if let Some(labels) = change.labels {
        vm.labels = labels.as_map().clone();
        paths.push("labels");
    }
    if let Some(annotations) = change.annotations {
        vm.annotations = annotations.as_map().clone();
        paths.push("annotations");
    }
    if let Some(spec) = change.spec {
        vm.spec = spec::spec(&spec).into();
        paths.push("spec");
    }
    (vm, FieldMask::from_paths(paths))
}

#[async_trait::async_trait]
impl Vms for Client {
    async fn create(&self, call: &Call, new: NewVm) -> Result<Vm, Fault> {
        let vm = wire::Vm {
            name: new.name.map(|n| n.to_string()).unwrap_or_default(),
            project: new.project.to_string(),
            labels: new.labels.as_map().clone(),
            annotations: new.annotations.as_map().clone(),
            spec: spec::spec(&new.spec).into(),
            ..Default::default()
        };
        let request = wire::CreateVmRequest {
            vm: vm.into(),
            request_id: id(call),
            validate_only: new.mode == CreateMode::ValidateOnly,
            boot: new.mode == CreateMode::Boot,
            ..Default::default()
        };
        vm_of!(self.vms.create_vm_with_options(request, options(call)))
    }

    async fn get(&self, call: &Call, vm: &VmRef) -> Result<Vm, Fault> {
        let (vm, project) = named(vm);
        let request = wire::GetVmRequest { vm, project, ..Default::default() };
        vm_of!(self.vms.get_vm_with_options(request, options(call)))
    }

    async fn list(&self, call: &Call, query: &ListQuery) -> Result<Page<Vm>, Fault> {
        let request = wire::ListVmsRequest {
            project: query.project.as_ref().map(ToString::to_string).unwrap_or_default(),
            page_size: query.page_size,
            page_token: query.page_token.clone(),
            filter: query.filter.clone(),
            ..Default::default()
        };
        let answer = self.vms.list_vms_with_options(request, options(call)).await;
        let answer = answer.map_err(|e| from_wire(&e))?.into_owned();
        let items = answer.vms.into_iter().map(read_stored).collect::<Result<_, _>>()?;
        Ok(Page { items, next_page_token: answer.next_page_token, revision: Revision(answer.revision) })
    }

    async fn update(&self, call: &Call, change: Change) -> Result<Vm, Fault> {
        let validate_only = change.validate_only;
        let (vm, mask) = changed(change);
        let request = wire::UpdateVmRequest {
            vm: vm.into(),
            update_mask: mask.into(),
            request_id: id(call),
            validate_only,
            ..Default::default()
        };
        vm_of!(self.vms.update_vm_with_options(request, options(call)))
    }

    async fn delete(&self, call: &Call, removal: Removal) -> Result<Option<Vm>, Fault> {
        let (vm, project) = named(&removal.vm);
        let request = wire::DeleteVmRequest {
            vm,
            project,
            force: removal.force,
            allow_missing: removal.allow_missing,
            etag: removal.etag.map(etag).unwrap_or_default(),
            request_id: id(call),
            ..Default::default()
        };
        let answer = self.vms.delete_vm_with_options(request, options(call)).await;
        answer.map_err(|e| from_wire(&e))?.into_owned().vm.into_option().map(read_stored).transpose()
    }

    async fn watch(&self, call: &Call, query: WatchQuery) -> Result<Answers<VmChange>, Fault> {
        let (vm, project) = super::read::watched(&query);
        let from_revision = query.from.map(|r| r.0);
        let request = wire::WatchVmsRequest { project, vm, from_revision, ..Default::default() };
        answers!(self.vms.watch_vms_with_options(request, options(call)), super::read::vm_change)
    }
}

#[async_trait::async_trait]
impl Power for Client {
    async fn boot(&self, call: &Call, vm: &VmRef) -> Result<Vm, Fault> {
        let (vm, project) = named(vm);
        let request = wire::BootVmRequest { vm, project, request_id: id(call), ..Default::default() };
        vm_of!(self.vms.boot_vm_with_options(request, options(call)))
    }

    async fn shutdown(&self, call: &Call, vm: &VmRef, stop: StopHow) -> Result<Vm, Fault> {
        let ((vm, project), (force, timeout)) = (named(vm), how(stop));
        let request = wire::ShutdownVmRequest {
            vm,
            project,
            force,
            timeout: timeout.into(),
            request_id: id(call),
            ..Default::default()
        };
        vm_of!(self.vms.shutdown_vm_with_options(request, options(call)))
    }

    async fn pause(&self, call: &Call, vm: &VmRef) -> Result<Vm, Fault> {
        let (vm, project) = named(vm);
        let request = wire::PauseVmRequest { vm, project, request_id: id(call), ..Default::default() };
        vm_of!(self.vms.pause_vm_with_options(request, options(call)))
    }

    async fn resume(&self, call: &Call, vm: &VmRef) -> Result<Vm, Fault> {
        let (vm, project) = named(vm);
        let request = wire::ResumeVmRequest { vm, project, request_id: id(call), ..Default::default() };
        vm_of!(self.vms.resume_vm_with_options(request, options(call)))
    }

    async fn reboot(&self, call: &Call, vm: &VmRef, stop: StopHow) -> Result<Vm, Fault> {
        let ((vm, project), (force, timeout)) = (named(vm), how(stop));
        let request = wire::RebootVmRequest {
            vm,
            project,
            force,
            timeout: timeout.into(),
            request_id: id(call),
            ..Default::default()
        };
        vm_of!(self.vms.reboot_vm_with_options(request, options(call)))
    }
}
