//! The one way to start a task: with a name, and awaited by somebody.
//!
//! A dropped [`Task`] is aborted, so that no task outlives its owner unseen.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::task::JoinHandle;
use tracing::Instrument;

/// A running task. Await it for its answer; drop it to end it.
#[must_use = "a task that nobody holds is ended at once"]
pub struct Task<T> {
    name: &'static str,
    handle: JoinHandle<T>,
}

/// How a task ended without an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Ended {
    /// It was ended from outside.
    #[error("task {0} was ended")]
    Aborted(&'static str),
    /// It panicked.
    #[error("task {0} panicked")]
    Panicked(&'static str),
}

/// Starts a task under this name.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn spawn<F>(name: &'static str, future: F) -> Task<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let span = tracing::debug_span!("task", name);
    Task { name, handle: tokio::spawn(future.instrument(span)) }
}

impl<T> Task<T> {
    /// Ends it at its next await.
    pub fn abort(&self) {
        self.handle.abort();
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, Ended>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let name = self.name;
        Pin::new(&mut self.handle).poll(cx).map(|answer| {
            answer.map_err(|why| if why.is_panic() { Ended::Panicked(name) } else { Ended::Aborted(name) })
        })
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.handle.abort();
    }
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("name", &self.name).finish_non_exhaustive()
    }
}
