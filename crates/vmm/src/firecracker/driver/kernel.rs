//! What sort of kernel a file is, looked at before Firecracker refuses it with words of its own.

use crate::firecracker::Error;
use crate::firecracker::version::{BZIMAGE, Version};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// How an ELF file begins.
const ELF: &[u8] = b"\x7fELF";
/// Where a bzImage bears its mark, and the mark.
const BZIMAGE_MARK: (usize, &[u8]) = (0x202, b"HdrS");
/// Where an arm64 Image bears its mark, and the mark.
const IMAGE_MARK: (usize, &[u8]) = (0x38, b"ARM\x64");
/// The bytes that are looked at.
const HEAD: u64 = 0x210;

/// Refuses what this version would not start.
pub(super) fn judge(kernel: &Path, version: &Version) -> Result<(), Error> {
    let refuse = |why: String| Err(Error::Backing { path: kernel.to_owned(), why });
    let mut head = Vec::new();
    if let Err(error) = File::open(kernel).and_then(|file| file.take(HEAD).read_to_end(&mut head)) {
        return refuse(error.to_string());
    }
    let bears = |(at, mark): (usize, &[u8])| head.get(at..at + mark.len()) == Some(mark);
    if head.starts_with(ELF) || (cfg!(target_arch = "aarch64") && bears(IMAGE_MARK)) {
        return Ok(());
    }
    match (bears(BZIMAGE_MARK), version.has(BZIMAGE)) {
        (true, true) => Ok(()),
        (true, false) => refuse(format!(
            "it is a bzImage, which Firecracker starts from {BZIMAGE} on and this is {version}: give the ELF kernel \
             (vmlinux) that is in it"
        )),
        (false, _) => refuse("it is no kernel that Firecracker starts: give an ELF kernel (vmlinux)".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_is_judged_by_its_head_and_the_version() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kernel");
        let version = |text: &str| Version::read(&format!("Firecracker v{text}")).unwrap();
        let mut bzimage = vec![0; 0x300];
        bzimage[0x202..0x206].copy_from_slice(b"HdrS");
        for (bytes, at, wanted) in [
            (&b"\x7fELF\x02\x01"[..], "1.7.0", None),
            (&bzimage, "1.17.0-dev", None),
            (&bzimage, "1.16.1", Some("from 1.17 on")),
            (b"#!/bin/sh", "1.17.0", Some("no kernel")),
            (b"", "1.17.0", Some("no kernel")),
        ] {
            std::fs::write(&path, bytes).unwrap();
            let said = judge(&path, &version(at)).err().map(|error| error.to_string());
            assert_eq!(said.is_some(), wanted.is_some(), "{said:?}");
            assert!(wanted.is_none_or(|words| said.as_ref().unwrap().contains(words)), "{said:?}");
        }
        assert!(judge(folder.path(), &version("1.17.0")).is_err());
    }
}
