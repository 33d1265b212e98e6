//! `weft up`: server, store and agent in one process, for one machine.
//!
//! ```text
//!  bind ─► store (locks the data folder) ─► journal ─► drivers ─► control ─► agent ─► serve
//!  signal ─► no new requests ─► agent ─► control ─► store closed          VMs go on
//! ```

mod guests;
mod house;
mod listen;
mod routes;

use crate::observe::{self, Figures};
use crate::settings::Settings;
use crate::state::Running;
use crate::{internal, signals};
use anyhow::{Result, anyhow};
use guests::Guests;
use house::House;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use weft_cli::Exit;
use weft_ports::task;

/// How long requests that are under way may take after the end was asked for.
const DRAIN: Duration = Duration::from_secs(5);

/// Runs until it is asked to end.
///
/// # Errors
/// What this machine lacks, or who holds what is needed.
pub(crate) async fn run(settings: Settings) -> Result<Exit> {
    observe::log(&settings.log_filter, settings.log_format)?;
    for notice in &settings.notices {
        tracing::warn!("{notice}");
    }
    let (end, _signals) = signals::end()?;
    let figures = Figures::begin()?;
    let api = bind("server.listen", settings.listen).await?;
    let metrics = bind("server.metrics_listen", settings.metrics_listen).await?;
    let running = Running {
        pid: rustix::process::getpid().as_raw_nonzero().get(),
        api: api.local_addr()?,
        metrics: metrics.local_addr()?,
    };
    let (stop, close) = (watch::Sender::new(false), CancellationToken::new());
    let house = House::open(&settings).await?;
    observe::store(&house.store);
    let mut rooms = house.run(stop.subscribe());
    tokio::select! {
        () = house.ready() => {}
        broken = rooms.broken() => return Err(broken),
    }
    running.tell(&settings.data_dir)?;
    let guests = Guests::new(house.control.clone());
    let doors = [
        task::spawn("api", listen::serve(api, routes::api(&house), guests.clone(), close.clone())),
        task::spawn("metrics", listen::serve(metrics, routes::metrics(figures), guests, close.clone())),
    ];
    tracing::info!(api = %running.api, metrics = %running.metrics, data = %settings.data_dir.display(), "weft is up");
    internal::print(&format!(
        "weft is up at http://{} (metrics at http://{}/metrics)\n",
        running.api, running.metrics
    ))?;
    let ended = tokio::select! {
        () = end.cancelled() => Ok(()),
        broken = rooms.broken() => Err(broken),
    };
    tracing::info!("weft goes down; VMs go on");
    house.health.set(weft_api::server::Serving::No);
    close.cancel();
    for door in doors {
        // A door that does not close in time is dropped with its connections.
        let _ = tokio::time::timeout(DRAIN, door).await;
    }
    stop.send_replace(true);
    rooms.join(DRAIN).await;
    house.store.close().await;
    Running::untell(&settings.data_dir);
    ended.map(|()| Exit::DONE)
}

async fn bind(key: &str, address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|why| {
        let busy = why.kind() == std::io::ErrorKind::AddrInUse;
        let fix = if busy {
            "another program listens there; end it, or give another address"
        } else {
            "give another address"
        };
        anyhow!("{key} is {address}, which cannot be listened on ({why}): {fix}")
    })
}
