//! The smaller devices: consoles, randomness, vsock, metadata, cloud-init, rate limits.

use std::path::PathBuf;

/// The longest cloud-init document, in bytes.
pub const MAX_CLOUD_INIT: usize = 64 * 1024;
/// The devices of the host that randomness may come from.
pub const RNG_SOURCES: [&str; 3] = ["/dev/urandom", "/dev/random", "/dev/hwrng"];

/// A console device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Console {
    /// Where it leads.
    pub mode: ConsoleMode,
    /// The file, for [`ConsoleMode::File`] and [`ConsoleMode::Tty`].
    pub path: Option<PathBuf>,
}

/// Where a console leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ConsoleMode {
    /// There is none.
    Off,
    /// A pseudo-terminal of the host.
    Pty,
    /// A terminal of the host.
    Tty,
    /// A file of the host.
    File,
    /// weft's log and attachable socket.
    Socket,
    /// Nowhere.
    Null,
}

/// Where the guest's randomness comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rng {
    /// One of [`RNG_SOURCES`].
    pub source: PathBuf,
}

/// The guest's vsock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vsock {
    /// Its context id, 3 or more.
    pub cid: u32,
}

/// The metadata service inside the VMM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// The content, a JSON document.
    pub json: String,
    /// Names of the interfaces that reach it.
    pub nics: Vec<String>,
}

/// The cloud-init seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudInit {
    /// `user-data`.
    pub user_data: String,
    /// `meta-data`.
    pub meta_data: String,
    /// `network-config`.
    pub network_config: String,
}

/// A rate limit: bytes and operations, each a token bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RateLimit {
    /// Bytes.
    pub bandwidth: Option<TokenBucket>,
    /// Operations.
    pub ops: Option<TokenBucket>,
}

/// A token bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenBucket {
    /// Tokens that fit.
    pub size: u64,
    /// Milliseconds in which it fills from empty.
    pub refill_ms: u64,
    /// Tokens given once, at the start.
    pub one_time_burst: u64,
}
