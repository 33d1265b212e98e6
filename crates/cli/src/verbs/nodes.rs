//! `node list`, `node get` and `node release-orphans`.

use super::USUAL;
use super::found::pages;
use crate::Error;
use crate::args::{NodeListArgs, Output, ReleaseOrphansArgs};
use crate::desk::{Desk, Shape};
use crate::progress::{Waited, wait};
use crate::show::table::Table;
use crate::show::{NODE_COLUMNS, describe_node, node_row};
use std::sync::Arc;
use weft_domain::node::{Node, Orphans};
use weft_domain::object::Stored;
use weft_ports::api::{Call, GivenUp, ListQuery};
use weft_ports::documents::Item;

/// So many columns are shown where the row is not wide.
const NARROW: usize = 6;

/// `node list`.
pub(crate) async fn list(desk: &mut Desk, args: NodeListArgs) -> Result<(), Error> {
    let (nodes, call) = (Arc::clone(&desk.services.nodes), desk.call(Some(USUAL)));
    let pages = pages(ListQuery { filter: args.filter, ..ListQuery::default() }, move |query| {
        let (nodes, call) = (Arc::clone(&nodes), call.clone());
        async move { nodes.list(&call, &query).await }
    });
    let waited = Waited { title: "listing".to_owned(), vm: None, follow: String::new() };
    let found = wait(desk, waited, pages).await?;
    if for_programs(desk, &found, Shape::Many)? {
        return Ok(());
    }
    if found.is_empty() {
        desk.remark("no nodes");
        return Ok(());
    }
    let shown = if desk.globals.output == Output::Wide { NODE_COLUMNS.len() } else { NARROW };
    let now = desk.now();
    let rows: Vec<_> = found
        .iter()
        .map(|node| {
            let mut row = node_row(&node.value, now);
            row.truncate(shown);
            row
        })
        .collect();
    let text = Table::new(&NODE_COLUMNS[..shown], desk.paint()).whole(&rows);
    desk.answer(&text)
}

/// `node get`.
pub(crate) async fn get(desk: &mut Desk, words: &[String]) -> Result<(), Error> {
    let mut found = Vec::new();
    for word in words {
        let (nodes, call) = (Arc::clone(&desk.services.nodes), desk.call(Some(USUAL)));
        let waited = Waited { title: format!("asking for {word}"), vm: None, follow: String::new() };
        found.push(wait(desk, waited, async { nodes.get(&call, word).await }).await?);
    }
    if for_programs(desk, &found, Shape::of(words.len()))? {
        return Ok(());
    }
    let now = desk.now();
    let pages: Vec<_> = found.iter().map(|node| describe_node(&node.value, now)).collect();
    desk.answer(&pages.join("\n"))
}

/// `node release-orphans`.
pub(crate) async fn release_orphans(desk: &mut Desk, args: ReleaseOrphansArgs) -> Result<(), Error> {
    let which = match (args.all, Orphans::parse(args.ids.iter().map(String::as_str))) {
        (true, _) => GivenUp::All,
        (false, Ok(orphans)) => GivenUp::These(orphans),
        (false, Err(id)) => {
            return Err(Error::Usage {
                message: format!("{id:?} is the id of neither a VM nor a snapshot"),
                fix: format!("weft node get {} names in its warnings what there is", args.node),
            });
        }
    };
    if !args.yes {
        return Err(Error::Usage {
            message: "this ends VMs that run and removes disks and snapshots, which cannot be brought back".to_owned(),
            fix: format!("look at what there is with weft node get {}, and add --yes", args.node),
        });
    }
    let (nodes, call) = (Arc::clone(&desk.services.nodes), desk.call(Some(USUAL)));
    let call = Call { request_id: args.request_id, ..call };
    let follow = format!("weft node get {}", args.node);
    let waited = Waited { title: format!("removing what {} has and no state knows", args.node), vm: None, follow };
    let gone = wait(desk, waited, async { nodes.release_orphans(&call, &args.node, &which).await }).await?;
    if gone.is_empty() {
        desk.remark("there is nothing that the state does not know");
        return Ok(());
    }
    let word = if desk.globals.output == Output::Name { "" } else { " is gone" };
    let text: String = gone.ids().map(|id| format!("{id}{word}\n")).collect();
    desk.answer(&text)
}

/// Answers in the forms for programs; tells whether one was wanted.
fn for_programs(desk: &mut Desk, found: &[Stored<Node>], shape: Shape) -> Result<bool, Error> {
    if let Some(form) = desk.form() {
        let items: Vec<_> = found.iter().map(|node| Item::Node(&node.value)).collect();
        let text = desk.written(&items, shape, form);
        return desk.answer(&text).map(|()| true);
    }
    if desk.globals.output == Output::Name {
        let text: String = found.iter().map(|node| format!("{}\n", node.value.name)).collect();
        return desk.answer(&text).map(|()| true);
    }
    Ok(false)
}
