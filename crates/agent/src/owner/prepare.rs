//! What an instance needs before it is launched: folder, disks, image.

use super::Owner;
use crate::inventory::Thing;
use std::path::PathBuf;
use std::sync::Arc;
use weft_domain::lifecycle::Sight;
use weft_domain::spec::{DiskSource, Payload};
use weft_domain::{Fault, Reason};
use weft_ports::claims::{Claim, Claimed};
use weft_ports::images::Progress;
use weft_ports::link::Placed;

impl Owner {
    /// Makes folder and disks, claims first; prepares the image that it boots.
    pub(super) async fn prepare(&mut self) -> Result<(), Fault> {
        let placed = self.placed()?;
        if self.told.sight().is_none() && self.things.is_empty() {
            self.mention(Sight::Preparing);
        }
        let folder = self.shared.layout.folder(self.id);
        let mut wanted = vec![(folder.clone(), None)];
        for disk in &placed.spec.disks {
            if let DiskSource::Blank { size_bytes } = disk.source {
                wanted.push((self.shared.layout.disk(self.id, &disk.name), Some(size_bytes)));
            }
        }
        self.make_things(&placed, &wanted).await?;
        if let Payload::Image { name, .. } = &placed.spec.payload {
            self.prepare_image(name).await?;
        }
        if self.overtaken() {
            return Ok(());
        }
        self.prepared_for = Some(placed.generation);
        self.told.clear("StepSucceeded");
        tracing::info!("prepared");
        Ok(())
    }

    /// Makes folders, and disks of at least these sizes, claims first.
    pub(super) async fn make_things(
        &mut self,
        placed: &Placed,
        wanted: &[(PathBuf, Option<u64>)],
    ) -> Result<(), Fault> {
        self.claim_things(placed, wanted).await?;
        let laid = self.to_be_laid(placed);
        let volumes = Arc::clone(&self.shared.ports.volumes);
        let lasts = wanted.iter().any(|(_, size)| size.is_some());
        for (path, size) in wanted {
            let Some(size) = *size else {
                // Where there is no disk in it nothing is lost with it: its logs begin anew, as it does.
                let made = if lasts { volumes.make_folder(path) } else { volumes.make_passing_folder(path) };
                made.await?;
                continue;
            };
            if !laid.contains(path) {
                self.check_whole(path).await?;
            }
            match volumes.make_blank(path, size).await {
                // It was smaller, or came from a snapshot.
                Err(fault) if fault.reason == Reason::PathUnusable => volumes.grow(path, size).await?,
                made => made?,
            }
            if let Some(thing) = self.things.get_mut(path) {
                thing.made_bytes = if laid.contains(path) { size } else { size.max(thing.made_bytes) };
            }
        }
        Ok(())
    }

    async fn claim_things(&mut self, placed: &Placed, wanted: &[(PathBuf, Option<u64>)]) -> Result<(), Fault> {
        let mut claims = Vec::new();
        for (path, size) in wanted.iter().filter(|(path, _)| self.things.get(path).is_none()) {
            let what = if size.is_some() { Claimed::Disk(path.clone()) } else { Claimed::Folder(path.clone()) };
            claims.push(Claim { id: self.new_claim(), instance: self.id, what });
        }
        if claims.is_empty() {
            return Ok(());
        }
        let reserved = self.reservation(placed).await;
        claims.extend(reserved.iter().map(|held| self.claim_of(held)));
        if let Err(fault) = self.shared.ports.claims.claim(claims.clone()).await {
            reserved.iter().for_each(|held| self.shared.wards.free(held.claim));
            return Err(fault);
        }
        self.reserved = reserved.map(Box::new);
        for claim in claims {
            if let Claimed::Folder(path) | Claimed::Disk(path) = claim.what {
                self.things.insert(path, Thing { claim: claim.id, made_bytes: 0, noted_bytes: 0 });
            }
        }
        Ok(())
    }

    /// Nothing of it should be left by now, or the agent ends: there is nothing to prepare for.
    fn overtaken(&self) -> bool {
        let gone = self.wants.borrow().placed.as_ref().is_none_or(|placed| placed.desired.deleted);
        gone || self.wants.has_changed().is_err()
    }

    /// Preparing takes long on first use: how far it has come is told as a condition.
    async fn prepare_image(&mut self, name: &str) -> Result<(), Fault> {
        let (sender, mut progress) = tokio::sync::watch::channel(None);
        let images = Arc::clone(&self.shared.ports.images);
        let watcher = Arc::new(move |step: Progress| {
            sender.send_replace(Some(step));
        });
        let ensure = images.ensure(name, watcher);
        tokio::pin!(ensure);
        let outcome = loop {
            tokio::select! {
                outcome = &mut ensure => break outcome,
                Ok(()) = progress.changed() => {
                    let step = progress.borrow_and_update().clone();
                    if let Some(step) = step {
                        let message = format!("{}, {} %", step.stage, step.permille / 10);
                        self.told.condition(self.now(), "ImagePrepared", false, ("Preparing", &message));
                        // Progress that control does not take is no reason to begin anew.
                        let _ = self.tell(Sight::Preparing).await;
                    }
                }
                _ = self.wants.changed() => if self.overtaken() {
                    return Ok(());
                }
            }
        };
        match outcome {
            Ok(files) => {
                self.told.condition(self.now(), "ImagePrepared", true, ("Prepared", &files.title));
                Ok(())
            }
            Err(fault) => {
                self.told.condition(self.now(), "ImagePrepared", false, ("Failed", &fault.to_string()));
                Err(fault)
            }
        }
    }
}
