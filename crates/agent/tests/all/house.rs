//! A node in memory: fakes of every port, an agent that can be killed, and control in a few lines.

pub(crate) mod clock;
pub(crate) mod desk;
pub(crate) mod disk;
pub(crate) mod fuse;
pub(crate) mod metered;

use desk::{Desk, Vm};
use disk::Disk;
use fuse::{Fuse, Fused, Host};
use metered::Metered;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use weft_agent::{Agent, Config, JailPolicy, Ports, open};
use weft_domain::instance::{Desired, StopHow};
use weft_domain::lifecycle::Verb;
use weft_domain::node::{Facts, Node};
use weft_domain::spec::{Disk as Device, DiskSource, Draft};
use weft_domain::{InstanceId, Labels, NodeId, Phase, Time};
use weft_ports::claims;
use weft_ports::clock::Clock;
use weft_ports::codec::fake::Specs;
use weft_ports::hypervisor::{self, Hypervisor};
use weft_ports::images;
use weft_ports::link::Placed;
use weft_ports::sightings::{self, fake::Places};
use weft_ports::task::{self, Task};

/// How often a census is taken.
pub(crate) const CENSUS: Duration = Duration::from_secs(60);
pub(crate) const RETRY: Duration = Duration::from_secs(1);
pub(crate) const GRACE: StopHow = StopHow::Graceful { timeout: Duration::from_secs(30) };

/// Lets this much of the runtime's paused time pass, and all that happens in it.
pub(crate) async fn pass(span: Duration) {
    // why: time is paused, so that this waits for all that can happen and for nothing else.
    tokio::time::sleep(span).await;
}

/// A node with its control.
pub(crate) struct House {
    pub(crate) desk: Arc<Desk>,
    pub(crate) vmm: Arc<hypervisor::fake::Fake>,
    pub(crate) host: Arc<Host>,
    pub(crate) disk: Arc<Disk>,
    pub(crate) claims: claims::fake::Fake,
    pub(crate) images: Arc<images::fake::Fake>,
    pub(crate) clock: Arc<clock::Paused>,
    pub(crate) fuse: Arc<Fuse>,
    pub(crate) sightings: sightings::fake::Fake,
    pub(crate) metered: Metered,
    pub(crate) agent: Agent,
    pub(crate) config: Config,
    running: Mutex<Option<Task<()>>>,
    shutdown: watch::Sender<bool>,
    _folder: tempfile::TempDir,
}

fn node(id: NodeId) -> Node {
    let facts = Facts {
        weft_version: "0".into(),
        kernel: "6".into(),
        architecture: "x86_64".into(),
        boot_id: "b".into(),
        agent_start: Time::from_millis(0),
        cpus: 2,
        memory_bytes: 1 << 34,
        allocatable_memory_bytes: 1 << 34,
        allocatable_disk_bytes: 0,
        cgroups: "none".into(),
        drivers: Vec::new(),
        warnings: Vec::new(),
    };
    let name = "node".parse().unwrap();
    Node { id, name, labels: Labels::default(), create_time: Time::from_millis(0), facts }
}

impl House {
    /// A node whose agent does not run yet.
    pub(crate) fn new() -> Self {
        let clock = Arc::new(clock::Paused::new());
        let vmm = hypervisor::fake::Fake::new(clock.clone());
        Self::with(clock, vmm, JailPolicy::Off)
    }

