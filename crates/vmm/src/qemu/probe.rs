//! What this QEMU can do on this host, found by running it.
//!
//! ```text
//!  find ─► cached? ─► facts
//!            │ no
//!            └─► --version, -machine help, a guest of a few bytes on TCG and on KVM ─► facts ─► cache
//! ```
//!
//! A device node proves nothing: KVM may open and then emulate each instruction. So a guest counts down a
//! loop that takes 2 ms on a processor, and KVM works where it is done in [`KVM_LIMIT`]. What is found
//! holds until QEMU is replaced or the host is started again.

mod cache;
mod run;

use super::config::{SANDBOX, Sandbox};
use super::{Config, Error};
use run::Runner;
use serde::{Deserialize, Serialize};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use weft_domain::spec::{Accelerator, Machine};
use weft_ports::clock::Clock;
use weft_ports::processes::{Ending, Processes};

/// The program for guests of this host's architecture.
const PROGRAM: &str = if cfg!(target_arch = "aarch64") { "qemu-system-aarch64" } else { "qemu-system-x86_64" };
/// The oldest version whose `-device` takes JSON.
const OLDEST: (u32, u32) = (6, 2);
/// The time in which a true processor counts down the loop many times over.
const KVM_LIMIT: Duration = Duration::from_millis(1_500);
/// The time that anything else is given; it takes some 50 ms on a quiet host.
const LIMIT: Duration = Duration::from_secs(15);
/// Turns of the loop.
const TURNS: u32 = 4_000_000;
/// QEMU's exit code when the guest writes `0x2a` to its exit port.
const COUNTED_DOWN: i32 = (0x2a << 1) | 1;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Facts {
    /// The program.
    pub(super) program: PathBuf,
    /// Its version: `7.2.22`.
    pub(super) version: String,
    /// Machine models that it has, in its own words.
    pub(super) machines: Vec<String>,
    /// Device types that it has, in its own words.
    pub(super) devices: Vec<String>,
    /// Whether it can confine its system calls.
    pub(super) sandbox: Sandbox,
    /// Why KVM does not work; `None` where it does.
    pub(super) kvm_fails: Option<String>,
}

impl Facts {
    /// What executes guest code where nothing is asked.
    pub(super) fn preferred(&self) -> Accelerator {
        if self.kvm_fails.is_none() { Accelerator::Kvm } else { Accelerator::Tcg }
    }

    /// Whether it has this device type.
    pub(super) fn has_device(&self, name: &str) -> bool {
        self.devices.iter().any(|known| known == name)
    }

    /// Whether it has this machine model.
    pub(super) fn has(&self, machine: Machine) -> bool {
        let name = match machine {
            Machine::Microvm => "microvm",
            Machine::Pc => "pc",
            Machine::Q35 => "q35",
            Machine::Auto => return true,
        };
        self.machines.iter().any(|known| known == name)
    }
}

/// Finds QEMU and what it can do.
pub(super) async fn probe(
    config: &Config,
    processes: &Arc<dyn Processes>,
    clock: &Arc<dyn Clock>,
) -> Result<Facts, Error> {
    let program = find(config)?;
    let folder = &config.cache_dir;
    let unusable = |source| Error::UseFolder { path: folder.clone(), source };
    std::fs::create_dir_all(folder).map_err(unusable)?;
    let key = cache::key(&program, &processes.boot_id());
    if let Some(facts) = cache::read(folder, &key) {
        return Ok(facts);
    }
    let runner = Runner { program, folder: folder.clone(), processes: processes.clone(), clock: clock.clone() };
    let facts = ask(runner).await?;
    cache::write(folder, &key, &facts);
    Ok(facts)
}

fn find(config: &Config) -> Result<PathBuf, Error> {
    let runs = |path: &Path| {
        std::fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    };
    let missing = |program: &str, looked_in: String| Error::FindProgram { program: program.to_owned(), looked_in };
    if let Some(program) = &config.program {
        let given = || missing(&program.display().to_string(), "just there".to_owned());
        return runs(program).then(|| program.clone()).ok_or_else(given);
    }
    let found = config.search.iter().map(|folder| folder.join(PROGRAM)).find(|path| runs(path));
    found.ok_or_else(|| {
        let folders: Vec<_> = config.search.iter().map(|folder| folder.display().to_string()).collect();
        missing(PROGRAM, folders.join(", "))
    })
}

async fn ask(runner: Runner) -> Result<Facts, Error> {
    let guest = run::put(&runner.folder, "counting-guest.bin", &counting_guest(TURNS))?;
    let (version, machines, devices, software, kvm) = tokio::join!(
        runner.run(vec!["--version".into()], LIMIT),
        runner.run(vec!["-machine".into(), "help".into()], LIMIT),
        runner.run(vec!["-device".into(), "help".into()], LIMIT),
        software(&runner, &guest),
        kvm(&runner, &guest),
    );
    let (version, machines, devices, sandbox, kvm_fails) = (version?, machines?, devices?, software?, kvm?);
    let said = || Error::Version { program: runner.program.clone(), said: version.said.trim().to_owned() };
    let (number, text) = read_version(&version.said).ok_or_else(said)?;
    if number < OLDEST {
        return Err(said());
    }
    let first_words = machines.said.lines().filter_map(|line| line.split_whitespace().next());
    Ok(Facts {
        version: text,
        machines: first_words.map(str::to_owned).collect(),
        devices: device_types(&devices.said),
        sandbox,
        kvm_fails,
        program: runner.program,
    })
}

