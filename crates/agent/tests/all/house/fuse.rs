//! Ports that stop answering for good before or after their nth call, as if the agent were killed there.

use bytes::Bytes;
use futures::stream::BoxStream;
use std::collections::BTreeSet;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::watch;
use weft_domain::capability::Capabilities;
use weft_domain::node::Node;
use weft_domain::snapshot::Role;
use weft_domain::{ClaimId, Fault, NodeId, Spec};
use weft_ports::claims::{Claim, Claims, Entry, Note};
use weft_ports::hypervisor::{Address, Adoption, Alteration, Body, Chosen, Counters, Duplex};
use weft_ports::hypervisor::{Hypervisor, Keep, Machine, Order, State};
use weft_ports::images::{Files, Images, Watcher};
use weft_ports::link::{Placement, Placements, Report, SnapshotReport};
use weft_ports::processes::{Alive, Cgroups, Command, Confinement, Ending, Hold, Processes, Showing, Signal};
use weft_ports::volumes::parts::{Measure, Parts};
use weft_ports::volumes::{Volumes, Want};

/// Counts the points that were passed; at the last nothing goes on.
pub(crate) struct Fuse {
    left: AtomicI64,
    blown: watch::Sender<bool>,
    /// The next machine that is asked for its state is no longer watched by its driver.
    pub(crate) blind: AtomicBool,
    /// The driver panics after its next launch.
    pub(crate) panics: AtomicBool,
    /// No preparation of an image comes to an end.
    pub(crate) stuck: AtomicBool,
}

impl Fuse {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            left: AtomicI64::new(i64::MAX),
            blown: watch::Sender::new(false),
            blind: AtomicBool::new(false),
            panics: AtomicBool::new(false),
            stuck: AtomicBool::new(false),
        })
    }

    /// From now on it blows after this many points, or never.
    pub(crate) fn set(&self, points: Option<i64>) {
        self.blown.send_replace(false);
        self.left.store(points.unwrap_or(i64::MAX), Ordering::SeqCst);
    }

    pub(crate) async fn blows(&self) {
        drop(self.blown.subscribe().wait_for(|blown| *blown).await);
    }

    pub(crate) fn is_blown(&self) -> bool {
        *self.blown.borrow()
    }

    async fn pass(&self) {
        if self.left.fetch_sub(1, Ordering::SeqCst) <= 0 {
            self.blown.send_replace(true);
            std::future::pending::<()>().await;
        }
    }
}

/// A port behind a fuse.
pub(crate) struct Fused<T: ?Sized> {
    pub(crate) inner: Arc<T>,
    pub(crate) fuse: Arc<Fuse>,
}

impl<T: ?Sized> Fused<T> {
    async fn around<R>(&self, act: impl Future<Output = R>) -> R {
        self.fuse.pass().await;
        let answer = act.await;
        self.fuse.pass().await;
        answer
    }
}

#[async_trait::async_trait]
impl Claims for Fused<dyn Claims> {
    async fn claim(&self, claims: Vec<Claim>) -> Result<(), Fault> {
        self.around(self.inner.claim(claims)).await
    }
    async fn note(&self, id: ClaimId, note: Note) -> Result<(), Fault> {
        self.around(self.inner.note(id, note)).await
    }
    async fn release(&self, ids: Vec<ClaimId>) -> Result<(), Fault> {
        self.around(self.inner.release(ids)).await
    }
    async fn list(&self) -> Result<Vec<Entry>, Fault> {
        self.inner.list().await
    }
}

#[async_trait::async_trait]
impl Placements for Fused<dyn Placements> {
    async fn register(&self, node: Node) -> Result<(), Fault> {
        self.inner.register(node).await
    }
    async fn subscribe(&self, node: NodeId) -> Result<BoxStream<'static, Placement>, Fault> {
        self.inner.subscribe(node).await
    }
    async fn report(&self, node: NodeId, report: Report) -> Result<(), Fault> {
        self.around(self.inner.report(node, report)).await
    }
    async fn report_snapshot(&self, node: NodeId, report: SnapshotReport) -> Result<(), Fault> {
        self.around(self.inner.report_snapshot(node, report)).await
    }
}

