//! Snapshots: a VM is kept, goes back to it, and others begin from it.

use crate::house::{GRACE, House, blank, pass};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use weft_domain::instance::{ExitCause, Origin, StopHow};
use weft_domain::label::Annotations;
use weft_domain::lifecycle::Verb;
use weft_domain::snapshot::{Content, Identity, Role, Scope, Snapshot, SnapshotPhase, forked};
use weft_domain::spec::{Attachment, Disk, DiskSource, Draft, Mac, Nic};
use weft_domain::{InstanceId, Labels, Name, Phase, SnapshotId};
use weft_ports::clock::Clock;
use weft_ports::hypervisor;
use weft_ports::volumes::parts::Parts;

pub(crate) const THEIRS: &str = "/roots/theirs.img";

pub(crate) fn with_disks(draft: &mut Draft) {
    draft.disks.push(blank("data", 1 << 20));
    draft.disks.push(Disk::new("theirs", DiskSource::Path(THEIRS.into())));
    let mut tools = Disk::new("tools", DiskSource::Path("/roots/tools.img".into()));
    tools.read_only = true;
    draft.disks.push(tools);
    draft.cpu.max = 2;
}

/// A house with the files that its instances use.
pub(crate) fn stocked() -> House {
    let house = House::new();
    house.disk.fake.put(&PathBuf::from(THEIRS), b"theirs, first");
    house.disk.fake.put(&PathBuf::from("/roots/tools.img"), b"tools");
    house.start();
    house
}

pub(crate) fn disk_of(house: &House, id: InstanceId) -> PathBuf {
    house.config.data_dir.join("vms").join(id.to_string()).join("disk-data.raw")
}

pub(crate) fn folder(house: &House, id: SnapshotId) -> PathBuf {
    house.config.data_dir.join("snapshots").join(id.to_string())
}

async fn bytes(house: &House, path: &std::path::Path) -> Vec<u8> {
    house.disk.fake.read(path).await.unwrap().expect("it is a file").to_vec()
}

impl House {
    /// Asks for a snapshot.
    pub(crate) fn snap(&self, instance: InstanceId, scope: Scope, parent: Option<SnapshotId>) -> SnapshotId {
        let vm = self.vm(instance);
        let id = SnapshotId::new(self.clock.now(), self.clock.random());
        self.desk.place_snapshot(Snapshot {
            id,
            name: "s".parse().unwrap(),
            project: Name::default_project(),
            labels: Labels::default(),
            annotations: Annotations::default(),
            create_time: self.clock.now(),
            instance,
            instance_name: vm.placed.name,
            node: self.config.node.id,
            scope,
            parent,
            spec: vm.placed.spec.as_ref().clone(),
            phase: SnapshotPhase::Pending,
            content: Content::default(),
            message: String::new(),
        });
        id
    }

    pub(crate) async fn snapped(&self, id: SnapshotId, phase: SnapshotPhase) -> Snapshot {
        let so = |snapshot: &Snapshot| snapshot.phase == phase;
        self.desk.until(phase.as_str(), |desk| desk.snapshot(id).as_ref().is_some_and(so)).await;
        self.desk.snapshot(id).expect("it is there")
    }

    /// A snapshot of an instance that is whole.
    pub(crate) async fn kept(&self, instance: InstanceId, scope: Scope) -> Snapshot {
        let id = self.snap(instance, scope, None);
        self.snapped(id, SnapshotPhase::Ready).await
    }

    pub(crate) async fn drop_snapshot(&self, id: SnapshotId) {
        self.desk.remove_snapshot(id);
        self.desk.until("gone", |desk| desk.snapshot(id).is_none()).await;
    }

    /// Boots it from there.
    pub(crate) async fn begin(&self, id: InstanceId, snapshot: &Snapshot, identity: Identity) {
        self.desk.change(id, |placed| {
            let boot_epoch = placed.desired.boot_epoch + 1;
            placed.desired.origin = Some(Origin { boot_epoch, snapshot: snapshot.id, identity });
            placed.origin = Some(Arc::new(snapshot.clone()));
        });
        self.ask(id, Verb::Boot, GRACE).await;
    }

    /// Another VM that begins from there; it is not booted yet.
    pub(crate) async fn fork(&self, name: &str, snapshot: &Snapshot) -> InstanceId {
        let id = self.create(name, |_| {});
        let bytes = |name: &str| {
            let part = snapshot.content.parts.iter().find(|part| part.role == Role::Disk(name.to_owned()));
            part.map(|part| part.bytes.max(1 << 20))
        };
        let spec = forked(&snapshot.spec, &id, bytes).check().expect("a right specification");
        self.desk.change(id, |placed| placed.spec = Arc::new(spec));
        self.until(id, Phase::Created).await;
        id
    }

