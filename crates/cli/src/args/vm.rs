//! Commands about VMs.

use super::device::{
    AttachDeviceArgs, AttachDiskArgs, AttachNicArgs, AttachVsockArgs, DetachDeviceArgs, DetachDiskArgs, DetachNicArgs,
    OneArgs, ResizeArgs, ResizeDiskArgs,
};
use super::terms::WaitArgs;
use super::value::{self, Escape, Goal, LabelEdit, Tail};
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;
use weft_domain::spec::{self, Disk, Nic};
use weft_domain::{Name, spec::RestartPolicy};

/// Commands about VMs.
#[derive(Debug, Clone, Subcommand)]
pub enum VmCommand {
    /// Make a VM; with nothing but a name it gets weft's default kernel and root
    #[command(after_help = CREATE_EXAMPLES)]
    Create(CreateArgs),
    /// Make a VM and boot it
    Run(RunArgs),
    /// List VMs
    #[command(visible_alias = "ls")]
    List(ListArgs),
    /// Describe VMs: what was asked, what is, how the last run ended
    #[command(visible_alias = "describe")]
    Get(NamesArgs),
    /// Change a VM; what it cannot take up while it runs waits for its next boot
    Update(UpdateArgs),
    /// Add a disk, while the VM runs where its driver can
    AttachDisk(AttachDiskArgs),
    /// Take a disk away that weft did not make
    DetachDisk(DetachDiskArgs),
    /// Make a disk longer that weft made
    ResizeDisk(ResizeDiskArgs),
    /// Add an interface
    AttachNic(AttachNicArgs),
    /// Take an interface away
    DetachNic(DetachNicArgs),
    /// Add a further device: persistent memory, a shared folder, a device of the host
    AttachDevice(AttachDeviceArgs),
    /// Take a further device away
    DetachDevice(DetachDeviceArgs),
    /// Give a VM a vsock
    AttachVsock(AttachVsockArgs),
    /// Take a VM's vsock away
    DetachVsock(OneArgs),
    /// Give a VM other numbers of CPUs and bytes of memory
    Resize(ResizeArgs),
    /// Print the counters of a running VM's devices
    Counters {
        /// Its name or id
        vm: String,
    },
    /// Interrupt the guest of a running VM in a way that it cannot mask
    Nmi(OneArgs),
    /// Run VMs
    #[command(visible_alias = "start")]
    Boot(PowerArgs),
    /// Stop VMs: the guest is asked, and ended when its time is up
    #[command(visible_alias = "stop")]
    Shutdown(StopArgs),
    /// Hold the virtual CPUs of VMs
    Pause(PowerArgs),
    /// Let paused VMs go on
    Resume(PowerArgs),
    /// Start the guests of running VMs anew
    Reboot(StopArgs),
    /// Remove VMs and what weft made for them; disks given by path are never touched
    #[command(visible_alias = "rm")]
    Delete(DeleteArgs),
    /// Print what a guest wrote to its serial console
    Logs(LogsArgs),
    /// Be at a VM's serial console
    Console(ConsoleArgs),
    /// Wait until a VM is in a phase, a condition holds, or it is gone
    #[command(after_help = "Waits 10m where --timeout does not say otherwise.")]
    Wait(WaitForArgs),
    /// Show changes of VMs as they come
    Watch(WatchArgs),
}

const CREATE_EXAMPLES: &str = "Examples:
  weft vm create demo
  weft vm create web --boot --cpus 2 --memory 1G --disk size=10G --nic user,forward=tcp:8081:80
  weft vm create old --kernel ./vmlinux --initramfs ./initrd.gz --cmdline 'console=ttyS0'
  weft vm create -f vm.yaml";

