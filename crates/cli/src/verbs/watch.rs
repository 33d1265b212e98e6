//! `watch` and `wait`: changes of VMs as rows or documents, until the caller breaks off, the time is up or
//! the VM is where it should be.

use super::found::{columns, node_names};
use super::outcome::{is, show};
use super::{LONG, USUAL};
use crate::Error;
use crate::args::Output;
use crate::args::value::Goal;
use crate::args::vm::{WaitForArgs, WatchArgs};
use crate::desk::{Desk, Shape, waits_for};
use crate::progress::{Waited, wait};
use crate::show::table::{Cell, Table};
use crate::show::vm::{Columns, NodeNames, Scope, View};
use crate::show::{vm_columns, vm_row};
use futures::StreamExt;
use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use weft_domain::object::Revision;
use weft_domain::{Fault, Instance, InstanceId, Phase, Reason};
use weft_ports::api::{Call, Vm, VmChange, VmRef, Vms, WatchQuery};
use weft_ports::documents::{Form, Item};

/// Columns are at least so wide that most rows that come later fit.
const ROOM: [(&str, usize); 5] = [("NAME", 16), ("PHASE", 9), ("MEMORY", 7), ("NODE", 12), ("AGE", 6)];

/// `watch`.
pub(crate) async fn watch(desk: &mut Desk, args: WatchArgs) -> Result<(), Error> {
    let vm = args.vm.as_deref().map(|word| desk.vm(word)).transpose()?;
    let project = if args.all_projects || vm.is_some() { None } else { Some(desk.globals.project.clone()) };
    stream(desk, WatchQuery { project, vm, from: None }).await
}

/// Shows what a watch tells.
pub(crate) async fn stream(desk: &mut Desk, mut query: WatchQuery) -> Result<(), Error> {
    let interrupt = desk.terminal.interrupt.clone();
    let scope = if query.project.is_none() && query.vm.is_none() { Scope::All } else { Scope::Project };
    let mut rows = Rows::begin(desk, columns(desk, scope)).await?;
    let time_is_up = time_is_up(desk.globals.timeout);
    tokio::pin!(time_is_up);
    'again: loop {
        let mut changes = desk.services.vms.watch(&desk.stream(), query.clone()).await?;
        loop {
            let change = tokio::select! {
                biased;
                () = interrupt.cancelled() => return Err(Error::Interrupted { follow: String::new() }),
                () = &mut time_is_up => return Ok(()),
                change = changes.next() => change,
            };
            match change {
                Some(Ok(change)) => {
                    query.from = revision_of(&change).or(query.from);
                    rows.take(desk, change)?;
                }
                // It told less than all, and says so: go on from what was seen.
                Some(Err(fault)) if fault.reason == Reason::WatcherTooSlow => continue 'again,
                // Another server may be taking the place of this one.
                Some(Err(fault)) if fault.reason == Reason::Away => {
                    sleep(SOON).await;
                    continue 'again;
                }
                Some(Err(fault)) => return Err(fault.into()),
                None => return Ok(()),
            }
        }
    }
}

/// `wait`.
pub(crate) async fn wait_for(desk: &mut Desk, args: WaitForArgs) -> Result<(), Error> {
    let vm = desk.vm(&args.vm)?;
    let limit = desk.globals.timeout.unwrap_or(LONG);
    let wanted = match &args.goal {
        Goal::Phase(phase) => phase.as_str().to_owned(),
        Goal::Condition(kind) => kind.clone(),
        Goal::Gone => "gone".to_owned(),
    };
    let waited = Waited {
        title: format!("waiting for {} to be {wanted}", args.vm),
        vm: Some(vm.clone()),
        follow: String::new(),
    };
    let (vms, call) = (Arc::clone(&desk.services.vms), desk.stream());
    let goal = args.goal.clone();
    let reach = async { Ok(timeout(limit, reached(vms.as_ref(), &call, &vm, &goal)).await) };
    match wait(desk, waited, reach).await? {
        Ok(Ok(Some(vm))) => {
            let is = is(desk);
            show(desk, &[vm], Shape::One, is)
        }
        Ok(Ok(None)) => {
            desk.remark(&format!("VM {} is gone", args.vm));
            Ok(())
        }
        Ok(Err(fault)) => Err(fault.into()),
        Err(_) => late(desk, &vm, &wanted).await,
    }
}

