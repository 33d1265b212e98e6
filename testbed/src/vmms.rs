//! Which VMM a test plays: the real program where one is found, else the stand-in that speaks its API.
//!
//! `WEFT_FIRECRACKER` and `WEFT_CLOUD_HYPERVISOR` name a program, the path is looked through else; so that a
//! run shows what was real, one line says what was found.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A program that plays a VMM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where it is.
    pub path: PathBuf,
    /// Whether it is the real one.
    pub real: bool,
}

/// Firecracker, or what stands in for it.
///
/// # Panics
/// Neither is there: `cargo build -p weft-standins`, or `cargo xtask test`, builds the stand-in.
#[must_use]
pub fn firecracker() -> Found {
    find("WEFT_FIRECRACKER", "firecracker")
}

/// Cloud Hypervisor, or what stands in for it.
///
/// # Panics
/// As [`firecracker`].
#[must_use]
pub fn cloud_hypervisor() -> Found {
    find("WEFT_CLOUD_HYPERVISOR", "cloud-hypervisor")
}

/// The stand-in of a program of this name, whether or not the real one is there.
///
/// # Panics
/// It was not built: `cargo build -p weft-standins`, or `cargo xtask test`, does.
#[must_use]
pub fn stand_in(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    let folder = test.parent().and_then(Path::parent).map(Path::to_owned).unwrap_or_default();
    let built = folder.join(format!("standin-{name}"));
    assert!(built.is_file(), "{} is not there: run `cargo build -p weft-standins` first", built.display());
    built
}

#[expect(clippy::print_stdout, reason = "a run shows which VMMs were real")]
fn find(variable: &str, name: &str) -> Found {
    let found = real(variable, name);
    match &found {
        Some(path) => println!("vmm {name}: real {}", version(path)),
        None => println!("vmm {name}: stand-in"),
    }
    let real = found.is_some();
    Found { path: found.unwrap_or_else(|| stand_in(name)), real }
}

#[expect(clippy::disallowed_methods, reason = "the testbed is run by hand and looks where its shell looks")]
fn real(variable: &str, name: &str) -> Option<PathBuf> {
    if let Some(path) = std::env::var_os(variable) {
        return Some(path.into());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
}

/// The version that a program tells of itself.
fn version(program: &Path) -> String {
    let output = Command::new(program).arg("--version").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().next().and_then(|line| line.split_whitespace().nth(1)).unwrap_or("of no version").to_owned()
}