/// What the new VM should be.
#[derive(Debug, Clone, Args)]
pub struct SpecArgs {
    /// Virtual CPUs [default: 1]
    #[arg(long, value_name = "N")]
    pub cpus: Option<u32>,
    /// Memory, such as 512M or 2GiB [default: 256M]
    #[arg(long, value_name = "SIZE", value_parser = value::bytes)]
    pub memory: Option<u64>,
    /// The image that boots, by name [default: default]
    #[arg(long, value_name = "NAME", conflicts_with_all = ["kernel", "firmware"])]
    pub image: Option<String>,
    /// The kernel that boots
    #[arg(long, value_name = "PATH")]
    pub kernel: Option<PathBuf>,
    /// The initial RAM file system
    #[arg(long, value_name = "PATH", requires = "kernel")]
    pub initramfs: Option<PathBuf>,
    /// The kernel's command line, or words added to the image's own
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true, conflicts_with = "firmware")]
    pub cmdline: Option<String>,
    /// The firmware that boots
    #[arg(long, value_name = "PATH", conflicts_with = "kernel")]
    pub firmware: Option<PathBuf>,
    /// A disk: path=FILE or size=SIZE, with format=raw|qcow2, ro, root, direct, name=, serial=, queues=
    #[arg(long = "disk", value_name = "DISK", value_parser = value::disk)]
    pub disks: Vec<Disk>,
    /// An interface: user[,forward=tcp:HOST:GUEST], network=NAME, tap=DEVICE or macvtap=DEVICE, with
    /// mac=, ip=, mtu=, name= [default: user]
    #[arg(long = "nic", value_name = "NIC", value_parser = value::nic)]
    pub nics: Vec<Nic>,
    /// No interface at all
    #[arg(long, conflicts_with = "nics")]
    pub no_nic: bool,
    /// The guest's vsock, by its context id, 3 or more [default: none]
    #[arg(long, value_name = "CID")]
    pub vsock: Option<u32>,
    /// Memory that can be plugged while it runs, such as 2G [default: none]
    #[arg(long, value_name = "SIZE", value_parser = value::bytes)]
    pub hotplug_memory: Option<u64>,
    /// The most virtual CPUs that can be plugged while it runs [default: --cpus]
    #[arg(long, value_name = "N")]
    pub max_cpus: Option<u32>,
    /// Memory that is shared with other processes; vhost-user devices need it
    #[arg(long)]
    pub shared_memory: bool,
    /// The driver that runs it [default: auto]
    #[arg(long, value_name = "NAME")]
    pub driver: Option<String>,
    /// The machine model [default: auto]
    #[arg(long, value_enum)]
    pub machine: Option<Machine>,
    /// What executes guest code [default: auto]
    #[arg(long, value_enum)]
    pub accel: Option<Accel>,
    /// What happens after an exit that nobody asked for [default: never]
    #[arg(long, value_enum, value_name = "POLICY")]
    pub restart: Option<Restart>,
}

/// Which VM is made, and on which terms.
#[derive(Debug, Clone, Args)]
pub struct NewArgs {
    /// Its name; made from its id where none is given
    #[arg(value_name = "NAME", value_parser = value::name)]
    pub name: Option<Name>,
    /// What it should be.
    #[command(flatten)]
    pub spec: SpecArgs,
    /// A label, as key=value; repeat for more
    #[arg(long = "label", short = 'l', value_name = "KEY=VALUE", value_parser = value::label)]
    pub labels: Vec<(String, String)>,
    /// Take the VMs from a manifest, YAML or JSON; - reads standard input
    #[arg(short, long, value_name = "FILE", conflicts_with_all = [
        "cpus", "memory", "image", "kernel", "initramfs", "cmdline", "firmware", "disks", "nics", "no_nic", "driver",
        "machine", "accel", "restart", "labels", "vsock", "hotplug_memory", "max_cpus", "shared_memory",
    ])]
    pub file: Option<PathBuf>,
    /// Makes a repetition safe: the same id gets the first answer
    #[arg(long, value_name = "ID", value_parser = value::request_id)]
    pub request_id: Option<String>,
    /// Check everything and make nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `create`.
#[derive(Debug, Clone, Args)]
pub struct CreateArgs {
    /// Which VM.
    #[command(flatten)]
    pub new: NewArgs,
    /// Boot it as well
    #[arg(long, conflicts_with = "dry_run")]
    pub boot: bool,
    /// Do not wait until it is made
    #[arg(long)]
    pub no_wait: bool,
}

/// `run`.
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// Which VM.
    #[command(flatten)]
    pub new: NewArgs,
    /// Then be at its console
    #[arg(long, conflicts_with = "dry_run")]
    pub console: bool,
    /// The key that leaves the console, such as ^] or ^A; `none` for no key
    #[arg(long, value_name = "KEY", default_value = "^]", value_parser = value::escape)]
    pub escape: Escape,
}

/// `list`.
#[derive(Debug, Clone, Args)]
pub struct ListArgs {
    /// VMs of all projects
    #[arg(short = 'A', long)]
    pub all_projects: bool,
    /// Only VMs that this filter fits, such as 'phase = RUNNING'
    #[arg(long, value_name = "FILTER", default_value = "", hide_default_value = true)]
    pub filter: String,
    /// Then show changes as they come
    #[arg(short, long, conflicts_with = "filter")]
    pub watch: bool,
}

/// Some VMs.
#[derive(Debug, Clone, Args)]
pub struct NamesArgs {
    /// Names or ids
    #[arg(required = true, value_name = "VM")]
    pub vms: Vec<String>,
}