#[async_trait::async_trait]
impl Parts for Fused<dyn Parts> {
    async fn copy(&self, from: &Path, to: &Path) -> Result<(), Fault> {
        self.around(self.inner.copy(from, to)).await
    }
    async fn fill(&self, path: &Path, from: &Path) -> Result<(), Fault> {
        self.around(self.inner.fill(path, from)).await
    }
    async fn lay(&self, from: &Path, disk: &Path) -> Result<(), Fault> {
        self.around(self.inner.lay(from, disk)).await
    }
    async fn measure(&self, path: &Path) -> Result<Option<Measure>, Fault> {
        self.around(self.inner.measure(path)).await
    }
    async fn write(&self, path: &Path, bytes: Bytes) -> Result<(), Fault> {
        self.around(self.inner.write(path, bytes)).await
    }
    async fn read(&self, path: &Path) -> Result<Option<Bytes>, Fault> {
        self.inner.read(path).await
    }
}

#[async_trait::async_trait]
impl Images for Fused<dyn Images> {
    fn names(&self) -> Vec<String> {
        self.inner.names()
    }
    async fn ensure(&self, name: &str, watcher: Watcher) -> Result<Files, Fault> {
        if self.fuse.stuck.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        self.around(self.inner.ensure(name, watcher)).await
    }
}

#[async_trait::async_trait]
impl Volumes for Fused<dyn Volumes> {
    async fn resolve(&self, path: &Path, want: Want, field: &str) -> Result<PathBuf, Fault> {
        self.inner.resolve(path, want, field).await
    }
    async fn make_blank(&self, path: &Path, size_bytes: u64) -> Result<(), Fault> {
        self.around(self.inner.make_blank(path, size_bytes)).await
    }
    async fn grow(&self, path: &Path, size_bytes: u64) -> Result<(), Fault> {
        self.around(self.inner.grow(path, size_bytes)).await
    }
    async fn make_folder(&self, path: &Path) -> Result<(), Fault> {
        self.around(self.inner.make_folder(path)).await
    }
    async fn remove(&self, path: &Path) -> Result<(), Fault> {
        self.around(self.inner.remove(path)).await
    }
    async fn length(&self, path: &Path) -> Result<Option<u64>, Fault> {
        self.inner.length(path).await
    }
    async fn entries(&self, path: &Path) -> Result<Vec<String>, Fault> {
        self.inner.entries(path).await
    }
    async fn free_bytes(&self) -> Result<u64, Fault> {
        self.inner.free_bytes().await
    }
    async fn allocated_bytes(&self, path: &Path) -> Result<u64, Fault> {
        self.inner.allocated_bytes(path).await
    }
    async fn log_extent(&self, path: &Path) -> Result<(u64, u64), Fault> {
        self.inner.log_extent(path).await
    }
    async fn read_log(&self, path: &Path, offset: u64, max: usize) -> Result<(u64, Bytes), Fault> {
        self.inner.read_log(path, offset, max).await
    }
    async fn bound_log(&self, path: &Path, keep_bytes: u64) -> Result<(), Fault> {
        self.around(self.inner.bound_log(path, keep_bytes)).await
    }
}

#[async_trait::async_trait]
impl Hypervisor for Fused<dyn Hypervisor> {
    fn capabilities(&self) -> Arc<Capabilities> {
        self.inner.capabilities()
    }
    fn choose(&self, spec: &Spec) -> Chosen {
        self.inner.choose(spec)
    }
    async fn launch(&self, order: Order) -> Result<Box<dyn Machine>, Fault> {
        let inner = Arc::from(self.around(self.inner.launch(order)).await?);
        assert!(!self.fuse.panics.swap(false, Ordering::SeqCst), "as was asked");
        Ok(Box::new(Fused::<dyn Machine> { inner, fuse: self.fuse.clone() }))
    }
    async fn adopt(&self, adoption: Adoption) -> Result<Box<dyn Machine>, Fault> {
        let inner = Arc::from(self.around(self.inner.adopt(adoption)).await?);
        Ok(Box::new(Fused::<dyn Machine> { inner, fuse: self.fuse.clone() }))
    }
}

