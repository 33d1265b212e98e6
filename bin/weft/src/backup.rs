//! `weft backup` and `weft restore`: the whole state as one file.
//!
//! Where a weft runs, the copy comes over its API; where none does, the store is opened here. Either way
//! the file appears under its name only when it is whole and on the disk.

use crate::settings::Settings;
use crate::state::Running;
use crate::{internal, rooms};
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use futures::stream::{StreamExt, unfold};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use weft_cli::{Exit, Globals};
use weft_domain::{Fault, Reason};
use weft_ports::api::{Answers, Backups, Call};
use weft_ports::store::Store;

/// Bytes in one piece of a copy.
const CHUNK: usize = 256 * 1024;

/// Copies of a store, made in a folder of ours on the way.
pub(crate) struct Copies {
    store: Arc<dyn Store>,
    folder: PathBuf,
}

impl Copies {
    /// Copies of this store; half-made ones of a former process are removed from the folder.
    pub(crate) fn new(store: Arc<dyn Store>, folder: PathBuf) -> Self {
        // There may be none; one that cannot be removed refuses the copy.
        let _ = std::fs::remove_dir_all(&folder);
        Self { store, folder }
    }
}

#[async_trait::async_trait]
impl Backups for Copies {
    async fn backup(&self, _: &Call) -> Result<Answers<Bytes>, Fault> {
        let refused = |why: std::io::Error| {
            tracing::error!(%why, folder = %self.folder.display(), "a copy of the state cannot be made");
            Fault::new(Reason::HostRefused, "the server cannot make a copy of its state in its data folder")
                .fix("look in weft's log for the cause")
        };
        tokio::fs::create_dir_all(&self.folder).await.map_err(refused)?;
        let file = self
            .folder
            .join(weft_ports::clock::Clock::random(&weft_ports::clock::System).map(|b| format!("{b:02x}")).concat());
        self.store.backup(&file).await?;
        let copy = File::open(&file).await.map_err(refused)?;
        // Its name goes at once: the bytes live as long as somebody reads them.
        tokio::fs::remove_file(&file).await.map_err(refused)?;
        let chunks = unfold(Some(copy), |copy| async move {
            let mut copy = copy?;
            let mut chunk = vec![0; CHUNK];
            match copy.read(&mut chunk).await {
                Ok(0) => None,
                Ok(read) => {
                    chunk.truncate(read);
                    Some((Ok(Bytes::from(chunk)), Some(copy)))
                }
                Err(why) => {
                    tracing::error!(%why, "a copy of the state cannot be read");
                    Some((Err(Fault::new(Reason::HostRefused, "the copy of the state cannot be read")), None))
                }
            }
        });
        Ok(chunks.boxed())
    }
}

/// Writes a copy of the state to a file: from the running weft, or from the folder where none runs.
///
/// # Errors
/// The file is there already, or the state cannot be read.
pub(crate) async fn backup(globals: &Globals, settings: &Settings, file: &Path) -> Result<Exit> {
    let file = std::path::absolute(file)?;
    if file.exists() {
        bail!("{} is there already; name another file", file.display());
    }
    let running = Running::find(&settings.data_dir).filter(|running| running.lives(&settings.data_dir));
    match running {
        Some(running) => fetch(&format!("http://{}", running.api), globals, &file).await?,
        None => {
            let store = rooms::open_store(settings).await?;
            store.backup(&file).await?;
            store.close().await;
        }
    }
    internal::print(&format!("the state is in {}\n", file.display()))
}

async fn fetch(server: &str, globals: &Globals, file: &Path) -> Result<()> {
    let client = weft_api::Client::connect(server)?;
    let call = Call { timeout: globals.timeout, ..Call::by("backup") };
    let mut chunks = client.backup(&call).await?;
    let fresh = file.with_extension("part");
    let written = async {
        let mut copy = File::options().write(true).create_new(true).open(&fresh).await?;
        while let Some(chunk) = chunks.next().await {
            copy.write_all(&chunk?).await?;
        }
        copy.sync_all().await?;
        tokio::fs::rename(&fresh, file).await?;
        anyhow::Ok(())
    };
    let written = written.await.with_context(|| format!("{} cannot be written", file.display()));
    if written.is_err() {
        // What is half written is of no use to anybody.
        let _ = tokio::fs::remove_file(&fresh).await;
    }
    written
}

/// Puts the state of a backup into an empty data folder.
///
/// # Errors
/// The folder has a state already, or the file is no backup.
pub(crate) async fn restore(settings: &Settings, file: &Path) -> Result<Exit> {
    let from = std::path::absolute(file)?;
    let dir = settings.data_dir.join("store");
    rooms::private_folder(&settings.data_dir)?;
    let restored = tokio::task::spawn_blocking(move || weft_store::embedded::restore(&from, &dir, &weft_api::Records));
    restored.await.context("the restoring was broken off")?.map_err(Fault::from)?;
    internal::print(&format!(
        "the state of {} is in {}; start it with `weft up`\n",
        file.display(),
        settings.data_dir.display()
    ))
}
