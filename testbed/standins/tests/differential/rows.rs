//! Rows of calls, played on one or two programs, and what of their answers is compared.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;
use weft_standins::play::{Answer, Played, idle_kernel};

/// One call and the status that it has to have.
pub(crate) type Call = (&'static str, &'static str, &'static str, u16);

/// A row: a name, and calls to a fresh process.
pub(crate) type Row = (&'static str, &'static [Call]);

/// How a program is started, and what of its answers is compared.
pub(crate) struct Side {
    pub(crate) program: PathBuf,
    pub(crate) version: String,
    pub(crate) words: fn(&Path) -> Vec<String>,
    pub(crate) class: fn(&Answer) -> String,
}

/// The real program of this name, from its variable or the path.
#[expect(clippy::disallowed_methods, reason = "a test finds real programs where its shell does")]
pub(crate) fn real(variable: &str, name: &str) -> Option<PathBuf> {
    if let Some(path) = std::env::var_os(variable) {
        return Some(path.into());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
}

/// What a program says of its version, without its name.
pub(crate) fn version(program: &Path) -> String {
    let output = Command::new(program).arg("--version").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let word = text.lines().next().and_then(|line| line.split_whitespace().nth(1)).unwrap_or_default();
    word.trim_start_matches('v').to_owned()
}

/// A folder with what rows name.
pub(crate) fn stage() -> TempDir {
    let folder = tempfile::Builder::new().prefix("weft-").tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("kernel"), idle_kernel()).unwrap();
    std::fs::write(at("text"), "this is no kernel\n".repeat(100)).unwrap();
    for name in ["disk", "other"] {
        std::fs::File::create(at(name)).unwrap().set_len(4 << 20).unwrap();
    }
    std::fs::create_dir(at("folder")).unwrap();
    folder
}

/// What each call of a row is answered, as far as it is compared.
pub(crate) fn play(side: &Side, calls: &[Call]) -> Vec<(u16, String)> {
    let folder = stage();
    let words = (side.words)(folder.path());
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let environment = [("STANDIN_VERSION", side.version.as_str())];
    let mut played = Played::start(&side.program, folder.path(), &words, &environment).unwrap();
    played.ready().unwrap();
    let home = folder.path().display().to_string();
    let mut answers = Vec::new();
    for (method, path, body, _) in calls {
        let answer = match played.call(method, path, &body.replace("DIR", &home)) {
            Ok(answer) => answer,
            Err(_) => {
                answers.push((0, "gone".to_owned()));
                continue;
            }
        };
        let said = if answer.status < 300 { sorted(answer.json()).to_string() } else { (side.class)(&answer) };
        answers.push((answer.status, said.replace(&home, "DIR").replace(&played.id().to_string(), "PID")));
    }
    answers
}

/// Lists in an order of their own: after the start the real program keeps devices in none.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(list) => {
            let mut list: Vec<_> = list.into_iter().map(sorted).collect();
            list.sort_by_key(Value::to_string);
            list.into()
        }
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, sorted(value))).collect(),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => other,
    }
}

/// Plays rows on both; says what differs.
pub(crate) fn compare(stand_in: &Side, real: Option<&Side>, rows: &[Row]) -> Vec<String> {
    let mut differences = Vec::new();
    for (name, calls) in rows {
        let mine = play(stand_in, calls);
        let theirs = real.map(|real| play(real, calls));
        for (at, (method, path, body, expected)) in calls.iter().enumerate() {
            let call = format!("{name}, call {at}: {method} {path} {body}");
            if mine[at].0 != *expected {
                differences.push(format!("{call}\n  expected {expected}\n  stand-in {:?}", mine[at]));
            }
            if let Some(theirs) = theirs.as_ref().filter(|theirs| theirs[at] != mine[at]) {
                differences.push(format!("{call}\n  real     {:?}\n  stand-in {:?}", theirs[at], mine[at]));
            }
        }
    }
    differences
}

/// What the reader of JSON found wrong, without where.
pub(crate) fn json_error(text: &str) -> Option<String> {
    let kinds = ["missing field `", "unknown field `", "unknown variant `", "duplicate field `"];
    if let Some((kind, rest)) = kinds.iter().find_map(|kind| Some((kind, text.split_once(kind)?.1))) {
        return Some(format!("{kind}{}`", rest.split('`').next().unwrap_or_default()));
    }
    let plain = ["invalid type", "invalid value", "EOF while", "expected value", "trailing characters"];
    plain.iter().find(|kind| text.contains(*kind)).map(ToString::to_string)
}

/// A text out of JSON.
pub(crate) fn field(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}
