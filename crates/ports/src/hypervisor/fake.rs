//! A hypervisor in memory, for tests of those who hold the port.
//!
//! ```text
//!  test ── expect(Behaviour) ──► Fake ◄── launch, adopt ── agent
//!       ── power_off, die, … ──► its guests ── state, resets ──► agent
//! ```
//!
//! Its guests live in the [`Fake`], not in the machines handed out: a machine that is dropped leaves its
//! guest as it is, and another can be had by adoption. The fake is a [`Processes`](crate::processes::Processes)
//! too, over the same guests, so that what an agent finds and what it adopts agree.

mod body;
mod guest;
mod machine;
mod processes;

use super::{Adoption, Chosen, End, Hypervisor, Machine, Order, Origin, State, Way};
use crate::clock::Clock;
use crate::processes::{Alive, Ending};
use guest::Guest;
use machine::Handle;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use weft_domain::capability::{Capabilities, Feature};
use weft_domain::spec::change::Change;
use weft_domain::spec::{Accelerator, Draft, Machine as Model, Spec};
use weft_domain::{ClaimId, Fault, InstanceId, Name, Reason};

/// How a guest that is going to be launched behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behaviour {
    /// How long its launch takes.
    pub launch_delay: Duration,
    /// Its launch fails with these last words of the VMM.
    pub launch_failure: Option<String>,
    /// What it does when it is asked to power off.
    pub button: Button,
    /// What its VMM says to the one who adopts it.
    pub adoption: Answer,
    /// What it writes to its console first.
    pub says: String,
    /// Its VMM refuses changes that are told with these words.
    pub refuses: Option<String>,
    /// Its VMM cannot keep it, for this reason.
    pub keep_failure: Option<String>,
    /// How long a change or a snapshot takes.
    pub body_delay: Duration,
    /// Its agent answers.
    pub agent_greets: bool,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            launch_delay: Duration::ZERO,
            launch_failure: None,
            button: Button::Heeded,
            adoption: Answer::Given,
            says: "fake guest: ready\n".to_owned(),
            refuses: None,
            keep_failure: None,
            body_delay: Duration::ZERO,
            agent_greets: false,
        }
    }
}

/// What a guest does when it is asked to power off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Button {
    /// It powers off.
    Heeded,
    /// Nothing.
    Ignored,
}

/// Whether a VMM answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It does.
    Given,
    /// It lives and is silent.
    Silent,
    /// It does, and its virtual CPUs never ran: whoever launched it died over it.
    Unbegun,
}

/// A hypervisor in memory. Hold it in an [`Arc`]; the same one is a `Hypervisor` and a `Processes`.
pub struct Fake {
    clock: Arc<dyn Clock>,
    shelf: Arc<Shelf>,
}

/// What the fake and its machines share.
struct Shelf {
    capabilities: Arc<Capabilities>,
    world: Mutex<World>,
}

impl Shelf {
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("nothing panics while it holds the fake's world")
    }

    /// The living guest that waits for another on this socket.
    fn waiting(&self, socket: &Path) -> Option<Arc<Guest>> {
        let waits = |guest: &&Arc<Guest>| guest.lives() && guest.incoming.as_deref() == Some(socket);
        self.world().guests.values().find(waits).cloned()
    }
}

/// All that the fake remembers.
#[derive(Default)]
struct World {
    behaviours: BTreeMap<Name, Behaviour>,
    otherwise: Behaviour,
    guests: BTreeMap<ClaimId, Arc<Guest>>,
    launches: Vec<Order>,
    /// The folders of the snapshots that are kept inside disks.
    inside: BTreeSet<PathBuf>,
}

