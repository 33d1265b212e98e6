//! `weft doctor --census`: what is on this host, set against the journal and the state.
//!
//! ```text
//!  a weft runs on the data folder ─► its API takes the census        it heals by itself
//!  none does ─► the locks of state and journal are taken ─► host ─► journal ─► state     nothing is changed
//! ```

use crate::rooms::{self, Host};
use crate::settings::Settings;
use crate::state::Running;
use crate::{client, internal};
use anyhow::{Context, Result, bail};
use std::io::IsTerminal;
use weft_cli::show::paint::Paint;
use weft_cli::{Exit, Globals};
use weft_domain::census::{Census, Depth, Held, Hold, Wishes, take};
use weft_domain::object::{Key, Object, Sort};
use weft_domain::{Fault, Reason};
use weft_ports::api::{Call, ListQuery};
use weft_ports::clock::{Clock, System};
use weft_ports::store::Store;

/// So many lines are shown.
const LINES: usize = 1_000;
/// Objects that are read at once.
const PAGE: usize = 1_000;

/// Takes it, and prints it.
///
/// # Errors
/// The state cannot be read, or the weft that runs does not answer.
pub(super) async fn run(globals: &Globals, settings: &Settings) -> Result<Exit> {
    let running = Running::find(&settings.data_dir).filter(|running| running.lives(&settings.data_dir));
    let census = match running {
        Some(running) => asked(globals, &running).await?,
        None => taken(settings).await?,
    };
    let plain = globals.no_color || !std::io::stdout().is_terminal();
    let paint = if plain { Paint::Plain } else { Paint::Colour };
    internal::print(&weft_cli::doctor::census_text(&census, &weft_api::Documents, globals.output, paint))?;
    Ok(if census.is_clean() { Exit::DONE } else { Exit::UNCLEAN })
}

/// The census of the weft that runs.
async fn asked(globals: &Globals, running: &Running) -> Result<Census, Fault> {
    let globals = Globals { server: format!("http://{}", running.api), ..globals.clone() };
    let services = client::services(&globals)?;
    let call = Call { timeout: globals.timeout, ..Call::by("doctor") };
    let page = services.nodes.list(&call, &ListQuery::default()).await?;
    let node = page.items.first().ok_or_else(|| {
        Fault::new(Reason::NodeAway, "weft runs, and its node has not registered yet").fix("try again in a moment")
    })?;
    services.nodes.census(&call, &node.value.id.to_string()).await
}

/// The census of a data folder on which no weft runs.
async fn taken(settings: &Settings) -> Result<Census> {
    let data_dir = &settings.data_dir;
    if !data_dir.join("journal").is_dir() && !data_dir.join("store").is_dir() {
        bail!("{} holds no state of weft: name the folder of yours with --data-dir", data_dir.display());
    }
    // Held to the end, so that no weft begins to work meanwhile.
    let store = match data_dir.join("store/store").exists() {
        true => Some(rooms::open_store(settings).await?),
        false => None,
    };
    let host = Host::open(settings)?;
    let look = host.sightings.look(Depth::Whole).await?;
    let journal = weft_host::journal::Config { dir: data_dir.join("journal") };
    let entries = tokio::task::spawn_blocking(move || weft_host::journal::read(&journal));
    let entries = entries.await.context("the journal's reading was broken off")?.map_err(Fault::from)?;
    let holds: Vec<Hold> = entries.iter().map(Hold::from).collect();
    let wishes = match &store {
        Some(store) => wishes(store.as_ref(), &holds).await?,
        None => unknown(&holds),
    };
    let census = take(look, &holds, &wishes, System.now()).told(LINES);
    if let Some(store) = store {
        store.close().await;
    }
    Ok(census)
}

/// That the state knows nothing of this.
fn unknown(holds: &[Hold]) -> Wishes {
    let mut wishes = Wishes::default();
    for hold in holds {
        match &hold.held {
            Held::Snapshot(id, _) => _ = wishes.unknown_snapshots.insert(*id),
            Held::Folder(_) | Held::Disk(_) | Held::Process { .. } => _ = wishes.unknown.insert(hold.instance),
        }
    }
    wishes
}

/// What the state says of what is claimed.
async fn wishes(store: &dyn Store, holds: &[Hold]) -> Result<Wishes, Fault> {
    let mut wishes = unknown(holds);
    for sort in [Sort::Instance, Sort::Snapshot] {
        let mut after: Option<Key> = None;
        loop {
            let (page, _) = store.scan(sort, after.take(), PAGE).await?;
            for (_, stored) in &page {
                known(&stored.value, &mut wishes);
            }
            after = page.last().map(|(key, _)| key.clone()).filter(|_| page.len() == PAGE);
            if after.is_none() {
                break;
            }
        }
    }
    Ok(wishes)
}

fn known(object: &Object, wishes: &mut Wishes) {
    match object {
        Object::Instance(one) => {
            wishes.unknown.remove(&one.meta.id);
            if one.desired.deleted {
                wishes.ending.insert(one.meta.id);
            }
        }
        Object::Snapshot(one) => {
            wishes.unknown_snapshots.remove(&one.id);
            if one.phase == weft_domain::snapshot::SnapshotPhase::Deleting {
                wishes.ending_snapshots.insert(one.id);
            }
        }
        Object::Name(_) | Object::Request(_) | Object::Event(_) | Object::Node(_) | Object::SnapshotName(_) => {}
    }
}
