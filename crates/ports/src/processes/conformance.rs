//! The laws of [`Processes`], as a suite that any implementation can be put through.
//!
//! It starts `/bin/sleep` and `/bin/sh`, leaves nothing running, and panics where a law is broken. Where
//! nothing can be jailed, the laws of jails are passed over, and it says so.

mod jails;

pub use jails::jailed;

use super::{Alive, Cgroups, Command, Confinement, Ending, Processes, Signal};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use weft_domain::{ClaimId, Kind, Time};

/// No law takes longer than this.
const LIMIT: Duration = Duration::from_secs(20);

/// A claim that no other has.
#[must_use]
pub fn fresh_claim() -> ClaimId {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let millis = i64::try_from(now.as_millis()).unwrap_or(0);
    let mut random = [0; 10];
    random[..8].copy_from_slice(&COUNT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    random[8..].copy_from_slice(&std::process::id().to_be_bytes()[2..]);
    ClaimId::new(Time::from_millis(millis), random)
}

/// A command with this program and these arguments, that logs into `dir`.
#[must_use]
pub fn command(dir: &Path, program: &str, args: &[&str]) -> Command {
    let claim = fresh_claim();
    Command {
        claim,
        program: program.into(),
        args: args.iter().map(Into::into).collect(),
        fds: Vec::new(),
        log: dir.join(format!("{claim}.log")),
        dir: dir.to_owned(),
        confinement: Confinement::default(),
        jail: None,
    }
}

/// A command that lives until it is ended.
#[must_use]
pub fn sleeper(dir: &Path) -> Command {
    command(dir, "/bin/sleep", &["1000"])
}

/// A command that ends at once with this code.
#[must_use]
pub fn exiter(dir: &Path, code: i32) -> Command {
    command(dir, "/bin/sh", &["-c", &format!("exit {code}")])
}

async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, future).await.unwrap_or_else(|_| panic!("{what} took longer than {LIMIT:?}"))
}

/// Every law in turn. `dir` is an empty folder for logs.
pub async fn all(processes: &dyn Processes, dir: &Path) {
    in_time("a life", a_life(processes, dir)).await;
    in_time("an exit code", an_exit_code_is_told(processes, dir)).await;
    in_time("signals", signals_end_it(processes, dir)).await;
    in_time("a missing program", a_missing_program_leaves_nothing(processes, dir)).await;
    in_time("identity", another_start_time_is_another_process(processes, dir)).await;
    in_time("clear", clear_leaves_nothing(processes, dir)).await;
    match processes.jails() {
        Ok(()) => jails::all(processes, dir).await,
        Err(why) => {
            skipped(&why);
            in_time("no jails", jails::none_is_made(processes, dir)).await;
        }
    }
}

#[expect(clippy::print_stdout, reason = "who runs the suite reads what was passed over")]
fn skipped(why: &str) {
    println!("skipped: {why}");
}

async fn finds(processes: &dyn Processes, claim: ClaimId) -> Option<Alive> {
    let found = processes.find().await.expect("find answers");
    found.into_iter().find(|(of, _)| *of == claim).map(|(_, alive)| alive)
}

async fn a_life(processes: &dyn Processes, dir: &Path) {
    let command = sleeper(dir);
    let claim = command.claim;
    assert_eq!(finds(processes, claim).await, None, "nothing bears a claim before its launch");
    let alive = processes.launch(command).await.expect("a sleeper starts");
    assert_eq!(alive.boot_id, processes.boot_id(), "it bears this start of the machine");
    assert!(processes.lives(&alive), "it lives after launch");
    assert_eq!(finds(processes, claim).await, Some(alive.clone()), "it is found by its claim");
    let ending = processes.kill(&alive).await.expect("kill answers");
    assert_eq!(ending, Ending::Signal(9), "a killed child tells the signal");
    assert!(!processes.lives(&alive), "it does not live after kill");
    assert_eq!(finds(processes, claim).await, None, "it is not found after its end");
    processes.kill(&alive).await.expect("killing what is gone is no error");
    processes.clear(claim).await.expect("clear answers");
}

