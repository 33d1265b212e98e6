//! What a process is started with: its descriptors, its files, its arguments.

use super::origin;
use crate::cell::Cell;
use crate::cloud_hypervisor::Error;
use crate::cloud_hypervisor::config::{self, gates::NO_SHUTDOWN, gates::Version};
use crate::cloud_hypervisor::console::{Terminal, open_other};
use crate::cloud_hypervisor::folder::Folder;
use crate::program::Program;
use std::ffi::OsString;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use weft_domain::spec::{Console, ConsoleMode};
use weft_ports::hypervisor::{Order, Origin};
use weft_ports::processes::{Access, Command};

/// Its standard input and output.
const INPUT: i32 = 0;
const OUTPUT: i32 = 1;
/// The number under which it inherits its listening socket.
const API: i32 = 3;
/// The number under which it inherits the FIFO of its events.
const EVENTS: i32 = 4;
/// The number under which it holds the other end of its terminal.
const TERMINAL: i32 = 5;

/// What a process is started with.
pub(super) struct Outfit {
    fds: Vec<(OwnedFd, i32)>,
    args: Vec<OsString>,
}

impl Outfit {
    /// Binds its socket, makes its FIFO and its terminal.
    pub(super) fn make(order: &Order, version: Version) -> Result<Self, Error> {
        let folder = Folder(order.run_dir.clone());
        let events = folder.make_events()?;
        let mut outfit = Self { fds: vec![(folder.listen()?, API), (events.into(), EVENTS)], args: arguments(version) };
        outfit.console(order, &folder)?;
        Ok(outfit)
    }

    /// The console that is the process's input and output: weft's own, or a terminal of the host.
    fn console(&mut self, order: &Order, folder: &Folder) -> Result<(), Error> {
        let spec = &order.spec;
        let unusable = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::UseFolder { path, source }
        };
        if spec.serial.mode == ConsoleMode::Socket {
            let log = open_log(&order.console_log).map_err(unusable(&order.console_log))?;
            let terminal = Terminal::make().map_err(unusable(Path::new("/dev/ptmx")))?;
            folder.keep_console(&order.console_log, &terminal.name)?;
            self.fds.extend([(terminal.other, TERMINAL), (terminal.ours, INPUT), (log.into(), OUTPUT)]);
        } else if let Some(path) = [&spec.serial, &spec.console].into_iter().find_map(terminal) {
            let host = open_other(path).map_err(unusable(path))?;
            let output = host.try_clone().map_err(unusable(path))?;
            self.fds.extend([(host.into(), INPUT), (output.into(), OUTPUT)]);
        }
        for path in [&spec.serial, &spec.console].into_iter().filter_map(file) {
            // It must be there to be seen; the VMM empties it.
            open_log(path).map_err(unusable(path))?;
        }
        Ok(())
    }

    /// The command, and what the process sees.
    pub(super) fn command(self, order: &Order, program: &Program) -> Result<(Command, Cell), Error> {
        let mut cell = Cell::of(order);
        cell.run(program);
        for (path, access) in config::files(order) {
            match path.to_str().filter(|text| text.starts_with("/dev/")) {
                Some(node) => cell.device(node),
                None => cell.see(&path, access),
            }
        }
        if let Some(namespace) = &order.spec.network_namespace {
            cell.enter(namespace);
        }
        match &order.origin {
            Origin::Boot | Origin::Incoming(_) => {}
            Origin::Snapshot(restore) => {
                let folder = Folder(order.run_dir.clone());
                origin::make(restore, &folder)?;
                for path in origin::files(restore, &folder) {
                    cell.see(&path, Access::Read);
                }
            }
        }
        let jail = cell.make().map_err(|source| Error::UseFolder { path: order.run_dir.clone(), source })?;
        let command = Command {
            claim: order.claim,
            program: program.path.clone(),
            args: self.args,
            fds: self.fds,
            log: order.vmm_log.clone(),
            dir: cell.sockets().to_owned(),
            confinement: order.confinement.clone(),
            jail,
        };
        Ok((command, cell))
    }
}

/// Its own filter of system calls stays on; files of its own it does not write.
fn arguments(version: Version) -> Vec<OsString> {
    let mut args: Vec<OsString> = ["--api-socket".into(), format!("fd={API}").into()].to_vec();
    args.extend(["--event-monitor".into(), format!("fd={EVENTS}").into()]);
    args.extend(["--seccomp".into(), "true".into()]);
    if version.has(NO_SHUTDOWN) {
        args.push("--no-shutdown".into());
    }
    args
}

fn open_log(path: &Path) -> std::io::Result<File> {
    File::options().create(true).append(true).mode(0o600).open(path)
}

fn terminal(console: &Console) -> Option<&PathBuf> {
    console.path.as_ref().filter(|_| console.mode == ConsoleMode::Tty)
}

fn file(console: &Console) -> Option<&PathBuf> {
    console.path.as_ref().filter(|_| console.mode == ConsoleMode::File)
}
