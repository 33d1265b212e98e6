//! What filters take, what is refused and where, and that no text is too strange.

use super::*;
use proptest::prelude::*;
use std::borrow::Cow;

const FIELDS: &[Field] = &[
    Field { name: "phase", accepts: |text| matches!(text, "RUNNING" | "STOPPED"), values: "RUNNING or STOPPED" },
    Field::text("name"),
    Field::text("labels."),
];

fn takes(filter: &str, thing: &[(&str, &str)]) -> bool {
    let read = Filter::parse(filter, FIELDS).unwrap_or_else(|fault| panic!("{filter}: {fault}"));
    let look =
        |field: &str| thing.iter().find(|(name, _)| *name == field).map(|(_, value)| Cow::from((*value).to_owned()));
    read.takes(&look)
}

#[test]
fn the_table_of_filters() {
    let web = &[("phase", "RUNNING"), ("name", "web-1"), ("labels.app", "shop"), ("labels.example.com/tier", "x.y")];
    for yes in [
        "",
        "  ",
        "phase = RUNNING",
        "phase=RUNNING AND labels.app=\"shop\"",
        "name = web-*",
        "name = *-1",
        "name = *eb*",
        "name:*",
        "labels:app",
        "labels.app:*",
        "labels.\"example.com/tier\" = x.y",
        "phase = STOPPED OR phase = RUNNING AND name = web-1",
        "NOT phase = STOPPED",
        "-phase = STOPPED",
        "labels.none != x",
        "(phase = RUNNING) AND (NOT (name = db-* OR name = x))",
    ] {
        assert!(takes(yes, web), "{yes}");
    }
    for no in ["phase = STOPPED", "name = db-*", "labels:none", "labels.app != shop", "-(name = web-1)"] {
        assert!(!takes(no, web), "{no}");
    }
}

#[test]
fn the_table_of_refusals() {
    for (filter, at, says) in [
        ("phase = RUNING", 9, "is no value of phase"),
        ("phse = RUNNING", 1, "no field"),
        ("phase RUNNING", 7, "=, != or :"),
        ("phase = ", 9, "a value"),
        ("phase > RUNNING", 7, "not known"),
        ("name = \"web", 8, "not closed"),
        ("name = a b", 10, "AND, OR or the end"),
        ("(name = a", 10, "')'"),
        ("name = a AND", 13, "a field"),
        ("name = w*b", 8, "middle"),
        ("labels = x", 1, "no field"),
        ("name = a & phase = RUNNING", 10, "not expected"),
        ("!name", 1, "NOT"),
    ] {
        let fault = Filter::parse(filter, FIELDS).expect_err(filter);
        assert_eq!(fault.reason, Reason::FilterInvalid, "{filter}");
        assert!(fault.message.contains(&format!("character {at}:")), "{filter}: {fault}");
        assert!(fault.message.contains(says), "{filter}: {fault}");
    }
    let deep = format!("{}name = a{}", "(".repeat(40), ")".repeat(40));
    assert!(Filter::parse(&deep, FIELDS).is_err());
}

fn wide() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "phase", "name", "labels.a", "=", "!=", ":", "RUNNING", "web-*", "\"a b\"", "AND", "OR", "NOT", "-", "(", ")",
        ".", "*",
    ]);
    prop::collection::vec(part, 0..16).prop_map(|parts| parts.join(" "))
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in ".{0,200}") {
        if let Err(fault) = Filter::parse(&text, FIELDS) { prop_assert_eq!(fault.reason, Reason::FilterInvalid); }
    }

    #[test]
    fn not_takes_what_it_does_not(text in wide(), phase in "RUNNING|STOPPED", name in "web-[0-9]|db") {
        prop_assume!(!text.trim().is_empty());
        if let Ok(filter) = Filter::parse(&text, FIELDS) {
            let not = Filter::parse(&format!("NOT ({text})"), FIELDS);
            let look = |field: &str| match field {
                "phase" => Some(Cow::from(phase.clone())),
                "name" => Some(Cow::from(name.clone())),
                _ => None,
            };
            // Only the limit of depth may refuse what is one deeper.
            if let Ok(not) = not { prop_assert_ne!(filter.takes(&look), not.takes(&look)); }
        }
    }
}
