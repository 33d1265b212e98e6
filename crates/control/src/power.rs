//! What runs: boot, shutdown, pause, resume, reboot.

use crate::control::Control;
use crate::flow;
use weft_domain::Fault;
use weft_domain::ask::Ask;
use weft_domain::instance::StopHow;
use weft_ports::api::{Call, Power, Vm, VmRef};

#[async_trait::async_trait]
impl Power for Control {
    async fn boot(&self, call: &Call, vm: &VmRef) -> Result<Vm, Fault> {
        flow::run(&self.core, call, vm, Ask::Boot).await
    }

    async fn shutdown(&self, call: &Call, vm: &VmRef, how: StopHow) -> Result<Vm, Fault> {
        flow::run(&self.core, call, vm, Ask::Shutdown(how)).await
    }

    async fn pause(&self, call: &Call, vm: &VmRef) -> Result<Vm, Fault> {
        flow::run(&self.core, call, vm, Ask::Pause).await
    }

    async fn resume(&self, call: &Call, vm: &VmRef) -> Result<Vm, Fault> {
        flow::run(&self.core, call, vm, Ask::Resume).await
    }

    async fn reboot(&self, call: &Call, vm: &VmRef, how: StopHow) -> Result<Vm, Fault> {
        flow::run(&self.core, call, vm, Ask::Reboot(how)).await
    }
}
