//! State as each format version wrote it, kept in the tree: made once, and opened by every later weft.
//!
//! ```text
//!  testbed/corpus/<number>/formats.json   the formats of store, records and journal
//!                          store          the store's marker
//!                          state.redb.gz  the store's file, as it lay on the disk
//!                          claims.log     the journal, as it lay on the disk
//!                          holds.txt      what is in both, a line each
//! ```
//!
//! A line of `holds.txt` names what a reader must find, in words that later versions can still say: fields
//! that come later are not in it.

use anyhow::{Context, Result, bail, ensure};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use std::fs;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use weft_domain::label::Annotations;
use weft_domain::node::{Facts, Node};
use weft_domain::object::{Answer, Answered, Key, Object, Revision, Sort, Stored};
use weft_domain::snapshot::{Content, Part, Role, Scope, Snapshot, SnapshotPhase};
use weft_domain::{Instance, Labels, Name, NodeId, SnapshotId, Time};
use weft_ports::claims::{Claimed, Claims, Entry, conformance};
use weft_ports::store::fake::sample;
use weft_ports::store::{Commit, Store, Write};
use weft_store::embedded;

/// Today's formats, as `formats.json` says them.
#[must_use]
pub fn formats() -> serde_json::Value {
    serde_json::json!({
        "store": embedded::FORMAT, "records": weft_api::codec::FORMAT, "journal": weft_host::journal::FORMAT,
    })
}

/// Makes the corpus of today's formats in this folder, which must not be there.
///
/// # Errors
/// It is there, or cannot be written.
pub async fn make(to: &Path) -> Result<()> {
    ensure!(!to.exists(), "{} is there: a corpus that was released is never written again", to.display());
    let work = tempfile::tempdir()?;
    let journal = work.path().join("journal");
    fs::create_dir(&journal)?;
    fill_store(&work.path().join("store")).await?;
    fill_journal(&journal).await?;
    fs::create_dir_all(to)?;
    fs::write(to.join("formats.json"), serde_json::to_string_pretty(&formats())? + "\n")?;
    fs::copy(work.path().join("store/store"), to.join("store"))?;
    fs::copy(journal.join("claims.log"), to.join("claims.log"))?;
    let mut packed = GzEncoder::new(fs::File::create(to.join("state.redb.gz"))?, Compression::best());
    packed.write_all(&fs::read(work.path().join("store/state.redb"))?)?;
    packed.finish()?;
    fs::write(to.join("holds.txt"), holds(work.path()).await?)?;
    Ok(())
}

/// Lays a corpus out as a data folder.
///
/// # Errors
/// It is not whole.
pub fn lay_out(corpus: &Path, data_dir: &Path) -> Result<()> {
    let (store, journal) = (data_dir.join("store"), data_dir.join("journal"));
    fs::create_dir_all(&store)?;
    fs::create_dir_all(&journal)?;
    fs::copy(corpus.join("store"), store.join("store")).context("the marker")?;
    fs::copy(corpus.join("claims.log"), journal.join("claims.log")).context("the journal")?;
    let mut state = Vec::new();
    GzDecoder::new(fs::File::open(corpus.join("state.redb.gz")).context("the state")?).read_to_end(&mut state)?;
    Ok(fs::write(store.join("state.redb"), state)?)
}

/// The corpora of the tree, by number.
///
/// # Errors
/// The folder cannot be read.
pub fn all() -> Result<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let entries = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
    let mut found: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    found.sort();
    Ok(found)
}

/// Opens the store of a data folder.
///
/// # Errors
/// It is newer, damaged or held.
pub fn open_store(data_dir: &Path) -> Result<embedded::Embedded, weft_store::Error> {
    // Less than usual is kept in reserve: this store does not grow.
    let config = embedded::Config { reserve_bytes: 0, ..embedded::Config::at(data_dir.join("store")) };
    embedded::open(config, Arc::new(weft_api::Records))
}

/// Opens the journal of a data folder.
///
/// # Errors
/// It is newer, damaged or held.
pub fn open_journal(data_dir: &Path) -> Result<weft_host::journal::Journal, weft_host::Error> {
    weft_host::journal::open(weft_host::journal::Config { dir: data_dir.join("journal") })
}

