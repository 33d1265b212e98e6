//! What is written for each change, as JSON: private twins of the port's types, kept stable on disk.
//!
//! A field that is added later gets a default; one that is taken away stays readable. Paths that are not
//! Unicode are kept byte by byte.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use weft_domain::instance::{Exit, ExitCause};
use weft_domain::spec::{Accelerator, Machine};
use weft_domain::{ClaimId, IncarnationId, InstanceId, SnapshotId, Time};
use weft_ports::claims::{Claim, Claimed, Note, ProcessClaim};
use weft_ports::hypervisor::{Chosen, Ward};
use weft_ports::processes::Alive;

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Record {
    /// A claim was made.
    Claimed(Claim),
    /// A claim has a new note.
    Noted(ClaimId, Note),
    /// A claim was let go.
    Released(ClaimId),
}

/// The records of one change, as one line.
pub(super) fn encode(records: &[Record]) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&records.iter().map(Written::from).collect::<Vec<_>>())
}

/// The records of a commit: a line for each change in it.
pub(super) fn decode(lines: &[u8]) -> Result<Vec<Record>, String> {
    let mut records = Vec::new();
    for line in lines.split(|byte| *byte == b'\n') {
        let written: Vec<Written> = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        for written in written {
            records.push(written.try_into()?);
        }
    }
    Ok(records)
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Written {
    Claim { id: String, instance: String, what: What },
    Note { id: String, note: Box<Noted> },
    Release { id: String },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    Folder(Spelt),
    Disk(Spelt),
    Process(Box<Process>),
    Snapshot { snapshot: String, folder: Spelt },
}

#[derive(Serialize, Deserialize)]
struct Process {
    incarnation: String,
    driver: String,
    chosen: String,
    machine: String,
    accelerator: String,
    boot_epoch: u64,
    generation: u64,
    at: i64,
    run_dir: Spelt,
    vmm_log: Spelt,
    restarts: u32,
    #[serde(default)]
    console_offset: u64,
    /// In base64; a weft that did not keep it wrote none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    spec: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ward: Option<Warded>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Warded {
    uid: u32,
    gid: u32,
}

#[derive(Serialize, Deserialize)]
struct Noted {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alive: Option<Living>,
    #[serde(default)]
    reboot_epoch: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asked: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exit: Option<Left>,
    /// In base64.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    spec: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    applied_generation: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    made_bytes: u64,
}

const fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[derive(Serialize, Deserialize)]
struct Living {
    pid: u32,
    start_ticks: u64,
    boot_id: String,
}

#[derive(Serialize, Deserialize)]
struct Left {
    boot_epoch: u64,
    #[serde(default)]
    reboot_epoch: u64,
    at: i64,
    cause: String,
    message: String,
    log_tail: Vec<String>,
    console_tail: Vec<String>,
}

/// A path, as text where it is text.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Spelt {
    Text(String),
    Bytes(Vec<u8>),
}

impl From<&Path> for Spelt {
    fn from(path: &Path) -> Self {
        path.to_str()
            .map_or_else(|| Self::Bytes(path.as_os_str().as_bytes().to_vec()), |text| Self::Text(text.to_owned()))
    }
}

impl From<Spelt> for PathBuf {
    fn from(spelt: Spelt) -> Self {
        match spelt {
            Spelt::Text(text) => text.into(),
            Spelt::Bytes(bytes) => OsString::from_vec(bytes).into(),
        }
    }
}

const fn machine_name(machine: Machine) -> &'static str {
    match machine {
        Machine::Auto => "auto",
        Machine::Microvm => "microvm",
        Machine::Pc => "pc",
        Machine::Q35 => "q35",
    }
}

const fn accelerator_name(accelerator: Accelerator) -> &'static str {
    match accelerator {
        Accelerator::Auto => "auto",
        Accelerator::Kvm => "kvm",
        Accelerator::Tcg => "tcg",
    }
}

fn named<T: Copy>(all: &[T], name: impl Fn(T) -> &'static str, text: &str) -> Result<T, String> {
    all.iter().copied().find(|one| name(*one) == text).ok_or_else(|| format!("{text:?} is not known"))
}

fn id<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text:?} is no id of its kind"))
}

fn unpacked(text: &str) -> Result<Bytes, String> {
    BASE64.decode(text).map(Bytes::from).map_err(|error| format!("a specification that is no base64: {error}"))
}

