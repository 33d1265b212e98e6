//! Manifests, paths and new files that the caller names, seen from the caller's folder.

use crate::{Error, Terminal};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};
use tempfile::NamedTempFile;
use tokio::io::AsyncReadExt;

/// The largest manifest, in bytes.
const MAX_MANIFEST: u64 = 4 << 20;

/// The text of a manifest; `-` reads standard input.
pub(crate) async fn manifest(terminal: &mut Terminal, path: &Path) -> Result<String, Error> {
    let mut text = String::new();
    let read = if path.as_os_str() == "-" {
        (&mut terminal.input).take(MAX_MANIFEST + 1).read_to_string(&mut text).await
    } else {
        match tokio::fs::File::open(terminal.folder.join(path)).await {
            Ok(file) => file.take(MAX_MANIFEST + 1).read_to_string(&mut text).await,
            Err(why) => Err(why),
        }
    };
    let too_large = || io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {MAX_MANIFEST} bytes"));
    let checked = read.and_then(|_| if text.len() as u64 > MAX_MANIFEST { Err(too_large()) } else { Ok(()) });
    checked.map_err(|source| Error::ReadFile { path: path.to_owned(), source })?;
    Ok(text)
}

/// A file that is being written under another name, and takes its own when it is whole. Dropped before, it leaves
/// nothing, and what bore its name before is as it was.
pub(crate) struct Draft {
    file: NamedTempFile,
    /// As the caller named it.
    named: PathBuf,
    path: PathBuf,
}

/// A file of this name that is about to be written.
pub(crate) fn draft(folder: &Path, named: &Path) -> Result<Draft, Error> {
    let path = folder.join(named);
    let refused = |source| Error::WriteFile { path: named.to_owned(), source };
    // Something takes a pipe's or a device's place by its name, and nobody who reads it would know.
    if path.metadata().is_ok_and(|there| !there.is_file()) {
        let why = "it is there and no plain file; - writes to standard output";
        return Err(refused(io::Error::new(io::ErrorKind::InvalidInput, why)));
    }
    let beside = path.parent().unwrap_or(folder);
    // The caller's mask applies, as to any file that is made.
    let open_to_all = std::fs::Permissions::from_mode(0o666);
    let file = tempfile::Builder::new().prefix(".weft-").permissions(open_to_all).tempfile_in(beside);
    Ok(Draft { file: file.map_err(refused)?, named: named.to_owned(), path })
}

impl Draft {
    fn failed(named: &Path, source: io::Error) -> Error {
        Error::WriteFile { path: named.to_owned(), source }
    }

    /// Adds to it.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.file.write_all(bytes).map_err(|why| Self::failed(&self.named, why))
    }

    /// It is whole: puts it on the disk under its name.
    pub(crate) fn keep(self) -> Result<(), Error> {
        let Self { file, named, path } = self;
        file.as_file().sync_all().map_err(|why| Self::failed(&named, why))?;
        file.persist(path).map(drop).map_err(|why| Self::failed(&named, why.error))
    }
}

/// A path as the server must see it: absolute, without `.` and `..` where the caller's was relative.
pub(crate) fn absolute(folder: &Path, path: PathBuf) -> PathBuf {
    if path.is_absolute() || path.as_os_str().is_empty() {
        return path;
    }
    let mut whole = folder.to_owned();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                whole.pop();
            }
            Component::Normal(name) => whole.push(name),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_are_seen_from_the_callers_folder() {
        let folder = Path::new("/home/me");
        for (given, seen) in [
            ("vmlinux", "/home/me/vmlinux"),
            ("./a/../vmlinux", "/home/me/vmlinux"),
            ("../you/x", "/home/you/x"),
            ("../../../../x", "/x"),
            ("/srv/../etc/x", "/srv/../etc/x"),
        ] {
            assert_eq!(absolute(folder, given.into()), PathBuf::from(seen), "{given}");
        }
    }
}
