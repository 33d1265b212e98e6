//! Rules on files and packages: each file has a syntax and a package, the
//! package is lower_snake, versioned, and is the folder that the file lies in.

use super::names::is_lower_snake;
use super::place::{Lint, field};
use protox::prost_reflect::FileDescriptor;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Rules on one file.
pub(crate) fn judge(file: &FileDescriptor, lint: &mut Lint) {
    let package = file.package_name();
    let path = Path::new(file.name());
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("");
    if !is_lower_snake(stem) {
        lint.refuse("FILE_LOWER_SNAKE_CASE", file, &[], "the file's name is not lower_snake");
    }
    if file.file_descriptor_proto().syntax.as_deref().unwrap_or("").is_empty() {
        lint.refuse("SYNTAX_SPECIFIED", file, &[field::SYNTAX], "says no syntax");
    }
    if package.is_empty() {
        return lint.refuse("PACKAGE_DEFINED", file, &[], "names no package");
    }
    let folder = path.parent().and_then(Path::to_str).unwrap_or("").replace('/', ".");
    if folder != package {
        let what = format!("package {package} lies in {folder}: it belongs in {}", package.replace('.', "/"));
        lint.refuse("PACKAGE_DIRECTORY_MATCH", file, &[field::PACKAGE], what);
    }
    if !package.split('.').all(is_lower_snake) {
        let what = format!("package {package} is not lower_snake");
        lint.refuse("PACKAGE_LOWER_SNAKE_CASE", file, &[field::PACKAGE], what);
    }
    if !package.rsplit('.').next().is_some_and(is_version) {
        let what = format!("package {package} does not end in a version, as v1 or v1beta1");
        lint.refuse("PACKAGE_VERSION_SUFFIX", file, &[field::PACKAGE], what);
    }
}

/// Rules on all files together.
pub(crate) fn judge_together(files: &[FileDescriptor], lint: &mut Lint) {
    let mut folders: BTreeMap<&Path, BTreeSet<&str>> = BTreeMap::new();
    for file in files {
        let folder = Path::new(file.name()).parent().unwrap_or(Path::new(""));
        folders.entry(folder).or_default().insert(file.package_name());
    }
    for file in files {
        let folder = Path::new(file.name()).parent().unwrap_or(Path::new(""));
        let packages = &folders[folder];
        if packages.len() > 1 {
            let all: Vec<&str> = packages.iter().copied().collect();
            let what = format!("one folder holds the packages {}", all.join(", "));
            lint.refuse("DIRECTORY_SAME_PACKAGE", file, &[field::PACKAGE], what);
        }
    }
}

/// `v1`, `v2alpha`, `v1beta3`, `v1test…`, `v1p1beta1`.
fn is_version(part: &str) -> bool {
    let Some(rest) = part.strip_prefix('v') else { return false };
    let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    if after.len() == rest.len() || rest.starts_with('0') {
        return false;
    }
    let after = after
        .strip_prefix('p')
        .filter(|p| p.starts_with(|c: char| c.is_ascii_digit()))
        .map_or(after, |patch| patch.trim_start_matches(|c: char| c.is_ascii_digit()));
    let stage = after.trim_end_matches(|c: char| c.is_ascii_digit());
    after.is_empty() || after.starts_with("test") || matches!(stage, "alpha" | "beta")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        for good in ["v1", "v12", "v1beta1", "v2alpha", "v1p1beta1", "v1test7"] {
            assert!(is_version(good), "{good}");
        }
        for bad in ["v", "v0", "1", "version1", "v1gamma", "vm"] {
            assert!(!is_version(bad), "{bad}");
        }
    }
}