impl From<&Record> for Written {
    fn from(record: &Record) -> Self {
        match record {
            Record::Claimed(claim) => Self::Claim {
                id: claim.id.to_string(),
                instance: claim.instance.to_string(),
                what: match &claim.what {
                    Claimed::Folder(path) => What::Folder(path.as_path().into()),
                    Claimed::Disk(path) => What::Disk(path.as_path().into()),
                    Claimed::Process(process) => What::Process(Box::new(process.as_ref().into())),
                    Claimed::Snapshot(id, folder) => {
                        What::Snapshot { snapshot: id.to_string(), folder: folder.as_path().into() }
                    }
                },
            },
            Record::Noted(id, note) => Self::Note { id: id.to_string(), note: Box::new(note.into()) },
            Record::Released(id) => Self::Release { id: id.to_string() },
        }
    }
}

impl TryFrom<Written> for Record {
    type Error = String;
    fn try_from(written: Written) -> Result<Self, String> {
        Ok(match written {
            Written::Claim { id: claim, instance, what } => Self::Claimed(Claim {
                id: id(&claim)?,
                instance: id::<InstanceId>(&instance)?,
                what: match what {
                    What::Folder(path) => Claimed::Folder(path.into()),
                    What::Disk(path) => Claimed::Disk(path.into()),
                    What::Process(process) => Claimed::Process(Arc::new((*process).try_into()?)),
                    What::Snapshot { snapshot, folder } => Claimed::Snapshot(id(&snapshot)?, folder.into()),
                },
            }),
            Written::Note { id: claim, note } => Self::Noted(id(&claim)?, (*note).try_into()?),
            Written::Release { id: claim } => Self::Released(id(&claim)?),
        })
    }
}

impl From<&ProcessClaim> for Process {
    fn from(claim: &ProcessClaim) -> Self {
        Self {
            incarnation: claim.incarnation.to_string(),
            driver: claim.driver.clone(),
            chosen: claim.chosen.driver.clone(),
            machine: machine_name(claim.chosen.machine).to_owned(),
            accelerator: accelerator_name(claim.chosen.accelerator).to_owned(),
            boot_epoch: claim.boot_epoch,
            generation: claim.generation,
            at: claim.at.as_nanos(),
            run_dir: claim.run_dir.as_path().into(),
            vmm_log: claim.vmm_log.as_path().into(),
            restarts: claim.restarts,
            console_offset: claim.console_offset,
            spec: BASE64.encode(&claim.spec),
            ward: claim.ward.map(|ward| Warded { uid: ward.uid, gid: ward.gid }),
            origin: claim.origin.map(|snapshot| snapshot.to_string()),
        }
    }
}

impl TryFrom<Process> for ProcessClaim {
    type Error = String;
    fn try_from(process: Process) -> Result<Self, String> {
        let machines = [Machine::Auto, Machine::Microvm, Machine::Pc, Machine::Q35];
        let accelerators = [Accelerator::Auto, Accelerator::Kvm, Accelerator::Tcg];
        Ok(Self {
            incarnation: id::<IncarnationId>(&process.incarnation)?,
            driver: process.driver,
            chosen: Chosen {
                driver: process.chosen,
                machine: named(&machines, machine_name, &process.machine)?,
                accelerator: named(&accelerators, accelerator_name, &process.accelerator)?,
            },
            boot_epoch: process.boot_epoch,
            generation: process.generation,
            at: Time::from_nanos(process.at),
            run_dir: process.run_dir.into(),
            vmm_log: process.vmm_log.into(),
            restarts: process.restarts,
            console_offset: process.console_offset,
            spec: unpacked(&process.spec)?,
            ward: process.ward.map(|ward| Ward { uid: ward.uid, gid: ward.gid }),
            origin: process.origin.map(|text| id::<SnapshotId>(&text)).transpose()?,
        })
    }
}

