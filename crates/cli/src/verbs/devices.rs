//! What is plugged into VMs and resized; counters and interrupts.

use super::outcome::show;
use super::{BRIEF, USUAL};
use crate::Error;
use crate::args::device::{AttachDeviceArgs, AttachDiskArgs, AttachNicArgs, AttachVsockArgs, OneArgs, ResizeArgs};
use crate::desk::{Desk, Shape};
use crate::files;
use crate::progress::{Waited, wait};
use crate::show::counters;
use std::sync::Arc;
use weft_domain::instance::Status;
use weft_domain::spec::{Attachment, Device, DeviceKind, Disk, DiskSource, Nic, Vsock};
use weft_domain::{Fault, Instance, Reason};
use weft_ports::api::{Alter, Call, Vm};
use weft_ports::documents::Item;

/// `attach-disk`.
pub(crate) fn disk(args: AttachDiskArgs, desk: &Desk) -> (OneArgs, Alter) {
    let folder = &desk.terminal.folder;
    let source = match (args.path, args.size) {
        (Some(path), _) => DiskSource::Path(files::absolute(folder, path)),
        // The command line has one of them.
        (None, size) => DiskSource::Blank { size_bytes: size.unwrap_or(0) },
    };
    let mut disk = Disk::new(args.name.unwrap_or_default(), source);
    disk.read_only = args.read_only;
    disk.format = args.format.into();
    disk.direct = args.direct;
    disk.serial = args.serial;
    (args.one, Alter::AttachDisk(disk))
}

/// `attach-nic`.
pub(crate) fn nic(args: AttachNicArgs) -> (OneArgs, Alter) {
    let named = args.network.map(Attachment::Network);
    let named = named.or(args.tap.map(Attachment::Tap)).or(args.macvtap.map(Attachment::Macvtap));
    let attachment = named.unwrap_or(Attachment::User { forwards: Vec::new() });
    let mut nic = Nic::new(args.name.unwrap_or_default(), attachment);
    nic.mac = args.mac;
    nic.ip = args.ip;
    nic.mtu = args.mtu.unwrap_or(0);
    (args.one, Alter::AttachNic(nic))
}

/// `attach-device`.
pub(crate) fn device(args: AttachDeviceArgs, desk: &Desk) -> (OneArgs, Alter) {
    let absolute = |path| files::absolute(&desk.terminal.folder, path);
    let kind = if let Some(path) = args.pmem {
        let (path, read_only) = (absolute(path), args.read_only);
        DeviceKind::Pmem { path, size_bytes: 0, read_only, root: false, rate_limit: None }
    } else if let Some(socket) = args.share {
        let (tag, socket) = (args.tag.unwrap_or_default(), absolute(socket));
        DeviceKind::Share { tag, socket, queues: 0, queue_size: 0 }
    } else if let Some(path) = args.vdpa {
        DeviceKind::Vdpa { path: absolute(path), queues: 0 }
    } else if let Some(path) = args.passthrough {
        DeviceKind::Passthrough { path: absolute(path) }
    } else {
        // The command line has one of them.
        DeviceKind::VfioUser { socket: absolute(args.vfio_user.unwrap_or_default()) }
    };
    let device = Device { name: args.name.unwrap_or_default(), kind, pci_segment: 0, iommu: false };
    (args.one, Alter::AttachDevice(device))
}

/// `attach-vsock`.
pub(crate) fn vsock(args: AttachVsockArgs) -> (OneArgs, Alter) {
    (args.one, Alter::AttachVsock(Vsock { cid: args.cid, pci_segment: 0, iommu: false }))
}

/// `resize`.
pub(crate) fn resize(args: ResizeArgs) -> (OneArgs, Alter) {
    let (cpus, memory_bytes, balloon_bytes) = (args.cpus, args.memory, args.balloon);
    (args.one, Alter::Resize { cpus, memory_bytes, balloon_bytes })
}

/// Alters one VM, and tells what waits for its next boot.
pub(crate) async fn alter(desk: &mut Desk, (one, alter): (OneArgs, Alter)) -> Result<(), Error> {
    let vm = desk.vm(&one.vm)?;
    let usual = if one.wait.no_wait { BRIEF } else { USUAL };
    let call = Call { request_id: one.wait.request_id, ..desk.call(Some(usual)) };
    let waited = Waited {
        title: format!("changing {}", one.vm),
        vm: Some(vm.clone()),
        follow: format!("weft vm watch {}", one.vm),
    };
    let devices = Arc::clone(&desk.services.devices);
    let altered = wait(desk, waited, async move { devices.alter(&call, &vm, alter).await }).await;
    let altered = altered.map_err(Error::with_flags)?;
    if !one.wait.no_wait {
        judge(&altered.value)?;
    }
    told(desk, &altered)
}

/// That the running machine has taken the change up, as far as it can.
pub(crate) fn judge(vm: &Instance) -> Result<(), Error> {
    let Status { phase, running, conditions, .. } = &vm.status;
    if running.as_ref().is_none_or(|running| running.applied_generation >= vm.meta.generation) {
        return Ok(());
    }
    let failed = conditions.iter().find(|one| one.kind == "StepSucceeded" && one.holds == Some(false));
    match failed {
        Some(failed) => {
            let fault = Fault::new(Reason::ChangeRefused, failed.message.clone());
            Err(fault.fix("undo the change, or reboot the VM so that it takes it up").into())
        }
        None => Err(Error::NotYet {
            name: vm.meta.name.to_string(),
            phase: *phase,
            wanted: "changed".to_owned(),
            message: None,
        }),
    }
}

/// Shows a VM that was changed, with what waits for its next boot.
pub(crate) fn told(desk: &mut Desk, vm: &Vm) -> Result<(), Error> {
    show(desk, std::slice::from_ref(vm), Shape::One, |vm| format!("VM {} is changed", vm.meta.name))?;
    let waiting = &vm.value.status.restart_required;
    if !waiting.is_empty() {
        let name = &vm.value.meta.name;
        desk.remark(&format!("what waits for its next boot: {}", waiting.join(", ")));
        desk.hint(&format!("boot it anew: weft vm shutdown {name} && weft vm boot {name}"));
    }
    Ok(())
}

/// `counters`.
pub(crate) async fn count(desk: &mut Desk, word: &str) -> Result<(), Error> {
    let (vm, call, devices) = (desk.vm(word)?, desk.call(Some(USUAL)), Arc::clone(&desk.services.devices));
    let waited = Waited { title: format!("asking for {word}"), vm: None, follow: String::new() };
    let found = wait(desk, waited, async move { devices.counters(&call, &vm).await }).await?;
    let text = match desk.form() {
        Some(form) => desk.written(&[Item::Counters(&found)], Shape::One, form),
        None => counters(&found, desk.paint()),
    };
    desk.answer(&text)
}

/// `nmi`.
pub(crate) async fn nmi(desk: &mut Desk, one: OneArgs) -> Result<(), Error> {
    let vm = desk.vm(&one.vm)?;
    let call = Call { request_id: one.wait.request_id, ..desk.call(Some(USUAL)) };
    let waited = Waited { title: format!("interrupting {}", one.vm), vm: None, follow: String::new() };
    let devices = Arc::clone(&desk.services.devices);
    let vm = wait(desk, waited, async move { devices.nmi(&call, &vm).await }).await?;
    show(desk, &[vm], Shape::One, |vm| format!("the guest of VM {} was interrupted", vm.meta.name))
}
