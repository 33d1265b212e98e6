//! The floor of starting: the same stubs by hand, as many at a time, with the fewest calls.

use super::daemon::Daemon;
use crate::boot::AT_A_TIME;
use crate::by_hand::{self, Plain, Recipe, Started};
use anyhow::Result;
use futures::{StreamExt, TryStreamExt, stream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Starts so many, all of which run at once, and ends them; how long each took, and all.
pub(super) async fn start(daemon: &Daemon, vms: u32) -> Result<(Vec<Duration>, Duration)> {
    let (program, kernel) = (daemon.stub(), daemon.kernel());
    let recipe = Arc::new(Recipe::Firecracker(Plain { program, kernel, mebibytes: super::daemon::MEBIBYTES }));
    let scratch = daemon.passing()?;
    let folders = (0..vms).map(|number| scratch.path().join(number.to_string()));
    let folders: Vec<PathBuf> =
        folders.map(|folder| std::fs::create_dir(&folder).map(|()| folder)).collect::<Result<_, _>>()?;
    let begun = Instant::now();
    let one = |folder: PathBuf| {
        let recipe = Arc::clone(&recipe);
        async move { tokio::task::spawn_blocking(move || by_hand::start(&recipe, &folder)).await? }
    };
    let started: Vec<Started> = stream::iter(folders).map(one).buffer_unordered(AT_A_TIME).try_collect().await?;
    let wall = begun.elapsed();
    let took = started.iter().map(|one| one.took).collect();
    tokio::task::spawn_blocking(move || drop(started)).await?;
    Ok((took, wall))
}
