//! The embedded store: one file, one writer, any number of readers. See the crate's page for what survives
//! what.
//!
//! ```text
//! commit ─► encode ─► queue ─► writer ─► engine ─► file           get · scan ◄── view ◄──┐
//!                                 └─► publish ──► watchers ◄── recent, log     (one revision)
//! ```

mod backup;
mod batch;
pub(crate) mod disk;
mod engine;
pub(crate) mod fail;
pub(crate) mod folder;
mod key;
pub(crate) mod reserve;
pub(crate) mod row;
mod schema;
mod shared;
#[cfg(test)]
pub(crate) mod tests;
mod view;
mod watch;
mod writer;

pub use backup::restore;
pub use row::FORMAT;
pub use view::Verified;

use crate::Error;
use batch::{Keep, Most, Prepared};
use disk::{Ground, OnDisk};
use fail::Failure;
use folder::Folder;
use reserve::Reserve;
use shared::Shared;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use tokio::sync::{Mutex, mpsc, oneshot};
use view::View;
use weft_domain::Fault;
use weft_domain::object::{Key, Object, Revision, Sort, Stored};
use weft_ports::codec::Codec;
use weft_ports::store::{Changes, Commit, Figures, Refused, Store};
use writer::{Asked, Bounds, Job, Writer};

/// Scans of more than this are not done on a thread that others wait for.
const SMALL_SCAN: usize = 64;

/// Where the state is and what it may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The folder, which holds nothing else.
    pub dir: PathBuf,
    /// Commits that may wait; a caller beyond them waits before it is one of them.
    pub queue: usize,
    /// Commits that are written together.
    pub batch: usize,
    /// Bytes of keys and records that are written together, and that one commit may have.
    pub batch_bytes: usize,
    /// Writes, and preconditions, that one commit may have.
    pub commit_writes: usize,
    /// Commits that the log keeps.
    pub log_commits: u64,
    /// Bytes that the log keeps.
    pub log_bytes: u64,
    /// Bytes of memory for pages of the file.
    pub cache_bytes: usize,
    /// Bytes on the disk that are kept for deletions; at least four times `batch_bytes`, or zero for none.
    pub reserve_bytes: u64,
}

impl Config {
    /// The usual limits, in this folder.
    #[must_use]
    pub fn at(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            queue: 1024,
            batch: 256,
            batch_bytes: 4 << 20,
            commit_writes: 4096,
            log_commits: 16_384,
            log_bytes: 64 << 20,
            cache_bytes: 8 << 20,
            reserve_bytes: 16 << 20,
        }
    }
}

