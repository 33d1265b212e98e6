//! The rooms of a house in one process, opened in order and run together.

use super::ground::Ground;
use super::metering::{self, Metering};
use super::ready::Ready;
use crate::backup::Copies;
use crate::rooms::{open_store, private_folder};
use crate::settings::{Jail, Settings};
use anyhow::{Context, Result, anyhow};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use weft_agent::{Agent, JailPolicy};
use weft_api::server::{Audience, Health, Options, Ports as Doors, door};
use weft_control::Control;
use weft_domain::node::{Facts, Node};
use weft_domain::object::Stored;
use weft_domain::{Fault, Labels, NodeId, Time};
use weft_ports::api::{Call, ListQuery, Nodes, Usage};
use weft_ports::claims::Claims;
use weft_ports::clock::Clock;
use weft_ports::processes::{Cgroups, Processes};
use weft_ports::store::Store;
use weft_ports::task::{self, Task};

/// How often it is looked whether the node has registered.
const LOOK: Duration = Duration::from_millis(2);
/// How often an agent bounds logs and tells how much space there is.
const UPKEEP: Duration = Duration::from_secs(5);
/// How long an agent waits before it tries a failed step again.
const RETRY: Duration = Duration::from_secs(1);

/// Everything that is open.
pub(crate) struct House {
    /// State.
    pub(crate) store: Arc<dyn Store>,
    /// The API's services.
    pub(crate) control: Control,
    /// The folders that it stands on.
    pub(crate) ground: Ground,
    /// What the health service tells.
    pub(crate) health: Health,
    /// The services' routes.
    pub(crate) door: axum::Router,
    agent: Agent,
    node: NodeId,
    metering: Option<weft_control::Metering>,
    claims: Arc<dyn Claims>,
    begun: Time,
}

impl House {
    /// Opens all rooms. The store comes first: it holds the data folder against a second process.
    ///
    /// # Errors
    /// Which room cannot be opened, why, and what would help.
    pub(crate) async fn open(settings: &Settings, ready: &Ready) -> Result<Self> {
        let store = open_store(settings).await?;
        let id = node_id(&settings.data_dir, ready.clock.as_ref())?;
        let begun = ready.clock.now();
        let config = control_config(settings);
        let control = weft_control::open(config, Arc::clone(&store), Arc::clone(&ready.clock)).await?;
        let claims = open_claims(settings)?;
        let (metering, given) = metering::open(settings, id, ready, &control).await?.map(Metering::apart).unzip();
        let ways = Ways { placements: Arc::new(control.clone()), claims: Arc::clone(&claims), metering: given };
        let agent = open_agent(settings, id, ready, ways)?;
        control.attach_node(id, Arc::new(agent.clone()));
        let doors = doors(settings, (&control, metering.as_ref()), Arc::clone(&store));
        let options = Options { audience: Audience::Loopback, max_body_bytes: settings.max_body_bytes };
        let door = door(doors, options);
        let ground = Ground::of(&settings.data_dir);
        let (health, door) = (door.health, door.router);
        Ok(Self { store, control, ground, health, door, agent, node: id, metering, claims, begun })
    }

