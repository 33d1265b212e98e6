//! metald's API over the same ports, so that its clients work unchanged.
//!
//! ```text
//!  their words            ours
//!  vm_id                  id, or name
//!  config.storage[0]      disks[0], the root where none is marked
//!  kernel_args `pci=off`  machine microvm: such a guest finds no virtio-pci device
//!  no `root=` there       `root=/dev/vd…` of the root disk is added, as their VMM did
//!  metadata, customer_id  annotations
//!  SHUTDOWN               STOPPED, FAILED
//! ```
//!
//! What theirs read and did not use (hotplug, topology, rate limits) is read and not used. A refusal
//! names their fields.

mod config;
mod words;

use crate::asks::{one_vm, stop_how};
use crate::fault::to_wire;
use crate::proto::vmprovisioner::v1::{self as theirs, VmService};
use bytes::Bytes;
use connectrpc::{ConnectError, RequestContext, Response, ServiceRequest, ServiceResult};
use std::sync::Arc;
use weft_domain::{Fault, Phase, Reason};
use weft_ports::api::{Call, ListQuery, Page, Power, Removal, Vm, VmRef, Vms};

/// Who asks, in the log.
const CALLER: &str = "metald client";
/// VMs on a page where nothing is said.
const PAGE: u32 = 50;

/// metald's service.
pub(crate) struct MetaldDoor {
    vms: Arc<dyn Vms>,
    power: Arc<dyn Power>,
}

impl MetaldDoor {
    /// The service over these ports.
    pub(crate) fn new(vms: Arc<dyn Vms>, power: Arc<dyn Power>) -> Self {
        Self { vms, power }
    }
}

fn call(ctx: &RequestContext) -> Call {
    Call { timeout: ctx.time_remaining(), ..Call::by(CALLER) }
}

fn vm_ref(vm_id: &str) -> Result<VmRef, Fault> {
    if vm_id.is_empty() {
        let fault = Fault::field(Reason::FieldRequired, "vm_id", "is required");
        return Err(fault.fix("give the vm_id that CreateVm answered"));
    }
    one_vm(vm_id, "")
}

fn told<T, W>(result: Result<T, Fault>, write: impl FnOnce(T) -> W) -> ServiceResult<W> {
    result.map(|value| Response::new(write(value))).map_err(refused)
}

fn refused(fault: Fault) -> ConnectError {
    to_wire(words::their_fields(fault))
}

/// A response of the form `{success, state}`, successful in this phase.
macro_rules! in_phase {
    ($response:ident, $phase:pat) => {
        |vm: Vm| {
            let phase = vm.value.status.phase;
            let (success, state) = (matches!(phase, $phase), words::state(phase).into());
            theirs::$response { success, state, ..Default::default() }
        }
    };
}

impl VmService for MetaldDoor {
    async fn create_vm(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, theirs::CreateVmRequest>,
    ) -> ServiceResult<theirs::CreateVmResponse> {
        let new = config::new_vm(request.to_owned_message()).map_err(refused)?;
        told(self.vms.create(&call(&ctx), new).await, |vm| theirs::CreateVmResponse {
            vm_id: vm.value.meta.id.to_string(),
            state: words::state(vm.value.status.phase).into(),
            ..Default::default()
        })
    }

    async fn delete_vm(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, theirs::DeleteVmRequest>,
    ) -> ServiceResult<theirs::DeleteVmResponse> {
        // Theirs deleted a running VM with and without `force`.
        let vm = vm_ref(request.vm_id).map_err(refused)?;
        let removal = Removal { vm, etag: None, force: true, allow_missing: false };
        told(self.vms.delete(&call(&ctx), removal).await, |_| theirs::DeleteVmResponse {
            success: true,
            ..Default::default()
        })
    }

    async fn boot_vm(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, theirs::BootVmRequest>,
    ) -> ServiceResult<theirs::BootVmResponse> {
        let vm = vm_ref(request.vm_id).map_err(refused)?;
        told(self.power.boot(&call(&ctx), &vm).await, in_phase!(BootVmResponse, Phase::Running))
    }

