//! The census that is taken while no weft runs: from the folders and their locks, with nothing changed.

use crate::house::{House, alive};
use crate::plant::{self, Plants};
use crate::until;
use std::fs;
use std::path::Path;
use weft_domain::census::Sort;

#[tokio::test]
async fn without_a_weft_the_host_is_looked_at_and_nothing_is_changed() {
    let Some(mut house) = House::open(&[]).await else { return };
    let (one, two) = (house.boot("one").await, house.boot("two").await);
    house.daemon.kill().expect("it runs");
    let (code, shown) = house.doctor(&[]);
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("process") && shown.contains("ADOPTED"), "{shown}");

    let plants = Plants::set(&house);
    let journal = fs::read(house.path("journal/claims.log")).expect("a journal");
    let (code, shown) = house.doctor(&["-o", "wide"]);
    assert_eq!(code, Some(20), "{shown}");
    for (sort, name) in plants.leaked.iter().chain(&plants.kept).chain(&plants.foreign) {
        let line = shown.lines().find(|line| line.contains(name.as_str()) && line.contains(sort.as_str()));
        let is_foreign = plants.foreign.contains(&(*sort, name.clone()));
        let verdict = if is_foreign { "foreign" } else { "leaked" };
        assert!(line.is_some_and(|line| line.starts_with(verdict)), "{verdict} {sort} {name}: {line:?}\n{shown}");
    }
    assert!(!plants.healed(), "whoever looks changes nothing");
    assert_eq!(fs::read(house.path("journal/claims.log")).expect("a journal"), journal);
    plants.assert_rest_is_there();

    // One is gone, and nobody wrote down how.
    plant::kill(two);
    let (_, shown) = house.doctor(&["-o", "name"]);
    assert!(shown.lines().any(|line| line == format!("{}/{two}", Sort::Process)), "{shown}");
    let (_, json) = house.doctor(&["-o", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap_or_else(|why| panic!("{why}: {json}"));
    let lines = json["lines"].as_array().expect("lines");
    let name = two.to_string();
    let is_it = |line: &serde_json::Value| line["verdict"] == "missing" && line["name"] == name.as_str();
    assert!(lines.iter().any(is_it), "{json}");

    // The next weft heals at once what may be healed.
    house.daemon.up().expect("it comes up again");
    assert!(alive(one), "{}", house.daemon.log());
    let run_folders: Vec<_> = plants.leaked.iter().filter(|(sort, _)| *sort == Sort::RunFolder).collect();
    until("the first census", || run_folders.iter().all(|(_, name)| !Path::new(name).exists()));
    plants.assert_rest_is_there();
    house.delete_all().await;
}

#[tokio::test]
async fn a_folder_without_state_is_no_clean_census() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = std::process::Command::new(weft_testbed::daemon::program());
    let output = command.arg("--data-dir").arg(folder.path()).args(["doctor", "--census"]).output().expect("it runs");
    let shown = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(5), "{shown}");
    assert!(shown.contains("holds no state of weft") && shown.contains("--data-dir"), "{shown}");
    assert_eq!(fs::read_dir(folder.path()).expect("it is there").count(), 0, "nothing was made");
}
