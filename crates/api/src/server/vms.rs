//! `weft.v1.VmService` over the ports `Vms`, `Power`, `Devices` and `Consoles`.

use super::call::{answer, changing, reading, stream};
use super::console;
use crate::asks::{alter, change, mode, new_vm, one_vm, only_project, removal, stop_how, vm_ref, watch_query};
use crate::convert::Found;
use crate::convert::vm::stored;
use crate::fault::to_wire;
use crate::proto::weft::v1::{self as wire, VmService};
use connectrpc::{InboundStream, RequestContext, ServiceRequest, ServiceResult, ServiceStream};
use std::sync::Arc;
use weft_ports::api::{Alter, Consoles, Devices, ListQuery, LogQuery, LogStart, Power, Vm, VmChange, Vms};

/// The adapter.
pub(super) struct VmDoor {
    pub(super) vms: Arc<dyn Vms>,
    pub(super) power: Arc<dyn Power>,
    pub(super) devices: Arc<dyn Devices>,
    pub(super) consoles: Arc<dyn Consoles>,
}

type Request<'a, M> = ServiceRequest<'a, M>;

/// A response that carries one VM.
macro_rules! with_vm {
    ($response:ident) => {
        |vm: Vm| wire::$response { vm: stored(&vm).into(), ..Default::default() }
    };
}

/// A verb that alters a VM: what it asks is read from its request, the rest is the same for all.
macro_rules! altering {
    ($verb:ident, $request:ident, $response:ident, |$asked:ident, $found:ident| $alter:expr) => {
        async fn $verb(
            &self,
            ctx: RequestContext,
            request: Request<'_, wire::$request>,
        ) -> ServiceResult<wire::$response> {
            let mut $asked = request.to_owned_message();
            let id = std::mem::take(&mut $asked.request_id);
            let altered = async {
                let call = changing(&ctx, id, &$asked)?;
                let mut $found = Found::default();
                let vm = vm_ref(&$asked.vm, &$asked.project, &mut $found);
                let alter = $alter;
                $found.done()?;
                self.devices.alter(&call, &vm, alter).await
            };
            answer(altered.await, with_vm!($response))
        }
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

    altering!(attach_disk, AttachDiskRequest, AttachDiskResponse, |asked, found| {
        alter::attach_disk(asked.disk.into_option(), &mut found)
    });
    altering!(detach_disk, DetachDiskRequest, DetachDiskResponse, |asked, found| {
        Alter::DetachDisk(alter::name(&asked.disk, "disk", &mut found))
    });
    altering!(resize_disk, ResizeDiskRequest, ResizeDiskResponse, |asked, found| {
        Alter::ResizeDisk(alter::name(&asked.disk, "disk", &mut found), asked.size_bytes)
    });
    altering!(attach_nic, AttachNicRequest, AttachNicResponse, |asked, found| {
        alter::attach_nic(asked.nic.into_option(), &mut found)
    });
    altering!(detach_nic, DetachNicRequest, DetachNicResponse, |asked, found| {
        Alter::DetachNic(alter::name(&asked.nic, "nic", &mut found))
    });
    altering!(attach_device, AttachDeviceRequest, AttachDeviceResponse, |asked, found| {
        alter::attach_device(asked.device.into_option(), &mut found)
    });
    altering!(detach_device, DetachDeviceRequest, DetachDeviceResponse, |asked, found| {
        Alter::DetachDevice(alter::name(&asked.device, "device", &mut found))
    });
    altering!(attach_vsock, AttachVsockRequest, AttachVsockResponse, |asked, found| {
        alter::attach_vsock(asked.vsock.into_option(), &mut found)
    });
    altering!(detach_vsock, DetachVsockRequest, DetachVsockResponse, |asked, found| Alter::DetachVsock);
    altering!(resize_vm, ResizeVmRequest, ResizeVmResponse, |asked, found| alter::resize(&asked, &mut found));

    async fn send_nmi(
        &self,
        ctx: RequestContext,
        request: Request<'_, wire::SendNmiRequest>,
    ) -> ServiceResult<wire::SendNmiResponse> {
        let mut request = request.to_owned_message();
        let id = std::mem::take(&mut request.request_id);
        let vm = one_vm(&request.vm, &request.project).map_err(to_wire)?;
        let call = changing(&ctx, id, &request).map_err(to_wire)?;
        answer(self.devices.nmi(&call, &vm).await, with_vm!(SendNmiResponse))
    }

    async fn get_vm_counters(
        &self,
        ctx: RequestContext,
        request: Request<'_, wire::GetVmCountersRequest>,
    ) -> ServiceResult<wire::GetVmCountersResponse> {
        let vm = one_vm(request.vm, request.project).map_err(to_wire)?;
        answer(self.devices.counters(&reading(&ctx), &vm).await, |counters| wire::GetVmCountersResponse {
            devices: counters
                .into_iter()
                .map(|(name, counters)| (name, wire::DeviceCounters { counters, ..Default::default() }))
                .collect(),
            ..Default::default()
        })
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
