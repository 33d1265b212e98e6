//! One client of the load: it owns a domain, or shares one, and asks for one thing after the other until it is
//! told to stop or libvirtd goes away.

use super::guest;
use super::house::House;
use super::model::{Belief, Verb};
use super::session::{Answer, Session};
use crate::crash::dice::Dice;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often a client looks whether its guest has stopped, before it goes on.
const LOOKS: u32 = 20;
/// How long it waits in between.
const PAUSE: Duration = Duration::from_millis(5);

/// What clients have asked.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub(super) asked: u64,
    pub(super) acknowledged: u64,
    pub(super) cut: u64,
    /// Refusals by what was asked and why.
    pub(super) refused: BTreeMap<String, u64>,
}

impl Tally {
    /// With these as well.
    pub(super) fn add(&mut self, other: Self) {
        self.asked += other.asked;
        self.acknowledged += other.acknowledged;
        self.cut += other.cut;
        for (why, count) in other.refused {
            *self.refused.entry(why).or_default() += count;
        }
    }
}

/// Whose domain it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ownership {
    /// This client's alone.
    Own,
    /// Of several clients: the order of what they ask is not known.
    Shared,
}

/// A client.
pub(super) struct Client {
    /// Its domain's name.
    pub(super) name: String,
    pub(super) ownership: Ownership,
    /// What its domain may be.
    pub(super) belief: Belief,
    pub(super) tally: Tally,
    number: usize,
    /// How many domains it has defined.
    defined: u32,
    dice: Dice,
    session: Option<Session>,
}

impl Client {
    /// A client with a domain of its own, or with this one.
    pub(super) fn new(number: usize, dice: Dice, shared: Option<String>) -> Self {
        let ownership = if shared.is_some() { Ownership::Shared } else { Ownership::Own };
        let name = shared.unwrap_or_else(|| format!("c{number}-0"));
        let (belief, tally) = (Belief::nobody(), Tally::default());
        Self { name, ownership, belief, tally, number, defined: 0, dice, session: None }
    }

    /// Connects, where it is not connected.
    ///
    /// # Errors
    /// virsh cannot be started.
    pub(super) fn connect(&mut self, house: &House) -> Result<()> {
        if self.session.is_none() {
            self.session = Some(Session::open(house)?);
        }
        Ok(())
    }

    /// Asks until it is told to stop, or libvirtd has gone.
    ///
    /// # Errors
    /// A file of its own cannot be written.
    pub(super) fn work(&mut self, house: &House, qemu: &str, go: &AtomicBool) -> Result<()> {
        while go.load(Ordering::Relaxed) {
            let verb = match self.ownership {
                Ownership::Own => self.belief.choose(&mut self.dice),
                Ownership::Shared => shared(&mut self.dice),
            };
            if verb == Verb::Define {
                self.defined += 1;
                self.name = format!("c{}-{}", self.number, self.defined);
                files(house, &self.name, qemu)?;
            }
            if !self.request(verb) {
                break;
            }
            if verb == Verb::Undefine && self.belief.may == [None] {
                // Whether it is there or not, nobody uses it any more.
                let _ = std::fs::remove_file(house.path(&guest::disk(&self.name)));
            }
        }
        Ok(())
    }

    /// Asks for one thing; false where libvirtd has gone.
    fn request(&mut self, verb: Verb) -> bool {
        self.tally.asked += 1;
        match self.say(&verb.command(&self.name)) {
            Answer::Done(_) => {
                self.tally.acknowledged += 1;
                self.belief.acknowledge(verb);
                verb != Verb::Shutdown || self.ownership == Ownership::Shared || self.await_off()
            }
            Answer::Refused(why) => {
                let why = format!("{verb:?}: {}", why.replace(&self.name, "NAME"));
                *self.tally.refused.entry(why).or_default() += 1;
                self.belief.doubt(verb);
                true
            }
            Answer::Cut => {
                self.tally.cut += 1;
                self.belief.doubt(verb);
                self.belief.unanswered = Some(verb);
                false
            }
        }
    }

    /// Waits for its guest a while; false where libvirtd has gone.
    fn await_off(&mut self) -> bool {
        for _ in 0..LOOKS {
            match self.say(&format!("domstate {}", self.name)) {
                Answer::Done(state) if state == "shut off" => {
                    self.belief.is_off();
                    return true;
                }
                Answer::Done(_) | Answer::Refused(_) => {}
                Answer::Cut => return false,
            }
            // why: a person who waits for a guest looks again after a while, and so does this.
            std::thread::sleep(PAUSE);
        }
        // It does not hear, or takes long: it is taken to run until it is seen.
        self.belief.may.reverse();
        true
    }

    /// Asks; a virsh that has gone is replaced when it connects the next time.
    fn say(&mut self, command: &str) -> Answer {
        let Some(session) = &mut self.session else { return Answer::Cut };
        session.ask(command).unwrap_or_else(|_| {
            self.session = None;
            Answer::Cut
        })
    }
}

/// What is asked of a domain that several clients have.
fn shared(dice: &mut Dice) -> Verb {
    let cpus = u8::try_from(dice.below(u64::from(guest::MOST_CPUS))).unwrap_or(0) + 1;
    let choices = [
        (3, Verb::Start),
        (3, Verb::Suspend),
        (3, Verb::Resume),
        (1, Verb::Configure(cpus)),
        (1, Verb::Shutdown),
        (1, Verb::Destroy),
    ];
    dice.weigh(&choices).unwrap_or(Verb::Start)
}

/// Writes what a domain is defined by, and its disk.
///
/// # Errors
/// They cannot be written.
pub(super) fn files(house: &House, name: &str, qemu: &str) -> Result<()> {
    let text = guest::domain(name, qemu);
    std::fs::write(house.path(&guest::definition(name)), text).context("a definition cannot be written")?;
    let template = house.path(guest::TEMPLATE);
    std::fs::copy(template, house.path(&guest::disk(name))).map(drop).context("a disk cannot be written")
}
