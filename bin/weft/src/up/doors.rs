//! The listening sockets: bound, or handed over by a predecessor; they outlive the house behind them.
//!
//! Each time the doors are opened they are served through copies of their descriptors. The sockets
//! themselves stay: while nobody serves, connections wait in their backlog.

use super::guests::Guests;
use super::house::House;
use super::listen::{self, Ends};
use super::routes;
use crate::observe::Figures;
use crate::settings::Settings;
use anyhow::{Result, anyhow};
use std::net::{SocketAddr, TcpListener};
use weft_ports::task::{self, Task};

/// The listening sockets.
#[derive(Debug)]
pub(crate) struct Doors {
    /// Of the API.
    pub(crate) api: TcpListener,
    /// Of the metrics.
    pub(crate) metrics: TcpListener,
}

impl Doors {
    /// Takes those that a predecessor handed over where the settings want them, and binds the others.
    ///
    /// # Errors
    /// An address cannot be listened on.
    pub(crate) async fn open(settings: &Settings, handed: Option<(TcpListener, TcpListener)>) -> Result<Self> {
        let (api, metrics) = handed.unzip();
        Ok(Self {
            api: taken_or_bound("server.listen", settings.listen, api).await?,
            metrics: taken_or_bound("server.metrics_listen", settings.metrics_listen, metrics).await?,
        })
    }

    /// Where the API is.
    ///
    /// # Errors
    /// The kernel does not tell.
    pub(crate) fn api(&self) -> Result<SocketAddr> {
        Ok(self.api.local_addr()?)
    }

    /// Where the metrics are.
    ///
    /// # Errors
    /// The kernel does not tell.
    pub(crate) fn metrics(&self) -> Result<SocketAddr> {
        Ok(self.metrics.local_addr()?)
    }

    /// Serves this house through them.
    ///
    /// # Errors
    /// Descriptors have run out.
    pub(crate) fn serve(&self, house: &House, figures: Figures, ends: &Ends) -> Result<[Task<()>; 2]> {
        let guests = Guests::new(house.control.clone());
        let copy = |door: &TcpListener| tokio::net::TcpListener::from_std(door.try_clone()?);
        let (api, metrics) = (copy(&self.api)?, copy(&self.metrics)?);
        Ok([
            task::spawn("api", listen::serve(api, routes::api(house), guests.clone(), ends.clone())),
            task::spawn("metrics", listen::serve(metrics, routes::metrics(figures), guests, ends.clone())),
        ])
    }
}

async fn taken_or_bound(key: &str, wanted: SocketAddr, handed: Option<TcpListener>) -> Result<TcpListener> {
    let fits = |there: SocketAddr| there.ip() == wanted.ip() && (wanted.port() == 0 || there.port() == wanted.port());
    match handed {
        Some(handed) if handed.local_addr().is_ok_and(fits) => Ok(handed),
        Some(_) | None => bind(key, wanted).await,
    }
}

async fn bind(key: &str, address: SocketAddr) -> Result<TcpListener> {
    let bound = tokio::net::TcpListener::bind(address).await.map_err(|why| {
        let busy = why.kind() == std::io::ErrorKind::AddrInUse;
        let fix = if busy {
            "another program listens there; end it, or give another address"
        } else {
            "give another address"
        };
        anyhow!("{key} is {address}, which cannot be listened on ({why}): {fix}")
    })?;
    Ok(bound.into_std()?)
}
