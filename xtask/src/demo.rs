//! The demo: one real virtual machine through the whole house, on this machine.
//!
//! `run` gets what is missing, builds `weft` (the dev profile: a first build is
//! several times faster than a release, and the waiting is the guest's) and
//! plays `steps` on a `Stage`: a folder of its own that is removed at the end,
//! whatever happened. Nothing outside that folder is touched.

mod stage;

use crate::tree::Tree;
use crate::{generate, setup, shell};
use anyhow::Result;
use stage::Stage;

/// Sets up, builds, plays.
pub(crate) fn run(tree: &Tree) -> Result<()> {
    setup::ensure()?;
    println!("building weft (dev profile, for a quick first run) …");
    shell::run(&mut generate::build(tree))?;
    let mut stage = Stage::open(&generate::built(tree)?)?;
    let outcome = steps(&mut stage);
    stage.close(outcome)
}

/// Measures weft beside its floors, in a release build.
pub(crate) fn bench(tree: &Tree, names: &[String]) -> Result<()> {
    setup::ensure()?;
    let all = ["store", "api", "lifecycle"].map(str::to_owned);
    for name in if names.is_empty() { &all[..] } else { names } {
        let mut cargo = tree.cargo();
        cargo.args(["run", "--quiet", "--release", "--package", "weft", "--", "bench", name]);
        shell::say_and_run(&mut cargo)?;
    }
    Ok(())
}

/// What the audience sees.
fn steps(stage: &mut Stage) -> Result<()> {
    stage.title("weft starts: everything in one process, its state in one folder");
    stage.start()?;

    stage.title("a virtual machine is asked for, with nothing but a name, and booted");
    stage.weft(&["vm", "create", "demo"])?;
    stage.weft(&["vm", "boot", "demo"])?;
    stage.weft(&["vm", "wait", "demo", "--for", "Ready"])?;

    stage.title("it runs: its status and what it wrote to its console");
    stage.weft(&["vm", "get", "demo"])?;
    stage.weft(&["vm", "logs", "demo"])?;

    stage.title("weft is killed and started again: the machine never noticed");
    stage.kill()?;
    stage.start()?;
    stage.weft(&["vm", "list", "-o", "wide"])?;

    stage.title("the guest is asked to shut down, and the machine is deleted");
    stage.weft(&["vm", "shutdown", "demo"])?;
    stage.weft(&["vm", "get", "demo"])?;
    stage.weft(&["vm", "delete", "demo"])?;
    stage.weft(&["event", "list"])?;

    stage.title("weft stops, and nothing is left");
    stage.stop()?;
    stage.nothing_is_left()
}
