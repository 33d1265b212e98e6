//! Where a page of usage ended, and the token that says so.
//!
//! A token holds the place of the last line, the end of the span as it was for the first page, and a hash of what
//! was asked. So that an end of "now" is the same now on every page, and the token is refused with another question.

use crate::page::refused;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use weft_domain::{Fault, Time};
use weft_ports::api::{UsageQuery, VmRef};

/// The form of the token; another than that of lists of things.
const FORM: u8 = 2;

/// The place of a line among those of its question, which it orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// When a bucket begins, in seconds; when a record ends, in nanoseconds.
    pub(super) at: i64,
    /// Of which instance, or of which incarnation.
    pub(super) id: [u8; 16],
    /// Of records, the sequence.
    pub(super) sequence: u64,
}

/// What tokens of a question belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Question([u8; 8]);

impl Question {
    /// What is asked of this list, without its page.
    pub(super) fn of(list: &str, query: &UsageQuery) -> Self {
        let scope = &query.scope;
        let mut hash = Sha256::new();
        let mut add = |part: &str| {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        };
        add(list);
        add(&format!("{:?} {:?} {:?}", query.grain, scope.from, scope.to));
        add(scope.project.as_ref().map_or("", |name| name.as_str()));
        add(&scope.vms.len().to_string());
        for vm in &scope.vms {
            match vm {
                VmRef::Id(id) => add(&id.to_string()),
                VmRef::Named { project, name } => add(&format!("{project}/{name}")),
            }
        }
        for (key, value) in scope.labels.as_map() {
            add(key);
            add(value);
        }
        let mut short = [0; 8];
        short.copy_from_slice(&hash.finalize()[..8]);
        Self(short)
    }

    /// The token of the page after this place.
    pub(super) fn token(self, place: Place, end: Time) -> String {
        let numbers = [end.as_nanos().to_be_bytes(), place.at.to_be_bytes(), place.sequence.to_be_bytes(), self.0];
        URL_SAFE_NO_PAD.encode([&[FORM], place.id.as_slice(), numbers.as_flattened()].concat())
    }

    /// The place that a token says, and the end of the span; nothing where there is no token.
    pub(super) fn read(self, token: &str) -> Result<Option<(Place, Time)>, Fault> {
        if token.is_empty() {
            return Ok(None);
        }
        let foreign = || refused("is no token of ours");
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| foreign())?;
        let (form, rest) = bytes.split_first_chunk::<17>().ok_or_else(foreign)?;
        let (numbers, more) = rest.as_chunks::<8>();
        let ([FORM, id @ ..], &[end, at, sequence, scope], []) = (form, numbers, more) else { return Err(foreign()) };
        if scope != self.0 {
            return Err(refused("belongs to another question"));
        }
        let sequence = u64::from_be_bytes(sequence);
        let place = Place { at: i64::from_be_bytes(at), id: *id, sequence };
        Ok(Some((place, Time::from_nanos(i64::from_be_bytes(end)))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use weft_domain::Reason;
    use weft_domain::usage::Width;
    use weft_ports::api::{Grain, UsageScope};

    fn question(grain: Grain, from: i64) -> Question {
        let scope = UsageScope { from: Some(Time::from_nanos(from)), ..UsageScope::default() };
        Question::of("usage", &UsageQuery { scope, grain, page_size: 0, page_token: String::new() })
    }

    proptest! {
        #[test]
        fn a_token_reads_back_for_its_own_question_only(id: [u8; 16], at: i64, sequence: u64, end: i64) {
            let (asked, place, end) = (question(Grain::Total, 1), Place { at, id, sequence }, Time::from_nanos(end));
            let token = asked.token(place, end);
            prop_assert_eq!(asked.read(&token), Ok(Some((place, end))));
            for other in [question(Grain::Total, 2), question(Grain::Bucket(Width::Day), 1)] {
                prop_assert!(other.read(&token).is_err());
            }
        }

        #[test]
        fn other_texts_are_refused(text in ".{1,80}") {
            let fault = question(Grain::Record, 0).read(&text).expect_err("no token");
            prop_assert_eq!(fault.reason, Reason::PageTokenInvalid);
        }
    }
}
