//! Reading values: from a file, from the environment, as what they mean.

use super::keys::METALD;
use super::{Given, KEYS, Key, Origin, Outside, Values};
use anyhow::{Context, Result, anyhow, bail};
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The largest configuration file that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// The key of this name.
pub(super) fn known(name: &str) -> Result<&'static Key> {
    if let Some(key) = KEYS.iter().find(|key| key.name == name) {
        return Ok(key);
    }
    let nearest = KEYS.iter().min_by_key(|key| distance(name, key.name)).map_or("", |key| key.name);
    bail!("there is no key {name}; the nearest is {nearest} (`weft config print` lists all)")
}

/// How many letters must change (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.iter().enumerate() {
            let change = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

pub(super) fn file(path: &Path, values: &mut Values) -> Result<()> {
    let size = std::fs::metadata(path)
        .with_context(|| format!("the configuration file {} cannot be read", path.display()))?
        .len();
    if size > MAX_FILE {
        bail!("the configuration file {} has {size} bytes; at most {MAX_FILE} are read", path.display());
    }
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("the configuration file {} cannot be read", path.display()))?;
    let root: toml::Table = text.parse().with_context(|| format!("{} is not TOML", path.display()))?;
    for (table, content) in root {
        let toml::Value::Table(content) = content else {
            bail!("{}: {table} stands outside of a table; keys are written as [table] key = value", path.display());
        };
        for (name, value) in content {
            let name = format!("{table}.{name}");
            let key = known(&name).with_context(|| path.display().to_string())?;
            let value = text_of(&value).with_context(|| format!("{}: {name}", path.display()))?;
            values.insert(key.name, Given { value, origin: Origin::File(path.to_owned()) });
        }
    }
    Ok(())
}

fn text_of(value: &toml::Value) -> Result<String> {
    match value {
        toml::Value::String(text) => Ok(text.clone()),
        toml::Value::Integer(number) => Ok(number.to_string()),
        toml::Value::Boolean(flag) => Ok(flag.to_string()),
        toml::Value::Array(items) => {
            let parts: Result<Vec<_>> = items.iter().map(text_of).collect();
            Ok(parts?.join(":"))
        }
        toml::Value::Float(_) | toml::Value::Datetime(_) | toml::Value::Table(_) => {
            bail!("must be a text, a whole number or a list of texts")
        }
    }
}

/// Our own variables; one that is near to a key and is none is said.
pub(super) fn variables(outside: &Outside, values: &mut Values) -> Vec<String> {
    let mut notices = Vec::new();
    for (name, value) in outside.variables.iter().filter(|(name, _)| name.starts_with("WEFT_")) {
        match KEYS.iter().find(|key| key.variable() == *name) {
            Some(key) => {
                let origin = Origin::Variable(name.clone());
                values.insert(key.name, Given { value: value.clone(), origin });
            }
            None => {
                if let Some(key) = KEYS.iter().find(|key| distance(&key.variable(), name) <= 2) {
                    notices.push(format!("{name} is not a key; {} is", key.variable()));
                }
            }
        }
    }
    notices
}

/// metald's variables, as far as they mean something here.
pub(super) fn aliases(outside: &Outside, values: &mut Values) -> Vec<String> {
    let mut notices = Vec::new();
    let mut set = |key: &'static str, value: String, variable: &str| {
        notices.push(format!("{variable} is read as {key} = {value}"));
        values.insert(key, Given { value, origin: Origin::Variable(variable.to_owned()) });
    };
    for key in KEYS {
        if let Some((variable, value)) = key.alias.and_then(|name| outside.variables.get_key_value(name)) {
            set(key.name, value.clone(), variable);
        }
    }
    for pair in METALD.chunks(2) {
        let [(address, key), (port, _)] = pair else { continue };
        let (host, number) = (outside.variables.get(*address), outside.variables.get(*port));
        if host.is_some() || number.is_some() {
            let host = host.map_or("127.0.0.1", String::as_str);
            // metald listened everywhere by default; here only loopback is served without accounts.
            let host = if host == "0.0.0.0" { "127.0.0.1" } else { host };
            let usual = if *key == "server.listen" { "8080" } else { "9464" };
            let number = number.map_or(usual, String::as_str);
            set(key, format!("{host}:{number}"), if outside.variables.contains_key(*port) { port } else { address });
        }
    }
    for (variable, value) in outside.variables.iter().filter(|(name, _)| name.starts_with("UNKEY_METALD_")) {
        let taken =
            METALD.iter().any(|(name, _)| name == variable) || KEYS.iter().any(|key| key.alias == Some(variable));
        match variable.as_str() {
            "UNKEY_METALD_BACKEND" => notices
                .push(format!("{variable}={value} is not followed: the driver is chosen for each VM by what it needs")),
            "UNKEY_METALD_OTEL_ENABLED" => {
                notices.push(format!("{variable}={value} is not needed: metrics are always served"))
            }
            _ if !taken => notices.push(format!("{variable} means nothing to weft and is passed over")),
            _ => {}
        }
    }
    notices
}

