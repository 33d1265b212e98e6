//! A jailed VMM as the host sees it, and what is told where none is jailed.

use crate::for_each_vmm;
use crate::house::{House, Vmm, pid, text};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use weft_domain::instance::{Condition, ExitCause};
use weft_domain::spec::{Disk, DiskSource, Spec};
use weft_domain::{Instance, Phase};
use weft_ports::api::{CreateMode, Vms};
use weft_testbed::guest::{call, vm};
use weft_testbed::watch::until;

for_each_vmm!(
    one_in_a_jail_has_nothing_of_the_host,
    two_do_not_see_each_other,
    one_without_a_jail_says_so,
    one_that_must_be_jailed_is_not_started_without,
    users_run_out
);

fn confined(vm: &Instance) -> &Condition {
    let found = vm.status.conditions.iter().find(|one| one.kind == "Confined");
    found.unwrap_or_else(|| panic!("how it is confined is told: {:#?}", vm.status.conditions))
}

/// Whether these tests can look at jails at all: only as root.
fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        println!("skipped: not root");
    }
    root
}

/// The user that it is jailed as, or `None` after saying why it is not.
fn jailed(vm: &Instance) -> Option<u32> {
    let user = vm.status.running.as_ref().and_then(|running| running.jail);
    if user.is_none() {
        println!("skipped: {}", confined(vm).message);
    }
    user
}

/// A guest with a disk that weft made.
fn with_disk(house: &House) -> Spec {
    let mut draft = house.draft();
    draft.disks.push(Disk::new("data", DiskSource::Blank { size_bytes: 4 << 20 }));
    draft.check().expect("lawful")
}

fn at(pid: u32, file: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/{file}"))
}

/// The same place as the process sees it.
fn inside(pid: u32, path: &Path) -> PathBuf {
    at(pid, "root").join(path.strip_prefix("/").expect("absolute"))
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

async fn one_in_a_jail_has_nothing_of_the_host(vmm: Vmm) {
    if !is_root() {
        return;
    }
    let Some(house) = House::open(vmm, &[]).await else { return };
    let one = house.ready("one", with_disk(&house)).await;
    let Some(user) = jailed(&one) else { return };
    assert_eq!((confined(&one).holds, confined(&one).reason.as_str()), (Some(true), "Jailed"), "{:?}", confined(&one));
    assert_status(pid(&one), user);
    for kind in ["mnt", "pid", "net", "ipc", "uts"] {
        let of = |path: PathBuf| std::fs::read_link(path).expect("a namespace");
        assert_ne!(of(at(pid(&one), "ns").join(kind)), of(Path::new("/proc/self/ns").join(kind)), "{kind}");
    }
    let network = text(at(pid(&one), "net/dev"));
    let links: Vec<&str> =
        network.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name.trim()).collect();
    assert_eq!(links, ["lo"]);
    assert_root(&house, &one);
    assert_limits(&house, &one);
    house.remove("one").await;
    house.assert_leaves_nothing().await;
}

fn assert_status(pid: u32, user: u32) {
    assert!((1_900_000_000..=1_900_065_535).contains(&user), "{user} is of the range");
    let status = text(at(pid, "status"));
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.unwrap_or_default().split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    let four = vec![user.to_string(); 4];
    assert_eq!((field("Uid"), field("Gid")), (four.clone(), four));
    assert_eq!(field("Groups"), [""; 0]);
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert_eq!(field(set), ["0000000000000000"], "{set}");
    }
    assert_eq!((field("NoNewPrivs"), field("Seccomp")), (vec!["1".to_owned()], vec!["2".to_owned()]));
    assert_eq!(field("NSpid").last().map(String::as_str), Some("1"), "it is the first of its own");
}

/// What a jail's root holds: devices, libraries, and the way to the files of this VM.
fn assert_root(house: &House, vm: &Instance) {
    let pid = pid(vm);
    let first = |path: &Path| path.components().nth(1).map(|part| part.as_os_str().to_string_lossy().into_owned());
    let exe = std::fs::read_link(at(pid, "exe")).expect("a program");
    let ours = [house.daemon.data_dir(), house.image("tiny"), exe];
    let mut lawful: BTreeSet<_> = ["dev", "proc", "lib", "lib64", "usr"].map(str::to_owned).into();
    lawful.extend(ours.iter().filter_map(|path| first(path)));
    let shown = names(&at(pid, "root"));
    assert!(shown.is_subset(&lawful), "{shown:?} beyond {lawful:?}");
    for absent in ["etc", "root", "boot", "srv", "sys", "proc/1/root"] {
        assert!(!at(pid, "root").join(absent).exists(), "{absent}");
    }
    let data = inside(pid, &house.daemon.data_dir());
    assert!(names(&data).is_subset(&["run", "vms"].map(str::to_owned).into()), "{:?}", names(&data));
    assert_eq!(names(&data.join("run/vms")).len(), 1, "the folder of its own sockets");
    assert!(names(&data.join("vms")).is_subset(&[vm.meta.id.to_string()].into()));
    let allowed = house.image("tiny");
    let images = inside(pid, allowed.parent().expect("a folder"));
    assert_eq!(names(&images), ["tiny".to_owned()].into(), "its kernel, and no other image");
}

