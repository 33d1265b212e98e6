//! One VM as a page: what was asked, what is, how the last run ended.

use super::escapes::printable;
use super::table::{Cell, Table};
use super::units::{age, bytes, moment};
use super::vm::{NodeNames, View, accelerator, addresses, machine, node_name, restart};
use weft_domain::instance::{Condition, Exit, Running};
use weft_domain::spec::{
    Attachment, Device, DeviceKind, Disk, DiskFormat, DiskSource, Driver, Nic, Payload, Spec, Transport,
};
use weft_domain::{Instance, Time};

/// The width of the column of words before values.
const WORDS: usize = 13;

/// A page: words and values, with headings.
pub(crate) struct Sheet(String);

impl Sheet {
    pub(crate) fn new() -> Self {
        Self(String::new())
    }

    /// One word and its value; nothing where the value is empty.
    pub(crate) fn line(&mut self, word: &str, value: &str) {
        if !value.is_empty() {
            self.0 += &format!("{:<WORDS$}{value}\n", format!("{word}:"));
        }
    }

    /// A heading with lines under it; nothing where there are none.
    pub(crate) fn block(&mut self, head: &str, lines: &[String]) {
        if lines.is_empty() {
            return;
        }
        self.0 += &format!("{head}:\n");
        for line in lines {
            self.0 += &format!("  {}\n", line.trim_end());
        }
    }

    pub(crate) fn text(self) -> String {
        self.0
    }
}

/// One VM as a page.
pub(crate) fn vm(vm: &Instance, view: View<'_>) -> String {
    let mut sheet = Sheet::new();
    identity(vm, view, &mut sheet);
    spec(&vm.spec, &mut sheet);
    observed(vm, view, &mut sheet);
    sheet.text()
}

fn identity(vm: &Instance, view: View<'_>, sheet: &mut Sheet) {
    let meta = &vm.meta;
    let map = |map: &std::collections::BTreeMap<String, String>| {
        let all: Vec<_> = map.iter().map(|(key, value)| format!("{key}={value}")).collect();
        all.join(", ")
    };
    sheet.line("Name", meta.name.as_str());
    sheet.line("Id", &meta.id.to_string());
    sheet.line("Project", meta.project.as_str());
    sheet.line("Labels", &map(meta.labels.as_map()));
    sheet.line("Annotations", &map(meta.annotations.as_map()));
    sheet.line("Phase", &view.paint.phase(vm.status.phase));
    sheet.line("Node", &node(vm, view.nodes));
    sheet.line("Created", &ago(meta.create_time, view.now));
    if meta.update_time != meta.create_time {
        sheet.line("Updated", &ago(meta.update_time, view.now));
    }
    if let Some(deleted) = meta.delete_time {
        sheet.line("Deleted", &ago(deleted, view.now));
    }
    let seen = vm.status.observed_generation;
    let late = if seen < meta.generation { format!(", the node is at {seen}") } else { String::new() };
    sheet.line("Generation", &format!("{}{late}", meta.generation));
}

fn node(vm: &Instance, nodes: &NodeNames) -> String {
    let name = node_name(vm, nodes);
    if name.is_empty() { "none yet".to_owned() } else { name }
}

fn ago(at: Time, now: Time) -> String {
    format!("{} ({} ago)", moment(at), age(now.since(at)))
}

fn spec(spec: &Spec, sheet: &mut Sheet) {
    let max = if spec.cpu.max > spec.cpu.boot { format!(", up to {}", spec.cpu.max) } else { String::new() };
    sheet.line("CPUs", &format!("{}{max}", spec.cpu.boot));
    let hotplug = match spec.memory.hotplug_bytes {
        0 => String::new(),
        more => format!(", {} more can be plugged", bytes(more)),
    };
    sheet.line("Memory", &format!("{}{hotplug}", bytes(spec.memory.size_bytes)));
    let (boots, cmdline) = match &spec.payload {
        Payload::Kernel { kernel, initramfs, cmdline } => {
            let initramfs =
                initramfs.as_ref().map(|path| format!(", initramfs {}", path.display())).unwrap_or_default();
            (format!("kernel {}{initramfs}", kernel.display()), cmdline.as_str())
        }
        Payload::Firmware { firmware } => (format!("firmware {}", firmware.display()), ""),
        Payload::Image { name, cmdline } => (format!("image {name}"), cmdline.as_str()),
    };
    if let Some(balloon) = &spec.memory.balloon {
        sheet.line("Balloon", &bytes(balloon.size_bytes));
    }
    if let Some(vsock) = &spec.vsock {
        sheet.line("Vsock", &format!("context id {}", vsock.cid));
    }
    sheet.line("Boots", &boots);
    sheet.line("Cmdline", cmdline);
    let driver = match &spec.driver {
        Driver::Auto => "auto",
        Driver::Named(name) => name,
    };
    let (model, accel) = (machine(spec.machine), accelerator(spec.accelerator));
    sheet.line("Driver", &format!("{driver}, machine {model}, accelerator {accel}"));
    sheet.line("Restart", restart(spec.restart));
    sheet.block("Disks", &spec.disks.iter().map(disk).collect::<Vec<_>>());
    sheet.block("Interfaces", &spec.nics.iter().map(nic).collect::<Vec<_>>());
    sheet.block("Devices", &spec.devices.iter().map(device).collect::<Vec<_>>());
}

