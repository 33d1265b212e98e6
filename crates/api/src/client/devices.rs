//! `Devices` from afar.

use super::vms::{id, vm_of};
use super::{Client, missing, named, options};
use crate::convert::spec::part;
use crate::convert::vm::read_stored;
use crate::fault::from_wire;
use crate::proto::weft::v1 as wire;
use weft_domain::Fault;
use weft_ports::api::{Alter, Call, Devices, Vm, VmRef};
use weft_ports::hypervisor::Counters;

/// A verb that alters, with its own field where it has one.
macro_rules! alters {
    ($self:ident, $call:ident, $vm:ident, $verb:ident, $request:ident $(, $field:ident : $value:expr)*) => {{
        let (vm, project) = named($vm);
        let request = wire::$request { vm, project, $($field: $value,)* request_id: id($call), ..Default::default() };
        vm_of!($self.vms.$verb(request, options($call)))
    }};
}

#[async_trait::async_trait]
impl Devices for Client {
    async fn alter(&self, call: &Call, vm: &VmRef, alter: Alter) -> Result<Vm, Fault> {
        match alter {
            Alter::AttachDisk(disk) => {
                let disk = part::write_disk(&disk).into();
                alters!(self, call, vm, attach_disk_with_options, AttachDiskRequest, disk: disk)
            }
            Alter::DetachDisk(name) => {
                alters!(self, call, vm, detach_disk_with_options, DetachDiskRequest, disk: name)
            }
            Alter::ResizeDisk(name, size_bytes) => {
                alters!(self, call, vm, resize_disk_with_options, ResizeDiskRequest, disk: name, size_bytes: size_bytes)
            }
            Alter::AttachNic(nic) => {
                let nic = part::write_nic(&nic).into();
                alters!(self, call, vm, attach_nic_with_options, AttachNicRequest, nic: nic)
            }
            Alter::DetachNic(name) => alters!(self, call, vm, detach_nic_with_options, DetachNicRequest, nic: name),
            Alter::AttachDevice(device) => {
                let device = part::write_device(&device).into();
                alters!(self, call, vm, attach_device_with_options, AttachDeviceRequest, device: device)
            }
            Alter::DetachDevice(name) => {
                alters!(self, call, vm, detach_device_with_options, DetachDeviceRequest, device: name)
            }
            Alter::AttachVsock(vsock) => {
                let vsock = part::write_vsock(vsock).into();
                alters!(self, call, vm, attach_vsock_with_options, AttachVsockRequest, vsock: vsock)
            }
            Alter::DetachVsock => alters!(self, call, vm, detach_vsock_with_options, DetachVsockRequest),
            Alter::Resize { cpus, memory_bytes, balloon_bytes } => alters!(
                self, call, vm, resize_vm_with_options, ResizeVmRequest,
                cpus: cpus, memory_bytes: memory_bytes, balloon_bytes: balloon_bytes
            ),
        }
    }

    async fn counters(&self, call: &Call, vm: &VmRef) -> Result<Counters, Fault> {
        let (vm, project) = named(vm);
        let request = wire::GetVmCountersRequest { vm, project, ..Default::default() };
        let answer = self.vms.get_vm_counters_with_options(request, options(call)).await;
        let devices = answer.map_err(|e| from_wire(&e))?.into_owned().devices;
        Ok(devices.into_iter().map(|(name, device)| (name, device.counters)).collect())
    }

    async fn nmi(&self, call: &Call, vm: &VmRef) -> Result<Vm, Fault> {
        alters!(self, call, vm, send_nmi_with_options, SendNmiRequest)
    }
}
