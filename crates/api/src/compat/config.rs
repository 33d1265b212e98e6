//! Their configuration of a VM, read into ours.

use crate::convert::Found;
use crate::proto::vmprovisioner::v1 as theirs;
use std::collections::BTreeMap;
use std::path::PathBuf;
use weft_domain::Name;
use weft_domain::spec::{Attachment, Cpu, Disk, DiskFormat, DiskSource, Draft, Machine, Memory, Nic, Payload};
use weft_domain::{Fault, Labels, Reason};
use weft_ports::api::{CreateMode, NewVm};

/// The annotation that keeps their customer id.
pub(super) const CUSTOMER: &str = "metald/customer-id";

/// The VM that they ask for.
pub(super) fn new_vm(request: theirs::CreateVmRequest) -> Result<NewVm, Fault> {
    let mut found = Found::default();
    let Some(config) = request.config.into_option() else {
        let fault = Fault::field(Reason::FieldRequired, "config", "is required");
        return Err(fault.fix("say what the VM is made of: cpu, memory, boot and storage"));
    };
    let mut kept = config.metadata.clone();
    if !request.customer_id.is_empty() {
        kept.insert(CUSTOMER.to_owned(), request.customer_id);
    }
    let annotations = found.annotations(kept, "config.metadata");
    let draft = draft(config, &mut found);
    let spec = if found.is_empty() { draft.check().map_err(|all| found.extend(all)).ok() } else { None };
    found.done()?;
    let spec = spec.ok_or_else(|| Fault::internal("the spec was refused unsaid"))?;
    Ok(NewVm {
        project: Name::default_project(),
        // Their id becomes the name where it can be one, so that it finds the VM again.
        name: request.vm_id.parse().ok(),
        labels: Labels::default(),
        annotations,
        spec,
        mode: CreateMode::Create,
    })
}

fn draft(config: theirs::VmConfig, found: &mut Found) -> Draft {
    let boot = config.boot.into_option().unwrap_or_else(|| {
        found.add("config.boot", "is required");
        theirs::BootConfig { kernel_path: "/".to_owned(), ..Default::default() }
    });
    let no_pci = boot.kernel_args.split_whitespace().any(|word| word == "pci=off");
    let disks = disks(config.storage, found);
    Draft {
        machine: if no_pci { Machine::Microvm } else { Machine::Auto },
        cpu: cpu(config.cpu.as_option(), found),
        memory: memory(config.memory.as_option(), found),
        payload: Payload::Kernel {
            kernel: boot.kernel_path.into(),
            initramfs: (!boot.initrd_path.is_empty()).then(|| PathBuf::from(boot.initrd_path)),
            cmdline: with_root(boot.kernel_args, &disks),
        },
        disks,
        nics: config.network.into_iter().enumerate().map(|(i, n)| nic(n, i, found)).collect(),
        ..Draft::default()
    }
}

/// Their VMM told the kernel where its root is; ours does not, so the command line must.
fn with_root(args: String, disks: &[Disk]) -> String {
    let root = disks.iter().zip('a'..='z').find(|(disk, _)| disk.root);
    match root {
        Some((disk, letter)) if !args.split_whitespace().any(|word| word.starts_with("root=")) => {
            let access = if disk.read_only { "ro" } else { "rw" };
            format!("{args} root=/dev/vd{letter} {access}").trim_start().to_owned()
        }
        _ => args,
    }
}

fn cpu(cpu: Option<&theirs::CpuConfig>, found: &mut Found) -> Cpu {
    let Some(cpu) = cpu else {
        found.add("config.cpu", "is required");
        return Cpu::default();
    };
    let count = u32::try_from(cpu.vcpu_count).unwrap_or(0);
    if count == 0 {
        found.add("config.cpu.vcpu_count", "must be more than 0");
    }
    if cpu.max_vcpu_count != 0 && cpu.max_vcpu_count < cpu.vcpu_count {
        found.add("config.cpu.max_vcpu_count", "must not be less than vcpu_count");
    }
    Cpu { boot: count, max: count, ..Cpu::default() }
}

fn memory(memory: Option<&theirs::MemoryConfig>, found: &mut Found) -> Memory {
    let Some(memory) = memory else {
        found.add("config.memory", "is required");
        return Memory::default();
    };
    let size_bytes = u64::try_from(memory.size_bytes).unwrap_or(0);
    if size_bytes == 0 {
        found.add("config.memory.size_bytes", "must be more than 0");
    }
    Memory { size_bytes, ..Memory::default() }
}

fn disks(storage: Vec<theirs::StorageDevice>, found: &mut Found) -> Vec<Disk> {
    if storage.is_empty() {
        found.add("config.storage", "needs one of the disks to be the root");
    }
    let marked = storage.iter().any(|disk| disk.is_root_device);
    let disk = |(i, disk): (usize, theirs::StorageDevice)| Disk {
        format: format(&disk.options),
        read_only: disk.read_only,
        root: if marked { disk.is_root_device } else { i == 0 },
        ..Disk::new(name_or(&disk.id, || format!("disk{i}")), DiskSource::Path(disk.path.into()))
    };
    storage.into_iter().enumerate().map(disk).collect()
}

fn format(options: &BTreeMap<String, String>) -> DiskFormat {
    if options.get("format").is_some_and(|f| f == "qcow2") { DiskFormat::Qcow2 } else { DiskFormat::Raw }
}

/// Their name where it can be one of ours.
fn name_or(theirs: &str, ours: impl FnOnce() -> String) -> String {
    if theirs.parse::<Name>().is_ok() { theirs.to_owned() } else { ours() }
}

fn nic(nic: theirs::NetworkInterface, index: usize, found: &mut Found) -> Nic {
    let attachment = if nic.tap_device.is_empty() {
        Attachment::User { forwards: Vec::new() }
    } else {
        Attachment::Tap(nic.tap_device)
    };
    Nic {
        mac: found.parse_some(&nic.mac_address, &format!("config.network[{index}].mac_address")),
        ..Nic::new(name_or(&nic.id, || format!("nic{index}")), attachment)
    }
}
