//! Where prepared images are kept: whole or not at all.
//!
//! ```text
//!  .making-N/out ── files ── manifest ── fsync ──► rename ──► <key>/   (whole)
//!       └ work (packages, unpacked trees; goes away)            └ verified by its manifest when it is opened
//! ```
//!
//! Always holds: a folder under its key has every file that its manifest names, with the size and the
//! SHA-256 that it names, or it is taken away and made anew. One process makes at a time (a lock on the
//! shelf); what a killed one left half made is swept by the next. Other keys are never touched: machines
//! made from an older image still boot.

use crate::error::Error;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A folder of prepared images.
#[derive(Debug, Clone)]
pub(crate) struct Shelf {
    dir: PathBuf,
}

/// Where an image is being made.
#[derive(Debug)]
pub(crate) struct Bench {
    /// The files of the image go here.
    pub(crate) out: PathBuf,
    /// Everything else goes here and is taken away.
    pub(crate) work: PathBuf,
}

/// An image on the shelf, verified when it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Its title.
    pub(crate) title: String,
    /// Its folder.
    pub(crate) dir: PathBuf,
    stamps: Vec<Stamp>,
}

/// What shows without reading a file that it was not changed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    path: PathBuf,
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

const MANIFEST: &str = "manifest";
const FIRST_LINE: &str = "weft image 1";
const MAKING: &str = ".making-";
const DAMAGED: &str = ".damaged-";

impl Shelf {
    /// Opens the shelf, making its folder if there is none.
    pub(crate) fn open(dir: &Path) -> Result<Self, Error> {
        fs::create_dir_all(dir).map_err(Error::file("make", dir))?;
        let dir = dir.canonicalize().map_err(Error::file("find", dir))?;
        Ok(Self { dir })
    }

    /// The image under this key, made by `make` if there is none that is whole. `make` answers its title.
    pub(crate) fn ensure<M>(&self, key: &str, make: M) -> Result<Kept, Error>
    where
        M: FnOnce(&Bench) -> Result<String, Error>,
    {
        let place = self.dir.join(key);
        if let Ok(kept) = read(&place) {
            return Ok(kept);
        }
        let _lock = self.lock()?;
        self.sweep();
        match read(&place) {
            Ok(kept) => return Ok(kept),
            Err(Unusable::Absent) => {}
            Err(Unusable::Damaged(why)) => {
                tracing::warn!(image = key, why, "a prepared image is damaged and is made anew");
                self.put_aside(&place)?;
            }
        }
        let making = self.dir.join(format!("{MAKING}{}", std::process::id()));
        let bench = Bench { out: making.join("out"), work: making.join("work") };
        let made = Self::make(&bench, make).and_then(|()| {
            fs::rename(&bench.out, &place).map_err(Error::file("put an image into place at", &place))?;
            sync(&self.dir)
        });
        remove(&making);
        made?;
        read(&place).map_err(|_| Error::Lost)
    }

    fn make<M>(bench: &Bench, make: M) -> Result<(), Error>
    where
        M: FnOnce(&Bench) -> Result<String, Error>,
    {
        for dir in [&bench.out, &bench.work] {
            fs::create_dir_all(dir).map_err(Error::file("make", dir))?;
        }
        let title = make(bench)?;
        write_manifest(&bench.out, &title)
    }

    fn lock(&self) -> Result<File, Error> {
        let path = self.dir.join("lock");
        let file = File::options().create(true).append(true).open(&path).map_err(Error::file("open", &path))?;
        file.lock().map_err(Error::file("lock", &path))?;
        Ok(file)
    }

    fn put_aside(&self, place: &Path) -> Result<(), Error> {
        let aside = self.dir.join(format!("{DAMAGED}{}", std::process::id()));
        remove(&aside);
        fs::rename(place, &aside).map_err(Error::file("put aside", place))?;
        remove(&aside);
        Ok(())
    }

    /// Takes away what a killed process left; lawful only under the lock.
    fn sweep(&self) {
        let Ok(entries) = fs::read_dir(&self.dir) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            if [MAKING, DAMAGED].iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
                remove(&entry.path());
            }
        }
    }
}

impl Kept {
    /// The path of one of its files.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Whether its files are still those that were verified.
    pub(crate) fn unchanged(&self) -> bool {
        self.stamps.iter().all(|stamp| Stamp::of(&stamp.path).is_ok_and(|now| now == *stamp))
    }
}

impl Stamp {
    fn of(path: &Path) -> std::io::Result<Self> {
        let meta = fs::symlink_metadata(path)?;
        let changed = (meta.ctime(), meta.ctime_nsec());
        Ok(Self { path: path.to_owned(), inode: meta.ino(), size: meta.len(), changed })
    }
}

