//! Names that could mean anything are refused for types, traits and modules.
//!
//! Some words are refused wherever they stand in a name, others only where they
//! are the last word, since `DataVolume` says something and `VolumeData` does
//! not. `ALLOWED` holds the names that others gave.

use crate::verdict::Finding;
use syn::visit::{self, Visit};

/// Refused anywhere in a name.
const BANNED: &[&str] = &["manager", "helper", "util", "common", "misc", "wrapper", "impl"];
/// Refused as the last word of a name.
const BANNED_LAST: &[&str] = &["base", "info", "data"];

/// Names of others that are used as they are, with whose they are.
const ALLOWED: &[(&str, &str)] = &[
    ("ErrorInfo", "google.rpc's detail message"),
    ("UserData", "cloud-init's document"),
    ("MetaData", "cloud-init's document"),
    ("VendorData", "cloud-init's document"),
];

/// Every refused name in one file.
pub(crate) fn judge(place: &str, file: &syn::File) -> Vec<Finding> {
    let mut names = Names { place, found: Vec::new() };
    names.visit_file(file);
    names.found
}

struct Names<'a> {
    place: &'a str,
    found: Vec<Finding>,
}

impl Names<'_> {
    fn look(&mut self, ident: &syn::Ident) {
        let name = ident.to_string();
        if let Some(word) = refused(&name) {
            let line = ident.span().start().line;
            let what = format!("`{name}` says \"{word}\": name it after what it is or does");
            self.found.push(Finding::new(format!("{}:{line}", self.place), what));
        }
    }
}

impl<'ast> Visit<'ast> for Names<'_> {
    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.look(&item.ident);
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.look(&item.ident);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.look(&item.ident);
        visit::visit_item_trait(self, item);
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        self.look(&item.ident);
    }

    fn visit_item_union(&mut self, item: &'ast syn::ItemUnion) {
        self.look(&item.ident);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.look(&item.ident);
        visit::visit_item_mod(self, item);
    }
}

/// The word for which a name is refused.
fn refused(name: &str) -> Option<String> {
    if ALLOWED.iter().any(|(allowed, _)| *allowed == name) {
        return None;
    }
    let words = words(name);
    let matches = |word: &str, banned: &str| word == banned || word.strip_suffix('s') == Some(banned);
    let anywhere = words.iter().find(|word| BANNED.iter().any(|banned| matches(word, banned)));
    let last = words.last().filter(|word| BANNED_LAST.iter().any(|banned| *word == banned));
    anywhere.or(last).cloned()
}

/// `VmInfo`, `VMInfo` and `vm_info` are all `vm`, `info`.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (at, c) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|at| letters[at]);
        let after_small = before.is_some_and(|c| c.is_lowercase() || c.is_ascii_digit());
        let before_small = letters.get(at + 1).is_some_and(|c| c.is_lowercase());
        if *c == '_' || (c.is_uppercase() && (after_small || before_small)) {
            words.push(String::new());
        }
        if let (Some(word), true) = (words.last_mut(), *c != '_') {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_both_spellings() {
        assert_eq!(words("VmInfo"), ["vm", "info"]);
        assert_eq!(words("VMInfo"), ["vm", "info"]);
        assert_eq!(words("vm_info"), ["vm", "info"]);
        assert_eq!(words("Qcow2Header"), ["qcow2", "header"]);
        assert_eq!(words("_Inner"), ["inner"]);
    }

    #[test]
    fn banned_words_are_refused_as_words_only() {
        for name in ["VmManager", "helpers", "net_utils", "StoreImpl", "CommonSpec", "VmInfo", "Base", "HostData"] {
            assert!(refused(name).is_some(), "{name}");
        }
        for name in ["Implied", "Utility", "DataVolume", "Database", "UserData", "ErrorInfo", "Commonwealth"] {
            assert!(refused(name).is_none(), "{name}");
        }
    }

    #[test]
    fn types_traits_and_modules_are_looked_at_with_their_lines() {
        let text = "struct AManager;\nmod b_util { enum CHelper {} }\ntrait DWrapper {}\nfn e_impl() {}";
        let found = judge("x.rs", &syn::parse_file(text).unwrap());
        let places: Vec<&str> = found.iter().map(|finding| finding.place.as_str()).collect();
        assert_eq!(places, ["x.rs:1", "x.rs:2", "x.rs:2", "x.rs:3"]);
    }
}
