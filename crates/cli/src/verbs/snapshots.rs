//! Snapshots: taken, listed, described, removed; VMs put back to them and begun from them.

use super::found::pages;
use super::outcome::{Wanted, is, show as show_vms};
use super::{BRIEF, LONG, USUAL};
use crate::Error;
use crate::args::Output;
use crate::args::snapshot::{CreateArgs, DeleteArgs, ForkArgs, ListArgs, RestoreArgs};
use crate::args::terms::WaitArgs;
use crate::desk::{Desk, Shape};
use crate::files;
use crate::progress::{Waited, wait};
use crate::show::table::Table;
use crate::show::{SNAPSHOT_COLUMNS, describe_snapshot, snapshot_row};
use std::sync::Arc;
use std::time::Duration;
use weft_domain::label::Annotations;
use weft_domain::snapshot::SnapshotPhase;
use weft_domain::{Fault, Kind, Labels, Name, Reason};
use weft_ports::api::{Call, Fork, KeptSnapshot, ListQuery, NewSnapshot, SnapshotRef, SnapshotRemoval, Vm, VmRef};
use weft_ports::documents::Item;

/// So many columns are shown where the row is not wide.
const NARROW: usize = 6;

/// Which snapshot is meant by this word: an id, or a name in the project.
fn which(desk: &Desk, word: &str) -> Result<SnapshotRef, Error> {
    if let Ok(id) = word.parse() {
        return Ok(SnapshotRef::Id(id));
    }
    let name: Name = word.parse().map_err(|why| Error::Usage {
        message: format!("{word:?} is neither the name of a snapshot nor its id"),
        fix: format!("a name {why}; an id begins with snap-"),
    })?;
    Ok(SnapshotRef::Named { project: desk.globals.project.clone(), name })
}

fn terms(desk: &Desk, wait: &WaitArgs, usual: Duration) -> Call {
    let usual = if wait.no_wait { BRIEF } else { usual };
    Call { request_id: wait.request_id.clone(), ..desk.call(Some(usual)) }
}

fn labels(pairs: Vec<(String, String)>, field: &str) -> Result<Labels, Fault> {
    Labels::new(pairs.into_iter().collect()).map_err(|why| Fault::field(Reason::FieldInvalid, field, why))
}

/// `create`.
pub(crate) async fn create(desk: &mut Desk, args: CreateArgs) -> Result<(), Error> {
    let new = NewSnapshot {
        vm: desk.vm(&args.vm)?,
        name: args.name,
        labels: labels(args.labels, "snapshot.labels")?,
        annotations: Annotations::default(),
        scope: args.scope.into(),
        parent: args.parent.as_deref().map(|word| which(desk, word)).transpose()?,
        validate_only: args.dry_run,
    };
    let call = terms(desk, &args.wait, LONG);
    let waited = Waited {
        title: format!("taking a snapshot of {}", args.vm),
        vm: None,
        follow: format!("weft snapshot list --vm {}", args.vm),
    };
    let snapshots = Arc::clone(&desk.services.snapshots);
    let taken = wait(desk, waited, async move { snapshots.create(&call, new).await }).await;
    let taken = taken.map_err(Error::with_flags)?;
    if !args.dry_run && !args.wait.no_wait {
        judge(&taken)?;
    }
    let is = if args.dry_run { "would be taken".to_owned() } else { format!("is {}", taken.value.phase.as_str()) };
    show(desk, &[taken], Shape::One, |one| format!("snapshot {} {is}", one.value.name))
}

/// That a snapshot is whole.
fn judge(taken: &KeptSnapshot) -> Result<(), Error> {
    let it = &taken.value;
    match it.phase {
        SnapshotPhase::Ready => Ok(()),
        SnapshotPhase::Failed => {
            let fault = Fault::new(Reason::SnapshotFailed, format!("snapshot {} has failed: {}", it.name, it.message));
            Err(fault
                .fix(format!("see to what it says, remove it with weft snapshot delete {}, and try again", it.name))
                .into())
        }
        SnapshotPhase::Pending | SnapshotPhase::Deleting => {
            let why = format!("snapshot {} is {}, not yet READY; it goes on", it.name, it.phase.as_str());
            let fix = format!("see it with weft snapshot get {}, or wait longer with --timeout", it.name);
            Err(Fault::new(Reason::DeadlinePassed, why).fix(fix).into())
        }
    }
}

