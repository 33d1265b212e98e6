//! Pages and filters of lists.

use crate::house::*;
use std::collections::BTreeSet;
use std::time::Duration;
use weft_control::Config;
use weft_domain::Reason;
use weft_domain::admission::VMM_OVERHEAD_BYTES;
use weft_ports::api::{Events, ListQuery, NewVm, Nodes, Removal, VmRef, Vms};
use weft_ports::link::Placements;

async fn roomy() -> House {
    let house = House::new().await;
    let mut node = the_node(house.node);
    node.facts.allocatable_memory_bytes = 1_000 * ((256 << 20) + VMM_OVERHEAD_BYTES);
    house.control.register(node).await.expect("a node may grow");
    house
}

fn page(size: u32, token: &str) -> ListQuery {
    ListQuery { page_size: size, page_token: token.into(), ..ListQuery::default() }
}

#[tokio::test(start_paused = true)]
async fn pages_neither_skip_nor_repeat_while_others_write() {
    let house = roomy().await;
    let mut survivors = BTreeSet::new();
    let mut doomed = Vec::new();
    for i in 0..40 {
        let id = house.make(&format!("vm{i}")).await;
        if i % 3 == 0 { doomed.push(id) } else { assert!(survivors.insert(id)) }
    }
    let mut seen = Vec::new();
    let mut token = String::new();
    loop {
        let page = Vms::list(&house.control, &call(), &page(7, &token)).await.expect("a page");
        assert!(page.items.len() <= 7);
        seen.extend(page.items.iter().map(|vm| vm.value.meta.id));
        if let Some(id) = doomed.pop() {
            let gone = Removal { vm: VmRef::Id(id), etag: None, force: true, allow_missing: false };
            house.control.delete(&call(), gone).await.expect("deleted");
        }
        if seen.len() < 20 {
            house.make(&format!("late{}", seen.len())).await;
        }
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    let unique: BTreeSet<_> = seen.iter().copied().collect();
    assert_eq!(unique.len(), seen.len());
    assert!(survivors.is_subset(&unique));
}

#[tokio::test(start_paused = true)]
async fn filters_and_projects() {
    let house = roomy().await;
    let labels = weft_domain::Labels::new([("app".to_owned(), "shop".to_owned())].into()).expect("labels");
    house.control.create(&call(), NewVm { labels, ..new_vm("web-1") }).await.expect("created");
    house.make_running("web-2").await;
    let other = NewVm { project: "other".parse().expect("a name"), ..new_vm("db") };
    house.control.create(&call(), other).await.expect("created");
    let names = async |project: Option<&str>, filter: &str| -> Vec<String> {
        let project = project.map(|name| name.parse().expect("a name"));
        let query = ListQuery { project, filter: filter.into(), ..ListQuery::default() };
        let page = Vms::list(&house.control, &call(), &query).await.expect("a page");
        page.items.iter().map(|vm| vm.value.meta.name.to_string()).collect()
    };
    assert_eq!(names(None, "").await, ["web-1", "web-2", "db"]);
    assert_eq!(names(Some("default"), "").await, ["web-1", "web-2"]);
    assert_eq!(names(None, "phase = RUNNING").await, ["web-2"]);
    assert_eq!(names(None, "name = web-* AND labels.app = shop").await, ["web-1"]);
    assert_eq!(names(None, "project = other OR phase = RUNNING").await, ["web-2", "db"]);
    let refused =
        async |query: ListQuery| Vms::list(&house.control, &call(), &query).await.expect_err("refused").reason;
    let bad = ListQuery { filter: "size > 3".into(), ..ListQuery::default() };
    assert_eq!(refused(bad).await, Reason::FilterInvalid);
    assert_eq!(refused(page(1, "?")).await, Reason::PageTokenInvalid);
    let token = Vms::list(&house.control, &call(), &page(1, "")).await.expect("a page").next_page_token;
    let mixed = ListQuery { filter: "phase = RUNNING".into(), ..page(1, &token) };
    assert_eq!(refused(mixed).await, Reason::PageTokenInvalid);
    let nodes = Nodes::list(&house.control, &call(), &ListQuery::default()).await.expect("nodes");
    assert_eq!(nodes.items.len(), 1);
    let missing = Nodes::get(&house.control, &call(), "nowhere").await.expect_err("none");
    assert_eq!(missing.reason, Reason::NodeNotFound);
}

#[tokio::test(start_paused = true)]
async fn events_are_kept_up_to_a_number() {
    let config = Config { events_kept: 5, sweep_every: Duration::from_secs(5), ..Config::default() };
    let house = House::of(Blueprint { config, ..Blueprint::default() }).await;
    for name in ["a", "b", "c"] {
        house.make(name).await;
    }
    let all = Events::list(&house.control, &call(), &ListQuery::default()).await.expect("events").items;
    assert_eq!(all.len(), 9);
    tokio::time::advance(Duration::from_secs(6)).await;
    house.make("d").await;
    let left = Events::list(&house.control, &call(), &ListQuery::default()).await.expect("events").items;
    assert!(left.len() < 9, "{}", left.len());
    assert!(all[..4].iter().all(|old| !left.contains(old)));
}
