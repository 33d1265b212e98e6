//! Whose usage it is: by project, name and label, of VMs that are and that are gone.

use super::*;
use weft_domain::instance::StopHow;
use weft_domain::usage::Width;
use weft_domain::{Labels, Name, NodeId, Reason};
use weft_ports::api::{Change, CreateMode, NewVm, Power, Removal, Subject, VmRef, Vms};
use weft_ports::ledger::{BucketQuery, Ledger, Used};

fn labels(text: &str) -> Labels {
    Labels::new([("team".to_owned(), text.to_owned())].into()).expect("lawful")
}

/// A ledger that takes its time, and may have no room for anybody.
#[derive(Default)]
struct Slow(Fake, AtomicBool);

async fn turns(count: usize) {
    for _ in 0..count {
        tokio::task::yield_now().await;
    }
}

#[async_trait::async_trait]
impl Ledger for Slow {
    async fn take(&self, batch: &Batch) -> Result<u64, Fault> {
        turns(3).await;
        self.0.take(batch).await
    }
    async fn remember(&self, subjects: &[Subject]) -> Result<(), Fault> {
        turns(3).await;
        if self.1.load(Ordering::Relaxed) {
            return Err(Fault::new(Reason::DiskExhausted, "there is no room"));
        }
        self.0.remember(subjects).await
    }
    async fn taken(&self, node: NodeId) -> Result<u64, Fault> {
        self.0.taken(node).await
    }
    async fn pass_over(&self, node: NodeId, through: u64) -> Result<(), Fault> {
        self.0.pass_over(node, through).await
    }
    async fn buckets(&self, query: &BucketQuery) -> Result<Vec<Used>, Fault> {
        self.0.buckets(query).await
    }
    async fn gaps(&self, of: &[InstanceId], from: Time, to: Time, most: usize) -> Result<Vec<Record>, Fault> {
        self.0.gaps(of, from, to, most).await
    }
    async fn subjects(&self) -> Result<Vec<Subject>, Fault> {
        self.0.subjects().await
    }
    async fn prune(&self, now: Time) -> Result<(), Fault> {
        self.0.prune(now).await
    }
    async fn close(&self) {
        self.0.close().await;
    }
}

impl Metered {
    async fn vm(&self, project: &str, name: &str, team: &str) -> InstanceId {
        let project: Name = project.parse().expect("a name");
        let new = NewVm { project, labels: labels(team), mode: CreateMode::Boot, ..new_vm(name) };
        self.house.control.create(&call(), new).await.expect("a VM is made").value.meta.id
    }

    async fn delete(&self, id: InstanceId) {
        let gone = Removal { vm: VmRef::Id(id), etag: None, force: true, allow_missing: false };
        self.house.control.delete(&call(), gone).await.expect("deleted");
        while self.house.control.get(&call(), &VmRef::Id(id)).await.is_ok() {
            tokio::task::yield_now().await;
        }
    }

    async fn ids(&self, scope: UsageScope) -> Vec<InstanceId> {
        let lines = self.all(UsageQuery { scope, ..asks(Grain::Total) }).await;
        lines.iter().map(|line| line.subject.instance).collect()
    }
}

fn in_project(name: &str) -> UsageScope {
    UsageScope { project: Some(name.parse().expect("a name")), ..UsageScope::default() }
}

fn of_vms(vms: &[VmRef]) -> UsageScope {
    UsageScope { vms: vms.to_vec(), ..UsageScope::default() }
}

fn in_shop(name: &str) -> VmRef {
    VmRef::Named { project: "shop".parse().expect("a name"), name: name.parse().expect("a name") }
}

