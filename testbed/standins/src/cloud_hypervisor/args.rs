//! Cloud Hypervisor's command line: words in, what to do out.

use crate::version::{Since, Version};
use std::path::PathBuf;

/// Options that came with a version.
const NEWER: &[(&str, Since)] = &[("--no-shutdown", (52, 0)), ("--log-format", (52, 0))];

/// Where something is: at a path, or behind a descriptor of this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Path(PathBuf),
    Descriptor(i32),
}

/// A read command line.
#[derive(Debug, Default)]
pub(crate) struct Args {
    pub(crate) socket: Option<Place>,
    pub(crate) monitor: Option<Place>,
    pub(crate) log_file: Option<PathBuf>,
    pub(crate) restore: Option<String>,
    pub(crate) no_shutdown: bool,
    pub(crate) version: bool,
    pub(crate) help: bool,
}

impl Args {
    /// Reads what follows the program's name.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn read(words: impl IntoIterator<Item = String>, version: &Version) -> Result<Self, String> {
        let mut args = Self::default();
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let (name, inline) = match word.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name.to_owned(), Some(value.to_owned())),
                _ => (word.clone(), None),
            };
            let mut value = || inline.clone().or_else(|| words.next()).ok_or_else(|| format!("{name} needs a value"));
            if let Some((_, since)) = NEWER.iter().find(|(newer, since)| *newer == name && !version.reached(*since)) {
                return Err(format!("the argument {word} is not known before {}", since.0));
            }
            match name.as_str() {
                "--api-socket" => args.socket = Some(place(&value()?)?),
                "--event-monitor" => args.monitor = Some(place(&value()?)?),
                "--log-file" => args.log_file = Some(PathBuf::from(value()?)),
                "--restore" => args.restore = Some(value()?),
                "--seccomp" => {
                    let value = value()?;
                    if !["true", "false", "log", "errno"].contains(&value.as_str()) {
                        return Err(format!("`{value}` is none of true, false, log and errno"));
                    }
                }
                "--log-format" | "--gdb" | "--landlock-rules" => drop(value()?),
                "--no-shutdown" => args.no_shutdown = true,
                "--version" | "-V" => args.version = true,
                "--help" | "-h" => args.help = true,
                "--landlock" | "-v" | "-vv" | "-vvv" => {}
                _ => return Err(format!("the argument {word} is not known")),
            }
        }
        Ok(args)
    }
}

fn place(text: &str) -> Result<Place, String> {
    if let Some(number) = text.strip_prefix("fd=") {
        return number.parse().map(Place::Descriptor).map_err(|_| format!("`{number}` is no descriptor"));
    }
    Ok(Place::Path(PathBuf::from(text.strip_prefix("path=").unwrap_or(text))))
}

/// The `source_url` and the other options of `--restore`, as `vm.restore` takes them.
pub(crate) fn restore(text: &str) -> serde_json::Value {
    let mut body = serde_json::Map::new();
    for part in text.split(',') {
        let (name, value) = part.split_once('=').unwrap_or((part, "on"));
        let value = match value {
            "on" | "true" => true.into(),
            "off" | "false" => false.into(),
            other => other.into(),
        };
        let name = if name == "memory_restore_mode" { name } else { name.trim() };
        body.insert(name.to_owned(), value);
    }
    body.into()
}
