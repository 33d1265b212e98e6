//! The fake keeps the laws of the port, and what a test expects of it.

use super::*;
use crate::clock;
use crate::hypervisor::conformance::{self, Deed, Sort, Stage};
use crate::hypervisor::{Adoption, Alteration, Backing, Boot, Origin};
use crate::processes::{Confinement, Processes};
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};
use weft_domain::spec::{Disk, DiskFormat, DiskSource, Draft};
use weft_domain::{IncarnationId, Time};

struct Rig {
    fake: Arc<Fake>,
    folder: tempfile::TempDir,
    orders: AtomicU8,
}

impl Rig {
    fn new() -> Self {
        let fake = Fake::new(Arc::new(clock::Fake::default()));
        Self { fake, folder: tempfile::tempdir().expect("a folder can be made"), orders: AtomicU8::new(0) }
    }

    fn plain_order(&self) -> Order {
        let number = self.orders.fetch_add(1, Ordering::Relaxed);
        let (at, random) = (Time::from_millis(1), [number; 10]);
        let run_dir = self.folder.path().join(number.to_string());
        std::fs::create_dir(&run_dir).expect("a folder can be made");
        Order {
            claim: ClaimId::new(at, random),
            instance: InstanceId::new(at, random),
            name: "guest".parse().expect("a lawful name"),
            incarnation: IncarnationId::new(at, random),
            spec: Arc::new(Draft::default().check().expect("the defaults are right")),
            boot: Boot::Kernel { kernel: "/kernel".into(), initramfs: None, cmdline: String::new() },
            disks: Vec::new(),
            console_log: run_dir.join("console"),
            vmm_log: run_dir.join("vmm"),
            run_dir,
            confinement: Confinement::default(),
            ward: None,
            origin: Origin::Boot,
        }
    }
}

#[async_trait::async_trait]
impl Stage for Rig {
    fn hypervisor(&self) -> Arc<dyn Hypervisor> {
        self.fake.clone()
    }

    fn processes(&self) -> Arc<dyn Processes> {
        self.fake.clone()
    }

    async fn order(&self, sort: Sort) -> Order {
        let launch_failure = match sort {
            Sort::Working => None,
            Sort::Broken => Some("could not open kernel".to_owned()),
        };
        self.fake.expect(Behaviour { launch_failure, ..Behaviour::default() });
        self.plain_order()
    }

    async fn until_ready(&self, order: &Order, times: usize) {
        assert_eq!(console(&order.console_log).matches("ready").count(), times);
    }

    async fn tell(&self, order: &Order, _: &dyn Machine, deed: Deed) {
        match deed {
            Deed::PowerOff => self.fake.power_off(order.instance),
            Deed::Panic => self.fake.panic(order.instance),
            Deed::Reboot => {
                self.fake.reboot(order.instance);
                self.fake.print(order.instance, "ready\n");
            }
        }
    }

    async fn remembered(&self, order: &Order, _: &dyn Machine) -> Option<String> {
        self.fake.memory(order.instance)
    }

    async fn spare(&self, _: &Order) -> Option<Alteration> {
        let disk = Disk::new("spare", DiskSource::Path("/spare".into()));
        let backing = Backing { path: "/spare".into(), format: DiskFormat::Raw };
        Some(Alteration { change: Change::AddDisk(disk), backing: Some(backing) })
    }

    fn excused(&self, _: &str) -> Option<String> {
        None
    }
}

fn console(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

#[tokio::test]
async fn the_fake_conforms() {
    conformance::all(&Rig::new()).await;
}

#[tokio::test(start_paused = true)]
async fn a_launch_takes_as_long_as_expected() {
    let rig = Rig::new();
    rig.fake.expect(Behaviour { launch_delay: Duration::from_secs(3), ..Behaviour::default() });
    let before = tokio::time::Instant::now();
    rig.hypervisor().launch(rig.plain_order()).await.expect("it launches");
    assert_eq!(before.elapsed(), Duration::from_secs(3));
}

#[tokio::test]
async fn a_deaf_guest_goes_on() {
    let rig = Rig::new();
    rig.fake.expect(Behaviour { button: Button::Ignored, ..Behaviour::default() });
    let machine = rig.hypervisor().launch(rig.plain_order()).await.expect("it launches");
    machine.ask_to_stop().await.expect("it can be asked");
    assert_eq!(*machine.state().borrow(), State::Running);
}

#[tokio::test]
async fn a_silent_vmm_is_not_adopted_and_lives() {
    let rig = Rig::new();
    let order = rig.plain_order();
    let machine = rig.hypervisor().launch(order.clone()).await.expect("it launches");
    rig.fake.answer(order.instance, Answer::Silent);
    let adoption = Adoption {
        instance: order.instance,
        incarnation: order.incarnation,
        alive: machine.alive(),
        chosen: machine.chosen(),
        run_dir: order.run_dir,
        vmm_log: order.vmm_log,
        spec: order.spec,
        ward: None,
    };
    let fault = rig.fake.adopt(adoption.clone()).await.err().expect("it is silent");
    assert_eq!(fault.reason, Reason::VmmSilent);
    assert!(rig.fake.lives(&adoption.alive));
    rig.fake.answer(order.instance, Answer::Given);
    assert!(rig.fake.adopt(adoption).await.is_ok());
}

#[tokio::test]
async fn an_end_for_memory_is_told_to_both() {
    let rig = Rig::new();
    let order = rig.plain_order();
    let machine = rig.hypervisor().launch(order.clone()).await.expect("it launches");
    rig.fake.die(order.instance, Ending::OutOfMemory);
    assert_eq!(rig.fake.ended(&machine.alive()).await, Ending::OutOfMemory);
    assert!(matches!(&*machine.state().borrow(), State::Ended(End { way: Way::OutOfMemory, .. })));
    assert!(rig.fake.living().is_empty());
}
