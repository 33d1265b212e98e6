//! Events: listed oldest first, and watched.

use crate::control::Control;
use crate::page::Part;
use crate::{fields, watch};
use std::ops::Bound;
use std::sync::Arc;
use weft_domain::event::Event;
use weft_domain::object::Stored;
use weft_domain::{EventId, Fault};
use weft_ports::api::{Answers, Call, EventChange, Events, ListQuery, Page, WatchQuery};

#[async_trait::async_trait]
impl Events for Control {
    async fn list(&self, _: &Call, query: &ListQuery) -> Result<Page<Stored<Event>>, Fault> {
        let (part, filter) = (Part::of("events", query)?, fields::of_events(&query.filter)?);
        let from = part.after.map_or(Bound::Unbounded, |id| Bound::Excluded(EventId::from_bytes(id)));
        let wanted = |event: &&Arc<Stored<Event>>| {
            let mine = query.project.as_ref().is_none_or(|project| event.value.project == *project);
            mine && filter.takes(&|field| fields::event(&event.value, field))
        };
        let (mut found, revision) = {
            let state = self.core.memory.read();
            let events = state.events.range((from, Bound::Unbounded)).map(|(_, event)| event).filter(wanted);
            (events.take(part.size + 1).cloned().collect::<Vec<_>>(), state.revision)
        };
        let next_page_token = part.cut(&mut found, |event| *event.value.id.as_bytes());
        Ok(Page { items: found.iter().map(|event| (**event).clone()).collect(), next_page_token, revision })
    }

    async fn watch(&self, _: &Call, query: WatchQuery) -> Result<Answers<EventChange>, Fault> {
        watch::events(&self.core, query).await
    }
}