impl Fake {
    /// One that serves every feature it knows of, under the name `fake`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        let capabilities = Capabilities {
            driver: "fake".to_owned(),
            version: "1".to_owned(),
            features: served().into_iter().collect(),
            notes: Vec::new(),
        };
        Self::with_capabilities(capabilities, clock)
    }

    /// One that can do just this.
    #[must_use]
    pub fn with_capabilities(capabilities: Capabilities, clock: Arc<dyn Clock>) -> Arc<Self> {
        let shelf = Shelf { capabilities: Arc::new(capabilities), world: Mutex::default() };
        Arc::new(Self { clock, shelf: Arc::new(shelf) })
    }

    /// How guests behave that are launched from now on, where nothing is expected of their name.
    pub fn expect(&self, behaviour: Behaviour) {
        self.world().otherwise = behaviour;
    }

    /// How guests of this name behave that are launched from now on.
    pub fn expect_of(&self, name: &Name, behaviour: Behaviour) {
        self.world().behaviours.insert(name.clone(), behaviour);
    }

    /// Every order that was given, oldest first, those that failed too.
    #[must_use]
    pub fn launches(&self) -> Vec<Order> {
        self.world().launches.clone()
    }

    /// The folders of the snapshots that are kept inside disks.
    #[must_use]
    pub fn inside(&self) -> BTreeSet<PathBuf> {
        self.world().inside.clone()
    }

    /// Processes that live now, with the instance of each.
    #[must_use]
    pub fn living(&self) -> Vec<(InstanceId, Alive)> {
        let world = self.world();
        world.guests.values().filter(|guest| guest.lives()).map(|g| (g.instance, g.alive.clone())).collect()
    }

    /// The guest powers itself off; its VMM waits to be buried. Nothing where it does not run.
    pub fn power_off(&self, instance: InstanceId) {
        self.end_guest(instance, Way::Poweroff, "the guest powered off");
    }

    /// The guest's kernel panics; its VMM waits to be buried.
    pub fn panic(&self, instance: InstanceId) {
        self.end_guest(instance, Way::Panic, "the guest's kernel panicked");
    }

    /// The guest resets itself and goes on.
    pub fn reboot(&self, instance: InstanceId) {
        if let Some(guest) = self.guest(instance) {
            guest.resets.send_modify(|count| *count += 1);
        }
    }

    /// The VMM ends by itself or by somebody else's hand.
    pub fn die(&self, instance: InstanceId, ending: Ending) {
        if let Some(guest) = self.guest(instance) {
            guest.die(ending, self.clock.now());
        }
    }

    /// The VMM no longer answers those who adopt it, or does again.
    pub fn answer(&self, instance: InstanceId, answer: Answer) {
        if let Some(guest) = self.guest(instance) {
            guest.behaviour().adoption = answer;
        }
    }

    /// The guest writes this to its console.
    pub fn print(&self, instance: InstanceId, text: &str) {
        if let Some(guest) = self.guest(instance) {
            guest.print(text.as_bytes());
        }
    }

    /// What the machine of an instance is by now; `None` where none lives.
    #[must_use]
    pub fn spec(&self, instance: InstanceId) -> Option<Draft> {
        Some(self.guest(instance)?.body().spec.clone())
    }

    /// The state of an instance's machine; `None` where none lives.
    #[must_use]
    pub fn state(&self, instance: InstanceId) -> Option<State> {
        Some(self.guest(instance)?.state.borrow().clone())
    }

    /// Every change that was asked of the machine of an instance, oldest first.
    #[must_use]
    pub fn asked(&self, instance: InstanceId) -> Vec<Change> {
        self.guest(instance).map(|guest| guest.body().asked.clone()).unwrap_or_default()
    }

    /// What the guest of an instance keeps in its memory.
    #[must_use]
    pub fn memory(&self, instance: InstanceId) -> Option<String> {
        Some(self.guest(instance)?.body().memory.clone())
    }

    /// The guest keeps this in its memory from now on.
    pub fn remember(&self, instance: InstanceId, memory: &str) {
        if let Some(guest) = self.guest(instance) {
            guest.body().memory = memory.to_owned();
        }
    }

    /// The guest of an instance behaves otherwise from now on.
    pub fn behave(&self, instance: InstanceId, change: impl FnOnce(&mut Behaviour)) {
        if let Some(guest) = self.guest(instance) {
            change(&mut guest.behaviour());
        }
    }

    fn end_guest(&self, instance: InstanceId, way: Way, message: &str) {
        if let Some(guest) = self.guest(instance) {
            guest.end(End { way, at: self.clock.now(), message: message.to_owned(), log_tail: Vec::new() });
        }
    }

    /// The living guest of an instance.
    fn guest(&self, instance: InstanceId) -> Option<Arc<Guest>> {
        self.world().guests.values().find(|guest| guest.instance == instance && guest.lives()).cloned()
    }

    fn by_process(&self, alive: &Alive) -> Option<Arc<Guest>> {
        self.world().guests.values().find(|guest| guest.alive == *alive).cloned()
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.shelf.world()
    }

    /// What is expected of this order, which is remembered.
    fn receive(&self, order: &Order) -> Behaviour {
        let mut world = self.world();
        world.launches.push(order.clone());
        world.behaviours.get(&order.name).unwrap_or(&world.otherwise).clone()
    }
}

