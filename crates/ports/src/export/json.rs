//! Lines as JSON objects, their members in one order.

use super::{TYPE, moment};
use crate::api::UsageLine;
use std::fmt::Write as _;
use weft_domain::usage::{Figure, Kind, Record};

/// The object of a line.
pub(super) fn line(to: &mut String, id: &str, line: &UsageLine) {
    let mut object = Object::begin(to);
    object.text("id", id);
    object.text("project", line.subject.project.as_str());
    object.text("vm", &line.subject.instance.to_string());
    object.text("vm_name", line.subject.name.as_str());
    labels(object.of("labels"), line);
    object.text("start_time", &moment(line.from));
    object.text("end_time", &moment(line.to));
    let mut amounts = Object::begin(object.of("amounts"));
    for (figure, amount) in line.amounts.iter() {
        amounts.text(figure.as_str(), &amount.to_string());
    }
    amounts.end();
    object.text("records", &line.records.to_string());
    object.text("gaps", &line.gaps.to_string());
    if let Some(one) = &line.record {
        record(object.of("record"), one);
    }
    object.end();
}

/// A CloudEvents 1.0 object that carries a line.
pub(super) fn event(to: &mut String, sort: &str, id: &str, of: &UsageLine) {
    let mut object = Object::begin(to);
    object.text("specversion", "1.0");
    object.text("id", id);
    object.text("source", &format!("/projects/{}", of.subject.project));
    object.text("type", &format!("{TYPE}.{sort}"));
    object.text("subject", &of.subject.instance.to_string());
    object.text("time", &moment(of.to));
    object.text("datacontenttype", "application/json");
    line(object.of("data"), id, of);
    object.end();
}

/// The object of a line's labels.
pub(super) fn labels(to: &mut String, line: &UsageLine) {
    let mut labels = Object::begin(to);
    for (key, value) in line.subject.labels.as_map() {
        labels.text(key, value);
    }
    labels.end();
}

fn record(to: &mut String, record: &Record) {
    let mut object = Object::begin(to);
    object.text("incarnation", &record.meter.incarnation.to_string());
    object.number("epoch", record.meter.epoch);
    object.text("sequence", &record.sequence.to_string());
    match record.kind {
        Kind::Window(edge) => object.text("edge", edge.as_str()),
        Kind::Gap(cause) => object.text("cause", cause.as_str()),
    }
    object.text("start_monotonic_nanos", &record.from.monotonic_nanos.to_string());
    object.text("end_monotonic_nanos", &record.to.monotonic_nanos.to_string());
    let mut sources = Object::begin(object.of("sources"));
    for figure in Figure::ALL {
        sources.text(figure.as_str(), record.sources[figure].as_str());
    }
    sources.end();
    object.end();
}

/// An object that is being written.
struct Object<'a> {
    to: &'a mut String,
    first: bool,
}

impl<'a> Object<'a> {
    fn begin(to: &'a mut String) -> Self {
        to.push('{');
        Self { to, first: true }
    }

    /// Where the member of this name is to be written.
    fn of(&mut self, name: &str) -> &mut String {
        if !std::mem::take(&mut self.first) {
            self.to.push(',');
        }
        text(self.to, name);
        self.to.push(':');
        self.to
    }

    fn text(&mut self, name: &str, value: &str) {
        text(self.of(name), value);
    }

    fn number(&mut self, name: &str, value: u32) {
        // Writing to a text cannot fail.
        let _ = write!(self.of(name), "{value}");
    }

    fn end(self) {
        self.to.push('}');
    }
}

/// A text as RFC 8259 has it.
fn text(to: &mut String, value: &str) {
    to.push('"');
    for c in value.chars() {
        match c {
            '"' | '\\' => to.extend(['\\', c]),
            c if c < ' ' => {
                let _ = write!(to, "\\u{:04x}", u32::from(c));
            }
            c => to.push(c),
        }
    }
    to.push('"');
}
