//! What happens after an exit, and when a guest counts as ready.

use std::time::Duration;

/// What happens after an exit that nobody asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, PartialOrd, Ord)]
pub enum RestartPolicy {
    /// It stays down.
    #[default]
    Never,
    /// It runs again unless the guest powered itself off.
    OnFailure,
    /// It runs again.
    Always,
}

/// When a guest counts as ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// What is looked at.
    pub probe: ReadinessProbe,
    /// How long it may take from the start.
    pub timeout: Duration,
}

/// What is looked at to tell that a guest is ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadinessProbe {
    /// This text appears on the serial port.
    Serial {
        /// The text, not a pattern.
        text: String,
    },
    /// This vsock port accepts.
    Vsock {
        /// The port.
        port: u32,
    },
    /// This TCP port of the guest accepts.
    Tcp {
        /// The port.
        port: u16,
    },
    /// This HTTP path of the guest answers 2xx.
    Http {
        /// The port.
        port: u16,
        /// The path.
        path: String,
    },
    /// The guest agent answers.
    GuestAgent,
}
