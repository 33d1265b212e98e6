//! Which flag sets which field: a refusal of a field is then read by people who typed flags.

use weft_domain::Fault;

/// Adds the flags to the fields of a refusal.
pub(crate) fn name(fault: &mut Fault) {
    for violation in &mut fault.violations {
        if let Some(flag) = of(&violation.field) {
            violation.field += &format!(" ({flag})");
        }
    }
}

/// The flag that sets a field of the specification.
fn of(field: &str) -> Option<&'static str> {
    const FLAGS: [(&str, &str); 32] = [
        ("vm.spec.cpu.max", "--max-cpus"),
        ("vm.spec.cpu", "--cpus"),
        ("vm.spec.memory.size_bytes", "--memory"),
        ("vm.spec.memory.hotplug_bytes", "--hotplug-memory"),
        ("vm.spec.memory.shared", "--shared-memory"),
        ("vm.spec.vsock", "--vsock"),
        ("vm.spec.payload.kernel", "--kernel"),
        ("vm.spec.payload.initramfs", "--initramfs"),
        ("vm.spec.payload.cmdline", "--cmdline"),
        ("vm.spec.payload.firmware", "--firmware"),
        ("vm.spec.payload.image", "--image"),
        ("vm.spec.disks", "--disk"),
        ("vm.spec.nics", "--nic"),
        ("vm.spec.driver", "--driver"),
        ("vm.spec.machine", "--machine"),
        ("vm.spec.accelerator", "--accel"),
        ("vm.spec.restart", "--restart"),
        ("vm.labels", "--label"),
        ("disk.path", "--path"),
        ("disk.blank.size_bytes", "--size"),
        ("disk.serial", "--serial"),
        ("size_bytes", "--size"),
        ("nic.tap", "--tap"),
        ("vsock.cid", "--cid"),
        ("cpus", "--cpus"),
        ("memory_bytes", "--memory"),
        ("balloon_bytes", "--balloon"),
        ("snapshot.parent", "--parent"),
        ("scope.vms", "--vm"),
        ("scope.labels", "--label"),
        ("scope.start_time", "--from"),
        ("scope.end_time", "--to"),
    ];
    let ends = |rest: &str| rest.is_empty() || rest.starts_with(['.', '[']);
    FLAGS.into_iter().find(|(path, _)| field.strip_prefix(path).is_some_and(ends)).map(|(_, flag)| flag)
}
