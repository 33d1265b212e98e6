//! Network interfaces.

use super::RateLimit;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

/// The most interfaces of one VM.
pub const MAX_NICS: usize = 16;
/// The most port forwards of one interface.
pub const MAX_FORWARDS: usize = 64;

/// One network interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nic {
    /// Its name in the VM, unique: a DNS label, `nic0` and so on by default.
    pub name: String,
    /// What it is connected to.
    pub attachment: Attachment,
    /// Its hardware address; made from the VM's id where none is given.
    pub mac: Option<Mac>,
    /// The address that the guest should have.
    pub ip: Option<IpAddr>,
    /// The largest packet in bytes; 0 means the network's own.
    pub mtu: u32,
    /// Queue pairs; 0 lets the driver choose.
    pub queues: u32,
    /// Entries of a queue; 0 lets the driver choose.
    pub queue_size: u32,
    /// Work left to the host.
    pub offloads: Option<Offloads>,
    /// The limit on what the guest receives.
    pub rx_rate_limit: Option<RateLimit>,
    /// The limit on what the guest sends.
    pub tx_rate_limit: Option<RateLimit>,
    /// The PCI segment.
    pub pci_segment: u32,
    /// Behind the virtual IOMMU.
    pub iommu: bool,
    /// Which end of a vhost-user socket the VMM is.
    pub vhost_mode: VhostMode,
}

impl Nic {
    /// An interface of this name and attachment, and nothing else asked of it.
    #[must_use]
    pub fn new(name: impl Into<String>, attachment: Attachment) -> Self {
        Self {
            name: name.into(),
            attachment,
            mac: None,
            ip: None,
            mtu: 0,
            queues: 0,
            queue_size: 0,
            offloads: None,
            rx_rate_limit: None,
            tx_rate_limit: None,
            pci_segment: 0,
            iommu: false,
            vhost_mode: VhostMode::Client,
        }
    }
}

/// What an interface is connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attachment {
    /// A private network inside the VMM, translated to the host's; needs no rights.
    User {
        /// Ports of the host's loopback that lead to the guest.
        forwards: Vec<Forward>,
    },
    /// A network, by name.
    Network(String),
    /// A tap device of the host, by name.
    Tap(String),
    /// A macvtap device of the host, by name.
    Macvtap(String),
    /// A vhost-user back end.
    VhostUser {
        /// Its Unix socket.
        socket: PathBuf,
    },
}

/// Which end of a vhost-user socket the VMM is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, PartialOrd, Ord)]
pub enum VhostMode {
    /// It connects to the back end.
    #[default]
    Client,
    /// The back end connects to it.
    Server,
}

/// A port of the host's loopback that leads to the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forward {
    /// TCP or UDP.
    pub transport: Transport,
    /// The port on 127.0.0.1.
    pub host_port: u16,
    /// The port in the guest.
    pub guest_port: u16,
}

/// A transport protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// Work that the host does for the guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offloads {
    /// TCP segmentation.
    pub tso: bool,
    /// UDP fragmentation.
    pub ufo: bool,
    /// Checksums.
    pub csum: bool,
}

/// A hardware address that may be given to a guest: unicast, not zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mac([u8; 6]);

/// A text that is no hardware address for a guest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be six pairs of hexadecimal digits with ':' between, unicast and not all zero, such as 52:54:00:12:34:56"
)]
pub struct ParseMac;

impl Mac {
    /// The address with these bytes.
    ///
    /// # Errors
    /// Multicast and all-zero addresses are refused.
    pub fn new(bytes: [u8; 6]) -> Result<Self, ParseMac> {
        if bytes[0] & 1 == 1 || bytes == [0; 6] { Err(ParseMac) } else { Ok(Self(bytes)) }
    }

    /// A locally administered address made from an instance's id and the interface's number.
    #[must_use]
    pub fn derived(instance: &crate::InstanceId, index: u8) -> Self {
        let id = instance.as_bytes();
        Self([0x52, 0x54, id[12], id[13], id[14], id[15].wrapping_add(index)])
    }
}

impl FromStr for Mac {
    type Err = ParseMac;
    fn from_str(text: &str) -> Result<Self, ParseMac> {
        let mut bytes = [0u8; 6];
        let mut parts = text.split(':');
        for byte in &mut bytes {
            let part = parts.next().filter(|p| p.len() == 2 && p.bytes().all(|b| b.is_ascii_hexdigit()));
            *byte = part.and_then(|p| u8::from_str_radix(p, 16).ok()).ok_or(ParseMac)?;
        }
        if parts.next().is_some() { Err(ParseMac) } else { Self::new(bytes) }
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}
