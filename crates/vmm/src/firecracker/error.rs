//! What failures of Firecracker are told with.

use crate::error::Vmm;
use crate::http;

/// Why something failed with Firecracker.
pub type Error = crate::error::Error<Told>;

/// Firecracker, as it is told of.
#[derive(Debug)]
pub enum Told {}

impl Vmm for Told {
    const DRIVER: &'static str = super::NAME;
    const TITLE: &'static str = "Firecracker";
    const INSTALL: &'static str = "Firecracker from its releases";
    const RUN: &'static str = "see that /dev/kvm is there and may be used";
    type Talk = http::Error;

    fn oldest() -> String {
        super::version::OLDEST.to_string()
    }
}
