//! What control asks the node while a caller waits: paths, logs, consoles.

use crate::agent::Agent;
use crate::owner::Ask;
use crate::vet;
use async_trait::async_trait;
use bytes::Bytes;
use futures::SinkExt;
use futures::stream::{BoxStream, StreamExt};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use weft_domain::census::Census;
use weft_domain::node::Orphans;
use weft_domain::{Fault, InstanceId, Reason, Spec};
use weft_ports::api::{Answers, ConsoleInput, LogChunk, LogQuery, LogStart};
use weft_ports::hypervisor::{Counters, Machine};
use weft_ports::link::Reach;

/// Bytes of a log in one answer.
const CHUNK: usize = 64 * 1024;
/// How often a followed log is looked at.
const LOOK: Duration = Duration::from_millis(50);

#[async_trait]
impl Reach for Agent {
    async fn vet(&self, spec: &Spec) -> Result<(), Fault> {
        vet::all(&self.shared.ports, spec).await
    }

    async fn counters(&self, id: InstanceId) -> Result<Counters, Fault> {
        self.machine(id).await?.counters().await
    }

    async fn nmi(&self, id: InstanceId) -> Result<(), Fault> {
        self.machine(id).await?.nmi().await
    }

    async fn census(&self) -> Result<Census, Fault> {
        self.told_census().await
    }

    async fn orphans(&self) -> Result<Orphans, Fault> {
        let orphans = &self.shared.orphans;
        let (instances, snapshots) = (orphans.instances(), orphans.snapshots());
        Ok(Orphans { instances: instances.into_iter().collect(), snapshots: snapshots.into_iter().collect() })
    }

    async fn release_orphans(&self, which: &Orphans) -> Result<(), Fault> {
        let orphans = &self.shared.orphans;
        orphans.give_up(which);
        let mut going = orphans.going();
        let gone = going.wait_for(|going| which.without(going) == *which).await;
        gone.map(|_| ()).map_err(|_| Fault::new(Reason::NodeAway, "the agent ends; it goes on with the next"))
    }

    async fn log(&self, id: InstanceId, query: LogQuery) -> Result<Answers<LogChunk>, Fault> {
        let log = self.console_log(id).ok_or_else(not_here)?;
        let (end, kept) = self.shared.ports.volumes.log_extent(&log).await?;
        let start = match query.start {
            LogStart::Offset(offset) => offset,
            LogStart::Tail(bytes) => end.saturating_sub(bytes),
        };
        let left = if query.max_bytes == 0 { u64::MAX } else { query.max_bytes };
        let reader = Reader { agent: self.clone(), id, log, at: start.max(kept), left, follow: query.follow };
        Ok(futures::stream::unfold(Some(reader), Reader::next).boxed())
    }

    async fn attach(&self, id: InstanceId, input: BoxStream<'static, ConsoleInput>) -> Result<Answers<Bytes>, Fault> {
        let mut owner = self.owner(id).ok_or_else(not_here)?;
        let (ask, answer) = oneshot::channel();
        owner.send(Ask::Console(ask)).await.map_err(|_| not_here())?;
        let hub = answer.await.map_err(|_| not_here())??;
        let answers = hub.attach(input);
        // The hub lives as long as somebody looks.
        Ok(answers
            .inspect(move |_| {
                let _ = &hub;
            })
            .boxed())
    }
}

impl Agent {
    /// The live machine of an instance; its owner goes on meanwhile.
    async fn machine(&self, id: InstanceId) -> Result<Arc<dyn Machine>, Fault> {
        let mut owner = self.owner(id).ok_or_else(does_not_run)?;
        let (ask, answer) = oneshot::channel();
        owner.send(Ask::Machine(ask)).await.map_err(|_| does_not_run())?;
        answer.await.map_err(|_| does_not_run())?
    }
}

fn does_not_run() -> Fault {
    Fault::new(Reason::PhaseForbids, "the VM is not on its node yet, so it does not run").fix("boot it first")
}

fn not_here() -> Fault {
    Fault::new(Reason::ConsoleUnavailable, "the VM is not on its node yet, so it has no console")
        .fix("wait until it is CREATED")
}

/// Reads a log piece by piece, and waits at its end if it is followed.
struct Reader {
    agent: Agent,
    id: InstanceId,
    log: PathBuf,
    at: u64,
    left: u64,
    follow: bool,
}

impl Reader {
    async fn next(reader: Option<Self>) -> Option<(Result<LogChunk, Fault>, Option<Self>)> {
        let mut reader = reader?;
        loop {
            if reader.left == 0 {
                return None;
            }
            let max = usize::try_from(reader.left).unwrap_or(CHUNK).min(CHUNK);
            match reader.agent.shared.ports.volumes.read_log(&reader.log, reader.at, max).await {
                Err(fault) => return Some((Err(fault), None)),
                Ok((offset, bytes)) if !bytes.is_empty() => {
                    let read = bytes.len() as u64;
                    reader.at = offset.saturating_add(read);
                    reader.left = reader.left.saturating_sub(read);
                    return Some((Ok(LogChunk { offset, bytes }), Some(reader)));
                }
                Ok(_) if !reader.follow || reader.agent.owner(reader.id).is_none() => return None,
                Ok(_) => tokio::time::sleep(LOOK).await,
            }
        }
    }
}
