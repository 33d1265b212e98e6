//! The agent: takes stock, then keeps one owner per instance and one keeper per snapshot for as long as it
//! runs.

mod metering;
mod snapshots;

use crate::config::{Config, Ports};
use crate::figures::Figures;
use crate::files::Files;
use crate::inventory::{self, Holdings};
use crate::layout::Layout;
use crate::looks::Looks;
use crate::orphans;
use crate::owner::{Ask, Owner, Wish};
use crate::shared::Shared;
use crate::wards::Wards;
use futures::channel::mpsc;
use futures::future::{BoxFuture, FutureExt};
use futures::stream::{self, BoxStream, FuturesUnordered, StreamExt};
use snapshots::Keepers;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use weft_domain::node::{Node, Orphans};
use weft_domain::snapshot::SnapshotPhase;
use weft_domain::{Fault, InstanceId};
use weft_ports::link::{Placed, Placement};
use weft_ports::task::{self, Task};

/// Questions to an owner that wait.
const ASKS: usize = 16;
/// So many machines are taken up at once.
const ADOPTIONS: usize = 64;
/// Between two looks at the node is at least so many times what a look takes: it looks at each instance's files.
const REFRESH_SHARE: u32 = 200;
/// How long owners may take to end the step that they are at when the agent ends.
const FAREWELL: Duration = Duration::from_secs(2);

/// The way to an owner.
struct Handle {
    wants: watch::Sender<Wish>,
    asks: mpsc::Sender<Ask>,
}

/// The agent of one node.
#[derive(Clone)]
pub struct Agent {
    pub(crate) shared: Arc<Shared>,
    owners: Arc<Mutex<BTreeMap<InstanceId, Handle>>>,
}

/// An agent on these ports. It does nothing until it is run.
#[must_use]
pub fn open(config: Config, ports: Ports) -> Agent {
    let layout = Layout::new(&config.data_dir, &config.run_dir);
    let wards = Wards::new(&config.jail);
    let shared = Shared {
        config,
        ports,
        layout,
        figures: Figures::new(),
        wards,
        orphans: orphans::Orphans::default(),
        looks: Looks::default(),
        files: Files::default(),
        adopting: Semaphore::new(ADOPTIONS),
        sampler: Mutex::default(),
    };
    Agent { shared: Arc::new(shared), owners: Arc::default() }
}

/// How an owner ended.
enum Ended {
    /// Nothing of its instance is left, or the agent ends; with what was wanted then.
    Concluded(Option<Arc<Placed>>),
    /// It panicked; its machine goes on, and what the journal holds of it is for the next owner.
    Fell(Holdings),
}

/// What one run keeps.
struct Run {
    /// What the journal holds of instances that have no owner yet.
    inherited: BTreeMap<InstanceId, Holdings>,
    owners: FuturesUnordered<BoxFuture<'static, (InstanceId, Ended)>>,
    keepers: Keepers,
    /// Counts subscriptions.
    link: u64,
    /// Instances that this subscription told.
    told: BTreeSet<InstanceId>,
}

/// What comes from control.
enum News {
    /// A subscription begins: all that is placed here follows.
    Begun,
    Placement(Placement),
}

impl Agent {
    /// Takes stock of the host, takes up what runs, and converges until `shutdown` is true. Machines
    /// go on after it.
    ///
    /// # Errors
    /// The journal cannot be read, or the host's objects cannot be listed.
    pub async fn run(&self, mut shutdown: watch::Receiver<bool>) -> Result<(), Fault> {
        let shared = &self.shared;
        // Owners of a run that was cut off are gone.
        self.lock().clear();
        shared.ports.volumes.make_folder(shared.layout.vms()).await?;
        shared.ports.volumes.make_folder(shared.layout.snapshots()).await?;
        shared.ports.volumes.make_folder(shared.layout.run()).await?;
        let mut run = self.take_stock().await?;
        let _measuring = self.begin_to_measure(&run.inherited).await?;
        let mut news = self.news();
        let mut upkeep = interval_at(Instant::now() + shared.config.upkeep, shared.config.upkeep);
        upkeep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut census = interval_at(Instant::now() + shared.config.census, shared.config.census);
        census.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut going = shared.orphans.going();
        let (mut refresh, mut taking): (Option<Task<()>>, Option<Task<()>>) = (None, None);
        loop {
            tokio::select! {
                Some(news) = news.next() => self.hear(news, &mut run),
                Some((id, ended)) = run.owners.next() => self.forget(id, ended, &mut run),
                (id, ended) = run.keepers.next() => run.keepers.forget(id, ended),
                Ok(()) = going.changed() => self.let_go(&going.borrow_and_update().clone(), &mut run),
                () = shared.orphans.news() => upkeep.reset_immediately(),
                // One that hangs is given up for the next.
                _ = upkeep.tick() => {
                    upkeep.reset_after(shared.config.upkeep.max(shared.figures.refresh_took() * REFRESH_SHARE));
                    drop(refresh.replace(task::spawn("refresh", self.clone().refresh())));
                }
                _ = census.tick() => {
                    if taking.as_ref().is_none_or(Task::is_finished) {
                        taking = Some(task::spawn("census", self.clone().next_census()));
                    }
                }
                _ = shutdown.wait_for(|stop| *stop) => break,
            }
        }
        tracing::info!(instances = run.owners.len(), "the agent ends; machines go on");
        let keepers = run.keepers.end();
        let owners = async {
            // An owner without its queue ends after the step that it is at.
            self.lock().clear();
            while run.owners.next().await.is_some() {}
        };
        drop(timeout(FAREWELL, async { tokio::join!(biased; keepers, owners) }).await);
        Ok(())
    }