fn device(device: &Device) -> String {
    let what = match &device.kind {
        DeviceKind::Pmem { path, .. } => format!("persistent memory {}", path.display()),
        DeviceKind::Share { tag, socket, .. } => format!("share {tag}, served at {}", socket.display()),
        DeviceKind::Vdpa { path, .. } => format!("vdpa {}", path.display()),
        DeviceKind::Passthrough { path } => format!("passed through {}", path.display()),
        DeviceKind::VfioUser { socket } => format!("vfio-user {}", socket.display()),
        DeviceKind::VhostUser { socket, device_type, .. } => {
            format!("vhost-user {}, of type {device_type}", socket.display())
        }
    };
    format!("{:<8} {what}", device.name)
}

fn disk(disk: &Disk) -> String {
    let source = match &disk.source {
        DiskSource::Path(path) => path.display().to_string(),
        DiskSource::Blank { size_bytes } => format!("{} of its own", bytes(*size_bytes)),
        DiskSource::Volume(name) => format!("volume {name}"),
        DiskSource::Image(name) => format!("image {name}"),
        DiskSource::VhostUser { socket } => format!("vhost-user {}", socket.display()),
    };
    let format = match disk.format {
        DiskFormat::Raw => "raw",
        DiskFormat::Qcow2 => "qcow2",
    };
    let mut words = vec![source, format.to_owned()];
    words.extend(disk.root.then(|| "root".to_owned()));
    words.extend(disk.read_only.then(|| "read-only".to_owned()));
    words.extend(disk.serial.as_ref().map(|serial| format!("serial {serial}")));
    format!("{:<8} {}", disk.name, words.join(", "))
}

fn nic(nic: &Nic) -> String {
    let mut words = match &nic.attachment {
        Attachment::User { .. } => vec!["user".to_owned()],
        Attachment::Network(name) => vec![format!("network {name}")],
        Attachment::Tap(name) => vec![format!("tap {name}")],
        Attachment::Macvtap(name) => vec![format!("macvtap {name}")],
        Attachment::VhostUser { socket } => vec![format!("vhost-user {}", socket.display())],
    };
    words.extend(nic.mac.map(|mac| format!("mac {mac}")));
    words.extend(nic.ip.map(|ip| format!("ip {ip}")));
    if let Attachment::User { forwards } = &nic.attachment {
        words.extend(forwards.iter().map(|forward| {
            let transport = match forward.transport {
                Transport::Tcp => "tcp",
                Transport::Udp => "udp",
            };
            format!("{transport} 127.0.0.1:{} to {}", forward.host_port, forward.guest_port)
        }));
    }
    format!("{:<8} {}", nic.name, words.join(", "))
}

fn observed(vm: &Instance, view: View<'_>, sheet: &mut Sheet) {
    let status = &vm.status;
    if let Some(running) = &status.running {
        sheet.line("Process", &process(running, view.now));
        let jail = running.jail.map_or_else(|| "no".to_owned(), |uid| format!("as uid {uid}"));
        sheet.line("Jailed", &jail);
        if running.resets > 0 {
            sheet.line("Resets", &format!("{} by its guest", running.resets));
        }
    }
    sheet.line("Next boot", &next_boot(&status.restart_required));
    sheet.line("Addresses", &addresses(vm));
    if status.restarts > 0 {
        sheet.line("Restarts", &status.restarts.to_string());
    }
    sheet.block("Conditions", &conditions(&status.conditions, view));
    if let Some(exit) = &status.last_exit {
        sheet.block("Last exit", &last_exit(exit, view.now));
    }
}

fn next_boot(fields: &[String]) -> String {
    if fields.is_empty() { String::new() } else { format!("takes up {}", fields.join(", ")) }
}

fn process(running: &Running, now: Time) -> String {
    let Running { pid, driver, .. } = running;
    let (model, accel) = (machine(running.machine), accelerator(running.accelerator));
    format!("pid {pid}, {driver}, {model}, {accel}, for {}", age(now.since(running.start_time)))
}

fn conditions(conditions: &[Condition], view: View<'_>) -> Vec<String> {
    if conditions.is_empty() {
        return Vec::new();
    }
    let rows: Vec<Vec<Cell>> = conditions
        .iter()
        .map(|condition| {
            let holds = match condition.holds {
                Some(true) => "yes",
                Some(false) => "no",
                None => "unknown",
            };
            let since = age(view.now.since(condition.since));
            let (kind, reason) = (condition.kind.as_str(), condition.reason.as_str());
            vec![kind.into(), holds.into(), reason.into(), since.into(), printable(&condition.message).into()]
        })
        .collect();
    let table = Table::new(&["TYPE", "HOLDS", "REASON", "AGE", "MESSAGE"], view.paint);
    table.whole(&rows).lines().map(str::to_owned).collect()
}

fn last_exit(exit: &Exit, now: Time) -> Vec<String> {
    let mut lines = vec![format!("{}, {}: {}", exit.cause.as_str(), ago(exit.at, now), printable(&exit.message))];
    for (of, tail) in [("the VMM's log", &exit.log_tail), ("the console", &exit.console_tail)] {
        if !tail.is_empty() {
            lines.push(format!("the end of {of}:"));
            lines.extend(tail.iter().map(|line| format!("  | {}", printable(line))));
        }
    }
    lines
}