/// The embedded store. Dropping it closes it too, and waits for the commits that were asked.
pub struct Embedded {
    shared: Arc<Shared>,
    ground: Arc<dyn Ground>,
    most: Most,
    jobs: Option<mpsc::Sender<Job>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Opens the store of a folder; makes one where there was none. Blocks: it reads the whole file.
///
/// # Errors
/// Another process holds it; it is damaged, gone or newer (nothing is written then); the system refuses.
pub fn open(config: Config, codec: Arc<dyn Codec>) -> Result<Embedded, Error> {
    let folder = Folder::hold(&config.dir)?;
    let marked = folder.marker()?;
    let state = folder.state();
    match fs::metadata(&state) {
        Ok(_) => {}
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => match marked {
            None => create(&folder)?,
            Some(revision) => {
                let what = format!("there was a store that had reached revision {revision}, but no state.redb is here");
                return Err(Error::Damaged { dir: config.dir, what });
            }
        },
        Err(why) => return Err(folder::access("read", &state)(why)),
    }
    let reserve = Reserve::new(&config.dir, config.reserve_bytes);
    let ground = Arc::new(disk::Folder::new(state, reserve));
    let store = start(&config, codec, ground, folder)?;
    tracing::info!(dir = %config.dir.display(), revision = store.figures().revision, "the store is open");
    Ok(store)
}

/// Whether this weft reads the format of what is in a folder, as its marker tells. Holds and writes nothing, so
/// it may be asked while another process has the store open.
///
/// # Errors
/// The marker is of a newer format, or cannot be read.
pub fn readable(dir: &Path) -> Result<(), Error> {
    folder::marker(dir, &folder::STORE).map(drop)
}

/// Makes the folder's state: whole under another name first.
fn create(folder: &Folder) -> Result<(), Error> {
    let draft = folder.draft();
    let made = File::options().read(true).write(true).create(true).truncate(true).open(&draft);
    let file = made.map_err(|why| folder.refused("create", &draft, why))?;
    let stand = schema::Stand::default();
    fail::guarded(|| engine::create(Box::new(OnDisk::plain(file)), stand)).map_err(|why| why.at(folder.dir()))?;
    fs::rename(&draft, folder.state()).map_err(folder::access("rename", &draft))?;
    folder.sync()
}

fn start(config: &Config, codec: Arc<dyn Codec>, ground: Arc<dyn Ground>, folder: Folder) -> Result<Embedded, Error> {
    let at = |failure: Failure| failure.at(&config.dir);
    let least = folder.marker()?.unwrap_or(0);
    let file = ground.open().map_err(|why| at(why.into()))?;
    let engine = engine::open(file, config.cache_bytes, least).map_err(at)?;
    // A full disk must not keep a store from being read; the marker then stays at an older revision.
    match folder.mark(engine.stand.revision) {
        Err(Error::Full { .. }) if least > 0 => {}
        marked => marked?,
    }
    let shared = Arc::new(Shared::new(codec, config.dir.clone()));
    let (jobs, waiting) = mpsc::channel(config.queue.max(1));
    let bounds = Bounds {
        batch: config.batch.max(1),
        batch_bytes: config.batch_bytes,
        keep: Keep { commits: config.log_commits.max(1), bytes: config.log_bytes },
        cache: config.cache_bytes,
    };
    ground.is_roomy();
    let mut writer = Writer::new(Arc::clone(&shared), Arc::clone(&ground), folder, bounds, waiting);
    writer.take(engine).map_err(at)?;
    let thread = std::thread::Builder::new().name("store".to_owned()).spawn(move || writer.run());
    let thread = thread.map_err(folder::access("start the writer of", &config.dir))?;
    let most = Most { writes: config.commit_writes, bytes: config.batch_bytes };
    Ok(Embedded { shared, ground, most, jobs: Some(jobs), thread: Mutex::new(Some(thread)) })
}

impl Embedded {
    /// Decodes every record; an error names what is damaged. It takes as long as the state is large, beside
    /// everything else.
    ///
    /// # Errors
    /// Something is not what was written.
    pub async fn verify(&self) -> Result<Verified, Fault> {
        let shared = Arc::clone(&self.shared);
        self.apart(move |view| view.verify(&*shared.codec)).await
    }

    /// Reads a view; once more from a newer one, where the disk refused something in between.
    async fn read<T>(&self, act: impl Fn(&View) -> Result<T, Failure>) -> Result<T, Fault> {
        let view = self.shared.view(None).await?;
        let answer = match act(&view) {
            Err(Failure::Lost | Failure::Disk(_)) => act(&*self.opened_again(view).await?),
            answer => answer,
        };
        answer.map_err(|failure| self.told(failure))
    }

