//! What failures of Cloud Hypervisor are told with.

use crate::error::Vmm;
use crate::http;

/// Why something failed with Cloud Hypervisor.
pub type Error = crate::error::Error<Told>;

/// Cloud Hypervisor, as it is told of.
#[derive(Debug)]
pub enum Told {}

impl Vmm for Told {
    const DRIVER: &'static str = super::NAME;
    const TITLE: &'static str = "Cloud Hypervisor";
    const INSTALL: &'static str = "Cloud Hypervisor";
    const RUN: &'static str = "see that KVM works on this host (/dev/kvm), and run the program by hand";
    type Talk = http::Error;

    fn oldest() -> String {
        super::config::gates::OLDEST.to_string()
    }
}

impl Error {
    /// What became of a call that a start needs.
    pub(super) fn of_call(doing: &'static str, error: http::Error) -> Self {
        if error.is_refusal() { Self::Refused { doing, said: error.said() } } else { Self::Talk(error) }
    }
}
