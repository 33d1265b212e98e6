//! Our answers in their words.

use super::config::CUSTOMER;
use crate::proto::vmprovisioner::v1 as theirs;
use std::collections::BTreeMap;
use std::path::Path;
use weft_domain::spec::{Attachment, Disk, DiskSource, Draft, Nic, Payload};
use weft_domain::{Fault, Instance, Phase, Time};

/// Their state of a phase. What they have no word for is the nearest that is true.
pub(super) const fn state(phase: Phase) -> theirs::VmState {
    match phase {
        Phase::Pending | Phase::Creating | Phase::Created | Phase::Starting => theirs::VmState::VM_STATE_CREATED,
        Phase::Running | Phase::Stopping | Phase::Migrating => theirs::VmState::VM_STATE_RUNNING,
        Phase::Paused => theirs::VmState::VM_STATE_PAUSED,
        Phase::Stopped | Phase::Failed | Phase::Deleting => theirs::VmState::VM_STATE_SHUTDOWN,
        Phase::Lost => theirs::VmState::VM_STATE_UNSPECIFIED,
    }
}

/// A refusal that names their fields.
pub(super) fn their_fields(mut fault: Fault) -> Fault {
    const FIELDS: [(&str, &str); 9] = [
        ("vm.spec.cpu.boot", "config.cpu.vcpu_count"),
        ("vm.spec.cpu.max", "config.cpu.vcpu_count"),
        ("vm.spec.memory", "config.memory"),
        ("vm.spec.payload.kernel", "config.boot.kernel_path"),
        ("vm.spec.payload.initramfs", "config.boot.initrd_path"),
        ("vm.spec.payload.cmdline", "config.boot.kernel_args"),
        ("vm.spec.disks", "config.storage"),
        ("vm.spec.nics", "config.network"),
        ("vm.name", "vm_id"),
    ];
    let theirs = |field: &str| {
        if field == "vm" {
            return Some("vm_id".to_owned());
        }
        let found = FIELDS.iter().find_map(|(ours, theirs)| Some((theirs, field.strip_prefix(ours)?)));
        found.map(|(theirs, rest)| format!("{theirs}{rest}"))
    };
    for violation in &mut fault.violations {
        let Some(named) = theirs(&violation.field) else { continue };
        fault.message = fault.message.replacen(&violation.field, &named, 1);
        violation.field = named;
    }
    fault
}

/// All about one VM.
pub(super) fn all_about(vm: &Instance) -> theirs::GetVmInfoResponse {
    let mut backend_info = BTreeMap::from([("phase".to_owned(), vm.status.phase.as_str().to_owned())]);
    if let Some(running) = &vm.status.running {
        backend_info.insert("driver".to_owned(), running.driver.clone());
        backend_info.insert("pid".to_owned(), running.pid.to_string());
    }
    theirs::GetVmInfoResponse {
        vm_id: vm.meta.id.to_string(),
        config: config(vm).into(),
        state: state(vm.status.phase).into(),
        backend_info,
        network_info: network(vm).into(),
        ..Default::default()
    }
}

/// A VM in a list.
pub(super) fn in_list(vm: &Instance) -> theirs::VmInfo {
    let seconds = |time: Time| time.as_nanos().div_euclid(1_000_000_000);
    theirs::VmInfo {
        vm_id: vm.meta.id.to_string(),
        state: state(vm.status.phase).into(),
        vcpu_count: signed(vm.spec.cpu.boot),
        memory_size_bytes: i64::try_from(vm.spec.memory.size_bytes).unwrap_or(i64::MAX),
        created_timestamp: seconds(vm.meta.create_time),
        modified_timestamp: seconds(vm.meta.update_time),
        metadata: metadata(vm),
        customer_id: vm.meta.annotations.as_map().get(CUSTOMER).cloned().unwrap_or_default(),
        ..Default::default()
    }
}

fn signed(n: u32) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

fn metadata(vm: &Instance) -> BTreeMap<String, String> {
    let mut kept = vm.meta.annotations.as_map().clone();
    kept.remove(CUSTOMER);
    kept
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn config(vm: &Instance) -> theirs::VmConfig {
    let spec: &Draft = &vm.spec;
    let memory = i64::try_from(spec.memory.size_bytes).unwrap_or(i64::MAX);
    theirs::VmConfig {
        cpu: theirs::CpuConfig {
            vcpu_count: signed(spec.cpu.boot),
            max_vcpu_count: signed(spec.cpu.max),
            ..Default::default()
        }
        .into(),
        memory: theirs::MemoryConfig { size_bytes: memory, ..Default::default() }.into(),
        boot: boot(&spec.payload).into(),
        storage: spec.disks.iter().map(disk).collect(),
        network: spec.nics.iter().map(nic).collect(),
        metadata: metadata(vm),
        ..Default::default()
    }
}

fn boot(payload: &Payload) -> theirs::BootConfig {
    match payload {
        Payload::Kernel { kernel, initramfs, cmdline } => theirs::BootConfig {
            kernel_path: text(kernel),
            initrd_path: initramfs.as_deref().map(text).unwrap_or_default(),
            kernel_args: cmdline.clone(),
            ..Default::default()
        },
        Payload::Image { name, cmdline } => theirs::BootConfig {
            kernel_args: cmdline.clone(),
            boot_options: BTreeMap::from([("image".to_owned(), name.clone())]),
            ..Default::default()
        },
        Payload::Firmware { firmware } => theirs::BootConfig {
            boot_options: BTreeMap::from([("firmware".to_owned(), text(firmware))]),
            ..Default::default()
        },
    }
}

fn disk(disk: &Disk) -> theirs::StorageDevice {
    let path = match &disk.source {
        DiskSource::Path(path) => text(path),
        DiskSource::VhostUser { socket } => text(socket),
        DiskSource::Blank { .. } | DiskSource::Volume(_) | DiskSource::Image(_) => String::new(),
    };
    theirs::StorageDevice {
        id: disk.name.clone(),
        path,
        read_only: disk.read_only,
        is_root_device: disk.root,
        interface_type: "virtio-blk".to_owned(),
        ..Default::default()
    }
}

fn nic(nic: &Nic) -> theirs::NetworkInterface {
    theirs::NetworkInterface {
        id: nic.name.clone(),
        mac_address: nic.mac.map(|m| m.to_string()).unwrap_or_default(),
        tap_device: tap(nic),
        interface_type: "virtio-net".to_owned(),
        ..Default::default()
    }
}

fn tap(nic: &Nic) -> String {
    match &nic.attachment {
        Attachment::Tap(name) => name.clone(),
        Attachment::User { .. } | Attachment::Network(_) | Attachment::Macvtap(_) | Attachment::VhostUser { .. } => {
            String::new()
        }
    }
}

fn network(vm: &Instance) -> Option<theirs::VmNetworkInfo> {
    let nic = vm.spec.nics.first()?;
    Some(theirs::VmNetworkInfo {
        ip_address: vm.status.addresses.first().map(ToString::to_string).unwrap_or_default(),
        mac_address: nic.mac.map(|m| m.to_string()).unwrap_or_default(),
        tap_device: tap(nic),
        ..Default::default()
    })
}