pub(super) fn origin(values: &Values, name: &str) -> String {
    match values.get(name).map(|given| &given.origin) {
        Some(Origin::Flag) => "from the command line".to_owned(),
        Some(Origin::Variable(variable)) => format!("from {variable}"),
        Some(Origin::File(file)) => format!("from {}", file.display()),
        Some(Origin::Default) | None => "the default".to_owned(),
    }
}

/// Reads values as what they mean.
pub(super) struct Reader<'a>(pub(super) &'a Values);

impl Reader<'_> {
    pub(super) fn text(&self, name: &'static str) -> String {
        self.0.get(name).map(|given| given.value.clone()).unwrap_or_default()
    }

    fn wrong(&self, name: &'static str, why: &str) -> anyhow::Error {
        anyhow!("{name} is {:?} ({}): {why}", self.text(name), origin(self.0, name))
    }

    pub(super) fn address(&self, name: &'static str) -> Result<SocketAddr> {
        self.text(name)
            .parse()
            .map_err(|_| self.wrong(name, "it must be an address and a port, such as 127.0.0.1:8080"))
    }

    pub(super) fn path(&self, name: &'static str) -> Result<PathBuf> {
        let path = PathBuf::from(self.text(name));
        if path.as_os_str().is_empty() {
            bail!("{name} is empty and the environment names no home: give --data-dir DIR, or set HOME");
        }
        if path.is_absolute() { Ok(path) } else { Err(self.wrong(name, "it must be an absolute path")) }
    }

    pub(super) fn optional_path(&self, name: &'static str) -> Result<Option<PathBuf>> {
        if self.text(name).is_empty() { Ok(None) } else { self.path(name).map(Some) }
    }

    pub(super) fn paths(&self, name: &'static str) -> Result<Vec<PathBuf>> {
        let paths: Vec<_> = self.text(name).split(':').filter(|path| !path.is_empty()).map(PathBuf::from).collect();
        if paths.iter().all(|path| path.is_absolute()) {
            Ok(paths)
        } else {
            Err(self.wrong(name, "each must be an absolute path"))
        }
    }

    pub(super) fn number(&self, name: &'static str, least: u64, most: u64) -> Result<u64> {
        let number = self.text(name).parse().ok().filter(|number| (least..=most).contains(number));
        number.ok_or_else(|| self.wrong(name, &format!("it must be a whole number from {least} to {most}")))
    }

    pub(super) fn size(&self, name: &'static str, least: u64, most: u64) -> Result<u64> {
        let text = self.text(name);
        let size =
            if text == "0" { 0 } else { weft_cli::args::value::bytes(&text).map_err(|why| self.wrong(name, &why))? };
        if (least..=most).contains(&size) {
            Ok(size)
        } else {
            Err(self.wrong(name, &format!("it must be from {least} to {most} bytes")))
        }
    }

    pub(super) fn span(&self, name: &'static str, least: Duration, most: Duration) -> Result<Duration> {
        let span = weft_cli::args::value::duration(&self.text(name)).map_err(|why| self.wrong(name, &why))?;
        if (least..=most).contains(&span) {
            Ok(span)
        } else {
            Err(self.wrong(name, &format!("it must be from {least:?} to {most:?}")))
        }
    }

    pub(super) fn choice(&self, name: &'static str, among: &[&'static str]) -> Result<String> {
        let text = self.text(name);
        if among.contains(&text.as_str()) {
            Ok(text)
        } else {
            Err(self.wrong(name, &format!("it must be one of {}", among.join(", "))))
        }
    }

    /// A list with `:` between, each one of these and none twice.
    pub(super) fn list(&self, name: &'static str, among: &[&'static str]) -> Result<Vec<String>> {
        let items: Vec<String> =
            self.text(name).split(':').filter(|item| !item.is_empty()).map(str::to_owned).collect();
        let fine = |(i, item): (usize, &String)| among.contains(&item.as_str()) && !items[..i].contains(item);
        if items.iter().enumerate().all(fine) {
            Ok(items)
        } else {
            Err(self.wrong(name, &format!("each must be one of {}, and none twice", among.join(", "))))
        }
    }

    /// A range of user ids, none of them root's.
    pub(super) fn ids(&self, name: &'static str) -> Result<RangeInclusive<u32>> {
        let text = self.text(name);
        let range = text.split_once('-').and_then(|(first, last)| Some(first.parse().ok()?..=last.parse().ok()?));
        // The last number means nobody at all to the kernel.
        let right =
            |range: &RangeInclusive<u32>| *range.start() > 0 && range.start() <= range.end() && *range.end() < u32::MAX;
        range.filter(right).ok_or_else(|| self.wrong(name, "it must be FIRST-LAST, such as 1900000000-1900065535"))
    }
}
