//! Cloud Hypervisor: its process, from the command line to the exit code.
//!
//! ```text
//!  args ─► lock, event monitor ─► API socket ─► wire ─► endpoints ─► vmm ─► machine
//!                                                                     ▲        │
//!                                                                     └────────┘ what a guest did
//! ```
//!
//! The socket's path is locked and an old socket is replaced; a socket that is handed over is taken as it is.
//! The process ends with 0 when it is told to, or when the guest powers off and nothing else was said; with 1
//! when it cannot begin.

mod args;
mod consoles;
mod endpoints;
mod events;
mod machine;
mod refusal;
mod rules;
mod shapes;
mod snapshot;
mod vmm;

use crate::faults::Faults;
use crate::version::{ALWAYS, Version};
use crate::wire::{Door, Reply, Request, Service};
use args::{Args, Place};
use endpoints::{Body, Deed, ENDPOINTS, Endpoint, Files};
use events::Monitor;
use machine::Machine;
use refusal::Why;
use rustix::fs::{FlockOperation, flock};
use serde_json::Value;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{FromRawFd as _, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use vmm::{Setup, Vmm};

/// The version that is played when none is asked for.
const VERSION: &str = "54.0.0";
/// How large a body may be, and was before 54.
const BODY_LIMIT: usize = 4 << 20;
const OLD_BODY_LIMIT: usize = 51_200;

/// Runs the program on these words and returns its exit code.
pub fn run(words: impl IntoIterator<Item = String>) -> i32 {
    let version = Version::asked_or(VERSION);
    let args = match Args::read(words, &version) {
        Ok(args) => args,
        Err(why) => return quit(1, &why),
    };
    if args.version || args.help {
        let migration = if version.reached((54, 0)) { "Migration Protocol Versions: 0\n" } else { "" };
        let _ = io::stdout().write_all(format!("cloud-hypervisor v{version}\n{migration}").as_bytes());
        return 0;
    }
    match open(&args, version) {
        Ok((door, listener, _lock)) => {
            door.serve(&listener);
            0
        }
        Err(why) => quit(1, &why),
    }
}

/// Whether a request is one that this version takes: its path, its body's fields and their ranges, and for
/// `vm.create` whether the configuration would boot. Fields that are not known are told here, where the API
/// drops them.
///
/// # Errors
/// Why it is not.
pub fn check(method: &str, path: &str, body: Option<&[u8]>, version: &Version) -> Result<(), String> {
    let name = path.strip_prefix("/api/v1/").unwrap_or_default();
    let endpoint = ENDPOINTS.iter().find(|endpoint| endpoint.name == name && endpoint.method == method);
    let endpoint = endpoint.ok_or_else(|| format!("there is no {method} {path}"))?;
    match (endpoint.body, body) {
        (Body::None | Body::Ignored, None) => Ok(()),
        (Body::None | Body::Ignored, Some(_)) => Err(format!("{name} takes no body")),
        (Body::Of(_), None) => Err(format!("{name} takes a body")),
        (Body::Of(shape), Some(body)) => {
            let strangers = shape.strangers(body, version)?;
            if !strangers.is_empty() {
                return Err(format!("{name} does not know {}", strangers.join(", ")));
            }
            let config = shape.parse(body, version)?;
            let wrong = if name == "vm.create" { rules::check(&config) } else { Ok(()) };
            wrong.map_err(|why| format!("{name} takes it, the boot does not: {why:?}"))
        }
    }
}

fn quit(code: i32, why: &str) -> i32 {
    let _ = writeln!(io::stderr(), "Error: Cloud Hypervisor exited with the following chain of errors:\n  0: {why}");
    code
}

/// Everything that stands before the first request.
fn open(args: &Args, version: Version) -> Result<(Arc<Door>, UnixListener, Option<File>), String> {
    let place = args.socket.as_ref().ok_or("neither an API socket nor a VM was given")?;
    let (listener, lock) = listen(place, &version)?;
    if let Some(path) = &args.log_file {
        File::create(path).map_err(|error| format!("the log file cannot be made: {error}"))?;
    }
    let faults = Faults::of_environment();
    let monitor = args.monitor.as_ref().map(|place| match place {
        Place::Path(path) => events::open(path),
        Place::Descriptor(number) => inherit(*number).and_then(events::take),
    });
    let monitor = monitor.transpose().map_err(|error| format!("the event monitor cannot be opened: {error}"))?;
    let monitor = Monitor::new(monitor, faults.clone());
    let limit = if version.reached((54, 0)) { BODY_LIMIT } else { OLD_BODY_LIMIT };
    let (sender, deeds) = mpsc::channel();
    let machine = Machine::new(faults.clone(), sender);
    let setup = Setup { version: version.clone(), no_shutdown: args.no_shutdown };
    let vmm = Arc::new(Mutex::new(Vmm::new(setup, machine, monitor, faults.clone())));
    lock_of(&vmm).myself = Arc::downgrade(&vmm);
    let face = Face { vmm: vmm.clone(), version };
    if let Some(text) = &args.restore {
        let shape = &shapes::RESTORE;
        let body = shape.read(&args::restore(text), &face.version)?;
        let restored = lock_of(&vmm).obey(Deed::Restore, body, Vec::new());
        restored.map_err(|why| format!("the VM cannot be restored: {why:?}"))?;
    }
    thread::spawn(move || {
        for (boot, deed) in deeds {
            if lock_of(&vmm).suffer(boot, deed) {
                crate::wire::leave(0);
            }
        }
    });
    Ok((Door::new(Box::new(face), limit, faults), listener, lock))
}

fn lock_of(vmm: &Mutex<Vmm>) -> std::sync::MutexGuard<'_, Vmm> {
    vmm.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The listening socket, and the lock that keeps others from its path.
fn listen(place: &Place, version: &Version) -> Result<(UnixListener, Option<File>), String> {
    match place {
        Place::Descriptor(number) => {
            let listener = inherit(*number).map_err(|error| format!("the descriptor {number} is none: {error}"))?;
            Ok((UnixListener::from(listener), None))
        }
        Place::Path(path) => {
            let lock = lock(path)?;
            if version.reached((53, 0)) {
                let _ = std::fs::remove_file(path);
            }
            let listener = UnixListener::bind(path);
            let listener =
                listener.map_err(|error| format!("the API socket {} cannot be bound: {error}", path.display()))?;
            Ok((listener, Some(lock)))
        }
    }
}

fn lock(path: &Path) -> Result<File, String> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let file = File::create(&name).map_err(|error| format!("the lock of the API socket cannot be made: {error}"))?;
    flock(&file, FlockOperation::NonBlockingLockExclusive)
        .map_err(|_| format!("the API socket {} is in use", path.display()))?;
    Ok(file)
}