enum Unusable {
    Absent,
    Damaged(&'static str),
}

fn write_manifest(dir: &Path, title: &str) -> Result<(), Error> {
    let mut names: Vec<String> = Vec::new();
    for entry in fs::read_dir(dir).map_err(Error::file("list", dir))? {
        let entry = entry.map_err(Error::file("list", dir))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    let mut text = format!("{FIRST_LINE}\ntitle {}\n", title.replace('\n', " "));
    for name in names {
        let path = dir.join(&name);
        sync(&path)?;
        let (size, sum) = digest(&path).map_err(Error::file("read", &path))?;
        text.push_str(&format!("file {name} {size} {sum}\n"));
    }
    text.push_str(&format!("end {}\n", hex(&Sha256::digest(&text))));
    let path = dir.join(MANIFEST);
    let mut file = File::create(&path).map_err(Error::file("write", &path))?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(Error::file("write", &path))?;
    sync(dir)
}

fn read(place: &Path) -> Result<Kept, Unusable> {
    if fs::symlink_metadata(place).is_err() {
        return Err(Unusable::Absent);
    }
    let text = fs::read_to_string(place.join(MANIFEST)).map_err(|_| Unusable::Damaged("it has no manifest"))?;
    let (body, end) = text.trim_end().rsplit_once("\nend ").ok_or(Unusable::Damaged("its manifest is cut off"))?;
    let body = format!("{body}\n");
    if end != hex(&Sha256::digest(&body)) {
        return Err(Unusable::Damaged("its manifest was changed"));
    }
    let mut lines = body.lines();
    let unread = || Unusable::Damaged("its manifest cannot be read");
    if lines.next() != Some(FIRST_LINE) {
        return Err(unread());
    }
    let title = lines.next().and_then(|line| line.strip_prefix("title ")).ok_or_else(unread)?.to_owned();
    let mut stamps = Vec::new();
    for line in lines {
        let [_, name, size, sum] = line.split(' ').collect::<Vec<_>>()[..] else { return Err(unread()) };
        let path = place.join(name);
        let stamp = Stamp::of(&path).map_err(|_| Unusable::Damaged("a file is missing"))?;
        let (is, of) = digest(&path).map_err(|_| Unusable::Damaged("a file cannot be read"))?;
        if is.to_string() != size || of != sum {
            return Err(Unusable::Damaged("a file is not what its manifest says"));
        }
        stamps.push(stamp);
    }
    Ok(Kept { title, dir: place.to_owned(), stamps })
}

fn digest(path: &Path) -> std::io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let (mut sum, mut size, mut part) = (Sha256::new(), 0, vec![0; 256 << 10]);
    loop {
        match file.read(&mut part)? {
            0 => return Ok((size, hex(&sum.finalize()))),
            n => {
                sum.update(&part[..n]);
                size += n as u64;
            }
        }
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sync(path: &Path) -> Result<(), Error> {
    File::open(path).and_then(|file| file.sync_all()).map_err(Error::file("sync", path))
}

fn remove(path: &Path) {
    let removed = fs::remove_dir_all(path);
    if let Err(error) = removed
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %error, "cannot take away what is not needed any more");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    fn made(shelf: &Shelf, times: &Cell<u32>) -> Kept {
        let make = |bench: &Bench| {
            times.set(times.get() + 1);
            fs::write(bench.out.join("vmlinux"), b"a kernel").unwrap();
            fs::write(bench.work.join("package"), b"not kept").unwrap();
            Ok("a title".to_owned())
        };
        shelf.ensure("default-1", make).expect("it can be made")
    }

    #[test]
    fn an_image_is_made_once() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(dir.path()).unwrap();
        let times = Cell::new(0);
        let first = made(&shelf, &times);
        assert_eq!(first, made(&shelf, &times));
        assert_eq!(times.get(), 1);
        assert_eq!(first.title, "a title");
        assert_eq!(fs::read(first.file("vmlinux")).unwrap(), b"a kernel");
        let mut left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["default-1", "lock"]);
    }

    #[test]
    fn every_damage_is_seen_and_mended() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(dir.path()).unwrap();
        let times = Cell::new(0);
        let kept = made(&shelf, &times);
        let (kernel, manifest) = (kept.file("vmlinux"), kept.file(MANIFEST));
        let damages: [&dyn Fn(); 6] = [
            &|| fs::write(&kernel, b"A kernel").unwrap(),
            &|| fs::write(&kernel, b"a kern").unwrap(),
            &|| fs::remove_file(&kernel).unwrap(),
            &|| fs::remove_file(&manifest).unwrap(),
            &|| fs::write(&manifest, "weft image 1\ntitle x\n").unwrap(),
            &|| fs::write(&manifest, fs::read_to_string(&manifest).unwrap().replace("a title", "another")).unwrap(),
        ];
        for (n, damage) in (1..).zip(damages) {
            assert_eq!(times.get(), n);
            damage();
            let again = made(&shelf, &times);
            assert_eq!(fs::read(again.file("vmlinux")).unwrap(), b"a kernel");
            assert!(again.unchanged());
        }
        assert_eq!(times.get(), 7);
    }

    #[test]
    fn a_change_shows_in_the_stamps() {
        let dir = tempfile::tempdir().unwrap();
        let kept = made(&Shelf::open(dir.path()).unwrap(), &Cell::new(0));
        assert!(kept.unchanged());
        fs::write(kept.file("vmlinux"), b"longer than it was").unwrap();
        assert!(!kept.unchanged());
    }

    #[test]
    fn what_was_half_made_is_never_used() {
        let dir = tempfile::tempdir().unwrap();
        let half = dir.path().join(".making-1/out");
        fs::create_dir_all(&half).unwrap();
        fs::write(half.join("vmlinux"), b"half a ker").unwrap();
        let shelf = Shelf::open(dir.path()).unwrap();
        let kept = made(&shelf, &Cell::new(0));
        assert_eq!(fs::read(kept.file("vmlinux")).unwrap(), b"a kernel");
        assert!(!half.exists());
    }

    #[test]
    fn a_failure_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(dir.path()).unwrap();
        let failed = shelf.ensure("default-1", |bench| {
            fs::write(bench.out.join("vmlinux"), b"half").unwrap();
            Err(Error::Closing)
        });
        assert!(matches!(failed, Err(Error::Closing)));
        let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, ["lock"]);
    }

    #[test]
    fn two_makers_at_once_make_one() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(dir.path()).unwrap();
        let times = std::sync::atomic::AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let make = |bench: &Bench| {
                        times.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                        fs::write(bench.out.join("vmlinux"), b"a kernel").unwrap();
                        Ok(String::new())
                    };
                    shelf.ensure("default-1", make).expect("it can be made")
                });
            }
        });
        assert_eq!(times.into_inner(), 1);
    }
}
