//! What the demo and the tests need of the machine, and how to get it.
//!
//! One table says which program comes from which package. What is there is left
//! alone; what is missing is installed with apt where that is possible (as root,
//! or by `sudo -n`), and otherwise named with the one command that gets it.

use crate::shell;
use crate::tree::Tree;
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// One thing that must be there.
struct Need {
    /// The program that shows that it is there.
    program: &'static str,
    form: Form,
    /// Debian's and Ubuntu's package.
    package: &'static str,
    used_for: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Any,
    /// It goes into a guest that has no libraries.
    Static,
}

/// The table. Firecracker and Cloud Hypervisor are in no package: tests use them
/// where they are installed and say `skipped` where not.
const NEEDS: &[Need] = &[
    Need { program: QEMU, form: Form::Any, package: QEMU_PACKAGE, used_for: "running virtual machines" },
    Need { program: "qemu-img", form: Form::Any, package: "qemu-utils", used_for: "making and reading disk images" },
    Need {
        program: "busybox",
        form: Form::Static,
        package: "busybox-static",
        used_for: "the userland of small guests",
    },
    Need {
        program: "mke2fs",
        form: Form::Any,
        package: "e2fsprogs",
        used_for: "making file systems without mounting them",
    },
];

#[cfg(target_arch = "aarch64")]
const QEMU: &str = "qemu-system-aarch64";
#[cfg(target_arch = "aarch64")]
const QEMU_PACKAGE: &str = "qemu-system-arm";
#[cfg(not(target_arch = "aarch64"))]
const QEMU: &str = "qemu-system-x86_64";
#[cfg(not(target_arch = "aarch64"))]
const QEMU_PACKAGE: &str = "qemu-system-x86";

/// Where apt keeps the lists of what can be had.
const APT_LISTS: &str = "/var/lib/apt/lists";

/// Makes sure that all is there.
pub(crate) fn ensure() -> Result<()> {
    let missing = missing();
    let apt = shell::find_program("apt-get").is_some();
    if missing.is_empty() && !(apt && lists_are_empty(Path::new(APT_LISTS))) {
        println!("setup: everything needed is installed");
        return Ok(());
    }
    let Some(privilege) = apt.then(Privilege::find).flatten() else {
        return if missing.is_empty() { Ok(()) } else { bail!("{}", explain(&missing)) };
    };
    install(&missing, privilege)
}

/// The parts of the toolchain that checks need and a minimal installation lacks.
pub(crate) fn ensure_components(tree: &Tree) -> Result<()> {
    let absent: Vec<&str> = [("rustfmt", "fmt"), ("clippy", "clippy")]
        .into_iter()
        .filter(|(_, command)| !shell::succeeds(tree.cargo().args([command, "--version"])))
        .map(|(component, _)| component)
        .collect();
    if absent.is_empty() {
        return Ok(());
    }
    if shell::find_program("rustup").is_none() {
        bail!("cargo lacks {}: install them the way Rust was installed", absent.join(" and "));
    }
    shell::say_and_run(tree.command("rustup").args(["component", "add"]).args(absent))
}

fn missing() -> Vec<&'static Need> {
    NEEDS.iter().filter(|need| !is_there(need)).collect()
}

fn is_there(need: &Need) -> bool {
    match (shell::find_program(need.program), need.form) {
        (None, _) => false,
        (Some(_), Form::Any) => true,
        (Some(path), Form::Static) => is_static(&path),
    }
}

/// Whether a program names no dynamic loader.
fn is_static(path: &PathBuf) -> bool {
    std::fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"\x7fELF") && !names_loader(&bytes))
}

