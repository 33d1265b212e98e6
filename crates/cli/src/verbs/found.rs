//! What lists are made of: pages, columns, names of nodes.

use super::USUAL;
use crate::args::Output;
use crate::desk::Desk;
use crate::show::vm::{Columns, NodeNames, Scope};
use std::future::Future;
use weft_domain::{Fault, Reason};
use weft_ports::api::{ListQuery, Page};

/// The most pages of one list.
const MAX_PAGES: usize = 10_000;

/// All pages of a list, one after the other.
pub(crate) async fn pages<T, A, F>(mut query: ListQuery, ask: A) -> Result<Vec<T>, Fault>
where
    A: Fn(ListQuery) -> F,
    F: Future<Output = Result<Page<T>, Fault>>,
{
    let mut all = Vec::new();
    for _ in 0..MAX_PAGES {
        let page = ask(query.clone()).await?;
        all.extend(page.items);
        if page.next_page_token.is_empty() {
            return Ok(all);
        }
        query.page_token = page.next_page_token;
    }
    Err(Fault::new(Reason::LimitReached, format!("the list has more than {MAX_PAGES} pages")).fix("give a filter"))
}

/// The columns that the caller wants.
pub(crate) fn columns(desk: &Desk, scope: Scope) -> Columns {
    Columns { scope, wide: desk.globals.output == Output::Wide }
}

/// Names of nodes; none where they cannot be had, since an id will do.
pub(crate) async fn node_names(desk: &Desk) -> NodeNames {
    let answer = desk.services.nodes.list(&desk.call(Some(USUAL)), &ListQuery::default()).await;
    let nodes = answer.map(|page| page.items).unwrap_or_default();
    nodes.into_iter().map(|node| (node.value.id, node.value.name.to_string())).collect()
}
