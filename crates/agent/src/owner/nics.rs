//! What is behind the network interfaces of a machine that runs: devices of the host that weft did not make.
//!
//! A VMM that holds a device which was deleted goes on without that network, and a device of the same name that
//! is made anew is another. So what was seen to be gone is told until the interface is plugged or booted anew.

use super::Owner;
use weft_domain::spec::Attachment;

/// The device of the host that an interface is attached to, and the command that makes such a one.
fn device(attachment: &Attachment) -> Option<(&str, String)> {
    match attachment {
        Attachment::Tap(name) => Some((name, format!("ip tuntap add dev {name} mode tap && ip link set {name} up"))),
        Attachment::Macvtap(name) => {
            Some((name, format!("ip link add link <device> name {name} type macvtap && ip link set {name} up")))
        }
        Attachment::User { .. } | Attachment::Network(_) | Attachment::VhostUser { .. } => None,
    }
}

impl Owner {
    /// Looks whether the devices of the host that its interfaces are attached to are still there.
    pub(super) async fn look_for_nics(&mut self) {
        let Some(live) = &mut self.live else { return };
        let Some(made) = &live.made else { return };
        let namespace = made.running.network_namespace.as_deref();
        let mut lost = None;
        for nic in &made.running.nics {
            let Some((name, remedy)) = device(&nic.attachment) else { continue };
            // A network that cannot be looked into tells nothing.
            if let Ok(false) = self.shared.ports.sightings.device(name, namespace).await {
                live.cut_off.insert(nic.name.clone());
            }
            if live.cut_off.contains(&nic.name) && lost.is_none() {
                let within = namespace.map(|path| format!(" in {}", path.display())).unwrap_or_default();
                lost = Some(format!(
                    "the device {name}{within} of interface {} was deleted under the VM, which goes on without that \
                     network: make it anew ({remedy}), then boot the VM anew or remove the interface and add it again",
                    nic.name,
                ));
            }
        }
        let there: Vec<_> = made.running.nics.iter().map(|nic| nic.name.clone()).collect();
        live.cut_off.retain(|name| there.contains(name));
        let now = self.now();
        match lost {
            Some(why) => self.told.condition(now, "NicsPresent", false, ("DeviceGone", &why)),
            None => self.told.clear("NicsPresent"),
        }
    }
}
