//! The client door: the ports of `weft_ports::api`, served by a weft elsewhere.
//!
//! ```text
//!  port call ─► request ─► h2c, Connect protocol ─► another weft's server door
//!  domain    ◄─ response, or error details read back into the same Fault
//! ```
//!
//! One HTTP/2 connection is opened at the first call and opened again when it broke. A call's
//! timeout goes with the request, so both ends give up together. It does not retry: a mutation is
//! safe to repeat with its request id, and its caller knows best.

mod consoles;
mod devices;
mod read;
mod snapshots;
mod usage;
mod vms;

use crate::proto::weft::v1::{
    EventServiceClient, NodeServiceClient, SnapshotServiceClient, StateServiceClient, UsageServiceClient,
    VmServiceClient,
};
use connectrpc::client::{CallOptions, ClientConfig, HttpClient};
use http::Uri;
use weft_domain::{Fault, Reason};
use weft_ports::api::{Call, VmRef};

/// The largest answer that is read, in bytes: a full page of large VMs fits.
const MAX_ANSWER: usize = 64 << 20;

/// A weft elsewhere. Clone it freely: clones share one connection.
#[derive(Clone)]
pub struct Client {
    vms: VmServiceClient<HttpClient>,
    nodes: NodeServiceClient<HttpClient>,
    events: EventServiceClient<HttpClient>,
    states: StateServiceClient<HttpClient>,
    snapshots: SnapshotServiceClient<HttpClient>,
    usage: UsageServiceClient<HttpClient>,
}

impl Client {
    /// A client of the weft at this address, such as `http://127.0.0.1:8080`. Nothing is sent yet.
    ///
    /// # Errors
    /// The address is none, or of a scheme that is not spoken.
    pub fn connect(url: &str) -> Result<Self, Fault> {
        let refused = |why: String| {
            Fault::field(Reason::FieldInvalid, "server", why).fix("give an address such as http://127.0.0.1:8080")
        };
        let given = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let uri: Uri = given.parse().map_err(|e| refused(format!("{url:?} is no address: {e}")))?;
        if uri.scheme_str() != Some("http") || uri.authority().is_none() {
            return Err(refused(format!("{url:?} is not an http:// address")));
        }
        let transport = HttpClient::plaintext_http2_only();
        let config = ClientConfig::new(uri).with_default_max_message_size(MAX_ANSWER);
        Ok(Self {
            vms: VmServiceClient::new(transport.clone(), config.clone()),
            nodes: NodeServiceClient::new(transport.clone(), config.clone()),
            events: EventServiceClient::new(transport.clone(), config.clone()),
            states: StateServiceClient::new(transport.clone(), config.clone()),
            snapshots: SnapshotServiceClient::new(transport.clone(), config.clone()),
            usage: UsageServiceClient::new(transport, config),
        })
    }
}

/// The terms of a call, as the wire takes them.
fn options(call: &Call) -> CallOptions {
    let options = CallOptions::default();
    match call.timeout {
        Some(timeout) => options.with_timeout(timeout),
        None => options,
    }
}

/// The id or name, and the project where it needs one.
fn named(vm: &VmRef) -> (String, String) {
    match vm {
        VmRef::Id(id) => (id.to_string(), String::new()),
        VmRef::Named { project, name } => (name.to_string(), project.to_string()),
    }
}

/// A part that every answer carries was not there.
fn missing(part: &str) -> Fault {
    Fault::new(Reason::Bug, format!("the server's answer has no {part}"))
        .fix("see whether both ends are the same version of weft")
}

/// A server's stream as answers: `$open` is the call, `$read` reads each message.
macro_rules! answers {
    ($open:expr, $read:expr) => {{
        let stream = $open.await.map_err(|e| crate::fault::from_wire(&e))?;
        let steps = futures::stream::unfold(Some(stream), |stream| async move {
            let mut stream = stream?;
            match stream.message().await {
                Ok(Some(message)) => Some(($read(message.to_owned_message()), Some(stream))),
                Ok(None) => None,
                Err(error) => Some((Err(crate::fault::from_wire(&error)), None)),
            }
        });
        Ok(futures::StreamExt::boxed(steps))
    }};
}
use answers;
