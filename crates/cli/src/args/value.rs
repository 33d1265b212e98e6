//! Words ⇄ values: sizes, spans, labels, disks, interfaces. A refusal says which forms are accepted.

mod device;

pub(crate) use device::user_nic;
pub use device::{disk, nic};

use std::net::SocketAddr;
use std::time::Duration;
use weft_domain::lifecycle::Phase;
use weft_domain::{Name, Time};

/// The longest request id, in bytes.
const MAX_REQUEST_ID: usize = 128;
const SIZE_FORMS: &str = "give a number and a unit, such as 512M, 512MiB, 2G or 1.5GiB (K, M, G and T count by 1024)";
const MOMENT_FORMS: &str = "give a moment or a day in UTC, such as 2026-11-01T08:00:00Z or 2026-11-01";
const TIME_FORMS: &str = "give a number and a unit, such as 500ms, 30s, 2m or 1h30m";

/// The key that leaves a console; `None` where no key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Escape(pub Option<u8>);

/// One change of labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelEdit {
    /// The key has this value.
    Set(String, String),
    /// The key is taken away.
    Remove(String),
}

/// What a VM is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Goal {
    /// This phase.
    Phase(Phase),
    /// That this condition holds.
    Condition(String),
    /// That it is no more.
    Gone,
}

/// How much of a log's end is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// So many lines.
    Lines(u64),
    /// So many bytes.
    Bytes(u64),
}

/// A name.
///
/// # Errors
/// What a name must look like.
pub fn name(text: &str) -> Result<Name, String> {
    text.parse::<Name>().map_err(|why| why.to_string())
}

/// A size in bytes, with its unit.
///
/// # Errors
/// The accepted forms.
pub fn bytes(text: &str) -> Result<u64, String> {
    let refused = |why: &str| Err(format!("{why}; {SIZE_FORMS}"));
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (figure, unit) = (&text[..end], text[end..].trim_start());
    let shift = match unit.to_ascii_lowercase().as_str() {
        "" => return refused("a unit is missing"),
        "b" => 0,
        "k" | "ki" | "kib" => 10,
        "m" | "mi" | "mib" => 20,
        "g" | "gi" | "gib" => 30,
        "t" | "ti" | "tib" => 40,
        "kb" | "mb" | "gb" | "tb" => return refused("KB, MB, GB and TB mean 1000 to some and 1024 to others"),
        _ => return refused("that is not a size"),
    };
    match scaled(figure, shift) {
        Some(bytes) => Ok(bytes),
        None => refused("that is not a whole number of bytes below 16 EiB"),
    }
}

/// The decimal `figure` times two to the `shift`, where that is a whole number that fits.
fn scaled(figure: &str, shift: u32) -> Option<u64> {
    let (whole, part) = figure.split_once('.').unwrap_or((figure, "0"));
    if whole.is_empty() || part.is_empty() || part.len() > 9 || part.contains('.') {
        return None;
    }
    let tens = 10u128.pow(u32::try_from(part.len()).ok()?);
    let digits = u128::from(whole.parse::<u64>().ok()?) * tens + part.parse::<u128>().ok()?;
    let bytes = digits.checked_mul(1 << shift)?;
    if bytes.is_multiple_of(tens) { u64::try_from(bytes / tens).ok() } else { None }
}

/// A span of time, with its unit.
///
/// # Errors
/// The accepted forms.
pub fn duration(text: &str) -> Result<Duration, String> {
    let refused = |why: &str| format!("{why}; {TIME_FORMS}");
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(refused("a unit is missing"));
    }
    let span: jiff::SignedDuration = text.parse().map_err(|_| refused("that is not a span of time"))?;
    Duration::try_from(span).map_err(|_| refused("a span of time cannot be negative"))
}

