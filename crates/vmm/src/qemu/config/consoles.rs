//! The serial port, the virtio console, and the channel of the guest's agent.

use super::{AGENT_FD, Blueprint, Bus, CONSOLE_FD, Line, SERIAL_FD, escaped};
use crate::qemu::Error;
use serde_json::json;
use weft_domain::spec::{Console, ConsoleMode, Draft, ReadinessProbe};

/// The name under which a guest's agent finds its channel.
const CHANNEL: &str = "org.qemu.guest_agent.0";

/// Whether the guest is to have an agent that we speak with.
pub(in crate::qemu) fn wants_agent(draft: &Draft) -> bool {
    draft.readiness.as_ref().is_some_and(|readiness| readiness.probe == ReadinessProbe::GuestAgent)
}

pub(super) fn serial(blueprint: &Blueprint<'_>, line: &mut Line) -> Result<(), Error> {
    let order = blueprint.order;
    match order.spec.serial.mode {
        ConsoleMode::Off => line.option("-serial", "none"),
        ConsoleMode::Null => line.option("-serial", "null"),
        ConsoleMode::Socket => {
            let log = escaped(&order.console_log)?;
            let socket = format!("socket,id=serial,fd={SERIAL_FD},server=on,wait=off,logfile={log},logappend=on");
            line.option("-chardev", socket);
            line.option("-serial", "chardev:serial");
        }
        ConsoleMode::Pty | ConsoleMode::Tty | ConsoleMode::File => {
            line.option("-chardev", plain("serial", &order.spec.serial)?);
            line.option("-serial", "chardev:serial");
        }
    }
    Ok(())
}

/// A character device that is no socket.
fn plain(id: &str, console: &Console) -> Result<String, Error> {
    let path = || escaped(console.path.as_deref().unwrap_or_else(|| std::path::Path::new("/dev/null")));
    Ok(match console.mode {
        ConsoleMode::Pty => format!("pty,id={id}"),
        ConsoleMode::Tty => format!("serial,id={id},path={}", path()?),
        ConsoleMode::File => format!("file,id={id},path={},append=on", path()?),
        ConsoleMode::Off | ConsoleMode::Null | ConsoleMode::Socket => format!("null,id={id}"),
    })
}

/// The virtio console and the agent's channel, on one controller.
pub(super) fn virtio(blueprint: &Blueprint<'_>, bus: &mut Bus, line: &mut Line) -> Result<(), Error> {
    let spec = &blueprint.order.spec;
    let (console, agent) = (&spec.console, wants_agent(spec));
    if console.mode == ConsoleMode::Off && !agent {
        return Ok(());
    }
    let mut controller = json!({"id": "ports"});
    if console.iommu {
        controller["iommu_platform"] = json!(true);
    }
    line.json("-device", &bus.root(bus.name("virtio-serial", controller)));
    if console.mode != ConsoleMode::Off {
        let device = match console.mode {
            ConsoleMode::Socket => format!("socket,id=console,fd={CONSOLE_FD},server=on,wait=off"),
            ConsoleMode::Off | ConsoleMode::Null | ConsoleMode::Pty | ConsoleMode::Tty | ConsoleMode::File => {
                plain("console", console)?
            }
        };
        line.option("-chardev", device);
        line.json(
            "-device",
            &json!({"driver": "virtconsole", "id": "console0", "chardev": "console", "bus": "ports.0"}),
        );
    }
    if agent {
        line.option("-chardev", format!("socket,id=agent,fd={AGENT_FD},server=on,wait=off"));
        let port =
            json!({"driver": "virtserialport", "id": "agent0", "chardev": "agent", "bus": "ports.0", "name": CHANNEL});
        line.json("-device", &port);
    }
    Ok(())
}