#[async_trait::async_trait]
impl Hypervisor for Fake {
    fn capabilities(&self) -> Arc<Capabilities> {
        self.shelf.capabilities.clone()
    }

    fn choose(&self, spec: &Spec) -> Chosen {
        let machine = if spec.machine == Model::Auto { Model::Microvm } else { spec.machine };
        let accelerator = if spec.accelerator == Accelerator::Auto { Accelerator::Tcg } else { spec.accelerator };
        let driver = format!("{} {}", self.shelf.capabilities.driver, self.shelf.capabilities.version);
        Chosen { driver, machine, accelerator }
    }

    async fn launch(&self, order: Order) -> Result<Box<dyn Machine>, Fault> {
        let behaviour = self.receive(&order);
        if !behaviour.launch_delay.is_zero() {
            tokio::time::sleep(behaviour.launch_delay).await;
        }
        if let Some(words) = behaviour.launch_failure {
            return Err(Fault::new(Reason::LaunchFailed, format!("the VMM ended while it started: {words}")));
        }
        let chosen = self.choose(&order.spec);
        let memory = match &order.origin {
            Origin::Snapshot(restore) => Some(body::memory(restore)?),
            Origin::Boot | Origin::Incoming(_) => None,
        };
        let guest = {
            let mut world = self.world();
            let number = u64::try_from(world.launches.len()).unwrap_or(u64::MAX);
            let guest = Arc::new(Guest::new(order.clone(), behaviour, number));
            world.guests.insert(order.claim, guest.clone());
            guest
        };
        match memory {
            Some(memory) => guest.body().memory = memory,
            None => guest.greet(),
        }
        Ok(Box::new(Handle { fake: self.shelf.clone(), guest, chosen, clock: self.clock.clone() }))
    }

    async fn adopt(&self, adoption: Adoption) -> Result<Box<dyn Machine>, Fault> {
        let guest = self.by_process(&adoption.alive).filter(|guest| guest.lives());
        let guest = guest.ok_or_else(|| Fault::new(Reason::VmmSilent, "the VMM is gone"))?;
        let answer = guest.behaviour().adoption;
        match answer {
            Answer::Given => {}
            Answer::Silent => {
                return Err(Fault::new(Reason::VmmSilent, "the VMM lives and does not answer").retry_after(1_000));
            }
            Answer::Unbegun => return Err(Fault::new(Reason::LaunchFailed, "its launch was broken off")),
        }
        Ok(Box::new(Handle { fake: self.shelf.clone(), guest, chosen: adoption.chosen, clock: self.clock.clone() }))
    }
}

/// What the fake serves: what weft's first driver does.
fn served() -> Vec<Feature> {
    use Feature as F;
    vec![
        F::Machine(Model::Microvm),
        F::Machine(Model::Pc),
        F::Machine(Model::Q35),
        F::Accelerator(Accelerator::Tcg),
        F::CpuTopology,
        F::Kernel,
        F::Initramfs,
        F::DefaultImage,
        F::DiskRaw,
        F::DiskQcow2,
        F::DiskDirect,
        F::DiskSerial,
        F::NicUser,
        F::NicForward,
        F::SerialLog,
        F::Rng,
        F::ReadinessSerial,
        F::ReadinessGuestAgent,
        F::CpuHotplug,
        F::MemoryHotplug,
        F::Balloon,
        F::Vsock,
        F::NicTap,
        F::DiskRateLimit,
        F::MetadataService,
        F::LiveCpus,
        F::LiveMemory,
        F::LiveBalloon,
        F::LiveDisks,
        F::LiveDiskSize,
        F::LiveDiskLimit,
        F::LiveDiskSwap,
        F::LiveNics,
        F::LiveMetadata,
        F::Pause,
        F::Reset,
        F::AskToStop,
        F::TellsPoweroff,
        F::TellsPanic,
        F::Nmi,
        F::Counters,
        F::SnapshotFull,
        F::SnapshotDisks,
        F::SnapshotInternal,
        F::Fork,
        F::Migrate,
    ]
}

#[cfg(test)]
mod tests;
