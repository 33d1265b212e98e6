//! The client door against the server door: what one says, the other hears.

use crate::house::{census, event, node};
use crate::raw::{Served, serve};
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use std::time::Duration;
use weft_api::Client;
use weft_api::server::Options;
use weft_domain::instance::StopHow;
use weft_domain::object::Revision;
use weft_domain::spec::{Attachment, Draft, Forward, Nic, Transport};
use weft_domain::{Labels, Name, Phase, Reason};
use weft_ports::api::{
    Backups, Call, Change, ConsoleInput, Consoles, CreateMode, EventChange, Events, ListQuery, LogQuery, LogStart,
    NewVm, Nodes, Power, Removal, VmChange, VmRef, Vms, WatchQuery,
};

pub(crate) async fn both() -> (Served, Client) {
    let served = serve(Options::default()).await;
    let client = Client::connect(&served.url).unwrap();
    (served, client)
}

pub(crate) fn new(name: &str) -> NewVm {
    let mut draft = Draft::default();
    let forwards = vec![Forward { transport: Transport::Udp, host_port: 1, guest_port: 2 }];
    draft.nics.push(Nic::new("nic0", Attachment::User { forwards }));
    NewVm {
        project: Name::default_project(),
        name: name.parse().ok(),
        labels: Labels::new([("a".to_owned(), "b".to_owned())].into()).unwrap(),
        annotations: weft_domain::label::Annotations::default(),
        spec: draft.check().unwrap(),
        mode: CreateMode::Create,
    }
}

pub(crate) fn call() -> Call {
    Call::by("test")
}

pub(crate) fn by_name(name: &str) -> VmRef {
    VmRef::Named { project: Name::default_project(), name: name.parse().unwrap() }
}

#[tokio::test]
async fn resources_go_there_and_back() {
    let (served, client) = both().await;
    let asked = Call { request_id: Some("once".into()), timeout: Some(Duration::from_secs(9)), ..call() };
    let made = client.create(&asked, new("web")).await.unwrap();
    assert_eq!(served.house.seen(|s| s.new.clone().unwrap()), new("web"));
    let heard = served.house.seen(|s| s.call.clone().unwrap());
    assert_eq!(heard.request_id.as_deref(), Some("once"));
    let left = heard.timeout.unwrap();
    assert!(left <= Duration::from_secs(9) && left > Duration::from_secs(1), "{left:?}");

    let direct = Vms::get(&served.house, &call(), &by_name("web")).await.unwrap();
    assert_eq!(made, direct);
    assert_eq!(Vms::get(&client, &call(), &VmRef::Id(made.value.meta.id)).await.unwrap(), direct);
    let page = Vms::list(&client, &call(), &ListQuery::default()).await.unwrap();
    assert_eq!((page.items, page.revision), (vec![direct], made.revision));

    let change = Change {
        vm: by_name("web"),
        etag: Some(made.revision),
        labels: Some(Labels::default()),
        annotations: None,
        spec: None,
        validate_only: false,
    };
    let changed = client.update(&call(), change.clone()).await.unwrap();
    assert!(changed.value.meta.labels.as_map().is_empty());
    let stale = client.update(&call(), change).await.unwrap_err();
    assert_eq!(stale.reason, Reason::EtagMismatch);
    assert_eq!(stale.fix, "read it again");

    let removal = Removal { vm: by_name("web"), etag: None, force: false, allow_missing: true };
    assert!(client.delete(&call(), removal.clone()).await.unwrap().is_some());
    assert!(client.delete(&call(), removal).await.unwrap().is_none());
}

#[tokio::test]
async fn refusals_come_back_whole() {
    let (served, client) = both().await;
    client.create(&call(), new("web")).await.unwrap();
    let far = client.create(&call(), new("web")).await.unwrap_err();
    let near = served.house.create(&call(), new("web")).await.unwrap_err();
    assert_eq!(far, near);
    let far = client.pause(&call(), &by_name("web")).await.unwrap_err();
    assert_eq!((far.reason, far.fix.as_str()), (Reason::PhaseForbids, "boot it first"));
}

#[tokio::test]
async fn verbs_say_how() {
    let (served, client) = both().await;
    client.create(&call(), new("web")).await.unwrap();
    let vm = by_name("web");
    assert_eq!(client.boot(&call(), &vm).await.unwrap().value.status.phase, Phase::Running);
    assert_eq!(client.pause(&call(), &vm).await.unwrap().value.status.phase, Phase::Paused);
    assert_eq!(client.resume(&call(), &vm).await.unwrap().value.status.phase, Phase::Running);
    client.reboot(&call(), &vm, StopHow::Force).await.unwrap();
    assert_eq!(served.house.seen(|s| s.stop), Some(StopHow::Force));
    let graceful = StopHow::Graceful { timeout: Duration::from_millis(2500) };
    assert_eq!(client.shutdown(&call(), &vm, graceful).await.unwrap().value.status.phase, Phase::Stopped);
    assert_eq!(served.house.seen(|s| s.stop), Some(graceful));
}

