//! Every endpoint of the interface as data: what it takes, when it may be called, what it counts.
//!
//! A request comes in, an [`Order`] goes out: the deed, the id from the path and the body read by its shape,
//! or the refusal. What is refused here never reached the VMM.

use super::refusal::Refusal;
use super::shapes;
use crate::shape::Shape;
use crate::version::{ALWAYS, Since, Version};
use crate::wire::Request;
use serde_json::{Map, Value};

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    Describe,
    TellVersion,
    Export,
    GetMachine,
    GetMmds,
    GetBalloon,
    GetBalloonStats,
    GetHinting,
    GetHotplug,
    PutMachine,
    PatchMachine,
    PutBoot,
    PutCpu,
    PutDrive,
    PatchDrive,
    DeleteDrive,
    PutNic,
    PatchNic,
    DeleteNic,
    PutPmem,
    PatchPmem,
    DeletePmem,
    PutVsock,
    PutEntropy,
    PutSerial,
    PutBalloon,
    PatchBalloon,
    PatchBalloonStats,
    StartHinting,
    StopHinting,
    PutHotplug,
    PatchHotplug,
    PutMmdsConfig,
    PutMmds,
    PatchMmds,
    PutLogger,
    PutMetrics,
    Act,
    PatchVm,
    CreateSnapshot,
    LoadSnapshot,
}

/// When an endpoint may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// At any time.
    Any,
    /// Before the machine started.
    Before,
    /// Once the machine started.
    After,
}