    async fn shutdown_vm(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, theirs::ShutdownVmRequest>,
    ) -> ServiceResult<theirs::ShutdownVmResponse> {
        let seconds = i64::from(request.timeout_seconds).clamp(0, 3600);
        let timeout = (seconds > 0 && !request.force)
            .then(|| buffa_types::google::protobuf::Duration { seconds, ..Default::default() });
        let vm = vm_ref(request.vm_id).map_err(refused)?;
        let how = stop_how(request.force, timeout.as_ref()).map_err(refused)?;
        let stopped = self.power.shutdown(&call(&ctx), &vm, how).await;
        told(stopped, in_phase!(ShutdownVmResponse, Phase::Stopped | Phase::Created))
    }

    async fn pause_vm(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, theirs::PauseVmRequest>,
    ) -> ServiceResult<theirs::PauseVmResponse> {
        let vm = vm_ref(request.vm_id).map_err(refused)?;
        told(self.power.pause(&call(&ctx), &vm).await, in_phase!(PauseVmResponse, Phase::Paused))
    }

    async fn resume_vm(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, theirs::ResumeVmRequest>,
    ) -> ServiceResult<theirs::ResumeVmResponse> {
        let vm = vm_ref(request.vm_id).map_err(refused)?;
        told(self.power.resume(&call(&ctx), &vm).await, in_phase!(ResumeVmResponse, Phase::Running))
    }

    async fn reboot_vm(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, theirs::RebootVmRequest>,
    ) -> ServiceResult<theirs::RebootVmResponse> {
        let vm = vm_ref(request.vm_id).map_err(refused)?;
        let how = stop_how(request.force, None).map_err(refused)?;
        told(self.power.reboot(&call(&ctx), &vm, how).await, in_phase!(RebootVmResponse, Phase::Running))
    }

    async fn get_vm_info(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, theirs::GetVmInfoRequest>,
    ) -> ServiceResult<theirs::GetVmInfoResponse> {
        let vm = vm_ref(request.vm_id).map_err(refused)?;
        told(self.vms.get(&call(&ctx), &vm).await, |vm| words::all_about(&vm.value))
    }

    async fn list_vms(
        &self,
        ctx: RequestContext,
        request: ServiceRequest<'_, theirs::ListVmsRequest>,
    ) -> ServiceResult<theirs::ListVmsResponse> {
        told(self.page(&call(&ctx), request.to_owned_message()).await, |page| theirs::ListVmsResponse {
            total_count: i32::try_from(page.items.len()).unwrap_or(i32::MAX),
            vms: page.items.iter().map(|vm| words::in_list(&vm.value)).collect(),
            next_page_token: page.next_page_token,
            ..Default::default()
        })
    }
}

impl MetaldDoor {
    /// The next page that has a VM in one of the wanted states, or the last page.
    async fn page(&self, call: &Call, request: theirs::ListVmsRequest) -> Result<Page<Vm>, Fault> {
        let page_size = u32::try_from(request.page_size).ok().filter(|n| *n > 0).unwrap_or(PAGE);
        let mut query = ListQuery { page_size, page_token: request.page_token, ..ListQuery::default() };
        loop {
            let mut page = self.vms.list(call, &query).await?;
            if !request.state_filter.is_empty() {
                page.items.retain(|vm| request.state_filter.iter().any(|s| *s == words::state(vm.value.status.phase)));
            }
            if !page.items.is_empty() || page.next_page_token.is_empty() {
                return Ok(page);
            }
            query.page_token = page.next_page_token;
        }
    }
}

/// The JSON body as theirs meant it, where it is written otherwise: the documented call writes
/// `readonly` for `read_only`.
pub(crate) fn rewrite(path: &str, body: &Bytes) -> Option<Bytes> {
    const WRITTEN: &[u8] = b"\"readonly\"";
    if path != "/vmprovisioner.v1.VmService/CreateVm" || !body.windows(WRITTEN.len()).any(|w| w == WRITTEN) {
        return None;
    }
    let mut value: serde_json::Value = serde_json::from_slice(body).ok()?;
    for disk in value.pointer_mut("/config/storage")?.as_array_mut()? {
        let Some(disk) = disk.as_object_mut() else { continue };
        let known = disk.contains_key("read_only") || disk.contains_key("readOnly");
        if let Some(written) = disk.remove("readonly").filter(|_| !known) {
            disk.insert("read_only".to_owned(), written);
        }
    }
    serde_json::to_vec(&value).ok().map(Bytes::from)
}
