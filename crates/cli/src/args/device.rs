//! What is plugged into VMs and resized, as it is typed.

use super::terms::WaitArgs;
use super::value;
use clap::{Args, ValueEnum};
use std::net::IpAddr;
use std::path::PathBuf;
use weft_domain::spec::{DiskFormat, Mac};

/// One VM, and how the verb is waited for.
#[derive(Debug, Clone, Args)]
pub struct OneArgs {
    /// Its name or id
    pub vm: String,
    /// How it is waited for.
    #[command(flatten)]
    pub wait: WaitArgs,
}

/// How a disk's bytes are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DiskForm {
    /// Byte by byte
    Raw,
    /// QEMU's copy-on-write format
    Qcow2,
}

impl From<DiskForm> for DiskFormat {
    fn from(form: DiskForm) -> Self {
        match form {
            DiskForm::Raw => Self::Raw,
            DiskForm::Qcow2 => Self::Qcow2,
        }
    }
}

/// `attach-disk`.
#[derive(Debug, Clone, Args)]
#[command(group = clap::ArgGroup::new("source").required(true))]
pub struct AttachDiskArgs {
    /// Which VM.
    #[command(flatten)]
    pub one: OneArgs,
    /// A file or block device that exists; weft never deletes it
    #[arg(long, value_name = "FILE", group = "source")]
    pub path: Option<PathBuf>,
    /// A new, empty disk of this size, such as 10G; it goes with the VM
    #[arg(long, value_name = "SIZE", value_parser = value::bytes, group = "source")]
    pub size: Option<u64>,
    /// Its name in the VM [default: the first free one of disk0, disk1 and so on]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The guest cannot write
    #[arg(long)]
    pub read_only: bool,
    /// How its bytes are laid out
    #[arg(long, value_enum, default_value_t = DiskForm::Raw)]
    pub format: DiskForm,
    /// Past the host's page cache
    #[arg(long)]
    pub direct: bool,
    /// The serial number that the guest sees
    #[arg(long, value_name = "TEXT")]
    pub serial: Option<String>,
}

/// `detach-disk`.
#[derive(Debug, Clone, Args)]
pub struct DetachDiskArgs {
    /// Which VM.
    #[command(flatten)]
    pub one: OneArgs,
    /// The disk's name in the VM
    pub disk: String,
}

/// `resize-disk`.
#[derive(Debug, Clone, Args)]
pub struct ResizeDiskArgs {
    /// Which VM.
    #[command(flatten)]
    pub one: OneArgs,
    /// The disk's name in the VM
    pub disk: String,
    /// Its new size, such as 20G; not less than it has
    #[arg(long, value_name = "SIZE", value_parser = value::bytes)]
    pub size: u64,
}

/// `attach-nic`.
#[derive(Debug, Clone, Args)]
#[command(group = clap::ArgGroup::new("attachment"))]
pub struct AttachNicArgs {
    /// Which VM.
    #[command(flatten)]
    pub one: OneArgs,
    /// A network, by name [default: a private network inside the VMM]
    #[arg(long, value_name = "NAME", group = "attachment")]
    pub network: Option<String>,
    /// A tap device of the host
    #[arg(long, value_name = "DEVICE", group = "attachment")]
    pub tap: Option<String>,
    /// A macvtap device of the host
    #[arg(long, value_name = "DEVICE", group = "attachment")]
    pub macvtap: Option<String>,
    /// Its name in the VM [default: the first free one of nic0, nic1 and so on]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Its hardware address [default: made from the VM's id]
    #[arg(long, value_name = "MAC")]
    pub mac: Option<Mac>,
    /// The address that the guest should have
    #[arg(long, value_name = "ADDRESS")]
    pub ip: Option<IpAddr>,
    /// The largest packet in bytes [default: the network's own]
    #[arg(long, value_name = "BYTES")]
    pub mtu: Option<u32>,
}

/// `detach-nic`.
#[derive(Debug, Clone, Args)]
pub struct DetachNicArgs {
    /// Which VM.
    #[command(flatten)]
    pub one: OneArgs,
    /// The interface's name in the VM
    pub nic: String,
}

/// `attach-device`.
#[derive(Debug, Clone, Args)]
#[command(group = clap::ArgGroup::new("kind").required(true))]
pub struct AttachDeviceArgs {
    /// Which VM.
    #[command(flatten)]
    pub one: OneArgs,
    /// Persistent memory that is backed by this file
    #[arg(long, value_name = "FILE", group = "kind")]
    pub pmem: Option<PathBuf>,
    /// A folder of the host, by the Unix socket of the virtio-fs daemon that serves it
    #[arg(long, value_name = "SOCKET", group = "kind", requires = "tag")]
    pub share: Option<PathBuf>,
    /// The name by which the guest mounts the folder
    #[arg(long, value_name = "TEXT", requires = "share")]
    pub tag: Option<String>,
    /// A vDPA device of the host, such as /dev/vhost-vdpa-0
    #[arg(long, value_name = "DEVICE", group = "kind")]
    pub vdpa: Option<PathBuf>,
    /// A PCI device of the host, by its folder in sysfs
    #[arg(long, value_name = "FOLDER", group = "kind")]
    pub passthrough: Option<PathBuf>,
    /// A PCI device that another process plays, by its Unix socket
    #[arg(long, value_name = "SOCKET", group = "kind")]
    pub vfio_user: Option<PathBuf>,
    /// Its name in the VM [default: the first free one of device0, device1 and so on]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// What the guest writes does not reach the file
    #[arg(long, requires = "pmem")]
    pub read_only: bool,
}

/// `detach-device`.
#[derive(Debug, Clone, Args)]
pub struct DetachDeviceArgs {
    /// Which VM.
    #[command(flatten)]
    pub one: OneArgs,
    /// The device's name in the VM
    pub device: String,
}

/// `attach-vsock`.
#[derive(Debug, Clone, Args)]
pub struct AttachVsockArgs {
    /// Which VM.
    #[command(flatten)]
    pub one: OneArgs,
    /// Its context id, 3 or more
    #[arg(long, value_name = "N")]
    pub cid: u32,
}

/// `resize`.
#[derive(Debug, Clone, Args)]
#[command(group = clap::ArgGroup::new("part").required(true).multiple(true))]
pub struct ResizeArgs {
    /// Which VM.
    #[command(flatten)]
    pub one: OneArgs,
    /// Virtual CPUs
    #[arg(long, value_name = "N", group = "part")]
    pub cpus: Option<u32>,
    /// Memory, such as 512M or 2GiB
    #[arg(long, value_name = "SIZE", value_parser = value::bytes, group = "part")]
    pub memory: Option<u64>,
    /// What the balloon takes from the guest, such as 128M or 0B
    #[arg(long, value_name = "SIZE", value_parser = value::bytes, group = "part")]
    pub balloon: Option<u64>,
}
