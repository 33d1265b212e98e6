//! Kernels and BusyBox as they lie in a file system: the host's own, or an unpacked package.
//!
//! A root folder comes in, a kernel with its modules or a BusyBox goes out. Always holds: what is answered
//! can be read, and a BusyBox needs no library and has every applet that the guest calls.

use crate::error::Error;
use crate::guest::{APPLETS, Busybox};
use crate::modules::{self, Module};
use crate::programs::Programs;
use crate::unpack;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A kernel with its modules.
#[derive(Debug)]
pub(crate) struct Kernel {
    /// Its version: `6.1.0-44-cloud-amd64`.
    pub(crate) version: String,
    /// The kernel as it was found.
    pub(crate) image: PathBuf,
    /// What it loads, in order.
    pub(crate) modules: Vec<Module>,
}

/// Which of a root's kernels will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// One built for virtual machines.
    Cloud,
    /// Any.
    Any,
}

impl Flavour {
    fn suits(self, version: &str) -> bool {
        let cloud = ["-cloud-", "-virtual", "-kvm"];
        self == Self::Any || cloud.iter().any(|mark| version.contains(mark))
    }
}

/// The newest kernel under `root` that is fit for a guest.
pub(crate) fn kernel(root: &Path, flavour: Flavour) -> Result<Kernel, Error> {
    let mut found: Vec<(Vec<u64>, String, PathBuf)> = Vec::new();
    for entry in fs::read_dir(root.join("boot")).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Some(version) = name.strip_prefix("vmlinuz-")
            && flavour.suits(version)
            && File::open(entry.path()).is_ok()
        {
            found.push((numbers(version), version.to_owned(), entry.path()));
        }
    }
    found.sort();
    let mut unfit = None;
    while let Some((_, version, image)) = found.pop() {
        match modules::gather(&modules_dir(root, &version), &version) {
            Ok(modules) => return Ok(Kernel { version, image, modules }),
            Err(error) => unfit = Some(error),
        }
    }
    Err(unfit.unwrap_or_else(|| Error::NoKernel { place: root.join("boot").display().to_string() }))
}

/// `/lib` is a link to `usr/lib` on a merged host, and a package may carry either.
fn modules_dir(root: &Path, version: &str) -> PathBuf {
    let plain = root.join("lib/modules").join(version);
    if plain.is_dir() { plain } else { root.join("usr/lib/modules").join(version) }
}

fn numbers(version: &str) -> Vec<u64> {
    version.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect()
}

/// The bytes of a kernel, as the ELF file within where that can be unpacked.
pub(crate) fn unpacked(image: &Path) -> Result<Vec<u8>, Error> {
    let bytes = fs::read(image).map_err(Error::file("read", image))?;
    unpack::kernel(bytes).map_err(Error::unpack(image))
}

/// The BusyBox under `root`.
pub(crate) fn busybox(root: &Path, programs: &Programs) -> Result<Busybox, Error> {
    let mut lacks = "any applets".to_owned();
    for place in ["bin/busybox", "usr/bin/busybox", "bin/busybox.static"] {
        let path = root.join(place);
        let Ok(bytes) = fs::read(&path) else { continue };
        if !is_static(&bytes) {
            continue;
        }
        let list = programs.run(Command::new(&path).arg("--list"), &mut || {})?;
        let applets: Vec<String> = list.lines().map(str::to_owned).collect();
        match APPLETS.iter().find(|needed| !applets.iter().any(|applet| applet == *needed)) {
            Some(missing) => lacks = format!("the applet {missing}"),
            None => return Ok(Busybox { version: busybox_version(&bytes), bytes, applets }),
        }
    }
    Err(Error::NoBusybox { lacks })
}

fn busybox_version(bytes: &[u8]) -> String {
    const MARK: &[u8] = b"BusyBox v";
    let at = bytes.windows(MARK.len()).position(|window| window == MARK);
    let rest = at.map_or(&[][..], |at| &bytes[at + MARK.len()..]);
    let version: String =
        rest.iter().map(|byte| char::from(*byte)).take_while(|c| c.is_ascii_digit() || *c == '.').take(16).collect();
    if version.is_empty() { "of unknown version".into() } else { version }
}

/// Whether these are the bytes of a 64-bit ELF program that asks for no interpreter.
fn is_static(bytes: &[u8]) -> bool {
    const INTERPRETER: usize = 3;
    let number = |from: usize, len: usize| {
        let raw = bytes.get(from..from.checked_add(len)?)?;
        Some(raw.iter().rev().fold(0usize, |sum, byte| (sum << 8) | usize::from(*byte)))
    };
    let kinds = || -> Option<Vec<usize>> {
        let (start, size, count) = (number(0x20, 8)?, number(0x36, 2)?, number(0x38, 2)?);
        (0..count).map(|n| number(start.checked_add(n * size)?, 4)).collect()
    };
    bytes.starts_with(b"\x7fELF\x02") && kinds().is_some_and(|kinds| !kinds.contains(&INTERPRETER))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elf(kinds: &[u32]) -> Vec<u8> {
        let mut bytes = vec![0; 64];
        bytes[..5].copy_from_slice(b"\x7fELF\x02");
        bytes[0x20] = 64;
        bytes[0x36] = 56;
        bytes[0x38] = u8::try_from(kinds.len()).unwrap();
        for kind in kinds {
            bytes.extend(kind.to_le_bytes());
            bytes.extend([0; 52]);
        }
        bytes
    }

    #[test]
    fn an_interpreter_makes_a_program_dynamic() {
        assert!(is_static(&elf(&[1, 1, 4])));
        assert!(!is_static(&elf(&[6, 3, 1])));
        assert!(!is_static(b"#!/bin/sh\n"));
        assert!(!is_static(&elf(&[1, 1])[..70]));
        assert!(!is_static(&[]));
    }

    #[test]
    fn the_newest_fit_kernel_is_taken() {
        let root = tempfile::tempdir().unwrap();
        let boot = root.path().join("boot");
        fs::create_dir_all(&boot).unwrap();
        let fit = "virtio_mmio.ko\nvirtio_pci.ko\nvirtio_blk.ko\nvirtio_net.ko\n";
        for (version, built_in) in [
            ("6.1.0-9-cloud-amd64", fit),
            ("6.1.0-44-cloud-amd64", fit),
            ("6.1.0-50-cloud-amd64", ""),
            ("7.0-amd64", fit),
        ] {
            fs::write(boot.join(format!("vmlinuz-{version}")), b"kernel").unwrap();
            let modules = root.path().join("usr/lib/modules").join(version);
            fs::create_dir_all(&modules).unwrap();
            fs::write(modules.join("modules.builtin"), built_in).unwrap();
        }
        assert_eq!(kernel(root.path(), Flavour::Cloud).unwrap().version, "6.1.0-44-cloud-amd64");
        assert_eq!(kernel(root.path(), Flavour::Any).unwrap().version, "7.0-amd64");
        let none = kernel(&root.path().join("usr"), Flavour::Any);
        assert!(matches!(none, Err(Error::NoKernel { .. })));
    }

    #[test]
    fn busybox_tells_its_version() {
        assert_eq!(busybox_version(b"\0BusyBox v1.35.0 (Debian 1:1.35)\0"), "1.35.0");
        assert_eq!(busybox_version(b"nothing"), "of unknown version");
    }
}
