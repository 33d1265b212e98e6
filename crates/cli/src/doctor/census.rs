//! A census as a table: how many there are of each, then what a person should see.

use crate::args::Output;
use crate::show::escapes::printable;
use crate::show::paint::Paint;
use crate::show::table::{Cell, Table};
use crate::show::units::moment;
use std::collections::BTreeSet;
use weft_domain::census::{Census, Sort, Verdict};
use weft_ports::documents::{Documents, Form, Item};

/// A column for each verdict, in their order.
const HEADS: [&str; 7] = ["SORT", "ADOPTED", "RELEASED", "ORPHANED", "FOREIGN", "LEAKED", "MISSING"];

/// A census in this form, ready to be written.
#[must_use]
pub fn text(census: &Census, documents: &dyn Documents, output: Output, paint: Paint) -> String {
    match output {
        Output::Table | Output::Wide => table(census, output == Output::Wide, paint),
        Output::Json => documents.write(Item::Census(census), Form::Json),
        Output::Yaml => documents.write(Item::Census(census), Form::Yaml),
        Output::Name => census.lines.iter().map(|line| format!("{}/{}\n", line.sort, printable(&line.name))).collect(),
    }
}

fn table(census: &Census, wide: bool, paint: Paint) -> String {
    let mut text = format!("Taken at {}\n\n{}", moment(census.at), counts(census, paint));
    let shown = |verdict| wide || matches!(verdict, Verdict::Leaked | Verdict::Missing | Verdict::Orphaned);
    let lines: Vec<_> = census.lines.iter().filter(|line| shown(line.verdict)).collect();
    if !lines.is_empty() {
        let rows: Vec<Vec<Cell>> = lines
            .iter()
            .map(|line| {
                let vm = line.instance.map(|vm| vm.to_string()).unwrap_or_default();
                let verdict = verdict(line.verdict, paint);
                // A jailed process may have made it, under any name.
                let name = printable(&line.name);
                vec![verdict, line.sort.as_str().into(), name.into(), vm.into(), line.why.as_str().into()]
            })
            .collect();
        text += &format!("\n{}", Table::new(&["VERDICT", "SORT", "NAME", "VM", "WHY"], paint).whole(&rows));
    }
    if census.left_out > 0 {
        text += &format!("and {} more\n", census.left_out);
    }
    let fixes: BTreeSet<_> =
        lines.iter().filter(|line| !line.fix.is_empty()).map(|line| (line.verdict, line.sort, &line.fix)).collect();
    if !fixes.is_empty() {
        text += "\nWhat would help:\n";
        for (verdict, sort, fix) in fixes {
            text += &format!("  {verdict} {sort}: {fix}\n");
        }
    }
    text
}

/// A row for each sort that there is, a column for each verdict.
fn counts(census: &Census, paint: Paint) -> String {
    let row = |sort: &Sort| {
        let of = |verdict: &Verdict| census.counts.get(&(*sort, *verdict)).copied().unwrap_or_default();
        let all: Vec<u64> = Verdict::ALL.iter().map(of).collect();
        let numbers = all.iter().map(|count| Cell::from(if *count == 0 { "-".to_owned() } else { count.to_string() }));
        all.iter().any(|count| *count > 0).then(|| std::iter::once(sort.as_str().into()).chain(numbers).collect())
    };
    let rows: Vec<Vec<Cell>> = Sort::ALL.iter().filter_map(row).collect();
    Table::new(&HEADS, paint).whole(&rows)
}

fn verdict(verdict: Verdict, paint: Paint) -> Cell {
    let word = verdict.as_str();
    match verdict {
        Verdict::Adopted | Verdict::Released => Cell::painted(word, paint.good(word)),
        Verdict::Orphaned | Verdict::Foreign => Cell::painted(word, paint.warning(word)),
        Verdict::Leaked | Verdict::Missing => Cell::painted(word, paint.bad(word)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_domain::Time;
    use weft_domain::census::Line;

    #[test]
    fn people_see_what_matters_and_what_helps() {
        let line = |verdict, name: &str, fix: &str| Line {
            sort: Sort::RunFolder,
            name: name.to_owned(),
            verdict,
            claim: None,
            instance: None,
            why: "because".to_owned(),
            fix: fix.to_owned(),
        };
        let counts = [((Sort::Process, Verdict::Adopted), 12), ((Sort::RunFolder, Verdict::Leaked), 1)].into();
        let lines = vec![line(Verdict::Leaked, "/r/\u{1b}[2J\u{7}1", "wait"), line(Verdict::Foreign, "/r/2", "")];
        assert!(Verdict::ALL.iter().zip(&HEADS[1..]).all(|(verdict, head)| verdict.as_str() == head.to_lowercase()));
        let census = Census { at: Time::from_millis(0), counts, lines, left_out: 4 };
        let shown = table(&census, false, Paint::Plain);
        for word in ["ADOPTED", "12", "/r/1", "because", "and 4 more", "leaked run-folder: wait"] {
            assert!(shown.contains(word), "{word}: {shown}");
        }
        assert!(!shown.contains("/r/2"), "{shown}");
        assert!(table(&census, true, Paint::Plain).contains("/r/2"));
    }
}
