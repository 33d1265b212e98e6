//! Interfaces: what they are connected to, and the device in the guest.
//!
//! Each user-mode network has an address range of its own, so that a guest with two never has the same
//! address twice; the guest gets `.15` of it. A tap or macvtap comes as open descriptors.

use super::place::Sort;
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr};
use weft_domain::InstanceId;
use weft_domain::spec::{Attachment, Forward, Mac, Nic, Spec, Transport, VhostMode};

/// The addresses that the user-mode networks of this specification give to the guest.
pub(in crate::qemu) fn addresses(spec: &Spec) -> Vec<IpAddr> {
    let user = |nic: &Nic| matches!(nic.attachment, Attachment::User { .. });
    let numbers = spec.nics.iter().enumerate().filter(|(_, nic)| user(nic)).map(|(i, _)| i);
    numbers.map(|i| Ipv4Addr::new(10, 0, subnet(i), 15).into()).collect()
}

fn subnet(index: usize) -> u8 {
    // The specification's limit on interfaces is far below what fits.
    u8::try_from(index + 2).unwrap_or(u8::MAX)
}

/// The network's end of an interface.
pub(in crate::qemu) fn netdev(nic: &Nic) -> String {
    format!("net-{}", nic.name)
}

/// The network's end as an option of the command line. `files` are the inherited descriptors of a tap.
pub(super) fn option(index: usize, nic: &Nic, files: &[i32]) -> String {
    let id = netdev(nic);
    match &nic.attachment {
        Attachment::User { forwards } => {
            let forwards: String = forwards.iter().map(|forward| format!(",hostfwd={}", leads(forward))).collect();
            format!("user,id={id},ipv6=off,net=10.0.{}.0/24{forwards}", subnet(index))
        }
        Attachment::VhostUser { .. } => format!("vhost-user,id={id},chardev={id}-socket{}", pairs(nic)),
        Attachment::Tap(_) | Attachment::Macvtap(_) | Attachment::Network(_) => {
            let numbers: Vec<_> = files.iter().map(ToString::to_string).collect();
            match &numbers[..] {
                [one] => format!("tap,id={id},fd={one}"),
                many => format!("tap,id={id},fds={}", many.join(":")),
            }
        }
    }
}

fn pairs(nic: &Nic) -> String {
    if nic.queues > 1 { format!(",queues={}", nic.queues) } else { String::new() }
}

/// The same as arguments of `netdev_add`. `files` are the names of the descriptors that QEMU was handed.
pub(in crate::qemu) fn arguments(index: usize, nic: &Nic, files: &[String]) -> Value {
    let id = netdev(nic);
    match &nic.attachment {
        Attachment::User { forwards } => {
            let forwards: Vec<_> = forwards.iter().map(|forward| json!({"str": leads(forward)})).collect();
            let net = format!("10.0.{}.0/24", subnet(index));
            json!({"type": "user", "id": id, "ipv6": false, "net": net, "hostfwd": forwards})
        }
        Attachment::VhostUser { .. } => {
            let mut network = json!({"type": "vhost-user", "id": id, "chardev": format!("{id}-socket")});
            if nic.queues > 1 {
                network["queues"] = json!(nic.queues);
            }
            network
        }
        Attachment::Tap(_) | Attachment::Macvtap(_) | Attachment::Network(_) => match files {
            [one] => json!({"type": "tap", "id": id, "fd": one}),
            many => json!({"type": "tap", "id": id, "fds": many.join(":")}),
        },
    }
}

fn leads(forward: &Forward) -> String {
    let Forward { transport, host_port, guest_port } = forward;
    let transport = match transport {
        Transport::Tcp => "tcp",
        Transport::Udp => "udp",
    };
    format!("{transport}:127.0.0.1:{host_port}-:{guest_port}")
}

/// The character device of a back end that another process plays.
pub(in crate::qemu) fn socket(nic: &Nic) -> Option<(String, &std::path::Path, VhostMode)> {
    match &nic.attachment {
        Attachment::VhostUser { socket } => Some((format!("{}-socket", netdev(nic)), socket, nic.vhost_mode)),
        Attachment::User { .. } | Attachment::Network(_) | Attachment::Tap(_) | Attachment::Macvtap(_) => None,
    }
}

/// The guest's end, without its place.
pub(in crate::qemu) fn device(index: usize, nic: &Nic, instance: &InstanceId) -> Value {
    let number = u8::try_from(index).unwrap_or(u8::MAX);
    let mac = nic.mac.unwrap_or_else(|| Mac::derived(instance, number));
    let mut device = json!({"id": Sort::Nic.id(&nic.name), "netdev": netdev(nic), "mac": mac.to_string()});
    if nic.mtu > 0 {
        device["host_mtu"] = json!(nic.mtu);
    }
    if nic.queues > 1 {
        device["mq"] = json!(true);
        // Two for each pair, one for changes of the configuration, one for control.
        device["vectors"] = json!(2 * nic.queues + 2);
    }
    if nic.queue_size > 0 {
        device["rx_queue_size"] = json!(nic.queue_size);
    }
    if let Some(offloads) = &nic.offloads {
        for name in ["csum", "guest_csum"] {
            device[name] = json!(offloads.csum);
        }
        for name in ["host_tso4", "host_tso6", "guest_tso4", "guest_tso6"] {
            device[name] = json!(offloads.tso);
        }
        for name in ["host_ufo", "guest_ufo"] {
            device[name] = json!(offloads.ufo);
        }
    }
    if nic.iommu {
        device["iommu_platform"] = json!(true);
    }
    device
}
