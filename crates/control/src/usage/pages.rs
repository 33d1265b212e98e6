//! Pages of usage: each grain from where it is kept.

use super::books::Books;
use super::place::{Place, Question};
use super::scope::Asked;
use super::sums::Part;
use super::{records, sums};
use crate::page::size;
use weft_domain::Fault;
use weft_ports::api::{Grain, Page, UsageLine, UsageQuery};

/// A page of what was used.
pub(super) async fn usage(books: &Books, query: &UsageQuery) -> Result<Page<UsageLine>, Fault> {
    let question = Question::of("usage", query);
    let after = question.read(&query.page_token)?;
    let asked = books.asked(&query.scope, query.grain, after.map(|(_, end)| end))?;
    let found = part(books, &asked, (after.map(|(place, _)| place), size(query.page_size))).await?;
    Ok(page(books, &asked, question, found))
}

/// A page of gaps, whatever grain is asked for.
pub(super) async fn gaps(books: &Books, query: &UsageQuery) -> Result<Page<UsageLine>, Fault> {
    let question = Question::of("gaps", query);
    let after = question.read(&query.page_token)?;
    // They are kept for as long as days are.
    let asked = books.asked(&query.scope, Grain::Total, after.map(|(_, end)| end))?;
    let found = records::gaps(books, &asked, (after.map(|(place, _)| place), size(query.page_size))).await?;
    Ok(page(books, &asked, question, found))
}

/// Lines after a place, at most so many.
pub(super) async fn part(books: &Books, asked: &Asked, page: (Option<Place>, usize)) -> Result<Part, Fault> {
    match asked.grain {
        Grain::Record => records::records(books, asked, page).await,
        Grain::Bucket(width) => sums::buckets(books, asked, width, page).await,
        Grain::Total => sums::totals(books, asked, page).await,
    }
}

fn page(books: &Books, asked: &Asked, question: Question, (items, next): Part) -> Page<UsageLine> {
    let next_page_token = next.map(|place| question.token(place, asked.span.to)).unwrap_or_default();
    Page { items, next_page_token, revision: books.core.memory.revision() }
}