/// What a body may be.
#[derive(Debug, Clone, Copy)]
enum Body {
    None,
    Of(&'static Shape),
    Maybe(&'static Shape),
    MaybeIgnored,
    Free,
}

/// One endpoint.
#[derive(Debug)]
pub(crate) struct Endpoint {
    method: &'static str,
    path: &'static str,
    /// What it does.
    pub(crate) deed: Deed,
    body: Body,
    /// The body's field that has to be the path's id.
    id: &'static str,
    /// When it may be called.
    pub(crate) when: When,
    /// Whether a snapshot can no longer be loaded after it.
    pub(crate) boots: bool,
    /// The group and the stem of its counters.
    pub(crate) counter: Option<(&'static str, &'static str)>,
    since: Since,
}

/// What a request asks of the VMM.
#[derive(Debug)]
pub(crate) struct Order {
    /// The endpoint.
    pub(crate) endpoint: &'static Endpoint,
    /// The id from the path; empty where it has none.
    pub(crate) id: String,
    /// The body, filled in.
    pub(crate) body: Value,
}

const GET: &str = "get_api_requests";
const PUT: &str = "put_api_requests";
const PATCH: &str = "patch_api_requests";

const fn get(path: &'static str, deed: Deed, when: When) -> Endpoint {
    Endpoint { method: "GET", path, deed, body: Body::None, id: "", when, boots: false, counter: None, since: ALWAYS }
}

const fn put(path: &'static str, deed: Deed, shape: &'static Shape) -> Endpoint {
    let body = Body::Of(shape);
    Endpoint { method: "PUT", path, deed, body, id: "", when: When::Before, boots: false, counter: None, since: ALWAYS }
}

const fn patch(path: &'static str, deed: Deed, shape: &'static Shape) -> Endpoint {
    Endpoint { method: "PATCH", when: When::After, ..put(path, deed, shape) }
}

const fn delete(path: &'static str, deed: Deed) -> Endpoint {
    Endpoint { method: "DELETE", since: (1, 16), ..get(path, deed, When::After) }
}

impl Endpoint {
    const fn counts(self, group: &'static str, stem: &'static str) -> Self {
        Self { counter: Some((group, stem)), ..self }
    }

    const fn boots(self) -> Self {
        Self { boots: true, ..self }
    }

    const fn any(self) -> Self {
        Self { when: When::Any, ..self }
    }

    const fn after(self) -> Self {
        Self { when: When::After, ..self }
    }

    const fn of(self, id: &'static str) -> Self {
        Self { id, ..self }
    }

    const fn with(self, body: Body) -> Self {
        Self { body, ..self }
    }

    const fn since(self, since: Since) -> Self {
        Self { since, ..self }
    }
}

/// The whole interface.
static ENDPOINTS: &[Endpoint] = &[
    get("/", Deed::Describe, When::Any).counts(GET, "instance_info"),
    get("/version", Deed::TellVersion, When::Any).counts(GET, "vmm_version"),
    get("/vm/config", Deed::Export, When::Any),
    get("/machine-config", Deed::GetMachine, When::Any).counts(GET, "machine_cfg"),
    get("/mmds", Deed::GetMmds, When::Any).counts(GET, "mmds"),
    get("/balloon", Deed::GetBalloon, When::Any),
    get("/balloon/statistics", Deed::GetBalloonStats, When::After),
    get("/balloon/hinting/status", Deed::GetHinting, When::After).since((1, 14)),
    get("/hotplug/memory", Deed::GetHotplug, When::After).counts(GET, "hotplug_memory").since((1, 14)),
    put("/machine-config", Deed::PutMachine, &shapes::MACHINE).boots().counts(PUT, "machine_cfg"),
    patch("/machine-config", Deed::PatchMachine, &shapes::MACHINE_UPDATE).before().boots().counts(PATCH, "machine_cfg"),
    put("/boot-source", Deed::PutBoot, &shapes::BOOT).boots().counts(PUT, "boot_source"),
    put("/cpu-config", Deed::PutCpu, &shapes::CPU).counts(PUT, "cpu_cfg"),
    put("/drives/{id}", Deed::PutDrive, &shapes::DRIVE).any().of("drive_id").boots().counts(PUT, "drive"),
    patch("/drives/{id}", Deed::PatchDrive, &shapes::DRIVE_UPDATE).of("drive_id").counts(PATCH, "drive"),
    delete("/drives/{id}", Deed::DeleteDrive),
    put("/network-interfaces/{id}", Deed::PutNic, &shapes::NIC).any().of("iface_id").boots().counts(PUT, "network"),
    patch("/network-interfaces/{id}", Deed::PatchNic, &shapes::NIC_UPDATE).of("iface_id").counts(PATCH, "network"),
    delete("/network-interfaces/{id}", Deed::DeleteNic),
    put("/pmem/{id}", Deed::PutPmem, &shapes::PMEM).any().of("id").boots().counts(PUT, "pmem").since((1, 14)),
    patch("/pmem/{id}", Deed::PatchPmem, &shapes::PMEM_UPDATE).of("id").counts(PATCH, "pmem").since((1, 16)),
    delete("/pmem/{id}", Deed::DeletePmem),
    put("/vsock", Deed::PutVsock, &shapes::VSOCK).boots().counts(PUT, "vsock"),
    put("/entropy", Deed::PutEntropy, &shapes::ENTROPY).boots(),
    put("/serial", Deed::PutSerial, &shapes::SERIAL).counts(PUT, "serial").since((1, 14)),
    put("/balloon", Deed::PutBalloon, &shapes::BALLOON).boots(),
    patch("/balloon", Deed::PatchBalloon, &shapes::BALLOON_UPDATE),
    patch("/balloon/statistics", Deed::PatchBalloonStats, &shapes::BALLOON_STATS),
    patch("/balloon/hinting/start", Deed::StartHinting, &shapes::HINTING)
        .with(Body::Maybe(&shapes::HINTING))
        .since((1, 14)),
    patch("/balloon/hinting/stop", Deed::StopHinting, &shapes::HINTING).with(Body::MaybeIgnored).since((1, 14)),
    put("/hotplug/memory", Deed::PutHotplug, &shapes::HOTPLUG).boots().counts(PUT, "hotplug_memory").since((1, 14)),
    patch("/hotplug/memory", Deed::PatchHotplug, &shapes::HOTPLUG_UPDATE)
        .counts(PATCH, "hotplug_memory")
        .since((1, 14)),
    put("/mmds/config", Deed::PutMmdsConfig, &shapes::MMDS_CONFIG).boots().counts(PUT, "mmds"),
    put("/mmds", Deed::PutMmds, &shapes::ACTION).with(Body::Free).any().counts(PUT, "mmds"),
    patch("/mmds", Deed::PatchMmds, &shapes::ACTION).with(Body::Free).any().counts(PATCH, "mmds"),
    put("/logger", Deed::PutLogger, &shapes::LOGGER).counts(PUT, "logger"),
    put("/metrics", Deed::PutMetrics, &shapes::METRICS).counts(PUT, "metrics"),
    put("/actions", Deed::Act, &shapes::ACTION).any().counts(PUT, "actions"),
    patch("/vm", Deed::PatchVm, &shapes::VM),
    put("/snapshot/create", Deed::CreateSnapshot, &shapes::CREATE).after(),
    put("/snapshot/load", Deed::LoadSnapshot, &shapes::LOAD),
];

impl Endpoint {
    const fn before(self) -> Self {
        Self { when: When::Before, ..self }
    }
}

/// The endpoint at this path, and the id in it; a missing id is empty.
fn find(method: &str, path: &str, version: &Version) -> Option<(&'static Endpoint, String)> {
    let given: Vec<_> = path.trim_start_matches('/').split_terminator('/').collect();
    ENDPOINTS.iter().filter(|endpoint| endpoint.method == method && version.reached(endpoint.since)).find_map(
        |endpoint| {
            let known: Vec<_> = endpoint.path.trim_start_matches('/').split_terminator('/').collect();
            if let Some((&"{id}", stem)) = known.split_last() {
                let rest = given.strip_prefix(stem)?;
                return Some((endpoint, rest.first().copied().unwrap_or_default().to_owned()));
            }
            (given == known).then(|| (endpoint, String::new()))
        },
    )
}

/// The endpoint that a request names, for what is counted of it.
#[must_use]
pub(crate) fn counter(request: &Request, version: &Version) -> Option<(&'static str, &'static str)> {
    find(&request.method, &request.path, version).and_then(|(endpoint, _)| endpoint.counter)
}

/// Reads a request.
///
/// # Errors
/// Why it is refused before the VMM sees it.
pub(crate) fn read(request: &Request, version: &Version) -> Result<Order, Refusal> {
    let body = request.body.as_deref();
    let found = find(&request.method, &request.path, version);
    match (request.method.as_str(), body, found.as_ref().map(|(endpoint, _)| endpoint.body)) {
        ("GET", Some(_), _) => return Err(Refusal::bad("GET request cannot have a body.")),
        ("DELETE", Some(_), _) => return Err(Refusal::bad("Empty Delete request.")),
        (_, None, Some(Body::Maybe(_) | Body::MaybeIgnored)) => {}
        ("PUT", None, _) => return Err(Refusal::bad("Empty PUT request.")),
        ("PATCH", None, _) => return Err(Refusal::bad("Empty PATCH request.")),
        _ => {}
    }
    let Some((endpoint, id)) = found else {
        return Err(Refusal::bad(format!("Invalid request method and/or path: {} {}.", request.method, request.path)));
    };
    if endpoint.path.ends_with("{id}") {
        check_id(&id)?;
    }
    let body = match (endpoint.body, body) {
        (Body::Of(shape) | Body::Maybe(shape), Some(body)) => {
            shape.parse(body, version).map_err(Refusal::unreadable)?
        }
        (Body::Maybe(shape), None) => shape.parse(b"{}", version).map_err(Refusal::unreadable)?,
        (Body::Free, Some(body)) => {
            serde_json::from_slice(body).map_err(|error| Refusal::unreadable(error.to_string()))?
        }
        (Body::None | Body::MaybeIgnored | Body::Of(_) | Body::Free, _) => Value::Object(Map::new()),
    };
    if !endpoint.id.is_empty() && body.get(endpoint.id).and_then(Value::as_str) != Some(&id) {
        return Err(Refusal::bad("The id from the path does not match the id from the body!"));
    }
    Ok(Order { endpoint, id, body })
}

fn check_id(id: &str) -> Result<(), Refusal> {
    if id.is_empty() {
        return Err(Refusal::bad("The ID cannot be empty."));
    }
    if !id.chars().all(|at| at == '_' || at.is_alphanumeric()) {
        return Err(Refusal::bad("Resource IDs are made of alphanumeric characters and underscores only."));
    }
    Ok(())
}
