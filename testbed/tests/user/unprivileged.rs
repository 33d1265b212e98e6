//! A user without rights: everything from doctor to down, in folders of their own.

use crate::{found, search, well, words};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;
use weft_testbed::daemon::{end_all_naming, program};
use weft_testbed::need_guest;

/// Who is nobody everywhere.
const NOBODY: u32 = 65_534;

/// Somebody with a home, a program, and no rights.
struct Person {
    folder: TempDir,
    daemon: Option<Child>,
}

impl Person {
    /// One, or why there can be none.
    fn new() -> Result<Self, &'static str> {
        if !rustix::process::geteuid().is_root() {
            return Err("only root can become another user");
        }
        if !found("setpriv") {
            return Err("no setpriv in PATH");
        }
        let folder = tempfile::Builder::new().prefix("weft-").tempdir().expect("a folder");
        let open =
            |path: &Path| std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("opened");
        let copy = folder.path().join("weft");
        std::fs::copy(program(), &copy).expect("a copy that everybody may run");
        open(folder.path());
        open(&copy);
        let home = folder.path().join("home");
        std::fs::create_dir(&home).expect("a home");
        std::os::unix::fs::chown(&home, Some(NOBODY), Some(NOBODY)).expect("given");
        Ok(Self { folder, daemon: None })
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// weft as this person, with these variables and no others.
    fn weft(&self, variables: &[String]) -> Command {
        let mut command = Command::new("setpriv");
        let id = NOBODY.to_string();
        command.args(["--reuid", &id, "--regid", &id, "--clear-groups", "env", "-i"]);
        command.arg(format!("PATH={}", search().display())).args(variables);
        command.arg(self.folder.path().join("weft")).current_dir("/");
        command
    }

    fn at_home(&self) -> Command {
        self.weft(&[format!("HOME={}", self.home().display())])
    }

    /// Starts weft and answers where it listens.
    fn up(&mut self) -> String {
        let mut command = self.at_home();
        command.args(["up", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("weft up");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        self.daemon = Some(child);
        let url = line.split(' ').find(|word| word.starts_with("http://"));
        url.unwrap_or_else(|| panic!("weft is not up: {line}")).to_owned()
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        if let Some(mut child) = self.daemon.take() {
            // It may have ended, as it should.
            let _ = child.kill();
            let _ = child.wait();
        }
        end_all_naming(&self.home());
    }
}

/// Root's own folders, and when each was last changed.
fn of_root() -> Vec<Option<i64>> {
    let folders = ["/var/lib/weft", "/run/weft", "/var/cache/weft", "/etc/weft", "/tmp/weft"];
    folders.iter().map(|folder| std::fs::metadata(folder).ok().map(|found| found.mtime())).collect()
}

fn owners(folder: &Path, found: &mut Vec<(PathBuf, u32)>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, metadata) = (entry.path(), entry.metadata().expect("it is there"));
        found.push((path.clone(), metadata.uid()));
        if metadata.is_dir() {
            owners(&path, found);
        }
    }
}

#[test]
fn a_user_without_rights_does_everything_in_their_own_folders() {
    need_guest!();
    let mut person = match Person::new() {
        Ok(person) => person,
        Err(why) => return println!("skipped: {why}"),
    };
    let before = of_root();
    let said = well(person.at_home().arg("doctor"));
    assert!(said.contains(&format!("weft runs as user {NOBODY}")), "{said}");

    let url = person.up();
    let weft = |words: &[&str]| well(person.at_home().args(["--server", &url, "--timeout", "3m"]).args(words));
    weft(&["vm", "create", "demo"]);
    weft(&["vm", "boot", "demo"]);
    weft(&["vm", "wait", "demo", "--for", "Ready"]);
    let shown = weft(&["vm", "get", "demo"]);
    let confined = shown.lines().find(|line| line.trim_start().starts_with("Confined")).unwrap_or_default();
    assert!(confined.contains("no") && confined.contains("cgroups"), "it says why not: {shown}");
    assert!(weft(&["vm", "logs", "demo"]).contains("weft-guest: ready demo"));
    weft(&["vm", "shutdown", "demo"]);
    weft(&["vm", "delete", "demo"]);

    let state = person.home().join(".local/state/weft");
    assert_eq!(std::fs::read_dir(state.join("vms")).expect("a folder").count(), 0, "nothing is left of the VM");
    assert!(person.home().join(".cache/weft/images").is_dir(), "the image is kept in the cache");
    assert!(well(person.at_home().arg("down")).contains("weft is down"));
    let mut found = Vec::new();
    owners(&person.home(), &mut found);
    assert!(found.iter().all(|(_, owner)| *owner == NOBODY), "{found:?}");
    assert_eq!(of_root(), before, "root's folders were not touched");
}

#[test]
fn a_user_without_a_home_is_told_what_to_give() {
    let person = match Person::new() {
        Ok(person) => person,
        Err(why) => return println!("skipped: {why}"),
    };
    let refused = person.weft(&[]).args(["config", "print"]).output().expect("run");
    assert!(!refused.status.success() && words(&refused).contains("--data-dir"), "{}", words(&refused));
    let data = person.home().join("all");
    well(person.weft(&[]).args(["config", "check", "--data-dir"]).arg(&data));
    let runtime = format!("XDG_RUNTIME_DIR={}", person.home().display());
    let said = well(person.weft(&[format!("HOME={}", person.home().display()), runtime]).args(["config", "print"]));
    assert!(said.contains(&format!("run_dir = \"{}/weft\"", person.home().display())), "{said}");
}
