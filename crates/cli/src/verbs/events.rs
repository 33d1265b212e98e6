//! `event list` and `event watch`.

use super::USUAL;
use super::found::pages;
use super::watch::document;
use crate::Error;
use crate::args::{EventArgs, EventListArgs, Output};
use crate::desk::{Desk, Shape};
use crate::progress::{Waited, wait};
use crate::show::table::{Cell, Table};
use crate::show::{EVENT_COLUMNS, event_row};
use futures::StreamExt;
use std::sync::Arc;
use weft_domain::Name;
use weft_domain::Reason;
use weft_domain::event::Event;
use weft_ports::api::{EventChange, ListQuery, VmRef, WatchQuery};
use weft_ports::documents::Item;

/// `event list`.
pub(crate) async fn list(desk: &mut Desk, args: EventListArgs) -> Result<(), Error> {
    let vm = args.about.vm.as_deref().map(|word| desk.vm(word)).transpose()?;
    let project = project(desk, &args.about);
    let filter = narrowed(args.filter, vm.as_ref());
    let (events, call) = (Arc::clone(&desk.services.events), desk.call(Some(USUAL)));
    let pages = pages(ListQuery { project, filter, ..ListQuery::default() }, move |query| {
        let (events, call) = (Arc::clone(&events), call.clone());
        async move { events.list(&call, &query).await }
    });
    let waited = Waited { title: "listing".to_owned(), vm: None, follow: String::new() };
    let found = wait(desk, waited, pages).await?;
    if let Some(form) = desk.form() {
        let items: Vec<_> = found.iter().map(|event| Item::Event(&event.value)).collect();
        let text = desk.written(&items, Shape::Many, form);
        return desk.answer(&text);
    }
    if desk.globals.output == Output::Name {
        let text: String = found.iter().map(|event| format!("{}\n", event.value.id)).collect();
        return desk.answer(&text);
    }
    if found.is_empty() {
        desk.remark("no events");
        return Ok(());
    }
    let paint = desk.paint();
    let rows: Vec<_> = found.iter().map(|event| event_row(&event.value, paint)).collect();
    let text = Table::new(&EVENT_COLUMNS, paint).whole(&rows);
    desk.answer(&text)
}

fn project(desk: &Desk, args: &EventArgs) -> Option<Name> {
    (!args.all_projects).then(|| desk.globals.project.clone())
}

/// The caller's filter and the VM that is meant, as one filter.
fn narrowed(filter: String, vm: Option<&VmRef>) -> String {
    let about = match vm {
        Some(VmRef::Id(id)) => format!("instance = \"{id}\""),
        Some(VmRef::Named { name, .. }) => format!("instance_name = \"{name}\""),
        None => return filter,
    };
    if filter.is_empty() { about } else { format!("{about} AND ({filter})") }
}

/// `event watch`.
pub(crate) async fn watch(desk: &mut Desk, args: EventArgs) -> Result<(), Error> {
    let vm = args.vm.as_deref().map(|word| desk.vm(word)).transpose()?;
    let interrupt = desk.terminal.interrupt.clone();
    let mut query = WatchQuery { project: project(desk, &args), vm, from: None };
    let mut table = Table::new(&EVENT_COLUMNS, desk.paint());
    table.fit(&["2026-01-01T00:00:00Z", "warning", "                ", "              ", ""].map(Cell::from));
    if matches!(desk.globals.output, Output::Table | Output::Wide) {
        let head = table.head();
        desk.answer(&head)?;
    }
    'again: loop {
        let mut changes = desk.services.events.watch(&desk.stream(), query.clone()).await?;
        loop {
            let change = tokio::select! {
                biased;
                () = interrupt.cancelled() => return Err(Error::Interrupted { follow: String::new() }),
                change = changes.next() => change,
            };
            match change {
                Some(Ok(EventChange::Happened(event))) => {
                    query.from = Some(event.revision);
                    let text = one(desk, &event.value, &mut table);
                    desk.answer(&text)?;
                }
                Some(Ok(EventChange::Bookmark(revision))) => query.from = Some(revision),
                Some(Err(fault)) if fault.reason == Reason::WatcherTooSlow => continue 'again,
                Some(Err(fault)) => return Err(fault.into()),
                None => return Ok(()),
            }
        }
    }
}

fn one(desk: &Desk, event: &Event, table: &mut Table) -> String {
    match (desk.form(), desk.globals.output) {
        (Some(form), _) => document(desk, Item::Event(event), form),
        (None, Output::Name) => format!("{}\n", event.id),
        (None, _) => {
            let row = event_row(event, desk.paint());
            table.fit(&row);
            table.line(&row)
        }
    }
}
