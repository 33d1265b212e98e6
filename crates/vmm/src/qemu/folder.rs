//! What lies in the folder of an incarnation: its sockets, and what an adopter cannot ask QEMU for.
//!
//! The sockets listen before QEMU is started: a client may connect and speak at once, and is heard when
//! QEMU has come up.

use super::Error;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

/// The folder of an incarnation.
#[derive(Debug, Clone)]
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    /// Where QMP is spoken.
    pub(super) fn qmp(&self) -> PathBuf {
        self.0.join("qmp.sock")
    }

    /// Where the serial console is.
    pub(super) fn serial(&self) -> PathBuf {
        self.0.join("serial.sock")
    }

    /// Where the virtio console is.
    pub(super) fn console(&self) -> PathBuf {
        self.0.join("console.sock")
    }

    /// Where the guest's agent is spoken with.
    pub(super) fn agent(&self) -> PathBuf {
        self.0.join("agent.sock")
    }

    fn addresses_file(&self) -> PathBuf {
        self.0.join("addresses")
    }

    /// Keeps the addresses that QEMU will give to the guest.
    pub(super) fn keep_addresses(&self, addresses: &[IpAddr]) -> Result<(), Error> {
        let text: String = addresses.iter().map(|address| format!("{address}\n")).collect();
        let path = self.addresses_file();
        std::fs::write(&path, text).map_err(|source| Error::UseFolder { path, source })
    }

    /// The addresses that were kept; none where they cannot be read.
    pub(super) fn addresses(&self) -> Vec<IpAddr> {
        let text = std::fs::read_to_string(self.addresses_file()).unwrap_or_default();
        text.lines().filter_map(|line| line.parse().ok()).collect()
    }

    /// Takes away what was put here; absence is success.
    pub(super) fn clear(&self) {
        for path in [self.qmp(), self.serial(), self.console(), self.agent(), self.addresses_file()] {
            match std::fs::remove_file(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => tracing::warn!(%error, path = %path.display(), "a file of a machine is left"),
            }
        }
    }
}

/// A socket that listens here, for its owner alone.
pub(super) fn listen(path: &Path) -> Result<OwnedFd, Error> {
    if path.as_os_str().as_bytes().len() > super::error::MAX_SOCKET_PATH {
        return Err(Error::SocketPath { path: path.to_owned() });
    }
    let failed = |source| Error::Listen { path: path.to_owned(), source };
    let listener = UnixListener::bind(path).map_err(failed)?;
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o600)).map_err(failed)?;
    Ok(listener.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_the_kernel_would_refuse_is_refused_with_its_length() {
        let folder = tempfile::tempdir().unwrap();
        let long = folder.path().join("x".repeat(120));
        assert!(matches!(listen(&long), Err(Error::SocketPath { .. })));
    }

    #[test]
    fn addresses_are_kept_until_the_folder_is_cleared() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Folder(folder.path().into());
        let addresses = ["10.0.2.15".parse().unwrap(), "10.0.3.15".parse().unwrap()];
        folder.keep_addresses(&addresses).unwrap();
        assert_eq!(folder.addresses(), addresses);
        let _socket = listen(&folder.qmp()).unwrap();
        folder.clear();
        folder.clear();
        assert!(folder.addresses().is_empty() && !folder.qmp().exists());
    }
}
