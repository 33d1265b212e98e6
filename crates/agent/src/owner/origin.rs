//! A boot that begins from a snapshot.
//!
//! ```text
//!  parts ── set against length and sum ──► disks laid out ──► the driver restores memory and devices
//! ```
//!
//! What always holds: nothing is laid out of a snapshot that is not whole; what has begun once is not gone
//! back to by the restart policy, which would lose what was written since.

use super::Owner;
use crate::manifest;
use std::path::PathBuf;
use std::sync::Arc;
use weft_domain::instance::ExitCause;
use weft_domain::snapshot::{Identity, Part, Role, Scope, Snapshot, SnapshotPhase};
use weft_domain::spec::{Disk, DiskSource, Draft, Spec};
use weft_domain::{Fault, Reason};
use weft_ports::hypervisor::{Origin, Restore};
use weft_ports::link::Placed;
use weft_ports::volumes::Want;

/// What a boot begins from.
#[derive(Debug, Clone)]
pub(super) struct Beginning {
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) identity: Identity,
    /// What the machine was made of that it was taken of: not all that was asked may have been given to it.
    pub(super) spec: Arc<Spec>,
}

impl Beginning {
    /// Whether it goes on from memory; else its guest boots from the disks.
    pub(super) fn goes_on(&self) -> bool {
        let in_files = |part: &Part| matches!(part.role, Role::Memory | Role::State);
        self.snapshot.scope == Scope::Internal || self.snapshot.content.parts.iter().any(in_files)
    }

    /// The name of the driver that wrote it.
    pub(super) fn driver(&self) -> &str {
        self.snapshot.content.driver.split(' ').next().unwrap_or_default()
    }

    /// What the machine is made of when it goes on: what the first was, with what a driver exchanges for
    /// another VM.
    pub(super) fn made_of(&self, wanted: &Spec) -> Draft {
        let mut made = self.spec.as_ref().clone().into_draft();
        if self.identity == Identity::Same {
            return made;
        }
        for nic in &mut made.nics {
            if let Some(own) = wanted.nics.iter().find(|own| own.name == nic.name) {
                nic.clone_from(own);
            }
        }
        for disk in &mut made.disks {
            if let Some(own) = wanted.disks.iter().find(|own| own.name == disk.name) {
                disk.source.clone_from(&own.source);
            }
        }
        made.vsock = wanted.vsock.filter(|_| made.vsock.is_some());
        made.metadata = wanted.metadata.clone().filter(|_| made.metadata.is_some());
        made.cloud_init.clone_from(&wanted.cloud_init);
        made.network_namespace.clone_from(&wanted.network_namespace);
        made.driver.clone_from(&wanted.driver);
        made
    }

    /// What the guest goes on with though the VM is another one; `None` where that is nothing.
    fn kept_inside(&self, placed: &Placed) -> Option<String> {
        let mut kept = Vec::new();
        let first = &self.snapshot.spec;
        for nic in &first.nics {
            let own = placed.spec.nics.iter().find(|own| own.name == nic.name).and_then(|own| own.mac);
            if let (Some(old), Some(new)) = (nic.mac, own)
                && old != new
            {
                kept.push(format!("the hardware address {old} of {} (now {new})", nic.name));
            }
        }
        if let (Some(old), Some(new)) = (first.vsock, placed.spec.vsock)
            && old.cid != new.cid
        {
            kept.push(format!("the context id {} of its vsock (now {})", old.cid, new.cid));
        }
        if self.snapshot.instance_name != placed.name {
            kept.push(format!("the host name {} (now {})", self.snapshot.instance_name, placed.name));
        }
        (!kept.is_empty()).then(|| kept.join(", "))
    }
}

fn unusable(snapshot: &Snapshot, why: &str) -> Fault {
    Fault::new(Reason::SnapshotUnusable, format!("snapshot {} {why}", snapshot.name))
        .fix("use another snapshot; this one cannot be made whole again")
}

impl Owner {
    /// The snapshot that this boot begins from, unless it has begun already.
    pub(super) async fn beginning(&self, placed: &Placed, boot_epoch: u64) -> Result<Option<Beginning>, Fault> {
        let origin = placed.desired.origin().filter(|origin| origin.boot_epoch == boot_epoch);
        let Some(origin) = origin.filter(|_| !self.has_begun(boot_epoch)) else { return Ok(None) };
        let gone = || Fault::new(Reason::SnapshotUnusable, "the snapshot that the VM begins from is gone");
        let snapshot = placed.origin.clone().filter(|it| it.id == origin.snapshot).ok_or_else(gone)?;
        if snapshot.phase != SnapshotPhase::Ready {
            return Err(unusable(&snapshot, &format!("is {}, not READY", snapshot.phase.as_str())));
        }
        let spec = self.spec_kept(&snapshot).await?;
        Ok(Some(Beginning { snapshot, identity: origin.identity, spec }))
    }

    async fn spec_kept(&self, snapshot: &Snapshot) -> Result<Arc<Spec>, Fault> {
        let manifest = self.shared.layout.snapshot(snapshot.id).join(manifest::FILE);
        let bytes = self.shared.ports.parts.read(&manifest).await?;
        let manifest = bytes.and_then(|bytes| manifest::read(&bytes)).unwrap_or_default();
        let spec = (!manifest.spec.is_empty()).then(|| self.shared.ports.specs.decode_spec(&manifest.spec));
        match spec.transpose() {
            Ok(spec) => Ok(Arc::new(spec.unwrap_or_else(|| snapshot.spec.clone()))),
            Err(error) => Err(unusable(snapshot, &format!("does not tell what its machine was: {error}"))),
        }
    }