/// `list`.
pub(crate) async fn list(desk: &mut Desk, args: ListArgs) -> Result<(), Error> {
    let project = (!args.all_projects).then(|| desk.globals.project.clone());
    let filter = match args.vm.as_deref().map(|word| desk.vm(word)).transpose()? {
        None => args.filter,
        Some(vm) => {
            let only = match vm {
                VmRef::Id(id) => format!("vm = \"{id}\""),
                VmRef::Named { name, .. } => format!("vm_name = \"{name}\""),
            };
            if args.filter.is_empty() { only } else { format!("{only} AND ({})", args.filter) }
        }
    };
    let query = ListQuery { project, filter, ..ListQuery::default() };
    let (snapshots, call) = (Arc::clone(&desk.services.snapshots), desk.call(Some(USUAL)));
    let pages = pages(query, move |query| {
        let (snapshots, call) = (Arc::clone(&snapshots), call.clone());
        async move { snapshots.list(&call, &query).await }
    });
    let waited = Waited { title: "listing".to_owned(), vm: None, follow: String::new() };
    let found = wait(desk, waited, pages).await?;
    if for_programs(desk, &found, Shape::Many)? {
        return Ok(());
    }
    if found.is_empty() {
        desk.remark("no snapshots");
        desk.hint("take one: weft snapshot create VM");
        return Ok(());
    }
    let shown = if desk.globals.output == Output::Wide { SNAPSHOT_COLUMNS.len() } else { NARROW };
    let now = desk.now();
    let rows: Vec<_> = found
        .iter()
        .map(|one| {
            let mut row = snapshot_row(&one.value, now);
            row.truncate(shown);
            row
        })
        .collect();
    let text = Table::new(&SNAPSHOT_COLUMNS[..shown], desk.paint()).whole(&rows);
    desk.answer(&text)
}

/// `get`.
pub(crate) async fn get(desk: &mut Desk, words: &[String]) -> Result<(), Error> {
    let mut found = Vec::new();
    for word in words {
        let (one, call) = (which(desk, word)?, desk.call(Some(USUAL)));
        let snapshots = Arc::clone(&desk.services.snapshots);
        let waited = Waited { title: format!("asking for {word}"), vm: None, follow: String::new() };
        found.push(wait(desk, waited, async move { snapshots.get(&call, &one).await }).await?);
    }
    if for_programs(desk, &found, Shape::of(words.len()))? {
        return Ok(());
    }
    let now = desk.now();
    let pages: Vec<_> = found.iter().map(|one| describe_snapshot(&one.value, now)).collect();
    desk.answer(&pages.join("\n"))
}

/// `delete`.
pub(crate) async fn delete(desk: &mut Desk, args: DeleteArgs) -> Result<(), Error> {
    let words = args.names.snapshots;
    if args.wait.request_id.is_some() && words.len() > 1 {
        return Err(Error::Usage {
            message: "--request-id is for one snapshot, and several are named".to_owned(),
            fix: "name one snapshot, or leave --request-id out".to_owned(),
        });
    }
    let mut gone = Vec::new();
    for word in &words {
        let snapshot = which(desk, word)?;
        let removal = SnapshotRemoval { snapshot, etag: None, allow_missing: args.ignore_missing };
        let (call, snapshots) = (terms(desk, &args.wait, USUAL), Arc::clone(&desk.services.snapshots));
        let follow = format!("weft snapshot get {word}");
        let waited = Waited { title: format!("deleting {word}"), vm: None, follow };
        let removed = wait(desk, waited, async move { snapshots.delete(&call, removal).await }).await?;
        match removed {
            None => desk.remark(&format!("snapshot {word} is not there")),
            Some(one) if still_there(desk, &one).await? && !args.wait.no_wait => {
                let why = format!("snapshot {word} is DELETING, not yet gone; it goes on");
                let fix = "its node releases it; wait longer with --timeout";
                return Err(Fault::new(Reason::DeadlinePassed, why).fix(fix).into());
            }
            Some(one) => gone.push(one),
        }
    }
    if gone.is_empty() {
        return Ok(());
    }
    let word = if args.wait.no_wait { "is being deleted" } else { "is gone" };
    show(desk, &gone, Shape::of(words.len()), |one| format!("snapshot {} {word}", one.value.name))
}

