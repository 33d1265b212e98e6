//! The folders that weft stands on, as they were when it started: a person may take them away under it.
//!
//! Files that are open stay open when their folder goes, so that weft would go on writing into what nobody
//! sees. Whoever asks whether it is ready is told.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use weft_domain::{Fault, Reason};

/// What is looked at in the data folder, beside itself.
const PARTS: [&str; 4] = ["", "store", "store/state.redb", "journal"];

/// The data folder with what lasting state is in.
#[derive(Debug, Clone)]
pub(crate) struct Ground(Vec<(PathBuf, (u64, u64))>);

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    std::fs::metadata(path).map(|found| (found.dev(), found.ino()))
}

impl Ground {
    /// As it is now; what is not there yet is not looked at.
    pub(crate) fn of(data_dir: &Path) -> Self {
        let paths = PARTS.iter().map(|part| if part.is_empty() { data_dir.to_owned() } else { data_dir.join(part) });
        Self(paths.filter_map(|path| identity(&path).ok().map(|identity| (path, identity))).collect())
    }

    /// Whether it is what it was.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        let gone = self.0.iter().find_map(|(path, was)| match identity(path) {
            Ok(is) if is == *was => None,
            Ok(_) => Some(format!("{} is not the one that weft opened", path.display())),
            Err(why) => Some(format!("{} cannot be reached: {}", path.display(), why.kind())),
        });
        match gone {
            None => Ok(()),
            Some(what) => Err(Fault::new(
                Reason::HostRefused,
                format!(
                    "the data folder was taken away under weft: {what}; put it back, or stop weft and restore a backup"
                ),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_gone_or_another_is_told() {
        let place = tempfile::tempdir().expect("a folder");
        let data = place.path().join("data");
        std::fs::create_dir_all(data.join("store")).expect("made");
        let ground = Ground::of(&data);
        ground.check().expect("it is there");
        std::fs::rename(&data, place.path().join("away")).expect("moved");
        assert!(ground.check().is_err_and(|fault| fault.message.contains("cannot be reached")));
        std::fs::create_dir_all(data.join("store")).expect("made");
        assert!(ground.check().is_err_and(|fault| fault.message.contains("is not the one")));
        std::fs::remove_dir_all(&data).expect("removed");
        std::fs::rename(place.path().join("away"), &data).expect("put back");
        ground.check().expect("it is there again");
    }
}
