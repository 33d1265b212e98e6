//! Packages of a Debian or Ubuntu host: downloaded and unpacked, never installed.
//!
//! The host's own package lists are asked first. Where they know nothing, or are too old, fresh lists are
//! fetched into the working folder, which needs no rights on the host. Always holds: what is unpacked was
//! verified by apt against the host's archive keys; nothing outside the working folder changes.

use crate::error::Error;
use crate::programs::Programs;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A package that can be downloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Package {
    name: String,
    size: u64,
}

/// A working folder with what apt is to look at.
#[derive(Debug)]
pub(crate) struct Apt<'a> {
    programs: &'a Programs,
    dir: PathBuf,
    options: Vec<String>,
}

/// A kernel with its modules is at most this many packages.
const MOST: usize = 6;

impl<'a> Apt<'a> {
    /// Works in `dir`, with the host's own lists.
    pub(crate) fn new(programs: &'a Programs, dir: &Path) -> Self {
        Self { programs, dir: dir.to_owned(), options: Vec::new() }
    }

    /// Downloads the first of `names` that is known, with the kernel packages it depends on, and unpacks
    /// all into one folder. `watch` is told the bytes that came and the bytes to come.
    pub(crate) fn unpack(&mut self, names: &[String], watch: &mut dyn FnMut(u64, u64)) -> Result<PathBuf, Error> {
        match self.attempt(names, watch) {
            Err(Error::PackageUnknown { .. } | Error::ProgramFailed { .. }) if self.options.is_empty() => {
                self.fresh_lists()?;
                self.attempt(names, watch)
            }
            done => done,
        }
    }

    fn attempt(&self, names: &[String], watch: &mut dyn FnMut(u64, u64)) -> Result<PathBuf, Error> {
        let mut unknown = Error::PackageUnknown { package: names.first().cloned().unwrap_or_default() };
        for name in names {
            match self.closure(name) {
                Ok(packages) => return self.fetch(name, &packages, watch),
                Err(error @ Error::PackageUnknown { .. }) => unknown = error,
                Err(other) => return Err(other),
            }
        }
        Err(unknown)
    }

    /// The package and the kernel packages that it depends on.
    fn closure(&self, name: &str) -> Result<Vec<Package>, Error> {
        let mut packages: Vec<Package> = Vec::new();
        let mut asked = vec![name.to_owned()];
        while let Some(name) = asked.pop() {
            if packages.len() == MOST || packages.iter().any(|package| package.name == name) {
                continue;
            }
            let shown = self.apt("apt-cache", &["show", "--no-all-versions", &name], &mut || {});
            let text = match shown {
                Ok(text) if !text.trim().is_empty() => text,
                Ok(_) | Err(Error::ProgramFailed { .. }) => return Err(Error::PackageUnknown { package: name }),
                Err(other) => return Err(other),
            };
            let (size, depends) = read(&text);
            packages.push(Package { name, size });
            asked.extend(depends);
        }
        Ok(packages)
    }

    fn fetch(&self, name: &str, packages: &[Package], watch: &mut dyn FnMut(u64, u64)) -> Result<PathBuf, Error> {
        let dir = self.dir.join(format!("download-{name}"));
        fs::create_dir_all(&dir).map_err(Error::file("make", &dir))?;
        let total = packages.iter().map(|package| package.size).sum();
        let mut command = Command::new("apt-get");
        command.args(&self.options).args(["-o", "APT::Sandbox::User=", "download"]).current_dir(&dir);
        command.args(packages.iter().map(|package| &package.name));
        self.programs.run(&mut command, &mut || watch(size_of(&dir), total))?;
        let tree = self.dir.join(format!("tree-{name}"));
        for entry in fs::read_dir(&dir).map_err(Error::file("list", &dir))?.flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|ending| ending == "deb") {
                self.programs.run(Command::new("dpkg-deb").arg("-x").arg(&path).arg(&tree), &mut || {})?;
            }
        }
        Ok(tree)
    }

    /// Fetches the host's package lists into the working folder.
    fn fresh_lists(&mut self) -> Result<(), Error> {
        let (lists, cache) = (self.dir.join("lists"), self.dir.join("cache"));
        for dir in [lists.join("partial"), cache.join("archives/partial")] {
            fs::create_dir_all(&dir).map_err(Error::file("make", &dir))?;
        }
        let options = [
            format!("Dir::State::Lists={}", lists.display()),
            format!("Dir::Cache={}", cache.display()),
            "APT::Sandbox::User=".to_owned(),
        ];
        self.options = options.into_iter().flat_map(|option| ["-o".to_owned(), option]).collect();
        self.apt("apt-get", &["update"], &mut || {}).map(drop)
    }

    fn apt(&self, program: &str, arguments: &[&str], tick: &mut dyn FnMut()) -> Result<String, Error> {
        self.programs.run(Command::new(program).args(&self.options).args(arguments), tick)
    }
}

/// The size of a package and the kernel packages that it depends on, from what `apt-cache show` writes.
fn read(shown: &str) -> (u64, Vec<String>) {
    let field = |key: &str| shown.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default().trim();
    let size = field("Size:").parse().unwrap_or(0);
    let names = field("Depends:").split(',').filter_map(|one| one.split_whitespace().next());
    let kernels = names.filter(|name| {
        (name.starts_with("linux-image-") || name.starts_with("linux-modules-")) && !name.contains("-extra-")
    });
    (size, kernels.map(str::to_owned).collect())
}

fn size_of(dir: &Path) -> u64 {
    fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.metadata().ok())
        .map(|meta| meta.len())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metapackage_leads_to_its_kernel() {
        let shown = "Package: linux-image-cloud-amd64\nSize: 1504\n\
                     Depends: linux-image-6.1.0-44-cloud-amd64 (= 6.1.170-1)\n";
        assert_eq!(read(shown), (1504, vec!["linux-image-6.1.0-44-cloud-amd64".to_owned()]));
        let shown =
            "Depends: kmod, linux-base (>= 4.5), linux-modules-6.8.0-31-generic | x, linux-modules-extra-6.8.0\n";
        assert_eq!(read(shown), (0, vec!["linux-modules-6.8.0-31-generic".to_owned()]));
        assert_eq!(read(""), (0, vec![]));
    }
}
