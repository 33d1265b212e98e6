//! QEMU: the very command line that weft used.
//!
//! ```text
//!  bind QMP and serial sockets ─► connect, say the first words ─► spawn ─► "status": "running"
//! ```
//!

use super::{PATIENCE, Started, Vmm};
use anyhow::{Context, Result, bail};
use rustix::io::{FdFlags, fcntl_setfd};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// How weft started a QEMU.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    program: PathBuf,
    args: Vec<OsString>,
}

impl Recipe {
    /// The recipe of a QEMU that runs.
    pub(crate) fn of(pid: u32) -> Result<Self> {
        let program = std::fs::read_link(format!("/proc/{pid}/exe")).context("the program of the VM's process")?;
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).context("the command line of the VM's process")?;
        let words = line.strip_suffix(b"\0").unwrap_or(&line).split(|byte| *byte == 0);
        let args = words.skip(1).map(|word| OsString::from_vec(word.to_vec())).collect();
        Ok(Self { program, args })
    }

    /// The arguments with sockets and logs of our own.
    fn args(&self, sockets: &Sockets, folder: &Path) -> Vec<OsString> {
        let own = |arg: &OsString| match arg.to_str() {
            Some(text) if text.starts_with("socket,id=qmp,") => with(text, &[("fd", sockets.qmp.as_raw_fd().into())]),
            Some(text) if text.starts_with("socket,id=serial,") => {
                let log = folder.join("console.log").into_os_string();
                with(text, &[("fd", sockets.serial.as_raw_fd().into()), ("logfile", log.into())])
            }
            _ => arg.clone(),
        };
        self.args.iter().map(own).collect()
    }

    /// Whether QEMU waits to be told to go.
    fn holds(&self) -> bool {
        self.args.iter().any(|arg| arg == OsStr::new("-S"))
    }
}

/// A value of an option.
enum Value {
    Number(i32),
    Path(OsString),
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Number(number)
    }
}

impl From<OsString> for Value {
    fn from(path: OsString) -> Self {
        Self::Path(path)
    }
}

/// A list of options with other values for these.
fn with(options: &str, values: &[(&str, Value)]) -> OsString {
    let part = |part: &str| -> Vec<u8> {
        let name = part.split_once('=').map(|(name, _)| name);
        match values.iter().find(|(key, _)| Some(*key) == name) {
            Some((key, Value::Number(number))) => format!("{key}={number}").into_bytes(),
            Some((key, Value::Path(path))) => [key.as_bytes(), b"=", path.as_bytes()].concat(),
            None => part.as_bytes().to_vec(),
        }
    };
    OsString::from_vec(options.split(',').map(part).collect::<Vec<_>>().join(&b','))
}

/// The listening sockets that QEMU inherits.
struct Sockets {
    qmp: UnixListener,
    serial: UnixListener,
}

impl Sockets {
    fn bind(folder: &Path) -> Result<Self> {
        let sockets = Self {
            qmp: UnixListener::bind(folder.join("qmp.sock"))?,
            serial: UnixListener::bind(folder.join("serial.sock"))?,
        };
        for socket in [&sockets.qmp, &sockets.serial] {
            fcntl_setfd(socket, FdFlags::empty())?;
        }
        Ok(sockets)
    }
}

/// From the first socket until QEMU says that the virtual CPUs run. Blocks.
///
/// # Errors
/// QEMU did not come up.
pub(super) fn start(recipe: &Recipe, folder: &Path) -> Result<Started> {
    let start = Instant::now();
    let sockets = Sockets::bind(folder)?;
    let mut qmp = UnixStream::connect(folder.join("qmp.sock"))?;
    let go = if recipe.holds() { "{\"execute\":\"cont\"}\n" } else { "" };
    qmp.write_all(format!("{{\"execute\":\"qmp_capabilities\"}}\n{go}{{\"execute\":\"query-status\"}}\n").as_bytes())?;
    let log = File::create(folder.join("qemu.log"))?;
    let mut command = Command::new(&recipe.program);
    command.args(recipe.args(&sockets, folder)).current_dir(folder).stdin(Stdio::null());
    command.stdout(log.try_clone()?).stderr(log);
    let vmm = Vmm(command.spawn().context("QEMU cannot be started")?);
    drop(sockets);
    qmp.set_read_timeout(Some(PATIENCE))?;
    let running = await_running(&mut BufReader::new(&qmp)).with_context(|| {
        let said = std::fs::read_to_string(folder.join("qemu.log")).unwrap_or_default();
        format!("QEMU driven by hand did not come up: {}", said.trim())
    });
    let took = start.elapsed();
    running.map(|()| Started { took, vmm })
}

fn await_running(qmp: &mut impl BufRead) -> Result<()> {
    let mut line = String::new();
    while qmp.read_line(&mut line)? > 0 {
        let message: serde_json::Value = serde_json::from_str(&line)?;
        match message["return"]["status"].as_str() {
            Some("running") => return Ok(()),
            Some(other) => bail!("it is {other}"),
            None if message["error"].is_object() => bail!("it answers {}", message["error"]),
            None => line.clear(),
        }
    }
    bail!("it closed its socket")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn only_sockets_and_logs_are_replaced() {
        let line = "socket,id=serial,fd=4,server=on,wait=off,logfile=/a/b,logappend=on";
        let own = with(line, &[("fd", 9.into()), ("logfile", OsString::from("/c").into())]);
        assert_eq!(own, "socket,id=serial,fd=9,server=on,wait=off,logfile=/c,logappend=on");
    }

    #[test]
    fn it_runs_when_qemu_says_so() {
        let greeting = r#"{"QMP": {"version": {}, "capabilities": []}}"#;
        let hear = |text: String| await_running(&mut text.as_bytes());
        let yes = r#"{"return": {"status": "running", "running": true}}"#;
        assert!(hear(format!("{greeting}\n{{\"return\": {{}}}}\n{{\"event\": \"RESUME\"}}\n{yes}\n")).is_ok());
        assert!(hear(format!("{greeting}\n")).is_err());
        assert!(hear(format!("{greeting}\n{}\n", yes.replace("running\",", "paused\","))).is_err());
    }

    #[test]
    fn the_guest_that_halts_runs_in_a_real_qemu() {
        let known = "/usr/bin/qemu-system-x86_64";
        if !Path::new(known).exists() {
            eprintln!("skipped: no {known}");
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let kernel = folder.path().join("halt.elf");
        std::fs::write(&kernel, crate::guest::image()).unwrap();
        let line = "-nodefaults -display none -machine microvm,x-option-roms=off -accel tcg -m 64M \
                    -chardev socket,id=qmp,fd=3,server=on,wait=off -mon chardev=qmp,mode=control \
                    -chardev socket,id=serial,fd=4,server=on,wait=off,logfile=/nowhere,logappend=on \
                    -serial chardev:serial -kernel";
        let mut args: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        args.push(kernel.into());
        let recipe = Recipe { program: known.into(), args };
        assert!(start(&recipe, folder.path()).unwrap().took > Duration::ZERO);
        assert!(folder.path().join("console.log").exists(), "its log is ours");
    }
}
