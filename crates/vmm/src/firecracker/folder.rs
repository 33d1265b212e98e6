//! What lies in the folder of an incarnation, and in the one within it that Firecracker starts in and may
//! write to.
//!
//! ```text
//!  run_dir/            console.in, console.log → the log, counters: ours alone
//!  run_dir/run/        api.sock, vsock.sock, log.fifo, disk_… → the disk's file
//! ```
//!
//! Firecracker is never told where a disk is, only its name here; so a snapshot names nothing else.
//! Firecracker opens FIFOs for both ways, so they have no end as long as it lives; the log and the figures share
//! one, of which thousands are held.

use super::Error;
use super::model::id;
use crate::error::MAX_SOCKET_PATH;
use rustix::fs::{CWD, FileType, Mode, OFlags};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use tokio::net::unix::pipe;
use weft_domain::spec::{Console, ConsoleMode};

/// The name of the API's socket.
pub(super) const API: &str = "api.sock";
/// The name of the vsock's socket.
pub(super) const VSOCK: &str = "vsock.sock";
/// The name of the FIFO that the log and the metrics come through.
pub(super) const SAID: &str = "log.fifo";
/// What waits in it while nobody reads: an hour of metrics, where the kernel grants it.
const BACKLOG: usize = 1 << 20;

/// Names of what can be replaced.
pub(super) struct Names;

impl Names {
    /// The name of a disk's file.
    pub(super) fn disk(name: &str) -> String {
        format!("disk_{}", id(name))
    }

    /// The name of the file of persistent memory.
    pub(super) fn pmem(name: &str) -> String {
        format!("pmem_{}", id(name))
    }
}

/// The folder of an incarnation.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    own: PathBuf,
    inner: PathBuf,
}

impl Folder {
    /// This folder, within which Firecracker starts in that one.
    pub(super) fn new(own: &Path, inner: &Path) -> Self {
        Self { own: own.to_owned(), inner: inner.to_owned() }
    }

    /// Where the API is spoken.
    pub(super) fn api(&self) -> PathBuf {
        self.inner.join(API)
    }

    /// Where the console's log can be found by one who was not told.
    pub(super) fn console_log(&self) -> PathBuf {
        self.own.join("console.log")
    }

    /// Where the counters are kept.
    pub(super) fn counters(&self) -> PathBuf {
        self.own.join("counters")
    }

    /// What is there when the guest was asked to stop.
    pub(super) fn asked(&self) -> PathBuf {
        self.own.join("asked")
    }

    fn console_in(&self) -> PathBuf {
        self.own.join("console.in")
    }

    /// Refuses a folder whose sockets the kernel would not take.
    pub(super) fn check(&self) -> Result<(), Error> {
        let longest = [self.api(), self.inner.join(VSOCK)].into_iter().max_by_key(|path| path.as_os_str().len());
        match longest {
            Some(path) if path.as_os_str().as_bytes().len() > MAX_SOCKET_PATH => Err(Error::SocketPath { path }),
            Some(_) | None => Ok(()),
        }
    }

    /// Makes what Firecracker finds when it starts.
    pub(super) fn prepare(&self) -> Result<(), Error> {
        let path = self.inner.join(SAID);
        let made = rustix::fs::mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0);
        made.map_err(|error| Error::UseFolder { path, source: error.into() })
    }

    /// The name leads to this file from now on; what it led to before is left.
    pub(super) fn link(&self, name: &str, to: &Path) -> io::Result<()> {
        let (path, part) = (self.inner.join(name), self.own.join("link.new"));
        absent(std::fs::remove_file(&part))?;
        std::os::unix::fs::symlink(to, &part)?;
        std::fs::rename(&part, &path)
    }

    /// What the name leads to.
    pub(super) fn linked(&self, name: &str) -> io::Result<PathBuf> {
        std::fs::read_link(self.inner.join(name))
    }

    /// The name leads nowhere.
    pub(super) fn unlink(&self, name: &str) -> io::Result<()> {
        absent(std::fs::remove_file(self.inner.join(name)))
    }

    /// The near end of what it says. It ends with the last who writes, if anybody does.
    pub(super) fn hear(&self) -> Result<pipe::Receiver, Error> {
        let path = self.inner.join(SAID);
        let opened = fifo(&path, OFlags::RDONLY).and_then(|fd| {
            // Some hosts grant less; then less waits.
            let _ = rustix::pipe::fcntl_setpipe_size(&fd, BACKLOG);
            pipe::Receiver::from_owned_fd(fd)
        });
        opened.map_err(|source| Error::UseFolder { path, source })
    }

    /// The serial line's two ends for Firecracker: its input and its output.
    pub(super) fn serial(&self, console: &Console, log: &Path) -> Result<(OwnedFd, OwnedFd), Error> {
        let path = match (console.mode, &console.path) {
            (ConsoleMode::Socket, _) => log.to_owned(),
            (ConsoleMode::File, Some(path)) => path.clone(),
            (_, _) => PathBuf::from("/dev/null"),
        };
        let failed = |path: PathBuf| move |source| Error::UseFolder { path, source };
        let mut options = File::options();
        options.append(true).create(true).mode(0o600).custom_flags(rustix_bits(OFlags::NOCTTY));
        let output = options.open(&path).map_err(failed(path.clone()))?;
        let input = if console.mode == ConsoleMode::Socket {
            let path = self.console_in();
            let made = rustix::fs::mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0);
            made.map_err(io::Error::from).map_err(failed(path.clone()))?;
            std::os::unix::fs::symlink(log, self.console_log()).map_err(failed(self.console_log()))?;
            fifo(&path, OFlags::RDWR).map_err(failed(path.clone()))?
        } else {
            File::open("/dev/null").map_err(failed("/dev/null".into()))?.into()
        };
        Ok((input, output.into()))
    }

    /// The far end of the serial line's input; `NotFound` where it has none that leads here.
    pub(super) fn typewriter(&self) -> io::Result<pipe::Sender> {
        pipe::OpenOptions::new().open_sender(self.console_in())
    }

    /// Takes away what was put here; absence is success.
    pub(super) fn clear(&self) {
        let ours = [self.console_in(), self.console_log(), self.counters(), self.asked(), self.own.join("link.new")];
        let inner = std::fs::read_dir(&self.inner).into_iter().flatten().flatten().map(|entry| entry.path());
        for path in ours.into_iter().chain(inner) {
            if let Err(error) = absent(std::fs::remove_file(&path)) {
                tracing::warn!(%error, path = %path.display(), "a file of a machine is left");
            }
        }
    }
}

