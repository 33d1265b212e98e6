//! Firecracker: its process, from the command line to the exit code.
//!
//! ```text
//!  args ─► log, metrics ─► [config file ─► boot] ─► API socket ─► wire ─► endpoints ─► vmm ─► machine
//! ```
//!
//! The socket must not exist yet. The serial line is the process's own input and output. Exit codes: 0 when
//! the guest resets or powers off, 1 in general, 152 for a configuration that cannot be taken, 153 for a
//! wrong command line.

mod args;
mod devices;
mod endpoints;
mod machine;
mod memory;
mod metadata;
mod output;
mod refusal;
mod shapes;
mod snapshot;
mod vmm;

use crate::faults::Faults;
use crate::version::Version;
use crate::wire::{Door, Reply, Request, Service};
use args::{Args, BAD_ARGUMENTS, BAD_CONFIGURATION, GENERIC};
use output::{Log, Metrics};
use refusal::Refusal;
use serde_json::{Value, json};
use std::io::{self, Write as _};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use vmm::{Setup, Vmm};

/// The version that is played when none is asked for.
const VERSION: &str = "1.17.0-dev";
/// How large a body may be when nothing else is said.
const BODY_LIMIT: usize = 51_200;

/// Runs the program on these words and returns its exit code.
pub fn run(words: impl IntoIterator<Item = String>) -> i32 {
    let version = Version::asked_or(VERSION);
    let args = match Args::read(words, &version) {
        Ok(args) => args,
        Err(why) => return quit(BAD_ARGUMENTS, &format!("Arguments parsing error: {why}")),
    };
    if args.has("version") {
        return print(&format!("Firecracker v{version}\n\n"));
    }
    if args.has("help") {
        return print(&format!("Firecracker v{version}\n\nA stand-in; it takes what Firecracker takes.\n"));
    }
    if args.has("snapshot-version") {
        return print(&format!("v{}\n", snapshot::version(&version)));
    }
    if let Some(path) = args.value("describe-snapshot") {
        return match snapshot::describe(Path::new(path)) {
            Ok(found) => print(&format!("v{found}\n")),
            Err(why) => quit(GENERIC, &format!("the snapshot cannot be described: {why}")),
        };
    }
    match open(&args, version) {
        Ok(Some((door, listener))) => {
            door.serve(&listener);
            0
        }
        Ok(None) => loop {
            std::thread::park();
        },
        Err((code, why)) => quit(code, &why),
    }
}

/// Whether a request is one that this version takes: its path, its body's fields and their ranges.
///
/// # Errors
/// Why it is not, as the API would tell.
pub fn check(method: &str, path: &str, body: Option<&[u8]>, version: &Version) -> Result<(), String> {
    let body = body.map(<[u8]>::to_vec);
    let request = Request { method: method.to_owned(), path: path.to_owned(), body, files: Vec::new() };
    endpoints::read(&request, version).map(|_| ()).map_err(|refusal| refusal.text().to_owned())
}

fn print(text: &str) -> i32 {
    let _ = io::stdout().write_all(text.as_bytes());
    0
}

fn quit(code: i32, why: &str) -> i32 {
    let _ = writeln!(io::stderr(), "Error: {why}");
    code
}

/// An exit code and why.
type Failed = (i32, String);
/// Who answers, and where.
type Opened = (Arc<Door>, UnixListener);

/// Everything that stands before the first request; no door without an API.
fn open(args: &Args, version: Version) -> Result<Option<Opened>, Failed> {
    let id = args.value("id").unwrap_or("anonymous-instance");
    if !args::is_id(id) {
        let _ = writeln!(io::stderr(), "Invalid instance ID: {id}");
        std::process::abort();
    }
    let log = Arc::new(Log::new(id));
    log.configure(&logger(args).map_err(|why| (BAD_CONFIGURATION, why))?)
        .map_err(|error| (GENERIC, format!("Could not initialize logger: {error}")))?;
    log.say(&format!("Running Firecracker v{version}"));
    let metrics = Arc::new(Metrics::default());
    if let Some(path) = args.value("metrics-path") {
        let set = metrics.configure(&json!({ "metrics_path": path }), id);
        set.map_err(|why| (GENERIC, format!("Could not initialize metrics: {why}")))?;
    }
    let size = |name: &str, default: usize| match args.value(name) {
        Some(text) => text.parse().unwrap_or_else(|_| std::process::abort()),
        None => default,
    };
    let body_limit = size("http-api-max-payload-size", BODY_LIMIT);
    let metadata_limit = size("mmds-size-limit", body_limit);
    let setup = Setup { id: id.to_owned(), version, pci: args.has("enable-pci"), metadata_limit };
    let faults = Faults::of_environment();
    let vmm = Vmm::new(setup.clone(), log.clone(), metrics.clone(), faults.clone());
    let face = Face { vmm: Mutex::new(vmm), version: setup.version, log: log.clone(), metrics };
    configure(&face, args)?;
    if args.has("no-api") {
        return Ok(None);
    }
    let path = args.value("api-sock").unwrap_or("/run/firecracker.socket");
    let listener = UnixListener::bind(path)
        .map_err(|error| (GENERIC, format!("RunWithApiError error: the API socket {path} cannot be bound: {error}")))?;
    log.say(&format!("Listening on API socket ({path})."));
    Ok(Some((Door::new(Box::new(face), body_limit, faults), listener)))
}