/// Some VMs, and how the verb is waited for.
#[derive(Debug, Clone, Args)]
pub struct PowerArgs {
    /// Which.
    #[command(flatten)]
    pub names: NamesArgs,
    /// How it is waited for.
    #[command(flatten)]
    pub wait: WaitArgs,
}

/// `shutdown` and `reboot`.
#[derive(Debug, Clone, Args)]
pub struct StopArgs {
    /// Which.
    #[command(flatten)]
    pub names: NamesArgs,
    /// Do not ask the guest: end it at once
    #[arg(long)]
    pub force: bool,
    /// How long the guest is given
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = value::duration, conflicts_with = "force")]
    pub grace: Duration,
    /// How it is waited for.
    #[command(flatten)]
    pub wait: WaitArgs,
}

/// `delete`.
#[derive(Debug, Clone, Args)]
pub struct DeleteArgs {
    /// Which.
    #[command(flatten)]
    pub names: NamesArgs,
    /// Even while it runs
    #[arg(long)]
    pub force: bool,
    /// Absence is success
    #[arg(long)]
    pub ignore_missing: bool,
    /// How it is waited for.
    #[command(flatten)]
    pub wait: WaitArgs,
}

/// `update`.
#[derive(Debug, Clone, Args)]
#[command(group = clap::ArgGroup::new("change").required(true).multiple(true))]
pub struct UpdateArgs {
    /// Its name or id
    pub vm: String,
    /// Set a label with key=value, take one away with key-; repeat for more
    #[arg(long = "label", short = 'l', value_name = "EDIT", value_parser = value::label_edit, group = "change")]
    pub labels: Vec<LabelEdit>,
    /// Virtual CPUs
    #[arg(long, value_name = "N", group = "change")]
    pub cpus: Option<u32>,
    /// Memory, such as 512M or 2GiB
    #[arg(long, value_name = "SIZE", value_parser = value::bytes, group = "change")]
    pub memory: Option<u64>,
    /// What happens after an exit that nobody asked for
    #[arg(long, value_enum, value_name = "POLICY", group = "change")]
    pub restart: Option<Restart>,
    /// Check everything and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `logs`.
#[derive(Debug, Clone, Args)]
pub struct LogsArgs {
    /// Its name or id
    pub vm: String,
    /// Go on as the guest writes
    #[arg(short, long)]
    pub follow: bool,
    /// Only the last so many lines, or bytes where a unit is given, such as 64K
    #[arg(long, value_name = "N", value_parser = value::tail)]
    pub tail: Option<Tail>,
    /// From this byte, counted from the first that the guest ever wrote
    #[arg(long, value_name = "BYTE", conflicts_with = "tail")]
    pub offset: Option<u64>,
}

/// `console`.
#[derive(Debug, Clone, Args)]
pub struct ConsoleArgs {
    /// Its name or id
    pub vm: String,
    /// The key that leaves, such as ^] or ^A; `none` for no key
    #[arg(long, value_name = "KEY", default_value = "^]", value_parser = value::escape)]
    pub escape: Escape,
    /// How long the guest may be silent after the end of piped input before it is left
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = value::duration)]
    pub linger: Duration,
}

/// `watch`.
#[derive(Debug, Clone, Args)]
pub struct WatchArgs {
    /// Its name or id; all VMs of the project where none is given
    pub vm: Option<String>,
    /// VMs of all projects
    #[arg(short = 'A', long, conflicts_with = "vm")]
    pub all_projects: bool,
}

/// `wait`.
#[derive(Debug, Clone, Args)]
pub struct WaitForArgs {
    /// Its name or id
    pub vm: String,
    /// A phase such as RUNNING, a condition such as Ready, or gone
    #[arg(long = "for", value_name = "GOAL", default_value = "RUNNING", value_parser = value::goal)]
    pub goal: Goal,
}

macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident => $domain:ty { $($(#[$each:meta])* $variant:ident,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
        pub enum $name { $($(#[$each])* $variant,)* }
        impl From<$name> for $domain {
            fn from(value: $name) -> Self { match value { $($name::$variant => Self::$variant,)* } }
        }
    )*};
}

choices! {
    /// Machine models.
    Machine => spec::Machine {
        /// The driver's choice
        Auto,
        /// Minimal, without PCI
        Microvm,
        /// A classic PC
        Pc,
        /// A PC with PCI Express
        Q35,
    }
    /// What executes guest code.
    Accel => spec::Accelerator {
        /// KVM where it truly works, software otherwise
        Auto,
        /// KVM
        Kvm,
        /// Software translation
        Tcg,
    }
    /// Restart policies.
    Restart => RestartPolicy {
        /// It stays down
        Never,
        /// It runs again unless the guest powered itself off
        OnFailure,
        /// It runs again
        Always,
    }
}
