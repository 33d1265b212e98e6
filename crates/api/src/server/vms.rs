//! `weft.v1.VmService` over the ports `Vms`, `Power` and `Consoles`.

use super::call::{answer, changing, reading, stream};
use super::console;
use crate::asks::{change, mode, new_vm, one_vm, only_project, removal, stop_how, watch_query};
use crate::convert::vm::stored;
use crate::fault::to_wire;
use crate::proto::weft::v1::{self as wire, VmService};
use connectrpc::{InboundStream, RequestContext, ServiceRequest, ServiceResult, ServiceStream};
use std::sync::Arc;
use weft_ports::api::{Consoles, ListQuery, LogQuery, LogStart, Power, Vm, VmChange, Vms};

/// The adapter.
pub(super) struct VmDoor {
    pub(super) vms: Arc<dyn Vms>,
    pub(super) power: Arc<dyn Power>,
    pub(super) consoles: Arc<dyn Consoles>,
}

type Request<'a, M> = ServiceRequest<'a, M>;

/// A response that carries one VM.
macro_rules! with_vm {
    ($response:ident) => {
        |vm: Vm| wire::$response { vm: stored(&vm).into(), ..Default::default() }
    };
}

impl VmService for VmDoor {
    async fn create_vm(
        &self,
        ctx: RequestContext,
        request: Request<'_, wire::CreateVmRequest>,
    ) -> ServiceResult<wire::CreateVmResponse> {
        let mut request = request.to_owned_message();
        let id = std::mem::take(&mut request.request_id);
        let made = async {
            let call = changing(&ctx, id, &request)?;
            let mode = mode(&request);
            self.vms.create(&call, new_vm(request.vm.into_option().unwrap_or_default(), mode)?).await
        };
        answer(made.await, with_vm!(CreateVmResponse))
    }

    async fn get_vm(
        &self,
        ctx: RequestContext,
        request: Request<'_, wire::GetVmRequest>,
    ) -> ServiceResult<wire::GetVmResponse> {
        let vm = one_vm(request.vm, request.project).map_err(to_wire)?;
        answer(self.vms.get(&reading(&ctx), &vm).await, with_vm!(GetVmResponse))
    }

    async fn list_vms(
        &self,
        ctx: RequestContext,
        request: Request<'_, wire::ListVmsRequest>,
    ) -> ServiceResult<wire::ListVmsResponse> {
        let query = ListQuery {
            project: only_project(request.project).map_err(to_wire)?,
            filter: request.filter.to_owned(),
            page_size: request.page_size,
            page_token: request.page_token.to_owned(),
        };
        answer(self.vms.list(&reading(&ctx), &query).await, |page| wire::ListVmsResponse {
            vms: page.items.iter().map(stored).collect(),
            next_page_token: page.next_page_token,
            revision: page.revision.0,
            ..Default::default()
        })
    }

    async fn update_vm(
        &self,
        ctx: RequestContext,
        request: Request<'_, wire::UpdateVmRequest>,
    ) -> ServiceResult<wire::UpdateVmResponse> {
        let mut request = request.to_owned_message();
        let id = std::mem::take(&mut request.request_id);
        let changed = async {
            let call = changing(&ctx, id, &request)?;
            let change = change(self.vms.as_ref(), &call, request).await?;
            self.vms.update(&call, change).await
        };
        answer(changed.await, with_vm!(UpdateVmResponse))
    }

    async fn delete_vm(
        &self,
        ctx: RequestContext,
        request: Request<'_, wire::DeleteVmRequest>,
    ) -> ServiceResult<wire::DeleteVmResponse> {
        let mut request = request.to_owned_message();
        let id = std::mem::take(&mut request.request_id);
        let removed = async {
            let call = changing(&ctx, id, &request)?;
            self.vms.delete(&call, removal(&request)?).await
        };
        answer(removed.await, |vm| wire::DeleteVmResponse { vm: vm.as_ref().map(stored).into(), ..Default::default() })
    }

    async fn boot_vm(
        &self,
        ctx: RequestContext,
        request: Request<'_, wire::BootVmRequest>,
    ) -> ServiceResult<wire::BootVmResponse> {
        let mut request = request.to_owned_message();
        let id = std::mem::take(&mut request.request_id);
        let vm = one_vm(&request.vm, &request.project).map_err(to_wire)?;
        let call = changing(&ctx, id, &request).map_err(to_wire)?;
        answer(self.power.boot(&call, &vm).await, with_vm!(BootVmResponse))
    }

