//! Memory that is plugged and unplugged: Firecracker offers, the guest takes or gives back in its own time.

use super::{Failure, Handle};
use crate::firecracker::config::choice::BLOCK;
use crate::firecracker::model::{MemoryNow, MemoryRequest};
use std::time::Duration;

const PATH: &str = "/hotplug/memory";
/// The time that a guest is given.
const LIMIT: Duration = Duration::from_secs(15);
/// Between two looks at how far it is: Firecracker does not say when.
const PAUSE: Duration = Duration::from_millis(50);

impl Handle {
    pub(super) async fn set_memory(&self, bytes: u64) -> Result<(), Failure> {
        let boot = self.shared.client.boot_mib().await? << 20;
        let Some(plugged) = bytes.checked_sub(boot) else {
            return Err(Failure::Refused("it is less than the machine was started with".to_owned()));
        };
        if !plugged.is_multiple_of(BLOCK) {
            return Err(Failure::Refused(format!("memory is plugged in multiples of {BLOCK} bytes (2 MiB)")));
        }
        let wanted = plugged >> 20;
        let before: MemoryNow = self.shared.client.get(PATH).await?;
        if before == (MemoryNow { plugged_size_mib: wanted, requested_size_mib: wanted }) {
            return Ok(());
        }
        self.request(wanted).await?;
        let reached = match tokio::time::timeout(LIMIT, self.until_plugged(wanted)).await {
            Ok(reached) => return reached,
            Err(_) => self.shared.client.get::<MemoryNow>(PATH).await?.plugged_size_mib,
        };
        if reached == wanted {
            return Ok(());
        }
        self.request(before.requested_size_mib).await?;
        Err(Failure::Refused(format!("the guest took {reached} MiB of {wanted} MiB in {} s", LIMIT.as_secs())))
    }

    async fn request(&self, requested_size_mib: u64) -> Result<(), Failure> {
        Ok(self.shared.client.patch(PATH, &MemoryRequest { requested_size_mib }).await?)
    }

    async fn until_plugged(&self, wanted: u64) -> Result<(), Failure> {
        while self.shared.client.get::<MemoryNow>(PATH).await?.plugged_size_mib != wanted {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }
}