    /// Answers when the node has registered, so that a VM can be put somewhere.
    pub(crate) async fn ready(&self) {
        let call = Call::by("up");
        // What is known of it from before says nothing of this agent, which may yet refuse to begin.
        let here = |node: &Stored<Node>| node.value.facts.agent_start >= self.begun;
        let away = async || {
            Nodes::list(&self.control, &call, &ListQuery::default())
                .await
                .is_ok_and(|page| !page.items.iter().any(here))
        };
        while away().await {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Runs control and agent until `stop` is true.
    pub(crate) fn run(&self, stop: watch::Receiver<bool>) -> Rooms {
        let (control, agent) = (self.control.clone(), self.agent.clone());
        let mut stopped = stop.clone();
        let stopped = async move {
            // A sender that is gone means the same.
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        let measure = |desk: &weft_control::Metering| {
            metering::Running::begin(desk.clone(), self.node, Arc::new(self.agent.clone()))
        };
        Rooms {
            metering: self.metering.as_ref().map(measure),
            control: task::spawn("control", async move { control.run(stopped).await }),
            agent: task::spawn("agent", async move { agent.run(stop).await }),
            store: Arc::clone(&self.store),
            claims: Arc::clone(&self.claims),
        }
    }
}

/// Running rooms.
pub(crate) struct Rooms {
    metering: Option<metering::Running>,
    control: Task<()>,
    agent: Task<Result<(), Fault>>,
    store: Arc<dyn Store>,
    claims: Arc<dyn Claims>,
}

impl Rooms {
    /// Answers when a room ends that should run on, or what writes for them has fallen: they would ask for ever.
    pub(crate) async fn broken(&mut self) -> anyhow::Error {
        let (name, ended) = tokio::select! {
            ended = &mut self.control => ("control", ended.map(Ok)),
            ended = &mut self.agent => ("the agent", ended),
            () = self.store.fallen() => return fallen("state"),
            () = self.claims.fallen() => return fallen("journal"),
        };
        match ended {
            Ok(Ok(())) => anyhow!("{name} ended by itself"),
            Ok(Err(fault)) => anyhow::Error::new(fault).context(format!("{name} cannot go on")),
            Err(why) => anyhow!("{name} cannot go on: {why}"),
        }
    }

    /// Waits until both have ended, but not longer than this.
    pub(crate) async fn join(self, at_most: Duration) {
        let both = async {
            // One that broke has given its answer already.
            if !self.agent.is_finished() {
                drop(self.agent.await);
            }
            if !self.control.is_finished() {
                drop(self.control.await);
            }
            // Nobody hands anything on any more.
            if let Some(metering) = self.metering {
                metering.end().await;
            }
        };
        if tokio::time::timeout(at_most, both).await.is_err() {
            tracing::warn!("a room does not end in time; it is left");
        }
    }
}

fn fallen(what: &str) -> anyhow::Error {
    anyhow!("the {what} is no longer written: its writer has fallen, and the log says where; start weft again")
}

/// Folders of our own, and those that callers may name files in.
fn volumes(settings: &Settings) -> weft_host::volumes::Config {
    weft_host::volumes::Config {
        own: vec![settings.data_dir.clone(), settings.run_dir.clone(), settings.cache_dir.clone()],
        roots: settings.allowed_roots.clone(),
        disks: settings.data_dir.clone(),
    }
}

fn control_config(settings: &Settings) -> weft_control::Config {
    weft_control::Config {
        verb_wait: settings.verb_wait,
        instances_per_node: settings.max_vms,
        events_kept: usize::try_from(settings.max_events).unwrap_or(usize::MAX),
        event_age: settings.event_age,
        ..weft_control::Config::default()
    }
}

fn doors(
    settings: &Settings,
    (control, metering): (&Control, Option<&weft_control::Metering>),
    store: Arc<dyn Store>,
) -> Doors {
    let control = Arc::new(control.clone());
    Doors {
        vms: control.clone(),
        power: control.clone(),
        devices: control.clone(),
        snapshots: control.clone(),
        consoles: control.clone(),
        nodes: control.clone(),
        events: control,
        backups: Arc::new(Copies::new(store, settings.data_dir.join("copies"))),
        usage: metering.map(|desk| Arc::new(desk.clone()) as Arc<dyn Usage>),
    }
}

fn open_claims(settings: &Settings) -> Result<Arc<dyn Claims>> {
    let dir = settings.data_dir.join("journal");
    private_folder(&dir)?;
    Ok(Arc::new(weft_host::journal::open(weft_host::journal::Config { dir }).map_err(Fault::from)?))
}

/// What an agent reaches beyond its node, and what is its own.
struct Ways {
    placements: Arc<Control>,
    claims: Arc<dyn Claims>,
    metering: Option<weft_agent::Metering>,
}

fn open_agent(settings: &Settings, id: NodeId, ready: &Ready, ways: Ways) -> Result<Agent> {
    let Ways { placements, claims, metering } = ways;
    let node = node(settings, id, ready.processes.as_ref(), ready.clock.as_ref())?;
    let config = weft_agent::Config {
        node,
        data_dir: settings.data_dir.clone(),
        run_dir: settings.run_dir.join("vms"),
        console_log_bytes: settings.console_log_bytes,
        vmm_log_bytes: settings.vmm_log_bytes,
        reserved_disk_bytes: settings.reserved_disk_bytes,
        upkeep: UPKEEP,
        census: settings.census_interval,
        retry: RETRY,
        jail: jail(settings),
    };
    let volumes = Arc::new(weft_host::volumes::open(volumes(settings)).map_err(Fault::from)?);
    let ports = weft_agent::Ports {
        placements,
        drivers: ready.drivers.clone(),
        processes: Arc::clone(&ready.processes),
        sightings: Arc::clone(&ready.sightings),
        claims,
        volumes: volumes.clone(),
        parts: volumes,
        specs: Arc::new(weft_api::Records),
        images: Arc::new(weft_image::Images::open(weft_image::Config::new(settings.cache_dir.join("images")))?),
        clock: Arc::new(weft_host::clock::Steady::begin(Arc::clone(&ready.clock))),
        metering,
    };
    Ok(weft_agent::open(config, ports))
}

fn jail(settings: &Settings) -> JailPolicy {
    let uids = settings.jail_uids.clone();
    match settings.jail {
        Jail::Off => JailPolicy::Off,
        Jail::Auto => JailPolicy::Auto { uids },
        Jail::Required => JailPolicy::Required { uids },
    }
}

fn node(settings: &Settings, id: NodeId, processes: &dyn Processes, clock: &dyn Clock) -> Result<Node> {
    let host = weft_host::facts::read().map_err(Fault::from)?;
    let (cgroups, warning) = processes.cgroups();
    let facts = Facts {
        weft_version: env!("CARGO_PKG_VERSION").to_owned(),
        kernel: host.kernel,
        architecture: std::env::consts::ARCH.to_owned(),
        boot_id: processes.boot_id(),
        agent_start: clock.now(),
        cpus: host.cpus,
        memory_bytes: host.memory_bytes,
        allocatable_memory_bytes: promised(host.memory_bytes, settings),
        allocatable_disk_bytes: 0,
        cgroups: match cgroups {
            Cgroups::V1 => "cgroup-v1",
            Cgroups::V2 => "cgroup-v2",
            Cgroups::None => "none",
        }
        .to_owned(),
        drivers: Vec::new(),
        warnings: warning.into_iter().collect(),
    };
    Ok(Node { id, name: host.name, labels: Labels::default(), create_time: clock.now(), facts })
}

/// The memory that VMs are promised on a host that has so much, in bytes.
const fn promised(memory_bytes: u64, settings: &Settings) -> u64 {
    let given = memory_bytes.saturating_sub(settings.reserved_memory_bytes);
    (given / 100).saturating_mul(settings.memory_overcommit)
}

/// The node's id, made once and kept beside the state.
fn node_id(data_dir: &Path, clock: &dyn Clock) -> Result<NodeId> {
    let file = data_dir.join("node-id");
    match std::fs::read_to_string(&file) {
        Ok(text) => text.trim().parse().with_context(|| format!("{} does not hold a node's id", file.display())),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => {
            let id = NodeId::new(clock.now(), clock.random());
            write_durably(&file, &format!("{id}\n"))
                .with_context(|| format!("{} cannot be written", file.display()))?;
            Ok(id)
        }
        Err(why) => Err(why).with_context(|| format!("{} cannot be read", file.display())),
    }
}

fn write_durably(file: &Path, text: &str) -> std::io::Result<()> {
    let fresh = file.with_extension("new");
    std::fs::write(&fresh, text)?;
    std::fs::File::open(&fresh)?.sync_all()?;
    std::fs::rename(&fresh, file)?;
    std::fs::File::open(file.parent().unwrap_or(Path::new("/")))?.sync_all()
}