/// The VM once it is where it should be; nothing once it is gone, where that was wanted.
async fn reached(vms: &dyn Vms, call: &Call, vm: &VmRef, goal: &Goal) -> Result<Option<Vm>, Fault> {
    let gone =
        |fault: Fault| if *goal == Goal::Gone && fault.reason == Reason::VmNotFound { Ok(None) } else { Err(fault) };
    let found = match vms.get(call, vm).await {
        Ok(found) => found,
        Err(fault) => return gone(fault),
    };
    if matches!(goal, Goal::Condition(kind) if kind == "Ready") && found.value.spec.readiness.is_none() {
        let message = "the VM has no sign of readiness, so it never becomes Ready";
        return Err(Fault::new(Reason::PhaseForbids, message)
            .fix("wait for a phase, such as --for RUNNING, or give it a readiness in a manifest"));
    }
    // By id from here on: another VM of the same name is not the one that was meant.
    let query = WatchQuery { vm: Some(VmRef::Id(found.value.meta.id)), ..WatchQuery::default() };
    loop {
        let mut changes = match vms.watch(call, query.clone()).await {
            Ok(changes) => changes,
            Err(fault) => return gone(fault),
        };
        while let Some(change) = changes.next().await {
            match change {
                Ok(VmChange::Set(vm)) if fits(&vm.value, goal) => return Ok(Some(*vm)),
                Ok(VmChange::Set(_) | VmChange::Bookmark(_)) => {}
                Ok(VmChange::Removed { .. }) => {
                    return gone(Fault::new(Reason::VmNotFound, "the VM was removed while it was waited for"));
                }
                Err(fault) if matches!(fault.reason, Reason::WatcherTooSlow | Reason::Away) => break,
                Err(fault) => return Err(fault),
            }
        }
        sleep(AGAIN).await;
    }
}

/// The wait before a watch that ended is begun again.
const AGAIN: Duration = Duration::from_millis(500);
/// The wait where the server that ended it may be back at once.
pub(crate) const SOON: Duration = Duration::from_millis(50);

fn fits(vm: &Instance, goal: &Goal) -> bool {
    match goal {
        Goal::Phase(phase) => vm.status.phase == *phase,
        Goal::Condition(kind) => vm.status.conditions.iter().any(|it| it.kind == *kind && it.holds == Some(true)),
        Goal::Gone => false,
    }
}

/// The time is up before the VM is where it should be.
async fn late(desk: &Desk, vm: &VmRef, wanted: &str) -> Result<(), Error> {
    let vm = desk.services.vms.get(&Call { timeout: Some(USUAL), ..desk.stream() }, vm).await?.value;
    if vm.status.phase == Phase::Failed {
        return Err(Error::Failed { vm: Box::new(vm) });
    }
    let (name, phase, message) = (vm.meta.name.to_string(), vm.status.phase, waits_for(&vm));
    Err(Error::NotYet { name, phase, wanted: wanted.to_owned(), message })
}

/// Returns when the caller's time is over, and never where none was given.
pub(crate) async fn time_is_up(limit: Option<Duration>) {
    match limit {
        Some(limit) => sleep(limit).await,
        None => pending().await,
    }
}

/// Only a bookmark says that everything before it was told.
fn revision_of(change: &VmChange) -> Option<Revision> {
    match change {
        VmChange::Bookmark(revision) => Some(*revision),
        VmChange::Set(_) | VmChange::Removed { .. } => None,
    }
}

/// Rows as they come.
struct Rows {
    table: Table,
    columns: Columns,
    nodes: NodeNames,
    seen: BTreeMap<InstanceId, Instance>,
}

impl Rows {
    async fn begin(desk: &mut Desk, columns: Columns) -> Result<Self, Error> {
        let heads = vm_columns(columns);
        let mut table = Table::new(&heads, desk.paint());
        let width = |head: &&str| ROOM.iter().find(|(name, _)| name == head).map_or(head.len(), |(_, width)| *width);
        table.fit(&heads.iter().map(|head| Cell::from(" ".repeat(width(head)))).collect::<Vec<_>>());
        let tabular = matches!(desk.globals.output, Output::Table | Output::Wide);
        let nodes = if tabular { node_names(desk).await } else { NodeNames::new() };
        if tabular {
            desk.answer(&table.head())?;
        }
        Ok(Self { table, columns, nodes, seen: BTreeMap::new() })
    }

    fn take(&mut self, desk: &mut Desk, change: VmChange) -> Result<(), Error> {
        match change {
            VmChange::Set(vm) => {
                let text = match (desk.form(), desk.globals.output) {
                    (Some(form), _) => document(desk, Item::Vm(&vm), form),
                    (None, Output::Name) => format!("{}\n", vm.value.meta.name),
                    (None, _) => self.row(desk, &vm.value, None),
                };
                self.seen.insert(vm.value.meta.id, vm.value);
                desk.answer(&text)
            }
            VmChange::Removed { id, .. } => {
                let tabular = matches!(desk.globals.output, Output::Table | Output::Wide);
                match self.seen.remove(&id) {
                    Some(vm) if tabular => {
                        let text = self.row(desk, &vm, Some("GONE"));
                        desk.answer(&text)
                    }
                    Some(_) | None => Ok(()),
                }
            }
            VmChange::Bookmark(_) => Ok(()),
        }
    }

    fn row(&mut self, desk: &Desk, vm: &Instance, gone: Option<&'static str>) -> String {
        let view = View { columns: self.columns, nodes: &self.nodes, now: desk.now(), paint: desk.paint() };
        let mut row = vm_row(vm, view);
        if let Some(word) = gone {
            row[usize::from(self.columns.scope == Scope::All) + 1] = word.into();
        }
        self.table.fit(&row);
        self.table.line(&row)
    }
}

/// One document of a stream.
pub(crate) fn document(desk: &Desk, item: Item<'_>, form: Form) -> String {
    let text = desk.written(&[item], Shape::One, form);
    match form {
        Form::Json => text,
        Form::Yaml => format!("---\n{text}"),
    }
}
