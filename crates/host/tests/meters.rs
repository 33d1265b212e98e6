//! The counters of real processes: the conformance suite, and the kernel's own figures beside them.

#![expect(clippy::unwrap_used, reason = "all of this is tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use weft_domain::usage::{Figure, Source};
use weft_host::meters::{self, Config};
use weft_host::processes;
use weft_ports::meters::conformance::{self, Stage};
use weft_ports::meters::{Depth, Meters, Target};
use weft_ports::processes::conformance::{command, sleeper};
use weft_ports::processes::{Alive, Command, Processes};

fn opened(dir: &Path) -> (Arc<processes::Linux>, Config) {
    let processes = processes::open(processes::Config::of(dir, dir)).unwrap();
    let config = Config::of(&processes);
    (Arc::new(processes), config)
}

async fn keeps_the_laws(change: impl Fn(&mut Config)) {
    let dir = tempfile::tempdir().unwrap();
    let (processes, mut config) = opened(dir.path());
    change(&mut config);
    let meters = meters::open(config).unwrap();
    let stage = Stage { processes, dir: dir.path().to_owned(), work: Box::new(|_| ()) };
    conformance::all(&meters, &stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_the_laws_with_groups() {
    keeps_the_laws(|_| ()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_the_laws_without_groups() {
    keeps_the_laws(|config| config.groups.clear()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_the_laws_without_a_held_file() {
    keeps_the_laws(|config| config.held_gauges = 0).await;
}

/// A stage with one process, and where its group counts processor time.
struct Scene {
    dir: tempfile::TempDir,
    processes: Arc<processes::Linux>,
    config: Config,
    target: Target,
}

impl Scene {
    async fn begin(order: impl Fn(&Path) -> Command) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (processes, config) = opened(dir.path());
        let order = order(dir.path());
        let claim = order.claim;
        let alive = processes.launch(order).await.unwrap();
        Self { dir, processes, config, target: Target { claim, alive, taps: Vec::new() } }
    }

    fn group(&self, file: &str) -> Option<PathBuf> {
        let folders = self.config.groups.iter().map(|folder| folder.join(self.target.claim.to_string()));
        folders.map(|folder| folder.join(file)).find(|path| path.exists())
    }

    /// What the kernel's own file says of the group's processor time; `None` where nothing counts it.
    fn counted(&self) -> Option<u64> {
        if let Some(path) = self.group("cpuacct.usage") {
            return Some(fs::read_to_string(path).unwrap().trim().parse().unwrap());
        }
        let text = fs::read_to_string(self.group("cpu.stat")?).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("usage_usec "))?;
        Some(line.parse::<u64>().unwrap() * 1_000)
    }

    async fn end(self) {
        self.processes.clear(self.target.claim).await.unwrap();
        drop(self.dir);
    }
}

fn state(alive: &Alive) -> char {
    let text = fs::read_to_string(format!("/proc/{}/stat", alive.pid)).unwrap();
    text.rsplit_once(") ").unwrap().1.chars().next().unwrap()
}

fn signal(alive: &Alive, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(alive.pid.try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn processor_time_is_the_kernels_to_the_nanosecond() {
    // Children burn too, and end: what they used counts to the group and not to the process's clock.
    let script = "i=0; while [ $i -lt 40000 ]; do i=$((i+1)); done; (i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done); \
                  kill -STOP $$; i=0; while [ $i -lt 40000 ]; do i=$((i+1)); done";
    let scene = Scene::begin(|dir| command(dir, "/bin/sh", &["-c", script])).await;
    if scene.counted().is_none() {
        println!("skipped: this user may not make a control group that counts processor time");
        return scene.end().await;
    }
    let meters = meters::open(scene.config.clone()).unwrap();
    let mut gauge = meters.open(&scene.target).unwrap();
    let mut told = 0;
    while state(&scene.target.alive) != 'T' {
        let now = gauge.read(Depth::Counters).unwrap().counters[Figure::Cpu];
        assert!(now >= told, "{now} after {told}");
        told = now;
        tokio::task::yield_now().await;
    }
    let exact = scene.counted().unwrap();
    assert!(exact > 1_000_000, "it has burnt: {exact}");
    for depth in [Depth::All, Depth::Counters] {
        let reading = gauge.read(depth).unwrap();
        assert_eq!(reading.counters[Figure::Cpu], exact, "{depth:?}");
        assert!(matches!(reading.sources[Figure::Cpu], Source::CgroupV1 | Source::CgroupV2));
    }
    let mut other = meters.open(&scene.target).unwrap();
    assert_eq!(other.read(Depth::Counters).unwrap().counters[Figure::Cpu], exact, "and for who comes later");
    signal(&scene.target.alive, rustix::process::Signal::CONT);
    scene.processes.ended(&scene.target.alive).await;
    let last = scene.counted().unwrap();
    assert!(last > exact, "it went on");
    let reading = gauge.read(Depth::Counters).unwrap();
    assert_eq!((reading.counters[Figure::Cpu], reading.resident_bytes), (last, 0), "the last reading is whole");
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_group_it_is_the_processs_own_clock() {
    let scene = Scene::begin(|dir| {
        command(dir, "/bin/sh", &["-c", "i=0; while [ $i -lt 40000 ]; do i=$((i+1)); done; kill -STOP $$"])
    })
    .await;
    let meters = meters::open(Config { groups: Vec::new(), held_gauges: 8 }).unwrap();
    let mut gauge = meters.open(&scene.target).unwrap();
    while state(&scene.target.alive) != 'T' {
        tokio::task::yield_now().await;
    }
    // It has one thread, whose own figure is that of all of it.
    let text = fs::read_to_string(format!("/proc/{}/schedstat", scene.target.alive.pid)).unwrap();
    let exact: u64 = text.split(' ').next().unwrap().parse().unwrap();
    let reading = gauge.read(Depth::Counters).unwrap();
    assert_eq!((reading.counters[Figure::Cpu], reading.sources[Figure::Cpu]), (exact, Source::Proc));
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_and_disks_are_the_processs_own() {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let file = dir.path().join("written");
    let script = format!("dd if=/dev/zero of={} bs=1M count=8 conv=fsync 2>/dev/null; exec sleep 1000", file.display());
    let scene = Scene::begin(|dir| command(dir, "/bin/sh", &["-c", &script])).await;
    let name = || fs::read_to_string(format!("/proc/{}/comm", scene.target.alive.pid)).unwrap();
    while name() != "sleep\n" {
        tokio::task::yield_now().await;
    }
    // It may still be loading what it needs.
    signal(&scene.target.alive, rustix::process::Signal::STOP);
    while state(&scene.target.alive) != 'T' {
        tokio::task::yield_now().await;
    }
    let meters = meters::open(scene.config.clone()).unwrap();
    let reading = meters.open(&scene.target).unwrap().read(Depth::All).unwrap();
    let status = fs::read_to_string(format!("/proc/{}/status", scene.target.alive.pid)).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap().trim_end_matches(" kB").trim();
    assert_eq!(reading.resident_bytes, resident.parse::<u64>().unwrap() * 1024);
    let io = fs::read_to_string(format!("/proc/{}/io", scene.target.alive.pid)).unwrap();
    let of = |name: &str| io.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().parse::<u64>().unwrap();
    let told = [Figure::DiskRead, Figure::DiskWritten].map(|figure| reading.counters[figure]);
    assert_eq!(told, [of("read_bytes:"), of("write_bytes:")]);
    assert!(told[1] >= 8 << 20, "children that were waited for count: {told:?}");
    assert_eq!(reading.sources[Figure::DiskWrites], Source::None, "nobody counts operations here");
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_held_by_few_gauges_only() {
    let scene = Scene::begin(sleeper).await;
    let held = || {
        let own = fs::read_dir("/proc/self/fd").unwrap();
        let links = own.filter_map(|entry| fs::read_link(entry.unwrap().path()).ok());
        let marks = [format!("/proc/{}/", scene.target.alive.pid), scene.target.claim.to_string()];
        links.filter(|link| marks.iter().any(|mark| link.to_string_lossy().contains(mark))).count()
    };
    let before = held();
    let meters = meters::open(Config { held_gauges: 1, ..scene.config.clone() }).unwrap();
    let mut one = meters.open(&scene.target).unwrap();
    let most = held() - before;
    assert!((1..=3).contains(&most), "{most}");
    let mut two = meters.open(&scene.target).unwrap();
    let readings = [one.read(Depth::All).unwrap(), two.read(Depth::All).unwrap()];
    assert_eq!(readings[0], readings[1]);
    assert_eq!(held() - before, 0, "there are more than may hold");
    drop(two);
    one.read(Depth::All).unwrap();
    assert_eq!(held() - before, most);
    drop(one);
    assert_eq!(held() - before, 0);
    scene.end().await;
}

/// Processor time of this thread, whatever else runs on the machine.
fn used() -> std::time::Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    std::time::Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "prints figures, for who asks what a reading costs"]
async fn what_a_reading_costs() {
    const TIMES: u32 = 100_000;
    let scene = Scene::begin(|dir| command(dir, "/bin/sh", &["-c", "while :; do :; done"])).await;
    for held_gauges in [1, 0] {
        let meters = meters::open(Config { held_gauges, ..scene.config.clone() }).unwrap();
        let mut gauge = meters.open(&scene.target).unwrap();
        for depth in [Depth::Counters, Depth::All] {
            let begun = used();
            (0..TIMES).for_each(|_| _ = gauge.read(depth).unwrap());
            println!("{depth:?}, {held_gauges} held: {:?}", (used() - begun) / TIMES);
        }
    }
    scene.end().await;
}