/// The names in `name "virtio-blk-pci", bus PCI, alias …`.
fn device_types(said: &str) -> Vec<String> {
    let names = said.lines().filter_map(|line| line.strip_prefix("name \"")?.split_once('"'));
    names.map(|(name, _)| name.to_owned()).collect()
}

/// Runs the guest in software, confined where that can be had.
async fn software(runner: &Runner, guest: &Path) -> Result<Sandbox, Error> {
    let mut confined = guest_arguments("tcg", guest);
    confined.extend(["-sandbox".into(), SANDBOX.into()]);
    if runner.run(confined, LIMIT).await?.ending == Some(Ending::Code(COUNTED_DOWN)) {
        return Ok(Sandbox::On);
    }
    let free = runner.run(guest_arguments("tcg", guest), LIMIT).await?;
    if free.ending == Some(Ending::Code(COUNTED_DOWN)) {
        return Ok(Sandbox::Off);
    }
    Err(Error::RunsNothing { program: runner.program.clone(), said: free.said.trim().to_owned() })
}

/// Runs the guest on KVM: on the plainest processor, which tells whether KVM is of use at all, then on the
/// one that machines are given.
async fn kvm(runner: &Runner, guest: &Path) -> Result<Option<String>, Error> {
    let plain = guest_arguments("kvm", guest);
    let mut same = plain.clone();
    same.extend(["-cpu".into(), "host".into()]);
    for arguments in [plain, same] {
        let outcome = runner.run(arguments, KVM_LIMIT).await?;
        let fails = why_kvm_fails(outcome.ending, &outcome.said);
        if fails.is_some() {
            return Ok(fails);
        }
    }
    Ok(None)
}

fn guest_arguments(accelerator: &str, guest: &Path) -> Vec<std::ffi::OsString> {
    let mut arguments: Vec<std::ffi::OsString> =
        ["-nodefaults", "-no-user-config", "-display", "none", "-m", "16"].map(Into::into).to_vec();
    let machine = "microvm,pit=off,pic=off,rtc=off,isa-serial=off,acpi=off";
    arguments.extend(["-machine".into(), machine.into(), "-accel".into(), accelerator.into()]);
    arguments.extend(["-device".into(), "isa-debug-exit,iobase=0xf4,iosize=1".into()]);
    arguments.extend(["-bios".into(), guest.into()]);
    arguments
}

/// Why KVM is of no use, from how its guest ended in the given time.
fn why_kvm_fails(ending: Option<Ending>, said: &str) -> Option<String> {
    let last = || said.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it does not say why");
    match ending {
        Some(Ending::Code(COUNTED_DOWN)) => None,
        Some(Ending::Code(_) | Ending::Signal(_) | Ending::OutOfMemory | Ending::Unknown) => {
            Some(format!("KVM does not start: {}", last()))
        }
        None => Some(format!(
            "KVM is here and too slow to be of use: a loop of {TURNS} turns, 2 ms on a processor, took more than \
             {} ms (the host itself may be a virtual machine)",
            KVM_LIMIT.as_millis()
        )),
    }
}

/// The version in QEMU's own line, as numbers and as text.
fn read_version(said: &str) -> Option<((u32, u32), String)> {
    let text = said.split_once("version ")?.1.split(|c: char| !c.is_ascii_digit() && c != '.').next()?;
    let mut numbers = text.split('.').map(str::parse);
    Some(((numbers.next()?.ok()?, numbers.next()?.ok()?), text.to_owned()))
}

/// Firmware that counts down from `turns`, writes `0x2a` to the exit port and halts: 16-bit code at the
/// start of the last 64 KiB below 4 GiB, and a jump to it where the processor begins.
fn counting_guest(turns: u32) -> Vec<u8> {
    const SIZE: usize = 64 * 1024;
    const BEGINS: usize = SIZE - 16;
    let mut code = vec![0x66, 0xB9]; // mov ecx, turns
    code.extend(turns.to_le_bytes());
    code.extend([0x66, 0x49]); // dec ecx
    code.extend([0x75, 0xFC]); // jnz to the dec
    code.extend([0xBA, 0xF4, 0x00]); // mov dx, 0xf4
    code.extend([0xB0, 0x2A]); // mov al, 0x2a
    code.extend([0xEE, 0xF4, 0xEB, 0xFD]); // out dx, al; hlt; jmp to the hlt
    let mut image = vec![0xF4; SIZE];
    image[..code.len()].copy_from_slice(&code);
    image[BEGINS..BEGINS + 3].copy_from_slice(&[0xE9, 0x0D, 0x00]); // jmp to the start
    image
}

#[cfg(test)]
mod tests;
