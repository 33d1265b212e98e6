//! Control in a few lines: what is placed, what was reported, and the phase that follows.

use futures::stream::{self, BoxStream, StreamExt};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::UnboundedReceiverStream;
use weft_domain::instance::{Exit, Power, StopHow};
use weft_domain::lifecycle::{Action, Event, Verb, next};
use weft_domain::node::Node;
use weft_domain::snapshot::{Snapshot, SnapshotPhase};
use weft_domain::{Fault, InstanceId, NodeId, Phase, SnapshotId};
use weft_ports::link::{Placed, PlacedSnapshot, Placement, Placements, Report, SnapshotReport, SnapshotSight};

/// An instance as control knows it.
#[derive(Debug, Clone)]
pub(crate) struct Vm {
    pub(crate) placed: Placed,
    pub(crate) phase: Phase,
    pub(crate) last: Option<Report>,
    /// Exits that were told, each once.
    pub(crate) exits: Vec<Exit>,
}

impl Vm {
    pub(crate) fn pid(&self) -> Option<u32> {
        self.last.as_ref()?.running.as_ref().map(|running| running.pid)
    }

    pub(crate) fn applied(&self) -> u64 {
        let running = self.last.as_ref().and_then(|last| last.running.as_ref());
        running.map_or(0, |running| running.applied_generation)
    }

    pub(crate) fn restart_required(&self) -> Vec<String> {
        self.last.as_ref().map(|last| last.restart_required.clone()).unwrap_or_default()
    }

    pub(crate) fn condition(&self, kind: &str) -> Option<(Option<bool>, String, String)> {
        let conditions = &self.last.as_ref()?.conditions;
        let found = conditions.iter().find(|condition| condition.kind == kind)?;
        Some((found.holds, found.reason.clone(), found.message.clone()))
    }
}

#[derive(Default)]
struct Book {
    vms: BTreeMap<InstanceId, Vm>,
    /// Taken from the node, which may not have heard it.
    removed: Vec<InstanceId>,
    snapshots: BTreeMap<SnapshotId, Snapshot>,
    reports: Vec<Report>,
    nodes: Vec<Node>,
    refuse: Option<Fault>,
    readers: Vec<mpsc::UnboundedSender<Placement>>,
}

#[derive(Default)]
pub(crate) struct Desk {
    book: Mutex<Book>,
    changes: watch::Sender<u64>,
}

impl Desk {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap()
    }

    fn tell(&self, placement: &Placement) {
        self.book().readers.retain(|reader| reader.send(placement.clone()).is_ok());
        self.changes.send_modify(|count| *count += 1);
    }

    /// Places an instance.
    pub(crate) fn place(&self, placed: Placed) {
        let vm = Vm { placed: placed.clone(), phase: Phase::Pending, last: None, exits: Vec::new() };
        self.book().vms.insert(placed.id, vm);
        self.tell(&Placement::Set(Box::new(placed)));
    }

    /// Takes an instance from the node.
    pub(crate) fn remove(&self, id: InstanceId) {
        let mut book = self.book();
        book.vms.remove(&id);
        book.removed.push(id);
        drop(book);
        self.tell(&Placement::Removed(id));
    }

    /// Control never heard of it, as after a backup from before it was restored.
    pub(crate) fn forget(&self, id: InstanceId) -> Vm {
        self.book().vms.remove(&id).expect("it is placed")
    }

    /// Tells a placement and nothing else.
    pub(crate) fn say(&self, placement: &Placement) {
        self.tell(placement);
    }

    /// Changes what is wanted of an instance.
    pub(crate) fn change(&self, id: InstanceId, change: impl FnOnce(&mut Placed)) {
        let placed = {
            let mut book = self.book();
            let vm = book.vms.get_mut(&id).expect("it is placed");
            change(&mut vm.placed);
            vm.placed.clone()
        };
        self.tell(&Placement::Set(Box::new(placed)));
    }

    /// A caller asks; whether it was lawful.
    pub(crate) fn ask(&self, id: InstanceId, verb: Verb, how: StopHow) -> bool {
        let placed = {
            let mut book = self.book();
            let Some(vm) = book.vms.get_mut(&id) else { return false };
            let Ok((phase, actions)) = next(vm.phase, Event::Asked(verb)) else { return false };
            vm.phase = phase;
            let desired = &mut vm.placed.desired;
            for action in actions {
                match action {
                    Action::PowerOn => desired.power = Power::On,
                    Action::PowerOff => (desired.power, desired.stop) = (Power::Off, how),
                    Action::Hold => desired.power = Power::Paused,
                    Action::CountBoot => desired.boot_epoch += 1,
                    Action::CountReboot => {
                        desired.reboot_epoch += 1;
                        desired.reboot = how;
                    }
                    Action::MarkDeleted => desired.deleted = true,
                    Action::Forget => {}
                }
            }
            vm.placed.clone()
        };
        self.tell(&Placement::Set(Box::new(placed)));
        true
    }

    /// From now on reports are refused with this, or taken again.
    pub(crate) fn refuse(&self, fault: Option<Fault>) {
        self.book().refuse = fault;
    }

    /// Ends every subscription.
    pub(crate) fn hang_up(&self) {
        self.book().readers.clear();
    }

    /// Asks for a snapshot, or tells one as it is.
    pub(crate) fn place_snapshot(&self, snapshot: Snapshot) {
        self.book().snapshots.insert(snapshot.id, snapshot.clone());
        self.tell(&Placement::Snapshot(PlacedSnapshot { snapshot: Arc::new(snapshot) }));
    }

    pub(crate) fn snapshot(&self, id: SnapshotId) -> Option<Snapshot> {
        self.book().snapshots.get(&id).cloned()
    }

    pub(crate) fn has_snapshots(&self) -> bool {
        !self.book().snapshots.is_empty()
    }

    /// Control knows it no more, and says nothing.
    pub(crate) fn forget_snapshot(&self, id: SnapshotId) {
        self.book().snapshots.remove(&id);
    }

    /// A snapshot should go.
    pub(crate) fn remove_snapshot(&self, id: SnapshotId) {
        if let Some(mut snapshot) = self.snapshot(id) {
            snapshot.phase = SnapshotPhase::Deleting;
            self.place_snapshot(snapshot);
        }
    }

    pub(crate) fn vm(&self, id: InstanceId) -> Option<Vm> {
        self.book().vms.get(&id).cloned()
    }

    pub(crate) fn ids(&self) -> Vec<InstanceId> {
        self.book().vms.keys().copied().collect()
    }

    pub(crate) fn reports(&self, id: InstanceId) -> Vec<Report> {
        self.book().reports.iter().filter(|report| report.id == id).cloned().collect()
    }

    pub(crate) fn nodes(&self) -> Vec<Node> {
        self.book().nodes.clone()
    }

    pub(crate) fn readers(&self) -> usize {
        self.book().readers.len()
    }

    /// Waits until this is so, at most a day of paused time.
    pub(crate) async fn until(&self, what: &str, reached: impl Fn(&Self) -> bool) {
        let mut changes = self.changes.subscribe();
        let come = async {
            while !reached(self) {
                changes.changed().await.expect("the desk is there");
            }
        };
        if tokio::time::timeout(Duration::from_secs(86_400), come).await.is_err() {
            let book = self.book();
            let last = &book.reports[book.reports.len().saturating_sub(4)..];
            let phases: Vec<_> = book.vms.values().map(|vm| (vm.phase, vm.placed.desired)).collect();
            panic!("{what}: not reached; phases {phases:?}; last reports {last:#?}");
        }
    }
}

