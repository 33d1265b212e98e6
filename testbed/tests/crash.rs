//! Something is killed at named points while clients work; nothing may be left, lost, doubled or half done.
//!
//! It is `weft bench crash`, a seeded part of what is told in docs/reliability.md: over stand-ins always, over
//! real VMMs where they are found. `WEFT_SEED` gives a run again; a failure tells the seed of its world, which
//! `weft bench crash --replay` takes.

#![expect(clippy::print_stdout, reason = "a seed is told, and what could not be run")]

use serde_json::Value;
use std::process::{Command, Stdio};
use weft_testbed::daemon::program;

/// Deaths over stand-ins.
const STAND_INS: u32 = 150;
/// Deaths over real VMMs, which are slower.
const REAL: u32 = 24;
/// What says that a build has no fault points.
const NO_POINTS: &str = "no fault points";

/// The seed where nobody gives one: a test is the same each time, and the bench is there to look further.
const SEED: &str = "99";

/// `WEFT_SEED`, to see another.
#[expect(clippy::disallowed_methods, reason = "a test that failed is repeated by hand")]
fn seed() -> String {
    std::env::var("WEFT_SEED").unwrap_or_else(|_| SEED.to_owned())
}

/// The report, or what was said instead.
fn bench(words: &[&str], seed: &str, points: u32) -> Result<Value, String> {
    let points = points.to_string();
    let mut command = Command::new(program());
    command.args(["bench", "crash", "--points", &points, "--seed", seed, "--parallel", "2"]).args(words);
    let output = command.stdin(Stdio::null()).output().expect("weft can be run");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    serde_json::from_slice::<Value>(&output.stdout).map_err(|_| said)
}

/// At points where the build has them, else at instants.
fn crash(driver: &str, points: u32) {
    let seed = seed();
    println!("WEFT_SEED={seed}");
    let words = ["--driver", driver];
    let report = match bench(&words, &seed, points) {
        Err(said) if said.contains(NO_POINTS) => {
            println!("this build has no fault points: what is killed is killed at random instants");
            bench(&[&words[..], &["--random"]].concat(), &seed, points)
        }
        other => other,
    };
    let report = match report {
        Err(said) if said.contains("no VMM takes part") => return println!("skipped: {}", said.trim()),
        other => other.unwrap_or_else(|said| panic!("weft bench crash: {said}")),
    };
    let found = &report["crash"];
    for sort in ["leaks", "lost", "doubled", "dishonoured", "failed_worlds"] {
        assert_eq!(found[sort], 0, "{sort}; WEFT_SEED={seed}\n{:#}", found["failures"]);
    }
    println!("{} deaths, {} of them at points: nothing was found", found["points"], found["at_points"]);
    assert!(found["points"].as_u64() >= Some(u64::from(points)), "{found:#}");
}

#[test]
fn stand_ins_lose_and_leave_nothing() {
    crash("stand-in", STAND_INS);
}

#[test]
fn real_machines_lose_and_leave_nothing() {
    crash("real", REAL);
}
