//! What can be done with a machine beside its life: live changes, snapshots, counters.
//!
//! Each change looks first at what Firecracker has, so that one which was made already is not made again; one
//! that is refused takes back what it laid out for it.

mod memory;
mod plug;

use super::Handle;
use crate::firecracker::capabilities;
use crate::firecracker::client::LIMIT;
use crate::firecracker::config::choice;
use crate::firecracker::folder::Names;
use crate::firecracker::model::{
    BalloonInterval, BalloonNow, BalloonSize, HintingNow, HintingStart, PartialDrive, PartialInterface, PartialPmem,
    RateLimiter, SnapshotCreate, id,
};
use crate::http::{Call, Error as Talk, Method};
use serde_json::Value;
use std::path::Path;
use weft_domain::snapshot::{Role, Scope};
use weft_domain::spec::change::Change;
use weft_domain::spec::{Balloon, Device, DeviceKind, Metadata, Nic, RateLimit};
use weft_domain::{Fault, Reason};
use weft_ports::hypervisor::{Alteration, Body, Counters, Keep};
use weft_ports::processes::Access;

/// The file of a snapshot's memory.
const MEMORY: &str = "memory";
/// The file of its devices' state.
const STATE: &str = "state";

#[async_trait::async_trait]
impl Body for Handle {
    async fn alter(&self, alteration: &Alteration) -> Result<(), Fault> {
        let change = &alteration.change;
        let verb = format!("give the running machine {}", change.told());
        if !capabilities::serves(change.needs(), &self.shared.held.version) {
            return Err(unserved(&verb));
        }
        let _turn = self.turn(&verb).await?;
        let altered = match change {
            Change::Memory(bytes) => self.set_memory(*bytes).await,
            Change::Balloon(balloon) => self.set_balloon(balloon).await,
            Change::Hint(true) => self.begin_hints().await,
            Change::Hint(false) => self.end_hints().await,
            Change::AddDisk(disk) => self.plug_disk(disk, alteration.backing.as_ref()).await,
            Change::RemoveDisk(name) => self.unplug("drives", name, Names::disk(name)).await,
            Change::ResizeDisk(name, _) => self.refresh_disk(name).await,
            Change::LimitDisk(name, limit) => self.limit_disk(name, *limit).await,
            Change::SwapDisk(disk) => self.swap_disk(disk, alteration.backing.as_ref()).await,
            Change::AddNic(nic) => self.plug_nic(nic).await,
            Change::RemoveNic(name) => self.unplug("network-interfaces", name, String::new()).await,
            Change::LimitNic(nic) => self.limit_nic(nic).await,
            Change::AddDevice(device) => self.plug_device(device).await,
            Change::LimitDevice(device) => self.limit_device(device).await,
            Change::RemoveDevice(name) => self.unplug("pmem", name, Names::pmem(name)).await,
            Change::Metadata(metadata) => self.set_metadata(metadata).await,
            Change::Cpus(_) | Change::AddVsock(_) | Change::RemoveVsock => return Err(unserved(&verb)),
        };
        match altered {
            Ok(()) => Ok(()),
            Err(Failure::Talk(error)) => Err(self.failed(&verb, Reason::ChangeRefused, error).await),
            Err(Failure::Refused(why)) => Err(Fault::new(Reason::ChangeRefused, format!("cannot {verb}: {why}"))),
            Err(Failure::Fault(fault)) => Err(fault),
        }
    }

    async fn keep(&self, keep: &Keep) -> Result<Vec<(Role, String)>, Fault> {
        let verb = "take a snapshot";
        let snapshot_type = match keep.scope {
            Scope::Full => "Full",
            Scope::Difference => "Diff",
            Scope::Disks => return Err(unserved("take a snapshot of disks alone")),
            Scope::Internal => return Err(unserved("keep a machine inside its disks")),
        };
        let _turn = self.turn(verb).await?;
        if !self.shared.is_held() {
            let fault = Fault::new(Reason::PhaseForbids, "cannot take a snapshot: the machine runs");
            return Err(fault.fix("pause it first"));
        }
        if let Err(fault) = self.admit_anew(&keep.folder).await {
            return Err(Fault::new(Reason::SnapshotFailed, format!("cannot {verb}: {}", fault.message)));
        }
        let written = self.write_snapshot(&keep.folder, snapshot_type).await;
        let seen = self.expel(&keep.folder).await;
        if let Err(error) = written {
            for file in [MEMORY, STATE] {
                // It may never have been made.
                let _ = std::fs::remove_file(keep.folder.join(file));
            }
            return Err(self.failed(verb, Reason::SnapshotFailed, error).await);
        }
        seen?;
        Ok(vec![(Role::Memory, MEMORY.to_owned()), (Role::State, STATE.to_owned())])
    }

    async fn send(&self, _: &Path) -> Result<(), Fault> {
        Err(unserved("send a machine elsewhere"))
    }

    async fn counters(&self) -> Result<Counters, Fault> {
        let verb = "read the counters";
        let _turn = self.turn(verb).await?;
        let asked_at = self.shared.held.clock.now().as_millis();
        if let Err(error) = self.shared.client.act("FlushMetrics").await {
            return Err(self.failed(verb, Reason::VmmSilent, error).await);
        }
        // Older lines may still be on their way, so their own time counts. What was waited for is let go at
        // once: the owner, who counts on, may hold the counters just now.
        let written = tokio::time::timeout(LIMIT, self.shared.are_told(asked_at)).await.is_ok();
        if !written {
            return Err(super::silent(verb));
        }
        let mut tally = self.shared.tally();
        // What was told once is not unsaid by whoever adopts the machine.
        tally.keep();
        Ok(tally.sum().clone())
    }

