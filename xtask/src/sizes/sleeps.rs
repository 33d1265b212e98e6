//! Tests wait for what happens, they do not sleep and hope.
//!
//! A path that ends in `thread::sleep` or `time::sleep` on a line of a test is
//! refused unless `// why:` stands on that line or on the one above.

use crate::syntax::paths_in;
use crate::verdict::Finding;
use proc_macro2::TokenStream;

/// The functions that sleep, by their last two parts.
const SLEEPS: &[[&str; 2]] = &[["thread", "sleep"], ["time", "sleep"]];

/// Every unexplained sleep on a line that `in_tests` holds for.
pub(crate) fn judge(place: &str, text: &str, in_tests: &dyn Fn(usize) -> bool) -> Vec<Finding> {
    let Ok(tokens) = text.parse::<TokenStream>() else { return Vec::new() };
    let lines: Vec<&str> = text.lines().collect();
    let mut found: Vec<usize> = paths_in(tokens)
        .into_iter()
        .filter(|(path, line)| is_sleep(path) && in_tests(*line) && !explained(&lines, *line))
        .map(|(_, line)| line)
        .collect();
    found.dedup();
    found
        .into_iter()
        .map(|line| {
            let what = "a test sleeps: wait for the event itself, or say why with `// why: …`";
            Finding::new(format!("{place}:{line}"), what)
        })
        .collect()
}

fn is_sleep(path: &[String]) -> bool {
    SLEEPS.iter().any(|sleep| path.ends_with(&sleep.map(str::to_owned)))
}

fn explained(lines: &[&str], line: usize) -> bool {
    [line.wrapping_sub(1), line.wrapping_sub(2)]
        .iter()
        .any(|index| lines.get(*index).is_some_and(|text| text.contains("// why: ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str) -> Vec<String> {
        judge("t.rs", text, &|line| line > 2).into_iter().map(|finding| finding.place).collect()
    }

    #[test]
    fn sleeps_in_tests_are_found_also_within_macros() {
        let text =
            "fn f() {\nstd::thread::sleep(D);\n}\nthread::sleep(D);\nselect! { _ = tokio::time::sleep(D) => {} }";
        assert_eq!(places(text), ["t.rs:4", "t.rs:5"]);
    }

    #[test]
    fn a_reason_on_the_line_or_above_is_enough() {
        let text = "//\n//\nthread::sleep(D); // why: the kernel's clock has 4 ms steps\n\n// why: same\ntime::sleep(D).await;";
        assert_eq!(places(text), Vec::<String>::new());
    }

    #[test]
    fn other_sleeps_and_strings_are_not_meant() {
        assert_eq!(places("//\n//\nclock.sleep(D); let a = \"thread::sleep\";"), Vec::<String>::new());
    }
}