/// A descriptor that this process was started with.
fn inherit(number: i32) -> io::Result<OwnedFd> {
    if number < 0 {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    #[expect(unsafe_code, reason = "a descriptor is inherited as a number, and nobody else here takes it")]
    // SAFETY: the command line hands the descriptor over, once, and it is not one that this process opened.
    let inherited = unsafe { OwnedFd::from_raw_fd(number) };
    // Whether it is open at all shows when its flags are read.
    match rustix::io::fcntl_getfd(&inherited) {
        Ok(_) => Ok(inherited),
        Err(error) => {
            std::mem::forget(inherited);
            Err(error.into())
        }
    }
}

/// The VMM as the API sees it.
struct Face {
    vmm: Arc<Mutex<Vmm>>,
    version: Version,
}

impl Face {
    fn handle(&self, endpoint: &Endpoint, request: Request) -> Result<Reply, Why> {
        if request.method != endpoint.method {
            return Err(Why::BadRequest);
        }
        let body = match (endpoint.body, request.body) {
            (Body::Of(shape), Some(body)) => shape.parse(&body, &self.version).map_err(Why::Unreadable)?,
            (Body::Of(_), None) | (Body::None, Some(_)) => return Err(Why::BadRequest),
            (Body::None | Body::Ignored, _) => Value::Null,
        };
        let fits = match endpoint.files {
            Files::Dropped | Files::Any => true,
            Files::One => request.files.len() <= 1,
            Files::Told => request.files.len() as u64 == told(&body),
        };
        if !fits {
            return Err(Why::BadRequest);
        }
        let files = if endpoint.files == Files::Dropped { Vec::new() } else { request.files };
        lock_of(&self.vmm).obey(endpoint.deed, body, files)
    }
}

/// How many descriptors a body says that come with it.
fn told(body: &Value) -> u64 {
    let list = |name: &str| body.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let nets: u64 = list("net_fds").iter().filter_map(|net| net["num_fds"].as_u64()).sum();
    let vfio = list("vfio_fds").len() as u64;
    nets + vfio + u64::from(body.get("vfio_fds").is_some())
}

impl Service for Face {
    fn name(&self) -> &'static str {
        "Cloud Hypervisor API"
    }

    fn failure(&self) -> Reply {
        Why::failed("this request was made to fail").reply("Internal Server Error", &self.version)
    }

    fn answer(&self, request: Request) -> Reply {
        let name = request.path.strip_prefix("/api/v1/").unwrap_or_default();
        let since = match name {
            "vm.resize-disk" => (50, 0),
            "vm.add-generic-vhost-user" => (52, 0),
            _ => ALWAYS,
        };
        let known = |endpoint: &&Endpoint| endpoint.name == name && self.version.reached(since);
        let Some(endpoint) = ENDPOINTS.iter().find(known) else {
            return Why::NotFound.reply("", &self.version);
        };
        let bare = !["GET", "PUT"].contains(&request.method.as_str());
        if bare || (name == "vm.create" && request.method == "PUT" && request.body.is_none()) {
            return Reply { status: 400, ..Reply::default() };
        }
        let answered = self.handle(endpoint, request);
        answered.unwrap_or_else(|why| why.reply(endpoint.failure, &self.version))
    }
}