#[tokio::test]
async fn watches_tell_every_step_and_how_they_end() {
    let (_served, client) = both().await;
    let made = client.create(&call(), new("web")).await.unwrap();
    let steps: Vec<_> = client.watch_vms(WatchQuery::default()).await;
    assert_eq!(steps.len(), 4);
    assert_eq!(steps[0], Ok(VmChange::Set(Box::new(made))));
    assert!(matches!(steps[1], Ok(VmChange::Removed { revision: Revision(7), .. })));
    assert_eq!(steps[2], Ok(VmChange::Bookmark(Revision(1))));
    let end = steps[3].clone().unwrap_err();
    assert_eq!((end.reason, end.retry_after_ms), (Reason::WatcherTooSlow, Some(10)));
    let old = client.watch_vms(WatchQuery { from: Some(Revision(999)), ..WatchQuery::default() }).await;
    assert_eq!(old[0].clone().unwrap_err().reason, Reason::RevisionCompacted);
}

trait Steps {
    async fn watch_vms(&self, query: WatchQuery) -> Vec<Result<VmChange, weft_domain::Fault>>;
}

impl Steps for Client {
    /// The steps of a watch; its refusal as the only one, wherever it came.
    async fn watch_vms(&self, query: WatchQuery) -> Vec<Result<VmChange, weft_domain::Fault>> {
        match Vms::watch(self, &call(), query).await {
            Ok(steps) => steps.collect().await,
            Err(fault) => vec![Err(fault)],
        }
    }
}

#[tokio::test]
async fn nodes_and_events_go_there_and_back() {
    let (_served, client) = both().await;
    assert_eq!(Nodes::get(&client, &call(), "here").await.unwrap(), node());
    assert_eq!(Nodes::list(&client, &call(), &ListQuery::default()).await.unwrap().items, [node()]);
    assert_eq!(Nodes::get(&client, &call(), "there").await.unwrap_err().reason, Reason::NodeNotFound);
    assert_eq!(client.census(&call(), "here").await.unwrap(), census());
    assert_eq!(client.census(&call(), "there").await.unwrap_err().reason, Reason::NodeNotFound);
    assert_eq!(client.census(&call(), "").await.unwrap_err().violations[0].field, "node");
    let page = Events::list(&client, &call(), &ListQuery::default()).await.unwrap();
    assert_eq!((page.items, page.next_page_token.as_str()), (vec![event()], "next"));
    let steps: Vec<_> = Events::watch(&client, &call(), WatchQuery::default()).await.unwrap().collect().await;
    assert_eq!(steps, [Ok(EventChange::Happened(Box::new(event()))), Ok(EventChange::Bookmark(Revision(4)))]);
}

#[tokio::test]
async fn consoles_are_read_and_typed_into() {
    let (served, client) = both().await;
    client.create(&call(), new("web")).await.unwrap();
    let query = LogQuery { start: LogStart::Tail(12), follow: true, max_bytes: 4096 };
    let log: Vec<_> = client.log(&call(), &by_name("web"), query).await.unwrap().collect().await;
    assert_eq!(served.house.seen(|s| s.log), Some(query));
    let text: Vec<u8> = log.into_iter().flat_map(|c| c.unwrap().bytes.to_vec()).collect();
    assert_eq!(text, b"hello world\n");

    let typed = [ConsoleInput::Bytes(Bytes::from("ls\n")), ConsoleInput::Resize(80, 24)];
    let output = client.attach(&call(), &by_name("web"), stream::iter(typed).boxed()).await.unwrap();
    let read: Vec<_> = output.map(Result::unwrap).collect().await;
    assert_eq!(read, [Bytes::from("ls\n"), Bytes::from("80x24")]);

    let typed = stream::pending().boxed();
    let mut nowhere = client.attach(&call(), &by_name("none"), typed).await.unwrap();
    assert_eq!(nowhere.next().await.unwrap().unwrap_err().reason, Reason::VmNotFound);
}

#[tokio::test]
async fn nobody_there_says_what_to_do() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let fault = Vms::get(&Client::connect(&url).unwrap(), &call(), &by_name("x")).await.unwrap_err();
    assert_eq!(fault.reason, Reason::Away);
    assert!(fault.fix.contains("weft up"), "{fault:?}");
    for bad in ["https://x", "ftp://x", "http://", "not an address"] {
        assert_eq!(Client::connect(bad).err().unwrap().reason, Reason::FieldInvalid, "{bad}");
    }
}

#[tokio::test]
async fn a_backup_comes_piece_by_piece_and_whole() {
    let (_served, client) = both().await;
    let chunks: Vec<_> = client.backup(&call()).await.unwrap().collect().await;
    let whole: Vec<u8> = chunks.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(whole, b"first second");
}