/// A moment, or the midnight in UTC that a day begins with.
///
/// # Errors
/// The accepted forms.
pub fn moment(text: &str) -> Result<Time, String> {
    let day = || text.parse::<jiff::civil::Date>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok();
    let at = text.parse::<jiff::Timestamp>().ok().or_else(|| Some(day()?.timestamp()));
    let nanos = at.and_then(|at| i64::try_from(at.as_nanosecond()).ok());
    nanos.map(Time::from_nanos).ok_or_else(|| format!("that is not a moment; {MOMENT_FORMS}"))
}

/// `key=value`.
///
/// # Errors
/// That there is no `=`.
pub fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        Some(_) | None => Err("give key=value, such as tier=web".to_owned()),
    }
}

/// `key=value`, or `key-`.
///
/// # Errors
/// The accepted forms.
pub fn label_edit(text: &str) -> Result<LabelEdit, String> {
    match (label(text), text.strip_suffix('-')) {
        (Ok((key, value)), _) => Ok(LabelEdit::Set(key, value)),
        (Err(_), Some(key)) if !key.is_empty() => Ok(LabelEdit::Remove(key.to_owned())),
        (Err(_), _) => Err("give key=value to set a label, or key- to take it away".to_owned()),
    }
}

/// A key of the configuration and its value.
///
/// # Errors
/// That there is no `=`.
pub fn setting(text: &str) -> Result<(String, String), String> {
    label(text).map_err(|_| "give key=value, as in the configuration file, such as log.level=debug".to_owned())
}

/// A request id.
///
/// # Errors
/// Its limits.
pub fn request_id(text: &str) -> Result<String, String> {
    let right = (1..=MAX_REQUEST_ID).contains(&text.len()) && !text.chars().any(char::is_control);
    if right { Ok(text.to_owned()) } else { Err(format!("must be 1 to {MAX_REQUEST_ID} bytes of text")) }
}

/// The key that leaves a console.
///
/// # Errors
/// The accepted forms.
pub fn escape(text: &str) -> Result<Escape, String> {
    match text.as_bytes() {
        b"none" => Ok(Escape(None)),
        [b'^', key] if (b'@'..=b'_').contains(&key.to_ascii_uppercase()) => {
            Ok(Escape(Some(key.to_ascii_uppercase() & 0x1f)))
        }
        _ => Err("give ^ and a letter or one of @[\\]^_, such as ^] or ^A, or none".to_owned()),
    }
}

/// How much of a log's end: lines, or bytes with a unit.
///
/// # Errors
/// The accepted forms.
pub fn tail(text: &str) -> Result<Tail, String> {
    if let Ok(lines) = text.parse() {
        return Ok(Tail::Lines(lines));
    }
    bytes(text).map(Tail::Bytes).map_err(|_| "give a number of lines, such as 100, or a size, such as 64K".to_owned())
}

/// What a VM is waited for.
///
/// # Errors
/// The accepted forms.
pub fn goal(text: &str) -> Result<Goal, String> {
    if text.eq_ignore_ascii_case("gone") {
        return Ok(Goal::Gone);
    }
    if let Some(phase) = Phase::parse(&text.to_ascii_uppercase()) {
        return Ok(Goal::Phase(phase));
    }
    let condition = text.starts_with(|c: char| c.is_ascii_uppercase()) && text.bytes().any(|b| b.is_ascii_lowercase());
    if condition && text.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Ok(Goal::Condition(text.to_owned()));
    }
    let all: Vec<_> = Phase::ALL.iter().map(|phase| phase.as_str()).collect();
    Err(format!("give a phase ({}), a condition such as Ready, or gone", all.join(", ")))
}

/// Where something listens: an address and a port, or a port of loopback.
///
/// # Errors
/// The accepted forms.
pub fn listen(text: &str) -> Result<SocketAddr, String> {
    let text = text.replace("localhost", "127.0.0.1");
    let short = text.strip_prefix(':').unwrap_or(&text);
    let full = if short.bytes().all(|b| b.is_ascii_digit()) { format!("127.0.0.1:{short}") } else { text.clone() };
    full.parse().map_err(|_| "give an address and a port, such as 127.0.0.1:8080, or a port".to_owned())
}

#[cfg(test)]
mod tests;