    /// What a former agent left.
    async fn take_stock(&self) -> Result<Run, Fault> {
        let shared = &self.shared;
        orphans::refuse_lost(&shared.ports, &shared.layout).await?;
        let mut stock = inventory::read(&shared.ports).await?;
        shared.files.adopt_living(&shared.ports, &stock).await;
        self.first_census().await?;
        shared.figures.owners(0);
        shared.wards.reset(stock.processes().filter_map(|held| Some((held.claim, held.process.ward?))));
        let agent = self.clone();
        let owners = Arc::new(move |id| agent.owner(id));
        let keepers = Keepers::new(Arc::clone(shared), owners, &mut stock);
        let (inherited, owners) = (stock.instances, FuturesUnordered::new());
        Ok(Run { inherited, owners, keepers, link: 0, told: BTreeSet::new() })
    }

    /// What control says; a subscription that ends is followed by another.
    fn news(&self) -> BoxStream<'static, News> {
        let subscriptions = stream::unfold((self.clone(), Duration::ZERO), |(agent, wait)| async move {
            tokio::time::sleep(wait).await;
            let placements = agent.subscribe().await;
            let retry = agent.shared.config.retry;
            let news = stream::once(async { News::Begun }).chain(placements.map(News::Placement));
            Some((news, (agent, retry)))
        });
        subscriptions.flatten().boxed()
    }

    /// Introduces the node and asks what should be on it, until control answers.
    async fn subscribe(&self) -> BoxStream<'static, Placement> {
        let placements = &self.shared.ports.placements;
        loop {
            let introduced = async {
                let node = self.node().await?;
                let id = node.id;
                placements.register(node).await?;
                placements.subscribe(id).await
            };
            match introduced.await {
                Ok(placements) => return placements,
                Err(fault) => tracing::warn!(%fault, "control is away; trying again"),
            }
            tokio::time::sleep(self.shared.config.retry).await;
        }
    }

    /// The node as it is now: its drivers, and the space that disks may have.
    async fn node(&self) -> Result<Node, Fault> {
        let shared = &self.shared;
        let mut node = shared.config.node.clone();
        node.facts.drivers = shared.ports.drivers.iter().map(|driver| driver.capabilities().as_ref().clone()).collect();
        let free = shared.ports.volumes.free_bytes().await?;
        let used = shared.ports.volumes.allocated_bytes(shared.layout.vms()).await?;
        node.facts.allocatable_disk_bytes = free.saturating_add(used).saturating_sub(shared.config.reserved_disk_bytes);
        let mut orphaned: u64 = 0;
        for id in shared.orphans.instances() {
            let taken = shared.ports.volumes.allocated_bytes(&shared.layout.folder(id)).await?;
            orphaned = orphaned.saturating_add(taken);
        }
        shared.orphans.tell(&mut node.facts, orphaned);
        Ok(node)
    }

    async fn refresh(self) {
        let begun = Instant::now();
        let told = async { self.shared.ports.placements.register(self.node().await?).await };
        let told = told.await;
        self.shared.figures.refreshed(begun.elapsed());
        if let Err(fault) = told {
            tracing::warn!(%fault, "the node could not tell control how it is");
        }
    }

    fn hear(&self, news: News, run: &mut Run) {
        match news {
            News::Begun => {
                run.link += 1;
                run.told.clear();
                self.shared.orphans.clear();
                run.keepers.begin();
            }
            News::Placement(Placement::Set(placed)) => {
                let id = placed.id;
                run.told.insert(id);
                self.shared.orphans.gone(id);
                self.want(id, Some(Arc::from(placed)), run);
            }
            News::Placement(Placement::Removed(id)) => {
                if self.lock().contains_key(&id) || run.inherited.contains_key(&id) {
                    self.want(id, None, run);
                }
            }
            News::Placement(Placement::Snapshot(placed)) => {
                if placed.snapshot.phase == SnapshotPhase::Deleting {
                    self.shared.looks.ends(placed.snapshot.id);
                }
                self.shared.orphans.gone_snapshot(placed.snapshot.id);
                run.keepers.set(placed.snapshot);
            }
            News::Placement(Placement::SnapshotRemoved(id)) => {
                self.shared.looks.ends(id);
                run.keepers.remove(id);
            }
            News::Placement(Placement::Synced) => {
                self.set_orphans_apart(run);
                run.keepers.sync();
            }
        }
    }

    /// All was told: what is here and was not told is left as it is.
    fn set_orphans_apart(&self, run: &mut Run) {
        // An owner that ends its instance may have told so already.
        let stays = |handle: &Handle| {
            let wish = handle.wants.borrow();
            wish.placed.as_ref().is_some_and(|placed| !placed.desired.deleted)
        };
        let owned: Vec<_> = self.lock().iter().filter(|(_, handle)| stays(handle)).map(|(id, _)| *id).collect();
        let here: BTreeSet<_> = owned.into_iter().chain(run.inherited.keys().copied()).collect();
        let shared = &self.shared;
        for id in &here - &run.told {
            shared.orphans.add(&shared.ports, &shared.layout, id, run.inherited.get(&id));
        }
    }

    /// Releases what a person gave up.
    fn let_go(&self, going: &Orphans, run: &mut Run) {
        for id in &going.instances {
            tracing::warn!(instance = %id, "the state does not know it, and a person gave it up: released");
            self.want(*id, None, run);
        }
        for id in &going.snapshots {
            run.keepers.remove(*id);
        }
    }

    fn want(&self, id: InstanceId, placed: Option<Arc<Placed>>, run: &mut Run) {
        let wish = Wish { placed, link: run.link };
        let mut owners = self.lock();
        if let Some(handle) = owners.get(&id) {
            handle.wants.send_if_modified(|old| {
                let news = *old != wish && !is_older(&wish, old);
                if news {
                    *old = wish;
                }
                news
            });
            return;
        }
        let (wants, wanted) = watch::channel(wish);
        let (asks, asked) = mpsc::channel(ASKS);
        let holdings = run.inherited.remove(&id).unwrap_or_default();
        let owner = Box::new(Owner::new(id, Arc::clone(&self.shared), holdings, wanted, asked));
        let (agent, task) = (self.clone(), task::spawn("owner", owner.run()));
        let ended = async move {
            match task.await {
                Ok(placed) => (id, Ended::Concluded(placed)),
                Err(why) => (id, Ended::Fell(Box::pin(agent.mourn(id, &why)).await)),
            }
        };
        run.owners.push(ended.boxed());
        owners.insert(id, Handle { wants, asks });
        self.shared.figures.owners(owners.len());
    }

    /// Waits a while, then looks what an owner left that panicked.
    async fn mourn(&self, id: InstanceId, why: &task::Ended) -> Holdings {
        tracing::error!(%why, instance = %id, "an owner ended without its instance; another takes it up");
        loop {
            tokio::time::sleep(self.shared.config.retry).await;
            match inventory::read(&self.shared.ports).await {
                Ok(mut stock) => return stock.instances.remove(&id).unwrap_or_default(),
                Err(fault) => tracing::warn!(%fault, instance = %id, "the journal cannot be read; trying again"),
            }
        }
    }

    fn forget(&self, id: InstanceId, ended: Ended, run: &mut Run) {
        let last = {
            let mut owners = self.lock();
            let handle = owners.remove(&id);
            self.shared.figures.owners(owners.len());
            handle.and_then(|handle| handle.wants.borrow().placed.clone())
        };
        match ended {
            // It may have been wanted again while its owner ended.
            Ended::Concluded(placed) if last.is_some() && last != placed => self.want(id, last, run),
            Ended::Concluded(_) => self.shared.orphans.gone(id),
            Ended::Fell(holdings) => {
                run.inherited.insert(id, holdings);
                self.want(id, last, run);
            }
        }
    }

    /// Instances of which nothing should be left.
    pub(crate) fn ending(&self) -> BTreeSet<InstanceId> {
        let ends = |handle: &Handle| handle.wants.borrow().placed.as_ref().is_none_or(|placed| placed.desired.deleted);
        self.lock().iter().filter(|(_, handle)| ends(handle)).map(|(id, _)| *id).collect()
    }

    /// The queue of an instance's owner.
    pub(crate) fn owner(&self, id: InstanceId) -> Option<mpsc::Sender<Ask>> {
        self.lock().get(&id).map(|handle| handle.asks.clone())
    }

    /// Where the console of an instance is logged, if it is here.
    pub(crate) fn console_log(&self, id: InstanceId) -> Option<PathBuf> {
        self.lock().contains_key(&id).then(|| self.shared.layout.console_log(id))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<InstanceId, Handle>> {
        self.owners.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Whether a wish was overtaken by one that is known already.
fn is_older(wish: &Wish, known: &Wish) -> bool {
    let count = |wish: &Wish| wish.placed.as_ref().map(|placed| placed.placement);
    matches!((count(wish), count(known)), (Some(new), Some(old)) if new < old)
}
