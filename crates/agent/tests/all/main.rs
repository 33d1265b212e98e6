//! The agent on fakes, with time that passes only when nothing else happens.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod adoption;
mod census;
mod change;
mod chaos;
mod console;
mod crash;
mod house;
mod inside;
mod life;
mod metering;
mod metering_chaos;
mod orphans;
mod refusal;
mod restarts;
mod snapshot;
mod snapshot_faults;
mod vet;
mod wards;