    pub(super) fn has_begun(&self, boot_epoch: u64) -> bool {
        let ended = self.ended.as_ref().filter(|exit| exit.cause != ExitCause::LaunchFailed);
        self.begun.max(ended.map_or(0, |exit| exit.boot_epoch)) >= boot_epoch
    }

    /// Sets every part against its length and sum, then lays out the disks.
    pub(super) async fn lay_out(&self, placed: &Placed, beginning: &Beginning) -> Result<(), Fault> {
        let snapshot = &beginning.snapshot;
        for part in &snapshot.content.parts {
            self.verify(snapshot, part).await?;
        }
        for part in &snapshot.content.parts {
            let Role::Disk(name) = &part.role else { continue };
            match placed.spec.disks.iter().position(|disk| disk.name == *name) {
                Some(at) => self.lay_disk(beginning, part, (&placed.spec.disks[at], at)).await?,
                None if beginning.goes_on() => {
                    return Err(unusable(snapshot, &format!("holds disk {name}, which the VM does not have")));
                }
                None => {}
            }
        }
        Ok(())
    }

    fn part_file(&self, snapshot: &Snapshot, part: &Part) -> Result<PathBuf, Fault> {
        let plain = !part.file.is_empty() && !part.file.contains('/') && part.file != "..";
        let path = plain.then(|| self.shared.layout.snapshot(snapshot.id).join(&part.file));
        path.ok_or_else(|| unusable(snapshot, "names a part outside of its folder"))
    }

    async fn verify(&self, snapshot: &Snapshot, part: &Part) -> Result<(), Fault> {
        let measured = self.shared.ports.parts.measure(&self.part_file(snapshot, part)?).await?;
        let Some(measured) = measured else {
            return Err(unusable(snapshot, &format!("is not whole: its part {} is missing", part.file)));
        };
        if measured.bytes != part.bytes {
            let why = if measured.bytes < part.bytes { "truncated" } else { "longer than it was" };
            let lengths = format!("{} bytes instead of {}", measured.bytes, part.bytes);
            return Err(unusable(snapshot, &format!("is not whole: its part {} is {why}, {lengths}", part.file)));
        }
        if measured.sha256 != part.sha256 {
            return Err(unusable(snapshot, &format!("is damaged: its part {} was changed", part.file)));
        }
        Ok(())
    }

    async fn lay_disk(&self, from: &Beginning, part: &Part, (disk, at): (&Disk, usize)) -> Result<(), Fault> {
        let source = self.part_file(&from.snapshot, part)?;
        let ports = &self.shared.ports;
        match (&disk.source, from.identity) {
            (DiskSource::Blank { size_bytes }, _) => {
                let own = self.shared.layout.disk(self.id, &disk.name);
                ports.parts.copy(&source, &own).await?;
                ports.volumes.grow(&own, *size_bytes).await
            }
            (DiskSource::Path(path), Identity::Same) => {
                let field = format!("vm.spec.disks[{at}].path");
                let resolved = ports.volumes.resolve(path, Want::DiskToWrite, &field).await?;
                ports.parts.lay(&source, &resolved).await
            }
            // A file that was given to the new VM is as its giver wants it.
            (DiskSource::Path(_), Identity::New) => Ok(()),
            (DiskSource::Volume(_) | DiskSource::Image(_) | DiskSource::VhostUser { .. }, _) => Ok(()),
        }
    }

    /// What the driver is told that the machine begins from.
    pub(super) fn origin(&self, beginning: Option<&Beginning>) -> Origin {
        let Some(beginning) = beginning.filter(|beginning| beginning.goes_on()) else { return Origin::Boot };
        let snapshot = &beginning.snapshot;
        Origin::Snapshot(Restore {
            folder: self.shared.layout.snapshot(snapshot.id),
            content: snapshot.content.clone(),
            spec: Arc::clone(&beginning.spec),
            identity: beginning.identity,
        })
    }

    /// Says what a guest that goes on from a snapshot no longer says, and what it still has of another VM.
    pub(super) fn tell_origin(&mut self) {
        let (Some(live), Some(placed)) = (&self.live, self.placed.clone()) else { return };
        let (Some(snapshot), Some(origin)) = (placed.origin.clone(), placed.desired.origin) else { return };
        let spec = Arc::new(snapshot.spec.clone());
        let beginning = Beginning { snapshot, identity: origin.identity, spec };
        let reset = live.held.note.reboot_epoch > 0;
        if live.held.process.origin != Some(beginning.snapshot.id) || reset || !beginning.goes_on() {
            return;
        }
        let now = self.now();
        self.told.goes_on(now);
        if let Some(kept) = beginning.kept_inside(&placed).filter(|_| beginning.identity == Identity::New) {
            let message = format!("the guest goes on with {kept}; it takes up its own when it boots anew");
            self.told.condition(now, "Identity", false, ("KeptInside", &message));
        }
    }
}
