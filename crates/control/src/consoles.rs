//! Consoles and their logs: asked of the node that has the VM, and passed on as they come.

use crate::control::Control;
use crate::refusal;
use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt};
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use weft_domain::{Fault, InstanceId};
use weft_ports::api::{Answers, Call, ConsoleInput, Consoles, LogChunk, LogQuery, VmRef};
use weft_ports::link::Reach;

impl Control {
    fn node_with(&self, vm: &VmRef) -> Result<(InstanceId, Arc<dyn Reach>), Fault> {
        let vm = self.core.memory.find(vm)?;
        let placement = vm.value.placement.ok_or_else(|| refusal::node_away(None))?;
        Ok((vm.value.meta.id, self.core.reach(placement.node)?))
    }
}

#[async_trait::async_trait]
impl Consoles for Control {
    async fn log(&self, _: &Call, vm: &VmRef, query: LogQuery) -> Result<Answers<LogChunk>, Fault> {
        let (id, reach) = self.node_with(vm)?;
        let place = self.core.stream()?;
        Ok(held(place, reach.log(id, query).await?))
    }

    async fn attach(
        &self,
        _: &Call,
        vm: &VmRef,
        input: BoxStream<'static, ConsoleInput>,
    ) -> Result<Answers<Bytes>, Fault> {
        let (id, reach) = self.node_with(vm)?;
        tracing::info!(instance = %id, "a caller attaches to the console");
        let place = self.core.stream()?;
        Ok(held(place, reach.attach(id, input).await?))
    }
}

/// The same answers, with their place among all streams kept until they end.
fn held<T: Send + 'static>(place: OwnedSemaphorePermit, answers: Answers<T>) -> Answers<T> {
    answers
        .inspect(move |_| {
            let _ = &place;
        })
        .boxed()
}
