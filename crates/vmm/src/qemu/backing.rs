//! What a disk's path leads to, looked at before QEMU opens it.
//!
//! A qcow2 image can name further files in its header. QEMU would open them with our rights, so such an
//! image is refused: a disk is the file that was named, and nothing else.

use super::Error;
use super::config::Medium;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use weft_domain::spec::{Device, DeviceKind, DiskFormat};
use weft_ports::hypervisor::Backing;

/// `QFI` and 0xfb: how a qcow2 image begins.
const MAGIC: [u8; 4] = [b'Q', b'F', b'I', 0xfb];
/// The bytes of the header that are looked at.
const HEADER: usize = 80;
/// The bit of the incompatible features that says that the bytes are in another file.
const EXTERNAL: u64 = 1 << 2;

/// What each disk's path leads to.
pub(super) fn inspect(disks: &[Backing]) -> Result<Vec<Medium>, Error> {
    disks.iter().map(look).collect()
}

/// How long each persistent memory is: as asked, or as its file.
pub(super) fn pmem_bytes(devices: &[Device]) -> Result<Vec<u64>, Error> {
    let sizes = devices.iter().filter_map(|device| match &device.kind {
        DeviceKind::Pmem { path, size_bytes: 0, .. } => {
            let refuse = |error: std::io::Error| Error::Backing { path: path.clone(), why: error.to_string() };
            Some(std::fs::metadata(path).map(|file| file.len()).map_err(refuse))
        }
        DeviceKind::Pmem { size_bytes, .. } => Some(Ok(*size_bytes)),
        DeviceKind::Share { .. }
        | DeviceKind::Vdpa { .. }
        | DeviceKind::Passthrough { .. }
        | DeviceKind::VfioUser { .. }
        | DeviceKind::VhostUser { .. } => None,
    });
    sizes.collect()
}

pub(super) fn look(disk: &Backing) -> Result<Medium, Error> {
    let refuse = |why: String| Error::Backing { path: disk.path.clone(), why };
    let kind = std::fs::metadata(&disk.path).map_err(|error| refuse(error.to_string()))?.file_type();
    let medium = if kind.is_file() {
        Medium::File
    } else if kind.is_block_device() {
        Medium::Device
    } else if kind.is_socket() {
        // Another process plays the disk; nothing is opened here.
        return Ok(Medium::File);
    } else {
        return Err(refuse("it is neither a file nor a block device".to_owned()));
    };
    match disk.format {
        DiskFormat::Raw => {}
        DiskFormat::Qcow2 => {
            let header = read_header(&disk.path).map_err(|error| refuse(error.to_string()))?;
            judge(&header).map_err(|why| refuse(why.to_owned()))?;
        }
    }
    Ok(medium)
}

fn read_header(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut header = Vec::with_capacity(HEADER);
    File::open(path)?.take(HEADER as u64).read_to_end(&mut header)?;
    Ok(header)
}

/// Whether the image stands by itself.
fn judge(header: &[u8]) -> Result<(), &'static str> {
    let number = |at: usize, size: usize| {
        let bytes = header.get(at..at + size)?;
        Some(bytes.iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte)))
    };
    if header.get(..4) != Some(&MAGIC[..]) {
        return Err("it is no qcow2 image");
    }
    let short = "its qcow2 header is cut short";
    let version = number(4, 4).ok_or(short)?;
    if number(8, 8).ok_or(short)? != 0 {
        return Err("it is a qcow2 image over another file, which is not allowed: flatten it with `qemu-img convert`");
    }
    if version >= 3 && number(72, 8).ok_or(short)? & EXTERNAL != 0 {
        return Err("it is a qcow2 image whose bytes are in another file, which is not allowed");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(version: u32, backing: u64, features: u64) -> Vec<u8> {
        let mut header = MAGIC.to_vec();
        header.extend(version.to_be_bytes());
        header.extend(backing.to_be_bytes());
        header.resize(72, 0);
        header.extend(features.to_be_bytes());
        header
    }

    #[test]
    fn only_images_that_stand_by_themselves_are_taken() {
        assert_eq!(judge(&image(3, 0, 0)), Ok(()));
        assert_eq!(judge(&image(2, 0, EXTERNAL)), Ok(()), "version 2 has no features");
        for (bad, why) in [
            (image(3, 104, 0), "over another file"),
            (image(2, 1, 0), "over another file"),
            (image(3, 0, EXTERNAL | 1), "in another file"),
            (image(3, 0, 0)[..75].to_vec(), "cut short"),
            (MAGIC.to_vec(), "cut short"),
            (b"raw bytes".to_vec(), "no qcow2"),
            (Vec::new(), "no qcow2"),
        ] {
            assert!(judge(&bad).unwrap_err().contains(why), "{why}");
        }
    }

    #[test]
    fn a_folder_or_nothing_is_no_disk() {
        let folder = tempfile::tempdir().unwrap();
        let disk = |path: &Path| Backing { path: path.to_owned(), format: DiskFormat::Raw };
        assert!(look(&disk(folder.path())).unwrap_err().to_string().contains("neither a file nor a block device"));
        assert!(look(&disk(&folder.path().join("none"))).is_err());
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert_eq!(look(&disk(&file)).unwrap(), Medium::File);
    }
}
