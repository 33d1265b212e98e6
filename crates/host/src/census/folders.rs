//! What lies in the folders of one weft, told by where it lies and how it is named.

use super::Config;
use std::collections::BTreeSet;
use std::fs::{self, DirEntry};
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::time::UNIX_EPOCH;
use weft_domain::census::{Depth, Found, Mark, Sort};
use weft_domain::{ClaimId, InstanceId, SnapshotId, Time};

/// Digits of a claim that name the folder of an incarnation.
const DIGITS: usize = 12;
/// What is below the data folder, besides what claims name and other folders of the configuration.
const HOUSE: [&str; 9] = ["store", "journal", "copies", "node-id", "up.json", "vms", "snapshots", "ledger", "usage"];
/// So deep is looked into the folder of an incarnation.
const DEPTH: usize = 3;
/// So many things in the folder of one incarnation are told; a jailed process could make any number.
const MOST: usize = 256;
const UNNAMED: &str = "it is not named as weft names things";

/// Everything; `others` are claims of other data folders.
pub(super) fn all(config: &Config, depth: Depth, others: &BTreeSet<ClaimId>, found: &mut Vec<Found>) -> io::Result<()> {
    incarnations(&config.run_dir.join("vms"), depth, others, found)?;
    for entry in entries(&config.run_dir)? {
        found.extend(of_run(config, &entry));
    }
    let vms = named(&config.data_dir.join("vms"), Sort::Folder, |name| name.parse::<InstanceId>().is_ok())?;
    let snapshots =
        named(&config.data_dir.join("snapshots"), Sort::Snapshot, |name| name.parse::<SnapshotId>().is_ok())?;
    for folder in vms.iter().chain(&snapshots).filter(|folder| depth == Depth::Whole && folder.mark == Mark::Place) {
        within(folder, found)?;
    }
    found.extend(vms.into_iter().chain(snapshots));
    for entry in entries(&config.data_dir)? {
        found.extend(of_data(config, &entry));
    }
    for entry in entries(&config.data_dir.join("copies"))? {
        found.push(Found::at(Sort::Draft, entry.path(), draft(&entry)));
    }
    let locks =
        ["journal/claims.lock", "store/lock", "ledger/lock", "usage/usage.lock"].map(|lock| config.data_dir.join(lock));
    found.extend(locks.into_iter().filter(|lock| lock.exists()).map(|lock| Found::at(Sort::Lock, lock, Mark::House)));
    Ok(())
}

/// Entries of a folder; an absent one has none.
fn entries(folder: &Path) -> io::Result<Vec<DirEntry>> {
    match fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(Vec::new()),
        listed => listed?.collect(),
    }
}

fn name(entry: &DirEntry) -> String {
    entry.file_name().to_string_lossy().into_owned()
}

fn is_socket(entry: &DirEntry) -> bool {
    entry.file_type().is_ok_and(|kind| kind.is_socket() || kind.is_fifo())
}

fn is_folder(entry: &DirEntry) -> bool {
    entry.file_type().is_ok_and(|kind| kind.is_dir())
}

/// When it was last touched; one that is gone meanwhile was just now.
fn draft(entry: &DirEntry) -> Mark {
    let touched = entry.metadata().and_then(|there| there.modified()).unwrap_or_else(|_| std::time::SystemTime::now());
    let since = touched.duration_since(UNIX_EPOCH).unwrap_or_default();
    Mark::Draft(Time::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)))
}

fn incarnations(folder: &Path, depth: Depth, others: &BTreeSet<ClaimId>, found: &mut Vec<Found>) -> io::Result<()> {
    let others: BTreeSet<String> = others.iter().map(digits).collect();
    for entry in entries(folder)? {
        let name = name(&entry);
        let mark = if name.len() != DIGITS || !name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            Mark::Stranger(UNNAMED)
        } else if others.contains(&name) {
            Mark::Stranger("a process of another data folder has it")
        } else {
            Mark::Place
        };
        let sort = if is_socket(&entry) { Sort::Socket } else { Sort::RunFolder };
        if depth == Depth::Whole && mark == Mark::Place && is_folder(&entry) {
            sockets(&entry.path(), DEPTH, &mut { MOST }, found);
        }
        found.push(Found::at(sort, entry.path(), mark));
    }
    Ok(())
}

