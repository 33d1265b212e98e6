//! Firecracker's command line: words in, what to do out, or the exit code of a wrong one.

use crate::version::{Since, Version};
use std::collections::BTreeMap;

/// The version that brought PCI.
const PCI: Since = (1, 13);

/// A wrong command line.
pub(crate) const BAD_ARGUMENTS: i32 = 153;
/// A configuration that cannot be taken.
pub(crate) const BAD_CONFIGURATION: i32 = 152;
/// Anything else that went wrong.
pub(crate) const GENERIC: i32 = 1;

/// Options that take a value.
const VALUES: &[&str] = &[
    "api-sock",
    "id",
    "seccomp-filter",
    "start-time-us",
    "start-time-cpu-us",
    "parent-cpu-time-us",
    "config-file",
    "metadata",
    "log-path",
    "level",
    "module",
    "metrics-path",
    "describe-snapshot",
    "http-api-max-payload-size",
    "mmds-size-limit",
];
/// Options that take none.
const FLAGS: &[&str] = &[
    "no-seccomp",
    "no-api",
    "show-level",
    "show-log-origin",
    "boot-timer",
    "version",
    "snapshot-version",
    "enable-pci",
    "help",
];

/// A read command line.
#[derive(Debug, Default)]
pub(crate) struct Args {
    given: BTreeMap<String, String>,
}

impl Args {
    /// Reads what follows the program's name; nothing is read after `--`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn read(words: impl IntoIterator<Item = String>, version: &Version) -> Result<Self, String> {
        let mut args = Self::default();
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            if word == "--" {
                break;
            }
            let name = word.strip_prefix("--").ok_or_else(|| unexpected(&word))?;
            let value = if FLAGS.contains(&name) && (name != "enable-pci" || version.reached(PCI)) {
                String::new()
            } else if VALUES.contains(&name) {
                let value = words.next().filter(|value| !value.starts_with("--"));
                value.ok_or_else(|| format!("The argument '{name}' requires a value, but none was supplied."))?
            } else {
                return Err(unexpected(&word));
            };
            if args.given.insert(name.to_owned(), value).is_some() {
                return Err(format!("The argument '{name}' was provided more than once."));
            }
        }
        if args.has("help") || args.has("version") {
            return Ok(args);
        }
        if args.has("no-seccomp") && args.has("seccomp-filter") {
            return Err("Argument 'no-seccomp' cannot be used together with argument 'seccomp-filter'.".to_owned());
        }
        if args.has("no-api") && !args.has("config-file") {
            return Err("Argument 'config-file' required, but not found.".to_owned());
        }
        Ok(args)
    }

    /// Whether an option was given.
    #[must_use]
    pub(crate) fn has(&self, name: &str) -> bool {
        self.given.contains_key(name)
    }

    /// The value of an option.
    #[must_use]
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.given.get(name).map(String::as_str)
    }
}

fn unexpected(word: &str) -> String {
    format!("Found argument '{word}' which wasn't expected, or isn't valid in this context.")
}

/// Whether this can be a microVM's id.
#[must_use]
pub(crate) fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.chars().all(|at| at == '-' || at.is_ascii_alphanumeric())
}
