//! Jails: whether this host can make any, what one may be, and what is shown in a living one.
//!
//! ```text
//!  probe  a jail like any other, around nothing: what it fails at is what this host lacks
//!  check  refuses what no jail can be with the field's name, before anything is started
//!  visit  a launcher shows and hides files in the mount namespace of a process
//! ```
//!
//! The kernel's side of it is in the launcher.

use super::launcher::{Launcher, Place};
use super::{endings, stat};
use crate::Error;
use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::OnceLock;
use weft_domain::{ClaimId, Time};
use weft_ports::processes::{Alive, Bind, Command, Confinement, Jail, Net, Proc, Rings, Showing};

/// A user whom nobody is, for a jail around nothing.
const NOBODY: u32 = 65_534;

/// Whether jails can be made here; if not, what is missing. Once one was made, that is kept.
pub(super) fn able(kept: &OnceLock<()>, launcher: &Launcher) -> Result<(), String> {
    if kept.get().is_none() {
        probe(launcher)?;
    }
    kept.get_or_init(|| ());
    Ok(())
}

/// Makes a jail around nothing.
pub(super) fn probe(launcher: &Launcher) -> Result<(), String> {
    if !rustix::process::geteuid().is_root() {
        return Err("weft does not run as root".to_owned());
    }
    let jail = Jail {
        uid: NOBODY,
        gid: NOBODY,
        // Always there; what is mounted on it is seen by the probe alone.
        root: "/proc".into(),
        binds: Vec::new(),
        devices: vec!["/dev/null".into()],
        net: Net::Own,
        proc: Proc::Own,
        rings: Rings::None,
    };
    let command = Command {
        claim: ClaimId::new(Time::from_millis(0), [0; 10]),
        program: PathBuf::new(),
        args: Vec::new(),
        fds: Vec::new(),
        log: "/dev/null".into(),
        dir: "/".into(),
        confinement: Confinement::default(),
        jail: Some(jail),
    };
    let place = Place { scope: None, boot_id: "", path_variable: OsStr::new(""), cgroups: &[], oom_score: 0 };
    let tried = launcher.spawn(&command, &place).and_then(|waiting| waiting.order(&[]));
    match tried {
        Ok(_) => Ok(()),
        Err(Error::Launch { step, why, .. }) => Err(format!("it cannot {step}: {why}")),
        Err(error) => Err(error.to_string()),
    }
}

/// Hides and shows files in the jail of a living process.
pub(super) fn visit(launcher: &Launcher, alive: &Alive, showing: &Showing) -> Result<(), Error> {
    binds(&showing.admit)?;
    showing.expel.iter().try_for_each(|path| place(path))?;
    let living = || stat::is_there(alive, &alive.boot_id).is_some_and(|stat| stat.is_living());
    let gone = || if showing.admit.is_empty() { Ok(()) } else { Err(Error::NotJailed { pid: alive.pid }) };
    let Some(pidfd) = endings::held(alive, &alive.boot_id).ok().flatten().filter(|_| living()) else { return gone() };
    let user = user_of(alive.pid).filter(|_| living()).ok_or(Error::NotJailed { pid: alive.pid })?;
    match launcher.visit(std::os::fd::AsFd::as_fd(&pidfd), user, showing) {
        Err(_) if !living() => gone(),
        answer => answer,
    }
}

/// The user and group of a process in a mount namespace of its own.
fn user_of(pid: u32) -> Option<(u32, u32)> {
    let mounts = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/mnt")).ok();
    if mounts(&pid.to_string())? == mounts("self")? {
        return None;
    }
    stat::user_of(pid)
}

/// Whether this can be a command with a jail.
pub(super) fn check(command: &Command) -> Result<(), Error> {
    let Some(jail) = &command.jail else { return Ok(()) };
    if [jail.uid, jail.gid].iter().any(|id| matches!(*id, 0 | u32::MAX)) {
        return Err(refused(
            "jail.uid",
            format!("must be a user and group other than root, not {}:{}", jail.uid, jail.gid),
        ));
    }
    if !jail.root.is_absolute() || jail.root.parent().is_none() {
        return Err(refused("jail.root", format!("must be a folder of weft's, not {}", jail.root.display())));
    }
    for (name, path) in [("program", &command.program), ("dir", &command.dir)] {
        if !path.is_absolute() {
            return Err(refused(name, format!("must be an absolute path inside the jail, not {}", path.display())));
        }
    }
    for device in &jail.devices {
        if !device.starts_with("/dev") {
            return Err(refused("jail.devices", format!("must be under /dev, not {}", device.display())));
        }
    }
    if let Net::Named(path) = &jail.net
        && !path.is_absolute()
    {
        let why = format!("must be an absolute path, not {}", path.display());
        return Err(Error::Unusable { field: "vm.spec.network_namespace".to_owned(), why });
    }
    binds(&jail.binds)?;
    if jail.proc == Proc::Own && jail.binds.iter().any(|bind| bind.to.starts_with("/proc")) {
        return Err(refused("jail.binds", "/proc is taken by the jail's own".to_owned()));
    }
    apart(jail)
}

