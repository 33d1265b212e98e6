//! Everything in scope as a file, piece by piece, each made when the reader takes it.
//!
//! Who is in scope and where the span ends is settled once, when it begins.

use super::books::Books;
use super::pages::part;
use super::place::Place;
use super::scope::Asked;
use crate::refusal;
use bytes::Bytes;
use futures::StreamExt;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use weft_domain::{Fault, InstanceId};
use weft_ports::api::{Answers, ExportChunk, ExportFormat, Grain, UsageQuery};
use weft_ports::export;

/// Lines of a piece.
const LINES: usize = 1_000;
/// All of a span, in thousandths.
const ALL: u16 = 1_000;

/// The pieces of an export.
pub(super) fn open(books: &Arc<Books>, query: &UsageQuery, form: ExportFormat) -> Result<Answers<ExportChunk>, Fault> {
    let asked = books.asked(&query.scope, query.grain, None)?;
    let place = books.core.stream()?;
    let writing = Writing { books: Arc::clone(books), asked, form, after: None, lines: 0, _place: place };
    Ok(futures::stream::unfold(Some(writing), |writing| async { writing?.next().await }).boxed())
}

/// An export under way.
struct Writing {
    books: Arc<Books>,
    asked: Asked,
    form: ExportFormat,
    after: Option<Place>,
    lines: u64,
    _place: OwnedSemaphorePermit,
}

impl Writing {
    async fn next(mut self) -> Option<(Result<ExportChunk, Fault>, Option<Self>)> {
        let found = tokio::select! {
            biased;
            () = self.books.closing.cancelled() => Err(refusal::closing()),
            found = part(&self.books, &self.asked, (self.after, LINES)) => found,
        };
        let (lines, next) = match found {
            Ok(found) => found,
            Err(fault) => return Some((Err(fault), None)),
        };
        let mut text = if self.after.is_none() { export::head(self.form) } else { String::new() };
        for line in &lines {
            export::line(&mut text, self.form, self.asked.grain, line);
        }
        self.lines += lines.len() as u64;
        let done = next.map_or(ALL, |place| self.done(&place));
        let chunk = ExportChunk { bytes: Bytes::from(text), lines: self.lines, done };
        self.after = next;
        Some((Ok(chunk), next.is_some().then_some(self)))
    }

    /// How much lies before this place, in thousandths; not all, as long as more comes.
    fn done(&self, place: &Place) -> u16 {
        let span = &self.asked.span;
        let (done, all) = match self.asked.grain {
            Grain::Record => {
                let begin = i128::from(span.from.as_nanos());
                (i128::from(place.at) - begin, i128::from(span.to.as_nanos()) - begin)
            }
            Grain::Bucket(_) | Grain::Total => {
                let before = self.asked.subjects.range(..InstanceId::from_bytes(place.id)).count();
                (before as i128, self.asked.subjects.len() as i128)
            }
        };
        let thousandths = done.saturating_mul(i128::from(ALL)) / all.max(1);
        u16::try_from(thousandths.clamp(0, i128::from(ALL) - 1)).unwrap_or(0)
    }
}
