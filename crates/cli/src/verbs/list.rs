//! `list` and `get`.

use super::found::{columns, node_names, pages};
use super::{USUAL, watch};
use crate::Error;
use crate::args::Output;
use crate::args::vm::ListArgs;
use crate::desk::{Desk, Shape};
use crate::progress::{Waited, wait};
use crate::show::table::Table;
use crate::show::vm::{Columns, Scope, View};
use crate::show::{describe_vm, vm_columns, vm_row};
use std::sync::Arc;
use weft_ports::api::{ListQuery, Vm, WatchQuery};
use weft_ports::documents::Item;

/// `list`.
pub(crate) async fn list(desk: &mut Desk, args: ListArgs) -> Result<(), Error> {
    let project = (!args.all_projects).then(|| desk.globals.project.clone());
    if args.watch {
        let query = WatchQuery { project, vm: None, from: None };
        return watch::stream(desk, query).await;
    }
    let query = ListQuery { project, filter: args.filter, ..ListQuery::default() };
    let (vms, call) = (Arc::clone(&desk.services.vms), desk.call(Some(USUAL)));
    let pages = pages(query, move |query| {
        let (vms, call) = (Arc::clone(&vms), call.clone());
        async move { vms.list(&call, &query).await }
    });
    let waited = Waited { title: "listing".to_owned(), vm: None, follow: String::new() };
    let found = wait(desk, waited, pages).await?;
    let columns = columns(desk, if args.all_projects { Scope::All } else { Scope::Project });
    table(desk, &found, columns).await
}

async fn table(desk: &mut Desk, found: &[Vm], columns: Columns) -> Result<(), Error> {
    if let Some(form) = desk.form() {
        let items: Vec<_> = found.iter().map(Item::Vm).collect();
        let text = desk.written(&items, Shape::Many, form);
        return desk.answer(&text);
    }
    if desk.globals.output == Output::Name {
        let text: String = found.iter().map(|vm| format!("{}\n", vm.value.meta.name)).collect();
        return desk.answer(&text);
    }
    if found.is_empty() {
        let place =
            if columns.scope == Scope::All { String::new() } else { format!(" in project {}", desk.globals.project) };
        desk.remark(&format!("no VMs{place}"));
        desk.hint("make one: weft vm create NAME");
        return Ok(());
    }
    let nodes = node_names(desk).await;
    let view = View { columns, nodes: &nodes, now: desk.now(), paint: desk.paint() };
    let rows: Vec<_> = found.iter().map(|vm| vm_row(&vm.value, view)).collect();
    let text = Table::new(&vm_columns(columns), view.paint).whole(&rows);
    desk.answer(&text)
}

/// `get`.
pub(crate) async fn get(desk: &mut Desk, words: &[String]) -> Result<(), Error> {
    let mut found = Vec::new();
    for word in words {
        let (vm, call, vms) = (desk.vm(word)?, desk.call(Some(USUAL)), Arc::clone(&desk.services.vms));
        let waited = Waited { title: format!("asking for {word}"), vm: None, follow: String::new() };
        found.push(wait(desk, waited, async move { vms.get(&call, &vm).await }).await?);
    }
    if let Some(form) = desk.form() {
        let items: Vec<_> = found.iter().map(Item::Vm).collect();
        let text = desk.written(&items, Shape::of(words.len()), form);
        return desk.answer(&text);
    }
    if desk.globals.output == Output::Name {
        let text: String = found.iter().map(|vm| format!("{}\n", vm.value.meta.name)).collect();
        return desk.answer(&text);
    }
    let nodes = node_names(desk).await;
    let view = View { columns: columns(desk, Scope::Project), nodes: &nodes, now: desk.now(), paint: desk.paint() };
    let pages: Vec<_> = found.iter().map(|vm| describe_vm(&vm.value, view)).collect();
    desk.answer(&pages.join("\n"))
}