    async fn nmi(&self) -> Result<(), Fault> {
        Err(unserved("interrupt a guest in a way that it cannot mask"))
    }

    async fn greet_agent(&self) -> Result<(), Fault> {
        Err(unserved("speak with an agent in the guest"))
    }
}

fn unserved(what: &str) -> Fault {
    Fault::new(Reason::VerbUnsupported, format!("this driver firecracker cannot {what}"))
}

/// Why a change was not made.
enum Failure {
    Talk(Talk),
    Refused(String),
    Fault(Fault),
}

impl From<Talk> for Failure {
    fn from(error: Talk) -> Self {
        Self::Talk(error)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<crate::firecracker::Error> for Failure {
    fn from(error: crate::firecracker::Error) -> Self {
        Self::Fault(error.into())
    }
}

impl Handle {
    async fn admit(&self, path: &Path, access: Access) -> Result<(), Fault> {
        let held = &self.shared.held;
        held.cell.admit(held.processes.as_ref(), &held.alive, path, access).await
    }

    async fn admit_anew(&self, folder: &Path) -> Result<(), Fault> {
        let held = &self.shared.held;
        held.cell.admit_anew(held.processes.as_ref(), &held.alive, folder).await
    }

    async fn expel(&self, path: &Path) -> Result<(), Fault> {
        let held = &self.shared.held;
        held.cell.expel(held.processes.as_ref(), &held.alive, path).await
    }

    /// Sees a file that is of no more use away; one that stays is only told of.
    async fn expel_quietly(&self, path: &Path) {
        if let Err(fault) = self.expel(path).await {
            tracing::warn!(%fault, path = %path.display(), "a file is still seen by a machine");
        }
    }

    async fn write_snapshot(&self, folder: &Path, snapshot_type: &'static str) -> Result<(), Talk> {
        let path = |file: &str| folder.join(file).to_string_lossy().into_owned();
        let snapshot = SnapshotCreate { snapshot_type, snapshot_path: path(STATE), mem_file_path: path(MEMORY) };
        self.shared.client.snapshot(&snapshot).await
    }

    async fn set_balloon(&self, wanted: &Balloon) -> Result<(), Failure> {
        let client = &self.shared.client;
        let now: BalloonNow = client.get("/balloon").await?;
        let amount_mib = wanted.size_bytes >> 20;
        if now.amount_mib != amount_mib {
            client.patch("/balloon", &BalloonSize { amount_mib }).await?;
        }
        let stats_polling_interval_s = wanted.statistics_seconds;
        if now.stats_polling_interval_s != stats_polling_interval_s {
            client.patch("/balloon/statistics", &BalloonInterval { stats_polling_interval_s }).await?;
        }
        Ok(())
    }

    /// Begins a run of hints, unless one is under way.
    async fn begin_hints(&self) -> Result<(), Failure> {
        if self.hints().await?.is_under_way() {
            return Ok(());
        }
        let start = HintingStart { acknowledge_on_stop: true };
        Ok(self.shared.client.patch("/balloon/hinting/start", &start).await?)
    }

    /// Ends the run of hints that is under way.
    async fn end_hints(&self) -> Result<(), Failure> {
        if !self.hints().await?.is_under_way() {
            return Ok(());
        }
        Ok(self.shared.client.send(&Call::bare(Method::Patch, "/balloon/hinting/stop")).await?)
    }

    async fn hints(&self) -> Result<HintingNow, Failure> {
        Ok(self.shared.client.get("/balloon/hinting/status").await?)
    }

    async fn limit_device(&self, device: &Device) -> Result<(), Failure> {
        let DeviceKind::Pmem { rate_limit, .. } = &device.kind else {
            return Err(Failure::Refused("it is of a kind that has no limit".to_owned()));
        };
        let pmem = PartialPmem { id: id(&device.name), rate_limiter: RateLimiter::instead(*rate_limit) };
        Ok(self.shared.client.patch(&format!("/pmem/{}", pmem.id), &pmem).await?)
    }

    async fn limit_disk(&self, name: &str, limit: Option<RateLimit>) -> Result<(), Failure> {
        let rate_limiter = Some(RateLimiter::instead(limit));
        let drive = PartialDrive { drive_id: id(name), rate_limiter, ..PartialDrive::default() };
        Ok(self.shared.client.patch(&format!("/drives/{}", drive.drive_id), &drive).await?)
    }

    /// Lets Firecracker look at a disk's file again: it may be longer now, or another.
    async fn refresh_disk(&self, name: &str) -> Result<(), Failure> {
        let path_on_host = Some(Names::disk(name));
        let drive = PartialDrive { drive_id: id(name), path_on_host, ..PartialDrive::default() };
        Ok(self.shared.client.patch(&format!("/drives/{}", drive.drive_id), &drive).await?)
    }

    async fn limit_nic(&self, nic: &Nic) -> Result<(), Failure> {
        let interface = PartialInterface {
            iface_id: id(&nic.name),
            rx_rate_limiter: RateLimiter::instead(nic.rx_rate_limit),
            tx_rate_limiter: RateLimiter::instead(nic.tx_rate_limit),
        };
        Ok(self.shared.client.patch(&format!("/network-interfaces/{}", interface.iface_id), &interface).await?)
    }

    async fn set_metadata(&self, metadata: &Metadata) -> Result<(), Failure> {
        let content: Value = choice::object(&metadata.json, choice::METADATA)?;
        Ok(self.shared.client.send(&Call::with(Method::Put, "/mmds", content)).await?)
    }
}