async fn an_exit_code_is_told(processes: &dyn Processes, dir: &Path) {
    let command = exiter(dir, 7);
    let claim = command.claim;
    let alive = processes.launch(command).await.expect("a shell starts");
    assert_eq!(processes.ended(&alive).await, Ending::Code(7));
    assert_eq!(processes.ended(&alive).await, Ending::Code(7), "an ending is told again");
    assert!(!processes.lives(&alive), "what has ended does not live");
    processes.clear(claim).await.expect("clear answers");
}

async fn signals_end_it(processes: &dyn Processes, dir: &Path) {
    let command = sleeper(dir);
    let claim = command.claim;
    let alive = processes.launch(command).await.expect("a sleeper starts");
    processes.signal(&alive, Signal::Terminate).await.expect("a signal is sent");
    assert_eq!(processes.ended(&alive).await, Ending::Signal(15));
    processes.signal(&alive, Signal::Kill).await.expect("a signal to what is gone is no error");
    processes.clear(claim).await.expect("clear answers");
}

async fn a_missing_program_leaves_nothing(processes: &dyn Processes, dir: &Path) {
    let command = command(dir, "/no/such/program", &[]);
    let claim = command.claim;
    let fault = processes.launch(command).await.expect_err("there is no such program");
    assert_eq!(fault.kind(), Kind::FailedPrecondition, "{fault:?}");
    assert!(fault.message.contains("/no/such/program"), "the program is named: {}", fault.message);
    assert_eq!(finds(processes, claim).await, None, "no process is left");
    let confined = processes.confined().await.expect("confined answers");
    assert!(!confined.contains(&claim), "no cgroup is left");
}

async fn another_start_time_is_another_process(processes: &dyn Processes, dir: &Path) {
    let command = sleeper(dir);
    let claim = command.claim;
    let alive = processes.launch(command).await.expect("a sleeper starts");
    let earlier = Alive { start_ticks: alive.start_ticks.wrapping_sub(1), ..alive.clone() };
    let other_boot = Alive { boot_id: "another".to_owned(), ..alive.clone() };
    for other in [earlier, other_boot] {
        assert!(!processes.lives(&other), "a pid alone is no identity: {other:?}");
        assert_eq!(processes.ended(&other).await, Ending::Unknown);
        processes.signal(&other, Signal::Kill).await.expect("a signal to what is gone is no error");
        processes.kill(&other).await.expect("killing what is gone is no error");
    }
    assert!(processes.lives(&alive), "another's signal did not reach it");
    processes.clear(claim).await.expect("clear answers");
    assert!(!processes.lives(&alive), "clear ends what bears the claim");
}

async fn clear_leaves_nothing(processes: &dyn Processes, dir: &Path) {
    let (first, second) = (sleeper(dir), sleeper(dir));
    let (one, two) = (first.claim, second.claim);
    let first = processes.launch(first).await.expect("a sleeper starts");
    let second = processes.launch(second).await.expect("a sleeper starts");
    if processes.cgroups().0 != Cgroups::None {
        let confined = processes.confined().await.expect("confined answers");
        assert!(confined.contains(&one) && confined.contains(&two), "each has a cgroup");
    }
    processes.clear(one).await.expect("clear answers");
    assert!(!processes.lives(&first), "clear ends its process");
    assert!(processes.lives(&second), "and no other");
    processes.clear(one).await.expect("absence is success");
    processes.clear(two).await.expect("clear answers");
    assert!(!processes.lives(&second));
    let confined = processes.confined().await.expect("confined answers");
    assert!(!confined.contains(&one) && !confined.contains(&two), "no cgroup is left");
    processes.clear(fresh_claim()).await.expect("a claim that nothing bears is cleared");
}
