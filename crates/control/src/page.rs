//! Pages of a list: how many things, and tokens that say where the next one begins.
//!
//! A token holds the id of the last thing and a hash of what the list is of, so that it is refused
//! with another filter. As lists are ordered by id, a thing that survives is neither skipped nor
//! told twice, whatever comes and goes between two pages.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use weft_domain::{Fault, Reason};
use weft_ports::api::ListQuery;

/// Things on a page where the caller did not say.
const DEFAULT: u32 = 50;
/// The most things on a page.
const MOST: u32 = 1_000;
/// The form of the token.
const FORM: u8 = 1;

/// The part of a list that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// At most so many.
    pub(crate) size: usize,
    /// After the thing with this id.
    pub(crate) after: Option<[u8; 16]>,
    scope: [u8; 8],
}

impl Part {
    /// The part that a query asks for.
    pub(crate) fn of(list: &str, query: &ListQuery) -> Result<Self, Fault> {
        let scope = scope(list, query);
        let after = if query.page_token.is_empty() { None } else { Some(read(&query.page_token, scope)?) };
        Ok(Self { size: size(query.page_size), after, scope })
    }

    /// The token of the page after the one that ends with this id.
    pub(crate) fn token(&self, last: &[u8; 16]) -> String {
        URL_SAFE_NO_PAD.encode([&[FORM], last.as_slice(), &self.scope].concat())
    }

    /// Cuts what is beyond this page and tells where the next one begins; `items` may hold one too many.
    pub(crate) fn cut<T>(&self, items: &mut Vec<T>, id: impl Fn(&T) -> [u8; 16]) -> String {
        let more = items.len() > self.size;
        items.truncate(self.size);
        items.last().filter(|_| more).map(|last| self.token(&id(last))).unwrap_or_default()
    }
}

/// How many things are on a page where so many were asked for.
pub(crate) fn size(asked: u32) -> usize {
    let size = if asked == 0 { DEFAULT } else { asked.min(MOST) };
    size as usize
}

/// Why a token is refused.
pub(crate) fn refused(why: &str) -> Fault {
    Fault::field(Reason::PageTokenInvalid, "page_token", why)
        .fix("use the next_page_token of the last page with the same project and filter, or begin without one")
}

fn scope(list: &str, query: &ListQuery) -> [u8; 8] {
    let project = query.project.as_ref().map_or("", |name| name.as_str());
    let mut hash = Sha256::new();
    for part in [list, project, query.filter.as_str()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut short = [0; 8];
    short.copy_from_slice(&hash.finalize()[..8]);
    short
}

fn read(token: &str, scope: [u8; 8]) -> Result<[u8; 16], Fault> {
    let refused = |why| Err(refused(why));
    let Ok(bytes) = URL_SAFE_NO_PAD.decode(token) else { return refused("is no token of ours") };
    match bytes.split_first_chunk::<17>() {
        Some(([FORM, id @ ..], rest)) if rest == scope => Ok(*id),
        Some(([FORM, ..], rest)) if rest.len() == 8 => refused("belongs to a list with another project or filter"),
        _ => refused("is no token of ours"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn query(filter: &str, token: String) -> ListQuery {
        ListQuery { filter: filter.into(), page_token: token, ..ListQuery::default() }
    }

    proptest! {
        #[test]
        fn a_token_reads_back_for_its_own_list_only(id: [u8; 16]) {
            let token = Part::of("vms", &query("a", String::new())).expect("a first page").token(&id);
            let next = Part::of("vms", &query("a", token.clone())).expect("our own token");
            prop_assert_eq!(next.after, Some(id));
            prop_assert!(Part::of("vms", &query("b", token.clone())).is_err());
            prop_assert!(Part::of("events", &query("a", token)).is_err());
        }

        #[test]
        fn other_texts_are_refused(text in ".{1,60}") {
            let fault = Part::of("vms", &query("", text)).expect_err("no token");
            prop_assert_eq!(fault.reason, Reason::PageTokenInvalid);
        }
    }
}
