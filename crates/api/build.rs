//! Rust from the protos, without protoc: protox compiles every file under `proto/` into one
//! descriptor set (kept for reflection, strict JSON and documents), connectrpc-build writes the
//! messages, service traits and clients from it.

use buffa_codegen::{CodeGenConfig, MapRepr};
use std::error::Error;
use std::path::{Path, PathBuf};

#[expect(clippy::disallowed_methods, reason = "cargo tells a build script its folder in the environment")]
fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new("../../proto");
    println!("cargo:rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    collect(root, root, &mut files)?;
    files.sort();

    let mut compiler = protox::Compiler::new([root])?;
    compiler.include_source_info(true).include_imports(true);
    compiler.open_files(&files)?;
    let set = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo gives OUT_DIR")?).join("weft.binpb");
    std::fs::write(&set, compiler.encode_file_descriptor_set())?;

    // Sorted maps: the same message has the same bytes every time, on disk and under a hash.
    let mut messages = CodeGenConfig::default();
    messages.generate_json = true;
    messages.generate_with_setters = false;
    messages.emit_register_fn = false;
    messages.map_fields = vec![(".".to_owned(), MapRepr::BTreeMap)];
    let config = connectrpc_build::Config::new().buffa_config(messages).descriptor_set(&set).files(&files);
    config.include_file("proto.rs").compile()?;
    Ok(())
}

/// Every `.proto` below `dir`, named from `root`.
fn collect(root: &Path, dir: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else if path.extension().is_some_and(|e| e == "proto") {
            files.push(path.strip_prefix(root)?.to_owned());
        }
    }
    Ok(())
}
