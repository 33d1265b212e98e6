//! One node, two events, and texts with a line for each thing.

use super::{World, name, node_id};
use futures::StreamExt;
use futures::stream;
use weft_domain::capability::Feature;
use weft_domain::census::Census;
use weft_domain::event::{Event, Severity};
use weft_domain::label::Annotations;
use weft_domain::node::{Facts, Node, Orphans};
use weft_domain::object::{Revision, Stored};
use weft_domain::spec::{Draft, Machine};
use weft_domain::{EventId, Fault, Labels, Name, Reason, Time};
use weft_ports::api::{
    Answers, Call, CreateMode, EventChange, Events, GivenUp, ListQuery, NewVm, Nodes, Page, WatchQuery,
};
use weft_ports::documents::{Document, Documents, Form, Item};

fn node() -> Node {
    Node {
        id: node_id(),
        name: name("host1"),
        labels: Labels::default(),
        create_time: Time::from_millis(1_795_000_000_000),
        facts: Facts {
            weft_version: "0.1.0".to_owned(),
            kernel: "6.18.0".to_owned(),
            architecture: "x86_64".to_owned(),
            boot_id: "b".to_owned(),
            agent_start: Time::from_millis(1_795_190_000_000),
            cpus: 2,
            memory_bytes: 24 << 30,
            allocatable_memory_bytes: 20 << 30,
            allocatable_disk_bytes: 100 << 30,
            cgroups: "cgroup-v1".to_owned(),
            drivers: vec![weft_domain::capability::Capabilities {
                driver: "qemu".to_owned(),
                version: "7.2.22".to_owned(),
                features: [
                    Feature::Kernel,
                    Feature::NicUser,
                    Feature::NicTap,
                    Feature::Machine(Machine::Q35),
                    Feature::DiskRaw,
                    Feature::LiveDisks,
                    Feature::SnapshotFull,
                    Feature::Jail,
                ]
                .into(),
                notes: vec!["kvm is there and too slow: tcg is used".to_owned()],
            }],
            warnings: vec!["the service is not confined".to_owned()],
        },
    }
}

#[async_trait::async_trait]
impl Nodes for World {
    async fn get(&self, _call: &Call, node_: &str) -> Result<Stored<Node>, Fault> {
        if node_ != "host1" {
            return Err(Fault::new(Reason::NodeNotFound, format!("there is no node {node_}")));
        }
        Ok(Stored { value: node(), revision: Revision(1) })
    }
    async fn list(&self, _call: &Call, _query: &ListQuery) -> Result<Page<Stored<Node>>, Fault> {
        let items = vec![Stored { value: node(), revision: Revision(1) }];
        Ok(Page { items, next_page_token: String::new(), revision: Revision(1) })
    }
    async fn census(&self, _call: &Call, _node: &str) -> Result<Census, Fault> {
        Ok(Census::default())
    }
    async fn release_orphans(&self, _call: &Call, _node: &str, which: &GivenUp) -> Result<Orphans, Fault> {
        match which {
            GivenUp::All => Ok(Orphans::default()),
            GivenUp::These(orphans) => Ok(orphans.clone()),
        }
    }
}

fn events() -> Vec<Stored<Event>> {
    let event = |n: u8, severity, about: &str, reason: &str, message: &str| Stored {
        value: Event {
            id: EventId::new(Time::from_millis(1_795_197_500_000), [n; 10]),
            at: Time::from_millis(1_795_197_500_000 + i64::from(n) * 1000),
            project: name("default"),
            instance: None,
            instance_name: Some(name(about)),
            node: None,
            severity,
            reason: reason.to_owned(),
            message: message.to_owned(),
            phase: None,
        },
        revision: Revision(u64::from(n)),
    };
    vec![
        event(1, Severity::Normal, "demo", "Created", "was created"),
        event(2, Severity::Warning, "web", "Exited", "its kernel panicked"),
    ]
}

#[async_trait::async_trait]
impl Events for World {
    /// The filter is understood as far as a VM's name in it.
    async fn list(&self, _call: &Call, query: &ListQuery) -> Result<Page<Stored<Event>>, Fault> {
        let about = |event: &Event| event.instance_name.as_ref().map(|name| format!("\"{name}\"")).unwrap_or_default();
        let fits = |event: &Stored<Event>| query.filter.is_empty() || query.filter.contains(&about(&event.value));
        let items = events().into_iter().filter(fits).collect();
        Ok(Page { items, next_page_token: String::new(), revision: Revision(2) })
    }
    async fn watch(&self, _call: &Call, _query: WatchQuery) -> Result<Answers<EventChange>, Fault> {
        Ok(stream::iter(events()).map(|event| Ok(EventChange::Happened(Box::new(event)))).boxed())
    }
}

/// Texts with a line for each thing: `vm demo RUNNING`; a manifest has `NAME CPUS` in each line.
pub(crate) struct Texts;

impl Documents for Texts {
    fn read(&self, text: &str) -> Result<Vec<Document>, Fault> {
        let one = |(i, line): (usize, &str)| {
            let (vm, cpus) = line.split_once(' ').ok_or_else(|| {
                Fault::field(Reason::FieldRequired, "vm.spec.cpu.boot", format!("is missing in document {}", i + 1))
            })?;
            let mut draft = Draft::default();
            draft.cpu.boot = cpus.parse().unwrap();
            draft.cpu.max = draft.cpu.boot;
            Ok(Document::Vm(Box::new(NewVm {
                project: Name::default_project(),
                name: Some(name(vm)),
                labels: Labels::default(),
                annotations: Annotations::default(),
                spec: draft.check().unwrap(),
                mode: CreateMode::Create,
            })))
        };
        text.lines().enumerate().map(one).collect()
    }

    fn write(&self, item: Item<'_>, form: Form) -> String {
        let text = match item {
            Item::Vm(vm) => format!("vm {} {}", vm.value.meta.name, vm.value.status.phase),
            Item::Node(node) => format!("node {}", node.name),
            Item::Event(event) => format!("event {}", event.reason),
            Item::Snapshot(one) => format!("snapshot {} {}", one.value.name, one.value.phase.as_str()),
            Item::Census(all) => format!("census of {} lines", all.lines.len()),
            Item::Counters(all) => format!("counters of {} devices", all.len()),
            Item::Usage(line) => format!("usage {} {} records", line.subject.name, line.records),
        };
        match form {
            Form::Json => format!("{{\"{text}\"}}\n"),
            Form::Yaml => format!("{text}\n"),
        }
    }

    fn write_list(&self, items: &[Item<'_>], form: Form) -> String {
        let all: String = items.iter().map(|item| self.write(*item, form)).collect();
        format!("[{}]\n", all.replace('\n', ";"))
    }
}