    /// A node with this VMM, whose agent does not run yet.
    pub(crate) fn with(clock: Arc<clock::Paused>, vmm: Arc<hypervisor::fake::Fake>, jail: JailPolicy) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().to_owned();
        let fuse = Fuse::new();
        let (boot_id, no_jails, cleared) = (Mutex::default(), Mutex::default(), Mutex::default());
        let host = Host { inner: vmm.clone(), fuse: fuse.clone(), boot_id, no_jails, cleared };
        let config = Config {
            node: node(NodeId::new(clock.now(), clock.random())),
            data_dir: own.join("data"),
            run_dir: own.join("run"),
            console_log_bytes: 1 << 20,
            vmm_log_bytes: 1 << 20,
            reserved_disk_bytes: 0,
            upkeep: Duration::from_secs(30),
            census: CENSUS,
            retry: RETRY,
            jail,
        };
        let (desk, disk) = (Arc::new(Desk::default()), Arc::new(Disk::new(&own, &PathBuf::from("/roots"))));
        let (host, claims) = (Arc::new(host), claims::fake::Fake::new());
        let metered = Metered::new(host.clone());
        let images = Arc::new(images::fake::Fake::default());
        let places = Places {
            vms: config.data_dir.join("vms"),
            snapshots: config.data_dir.join("snapshots"),
            run: config.run_dir.clone(),
        };
        let sightings = sightings::fake::Fake::new(host.clone(), disk.clone(), places);
        let ports = Ports {
            sightings: Arc::new(sightings.clone()),
            placements: Arc::new(Fused::<dyn weft_ports::link::Placements> { inner: desk.clone(), fuse: fuse.clone() }),
            drivers: vec![Arc::new(Fused::<dyn Hypervisor> { inner: vmm.clone(), fuse: fuse.clone() })],
            processes: host.clone(),
            claims: Arc::new(Fused::<dyn claims::Claims> { inner: Arc::new(claims.clone()), fuse: fuse.clone() }),
            volumes: Arc::new(Fused::<dyn weft_ports::volumes::Volumes> { inner: disk.clone(), fuse: fuse.clone() }),
            parts: Arc::new(Fused::<dyn weft_ports::volumes::parts::Parts> { inner: disk.clone(), fuse: fuse.clone() }),
            specs: Arc::new(Specs::default()),
            images: Arc::new(Fused::<dyn images::Images> { inner: images.clone(), fuse: fuse.clone() }),
            clock: clock.clone(),
            metering: Some(metered.port()),
        };
        let agent = open(config.clone(), ports);
        let (running, shutdown) = (Mutex::default(), watch::Sender::new(false));
        Self {
            desk,
            vmm,
            host,
            disk,
            claims,
            images,
            clock,
            fuse,
            sightings,
            metered,
            agent,
            config,
            running,
            shutdown,
            _folder: folder,
        }
    }

    /// A node whose agent runs.
    pub(crate) fn up() -> Self {
        let house = Self::new();
        house.start();
        house
    }

    /// Starts the agent, again and again where it cannot take stock, as a supervisor does.
    pub(crate) fn start(&self) {
        let (agent, shutdown) = (self.agent.clone(), self.shutdown.subscribe());
        let supervised = async move {
            while agent.run(shutdown.clone()).await.is_err() {
                pass(RETRY).await;
            }
        };
        *self.running.lock().unwrap() = Some(task::spawn("agent", supervised));
    }

    /// Kills the agent where it is.
    pub(crate) async fn kill(&self) {
        drop(self.running.lock().unwrap().take());
        self.idle().await;
        self.metered.dials.shake();
    }

    /// A person gives these up; they are released, though control does not know them.
    pub(crate) async fn give_up(&self, which: weft_domain::node::Orphans) {
        weft_ports::link::Reach::release_orphans(&self.agent, &which).await.expect("nothing of them is left");
        self.idle().await;
    }

    /// Ends the agent as a service is ended.
    pub(crate) async fn stop(&self) {
        self.shutdown.send_replace(true);
        let running = self.running.lock().unwrap().take().expect("it runs");
        running.await.expect("it does not panic");
        self.shutdown.send_replace(false);
        self.metered.dials.shake();
    }

    /// Lets everything happen that can happen now.
    pub(crate) async fn idle(&self) {
        pass(Duration::from_millis(1)).await;
    }

    pub(crate) fn create(&self, name: &str, shape: impl FnOnce(&mut Draft)) -> InstanceId {
        let mut draft = Draft::default();
        shape(&mut draft);
        let placed = Placed {
            id: InstanceId::new(self.clock.now(), self.clock.random()),
            name: name.parse().unwrap(),
            placement: 1,
            generation: 1,
            spec: Arc::new(draft.check().expect("a right specification")),
            desired: Desired::default(),
            last_exit: None,
            restarts: 0,
            origin: None,
        };
        let id = placed.id;
        self.desk.place(placed);
        id
    }

    /// Changes the specification of an instance, as an update does.
    pub(crate) fn respec(&self, id: InstanceId, change: impl FnOnce(&mut Draft)) {
        self.desk.change(id, |placed| {
            let mut draft = placed.spec.as_ref().clone().into_draft();
            change(&mut draft);
            placed.spec = Arc::new(draft.check().expect("a right specification"));
            placed.generation += 1;
        });
    }

    pub(crate) async fn ask(&self, id: InstanceId, verb: Verb, how: StopHow) {
        assert!(self.desk.ask(id, verb, how), "{verb:?} is lawful in {:?}", self.vm(id).phase);
        // The report of what was before may be under way.
        self.idle().await;
    }

    pub(crate) fn vm(&self, id: InstanceId) -> Vm {
        self.desk.vm(id).expect("it is placed")
    }

    pub(crate) async fn until(&self, id: InstanceId, phase: Phase) -> Vm {
        let what = format!("{phase}");
        self.desk.until(&what, |desk| desk.vm(id).is_some_and(|vm| vm.phase == phase)).await;
        self.vm(id)
    }

    pub(crate) async fn until_so(&self, id: InstanceId, what: &str, so: impl Fn(&Vm) -> bool) -> Vm {
        self.desk.until(what, |desk| desk.vm(id).is_some_and(|vm| so(&vm))).await;
        self.vm(id)
    }

    /// One that was created and booted, and runs.
    pub(crate) async fn running(&self, name: &str, shape: impl FnOnce(&mut Draft)) -> InstanceId {
        let id = self.create(name, shape);
        self.until(id, Phase::Created).await;
        self.ask(id, Verb::Boot, GRACE).await;
        self.until(id, Phase::Running).await;
        self.measured(id).await;
        id
    }

    /// That it runs is told while the sampler takes it up, on a thread of its own: waits until it is read.
    async fn measured(&self, id: InstanceId) {
        while !self.living(id).is_empty() && !self.metered.dials.is_read(crate::metering::claim(self, id)) {
            tokio::task::yield_now().await;
        }
    }

    pub(crate) async fn delete(&self, id: InstanceId) {
        self.ask(id, Verb::DeleteForce, StopHow::Force).await;
        self.desk.until("gone", |desk| desk.vm(id).is_none()).await;
    }

    pub(crate) fn living(&self, id: InstanceId) -> Vec<u32> {
        self.vmm.living().into_iter().filter(|(of, _)| *of == id).map(|(_, alive)| alive.pid).collect()
    }

    /// Nothing of any instance is left.
    pub(crate) async fn assert_empty(&self) {
        self.idle().await;
        assert_eq!(self.claims.entries(), [], "no claim is held");
        assert_eq!(self.vmm.living(), [], "no process lives");
        let confined = weft_ports::processes::Processes::confined(self.vmm.as_ref()).await.unwrap();
        assert_eq!(confined, [], "no cgroup is left");
        let (vms, run) = (self.config.data_dir.join("vms"), &self.config.run_dir);
        let snapshots = self.config.data_dir.join("snapshots");
        let left: Vec<_> = self
            .disk
            .fake
            .paths()
            .into_iter()
            .filter(|path| path.parent().is_some_and(|up| up == vms || up == run || up == snapshots))
            .collect();
        assert_eq!(left, Vec::<PathBuf>::new(), "no folder is left");
        self.metered.assert_ended();
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.metered.dials.end();
    }
}

/// A disk that weft makes.
pub(crate) fn blank(name: &str, size_bytes: u64) -> Device {
    Device::new(name, DiskSource::Blank { size_bytes })
}
