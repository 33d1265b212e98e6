//! Whether a real guest can run here, and VMs that boot one.

use std::time::Duration;
use weft_domain::Name;
use weft_domain::spec::{Attachment, Draft, Nic, Readiness, ReadinessProbe, Spec};
use weft_ports::api::{Call, CreateMode, NewVm};

/// How long a caller waits for a guest on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// Why no real guest can run here, if so.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "a test looks where the agent would look")]
pub fn missing() -> Option<String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder| folder.join("qemu-system-x86_64").is_file());
    (!found).then(|| "no qemu-system-x86_64 in PATH".to_owned())
}

/// Says why and returns from the test where no real guest can run.
#[macro_export]
macro_rules! need_guest {
    () => {
        if let Some(why) = $crate::guest::missing() {
            println!("skipped: {why}");
            return;
        }
    };
}

/// A call that waits long enough for a guest.
#[must_use]
pub fn call() -> Call {
    Call { timeout: Some(PATIENCE), ..Call::by("test") }
}

/// The specification of a small VM with the default image and a user-mode network.
///
/// # Panics
/// Never: it is lawful.
#[must_use]
pub fn small() -> Spec {
    draft().check().expect("a lawful specification")
}

/// The same, to be changed.
#[must_use]
pub fn draft() -> Draft {
    let mut draft = Draft::default();
    draft.memory.size_bytes = 128 << 20;
    draft.nics = vec![Nic::new("nic0", Attachment::User { forwards: Vec::new() })];
    let text = weft_domain::spec::payload::DEFAULT_IMAGE_READY.to_owned();
    draft.readiness = Some(Readiness { probe: ReadinessProbe::Serial { text }, timeout: PATIENCE });
    draft
}

/// A VM of this name and specification, created or booted.
///
/// # Panics
/// The name is none.
#[must_use]
pub fn vm(name: &str, spec: Spec, mode: CreateMode) -> NewVm {
    NewVm {
        project: Name::default_project(),
        name: Some(name.parse().expect("a lawful name")),
        labels: Default::default(),
        annotations: Default::default(),
        spec,
        mode,
    }
}
