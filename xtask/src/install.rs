//! Puts weft on this machine, and takes exactly that away again.
//!
//! Building happens as whoever calls; only placing the files is done as root,
//! through sudo where that is needed. What was placed is written to a list
//! under `PREFIX/share/weft`, and `uninstall` removes what the list names:
//! never state, and never a configuration file that was changed. Nothing is
//! enabled or started. A prefix of one user's own gets no unit and no `/etc`.

mod manifest;

use crate::shell;
use crate::tree::Tree;
use anyhow::{Context, Result, bail};
use manifest::{Entry, Manifest};
use std::fs::Permissions;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the configuration of a machine lies; the unit names it.
const CONFIGURATION: &str = "/etc/weft/weft.toml";

/// Where to.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// As `/usr/local`.
    pub(crate) prefix: PathBuf,
    /// What stands before every path while packaging; empty otherwise.
    pub(crate) destdir: PathBuf,
}

impl Target {
    /// `path` of the installed system, as it is reached now.
    fn now(&self, path: &Path) -> PathBuf {
        if self.destdir.as_os_str().is_empty() {
            return path.to_owned();
        }
        self.destdir.join(path.strip_prefix("/").unwrap_or(path))
    }

    fn list(&self) -> PathBuf {
        self.prefix.join("share/weft/installed")
    }

    /// Whether the prefix is the whole machine's, so that it gets a unit.
    fn is_system(&self) -> bool {
        self.prefix.starts_with("/usr")
    }

    fn arguments(&self) -> [PathBuf; 4] {
        ["--prefix".into(), self.prefix.clone(), "--destdir".into(), self.destdir.clone()]
    }
}

/// One file to place.
struct Placing {
    to: PathBuf,
    bytes: Vec<u8>,
    mode: u32,
    /// Whether it is the owner's to change: never overwritten.
    configuration: bool,
}

impl Placing {
    fn entry(&self) -> Entry {
        let to = self.to.clone();
        if self.configuration { Entry::Configuration(to) } else { Entry::File(to) }
    }
}

/// Builds a release and places it.
pub(crate) fn install(tree: &Tree, target: &Target) -> Result<()> {
    shell::say_and_run(tree.cargo().args(["build", "--release", "--package", "weft"]))?;
    let binary = tree.target()?.join("release/weft");
    as_root_if_denied(tree, place(tree, target, &binary), || {
        let mut arguments = vec!["place".into(), "--binary".into(), binary.clone()];
        arguments.extend(target.arguments());
        arguments
    })?;
    println!("installed under {}", target.now(&target.prefix).display());
    if target.is_system() && target.destdir.as_os_str().is_empty() {
        println!("to run it as a service: systemctl daemon-reload && systemctl enable --now weft");
    }
    Ok(())
}

/// Places what `install` built.
///
/// The list is written first, so that an installation that breaks off can be
/// taken away too.
pub(crate) fn place(tree: &Tree, target: &Target, binary: &Path) -> Result<()> {
    let plan = plan(tree, target, binary)?;
    let list = target.now(&target.list());
    let old = Manifest::read(&list)?;
    let mut new = Manifest::default();
    new.keep_folders_of(&old);
    let listed = Entry::File(target.list());
    let entries = plan.iter().map(Placing::entry).chain([listed]);
    for entry in entries {
        let folders = missing_folders(&target.now(entry.path()));
        folders.iter().for_each(|folder| new.add(Entry::Folder(without(folder, &target.destdir))));
        new.add(entry);
    }
    write(&list, old.with(&new).text().as_bytes(), 0o644)?;
    for placing in &plan {
        let to = target.now(&placing.to);
        if !(placing.configuration && to.exists()) {
            write(&to, &placing.bytes, placing.mode)?;
        }
    }
    for gone in old.files().filter(|file| !new.files().any(|kept| kept == *file)) {
        remove(&target.now(gone))?;
    }
    write(&list, new.text().as_bytes(), 0o644)
}

/// Removes what is on the list, and then the list.
pub(crate) fn uninstall(tree: &Tree, target: &Target) -> Result<()> {
    let list = target.now(&target.list());
    if !list.exists() {
        println!("nothing of weft is installed under {}", target.now(&target.prefix).display());
        return Ok(());
    }
    as_root_if_denied(tree, take_away(tree, target, &list), || {
        let mut arguments = vec!["uninstall".into()];
        arguments.extend(target.arguments());
        arguments
    })
}

