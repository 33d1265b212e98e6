//! Small questions asked of Rust source, shared by the checks that read it.
//!
//! Syntax trees and tokens go in; nothing here knows files or findings.

use proc_macro2::{TokenStream, TokenTree};
use syn::Attribute;

/// `#[cfg(test)]`, alone or within `all(…)`.
pub(crate) fn only_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).any(|attribute| {
        attribute.meta.require_list().is_ok_and(|list| {
            let text = list.tokens.to_string();
            text == "test" || (text.starts_with("all") && words(&text).any(|word| word == "test"))
        })
    })
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
}

/// Every `a::b::…` in a stream of tokens, groups included, with its line.
pub(crate) fn paths_in(tokens: TokenStream) -> Vec<(Vec<String>, usize)> {
    let mut found = Vec::new();
    let mut path: Vec<String> = Vec::new();
    let mut line = 0;
    let mut colons = 0;
    for token in tokens {
        if let TokenTree::Ident(ident) = &token {
            if colons != 2 {
                flush(&mut path, line, &mut found);
            }
            if path.is_empty() {
                line = ident.span().start().line;
            }
            path.push(ident.to_string());
            colons = 0;
            continue;
        }
        let colon = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ':');
        if colon && !path.is_empty() && colons < 2 {
            colons += 1;
            continue;
        }
        flush(&mut path, line, &mut found);
        colons = 0;
        if let TokenTree::Group(group) = token {
            found.extend(paths_in(group.stream()));
        }
    }
    flush(&mut path, line, &mut found);
    found
}

fn flush(path: &mut Vec<String>, line: usize, found: &mut Vec<(Vec<String>, usize)>) {
    let path = std::mem::take(path);
    if path.len() > 1 {
        found.push((path, line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Vec<String> {
        paths_in(text.parse().unwrap()).into_iter().map(|(path, line)| format!("{line}:{}", path.join("::"))).collect()
    }

    #[test]
    fn paths_are_found_in_nested_tokens_with_their_lines() {
        assert_eq!(
            paths("let a: crate::x::Y = b;\nvec![(c::d(), e)]; f::<g::H>()"),
            ["1:crate::x::Y", "2:c::d", "2:g::H"]
        );
    }

    #[test]
    fn cfg_test_is_known_alone_and_within_all_but_not_within_not() {
        let only = |text: &str| {
            let item: syn::ItemMod = syn::parse_str(&format!("{text} mod a {{}}")).unwrap();
            only_for_tests(&item.attrs)
        };
        assert!(only("#[cfg(test)]"));
        assert!(only("#[cfg(all(test, unix))]"));
        assert!(!only("#[cfg(not(test))]"));
        assert!(!only("#[cfg(any(test, feature = \"fakes\"))]"));
    }
}