/// Looks for a program header of type `PT_INTERP` in a 64-bit little-endian ELF file.
fn names_loader(elf: &[u8]) -> bool {
    const INTERPRETER: u32 = 3;
    let word = |at: usize| Some(u16::from_le_bytes(elf.get(at..at + 2)?.try_into().ok()?));
    let table = elf.get(32..40).and_then(|bytes| Some(u64::from_le_bytes(bytes.try_into().ok()?)));
    let (Some(table), Some(size), Some(count)) = (table, word(54), word(56)) else { return true };
    (0..u64::from(count)).any(|index| {
        let at = usize::try_from(table.saturating_add(index * u64::from(size))).unwrap_or(usize::MAX);
        let end = at.saturating_add(4);
        elf.get(at..end).is_none_or(|kind| kind == INTERPRETER.to_le_bytes())
    })
}

/// What is missing, what for, and the command that gets it.
fn explain(missing: &[&Need]) -> String {
    let mut text = String::from("missing on this machine:\n");
    for need in missing {
        let form = if need.form == Form::Static { " (statically linked)" } else { "" };
        text += &format!("  {}{form}, for {}\n", need.program, need.used_for);
    }
    let packages = packages(missing).join(" ");
    text + &format!("on Debian or Ubuntu: sudo apt-get update && sudo apt-get install -y {packages}")
}

fn packages(missing: &[&Need]) -> Vec<&'static str> {
    missing.iter().map(|need| need.package).collect()
}

/// How apt may be run here.
#[derive(Clone, Copy)]
enum Privilege {
    Root,
    Sudo,
}

impl Privilege {
    fn find() -> Option<Self> {
        let who = shell::output(Command::new("id").arg("-u")).ok()?;
        if who.trim_ascii() == b"0" {
            return Some(Self::Root);
        }
        shell::succeeds(Command::new("sudo").args(["-n", "true"])).then_some(Self::Sudo)
    }

    fn apt(self) -> Command {
        let mut command = match self {
            Self::Root => Command::new("env"),
            Self::Sudo => {
                let mut sudo = Command::new("sudo");
                sudo.args(["-n", "env"]);
                sudo
            }
        };
        // Another apt may hold the lock for a while, on a machine just started above all.
        command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-o", "DPkg::Lock::Timeout=300"]);
        command
    }
}

fn install(missing: &[&Need], privilege: Privilege) -> Result<()> {
    let fresh = lists_are_empty(Path::new(APT_LISTS));
    if fresh {
        shell::say_and_run(privilege.apt().arg("update"))?;
    }
    if missing.is_empty() {
        return Ok(());
    }
    let get = || {
        let mut apt = privilege.apt();
        apt.args(["install", "-y", "--no-install-recommends"]).args(packages(missing));
        shell::say_and_run(&mut apt)
    };
    if let Err(error) = get() {
        if fresh {
            return Err(error.context(explain(missing)));
        }
        // The lists may be too old to name what the mirror still has.
        shell::say_and_run(privilege.apt().arg("update"))?;
        get().map_err(|error| error.context(explain(missing)))?;
    }
    let still: Vec<&Need> = missing.iter().copied().filter(|need| !is_there(need)).collect();
    if !still.is_empty() {
        bail!("installed, and yet {}", explain(&still));
    }
    Ok(())
}

fn lists_are_empty(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return true };
    !entries.flatten().any(|entry| entry.file_name().to_string_lossy().contains("_Packages"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_the_command_that_gets_it() {
        let text = explain(&[&NEEDS[1], &NEEDS[2]]);
        assert!(text.contains("busybox (statically linked), for the userland of small guests"));
        assert!(text.ends_with("sudo apt-get install -y qemu-utils busybox-static"));
    }

    #[test]
    fn empty_lists_are_known() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("lock"), "").unwrap();
        assert!(lists_are_empty(folder.path()));
        assert!(lists_are_empty(&folder.path().join("gone")));
        std::fs::write(folder.path().join("mirror_main_binary-amd64_Packages.lz4"), "").unwrap();
        assert!(!lists_are_empty(folder.path()));
    }

    #[test]
    fn a_dynamic_program_is_not_static_and_a_text_is_neither() {
        assert!(!is_static(&PathBuf::from("/bin/sh")));
        assert!(!is_static(&PathBuf::from("/etc/passwd")));
    }
}
