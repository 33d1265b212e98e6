//! The laws of jails, as far as they can be seen through the port alone.

use super::{command, exiter, finds, in_time};
use crate::processes::{Access, Alive, Bind, Command, Ending, Jail, Net, Proc, Processes, Rings, Showing};
use std::path::{Path, PathBuf};
use weft_domain::{Fault, Kind, Reason};

/// A user and group that nobody else is.
const WARD: u32 = 61_999;
/// Where a shell and what it needs are.
const FOLDERS: [&str; 4] = ["/bin", "/lib", "/lib64", "/usr"];

/// This command in a jail under `dir` that shows what a shell needs, and nothing else.
#[must_use]
pub fn jailed(dir: &Path, order: Command) -> Command {
    let root = dir.join("root");
    std::fs::create_dir_all(&root).expect("the folder for tests can be written");
    let folders = FOLDERS.iter().map(PathBuf::from).filter(|folder| folder.exists());
    let binds = folders.map(|path| Bind { from: path.clone(), to: path, access: Access::Execute }).collect();
    let devices = vec!["/dev/null".into()];
    let jail = Jail { uid: WARD, gid: WARD, root, binds, devices, net: Net::Own, proc: Proc::None, rings: Rings::None };
    Command { dir: "/".into(), jail: Some(jail), ..order }
}

fn sleeper(dir: &Path) -> Command {
    jailed(dir, super::sleeper(dir))
}

pub(super) async fn all(processes: &dyn Processes, dir: &Path) {
    in_time("a jailed life", a_life(processes, dir)).await;
    in_time("what cannot be shown", what_cannot_be_shown_is_named(processes, dir)).await;
    in_time("what no jail is", what_no_jail_is_is_refused(processes, dir)).await;
    in_time("more is shown", more_is_shown_and_hidden(processes, dir)).await;
    in_time("no jail", nothing_is_shown_without_a_jail(processes, dir)).await;
    std::fs::remove_dir(dir.join("root")).expect("nothing is left in the root, nor on it");
}

/// Where no jail can be made.
pub(super) async fn none_is_made(processes: &dyn Processes, dir: &Path) {
    let fault = refused(processes, sleeper(dir)).await;
    assert_eq!(fault.kind(), Kind::Unsupported, "{fault:?}");
}

/// Launches what cannot be launched; nothing is left of it.
async fn refused(processes: &dyn Processes, order: Command) -> Fault {
    let claim = order.claim;
    let fault = processes.launch(order).await.expect_err("this cannot be jailed");
    assert_eq!(finds(processes, claim).await, None, "no process is left");
    let confined = processes.confined().await.expect("confined answers");
    assert!(!confined.contains(&claim), "no cgroup is left");
    fault
}

async fn launched(processes: &dyn Processes, order: Command) -> Alive {
    processes.launch(order).await.expect("a jailed sleeper starts")
}

async fn a_life(processes: &dyn Processes, dir: &Path) {
    let order = sleeper(dir);
    let claim = order.claim;
    let alive = launched(processes, order).await;
    assert!(processes.lives(&alive), "it lives after launch");
    assert_eq!(finds(processes, claim).await, Some(alive.clone()), "it is found by its claim");
    let earlier = Alive { start_ticks: alive.start_ticks.wrapping_sub(1), ..alive.clone() };
    assert!(!processes.lives(&earlier), "a pid alone is no identity");
    assert_eq!(processes.kill(&alive).await.expect("kill answers"), Ending::Signal(9));
    assert_eq!(finds(processes, claim).await, None, "it is not found after its end");
    processes.clear(claim).await.expect("clear answers");

    let order = jailed(dir, exiter(dir, 7));
    let claim = order.claim;
    let alive = launched(processes, order).await;
    assert_eq!(processes.ended(&alive).await, Ending::Code(7), "its code is told as without a jail");
    processes.clear(claim).await.expect("clear answers");

    let order = sleeper(dir);
    let claim = order.claim;
    let alive = launched(processes, order).await;
    processes.clear(claim).await.expect("clear answers");
    assert!(!processes.lives(&alive), "clear ends what bears the claim");
}