/// What a data folder holds, a line each, as today's code reads it.
///
/// # Errors
/// Something cannot be read.
pub async fn holds(data_dir: &Path) -> Result<String> {
    let mut lines = Vec::new();
    let store = open_store(data_dir)?;
    let verified = store.verify().await?;
    for sort in Sort::ALL {
        let (found, revision) = store.scan(sort, None, 1000).await?;
        ensure!(revision.0 == verified.revision, "the store changes while it is read");
        lines.extend(found.iter().map(|(key, object)| told(key, object)));
    }
    lines.push(format!("revision {}", verified.revision));
    store.close().await;
    let journal = open_journal(data_dir)?;
    lines.extend(journal.list().await?.iter().map(claim));
    Ok(lines.join("\n") + "\n")
}

fn told(key: &Key, stored: &Stored<Object>) -> String {
    let said = match &stored.value {
        Object::Instance(vm) => instance(vm),
        Object::Name(id) => format!("name of {id}"),
        Object::Request(request) => match &request.answer {
            Answer::Instance(vm) => format!("request {:02x?} answered: {}", &request.body[..4], instance(vm)),
            Answer::Snapshot(one) => format!("request {:02x?} answered: {}", &request.body[..4], snapshot(one)),
            Answer::Absent => format!("request {:02x?} answered: absent", &request.body[..4]),
            Answer::Orphans(all) => {
                let ids: Vec<_> = all.ids().collect();
                format!("request {:02x?} answered: {}", &request.body[..4], ids.join(" "))
            }
        },
        Object::Event(event) => format!("event {} {} {:?}", event.at.as_nanos(), event.reason, event.message),
        Object::Node(node) => format!("node {} {} {} cpus", node.name, node.facts.boot_id, node.facts.cpus),
        Object::Snapshot(one) => snapshot(one),
        Object::SnapshotName(id) => format!("name of {id}"),
    };
    format!("{} at {}: {said}", words(key), stored.revision)
}

fn words(key: &Key) -> String {
    match key {
        Key::Instance(id) => id.to_string(),
        Key::Name(project, name) => format!("VM {project}/{name}"),
        Key::Request(hash) => format!("request {:02x?}", &hash[..4]),
        Key::Event(id) => id.to_string(),
        Key::Node(id) => id.to_string(),
        Key::Snapshot(id) => id.to_string(),
        Key::SnapshotName(project, name) => format!("snapshot {project}/{name}"),
    }
}

fn instance(vm: &Instance) -> String {
    let (meta, memory) = (&vm.meta, vm.spec.memory.size_bytes);
    format!("VM {} {} generation {} {} {memory} bytes", meta.id, meta.name, meta.generation, vm.status.phase)
}

fn snapshot(one: &Snapshot) -> String {
    let parts: Vec<String> =
        one.content.parts.iter().map(|part| format!("{} {} bytes", part.file, part.bytes)).collect();
    format!("snapshot {} {} of {} {:?}: {}", one.id, one.name, one.instance_name, one.phase, parts.join(", "))
}

fn claim(entry: &Entry) -> String {
    let what = match &entry.claim.what {
        Claimed::Folder(path) => format!("folder {}", path.display()),
        Claimed::Disk(path) => format!("disk {}", path.display()),
        Claimed::Process(process) => {
            let (run, at) = (process.run_dir.display(), process.at.as_nanos());
            format!(
                "process {} boot {} at {at} in {run}, ward {:?}",
                process.incarnation, process.boot_epoch, process.ward
            )
        }
        Claimed::Snapshot(id, path) => format!("snapshot {id} {}", path.display()),
    };
    let exit = entry.note.exit.as_ref().map(|exit| format!("{} {:?}", exit.cause.as_str(), exit.message));
    let alive = entry.note.alive.as_ref().map(|alive| (alive.pid, alive.start_ticks));
    format!("{} of {}: {what}; alive {alive:?}, exit {exit:?}", entry.claim.id, entry.claim.instance)
}

