//! From a specification to QEMU's command line: pure, so that it can be read and compared.
//!
//! Options go in QEMU's JSON form where it has one, where no text can break out of its field; elsewhere
//! commas are doubled. Nothing that was asked is left out: what cannot be said here is not among the
//! driver's features, and [`choice::refused`] names what cannot be had together.
//!
//! The machine pauses at a power-off and at a panic, so that the reason can be asked for later, also by
//! one who was not there; `pvpanic` is how a guest tells of a panic.

pub(super) mod choice;
pub(super) mod consoles;
pub(super) mod devices;
pub(super) mod disk;
pub(super) mod memory;
pub(super) mod nic;
pub(super) mod place;
pub(super) mod platform;

pub(super) use nic::addresses;
pub(super) use place::{Bus, Layout, Sort};

use super::Error;
use serde_json::json;
use std::ffi::OsString;
use std::path::Path;
use weft_domain::spec::{Accelerator, Machine, Spec, Topology};
use weft_ports::hypervisor::{Boot, Chosen, Order, Origin};

/// The number under which QEMU inherits the listening socket for QMP.
pub(super) const QMP_FD: i32 = 3;
/// The number under which it inherits the listening socket of the serial console.
pub(super) const SERIAL_FD: i32 = 4;
/// The number under which it inherits the listening socket of the virtio console.
pub(super) const CONSOLE_FD: i32 = 5;
/// The number under which it inherits the listening socket of the guest agent's channel.
pub(super) const AGENT_FD: i32 = 6;
/// The number of the first tap that it inherits.
pub(super) const TAP_FD: i32 = 16;

/// All that a command line is made from.
pub(super) struct Blueprint<'a> {
    /// What was ordered.
    pub(super) order: &'a Order,
    /// What was chosen where the order is free.
    pub(super) chosen: &'a Chosen,
    /// How fast the host's time stamp counter runs, in kHz.
    pub(super) tsc_khz: Option<u64>,
    /// Whether QEMU confines its own system calls.
    pub(super) sandbox: Sandbox,
    /// What each disk's path leads to, in the order of the disks.
    pub(super) media: &'a [Medium],
    /// The size of each persistent memory, in the order of the devices.
    pub(super) pmem_bytes: &'a [u64],
    /// The descriptors of each interface that is a tap, in the order of the interfaces.
    pub(super) taps: &'a [Vec<i32>],
    /// Where devices sit.
    pub(super) layout: &'a Layout,
    /// Whether the virtual CPUs wait for a word.
    pub(super) begin: Begin,
}

/// How a machine begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begin {
    /// Its virtual CPUs run at once.
    Running,
    /// They wait, for there is something to be set before.
    Held,
}

impl Begin {
    /// What this specification asks for.
    pub(super) fn of(spec: &Spec) -> Self {
        let limited = spec.disks.iter().any(|disk| disk.rate_limit.is_some() || disk.rate_limit_group.is_some());
        if limited { Self::Held } else { Self::Running }
    }
}

/// Whether QEMU confines its own system calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Sandbox {
    /// It does.
    On,
    /// It was built without, or the kernel refuses.
    Off,
}

/// What a disk's path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Medium {
    /// A file.
    File,
    /// A block device.
    Device,
}

/// The options that confine QEMU's system calls.
pub(super) const SANDBOX: &str = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny";

/// The whole command line, without the program.
pub(super) fn arguments(blueprint: &Blueprint<'_>) -> Result<Vec<OsString>, Error> {
    let (order, spec) = (blueprint.order, &blueprint.order.spec);
    let mut line = Line::default();
    line.flag("-nodefaults");
    line.flag("-no-user-config");
    line.option("-display", "none");
    line.option("-name", format!("guest=weft-{},debug-threads=on", order.name));
    line.option("-uuid", platform::uuid(blueprint, &order.instance.to_string()));
    if blueprint.sandbox == Sandbox::On {
        line.option("-sandbox", SANDBOX);
    }
    line.option("-action", "shutdown=pause,panic=pause,reboot=reset");
    begin(blueprint, &mut line);
    machine(blueprint, &mut line);
    processors(spec, &mut line);
    memory::add(blueprint, &mut line);
    boot(blueprint, &mut line)?;
    if let Some(platform) = &spec.platform {
        platform::smbios(platform, &mut line);
    }
    line.option("-chardev", format!("socket,id=qmp,fd={QMP_FD},server=on,wait=off"));
    line.option("-mon", "chardev=qmp,mode=control");
    consoles::serial(blueprint, &mut line)?;
    line.json("-device", &json!({"driver": "pvpanic"}));
    devices::add(blueprint, &mut line)?;
    Ok(line.0)
}

/// A command line that grows.
#[derive(Default)]
struct Line(Vec<OsString>);

impl Line {
    fn flag(&mut self, name: &str) {
        self.0.push(name.into());
    }