async fn still_there(desk: &Desk, one: &KeptSnapshot) -> Result<bool, Fault> {
    let call = desk.call(Some(USUAL));
    match desk.services.snapshots.get(&call, &SnapshotRef::Id(one.value.id)).await {
        Ok(_) => Ok(true),
        Err(fault) if fault.kind() == Kind::NotFound => Ok(false),
        Err(fault) => Err(fault),
    }
}

/// `restore`.
pub(crate) async fn restore(desk: &mut Desk, args: RestoreArgs) -> Result<(), Error> {
    let (vm, snapshot) = (desk.vm(&args.vm)?, which(desk, &args.snapshot)?);
    let (call, snapshots) = (terms(desk, &args.wait, LONG), Arc::clone(&desk.services.snapshots));
    let waited = Waited {
        title: format!("restoring {}", args.vm),
        vm: Some(vm.clone()),
        follow: format!("weft vm watch {}", args.vm),
    };
    let back = wait(desk, waited, async move { snapshots.restore(&call, &vm, &snapshot).await }).await?;
    running(desk, back, &args.wait)
}

/// `fork`.
pub(crate) async fn fork(desk: &mut Desk, args: ForkArgs) -> Result<(), Error> {
    let metadata = match &args.metadata {
        Some(file) => Some(files::manifest(&mut desk.terminal, file).await?),
        None => None,
    };
    let snapshot = which(desk, &args.snapshot)?;
    let fork = Fork { snapshot, name: args.name, labels: labels(args.labels, "labels")?, metadata };
    let (call, snapshots) = (terms(desk, &args.wait, LONG), Arc::clone(&desk.services.snapshots));
    let waited =
        Waited { title: format!("beginning from {}", args.snapshot), vm: None, follow: "weft vm watch".to_owned() };
    let forked = wait(desk, waited, async move { snapshots.fork(&call, fork).await }).await?;
    running(desk, forked, &args.wait)
}

/// Shows a VM that should run now.
fn running(desk: &mut Desk, vm: Vm, wait: &WaitArgs) -> Result<(), Error> {
    if !wait.no_wait {
        Wanted::Running.judge(&vm.value)?;
    }
    let is = is(desk);
    show_vms(desk, &[vm], Shape::One, is)
}

/// Shows snapshots after a verb: one line for each for people, or what the caller asked for.
fn show(
    desk: &mut Desk,
    found: &[KeptSnapshot],
    shape: Shape,
    line: impl Fn(&KeptSnapshot) -> String,
) -> Result<(), Error> {
    if for_programs(desk, found, shape)? || desk.globals.quiet {
        return Ok(());
    }
    let text: String = found.iter().map(|one| format!("{}\n", line(one))).collect();
    desk.answer(&text)
}

/// Answers in the forms for programs; tells whether one was wanted.
fn for_programs(desk: &mut Desk, found: &[KeptSnapshot], shape: Shape) -> Result<bool, Error> {
    if let Some(form) = desk.form() {
        let items: Vec<_> = found.iter().map(Item::Snapshot).collect();
        let text = desk.written(&items, shape, form);
        return desk.answer(&text).map(|()| true);
    }
    if desk.globals.output == Output::Name {
        let text: String = found.iter().map(|one| format!("{}\n", one.value.name)).collect();
        return desk.answer(&text).map(|()| true);
    }
    Ok(false)
}
