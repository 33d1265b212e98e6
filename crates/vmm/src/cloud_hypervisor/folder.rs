//! What lies in the folder of an incarnation: the socket, the events, where the console is, and how far the
//! machine came, for one who takes it up later.

use super::Error;
use crate::error::MAX_SOCKET_PATH;
use rustix::fs::{CWD, Mode, mkfifoat};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

/// The folder of an incarnation.
#[derive(Debug, Clone)]
pub(super) struct Folder(pub(super) PathBuf);

/// How far a machine came, as far as the process itself could not tell later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// Its virtual CPUs ran.
    Booted,
    /// It waits for another machine to come.
    Waits,
    /// Its guest's kernel panicked.
    Panicked,
}

impl Mark {
    const ALL: [Self; 3] = [Self::Booted, Self::Waits, Self::Panicked];

    const fn text(self) -> &'static str {
        match self {
            Self::Booted => "booted",
            Self::Waits => "waits",
            Self::Panicked => "panicked",
        }
    }
}

impl Folder {
    /// Where the API is spoken.
    pub(super) fn api(&self) -> PathBuf {
        self.0.join("api.sock")
    }

    /// The FIFO of events.
    pub(super) fn events(&self) -> PathBuf {
        self.0.join("events")
    }

    /// Where the private view of a snapshot is laid out.
    pub(super) fn origin(&self) -> PathBuf {
        self.0.join("origin")
    }

    fn console_file(&self) -> PathBuf {
        self.0.join("console")
    }

    fn mark_file(&self) -> PathBuf {
        self.0.join("mark")
    }

    /// A socket that listens here, for its owner alone.
    pub(super) fn listen(&self) -> Result<OwnedFd, Error> {
        let path = self.api();
        if path.as_os_str().as_bytes().len() > MAX_SOCKET_PATH {
            return Err(Error::SocketPath { path });
        }
        let listener = UnixListener::bind(&path)
            .and_then(|listener| std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).map(|()| listener));
        listener.map(OwnedFd::from).map_err(|source| Error::UseFolder { path, source })
    }

    /// The FIFO of events, open both ways, so that writing to it never fails for want of a reader.
    pub(super) fn make_events(&self) -> Result<File, Error> {
        let path = self.events();
        let made = mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR).map_err(std::io::Error::from);
        let opened = made.and_then(|()| {
            let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
            File::options().read(true).write(true).custom_flags(flags).open(&path)
        });
        opened.map_err(|source| Error::UseFolder { path, source })
    }

    /// Keeps where the console is logged, and the name of the terminal that its input is written to.
    pub(super) fn keep_console(&self, log: &Path, terminal: &Path) -> Result<(), Error> {
        let path = self.console_file();
        let text = [terminal.as_os_str().as_bytes(), log.as_os_str().as_bytes()].join(&b'\n');
        std::fs::write(&path, text).map_err(|source| Error::UseFolder { path, source })
    }

    /// Both; `None` where the machine has no such console.
    pub(super) fn console(&self) -> Option<(PathBuf, PathBuf)> {
        let text = std::fs::read_to_string(self.console_file()).ok()?;
        let (terminal, log) = text.split_once('\n')?;
        terminal.starts_with("/dev/").then(|| (log.into(), terminal.into()))
    }

    /// Marks how far the machine came. Failing costs an adopter the reason of an end.
    pub(super) fn mark(&self, mark: Mark) {
        if let Err(error) = std::fs::write(self.mark_file(), mark.text()) {
            tracing::warn!(%error, path = %self.0.display(), ?mark, "how far a machine came is not kept");
        }
    }

    /// How far it came.
    pub(super) fn marked(&self) -> Option<Mark> {
        let text = std::fs::read_to_string(self.mark_file()).ok()?;
        Mark::ALL.into_iter().find(|mark| mark.text() == text)
    }

    /// Takes away what was put here; absence is success.
    pub(super) fn clear(&self) {
        let gone = |done: std::io::Result<()>, path: &Path| match done {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(%error, path = %path.display(), "a file of a machine is left"),
        };
        for path in [self.api(), self.events(), self.console_file(), self.mark_file()] {
            gone(std::fs::remove_file(&path), &path);
        }
        let origin = self.origin();
        gone(std::fs::remove_dir_all(&origin), &origin);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_there_until_the_folder_is_cleared() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Folder(folder.path().into());
        let (_socket, _events) = (folder.listen().unwrap(), folder.make_events().unwrap());
        folder.keep_console(Path::new("/log"), Path::new("/dev/pts/7")).unwrap();
        assert_eq!(folder.marked(), None);
        folder.mark(Mark::Booted);
        folder.mark(Mark::Panicked);
        assert_eq!(folder.marked(), Some(Mark::Panicked));
        assert_eq!(folder.console(), Some(("/log".into(), "/dev/pts/7".into())));
        for _ in 0..2 {
            folder.clear();
        }
        assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 0);
    }

    #[test]
    fn a_path_that_the_kernel_would_refuse_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let long = Folder(folder.path().join("x".repeat(120)));
        assert!(matches!(long.listen(), Err(Error::SocketPath { .. })));
    }
}