fn absent(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn rustix_bits(flags: OFlags) -> i32 {
    flags.bits().cast_signed()
}

/// A FIFO; nothing else is opened, for Firecracker may write to its folder.
fn fifo(path: &Path, ways: OFlags) -> io::Result<OwnedFd> {
    let flags = ways | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = rustix::fs::open(path, flags, Mode::empty())?;
    if FileType::from_raw_mode(rustix::fs::fstat(&fd)?.st_mode) != FileType::Fifo {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is no FIFO"));
    }
    Ok(fd)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Folder) {
        let held = tempfile::tempdir().unwrap();
        let inner = held.path().join("run");
        std::fs::create_dir(&inner).unwrap();
        let folder = Folder::new(held.path(), &inner);
        (held, folder)
    }

    #[tokio::test]
    async fn what_was_prepared_is_heard_and_cleared() {
        let (held, folder) = folder();
        folder.prepare().unwrap();
        let said = folder.hear().unwrap();
        let mut writer = File::options().read(true).write(true).open(held.path().join("run").join(SAID)).unwrap();
        std::io::Write::write_all(&mut writer, b"hello").unwrap();
        let mut buffer = [0; 16];
        said.readable().await.unwrap();
        assert_eq!(said.try_read(&mut buffer).unwrap(), 5);
        assert_eq!(said.try_read(&mut buffer).unwrap_err().kind(), io::ErrorKind::WouldBlock, "somebody writes");
        drop(writer);
        said.readable().await.unwrap();
        assert_eq!(said.try_read(&mut buffer).unwrap(), 0, "nobody writes");
        folder.clear();
        folder.clear();
        assert_eq!(std::fs::read_dir(held.path().join("run")).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_link_in_a_fifos_place_is_not_followed() {
        let (held, folder) = folder();
        let secret = held.path().join("secret");
        std::fs::write(&secret, "secret").unwrap();
        let said = held.path().join("run").join(SAID);
        std::os::unix::fs::symlink(&secret, &said).unwrap();
        assert!(folder.hear().is_err());
        std::fs::remove_file(&said).unwrap();
        std::fs::write(&said, "x").unwrap();
        assert!(folder.hear().is_err(), "nor is a file read");
    }

    #[test]
    fn a_name_leads_to_another_file_at_once() {
        let (held, folder) = folder();
        for text in ["one", "two"] {
            let file = held.path().join(text);
            std::fs::write(&file, text).unwrap();
            folder.link("disk_a", &file).unwrap();
            assert_eq!(std::fs::read_to_string(held.path().join("run/disk_a")).unwrap(), text);
            assert_eq!(folder.linked("disk_a").unwrap(), file);
        }
        folder.unlink("disk_a").unwrap();
        folder.unlink("disk_a").unwrap();
    }

    #[test]
    fn a_folder_that_is_too_deep_is_refused() {
        let folder = Folder::new(Path::new("/x"), &Path::new("/x").join("y".repeat(120)));
        assert!(matches!(folder.check(), Err(Error::SocketPath { .. })));
    }
}
