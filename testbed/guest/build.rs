//! Builds the guest, a program that runs on no operating system, so that `weft-guest` can carry it.
//!
//! The compiler that builds this crate builds it too, for the same target, without the standard library and
//! without SSE: some hosts' KVM emulates guest code, and emulates none of that. A compiler that refuses to
//! do without SSE builds a guest that runs on all other hosts.

#![expect(clippy::disallowed_methods, reason = "cargo speaks to build scripts by the environment")]

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

const PROGRAM: &str = "program/main.rs";
const LAYOUT: &str = "program/layout.ld";

fn main() {
    println!("cargo::rerun-if-changed=program");
    let out = PathBuf::from(asked("OUT_DIR")).join("guest.elf");
    println!("cargo::rustc-env=WEFT_GUEST_ELF={}", out.display());
    if asked("CARGO_CFG_TARGET_ARCH") != "x86_64" {
        return;
    }
    if let Err(why) = build(&out, &["-C", "target-feature=-sse,-sse2"]) {
        println!("cargo::warning=the test guest uses SSE, which not every KVM emulates: {why}");
        if let Err(why) = build(&out, &[]) {
            println!("cargo::error=cannot build the test guest: {why}");
        }
    }
}

fn asked(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("cargo sets {name} for build scripts"))
}

fn build(out: &Path, features: &[&str]) -> Result<(), String> {
    let mut rustc = Command::new(asked("RUSTC"));
    rustc.args(["--edition", "2024", "--crate-name", "weft_tiny", "--crate-type", "bin"]);
    rustc.args(["--target", &asked("TARGET"), "-C", "opt-level=s", "-C", "panic=abort", "-C", "strip=symbols"]);
    rustc.args(["-C", "lto=fat", "-C", "codegen-units=1"]);
    rustc.args(["-C", "relocation-model=static", "-C", "no-redzone=y"]);
    rustc.args(features);
    let layout = format!("-Wl,-T,{}", Path::new(&asked("CARGO_MANIFEST_DIR")).join(LAYOUT).display());
    let page = "-Wl,-z,max-page-size=4096";
    for argument in ["-nostdlib", "-nostartfiles", "-static", "-no-pie", &layout, page, "-Wl,--build-id=none"] {
        rustc.arg("-C").arg(format!("link-arg={argument}"));
    }
    if let Ok(linker) = env::var("RUSTC_LINKER") {
        rustc.arg("-C").arg(format!("linker={linker}"));
    }
    rustc.arg("-o").arg(out).arg(PROGRAM);
    let output = rustc.output().map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    Err(words.lines().find(|line| line.starts_with("error")).unwrap_or("rustc failed").to_owned())
}
