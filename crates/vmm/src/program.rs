//! A VMM's program: where it is, and what it needs beside itself to be executed.

use object::elf::PT_INTERP;
use object::read::elf::{FileHeader, ProgramHeader};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// How much of a program is looked at; its table of segments is in there.
const HEAD: u64 = 64 * 1024;
/// Where a system keeps its shared libraries.
const LIBRARIES: [&str; 5] = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib"];

/// A program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    /// The file.
    pub(crate) path: PathBuf,
    /// Folders that it reads before it runs: those of its libraries, none where it is linked statically.
    pub(crate) folders: Vec<PathBuf>,
}

impl Program {
    /// Looks at a program. One that cannot be read as ELF is taken to need libraries.
    pub(crate) fn inspect(path: &Path) -> Self {
        let dynamic = head(path).ok().and_then(|bytes| needs_loader(&bytes)).unwrap_or(true);
        let folders = if dynamic { LIBRARIES.map(PathBuf::from).into_iter().collect() } else { Vec::new() };
        let folders = folders.into_iter().filter(|folder: &PathBuf| folder.is_dir()).collect();
        Self { path: path.to_owned(), folders }
    }

    /// The program needs this folder as well, where the host has it.
    pub(crate) fn with_folder(mut self, folder: &str) -> Self {
        let folder = PathBuf::from(folder);
        if folder.is_dir() && !self.folders.iter().any(|known| folder.starts_with(known)) {
            self.folders.push(folder);
        }
        self
    }
}

/// The program of this name in the first of these folders that has it, or the one that is given.
pub(crate) fn find(given: Option<&Path>, search: &[PathBuf], name: &str) -> Option<PathBuf> {
    match given {
        Some(path) => is_program(path).then(|| path.to_owned()),
        None => search.iter().map(|folder| folder.join(name)).find(|path| is_program(path)),
    }
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

fn head(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(HEAD).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether the kernel starts another program, the loader, to execute this one; `None` for no ELF.
fn needs_loader(bytes: &[u8]) -> Option<bool> {
    let header = object::elf::FileHeader64::<object::Endianness>::parse(bytes).ok()?;
    let endian = header.endian().ok()?;
    let segments = header.program_headers(endian, bytes).ok()?;
    Some(segments.iter().any(|segment| segment.p_type(endian) == PT_INTERP))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_with_libraries_is_told_from_text() {
        let shell = Program::inspect(&std::fs::canonicalize("/bin/sh").unwrap());
        assert!(shell.folders.iter().any(|folder| folder.ends_with("lib")), "{shell:?}");
        assert_eq!(needs_loader(b"#!/bin/sh\n"), None);
        assert_eq!(needs_loader(b""), None);
    }

    #[test]
    fn the_first_folder_counts_and_a_given_path_is_taken_alone() {
        let folder = tempfile::tempdir().unwrap();
        let search = [folder.path().to_owned(), PathBuf::from("/bin")];
        assert_eq!(find(None, &search, "sh"), Some("/bin/sh".into()));
        assert_eq!(find(Some(&folder.path().join("sh")), &search, "sh"), None);
        std::fs::write(folder.path().join("sh"), "not a program").unwrap();
        assert_eq!(find(None, &search, "sh"), Some("/bin/sh".into()), "a file that cannot be executed is passed over");
    }
}
