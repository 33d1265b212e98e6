//! What a fake machine does beside its life: it takes changes, is kept in two small files, moves.

use super::Way;
use super::machine::Handle;
use crate::hypervisor::{Alteration, Body, Counters, Keep, Restore, State};
use crate::processes::Ending;
use std::collections::BTreeMap;
use std::path::Path;
use weft_domain::capability::Feature;
use weft_domain::snapshot::{Role, Scope};
use weft_domain::{Fault, Reason};

/// The part that holds what a fake guest remembers.
const MEMORY: &str = "memory";
/// The part that holds nothing, as a fake guest has no devices.
const STATE: &str = "state";

impl Handle {
    pub(super) fn serves(&self, feature: Feature) -> Result<(), Fault> {
        if self.fake.capabilities.features.contains(&feature) {
            return Ok(());
        }
        Err(Fault::new(Reason::VerbUnsupported, format!("the fake was made without {feature:?}")))
    }

    async fn delayed(&self) {
        let delay = self.guest.behaviour().body_delay;
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
    }
}

#[async_trait::async_trait]
impl Body for Handle {
    async fn alter(&self, alteration: &Alteration) -> Result<(), Fault> {
        self.before_end("change")?;
        let change = &alteration.change;
        self.serves(change.needs())?;
        self.delayed().await;
        self.guest.body().asked.push(change.clone());
        let refuses = self.guest.behaviour().refuses.clone();
        if refuses.is_some_and(|words| change.told().contains(&words)) {
            return Err(Fault::new(Reason::ChangeRefused, format!("the fake VMM refuses: {}", change.told())));
        }
        let mut body = self.guest.body();
        let spec = body.spec.clone();
        let plugged = spec.disks.iter().map(|disk| &disk.name).chain(spec.nics.iter().map(|nic| &nic.name));
        let plugged: Vec<_> = plugged.chain(spec.devices.iter().map(|device| &device.name)).collect();
        if !change.adds().is_some_and(|name| plugged.contains(&name)) {
            change.apply(&mut body.spec);
        }
        Ok(())
    }

    async fn keep(&self, keep: &Keep) -> Result<Vec<(Role, String)>, Fault> {
        self.before_end("keep")?;
        let inside = keep.scope == Scope::Internal;
        self.serves(if inside { Feature::SnapshotInternal } else { Feature::SnapshotFull })?;
        if *self.guest.state.borrow() != State::Held {
            return Err(Fault::new(Reason::PhaseForbids, "cannot keep a machine that runs").fix("pause it first"));
        }
        if inside {
            // One that is cut off leaves what it has written.
            self.fake.world().inside.insert(keep.folder.clone());
        }
        self.delayed().await;
        let failed = |why: String| Fault::new(Reason::SnapshotFailed, format!("the fake VMM cannot keep it: {why}"));
        if let Some(words) = self.guest.behaviour().keep_failure.clone() {
            self.fake.world().inside.remove(&keep.folder);
            return Err(failed(words));
        }
        let memory = self.guest.body().memory.clone();
        for (file, text) in [(MEMORY, memory.as_str()), (STATE, "")] {
            std::fs::write(keep.folder.join(file), text).map_err(|error| failed(error.to_string()))?;
        }
        if inside {
            // A fake guest has no disks: what would be inside them lies beside what tells of it.
            return Ok(vec![(Role::Config, STATE.to_owned())]);
        }
        Ok(vec![(Role::Memory, MEMORY.to_owned()), (Role::State, STATE.to_owned())])
    }

    async fn forget(&self, folder: &Path) -> Result<(), Fault> {
        self.before_end("forget")?;
        self.serves(Feature::SnapshotInternal)?;
        self.fake.world().inside.remove(folder);
        Ok(())
    }

    async fn send(&self, socket: &Path) -> Result<(), Fault> {
        self.before_end("send")?;
        self.serves(Feature::Migrate)?;
        let waits = |socket| Fault::new(Reason::MigrationFailed, format!("nobody waits on {socket}"));
        let target = self.fake.waiting(socket).ok_or_else(|| waits(socket.display().to_string()))?;
        let memory = self.guest.body().memory.clone();
        target.body().memory = memory;
        self.guest.stop(Ending::Code(0), self.end(Way::Moved, "the machine went on elsewhere"));
        target.turn(State::Running);
        Ok(())
    }

    async fn counters(&self) -> Result<Counters, Fault> {
        self.before_end("count")?;
        self.serves(Feature::Counters)?;
        let asked = u64::try_from(self.guest.body().asked.len()).unwrap_or(u64::MAX);
        Ok(BTreeMap::from([("vmm".to_owned(), BTreeMap::from([("changes".to_owned(), asked)]))]))
    }

    async fn nmi(&self) -> Result<(), Fault> {
        self.before_end("interrupt")?;
        self.serves(Feature::Nmi)?;
        self.guest.print(b"nmi\n");
        Ok(())
    }

    async fn greet_agent(&self) -> Result<(), Fault> {
        self.before_end("greet the guest's agent")?;
        self.serves(Feature::ReadinessGuestAgent)?;
        let greets = self.guest.behaviour().agent_greets;
        if greets { Ok(()) } else { Err(Fault::new(Reason::VmmSilent, "the fake guest's agent is silent")) }
    }
}

/// What a guest remembers that begins from here.
pub(super) fn memory(restore: &Restore) -> Result<String, Fault> {
    let path = restore.folder.join(MEMORY);
    std::fs::read_to_string(&path).map_err(|error| {
        Fault::new(Reason::LaunchFailed, format!("the fake VMM cannot read {}: {error}", path.display()))
    })
}
