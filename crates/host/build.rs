//! Builds the launcher, a program of its own, so that `weft-host` can carry it inside itself.
//!
//! It is linked statically, which makes its start cheap; where no static C library is installed it is
//! linked as usual. It has no dependency and needs nothing but the compiler that builds this crate.

#![expect(clippy::disallowed_methods, reason = "cargo speaks to build scripts by the environment")]

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

const FOLDER: &str = "launcher";
const SOURCE: &str = "launcher/main.rs";

fn main() {
    println!("cargo::rerun-if-changed={FOLDER}");
    let out = PathBuf::from(asked("OUT_DIR")).join("launcher");
    if let Err(why) = build(&out, true) {
        println!("cargo::warning=the launcher is linked dynamically, which makes starting VMs slower: {why}");
        if let Err(why) = build(&out, false) {
            println!("cargo::error=cannot build the launcher: {why}");
        }
    }
}

fn asked(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("cargo sets {name} for build scripts"))
}

fn build(out: &Path, fixed: bool) -> Result<(), String> {
    let mut rustc = Command::new(asked("RUSTC"));
    rustc.args(["--edition", "2024", "--crate-name", "weft_launcher", "--crate-type", "bin"]);
    rustc.args(["--target", &asked("TARGET"), "-C", "opt-level=s", "-C", "panic=abort", "-C", "strip=symbols"]);
    if fixed {
        rustc.args(["-C", "target-feature=+crt-static", "-C", "relocation-model=static"]);
    }
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