/// The process is in a cgroup whose memory and number of processes are bounded.
fn assert_limits(house: &House, vm: &Instance) {
    let pid = pid(vm).to_string();
    let cgroups = house.claims();
    if cgroups.is_empty() {
        println!("skipped: no cgroups: {}", confined(vm).message);
        return;
    }
    for cgroup in &cgroups {
        assert!(text(cgroup.join("cgroup.procs")).lines().any(|line| line == pid), "{}", cgroup.display());
    }
    let value = |files: [&str; 2]| {
        let read = |(cgroup, file): (&PathBuf, &str)| text(cgroup.join(file)).trim().parse::<u64>().ok();
        let files = cgroups.iter().flat_map(|cgroup| files.map(|file| (cgroup, file)));
        files.filter_map(read).min()
    };
    let memory = value(["memory.limit_in_bytes", "memory.max"]).expect("a limit of memory");
    assert!((vm.spec.memory.size_bytes..4 << 30).contains(&memory), "{memory}");
    let processes = value(["pids.max", "pids.max"]).expect("a limit of processes");
    assert!((1..10_000).contains(&processes), "{processes}");
}

async fn two_do_not_see_each_other(vmm: Vmm) {
    if !is_root() {
        return;
    }
    let Some(house) = House::open(vmm, &[]).await else { return };
    let (one, two) = (house.ready("one", with_disk(&house)).await, house.ready("two", with_disk(&house)).await);
    let (Some(first), Some(second)) = (jailed(&one), jailed(&two)) else { return };
    assert_ne!(first, second, "each is a user of its own");
    for (vm, other) in [(&one, &two), (&two, &one)] {
        let folder = |vm: &Instance| house.daemon.data_dir().join("vms").join(vm.meta.id.to_string());
        assert!(names(&folder(other)).len() > 1, "there is something to see");
        assert!(!inside(pid(vm), &folder(other)).exists(), "the other's files");
        let own = names(&inside(pid(vm), &folder(vm)));
        assert!(own.iter().any(|name| name.contains("data")), "its own disk: {own:?}");
    }
    assert_eq!(house.ask("one", "ping", "pong").await, "pong");
    house.remove("one").await;
    assert_eq!(house.ask("two", "ping", "pong").await, "pong", "nobody misses what was not shared");
    house.remove("two").await;
    house.assert_leaves_nothing().await;
}

async fn one_without_a_jail_says_so(vmm: Vmm) {
    let Some(house) = House::open(vmm, &["jail.mode=off"]).await else { return };
    let one = house.ready("one", house.spec()).await;
    let told = confined(&one);
    assert_eq!((told.holds, told.reason.as_str()), (Some(false), "JailOff"));
    assert!(told.message.contains("by configuration"), "{}", told.message);
    assert_eq!(one.status.running.as_ref().and_then(|running| running.jail), None);
    let network = |path: PathBuf| std::fs::read_link(path).expect("a namespace");
    assert_eq!(network(at(pid(&one), "ns/net")), network("/proc/self/ns/net".into()));
    assert_eq!(house.ask("one", "ping", "pong").await, "pong");
    house.remove("one").await;
    house.assert_leaves_nothing().await;
}

async fn one_that_must_be_jailed_is_not_started_without(vmm: Vmm) {
    if !is_root() {
        return;
    }
    let through = ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin"];
    let Some(house) = House::open_through(vmm, &through, &["jail.mode=required"]).await else { return };
    // It may be told in the answer or in the status alone.
    let _ = house.weft().create(&call(), vm("one", house.spec(), CreateMode::Boot)).await;
    let failed = house.phase("one", Phase::Failed).await;
    let exit = failed.status.last_exit.expect("an exit");
    assert_eq!(exit.cause, ExitCause::LaunchFailed);
    assert!(exit.message.contains("would not be jailed: the host cannot"), "{}", exit.message);
    assert_eq!(house.daemon.vmms(), [0_u32; 0]);
    house.remove("one").await;
    house.assert_leaves_nothing().await;
}

async fn users_run_out(vmm: Vmm) {
    if !is_root() {
        return;
    }
    let Some(house) = House::open(vmm, &["jail.uids=1900000700-1900000700"]).await else { return };
    let one = house.ready("one", house.spec()).await;
    let Some(user) = jailed(&one) else { return };
    assert_eq!(user, 1_900_000_700);
    // It may be told in the answer or in the status.
    let _ = house.weft().create(&call(), vm("two", house.spec(), CreateMode::Boot)).await;
    let said = |vm: &Instance| format!("{:?}{:?}", vm.status.last_exit, vm.status.conditions);
    let refused = until(&house.weft(), "two", |vm| said(&vm.value).contains("range")).await.value;
    assert_ne!(refused.status.phase, Phase::Running, "{}", said(&refused));
    house.remove("one").await;
    house.remove("two").await;
    assert_eq!(jailed(&house.ready("three", house.spec()).await), Some(user), "it is free again");
    house.remove("three").await;
    house.assert_leaves_nothing().await;
}