fn take(book: &mut Book, report: Report) -> Option<Placement> {
    let vm = book.vms.get_mut(&report.id).filter(|vm| vm.placed.placement == report.placement)?;
    let id = report.id;
    let (phase, actions) = next(vm.phase, Event::Saw(report.sight)).expect("a sight is never refused");
    if let Some(exit) = report.last_exit.clone().filter(|exit| vm.placed.last_exit.as_ref() != Some(exit)) {
        vm.placed.last_exit = Some(exit.clone());
        vm.exits.push(exit);
    }
    vm.phase = phase;
    vm.placed.restarts = report.restarts;
    vm.last = Some(report);
    if actions.contains(&Action::Forget) {
        book.vms.remove(&id);
        return Some(Placement::Removed(id));
    }
    None
}

#[async_trait::async_trait]
impl Placements for Desk {
    async fn register(&self, node: Node) -> Result<(), Fault> {
        self.book().nodes.push(node);
        Ok(())
    }

    async fn subscribe(&self, _: NodeId) -> Result<BoxStream<'static, Placement>, Fault> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut book = self.book();
        // Snapshots first, as their VMs may be told later.
        let snapshots =
            book.snapshots.values().cloned().map(|snapshot| PlacedSnapshot { snapshot: Arc::new(snapshot) });
        let mut all: Vec<_> = snapshots.map(Placement::Snapshot).collect();
        all.extend(book.vms.values().map(|vm| Placement::Set(Box::new(vm.placed.clone()))));
        all.extend(book.removed.iter().copied().map(Placement::Removed));
        all.push(Placement::Synced);
        book.readers.push(sender);
        Ok(stream::iter(all).chain(UnboundedReceiverStream::new(receiver)).boxed())
    }

    async fn report(&self, _: NodeId, report: Report) -> Result<(), Fault> {
        let follows = {
            let mut book = self.book();
            if let Some(fault) = book.refuse.clone() {
                return Err(fault);
            }
            book.reports.push(report.clone());
            take(&mut book, report)
        };
        match follows {
            Some(placement) => self.tell(&placement),
            None => self.changes.send_modify(|count| *count += 1),
        }
        Ok(())
    }

    async fn report_snapshot(&self, _: NodeId, report: SnapshotReport) -> Result<(), Fault> {
        let follows = {
            let mut book = self.book();
            if let Some(fault) = book.refuse.clone() {
                return Err(fault);
            }
            let Some(snapshot) = book.snapshots.get_mut(&report.id) else { return Ok(()) };
            match report.sight {
                SnapshotSight::Kept(content) if snapshot.phase == SnapshotPhase::Pending => {
                    (snapshot.phase, snapshot.content) = (SnapshotPhase::Ready, content);
                }
                SnapshotSight::Failed(message) if snapshot.phase == SnapshotPhase::Pending => {
                    (snapshot.phase, snapshot.message) = (SnapshotPhase::Failed, message);
                }
                SnapshotSight::Kept(_) | SnapshotSight::Failed(_) => {}
                SnapshotSight::Released => {
                    book.snapshots.remove(&report.id);
                }
            }
            book.snapshots.get(&report.id).cloned()
        };
        match follows {
            Some(snapshot) => self.tell(&Placement::Snapshot(PlacedSnapshot { snapshot: Arc::new(snapshot) })),
            None => self.tell(&Placement::SnapshotRemoved(report.id)),
        }
        Ok(())
    }
}
