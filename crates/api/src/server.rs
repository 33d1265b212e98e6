//! The server door: every RPC service over the ports, on one axum router.
//!
//! ```text
//!  request ─► loopback only? ─► deadline? ─► envelope ─► RPC library ─► observe ─► strict JSON ─► adapter ─► port
//!  answer  ◄───────────────── details for errors without ◄──────────────── Fault with details ◄─┘
//! ```
//!
//! Connect, gRPC and gRPC-Web are told apart by content type; HTTP/1.1 and h2c both work. What this
//! room does not know: listeners, TLS, accounts, where state is.

mod call;
mod console;
mod envelope;
mod events;
mod nodes;
mod observe;
mod origin;
mod patience;
mod refusal;
mod snapshots;
mod states;
mod strict;
mod usage;
mod vms;

use crate::compat::MetaldDoor;
use crate::proto::vmprovisioner::v1::VmServiceExt as _;
use crate::proto::weft::v1::{
    EventServiceExt as _, NodeServiceExt as _, SnapshotServiceExt as _, StateServiceExt as _, UsageServiceExt as _,
    VmServiceExt as _,
};
use crate::schema::{DESCRIPTORS, SCHEMA};
use axum::middleware::from_fn;
use connectrpc::{ConnectRpcService, Limits, Router};
use connectrpc_health::{StaticChecker, Status};
use connectrpc_reflection::Reflector;
use std::sync::Arc;
use weft_ports::api::{Backups, Consoles, Devices, Events, Nodes, Power, Snapshots, Usage, Vms};

/// What the door leads to.
#[derive(Clone)]
pub struct Ports {
    /// VMs as resources.
    pub vms: Arc<dyn Vms>,
    /// What runs.
    pub power: Arc<dyn Power>,
    /// What is plugged into VMs, and their sizes.
    pub devices: Arc<dyn Devices>,
    /// Snapshots, and what begins from them.
    pub snapshots: Arc<dyn Snapshots>,
    /// Consoles and their logs.
    pub consoles: Arc<dyn Consoles>,
    /// Nodes.
    pub nodes: Arc<dyn Nodes>,
    /// Events.
    pub events: Arc<dyn Events>,
    /// Copies of the state.
    pub backups: Arc<dyn Backups>,
    /// What was used; a door without it does not offer the service.
    pub usage: Option<Arc<dyn Usage>>,
}

/// Whose requests are heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Audience {
    /// Only requests whose `Host` and `Origin` name loopback.
    #[default]
    Loopback,
    /// All: something before the door knows who asks.
    Anyone,
}

/// How the door behaves.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Whose requests are heard.
    pub audience: Audience,
    /// The largest request body in bytes, compressed or not.
    pub max_body_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { audience: Audience::Loopback, max_body_bytes: 1 << 20 }
    }
}

/// The door, and the word on how it is.
pub struct Door {
    /// Serves every service; further routes may be added.
    pub router: axum::Router,
    /// What `grpc.health.v1.Health` tells.
    pub health: Health,
}

/// What `grpc.health.v1.Health` tells, for the whole server and for each service.
#[derive(Clone)]
pub struct Health(Arc<StaticChecker>);

/// Whether requests can be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Serving {
    /// They can.
    Yes,
    /// Not now.
    No,
}

impl Health {
    /// Tells whether requests can be served from now on. Watchers are told at once.
    pub fn set(&self, serving: Serving) {
        let status = match serving {
            Serving::Yes => Status::Serving,
            Serving::No => Status::NotServing,
        };
        for service in self.0.services().iter().map(String::as_str).chain([""]) {
            // Every name was registered when the door was made.
            let _ = self.0.set_status(service, status);
        }
    }
}

/// The door over these ports. Make it after the global meter provider is in place.
#[must_use]
pub fn door(ports: Ports, options: Options) -> Door {
    let Ports { vms, power, devices, snapshots, consoles, nodes, events, backups, usage } = ports;
    let metald = Arc::new(MetaldDoor::new(vms.clone(), power.clone()));
    let router = Arc::new(vms::VmDoor { vms, power, devices, consoles }).register(Router::new());
    let router = Arc::new(snapshots::SnapshotDoor(snapshots)).register(router);
    let router = Arc::new(nodes::NodeDoor(nodes)).register(router);
    let router = Arc::new(events::EventDoor(events)).register(router);
    let router = Arc::new(states::StateDoor(backups)).register(router);
    let router = metald.register(router);
    let absent = if usage.is_none() { usage::NAME } else { "" };
    let router = match usage {
        Some(usage) => Arc::new(usage::UsageDoor(usage)).register(router),
        None => router,
    };
    let offered = SCHEMA.services().iter().filter(|name| *name != absent).cloned();
    let (router, checker) = connectrpc_health::install_static(router, offered);
    let reflector = Reflector::from_descriptor_set_bytes(DESCRIPTORS).expect("the build wrote a lawful descriptor set");
    let listed: Vec<String> = reflector.service_names().into_iter().filter(|name| name != absent).collect();
    let reflector = reflector.with_services(listed);
    let router = connectrpc_reflection::install(router, reflector);
    let limits = Limits::default()
        .with_max_request_body_size(options.max_body_bytes)
        .with_max_message_size(options.max_body_bytes);
    let service = ConnectRpcService::new(router)
        .with_limits(limits)
        .with_interceptor(observe::Observe::new())
        .with_interceptor(strict::Strict);
    let router = axum::Router::new()
        .fallback_service(service)
        .layer(from_fn(envelope::envelope))
        .layer(from_fn(patience::readable));
    let router = match options.audience {
        Audience::Loopback => router.layer(from_fn(origin::loopback_only)),
        Audience::Anyone => router,
    };
    Door { router, health: Health(checker) }
}