impl From<&Note> for Noted {
    fn from(note: &Note) -> Self {
        Self {
            alive: note.alive.as_ref().map(|alive| Living {
                pid: alive.pid,
                start_ticks: alive.start_ticks,
                boot_id: alive.boot_id.clone(),
            }),
            reboot_epoch: note.reboot_epoch,
            asked: note.asked.map(Time::as_nanos),
            exit: note.exit.as_ref().map(|exit| Left {
                boot_epoch: exit.boot_epoch,
                reboot_epoch: exit.reboot_epoch,
                at: exit.at.as_nanos(),
                cause: exit.cause.as_str().to_owned(),
                message: exit.message.clone(),
                log_tail: exit.log_tail.clone(),
                console_tail: exit.console_tail.clone(),
            }),
            spec: BASE64.encode(&note.spec),
            applied_generation: note.applied_generation,
            made_bytes: note.made_bytes,
        }
    }
}

impl TryFrom<Noted> for Note {
    type Error = String;
    fn try_from(note: Noted) -> Result<Self, String> {
        let exit = |left: Left| -> Result<Exit, String> {
            Ok(Exit {
                boot_epoch: left.boot_epoch,
                reboot_epoch: left.reboot_epoch,
                at: Time::from_nanos(left.at),
                cause: named(&ExitCause::ALL, ExitCause::as_str, &left.cause)?,
                message: left.message,
                log_tail: left.log_tail,
                console_tail: left.console_tail,
            })
        };
        Ok(Self {
            alive: note.alive.map(|living| Alive {
                pid: living.pid,
                start_ticks: living.start_ticks,
                boot_id: living.boot_id,
            }),
            reboot_epoch: note.reboot_epoch,
            asked: note.asked.map(Time::from_nanos),
            exit: note.exit.map(exit).transpose()?.map(Box::new),
            spec: unpacked(&note.spec)?,
            applied_generation: note.applied_generation,
            made_bytes: note.made_bytes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_ports::claims::conformance::{disk, folder, note, process};

    #[test]
    fn every_record_reads_back() {
        let mut odd = folder("odd");
        odd.what = Claimed::Folder(OsString::from_vec(vec![b'/', 0xff, 0xfe]).into());
        let id = odd.id;
        let mut records = vec![Record::Claimed(odd), Record::Noted(id, Note::default()), Record::Released(id)];
        records.extend([folder("a"), disk("b"), process("c")].map(Record::Claimed));
        records.push(Record::Noted(id, note()));
        let what = Claimed::Snapshot(SnapshotId::from_bytes([7; 16]), "/x/snapshot".into());
        records.push(Record::Claimed(Claim { what, ..folder("s") }));
        assert_eq!(decode(&encode(&records).unwrap()), Ok(records));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        assert!(decode(b"[{\"release\":{\"id\":\"vm-1\"}}]").unwrap_err().contains("no id of its kind"));
        assert!(decode(b"[{\"explode\":{}}]").is_err());
        assert!(decode(b"").is_err());
    }

    #[test]
    fn a_process_of_an_older_weft_reads_back() {
        let text = r#"[{"claim":{"id":"claim-01234567-89ab-7cde-8f01-23456789abcd",
            "instance":"vm-01234567-89ab-7cde-8f01-23456789abcd","what":{"process":{
            "incarnation":"inc-01234567-89ab-7cde-8f01-23456789abcd","driver":"qemu","chosen":"qemu 7.2.22",
            "machine":"microvm","accelerator":"tcg","boot_epoch":1,"generation":2,"at":3,"run_dir":"/r",
            "vmm_log":"/l","restarts":0,"console_offset":5}}}}]"#;
        let line = text.lines().map(str::trim_start).collect::<String>();
        let records = decode(line.as_bytes()).unwrap();
        let [Record::Claimed(Claim { what: Claimed::Process(process), .. })] = records.as_slice() else {
            panic!("it is a process: {records:?}");
        };
        assert_eq!((process.generation, process.spec.is_empty(), process.ward, process.origin), (2, true, None, None));
    }

    #[test]
    fn the_form_on_disk_stays() {
        let text = r#"[{"note":{"id":"claim-01234567-89ab-7cde-8f01-23456789abcd","note":{"reboot_epoch":2}}}]"#;
        let id = "claim-01234567-89ab-7cde-8f01-23456789abcd".parse().unwrap();
        let expected = vec![Record::Noted(id, Note { reboot_epoch: 2, ..Note::default() })];
        assert_eq!(decode(text.as_bytes()), Ok(expected.clone()));
        assert_eq!(String::from_utf8(encode(&expected).unwrap()).unwrap(), text);
    }
}
