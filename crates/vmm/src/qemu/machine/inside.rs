//! A machine inside its own disks: kept there under a tag, gone back to, taken away.
//!
//! ```text
//!  keep_inside   held ── job ──► every disk that can be written; memory and devices in the first
//!  go_back       made anew, and not begun ◄── job
//!  untag         runs or is held ── job ──► the tag is gone from each disk
//! ```
//!
//! QEMU does each as a job, and answers nothing else meanwhile: that it is over is told by an event, and how it
//! went by the job. What always holds: a tag is of one snapshot, and one that was not written whole is not left.

use super::journey::{LAYOUT, failed, write};
use super::owner::{Owner, Trouble};
use crate::qemu::client::{Error as Talk, Event};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use weft_domain::snapshot::no_room_inside;
use weft_domain::spec::{Disk, DiskFormat};

/// The one job that there is at a time.
const JOB: &str = "weft";
/// The longest that one takes.
const LIMIT: Duration = Duration::from_secs(900);

/// The tag of the snapshot of this folder.
pub(super) fn tag(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default();
    format!("weft-{}", name.to_string_lossy())
}

impl Owner {
    /// Keeps it under the tag of this folder, which gets a file that says where devices sit.
    pub(super) async fn keep_inside(&mut self, folder: &Path) -> Result<(), Trouble> {
        if let Some(found) = no_room_inside(&self.shared.running()).first() {
            return Err(failed(&format!("{} {}", found.field, found.why)).into());
        }
        let (tag, told) = (tag(folder), folder.join(LAYOUT));
        let mut layout = self.layout().await?;
        layout.tag = Some(tag.clone());
        write(&told, &layout).map_err(|error| failed(&error.to_string()))?;
        let nodes = self.written().await?;
        let arguments = json!({"tag": tag, "vmstate": nodes.first(), "devices": nodes});
        // One that was left when the agent was killed.
        let kept = match self.untag(&tag).await {
            Ok(()) => self.job("snapshot-save", arguments).await,
            Err(trouble) => Err(trouble),
        };
        if kept.is_err() {
            if let Err(trouble) = self.untag(&tag).await {
                tracing::warn!(?trouble, tag, "what was not kept whole may still be inside a disk");
            }
            // It may never have been made.
            let _ = std::fs::remove_file(told);
        }
        self.refresh().await;
        kept
    }

    /// Goes on from there, and is held.
    pub(super) async fn go_back(&mut self, tag: &str) -> Result<(), Trouble> {
        let nodes = self.written().await?;
        let arguments = json!({"tag": tag, "vmstate": nodes.first(), "devices": nodes});
        self.job("snapshot-load", arguments).await?;
        self.refresh().await;
        Ok(())
    }

    /// Nothing is left of it; nothing was there is success.
    pub(super) async fn untag(&mut self, tag: &str) -> Result<(), Trouble> {
        let nodes = self.written().await?;
        if nodes.is_empty() {
            return Ok(());
        }
        self.job("snapshot-delete", json!({"tag": tag, "devices": nodes})).await
    }

    /// What the images that can be written are read from now.
    async fn written(&mut self) -> Result<Vec<String>, Trouble> {
        let images = |disk: &&Disk| !disk.read_only && disk.format == DiskFormat::Qcow2;
        let running = self.shared.running();
        let mut nodes = Vec::new();
        for disk in running.disks.iter().filter(images) {
            nodes.push(self.drive(&disk.name).await?);
        }
        Ok(nodes)
    }

    /// Gives QEMU work, and waits until it is done.
    async fn job(&mut self, command: &'static str, mut arguments: Value) -> Result<(), Trouble> {
        // One that nobody waited for to its end would have the same id.
        let _ = self.call("job-dismiss", json!({"id": JOB})).await;
        arguments["job-id"] = json!(JOB);
        match self.call(command, arguments).await {
            // It may have been at work already when it should have answered.
            Ok(_) | Err(Talk::Late { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        self.until(LIMIT, concluded).await?;
        let jobs = self.call("query-jobs", Value::Null).await?;
        let job = jobs.as_array().and_then(|jobs| jobs.iter().find(|job| job["id"] == JOB)).cloned();
        let refused = |why: &str| Talk::Refused { command: command.to_owned(), why: why.to_owned() };
        match job {
            Some(job) if job["status"] == "concluded" => {
                self.call("job-dismiss", json!({"id": JOB})).await?;
                job["error"].as_str().map_or(Ok(()), |why| Err(refused(why).into()))
            }
            Some(_) | None => Err(refused("it did not come to its end in time").into()),
        }
    }
}

fn concluded(event: &Event) -> Option<()> {
    match event {
        Event::Concluded(job) if job == JOB => Some(()),
        Event::Concluded(_)
        | Event::Shutdown(_)
        | Event::Reset { .. }
        | Event::Panicked
        | Event::Turned
        | Event::Unplugged(_)
        | Event::Clung(_)
        | Event::Moved(_)
        | Event::Resized(..)
        | Event::Other => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_of_one_folder() {
        assert_eq!(tag(Path::new("/snapshots/snap-7")), "weft-snap-7");
        assert_ne!(tag(Path::new("/snapshots/snap-7")), tag(Path::new("/snapshots/snap-8")));
    }
}