    pub(crate) async fn stopped(&self, id: InstanceId) {
        self.ask(id, Verb::Shutdown, StopHow::Force).await;
        self.until(id, Phase::Stopped).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_running_vm_is_kept_and_goes_back() {
    let house = stocked();
    let id = house.running("a", with_disks).await;
    house.disk.fake.put(&disk_of(&house, id), b"data, first");
    house.vmm.remember(id, "first");
    let snapshot = house.kept(id, Scope::Full).await;
    let roles: Vec<_> = snapshot.content.parts.iter().map(|part| part.role.clone()).collect();
    let disks = [Role::Disk("data".into()), Role::Disk("theirs".into())];
    assert_eq!(roles, [[Role::Memory, Role::State], disks].concat(), "what is only read is not kept");
    assert_eq!((snapshot.content.driver.as_str(), snapshot.content.parts[0].bytes), ("fake 1", 5));
    assert!(snapshot.content.taken.is_some());
    assert_eq!((house.vm(id).phase, house.living(id).len()), (Phase::Running, 1));
    let held = house.desk.reports(id).iter().any(|report| report.sight == weft_domain::lifecycle::Sight::Paused);
    assert!(!held, "a moment that passes is not told");

    house.vmm.remember(id, "second");
    house.disk.fake.put(&disk_of(&house, id), b"data, second and longer");
    house.disk.fake.put(&PathBuf::from(THEIRS), b"theirs, second");
    house.stopped(id).await;
    house.begin(id, &snapshot, Identity::Same).await;
    let vm = house.until(id, Phase::Running).await;
    assert_eq!(house.vmm.memory(id).as_deref(), Some("first"));
    assert!(bytes(&house, &disk_of(&house, id)).await.starts_with(b"data, first\0"), "grown to its size again");
    assert_eq!(bytes(&house, &PathBuf::from(THEIRS)).await, b"theirs, first");
    assert_eq!((vm.condition("Identity"), vm.restart_required()), (None, vec![]));
    let orders = house.vmm.launches();
    let Some(hypervisor::Origin::Snapshot(restore)) = orders.last().map(|order| order.origin.clone()) else {
        panic!("it begins from a snapshot");
    };
    assert_eq!((restore.folder, restore.identity), (folder(&house, snapshot.id), Identity::Same));

    house.stopped(id).await;
    house.ask(id, Verb::Boot, GRACE).await;
    house.until(id, Phase::Running).await;
    assert_ne!(house.vmm.memory(id).as_deref(), Some("first"), "the next boot begins anew");
    house.delete(id).await;
    house.drop_snapshot(snapshot.id).await;
    house.assert_empty().await;
}

#[tokio::test(start_paused = true)]
async fn others_begin_from_it_with_disks_of_their_own() {
    let house = stocked();
    let shape = |draft: &mut Draft| {
        with_disks(draft);
        let mut nic = Nic::new("nic0", Attachment::User { forwards: Vec::new() });
        nic.mac = Some(Mac::derived(&InstanceId::from_bytes([1; 16]), 0));
        draft.nics.push(nic);
    };
    let id = house.running("a", shape).await;
    house.disk.fake.put(&disk_of(&house, id), b"data of a");
    house.vmm.remember(id, "of a");
    let snapshot = house.kept(id, Scope::Full).await;
    house.delete(id).await;
    assert!(house.disk.fake.paths().contains(&folder(&house, snapshot.id).join("memory")), "it outlives its VM");
    let mut forks = Vec::new();
    for name in ["b", "c"] {
        let fork = house.fork(name, &snapshot).await;
        house.begin(fork, &snapshot, Identity::New).await;
        let vm = house.until(fork, Phase::Running).await;
        assert_eq!(house.vmm.memory(fork).as_deref(), Some("of a"));
        assert!(bytes(&house, &disk_of(&house, fork)).await.starts_with(b"data of a"));
        let (holds, reason, message) = vm.condition("Identity").expect("it is told what stays");
        assert_eq!((holds, reason.as_str()), (Some(false), "KeptInside"));
        assert!(message.contains("hardware address") && message.contains("host name a"), "{message}");
        assert_eq!(vm.restart_required(), Vec::<String>::new(), "its own is no change");
        forks.push(fork);
    }
    house.kill().await;
    house.start();
    house.idle().await;
    assert!(house.vm(forks[0]).condition("Identity").is_some(), "the next agent tells it too");
    assert_eq!(bytes(&house, &PathBuf::from(THEIRS)).await, b"theirs, first", "what is another's stays as it is");
    for fork in forks {
        house.delete(fork).await;
    }
    house.drop_snapshot(snapshot.id).await;
    house.assert_empty().await;
}

#[tokio::test(start_paused = true)]
async fn disks_alone_are_kept_of_a_stopped_vm_and_begun_from() {
    let house = stocked();
    let id = house.running("a", with_disks).await;
    house.stopped(id).await;
    house.disk.fake.put(&disk_of(&house, id), b"at rest");
    let snapshot = house.kept(id, Scope::Disks).await;
    assert!(snapshot.content.parts.iter().all(|part| matches!(part.role, Role::Disk(_))));
    let fork = house.fork("b", &snapshot).await;
    house.begin(fork, &snapshot, Identity::New).await;
    let vm = house.until(fork, Phase::Running).await;
    assert!(bytes(&house, &disk_of(&house, fork)).await.starts_with(b"at rest"));
    let orders = house.vmm.launches();
    assert_eq!(orders.last().map(|order| order.origin.clone()), Some(hypervisor::Origin::Boot), "its guest boots");
    assert_eq!(vm.condition("Identity"), None);
    let failed = house.snap(id, Scope::Full, None);
    let failed = house.snapped(failed, SnapshotPhase::Failed).await;
    assert!(failed.message.contains("does not run"), "{}", failed.message);
}

#[tokio::test(start_paused = true)]
async fn a_held_vm_is_kept_and_stays_held() {
    let house = stocked();
    let id = house.running("a", with_disks).await;
    house.ask(id, Verb::Pause, GRACE).await;
    house.until(id, Phase::Paused).await;
    house.kept(id, Scope::Full).await;
    pass(Duration::from_secs(60)).await;
    assert_eq!(house.vm(id).phase, Phase::Paused);
}

#[tokio::test(start_paused = true)]
async fn a_difference_is_whole_by_itself() {
    let house = stocked();
    let id = house.running("a", with_disks).await;
    let first = house.kept(id, Scope::Full).await;
    let second = house.snap(id, Scope::Difference, Some(first.id));
    let second = house.snapped(second, SnapshotPhase::Ready).await;
    house.drop_snapshot(first.id).await;
    let stranger = house.snap(id, Scope::Difference, Some(first.id));
    house.snapped(stranger, SnapshotPhase::Ready).await;
    house.stopped(id).await;
    house.begin(id, &second, Identity::Same).await;
    house.until(id, Phase::Running).await;
}

#[tokio::test(start_paused = true)]
async fn the_policys_restart_does_not_go_back() {
    use weft_domain::spec::RestartPolicy;
    let house = stocked();
    let shape = |draft: &mut Draft| {
        with_disks(draft);
        draft.restart = RestartPolicy::Always;
    };
    let id = house.running("a", shape).await;
    house.vmm.remember(id, "kept");
    let snapshot = house.kept(id, Scope::Full).await;
    house.stopped(id).await;
    house.begin(id, &snapshot, Identity::Same).await;
    house.until(id, Phase::Running).await;
    let mut written = b"written since".to_vec();
    written.resize(1 << 20, 0);
    for restarted in [false, true] {
        house.disk.fake.put(&disk_of(&house, id), &written);
        let exits = house.vm(id).exits.len();
        house.vmm.die(id, weft_ports::processes::Ending::Code(1));
        house.until_so(id, "ended", |vm| vm.exits.len() > exits).await;
        if restarted {
            house.kill().await;
            house.start();
        }
        house.until(id, Phase::Running).await;
        assert_eq!(house.vm(id).exits.last().map(|exit| exit.cause), Some(ExitCause::VmmDied));
        assert_ne!(house.vmm.memory(id).as_deref(), Some("kept"));
        assert!(bytes(&house, &disk_of(&house, id)).await.starts_with(b"written since"));
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_and_not_given_is_not_taken_for_what_was_kept() {
    use weft_domain::spec::Rng;
    let house = stocked();
    let id = house.running("a", with_disks).await;
    house.respec(id, |draft| {
        draft.cpu.boot = 2;
        draft.rng = Some(Rng { source: "/dev/urandom".into(), iommu: false, rate_limit: None });
    });
    house.until_so(id, "applied", |vm| vm.applied() == 2).await;
    let snapshot = house.kept(id, Scope::Full).await;
    assert!(snapshot.spec.rng.is_some(), "control knows what was asked");
    house.stopped(id).await;
    house.begin(id, &snapshot, Identity::Same).await;
    let vm = house.until(id, Phase::Running).await;
    assert_eq!(vm.restart_required(), ["vm.spec.rng"], "the machine never had it");
    let orders = house.vmm.launches();
    let Some(hypervisor::Origin::Snapshot(restore)) = orders.last().map(|order| order.origin.clone()) else {
        panic!("it begins from a snapshot");
    };
    assert_eq!((restore.spec.cpu.boot, restore.spec.rng.is_none()), (2, true));
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_goes_on_may_have_been_ready_before() {
    use weft_domain::spec::{Readiness, ReadinessProbe};
    let house = stocked();
    let shape = |draft: &mut Draft| {
        with_disks(draft);
        let probe = ReadinessProbe::Serial { text: "ready".into() };
        draft.readiness = Some(Readiness { probe, timeout: Duration::from_secs(10) });
    };
    let id = house.running("a", shape).await;
    house.until_so(id, "ready", |vm| vm.condition("Ready").is_some_and(|it| it.0 == Some(true))).await;
    let snapshot = house.kept(id, Scope::Full).await;
    house.stopped(id).await;
    house.begin(id, &snapshot, Identity::Same).await;
    house.until(id, Phase::Running).await;
    pass(Duration::from_secs(20)).await;
    let (holds, reason, _) = house.vm(id).condition("Ready").expect("it is told");
    assert_eq!((holds, reason.as_str()), (None, "WentOn"));
}