async fn what_cannot_be_shown_is_named(processes: &dyn Processes, dir: &Path) {
    let (mut file, mut device) = (sleeper(dir), sleeper(dir));
    let bind = Bind { from: "/no/such/file".into(), to: "/x".into(), access: Access::Read };
    file.jail.as_mut().expect("it is jailed").binds.push(bind);
    device.jail.as_mut().expect("it is jailed").devices.push("/dev/no-such-device".into());
    for (order, path) in [(file, "/no/such/file"), (device, "/dev/no-such-device")] {
        let fault = refused(processes, order).await;
        assert_eq!(fault.reason, Reason::PathUnusable, "{fault:?}");
        assert!(fault.message.contains(path), "it is named: {fault:?}");
    }
    let fault = refused(processes, jailed(dir, command(dir, "/no/such/program", &[]))).await;
    assert_eq!(fault.reason, Reason::ProgramMissing, "{fault:?}");
}

async fn what_no_jail_is_is_refused(processes: &dyn Processes, dir: &Path) {
    let cases: [fn(&mut Jail); 5] = [
        |jail| jail.uid = 0,
        |jail| jail.gid = 0,
        |jail| jail.binds.push(Bind { from: "/dev/null".into(), to: "dev/x".into(), access: Access::Read }),
        |jail| jail.binds.push(Bind { from: "/dev/null".into(), to: "/dev/../x".into(), access: Access::Read }),
        |jail| jail.binds.push(Bind { from: "/bin".into(), to: "/usr/further".into(), access: Access::Read }),
    ];
    for change in cases {
        let mut order = sleeper(dir);
        change(order.jail.as_mut().expect("it is jailed"));
        let fault = refused(processes, order).await;
        assert_eq!(fault.kind(), Kind::InvalidArgument, "{fault:?}");
    }
}

fn more(from: &Path) -> Showing {
    let bind = Bind { from: from.to_owned(), to: "/further/file".into(), access: Access::Read };
    Showing { admit: vec![bind], expel: Vec::new() }
}

fn less() -> Showing {
    Showing { admit: Vec::new(), expel: vec!["/further/file".into()] }
}

async fn more_is_shown_and_hidden(processes: &dyn Processes, dir: &Path) {
    let (one, other) = (dir.join("one"), dir.join("other"));
    for file in [&one, &other] {
        std::fs::write(file, "").expect("the folder for tests can be written");
    }
    let order = sleeper(dir);
    let claim = order.claim;
    let alive = launched(processes, order).await;
    for _ in 0..2 {
        processes.show(&alive, more(&one)).await.expect("what is there is shown, and again is fine");
    }
    let fault = processes.show(&alive, more(&other)).await.expect_err("its place is taken");
    assert_eq!(fault.reason, Reason::PathUnusable, "{fault:?}");
    let instead = Showing { admit: more(&other).admit, expel: less().expel };
    processes.show(&alive, instead).await.expect("what goes, goes first");
    for _ in 0..2 {
        processes.show(&alive, less()).await.expect("it is hidden, and again is fine");
    }
    processes.show(&alive, more(&one)).await.expect("its place is free again");
    processes.show(&alive, Showing::default()).await.expect("no change is fine");
    let fault = processes.show(&alive, more(Path::new("/no/such/file"))).await.expect_err("there is no such file");
    assert!(fault.message.contains("/no/such/file"), "it is named: {fault:?}");
    assert!(processes.lives(&alive), "none of this ends it");
    let another = Alive { start_ticks: alive.start_ticks.wrapping_sub(1), ..alive.clone() };
    processes.kill(&alive).await.expect("kill answers");
    for gone in [&alive, &another] {
        let fault = processes.show(gone, more(&one)).await.expect_err("it is gone");
        assert_eq!(fault.kind(), Kind::FailedPrecondition, "{fault:?}");
        processes.show(gone, less()).await.expect("absence is success");
    }
    processes.clear(claim).await.expect("clear answers");
    for file in [one, other] {
        std::fs::remove_file(file).expect("nothing holds it");
    }
}

async fn nothing_is_shown_without_a_jail(processes: &dyn Processes, dir: &Path) {
    let order = super::sleeper(dir);
    let claim = order.claim;
    let alive = processes.launch(order).await.expect("a sleeper starts");
    let fault = processes.show(&alive, more(Path::new("/dev/null"))).await.expect_err("it has no jail");
    assert_eq!(fault.kind(), Kind::FailedPrecondition, "{fault:?}");
    processes.clear(claim).await.expect("clear answers");
}
