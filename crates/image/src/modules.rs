//! Which kernel modules the guest loads, and in which order.
//!
//! A folder of modules comes in; modules in loading order go out, each after those it depends on, read
//! from what the modules say of themselves: a kernel that was only unpacked has no `modules.dep`. Always
//! holds: what the guest cannot do without is in the answer or built into the kernel.

use crate::error::Error;
use crate::unpack;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A module, unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Module {
    /// Its name, with underscores.
    pub(crate) name: String,
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
}

/// Without these the guest has no disk or no network on one of the machine models.
const NEEDED: [&str; 4] = ["virtio_mmio", "virtio_pci", "virtio_blk", "virtio_net"];
/// These are taken where the kernel has them: the power button, news of a panic, devices, ext4. Every
/// module costs time at every start, so no more than these.
const WANTED: [&str; 9] = [
    "button",
    "evdev",
    "pvpanic_mmio",
    "pvpanic_pci",
    "virtio_rng",
    "virtio_balloon",
    "virtio_console",
    "crc32c_generic",
    "ext4",
];
const DEEPEST: usize = 12;

/// The modules of the kernel `version` in `dir`, in loading order.
pub(crate) fn gather(dir: &Path, version: &str) -> Result<Vec<Module>, Error> {
    let mut files = BTreeMap::new();
    index(&dir.join("kernel"), 0, &mut files)?;
    let built_in = built_in(dir);
    for module in NEEDED {
        if !built_in.contains(module) && !files.contains_key(module) {
            return Err(Error::KernelUnfit { version: version.to_owned(), module });
        }
    }
    let mut gathered = Vec::new();
    for name in NEEDED.into_iter().chain(WANTED) {
        add(name, &mut files, &mut gathered)?;
    }
    Ok(gathered)
}

/// Adds a module after those that it depends on. A file leaves `files` when it is taken, so nothing is
/// taken twice and a circle ends.
fn add(name: &str, files: &mut BTreeMap<String, PathBuf>, gathered: &mut Vec<Module>) -> Result<(), Error> {
    let Some(path) = files.remove(name) else { return Ok(()) };
    let bytes = fs::read(&path).map_err(Error::file("read", &path))?;
    let bytes = unpack::module(bytes).map_err(Error::unpack(&path))?;
    for other in dependencies(&bytes) {
        add(&other, files, gathered)?;
    }
    gathered.push(Module { name: name.to_owned(), bytes });
    Ok(())
}

fn index(dir: &Path, depth: usize, files: &mut BTreeMap<String, PathBuf>) -> Result<(), Error> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::file("list", dir)(error)),
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let kind = entry.file_type().map_err(Error::file("look at", &path))?;
        if kind.is_dir() && depth < DEEPEST {
            index(&path, depth + 1, files)?;
        } else if kind.is_file()
            && let Some(name) = module_name(&entry.file_name().to_string_lossy())
        {
            files.insert(name, path);
        }
    }
    Ok(())
}

fn module_name(file: &str) -> Option<String> {
    let (name, packing) = file.split_once(".ko")?;
    ["", ".gz", ".xz", ".zst"].contains(&packing).then(|| name.replace('-', "_"))
}

fn built_in(dir: &Path) -> BTreeSet<String> {
    let list = fs::read_to_string(dir.join("modules.builtin")).unwrap_or_default();
    list.lines().filter_map(|line| module_name(line.rsplit('/').next()?)).collect()
}

/// What a module says that it depends on, as a text `depends=a,b` between zero bytes.
fn dependencies(module: &[u8]) -> Vec<String> {
    const KEY: &[u8] = b"\0depends=";
    let Some(at) = module.windows(KEY.len()).position(|window| window == KEY) else { return Vec::new() };
    let text = module[at + KEY.len()..].split(|byte| *byte == 0).next().unwrap_or_default();
    let text = String::from_utf8_lossy(text);
    text.split(',').filter(|name| !name.is_empty()).map(|name| name.replace('-', "_")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(modules: &[(&str, &str)], built_in: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("kernel/drivers/virtio")).unwrap();
        for (name, depends) in modules {
            let text = format!("\x7fELF\0license=GPL\0depends={depends}\0name=x\0");
            fs::write(dir.path().join("kernel/drivers/virtio").join(name), text).unwrap();
        }
        fs::write(dir.path().join("modules.builtin"), built_in).unwrap();
        dir
    }

    fn names(modules: &[Module]) -> Vec<&str> {
        modules.iter().map(|module| module.name.as_str()).collect()
    }

    const REST: &str = "kernel/virtio_mmio.ko\nkernel/virtio_pci.ko\nkernel/virtio-net.ko\n";

    #[test]
    fn each_comes_after_what_it_depends_on() {
        let modules = [
            ("virtio_blk.ko", "virtio-ring,virtio"),
            ("virtio.ko", "virtio_ring"),
            ("virtio_ring.ko", ""),
            ("button.ko", ""),
            ("other.ko", ""),
        ];
        let dir = tree(&modules, REST);
        let gathered = gather(dir.path(), "1").expect("it is fit");
        assert_eq!(names(&gathered), ["virtio_ring", "virtio", "virtio_blk", "button"]);
    }

    #[test]
    fn a_circle_ends() {
        let dir = tree(&[("virtio_blk.ko", "virtio"), ("virtio.ko", "virtio_blk")], REST);
        assert_eq!(names(&gather(dir.path(), "1").expect("it is fit")), ["virtio", "virtio_blk"]);
    }

    #[test]
    fn a_kernel_without_disks_is_unfit() {
        let dir = tree(&[("virtio.ko", "")], REST);
        let unfit = gather(dir.path(), "6.1.0");
        assert!(matches!(unfit, Err(Error::KernelUnfit { module: "virtio_blk", .. })), "{unfit:?}");
    }

    #[test]
    fn packed_modules_are_unpacked() {
        let dir = tree(&[], "virtio_mmio.ko\nvirtio_pci.ko\nvirtio_net.ko\n");
        let packed = zstd::bulk::compress(b"\x7fELF\0depends=\0", 1).unwrap();
        fs::write(dir.path().join("kernel/virtio_blk.ko.zst"), packed).unwrap();
        let gathered = gather(dir.path(), "1").expect("it is fit");
        assert_eq!(gathered[0].bytes, b"\x7fELF\0depends=\0");
    }
}
