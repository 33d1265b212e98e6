//! What failures of QEMU are told with.

use super::client;
pub(super) use crate::error::MAX_SOCKET_PATH;
use crate::error::Vmm;

/// Why something failed with QEMU.
pub type Error = crate::error::Error<Told>;

/// QEMU, as it is told of.
#[derive(Debug)]
pub enum Told {}

impl Vmm for Told {
    const DRIVER: &'static str = super::NAME;
    const TITLE: &'static str = "QEMU";
    const INSTALL: &'static str = "QEMU (Debian: apt install qemu-system-x86)";
    const RUN: &'static str = "run the program by hand to see what it lacks";
    type Talk = client::Error;

    fn oldest() -> String {
        "6.2".to_owned()
    }
}
