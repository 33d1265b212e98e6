//! Where a command is served: the services, the caller's terms, the terminal.

use crate::args::{Globals, Output};
use crate::show::paint::Paint;
use crate::{Error, Terminal, report};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use weft_domain::{Instance, Name, Time};
use weft_ports::api::{Call, Consoles, Devices, Events, Nodes, Power, Snapshots, Usage, VmRef, Vms};
use weft_ports::clock::Clock;
use weft_ports::documents::{Documents, Form, Item};

/// The services that commands ask, near or far.
#[derive(Clone)]
pub struct Services {
    /// VMs as resources.
    pub vms: Arc<dyn Vms>,
    /// What runs.
    pub power: Arc<dyn Power>,
    /// What is plugged into VMs, and their sizes.
    pub devices: Arc<dyn Devices>,
    /// Snapshots, and what begins from them.
    pub snapshots: Arc<dyn Snapshots>,
    /// Consoles and their logs.
    pub consoles: Arc<dyn Consoles>,
    /// Nodes.
    pub nodes: Arc<dyn Nodes>,
    /// Events.
    pub events: Arc<dyn Events>,
    /// What was used.
    pub usage: Arc<dyn Usage>,
    /// Text ⇄ domain.
    pub documents: Arc<dyn Documents>,
    /// What ages are counted by.
    pub clock: Arc<dyn Clock>,
}

/// Where one command is served.
pub(crate) struct Desk {
    /// Who is asked.
    pub(crate) services: Services,
    /// What holds for every command.
    pub(crate) globals: Globals,
    /// Where answers go.
    pub(crate) terminal: Terminal,
}

impl Desk {
    /// A call that waits as long as the caller said, or this long.
    pub(crate) fn call(&self, usual: Option<Duration>) -> Call {
        Call { timeout: self.globals.timeout.or(usual), ..Call::by("cli") }
    }

    /// A call that lasts until somebody ends it.
    pub(crate) fn stream(&self) -> Call {
        Call::by("cli")
    }

    /// Which VM is meant by this word: an id, or a name in the project.
    pub(crate) fn vm(&self, word: &str) -> Result<VmRef, Error> {
        if let Ok(id) = word.parse() {
            return Ok(VmRef::Id(id));
        }
        let name: Name = word.parse().map_err(|why| Error::Usage {
            message: format!("{word:?} is neither the name of a VM nor its id"),
            fix: format!("a name {why}; an id begins with vm-"),
        })?;
        Ok(VmRef::Named { project: self.globals.project.clone(), name })
    }

    /// The colours of answers.
    pub(crate) const fn paint(&self) -> Paint {
        if self.terminal.abilities.out_tty && !self.globals.no_color { Paint::Colour } else { Paint::Plain }
    }

    /// Now.
    pub(crate) fn now(&self) -> Time {
        self.services.clock.now()
    }

    /// Writes an answer.
    pub(crate) fn answer(&mut self, text: &str) -> Result<(), Error> {
        self.answer_bytes(text.as_bytes())
    }

    /// Writes an answer as it is.
    pub(crate) fn answer_bytes(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let out = &mut self.terminal.out;
        out.write_all(bytes).and_then(|()| out.flush()).map_err(|source| Error::WriteAnswer { source })
    }

    /// Writes a remark for people, unless they want none.
    pub(crate) fn remark(&mut self, text: &str) {
        if !self.globals.quiet {
            self.tell(&format!("{text}\n"));
        }
    }

    /// Writes a remark that helps somebody who sits there.
    pub(crate) fn hint(&mut self, text: &str) {
        if self.terminal.abilities.err_tty && self.terminal.abilities.out_tty {
            self.remark(text);
        }
    }

    /// Tells an error.
    pub(crate) fn complain(&mut self, error: &Error) {
        let colour = self.terminal.abilities.err_tty && !self.globals.no_color;
        let paint = if colour { Paint::Colour } else { Paint::Plain };
        self.tell(&report::error(error, paint));
    }

    /// Nobody can be told when standard error is gone; that ends nothing.
    fn tell(&mut self, text: &str) {
        let err = &mut self.terminal.err;
        let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
    }

    /// The form for programs, where one is wanted.
    pub(crate) const fn form(&self) -> Option<Form> {
        match self.globals.output {
            Output::Json => Some(Form::Json),
            Output::Yaml => Some(Form::Yaml),
            Output::Table | Output::Wide | Output::Name => None,
        }
    }

    /// Things as text for programs: the one that was asked for as itself, any number as a list.
    pub(crate) fn written(&self, items: &[Item<'_>], shape: Shape, form: Form) -> String {
        match (shape, items) {
            (Shape::One, [one]) => self.services.documents.write(*one, form),
            (Shape::One | Shape::Many, items) => self.services.documents.write_list(items, form),
        }
    }
}

/// Whether one thing was asked for, or any number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One.
    One,
    /// Any number.
    Many,
}

impl Shape {
    /// The shape of an answer about so many named things.
    pub(crate) const fn of(count: usize) -> Self {
        if count == 1 { Self::One } else { Self::Many }
    }
}

/// What a VM waits for, as far as it says.
pub(crate) fn waits_for(vm: &Instance) -> Option<String> {
    let conditions = vm.status.conditions.iter();
    let mut telling = conditions.filter(|condition| condition.holds != Some(true) && !condition.message.is_empty());
    telling.next().map(|condition| condition.message.clone())
}
