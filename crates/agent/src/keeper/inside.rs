//! A snapshot that is inside the disks of its VM: its folder names the VM before the VM is asked for it, and is
//! taken away only when nothing of it is inside any more.
//!
//! A VM that is gone took its disks along. One that is at rest has nobody who could open them: that is waited for.

use super::Keeper;
use crate::owner::Ask;
use futures::SinkExt;
use std::path::Path;
use tokio::sync::oneshot;
use weft_domain::{Fault, InstanceId, Reason};

/// The file that names the VM.
const FILE: &str = "inside";

impl Keeper {
    /// From here on something of it may be inside the disks of this VM.
    pub(super) async fn mark_inside(&self, instance: InstanceId, folder: &Path) -> Result<(), Fault> {
        self.shared.ports.parts.write(&folder.join(FILE), instance.to_string().into()).await
    }

    /// Nothing of it is inside the disks of its VM, if it ever was.
    pub(super) async fn empty_inside(&self, folder: &Path) -> Result<(), Fault> {
        let Some(bytes) = self.shared.ports.parts.read(&folder.join(FILE)).await? else { return Ok(()) };
        let instance = std::str::from_utf8(&bytes).ok().and_then(|text| text.parse::<InstanceId>().ok());
        let Some(mut owner) = instance.and_then(|instance| (self.owners)(instance)) else { return Ok(()) };
        let (answer, forgotten) = oneshot::channel();
        if owner.send(Ask::Forget(folder.to_owned(), answer)).await.is_err() {
            return Ok(());
        }
        match forgotten.await {
            Ok(Err(fault)) if fault.reason == Reason::VerbUnsupported => {
                tracing::warn!(%fault, "the VM has another driver by now; what is inside its disks stays");
                Ok(())
            }
            Ok(forgotten) => forgotten,
            // It went away meanwhile.
            Err(_) => Ok(()),
        }
    }
}
