//! The machine was restarted, or a pid of a VM is somebody else's now.
//!
//! What must hold: a VM that ran is told to have ended with the host, and runs again if its policy says so;
//! nothing waits for a pid of the former boot; a process that is not ours is neither signalled nor taken up,
//! whatever pid the journal holds.

use crate::house::{Ground, House, lives, pid, signal};
use rustix::process::Signal;
use std::process::{Child, Command, Stdio};
use weft_domain::instance::ExitCause;
use weft_domain::spec::RestartPolicy;
use weft_domain::{ClaimId, Phase};
use weft_ports::api::Vm;
use weft_ports::claims::{Claimed, Claims, Note};
use weft_testbed::watch::until;

/// All VMMs end, as they do with their machine; its folder of sockets is empty after it.
fn lose_machines(house: &House) {
    for vmm in house.daemon.vmms() {
        signal(vmm, Signal::KILL);
    }
    while !house.daemon.vmms().is_empty() {
        // why: the kernel ends them in its own time.
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let run = house.daemon.data_dir().join("run");
    std::fs::remove_dir_all(&run).expect("there");
    std::fs::create_dir(&run).expect("made");
}

/// A process of somebody else.
struct Stranger(Child);

impl Stranger {
    fn new() -> Self {
        Self(Command::new("sleep").arg("3600").stdin(Stdio::null()).spawn().expect("started"))
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        // It waits for nothing else.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Changes what the journal says of the processes.
async fn falsify(house: &House, change: impl Fn(&mut Note)) -> Vec<ClaimId> {
    let dir = house.daemon.data_dir().join("journal");
    let journal = weft_host::journal::open(weft_host::journal::Config { dir }).expect("nobody holds it");
    let mut changed = Vec::new();
    for mut entry in journal.list().await.expect("read") {
        if matches!(entry.claim.what, Claimed::Process(_)) {
            change(&mut entry.note);
            journal.note(entry.claim.id, entry.note).await.expect("noted");
            changed.push(entry.claim.id);
        }
    }
    changed
}

#[tokio::test]
async fn vms_of_a_former_boot_ended_with_it_and_run_again_as_their_policy_says() {
    let Some(ground) = Ground::new() else { return };
    let through = ground.through();
    let through: Vec<&str> = through.iter().map(String::as_str).collect();
    let mut house = House::open_through(&through, &[]);
    let mut draft = house.draft();
    draft.restart = RestartPolicy::OnFailure;
    let again = house.running("again", draft.check().expect("lawful")).await;
    let stays = house.running("stays", house.with_disk()).await;
    house.daemon.kill().expect("killed");
    lose_machines(&house);
    let stranger = Stranger::new();
    // Of the new boot, and at the pid that a VM had: even its start time could be the same.
    falsify(&house, |note| note.alive.iter_mut().for_each(|alive| alive.pid = stranger.0.id())).await;
    let boot = house.image("boot_id");
    std::fs::write(&boot, "01234567-89ab-4def-8123-456789abcdef\n").expect("written");
    let file = "/proc/sys/kernel/random/boot_id";
    assert!(ground.run("mount", &["--bind", boot.to_str().expect("text"), file]), "mounted");
    house.daemon.up().unwrap_or_else(|error| panic!("{error:#}"));
    let anew = |vm: &Vm| vm.value.status.phase == Phase::Running && vm.value.status.last_exit.is_some();
    let now = until(&house.weft(), "again", anew).await.value;
    assert!(pid(&now) != pid(&again) && pid(&now) != stranger.0.id());
    assert_eq!(now.status.last_exit.map(|exit| exit.cause), Some(ExitCause::HostRestarted));
    let ended = house.phase("stays", Phase::Failed).await;
    let exit = ended.status.last_exit.expect("it is told");
    assert_eq!((exit.cause, exit.message.as_str()), (ExitCause::HostRestarted, "the host was restarted"));
    assert!(lives(stranger.0.id()) && !lives(pid(&stays)));
    house.assert_leaves_nothing().await;
    assert!(lives(stranger.0.id()), "it is not ours");
}

#[tokio::test]
async fn a_pid_that_is_somebody_elses_now_is_neither_signalled_nor_taken_up() {
    let mut house = House::open(&[]);
    house.running("gone", house.with_disk()).await;
    house.daemon.kill().expect("killed");
    lose_machines(&house);
    let stranger = Stranger::new();
    falsify(&house, |note| {
        if let Some(alive) = &mut note.alive {
            (alive.pid, alive.start_ticks) = (stranger.0.id(), alive.start_ticks.saturating_sub(1));
        }
    })
    .await;
    house.daemon.up().expect("up");
    let ended = house.phase("gone", Phase::Failed).await.status;
    assert_eq!((ended.last_exit.map(|exit| exit.cause), ended.running), (Some(ExitCause::VmmDied), None));
    house.assert_leaves_nothing().await;
    assert!(lives(stranger.0.id()), "it is not ours");
}