    async fn shutdown_vm(
        &self,
        ctx: RequestContext,
        request: Request<'_, wire::ShutdownVmRequest>,
    ) -> ServiceResult<wire::ShutdownVmResponse> {
        let mut request = request.to_owned_message();
        let id = std::mem::take(&mut request.request_id);
        let stopped = async {
            let vm = one_vm(&request.vm, &request.project)?;
            let how = stop_how(request.force, request.timeout.as_option())?;
            self.power.shutdown(&changing(&ctx, id, &request)?, &vm, how).await
        };
        answer(stopped.await, with_vm!(ShutdownVmResponse))
    }

    async fn pause_vm(
        &self,
        ctx: RequestContext,
        request: Request<'_, wire::PauseVmRequest>,
    ) -> ServiceResult<wire::PauseVmResponse> {
        let mut request = request.to_owned_message();
        let id = std::mem::take(&mut request.request_id);
        let vm = one_vm(&request.vm, &request.project).map_err(to_wire)?;
        let call = changing(&ctx, id, &request).map_err(to_wire)?;
        answer(self.power.pause(&call, &vm).await, with_vm!(PauseVmResponse))
    }

    async fn resume_vm(
        &self,
        ctx: RequestContext,
        request: Request<'_, wire::ResumeVmRequest>,
    ) -> ServiceResult<wire::ResumeVmResponse> {
        let mut request = request.to_owned_message();
        let id = std::mem::take(&mut request.request_id);
        let vm = one_vm(&request.vm, &request.project).map_err(to_wire)?;
        let call = changing(&ctx, id, &request).map_err(to_wire)?;
        answer(self.power.resume(&call, &vm).await, with_vm!(ResumeVmResponse))
    }

    async fn reboot_vm(
        &self,
        ctx: RequestContext,
        request: Request<'_, wire::RebootVmRequest>,
    ) -> ServiceResult<wire::RebootVmResponse> {
        let mut request = request.to_owned_message();
        let id = std::mem::take(&mut request.request_id);
        let rebooted = async {
            let vm = one_vm(&request.vm, &request.project)?;
            let how = stop_how(request.force, request.timeout.as_option())?;
            self.power.reboot(&changing(&ctx, id, &request)?, &vm, how).await
        };
        answer(rebooted.await, with_vm!(RebootVmResponse))
    }

    async fn watch_vms(
        &self,
        ctx: RequestContext,
        request: Request<'_, wire::WatchVmsRequest>,
    ) -> ServiceResult<ServiceStream<wire::WatchVmsResponse>> {
        let query = watch_query(request.project, request.vm, request.from_revision).map_err(to_wire)?;
        stream(self.vms.watch(&reading(&ctx), query).await, change_step)
    }

    async fn read_vm_log(
        &self,
        ctx: RequestContext,
        request: Request<'_, wire::ReadVmLogRequest>,
    ) -> ServiceResult<ServiceStream<wire::ReadVmLogResponse>> {
        use wire::read_vm_log_request::Start;
        let request = request.to_owned_message();
        let vm = one_vm(&request.vm, &request.project).map_err(to_wire)?;
        let start = match request.start {
            None => LogStart::Offset(0),
            Some(Start::Offset(offset)) => LogStart::Offset(offset),
            Some(Start::TailBytes(bytes)) => LogStart::Tail(bytes),
        };
        let query = LogQuery { start, follow: request.follow, max_bytes: request.max_bytes };
        let log = self.consoles.log(&reading(&ctx), &vm, query).await;
        stream(log, |chunk| wire::ReadVmLogResponse {
            offset: chunk.offset,
            data: chunk.bytes.into(),
            ..Default::default()
        })
    }

    async fn attach_vm_console(
        &self,
        ctx: RequestContext,
        requests: InboundStream<wire::AttachVmConsoleRequest>,
    ) -> ServiceResult<ServiceStream<wire::AttachVmConsoleResponse>> {
        let attached = async {
            let (vm, input) = console::open(requests).await?;
            self.consoles.attach(&reading(&ctx), &vm, input).await
        };
        stream(attached.await, |bytes| wire::AttachVmConsoleResponse { data: bytes.into(), ..Default::default() })
    }
}

fn change_step(step: VmChange) -> wire::WatchVmsResponse {
    use wire::watch_vms_response::Change;
    let (change, revision) = match step {
        VmChange::Set(vm) => (Change::from(stored(&vm)), vm.revision),
        VmChange::Removed { id, revision } => (Change::Removed(id.to_string()), revision),
        VmChange::Bookmark(revision) => (Change::from(wire::Bookmark::default()), revision),
    };
    wire::WatchVmsResponse { change: Some(change), revision: revision.0, ..Default::default() }
}
