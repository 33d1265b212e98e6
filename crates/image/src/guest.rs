//! The default guest: BusyBox, the kernel's modules, and five short scripts.
//!
//! ```text
//!  init     modules, host name, then a root disk where the command line names one, else:
//!  inittab  start once, a shell on the serial port
//!  start    power button, network by DHCP, "weft-guest: ready <host name> <address>"
//!  network  what a lease changes        power  what the power button does
//! ```
//!
//! Always holds: the same parts give the same bytes. The archive is not compressed: it is small, and an
//! emulated processor unpacks slowly.

use crate::cpio::Archive;
use crate::modules::Module;

/// BusyBox as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Busybox {
    /// Its version: `1.35.0`.
    pub(crate) version: String,
    /// The program.
    pub(crate) bytes: Vec<u8>,
    /// The names it can be called by.
    pub(crate) applets: Vec<String>,
}

/// Applets that the scripts call.
pub(crate) const APPLETS: [&str; 24] = [
    "acpid",
    "cat",
    "findfs",
    "hostname",
    "init",
    "insmod",
    "ip",
    "kill",
    "mkdir",
    "mount",
    "poweroff",
    "reboot",
    "sh",
    "sleep",
    "switch_root",
    "sync",
    "udhcpc",
    "umount",
    "usleep",
    "ls",
    "ps",
    "dmesg",
    "vi",
    "wget",
];
/// The scripts, which are part of what names an image on the shelf.
pub(crate) const SCRIPTS: [&str; 5] = [
    include_str!("../guest/init"),
    include_str!("../guest/start"),
    include_str!("../guest/network"),
    include_str!("../guest/power"),
    include_str!("../guest/inittab"),
];
/// The serial port that the console is on.
pub(crate) const CONSOLE: &str = if cfg!(target_arch = "aarch64") { "ttyAMA0" } else { "ttyS0" };

const DIRECTORIES: [&str; 17] = [
    "bin",
    "sbin",
    "dev",
    "proc",
    "sys",
    "root",
    "run",
    "tmp",
    "mnt",
    "var",
    "etc",
    "etc/acpi",
    "etc/acpi/PWRF",
    "lib",
    "lib/modules",
    "usr",
    "usr/bin",
];

/// The initial RAM file system.
pub(crate) fn initramfs(busybox: &Busybox, modules: &[Module]) -> Vec<u8> {
    let [init, start, network, power, inittab] = SCRIPTS;
    let mut archive = Archive::default();
    for directory in DIRECTORIES {
        archive.directory(directory);
    }
    archive.device("dev/console", (5, 1));
    archive.program("bin/busybox", &busybox.bytes);
    for applet in busybox.applets.iter().filter(|applet| *applet != "busybox") {
        archive.link(&format!("bin/{applet}"), "busybox");
    }
    for program in ["init", "reboot", "poweroff", "halt"] {
        archive.link(&format!("sbin/{program}"), "/bin/busybox");
    }
    archive.program("init", init.as_bytes());
    archive.program("etc/start", start.as_bytes());
    archive.program("etc/network", network.as_bytes());
    archive.program("etc/acpi/PWRF/00000080", power.as_bytes());
    archive.plain("etc/inittab", inittab.replace("@CONSOLE@", CONSOLE).as_bytes());
    archive.plain("etc/passwd", b"root::0:0:root:/root:/bin/sh\n");
    archive.plain("etc/group", b"root:x:0:\n");
    let mut order = String::new();
    for module in modules {
        archive.plain(&format!("lib/modules/{}.ko", module.name), &module.bytes);
        order.push_str(&format!("{}.ko\n", module.name));
    }
    archive.plain("lib/modules/order", order.as_bytes());
    archive.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(archive: &[u8], text: &str) -> bool {
        archive.windows(text.len()).any(|window| window == text.as_bytes())
    }

    #[test]
    fn it_holds_what_it_boots_by() {
        let applets = vec!["busybox".to_owned(), "sh".to_owned()];
        let busybox = Busybox { version: "1".into(), bytes: b"BUSYBOX".to_vec(), applets };
        let module = Module { name: "virtio_blk".into(), bytes: b"MODULE".to_vec() };
        let archive = initramfs(&busybox, &[module]);
        for part in ["BUSYBOX", "MODULE", "virtio_blk.ko\n", "weft-guest: ready", "bin/sh\0", "etc/acpi/PWRF/00000080"]
        {
            assert!(found(&archive, part), "{part}");
        }
        assert!(!found(&archive, "@CONSOLE@"));
    }
}