/// Whether these can be shown in a jail.
pub(super) fn binds(binds: &[Bind]) -> Result<(), Error> {
    for bind in binds {
        if !bind.from.is_absolute() {
            return Err(refused("jail.binds", format!("must be an absolute path, not {}", bind.from.display())));
        }
        place(&bind.to)?;
    }
    Ok(())
}

/// Whether this is a path at which something can be shown in a jail.
pub(super) fn place(to: &Path) -> Result<(), Error> {
    let mut parts = to.components();
    let rooted = parts.next() == Some(Component::RootDir);
    let names: Vec<_> = parts.collect();
    let plain = names.iter().all(|part| matches!(part, Component::Normal(_)));
    if rooted && plain && !names.is_empty() && !["/dev", "/proc"].contains(&to.to_string_lossy().as_ref()) {
        return Ok(());
    }
    Err(refused("jail.binds", format!("must be an absolute path without '..' inside the jail, not {}", to.display())))
}

fn apart(jail: &Jail) -> Result<(), Error> {
    let mut places: Vec<&PathBuf> = jail.binds.iter().map(|bind| &bind.to).chain(&jail.devices).collect();
    places.sort();
    // Sorted by their parts, what lies inside another follows it.
    match places.windows(2).find(|pair| pair[1].starts_with(pair[0])) {
        Some(pair) => Err(refused(
            "jail.binds",
            format!("must lie apart, but {} is {} or inside it", pair[1].display(), pair[0].display()),
        )),
        None => Ok(()),
    }
}

fn refused(name: &'static str, why: String) -> Error {
    Error::Setting { name, why }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_ports::processes::{Access, Net, conformance};

    fn jailed(places: &[&str]) -> Command {
        let binds = places.iter().map(|to| Bind { from: "/x".into(), to: to.into(), access: Access::Read }).collect();
        let jail = Jail {
            uid: 1,
            gid: 1,
            root: "/run/x".into(),
            binds,
            devices: vec!["/dev/null".into()],
            net: Net::Own,
            proc: Proc::Own,
            rings: Rings::None,
        };
        Command { jail: Some(jail), ..conformance::sleeper(Path::new("/")) }
    }

    #[test]
    fn binds_lie_apart_and_inside() {
        for good in [&[] as &[&str], &["/a", "/b"], &["/a/b", "/a/c"], &["/a", "/ab"], &["/dev/vda"]] {
            check(&jailed(good)).unwrap();
        }
        for bad in [
            &["/a", "/a"] as &[&str],
            &["/a", "/a/b"],
            &["/a/b", "/a-b", "/a"],
            &["/"],
            &["a"],
            &["/a/../b"],
            &["/dev"],
            &["/dev/null"],
            &["/proc"],
            &["/proc/x"],
        ] {
            let error = check(&jailed(bad)).unwrap_err();
            assert!(error.to_string().starts_with("jail.binds"), "{bad:?}: {error}");
        }
    }

    #[test]
    fn root_is_nobodys_user() {
        let change = |change: fn(&mut Jail)| {
            let mut command = jailed(&[]);
            command.jail.as_mut().map(change).unwrap();
            check(&command).unwrap_err().to_string()
        };
        assert!(change(|jail| jail.uid = 0).contains("other than root"));
        assert!(change(|jail| jail.gid = 0).contains("other than root"));
        assert!(change(|jail| jail.uid = u32::MAX).contains("other than root"));
        assert!(change(|jail| jail.root = "/".into()).contains("jail.root"));
        assert!(change(|jail| jail.devices = vec!["/etc/passwd".into()]).contains("jail.devices"));
    }
}