fn logger(args: &Args) -> Result<Value, String> {
    let mut config = json!({ "show_level": args.has("show-level") });
    if let Some(path) = args.value("log-path") {
        config["log_path"] = json!(path);
    }
    if let Some(level) = args.value("level") {
        let known = shapes::LEVELS.iter().find(|known| known.eq_ignore_ascii_case(level));
        config["level"] = json!(known.ok_or_else(|| format!("Invalid log level: {level}"))?);
    }
    Ok(config)
}

/// Does what the configuration file and the metadata file hold.
fn configure(face: &Face, args: &Args) -> Result<(), Failed> {
    let read = |path: &str| {
        let text = std::fs::read_to_string(path).unwrap_or_else(|_| std::process::abort());
        serde_json::from_str::<Value>(&text).map_err(|error| (BAD_CONFIGURATION, error.to_string()))
    };
    if let Some(path) = args.value("metadata") {
        face.order("PUT", "/mmds", &read(path)?)?;
    }
    let Some(path) = args.value("config-file") else { return Ok(()) };
    let config = read(path)?;
    let one = |name: &str| config.get(name).filter(|value| !value.is_null());
    for (name, path) in [
        ("logger", "/logger"),
        ("metrics", "/metrics"),
        ("machine-config", "/machine-config"),
        ("cpu-config", "/cpu-config"),
        ("boot-source", "/boot-source"),
    ] {
        if let Some(value) = one(name) {
            face.order("PUT", path, value)?;
        }
    }
    for (name, id) in [("drives", "drive_id"), ("network-interfaces", "iface_id"), ("pmem", "id")] {
        for value in one(name).and_then(Value::as_array).into_iter().flatten() {
            let id = value.get(id).and_then(Value::as_str).unwrap_or_default();
            face.order("PUT", &format!("/{name}/{id}"), value)?;
        }
    }
    for (name, path) in [
        ("vsock", "/vsock"),
        ("balloon", "/balloon"),
        ("mmds-config", "/mmds/config"),
        ("entropy", "/entropy"),
        ("memory-hotplug", "/hotplug/memory"),
    ] {
        if let Some(value) = one(name) {
            face.order("PUT", path, value)?;
        }
    }
    face.order("PUT", "/actions", &json!({ "action_type": "InstanceStart" }))
}

/// The VMM as the API sees it.
struct Face {
    vmm: Mutex<Vmm>,
    version: Version,
    log: Arc<Log>,
    metrics: Arc<Metrics>,
}

impl Face {
    fn handle(&self, request: &Request) -> vmm::Outcome {
        let order = endpoints::read(request, &self.version)?;
        self.vmm.lock().unwrap_or_else(PoisonError::into_inner).obey(order)
    }

    /// An order that did not come over the API.
    fn order(&self, method: &str, path: &str, body: &Value) -> Result<(), Failed> {
        let body = Some(body.to_string().into_bytes());
        let request = Request { method: method.to_owned(), path: path.to_owned(), body, files: Vec::new() };
        let done = self.handle(&request).map(|_| ());
        done.map_err(|refusal| (BAD_CONFIGURATION, format!("the microVM cannot be built: {}", refusal.text())))
    }

    fn count(&self, request: &Request, failed: bool) {
        let Some((group, stem)) = endpoints::counter(request, &self.version) else { return };
        self.metrics.count(group, &format!("{stem}_count"));
        if failed && !group.starts_with("get") {
            self.metrics.count(group, &format!("{stem}_fails"));
        }
    }
}

impl Service for Face {
    fn name(&self) -> &'static str {
        "Firecracker API"
    }

    fn failure(&self) -> Reply {
        Refusal::bad("Internal VMM error: this request was made to fail.").reply()
    }

    fn answer(&self, request: Request) -> Reply {
        self.log.say(&format!("The API server received a {} request on {:?}.", request.method, request.path));
        let outcome = self.handle(&request);
        self.count(&request, outcome.is_err());
        let mut reply = match &outcome {
            Ok(None) => Reply::empty(),
            Ok(Some(value)) => Reply::json(200, value),
            Err(refusal) => {
                self.log.fail(&format!("The request was refused: {}", Refusal::text(refusal)));
                refusal.reply()
            }
        };
        if outcome.is_ok() && deprecated(&request) {
            self.metrics.count("deprecated_api", "deprecated_http_api_calls");
            reply.deprecated = true;
        }
        reply
    }
}

/// Whether a request uses what is going to be removed.
fn deprecated(request: &Request) -> bool {
    let body: Value = request.body.as_deref().and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
    let given = |name: &str| body.get(name).is_some_and(|value| !value.is_null() && *value != json!(false));
    match request.path.as_str() {
        "/machine-config" => given("cpu_template"),
        "/vsock" => given("vsock_id"),
        "/mmds/config" => body.get("version").and_then(Value::as_str) != Some("V2"),
        "/snapshot/load" => given("mem_file_path") || given("enable_diff_snapshots"),
        _ => false,
    }
}
