//! The port: one preparation for all who ask, told to each of them.
//!
//! ```text
//!  ensure ──► known and unchanged? ─yes─► files
//!               │ no
//!               ▼
//!             one task ── shelf.ensure(recipe) on a blocking thread ──► outcome, shared
//!               └── progress (watch) ──► every caller's watcher
//! ```
//!
//! Always holds: there is at most one task; it ends by itself even if every caller gives up, and when the
//! adapter is dropped the programs it runs are ended.

use crate::config::Config;
use crate::error::Error;
use crate::guest::CONSOLE;
use crate::recipe::{self, Recipe};
use crate::shelf::{Kept, Shelf};
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;
use weft_domain::Fault;
use weft_ports::images::{Files, Images as Port, Progress, Watcher};
use weft_ports::task;

/// The name of the one image.
const NAME: &str = "default";

/// Images made from this host and its packages.
pub struct Images {
    making: Arc<Making>,
    closing: Arc<AtomicBool>,
}

struct Making {
    shelf: Shelf,
    recipe: Box<dyn Recipe>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    known: Option<Kept>,
    under_way: Option<UnderWay>,
}

#[derive(Clone)]
struct UnderWay {
    outcome: Shared<BoxFuture<'static, Result<Files, Fault>>>,
    progress: watch::Receiver<Progress>,
}

impl Images {
    /// Opens the cache; nothing is prepared before it is asked for.
    ///
    /// # Errors
    /// Where the cache's folder cannot be made.
    pub fn open(config: Config) -> Result<Self, Error> {
        let shelf = Shelf::open(&config.cache_dir)?;
        let closing = Arc::new(AtomicBool::new(false));
        let recipe = recipe::Default { config, closing: Arc::clone(&closing) };
        Ok(Self::with(shelf, Box::new(recipe), closing))
    }

    fn with(shelf: Shelf, recipe: Box<dyn Recipe>, closing: Arc<AtomicBool>) -> Self {
        Self { making: Arc::new(Making { shelf, recipe, state: Mutex::default() }), closing }
    }
}

impl Drop for Images {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::Relaxed);
    }
}

impl std::fmt::Debug for Images {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Images").field("shelf", &self.making.shelf).finish_non_exhaustive()
    }
}

#[async_trait::async_trait]
impl Port for Images {
    fn names(&self) -> Vec<String> {
        vec![NAME.to_owned()]
    }

    async fn ensure(&self, name: &str, watcher: Watcher) -> Result<Files, Fault> {
        if name != NAME {
            return Err(Fault::from(&Error::NameUnknown { name: name.to_owned() }));
        }
        match self.making.known_or_under_way() {
            Ok(files) => Ok(files),
            Err(under_way) => under_way.follow(&watcher).await,
        }
    }
}

impl UnderWay {
    async fn follow(mut self, watcher: &Watcher) -> Result<Files, Fault> {
        loop {
            let told = self.progress.borrow_and_update().clone();
            if !told.stage.is_empty() {
                watcher(told);
            }
            tokio::select! {
                outcome = &mut self.outcome => return outcome,
                changed = self.progress.changed() => {
                    if changed.is_err() {
                        return self.outcome.await;
                    }
                }
            }
        }
    }
}

impl Making {
    fn known_or_under_way(self: &Arc<Self>) -> Result<Files, UnderWay> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = state.known.take_if(|kept| !kept.unchanged()) {
            tracing::warn!(image = %kept.title, "a prepared image was changed from outside");
        }
        if let Some(kept) = &state.known {
            return Ok(files(kept));
        }
        Err(state.under_way.get_or_insert_with(|| self.start()).clone())
    }

    fn start(self: &Arc<Self>) -> UnderWay {
        let (told, progress) = watch::channel(Progress { stage: String::new(), permille: 0 });
        let making = Arc::clone(self);
        let task = task::spawn("image", async move {
            let worker = Arc::clone(&making);
            let made = tokio::task::spawn_blocking(move || worker.make(&told)).await.unwrap_or(Err(Error::Lost));
            making.settle(made)
        });
        let outcome = async move {
            let lost = |ended| {
                tracing::error!(%ended, "the preparation of an image was lost");
                Err(Fault::from(&Error::Lost))
            };
            task.await.unwrap_or_else(lost)
        };
        UnderWay { outcome: outcome.boxed().shared(), progress }
    }

    fn make(&self, told: &watch::Sender<Progress>) -> Result<Kept, Error> {
        let report = |progress: Progress| {
            told.send_if_modified(|last| {
                let grown = progress.permille >= last.permille && progress != *last;
                if grown {
                    *last = progress;
                }
                grown
            });
        };
        self.shelf.ensure(&self.recipe.key(), |bench| self.recipe.make(bench, &report))
    }

    /// The next caller finds what is known, or starts anew after a failure.
    fn settle(&self, made: Result<Kept, Error>) -> Result<Files, Fault> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.under_way = None;
        match made {
            Ok(kept) => {
                tracing::info!(image = %kept.title, dir = %kept.dir.display(), "an image is ready");
                let files = files(&kept);
                state.known = Some(kept);
                Ok(files)
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "an image cannot be prepared");
                Err(Fault::from(&error))
            }
        }
    }
}

fn files(kept: &Kept) -> Files {
    Files {
        title: kept.title.clone(),
        kernel: kept.file(recipe::KERNEL),
        initramfs: Some(kept.file(recipe::INITRAMFS)),
        cmdline: format!("console={CONSOLE} quiet panic=1"),
    }
}

#[cfg(test)]
mod tests;