fn take_away(tree: &Tree, target: &Target, list: &Path) -> Result<()> {
    let manifest = Manifest::read(list)?;
    let untouched = tree.read(Path::new("deploy/weft.toml"))?;
    for file in manifest.files() {
        remove(&target.now(file))?;
    }
    for file in manifest.configurations().map(|file| target.now(file)) {
        match std::fs::read_to_string(&file) {
            Ok(text) if text == untouched => remove(&file)?,
            Ok(_) => println!("kept {}, which was changed", file.display()),
            Err(_) => {}
        }
    }
    remove(list)?;
    for folder in manifest.folders_inmost_first() {
        // A folder that others use by now is not ours to remove.
        drop(std::fs::remove_dir(target.now(folder)));
    }
    println!("uninstalled; state, cache and virtual machines were not touched");
    Ok(())
}

/// Every file, with its place.
fn plan(tree: &Tree, target: &Target, binary: &Path) -> Result<Vec<Placing>> {
    let prefix = &target.prefix;
    let mut plan = vec![placing(binary, prefix.join("bin/weft"), 0o755)?];
    for page in tree.files_ending("1")?.iter().filter(|page| page.starts_with("docs/man")) {
        let name = page.file_name().context("a man page without a name")?;
        plan.push(placing(&tree.join(page), prefix.join("share/man/man1").join(name), 0o644)?);
    }
    for (name, to) in [
        ("weft.bash", "share/bash-completion/completions/weft"),
        ("_weft", "share/zsh/site-functions/_weft"),
        ("weft.fish", "share/fish/vendor_completions.d/weft.fish"),
    ] {
        let from = tree.join("deploy/completions").join(name);
        plan.push(placing(&from, prefix.join(to), 0o644)?);
    }
    if target.is_system() {
        let mut unit =
            placing(&tree.join("deploy/weft.service"), prefix.join("lib/systemd/system/weft.service"), 0o644)?;
        let text = String::from_utf8(unit.bytes).context("the unit is no text")?;
        unit.bytes = text.replace("/usr/local/bin/weft", &prefix.join("bin/weft").to_string_lossy()).into();
        plan.push(unit);
        let configuration = placing(&tree.join("deploy/weft.toml"), CONFIGURATION.into(), 0o644)?;
        plan.push(Placing { configuration: true, ..configuration });
    }
    Ok(plan)
}

fn placing(from: &Path, to: PathBuf, mode: u32) -> Result<Placing> {
    let bytes = std::fs::read(from).with_context(|| format!("read {}", from.display()))?;
    Ok(Placing { to, bytes, mode, configuration: false })
}

/// The folders above `path` that are not there yet, outmost first.
fn missing_folders(path: &Path) -> Vec<PathBuf> {
    let mut missing: Vec<PathBuf> =
        path.ancestors().skip(1).take_while(|folder| !folder.exists()).map(Path::to_owned).collect();
    missing.reverse();
    missing
}

fn without(path: &Path, destdir: &Path) -> PathBuf {
    match path.strip_prefix(destdir) {
        Ok(rest) if !destdir.as_os_str().is_empty() => Path::new("/").join(rest),
        _ => path.to_owned(),
    }
}

/// Writes beside and renames, since the program in place may be running.
fn write(to: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let folder = to.parent().context("a file without a folder")?;
    let mut beside = to.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&beside, bytes))
        .and_then(|()| std::fs::set_permissions(&beside, Permissions::from_mode(mode)))
        .and_then(|()| std::fs::rename(&beside, to))
        .with_context(|| format!("write {}", to.display()))
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Runs this program again under sudo when `tried` failed for want of rights.
fn as_root_if_denied(tree: &Tree, tried: Result<()>, arguments: impl Fn() -> Vec<PathBuf>) -> Result<()> {
    let Err(error) = tried else { return Ok(()) };
    let denied = error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == ErrorKind::PermissionDenied);
    let is_root = shell::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim_ascii() == b"0");
    if !denied || is_root {
        return Err(error);
    }
    if shell::find_program("sudo").is_none() {
        bail!("{error:#}: run it as root, or choose a PREFIX of your own, as PREFIX=~/.local");
    }
    let mut own = std::ffi::OsString::from("CARGO_MANIFEST_DIR=");
    own.push(tree.join("xtask"));
    let program = std::env::current_exe().context("find this program")?;
    let mut sudo = Command::new("sudo");
    sudo.arg("env").arg(own).arg(program).args(arguments());
    shell::say_and_run(&mut sudo)
}

#[cfg(test)]
mod tests;
