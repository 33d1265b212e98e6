//! The second floor of starting: by hand too, but as lasting and as confined as a VM of weft's has to be.
//!
//! ```text
//!  accepted (synced) ─► claimed (synced) ─► folder, cgroups ─► by hand ─► entered ─► runs (synced, twice at once)
//! ```
//!
//! Nothing is asked over a network, decided, encoded, watched or told: what is here is the kernel's work alone.
//! Records that come while one is being synced are synced together.

use super::daemon::Daemon;
use crate::boot::AT_A_TIME;
use crate::by_hand::{self, Plain, Recipe, Started};
use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::time::{Duration, Instant};

/// The length of a record, about that of a VM.
const RECORD: usize = 1024;
/// Trees of cgroups in which weft makes one for each VM, where each controller has a tree.
const TREES: [&str; 3] = ["memory", "pids", "freezer"];
/// Limits that weft sets, where the file is there.
const LIMITS: [(&str, &str); 3] =
    [("memory.limit_in_bytes", "1619001344"), ("memory.max", "1619001344"), ("pids.max", "513")];
/// How often the removal of a cgroup is tried, and the pause between.
const REMOVALS: (u32, Duration) = (100, Duration::from_millis(1));

/// A file that is appended to by many, who share syncs.
struct Log(std::sync::mpsc::Sender<SyncSender<()>>);

impl Log {
    fn open(path: &Path) -> Result<Self> {
        let file = File::create(path)?;
        let (asks, asked) = channel();
        std::thread::spawn(move || keep(&file, &asked));
        Ok(Self(asks))
    }

    /// Begins to append a record; it is on the disk when this is heard of.
    fn append(&self) -> Result<Receiver<()>> {
        let (answer, answered) = sync_channel(1);
        self.0.send(answer).context("a floor's log is kept no more")?;
        Ok(answered)
    }
}

/// Ends, and hangs up on who waits, when the disk refuses something.
fn keep(mut file: &File, asked: &Receiver<SyncSender<()>>) {
    while let Ok(first) = asked.recv() {
        let answers: Vec<_> = std::iter::once(first).chain(asked.try_iter()).collect();
        if file.write_all(&vec![b'.'; RECORD * answers.len()]).and_then(|()| file.sync_data()).is_err() {
            return;
        }
        for answer in answers {
            // Who asked waits for nothing else.
            let _ = answer.send(());
        }
    }
}

/// What all starts share.
struct Ground {
    recipe: Recipe,
    lasting: PathBuf,
    passing: PathBuf,
    trees: Vec<PathBuf>,
    state: Log,
    claims: Log,
}

/// One that runs, and where it is confined.
struct Confined {
    started: Option<Started>,
    cgroups: Vec<PathBuf>,
}

impl Drop for Confined {
    fn drop(&mut self) {
        self.started = None;
        for cgroup in &self.cgroups {
            remove(cgroup);
        }
    }
}

/// The kernel lets go of a cgroup a moment after its last process.
fn remove(cgroup: &Path) {
    for _ in 0..REMOVALS.0 {
        if fs::remove_dir(cgroup).is_ok() || !cgroup.exists() {
            return;
        }
        std::thread::sleep(REMOVALS.1);
    }
}

/// Our folder in each tree of cgroups; they go when this does.
struct Trees(Vec<PathBuf>);

impl Trees {
    fn make() -> Self {
        let root = Path::new("/sys/fs/cgroup");
        let name = format!("weft-bench-{}", std::process::id());
        let all = TREES.iter().map(|tree| root.join(tree)).filter(|tree| tree.join("tasks").exists());
        let all: Vec<_> = all.map(|tree| tree.join(&name)).filter(|ours| fs::create_dir(ours).is_ok()).collect();
        if !all.is_empty() {
            return Self(all);
        }
        let one = root.join(&name);
        let unified = root.join("cgroup.controllers").exists() && fs::create_dir(&one).is_ok();
        Self(unified.then_some(one).into_iter().collect())
    }
}

impl Drop for Trees {
    fn drop(&mut self) {
        self.0.iter().for_each(|tree| remove(tree));
    }
}

/// Starts so many, all of which run at once, and ends them; how long each took, all, and in how many cgroups each
/// was.
pub(super) async fn start(daemon: &Daemon, vms: u32) -> Result<(Vec<Duration>, Duration, usize)> {
    let (lasting, passing, trees) = (daemon.scratch()?, daemon.passing()?, Trees::make());
    let (program, kernel) = (daemon.stub(), daemon.kernel());
    let ground = Arc::new(Ground {
        recipe: Recipe::Firecracker(Plain { program, kernel, mebibytes: super::daemon::MEBIBYTES }),
        trees: trees.0.clone(),
        state: Log::open(&lasting.path().join("state"))?,
        claims: Log::open(&lasting.path().join("claims"))?,
        lasting: lasting.path().to_owned(),
        passing: passing.path().to_owned(),
    });
    let begun = Instant::now();
    let one = |number: u32| {
        let ground = Arc::clone(&ground);
        async move { tokio::task::spawn_blocking(move || begin(&ground, number)).await? }
    };
    let started: Vec<(Confined, Duration)> =
        stream::iter(0..vms).map(one).buffer_unordered(AT_A_TIME).try_collect().await?;
    let wall = begun.elapsed();
    let took = started.iter().map(|(_, took)| *took).collect();
    let trees = tokio::task::spawn_blocking(move || {
        drop(started);
        trees.0.len()
    });
    Ok((took, wall, trees.await?))
}

fn begin(ground: &Ground, number: u32) -> Result<(Confined, Duration)> {
    let begun = Instant::now();
    ground.state.append()?.recv()?;
    ground.claims.append()?.recv()?;
    fs::create_dir(ground.lasting.join(number.to_string()))?;
    let folder = ground.passing.join(number.to_string());
    fs::create_dir(&folder)?;
    let mut confined = Confined { started: None, cgroups: Vec::new() };
    for tree in &ground.trees {
        let cgroup = tree.join(number.to_string());
        fs::create_dir(&cgroup)?;
        for (name, limit) in LIMITS {
            // Each tree has the files of its own controllers.
            if let Ok(mut file) = File::options().write(true).open(cgroup.join(name)) {
                file.write_all(limit.as_bytes())?;
            }
        }
        confined.cgroups.push(cgroup);
    }
    let started = by_hand::start(&ground.recipe, &folder)?;
    for cgroup in &confined.cgroups {
        let door = if cgroup.join("tasks").exists() { "tasks" } else { "cgroup.procs" };
        fs::write(cgroup.join(door), started.pid().to_string())?;
    }
    confined.started = Some(started);
    let noted = ground.claims.append()?;
    ground.state.append()?.recv()?;
    noted.recv()?;
    Ok((confined, begun.elapsed()))
}
