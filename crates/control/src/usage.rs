//! Metering: where nodes hand on what was used, and where callers ask for it.
//!
//! ```text
//!  node ─ batch ─► UsageDesk ─► ledger, each once ─┬─► query · total · export     (sums)
//!                     │                            ├─► watch                      (each second)
//!                     └─► subjects: whose it is    └─► gaps
//!  node ◄─ UsageReach ◄─ query · export of records, one by one
//! ```
//!
//! What always holds: what was taken is in every answer from then on, once. Whose usage it is outlives the VM. An
//! answer is whole or is refused: a node that is away makes no shorter list of records.
//!
//! What it does not know: how a ledger keeps its buckets, how a node makes its records, what anything costs.

mod books;
mod export;
mod live;
mod pages;
mod place;
mod records;
mod scope;
mod span;
mod sums;

use crate::control::Control;
use books::Books;
use std::future::Future;
use std::sync::Arc;
use tokio::time::{Instant, MissedTickBehavior};
use weft_domain::{Fault, NodeId, Reason};
use weft_ports::api::{Answers, Call, ExportChunk, ExportFormat, Page, Usage, UsageLine, UsageQuery, UsageScope};
use weft_ports::ledger::Ledger;
use weft_ports::link::{UsageDesk, UsageReach};
use weft_ports::spool::Batch;

/// Usage of a fleet: implements the API's service and the desk of the nodes. Clones are the same.
#[derive(Clone)]
pub struct Metering {
    books: Arc<Books>,
}

impl Metering {
    /// Metering of what this control controls, in this ledger. It is opened once, before any node is attached.
    ///
    /// # Errors
    /// The ledger cannot be read, or there is one already.
    pub async fn open(control: &Control, ledger: Arc<dyn Ledger>) -> Result<Self, Fault> {
        Ok(Self { books: Arc::new(Books::open(Arc::clone(&control.core), ledger).await?) })
    }

    /// Gives the way to a node's records; a later one takes the place of an earlier one.
    pub fn attach_node(&self, node: NodeId, reach: Arc<dyn UsageReach>) {
        self.books.attach(node, reach);
    }

    /// Drives the loops until `shutdown` comes: watches told, and what is no longer kept dropped. Then streams end,
    /// what was taken is made lasting, and nothing more is taken.
    pub async fn run(&self, shutdown: impl Future<Output = ()> + Send) {
        let books = &self.books;
        tokio::select! {
            () = live::run(books) => {}
            () = prune(books) => {}
            () = shutdown => {}
        }
        books.closing.cancel();
        books.detach();
        books.ledger.close().await;
    }
}

/// Drops what is no longer kept, again and again, for ever.
async fn prune(books: &Books) {
    let mut ticker = tokio::time::interval(books.core.config.prune_every);
    ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (wall, begun) = (books.core.now(), Instant::now());
    loop {
        ticker.tick().await;
        // A clock that was set ahead makes nothing older than it is.
        let now = books.core.now().min(wall.plus(begun.elapsed()));
        let known = books.subjects.ids();
        let dropped = match books.ledger.prune(now).await {
            Ok(()) => books.subjects.forget(&known).await,
            Err(fault) => Err(fault),
        };
        if let Err(fault) = dropped {
            tracing::warn!(%fault, "usage that is no longer kept could not be dropped");
        }
    }
}

#[async_trait::async_trait]
impl UsageDesk for Metering {
    async fn take_usage(&self, batch: &Batch) -> Result<u64, Fault> {
        let books = &self.books;
        let lasting = books.ledger.take(batch).await.inspect_err(|fault| {
            if fault.reason == Reason::LedgerBroken {
                tracing::warn!(node = %batch.node, sequence = batch.sequence, %fault, "a batch of usage is refused");
            }
        })?;
        // Before it is said that the batch is lasting: else it comes again.
        books.subjects.introduce(batch, &books.core.memory).await?;
        Ok(lasting)
    }

    async fn pass_over_usage(&self, node: NodeId, through: u64) -> Result<(), Fault> {
        tracing::warn!(%node, through, "the node has batches of usage no more that were not taken");
        self.books.ledger.pass_over(node, through).await
    }
}

#[async_trait::async_trait]
impl Usage for Metering {
    async fn query(&self, _: &Call, query: &UsageQuery) -> Result<Page<UsageLine>, Fault> {
        pages::usage(&self.books, query).await
    }

    async fn watch(&self, _: &Call, scope: UsageScope) -> Result<Answers<Vec<UsageLine>>, Fault> {
        live::watch(&self.books, &scope)
    }

    async fn gaps(&self, _: &Call, query: &UsageQuery) -> Result<Page<UsageLine>, Fault> {
        pages::gaps(&self.books, query).await
    }

    async fn export(&self, _: &Call, query: UsageQuery, form: ExportFormat) -> Result<Answers<ExportChunk>, Fault> {
        export::open(&self.books, &query, form)
    }
}

impl std::fmt::Debug for Metering {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metering").finish_non_exhaustive()
    }
}