fn digits(claim: &ClaimId) -> String {
    let text = claim.to_string();
    text[text.len() - DIGITS..].to_owned()
}

/// What lies in the folder of an incarnation. It may go while it is looked at.
fn sockets(folder: &Path, deep: usize, left: &mut usize, found: &mut Vec<Found>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Some(fewer) = left.checked_sub(1) else { return };
        *left = fewer;
        found.push(Found::at(Sort::Socket, entry.path(), Mark::Place));
        if deep > 1 && is_folder(&entry) {
            sockets(&entry.path(), deep - 1, left, found);
        }
    }
}

fn named(folder: &Path, sort: Sort, is_ours: fn(&str) -> bool) -> io::Result<Vec<Found>> {
    let one = |entry: DirEntry| {
        let mark = if is_ours(&name(&entry)) { Mark::Place } else { Mark::Stranger(UNNAMED) };
        Found::at(sort, entry.path(), mark)
    };
    Ok(entries(folder)?.into_iter().map(one).collect())
}

/// What lies in the folder of an instance or snapshot.
fn within(folder: &Found, found: &mut Vec<Found>) -> io::Result<()> {
    let weft_domain::census::What::Path(path) = &folder.what else { return Ok(()) };
    for entry in entries(path)? {
        let name = name(&entry);
        let is_draft = name.starts_with('.') && name.ends_with(".new");
        let sort = match (is_draft, folder.sort == Sort::Snapshot) {
            (true, _) => Sort::Draft,
            (false, true) => Sort::Part,
            (false, false) if name.starts_with("disk-") => Sort::Disk,
            (false, false) if name.ends_with(".log") => Sort::Log,
            (false, false) => Sort::File,
        };
        found.push(Found::at(sort, entry.path(), Mark::Place));
    }
    Ok(())
}

/// What lies in the run folder beside incarnations.
fn of_run(config: &Config, entry: &DirEntry) -> Option<Found> {
    let (name, path) = (name(entry), entry.path());
    let rest = name.strip_prefix("launcher-");
    // Where a successor asks, and before it is in its place, by its maker's pid.
    let gate = name.strip_prefix("up-").and_then(|gate| gate.rsplit_once('.')).filter(|_| is_socket(entry));
    let maker = rest.and_then(|rest| rest.strip_suffix(".new")).or(gate.map(|(_, maker)| maker));
    match maker {
        Some(pid) if pid.parse::<u32>().is_ok() => return Some(Found::at(Sort::Draft, path, draft(entry))),
        Some(_) | None => {}
    }
    if name == "vms" || [&config.data_dir, &config.cache_dir].contains(&&path) {
        return None;
    }
    let is_ours = rest.is_some() || gate.is_some_and(|(_, last)| last == "sock");
    let mark = if is_ours { Mark::House } else { Mark::Stranger(UNNAMED) };
    let sort = if is_socket(entry) { Sort::Socket } else { Sort::File };
    Some(Found::at(sort, path, mark))
}

/// What lies in the data folder beside instances and snapshots.
fn of_data(config: &Config, entry: &DirEntry) -> Option<Found> {
    let (name, path) = (name(entry), entry.path());
    if ["node-id.new", "up.json.new"].contains(&name.as_str()) {
        return Some(Found::at(Sort::Draft, path, draft(entry)));
    }
    let known = HOUSE.contains(&name.as_str()) || [&config.run_dir, &config.cache_dir].contains(&&path);
    (!known).then(|| Found::at(Sort::File, path, Mark::Stranger(UNNAMED)))
}
