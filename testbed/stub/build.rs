//! Builds the stub, a program of its own, so that this crate can carry it inside itself.
//!
//! It is linked statically, which keeps it small in memory and quick to start; where no static C library is
//! installed it is linked as usual.

#![expect(clippy::disallowed_methods, reason = "cargo speaks to build scripts by the environment")]

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

const FOLDER: &str = "program";
const SOURCE: &str = "program/main.rs";

fn main() {
    println!("cargo::rerun-if-changed={FOLDER}");
    let out = PathBuf::from(asked("OUT_DIR")).join("weft-stub");
    if let Err(why) = build(&out, &["-C", "target-feature=+crt-static", "-C", "relocation-model=static"]) {
        println!("cargo::warning=the stub is linked dynamically, which makes it larger in memory: {why}");
        if let Err(why) = build(&out, &[]) {
            println!("cargo::error=cannot build the stub: {why}");
        }
    }
}

fn asked(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("cargo sets {name} for build scripts"))
}

fn build(out: &Path, linkage: &[&str]) -> Result<(), String> {
    let mut rustc = Command::new(asked("RUSTC"));
    rustc.args(["--edition", "2024", "--crate-name", "weft_stub", "--crate-type", "bin"]);
    rustc.args(["--target", &asked("TARGET"), "-C", "opt-level=s", "-C", "panic=abort", "-C", "strip=symbols"]);
    rustc.args(linkage);
    if let Ok(linker) = env::var("RUSTC_LINKER") {
        rustc.args(["-C", &format!("linker={linker}")]);
    }
    rustc.arg("-o").arg(out).arg(SOURCE);
    let output = rustc.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    Err(words.lines().find(|line| line.contains("error")).unwrap_or("rustc failed").to_owned())
}