#[async_trait::async_trait]
impl Body for Fused<dyn Machine> {
    async fn alter(&self, alteration: &Alteration) -> Result<(), Fault> {
        self.around(self.inner.alter(alteration)).await
    }
    async fn keep(&self, keep: &Keep) -> Result<Vec<(Role, String)>, Fault> {
        self.around(self.inner.keep(keep)).await
    }
    async fn forget(&self, folder: &Path) -> Result<(), Fault> {
        self.around(self.inner.forget(folder)).await
    }
    async fn send(&self, socket: &Path) -> Result<(), Fault> {
        self.around(self.inner.send(socket)).await
    }
    async fn counters(&self) -> Result<Counters, Fault> {
        self.inner.counters().await
    }
    async fn nmi(&self) -> Result<(), Fault> {
        self.inner.nmi().await
    }

    async fn greet_agent(&self) -> Result<(), Fault> {
        self.inner.greet_agent().await
    }
}

#[async_trait::async_trait]
impl Machine for Fused<dyn Machine> {
    fn alive(&self) -> Alive {
        self.inner.alive()
    }
    fn chosen(&self) -> Chosen {
        self.inner.chosen()
    }
    fn state(&self) -> watch::Receiver<State> {
        if self.fuse.blind.swap(false, Ordering::SeqCst) {
            return watch::channel(State::Running).1;
        }
        self.inner.state()
    }
    fn resets(&self) -> watch::Receiver<u64> {
        self.inner.resets()
    }
    fn addresses(&self) -> Vec<Address> {
        self.inner.addresses()
    }
    async fn pause(&self) -> Result<(), Fault> {
        self.around(self.inner.pause()).await
    }
    async fn resume(&self) -> Result<(), Fault> {
        self.around(self.inner.resume()).await
    }
    async fn ask_to_stop(&self) -> Result<(), Fault> {
        self.around(self.inner.ask_to_stop()).await
    }
    async fn reset(&self) -> Result<(), Fault> {
        self.around(self.inner.reset()).await
    }
    async fn kill(&self) -> Result<(), Fault> {
        self.around(self.inner.kill()).await
    }
    async fn console(&self) -> Result<Box<dyn Duplex>, Fault> {
        self.inner.console().await
    }
    async fn bury(&self) -> Result<(), Fault> {
        self.around(self.inner.bury()).await
    }
}

/// The processes of a host that can be restarted.
pub(crate) struct Host {
    pub(crate) inner: Arc<dyn Processes>,
    pub(crate) fuse: Arc<Fuse>,
    pub(crate) boot_id: Mutex<Option<String>>,
    /// Why it jails nothing, if so.
    pub(crate) no_jails: Mutex<Option<String>>,
    /// Claims whose control groups are gone.
    pub(crate) cleared: Mutex<BTreeSet<ClaimId>>,
}

#[async_trait::async_trait]
impl Processes for Host {
    fn cgroups(&self) -> (Cgroups, Option<String>) {
        self.inner.cgroups()
    }
    fn boot_id(&self) -> String {
        self.boot_id.lock().unwrap().clone().unwrap_or_else(|| self.inner.boot_id())
    }
    async fn launch(&self, command: Command) -> Result<Alive, Fault> {
        self.inner.launch(command).await
    }
    fn lives(&self, alive: &Alive) -> bool {
        self.inner.lives(alive)
    }
    async fn find(&self) -> Result<Vec<(ClaimId, Alive)>, Fault> {
        self.inner.find().await
    }
    async fn ended(&self, alive: &Alive) -> Ending {
        self.inner.ended(alive).await
    }
    async fn signal(&self, alive: &Alive, signal: Signal) -> Result<(), Fault> {
        self.inner.signal(alive, signal).await
    }
    async fn kill(&self, alive: &Alive) -> Result<Ending, Fault> {
        self.inner.kill(alive).await
    }
    async fn clear(&self, claim: ClaimId) -> Result<(), Fault> {
        self.fuse.pass().await;
        let answer = self.inner.clear(claim).await;
        self.cleared.lock().unwrap().insert(claim);
        self.fuse.pass().await;
        answer
    }
    fn jails(&self) -> Result<(), String> {
        self.no_jails.lock().unwrap().clone().map_or(Ok(()), Err)
    }
    async fn show(&self, alive: &Alive, showing: Showing) -> Result<(), Fault> {
        self.inner.show(alive, showing).await
    }
    async fn hold(&self, claim: ClaimId, alive: &Alive, limits: &Confinement) -> Result<Hold, Fault> {
        self.inner.hold(claim, alive, limits).await
    }
    async fn confined(&self) -> Result<Vec<ClaimId>, Fault> {
        self.inner.confined().await
    }
}