async fn fill_store(dir: &Path) -> Result<()> {
    let config = embedded::Config { reserve_bytes: 0, ..embedded::Config::at(dir) };
    let store = embedded::open(config, Arc::new(weft_api::Records))?;
    let (vm, at) = (sample::instance(1), Time::from_millis(1_700_000_000_000));
    let one = kept(at)?;
    let answered = |answer, byte| {
        let answered = Answered { body: [byte; 32], at, answer, revision: Revision(0) };
        Write::Put(Key::Request([byte; 32]), Object::Request(Box::new(answered)))
    };
    let commits = [
        vec![node(at)?],
        vec![
            Write::Put(Key::Instance(vm.meta.id), Object::Instance(Box::new(vm.clone()))),
            put(sample::name(1)),
            put(sample::event(1)),
            answered(Answer::Instance(Box::new(vm)), 1),
        ],
        vec![
            Write::Put(Key::SnapshotName(one.project.clone(), one.name.clone()), Object::SnapshotName(one.id)),
            Write::Put(Key::Snapshot(one.id), Object::Snapshot(Box::new(one.clone()))),
            put(sample::event(2)),
            answered(Answer::Snapshot(Box::new(one)), 2),
        ],
        vec![put(sample::event(3))],
        vec![Write::Delete(sample::event(3).0)],
    ];
    for writes in commits {
        store.commit(Commit { expect: Vec::new(), writes }).await?;
    }
    store.close().await;
    Ok(())
}

fn put((key, object): (Key, Object)) -> Write {
    Write::Put(key, object)
}

fn node(at: Time) -> Result<Write> {
    let facts = Facts {
        weft_version: "0.1.0".to_owned(),
        kernel: "6.1".to_owned(),
        architecture: "x86_64".to_owned(),
        boot_id: "the-boot".to_owned(),
        agent_start: at,
        cpus: 4,
        memory_bytes: 8 << 30,
        allocatable_memory_bytes: 7 << 30,
        allocatable_disk_bytes: 1 << 40,
        cgroups: "cgroup-v2".to_owned(),
        drivers: Vec::new(),
        warnings: vec!["none".to_owned()],
    };
    let id = NodeId::new(at, [2; 10]);
    let name = "here".parse().map_err(|why| anyhow::anyhow!("{why}"))?;
    let node = Node { id, name, labels: Labels::default(), create_time: at, facts };
    Ok(Write::Put(Key::Node(id), Object::Node(Box::new(node))))
}

fn kept(at: Time) -> Result<Snapshot> {
    let vm = sample::instance(1);
    let part = |role, file: &str, bytes| Part { role, file: file.to_owned(), bytes, sha256: [7; 32] };
    Ok(Snapshot {
        id: SnapshotId::new(at, [4; 10]),
        name: "before".parse().map_err(|why| anyhow::anyhow!("{why}"))?,
        project: Name::default_project(),
        labels: Labels::default(),
        annotations: Annotations::default(),
        create_time: at,
        instance: vm.meta.id,
        instance_name: vm.meta.name,
        node: NodeId::new(at, [2; 10]),
        scope: Scope::Full,
        parent: None,
        spec: vm.spec,
        phase: SnapshotPhase::Ready,
        content: Content {
            driver: "qemu 7.2.22".to_owned(),
            taken: Some(at),
            parts: vec![part(Role::Disk("disk0".to_owned()), "disk0", 9), part(Role::Memory, "memory", 4096)],
        },
        message: String::new(),
    })
}

async fn fill_journal(dir: &Path) -> Result<()> {
    let journal = weft_host::journal::open(weft_host::journal::Config { dir: dir.to_owned() })?;
    let (folder, disk, process) = (conformance::folder("a"), conformance::disk("b"), conformance::process("c"));
    let gone = conformance::folder("gone");
    let mut snapshot = conformance::folder("s");
    snapshot.what = Claimed::Snapshot(SnapshotId::from_bytes([7; 16]), "/x/s".into());
    let (noted, released) = (process.id, gone.id);
    journal.claim(vec![folder, disk]).await?;
    journal.claim(vec![process, snapshot, gone]).await?;
    journal.note(noted, conformance::note()).await?;
    journal.release(vec![released]).await?;
    Ok(())
}

/// What the tool does: makes the corpus that is missing.
///
/// # Errors
/// There is one of today's formats, or it cannot be written.
pub async fn add(folder: &Path) -> Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let mut next = 1;
    for entry in fs::read_dir(folder)?.flatten() {
        let Ok(number) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        let text = fs::read_to_string(entry.path().join("formats.json"))?;
        if serde_json::from_str::<serde_json::Value>(&text)? == formats() {
            bail!("{} has today's formats already: it is never written again", entry.path().display());
        }
        next = next.max(number + 1);
    }
    let to = folder.join(next.to_string());
    make(&to).await?;
    Ok(to)
}
