//! Manifests and paths that the caller names, seen from the caller's folder.

use crate::{Error, Terminal};
use std::io;
use std::path::{Component, Path, PathBuf};
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
