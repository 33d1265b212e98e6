//! Whose usage it is: by project, name and label, of VMs that are and that are gone.

use super::*;
use weft_domain::instance::StopHow;
use weft_domain::usage::Width;
use weft_domain::{Labels, Name, Reason};
use weft_ports::api::{Change, CreateMode, NewVm, Power, Removal, VmRef, Vms};

fn labels(text: &str) -> Labels {
    Labels::new([("team".to_owned(), text.to_owned())].into()).expect("lawful")
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
async fn a_ledger_that_is_away_keeps_no_vm_from_going() {
    let metered = Metered::new().await;
    let web = metered.vm("shop", "web", "front").await;
    weft_ports::ledger::Ledger::close(&metered.ledger).await;
    metered.delete(web).await;
    let batches = Sender::of(metered.house.node, vec![web]).batch(Vec::new());
    assert_eq!(metered.metering.take_usage(&batches).await.expect_err("it is closed").reason, Reason::Away);
}