    /// The same on a thread of its own.
    async fn apart<T, F>(&self, act: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: Fn(&View) -> Result<T, Failure> + Send + Sync + 'static,
    {
        let act = Arc::new(act);
        let run = |view: &Arc<View>| {
            let (act, view) = (Arc::clone(&act), Arc::clone(view));
            let done = tokio::task::spawn_blocking(move || act(&view));
            async { done.await.map_err(|_| Fault::internal("the reading was ended")) }
        };
        let view = self.shared.view(None).await?;
        let answer = match run(&view).await? {
            Err(Failure::Lost | Failure::Disk(_)) => run(&self.opened_again(view).await?).await?,
            answer => answer,
        };
        answer.map_err(|failure| self.told(failure))
    }

    /// A newer view than this one, to which the disk refused something.
    async fn opened_again(&self, lost: Arc<View>) -> Result<Arc<View>, Fault> {
        let jobs = self.jobs.as_ref().ok_or(Error::Closed)?;
        jobs.send(Job::Reopen(Arc::clone(&lost))).await.map_err(|_| Error::Closed)?;
        self.shared.view(Some(&lost)).await
    }

    fn told(&self, failure: Failure) -> Fault {
        if matches!(failure, Failure::Damaged(_)) {
            tracing::error!(?failure, "the state is damaged");
        }
        failure.at(&self.shared.dir).into()
    }
}

#[async_trait::async_trait]
impl Store for Embedded {
    async fn commit(&self, commit: Commit) -> Result<Revision, Refused> {
        let commit = Prepared::new(commit, &*self.shared.codec, self.most).map_err(Fault::from)?;
        let closed = || Refused::Store(Error::Closed.into());
        let (answer, answered) = oneshot::channel();
        let jobs = self.jobs.as_ref().ok_or_else(closed)?;
        jobs.send(Job::Commit(Box::new(Asked { commit, answer }))).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }

    async fn get(&self, key: &Key) -> Result<Option<Stored<Object>>, Fault> {
        self.read(|view| view.get(key, &*self.shared.codec)).await
    }

    async fn scan(
        &self,
        sort: Sort,
        after: Option<Key>,
        limit: usize,
    ) -> Result<(Vec<(Key, Stored<Object>)>, Revision), Fault> {
        let codec = Arc::clone(&self.shared.codec);
        let act = move |view: &View| {
            let found = view.scan(sort, after.as_ref(), limit, &*codec)?;
            Ok((found, Revision(view.stand.revision)))
        };
        if limit <= SMALL_SCAN { self.read(act).await } else { self.apart(act).await }
    }

    async fn revision(&self) -> Result<Revision, Fault> {
        Ok(Revision(self.shared.view(None).await?.stand.revision))
    }

    async fn watch(&self, after: Revision) -> Result<Changes, Fault> {
        watch::begin(Arc::clone(&self.shared), after).await
    }

    async fn backup(&self, to: &Path) -> Result<Revision, Fault> {
        let view = self.shared.view(None).await?;
        let (to, dir) = (to.to_owned(), self.shared.dir.clone());
        let done = tokio::task::spawn_blocking(move || backup::write(&view, &to, &dir)).await;
        done.map_err(|_| Fault::internal("the backup was ended"))?.map_err(|error| {
            tracing::warn!(%error, "a backup could not be made");
            error.into()
        })
    }

    fn figures(&self) -> Figures {
        Figures {
            revision: self.shared.revision.load(Ordering::Relaxed),
            compacted: self.shared.compacted.load(Ordering::Relaxed),
            commits: self.shared.commits.load(Ordering::Relaxed),
            syncs: self.ground.syncs(),
            bytes: self.ground.bytes(),
        }
    }

    async fn fallen(&self) {
        if let Some(jobs) = &self.jobs {
            jobs.closed().await;
        }
    }

    async fn close(&self) {
        // Whoever comes second waits here for the first.
        let mut thread = self.thread.lock().await;
        let Some(handle) = thread.take() else { return };
        if let Some(jobs) = &self.jobs {
            let _ = jobs.send(Job::Close).await;
        }
        let joined = tokio::task::spawn_blocking(move || handle.join()).await;
        if !matches!(joined, Ok(Ok(()))) {
            tracing::error!("the store's writer did not end in order");
        }
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        // The writer ends when nobody can ask any more; the folder is free when it has.
        self.jobs = None;
        if let Some(handle) = self.thread.get_mut().take() {
            let _ = handle.join();
        }
    }
}