    fn option(&mut self, name: &str, value: impl Into<OsString>) {
        self.0.push(name.into());
        self.0.push(value.into());
    }

    fn json(&mut self, name: &str, value: &serde_json::Value) {
        self.option(name, value.to_string());
    }
}

/// A path as text.
fn text(path: &Path) -> Result<&str, Error> {
    path.to_str().ok_or_else(|| Error::PathText { path: path.to_owned() })
}

/// A path as text within a list of options, where a comma would begin the next.
fn escaped(path: &Path) -> Result<String, Error> {
    Ok(text(path)?.replace(',', ",,"))
}

/// A machine that goes on from another's state waits to be told where it comes from.
fn begin(blueprint: &Blueprint<'_>, line: &mut Line) {
    match (&blueprint.order.origin, blueprint.begin) {
        (Origin::Boot, Begin::Running) => {}
        (Origin::Boot, Begin::Held) => line.flag("-S"),
        (Origin::Snapshot(_), _) if blueprint.layout.tag.is_some() => line.flag("-S"),
        (Origin::Snapshot(_) | Origin::Incoming(_), _) => line.option("-incoming", "defer"),
    }
}

fn machine(blueprint: &Blueprint<'_>, line: &mut Line) {
    let chosen = blueprint.chosen;
    let model = match chosen.machine {
        Machine::Microvm => "microvm,x-option-roms=off,rtc=on",
        Machine::Pc => "pc",
        Machine::Q35 | Machine::Auto => "q35",
    };
    let (accelerator, processor) = match chosen.accelerator {
        Accelerator::Kvm => ("kvm", "host"),
        Accelerator::Tcg | Accelerator::Auto => ("tcg", "max"),
    };
    // Without this word all memory may be merged, whatever its backend says.
    let merge = if blueprint.order.spec.memory.mergeable { "on" } else { "off" };
    let backend = if blueprint.order.spec.numa.is_empty() { ",memory-backend=ram" } else { "" };
    line.option("-machine", format!("{model}{backend},mem-merge={merge}"));
    line.option("-accel", accelerator);
    line.option("-cpu", processor);
}

fn processors(spec: &Spec, line: &mut Line) {
    let (boot, max) = (spec.cpu.boot, spec.cpu.max);
    let shape = spec.cpu.topology.map_or_else(
        // One package: what most guests expect of a small machine.
        || format!(",sockets=1,cores={max},threads=1"),
        |Topology { threads_per_core, cores_per_die, dies_per_package, packages }| {
            let dies = if dies_per_package > 1 { format!(",dies={dies_per_package}") } else { String::new() };
            format!(",sockets={packages}{dies},cores={cores_per_die},threads={threads_per_core}")
        },
    );
    line.option("-smp", format!("cpus={boot},maxcpus={max}{shape}"));
}

fn boot(blueprint: &Blueprint<'_>, line: &mut Line) -> Result<(), Error> {
    match &blueprint.order.boot {
        Boot::Kernel { kernel, initramfs, cmdline } => {
            line.option("-kernel", text(kernel)?);
            if let Some(initramfs) = initramfs {
                line.option("-initrd", initrd(initramfs)?);
            }
            line.option(
                "-append",
                format!("{cmdline}{}{}", clock_hint(blueprint, cmdline), bus_hint(blueprint, cmdline)),
            );
        }
        Boot::Firmware { firmware } => line.option("-bios", text(firmware)?),
    }
    Ok(())
}

/// For a multiboot kernel QEMU takes a list here: what follows a comma would be another file, and what
/// follows a space its arguments.
fn initrd(path: &Path) -> Result<&str, Error> {
    let text = text(path)?;
    if text.contains([',', ' ']) {
        let why = format!("leads to {text}, in which QEMU takes a comma or space for the end of the path");
        return Err(choice::unserved("vm.spec.payload.initramfs", &why));
    }
    Ok(text)
}

/// How fast the guest's time stamp counter runs, said to a kernel that cannot find out.
///
/// A microvm in software has no timer that Linux would compare the counter with: without this word it
/// hangs at its start more often than not. With KVM the hypervisor tells it.
fn clock_hint(blueprint: &Blueprint<'_>, cmdline: &str) -> String {
    let alone = choice::lacks_a_clock(blueprint.chosen.machine, blueprint.chosen.accelerator);
    let said = cmdline.split_whitespace().any(|word| word.starts_with("tsc_early_khz="));
    match blueprint.tsc_khz {
        Some(khz) if alone && !said => format!(" tsc_early_khz={khz}"),
        Some(_) | None => String::new(),
    }
}

/// A microvm has no PCI; a kernel that is not told looks for it and complains on the console.
fn bus_hint(blueprint: &Blueprint<'_>, cmdline: &str) -> &'static str {
    let said = cmdline.split_whitespace().any(|word| word.starts_with("pci="));
    if blueprint.chosen.machine == Machine::Microvm && !said { " pci=off" } else { "" }
}

#[cfg(test)]
mod tests;