#[tokio::test(start_paused = true)]
async fn projects_names_and_labels_select() {
    let metered = Metered::new().await;
    let web = metered.vm("shop", "web", "front").await;
    let db = metered.vm("shop", "db", "back").await;
    let other = metered.vm("bank", "web", "front").await;
    let mut sender = Sender::of(metered.house.node, vec![web, db, other, InstanceId::from_bytes([9; 16])]);
    metered.take(&sender.seconds(BEGIN, 2)).await;
    later(&metered, 60);
    assert_eq!(metered.ids(in_project("shop")).await, [web, db]);
    assert_eq!(metered.ids(UsageScope { labels: labels("front"), ..UsageScope::default() }).await, [web, other]);
    assert_eq!(metered.ids(UsageScope { labels: labels("front"), ..in_project("shop") }).await, [web]);
    assert_eq!(metered.ids(UsageScope { labels: labels("none"), ..UsageScope::default() }).await, []);
    assert_eq!(metered.ids(of_vms(&[in_shop("db"), VmRef::Id(other)])).await, [db, other]);
    let records = UsageQuery { scope: in_project("bank"), ..asks(Grain::Record) };
    assert_eq!(metered.all(records).await.len(), 8);
    let nobody = UsageScope { labels: labels("none"), ..UsageScope::default() };
    let nothing = UsageQuery { scope: nobody, ..asks(Grain::Record) };
    assert_eq!(metered.all(nothing).await, Vec::new(), "nobody is not everybody");
    let refused = async |scope| metered.refused(UsageQuery { scope, ..asks(Grain::Total) }).await;
    let no_project = refused(in_project("nowhere")).await;
    assert_eq!((no_project.reason, no_project.violations[0].field.as_str()), (Reason::FieldInvalid, "scope.project"));
    let no_vm = refused(of_vms(&[in_shop("web"), in_shop("nobody")])).await;
    assert_eq!((no_vm.reason, no_vm.violations[0].field.as_str()), (Reason::VmNotFound, "scope.vms[1]"));
    assert!(metered.metering.watch(&call(), in_project("nowhere")).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn what_nobody_has_heard_of_is_kept_by_its_id() {
    let metered = Metered::new().await;
    let mut sender = strangers(&metered);
    metered.take(&sender.seconds(BEGIN, 2)).await;
    later(&metered, 60);
    let lines = metered.all(UsageQuery { scope: in_project("unknown"), ..asks(Grain::Total) }).await;
    assert_eq!(lines.len(), 4);
    assert!(lines.iter().all(|line| line.subject.name.as_str() == line.subject.instance.to_string()));
}

#[tokio::test(start_paused = true)]
async fn usage_of_a_vm_outlives_it_and_a_restart() {
    let metered = Metered::new().await;
    let known = metered.vm("shop", "web", "front").await;
    let mut sender = Sender::of(metered.house.node, vec![known]);
    let window = |sender: &mut Sender, second: i64| {
        let record = sender.window(0, Time::from_nanos((BEGIN + second) * 1_000_000_000));
        sender.batch(vec![record])
    };
    let first = window(&mut sender, 1);
    metered.take(std::slice::from_ref(&first)).await;
    let change = Change {
        vm: VmRef::Id(known),
        etag: None,
        labels: Some(labels("back")),
        annotations: None,
        spec: None,
        validate_only: false,
    };
    metered.house.control.update(&call(), change).await.expect("changed");
    metered.delete(known).await;
    // Another takes its name, and is gone before its node says anything of it; a third never ran.
    let brief = metered.vm("shop", "web", "front").await;
    metered.house.control.shutdown(&call(), &VmRef::Id(brief), StopHow::Force).await.expect("stopped");
    metered.delete(brief).await;
    let never = metered.house.make("never").await;
    metered.delete(never).await;
    let ledger = metered.ledger.reopened();
    let store = metered.close().await;
    let metered = Metered::of(Config::default(), store, ledger).await;
    let mut more = Sender::of(metered.house.node, vec![brief]);
    let late = more.window(0, Time::from_nanos((BEGIN + 2) * 1_000_000_000));
    let late = Batch::seal(metered.house.node, 2, first.hash, vec![late]);
    metered.take(&[late]).await;
    later(&metered, 60);
    assert_eq!(metered.ids(in_project("shop")).await, [known, brief]);
    assert_eq!(metered.ids(of_vms(&[in_shop("web")])).await, [known, brief], "a name means all who had it");
    assert_eq!(metered.ids(UsageScope { labels: labels("back"), ..UsageScope::default() }).await, [known]);
    let refused = metered.refused(UsageQuery { scope: of_vms(&[VmRef::Id(never)]), ..asks(Grain::Total) }).await;
    assert_eq!(refused.reason, Reason::VmNotFound, "what never ran used nothing");
    let hours = metered.all(UsageQuery { scope: in_project("shop"), ..asks(Grain::Bucket(Width::Hour)) }).await;
    assert_eq!(hours.iter().map(|line| line.records).sum::<u64>(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_ledger_without_room_keeps_no_vm_from_going_and_is_told_again_whose_it_was() {
    let (house, ledger) = (House::new().await, Arc::new(Slow::default()));
    let metering = Metering::open(&house.control, Arc::clone(&ledger) as Arc<dyn Ledger>).await.expect("it opens");
    let new = NewVm { project: "shop".parse().expect("a name"), mode: CreateMode::Boot, ..new_vm("web") };
    let id = house.control.create(&call(), new).await.expect("a VM is made").value.meta.id;
    ledger.1.store(true, Ordering::Relaxed);
    let gone = Removal { vm: VmRef::Id(id), etag: None, force: true, allow_missing: false };
    house.control.delete(&call(), gone).await.expect("deleted");
    let mut sender = Sender::of(house.node, vec![id]);
    let record = sender.window(0, Time::from_nanos(BEGIN * 1_000_000_000));
    let batch = sender.batch(vec![record]);
    let refused = metering.take_usage(&batch).await.expect_err("it is not known whose it is");
    assert_eq!(refused.reason, Reason::DiskExhausted);
    ledger.1.store(false, Ordering::Relaxed);
    assert_eq!(metering.take_usage(&batch).await, Ok(1), "it comes again");
    house.clock.advance(Duration::from_secs(9));
    let query = UsageQuery { scope: of_vms(&[in_shop("web")]), ..asks(Grain::Total) };
    let told = metering.query(&call(), &query).await.expect("it is known");
    assert_eq!(told.items.iter().map(|line| line.records).collect::<Vec<_>>(), [1]);
    assert_eq!(ledger.subjects().await.expect("it is open")[0].project.as_str(), "shop");
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_comes_while_its_vm_goes_is_the_vms() {
    let (house, ledger) = (House::new().await, Arc::new(Slow::default()));
    let metering = Metering::open(&house.control, Arc::clone(&ledger) as Arc<dyn Ledger>).await.expect("it opens");
    let mut previous = [0; 32];
    for round in 0..60 {
        let new = NewVm { project: "shop".parse().expect("a name"), mode: CreateMode::Boot, ..new_vm("web") };
        let id = house.control.create(&call(), new).await.expect("a VM is made").value.meta.id;
        let record = Sender::of(house.node, vec![id]).window(0, Time::from_nanos(BEGIN * 1_000_000_000));
        let batch = Batch::seal(house.node, round + 1, previous, vec![record]);
        previous = batch.hash;
        let gone = Removal { vm: VmRef::Id(id), etag: None, force: true, allow_missing: false };
        let taken = async {
            turns(usize::try_from(round).expect("few rounds")).await;
            metering.take_usage(&batch).await
        };
        let caller = call();
        let (deleted, taken) = tokio::join!(house.control.delete(&caller, gone), taken);
        assert_eq!((deleted.is_ok(), taken), (true, Ok(round + 1)));
    }
    let subjects = ledger.subjects().await.expect("it is open");
    assert_eq!(subjects.len(), 60);
    assert!(subjects.iter().all(|one| one.project.as_str() == "shop"), "{subjects:?}");
}
