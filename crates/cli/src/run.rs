//! From a parsed command to its exit code.

use crate::args::{self, ClientCommand, EventCommand, Globals, NodeCommand, Output, SnapshotCommand, VmCommand};
use crate::desk::{Desk, Services};
use crate::verbs::{
    apply, console, create, devices, events, list, logs, nodes, power, snapshots, update, usage, watch,
};
use crate::{Error, Exit, Terminal, reference};
use weft_domain::Reason;
use weft_ports::api::Alter;

/// Does one command and tells how the program ends. Errors are told on the terminal.
pub async fn run(globals: Globals, command: ClientCommand, services: Services, terminal: Terminal) -> Exit {
    let mut desk = Desk { services, globals, terminal };
    match serve(&mut desk, command).await {
        Ok(()) => Exit::DONE,
        Err(error) => {
            let error = located(error, &desk.globals.server);
            if error.exit() != Exit::DONE {
                desk.complain(&error);
            }
            error.exit()
        }
    }
}

/// Who finds nobody at home wants to know where they knocked.
fn located(mut error: Error, server: &str) -> Error {
    if let Error::Refused(fault) = &mut error
        && fault.reason == Reason::Away
        && !fault.message.contains(server)
    {
        fault.message += &format!(" (asked {server})");
    }
    error
}

async fn serve(desk: &mut Desk, command: ClientCommand) -> Result<(), Error> {
    match command {
        ClientCommand::Vm(command) => serve_vm(desk, *command).await,
        ClientCommand::Snapshot(command) => serve_snapshot(desk, command).await,
        ClientCommand::Node(NodeCommand::List(args)) => nodes::list(desk, args).await,
        ClientCommand::Node(NodeCommand::Get { nodes }) => nodes::get(desk, &nodes).await,
        ClientCommand::Node(NodeCommand::ReleaseOrphans(args)) => nodes::release_orphans(desk, args).await,
        ClientCommand::Event(EventCommand::List(args)) => events::list(desk, args).await,
        ClientCommand::Event(EventCommand::Watch(args)) => events::watch(desk, args).await,
        ClientCommand::Usage(args) => usage::usage(desk, *args).await,
        ClientCommand::Apply(args) => apply::apply(desk, args).await,
        ClientCommand::Completions { shell } => desk.answer_bytes(&reference::completion(shell, args::command())),
        ClientCommand::Version => version(desk),
    }
}

async fn serve_vm(desk: &mut Desk, command: VmCommand) -> Result<(), Error> {
    match command {
        VmCommand::Create(args) => create::create(desk, args).await,
        VmCommand::Run(args) => create::run(desk, args).await,
        VmCommand::List(args) => list::list(desk, args).await,
        VmCommand::Get(args) => list::get(desk, &args.vms).await,
        VmCommand::Update(args) => update::update(desk, args).await,
        VmCommand::AttachDisk(args) => {
            let alter = devices::disk(args, desk);
            devices::alter(desk, alter).await
        }
        VmCommand::DetachDisk(args) => devices::alter(desk, (args.one, Alter::DetachDisk(args.disk))).await,
        VmCommand::ResizeDisk(args) => devices::alter(desk, (args.one, Alter::ResizeDisk(args.disk, args.size))).await,
        VmCommand::AttachNic(args) => devices::alter(desk, devices::nic(args)).await,
        VmCommand::DetachNic(args) => devices::alter(desk, (args.one, Alter::DetachNic(args.nic))).await,
        VmCommand::AttachDevice(args) => {
            let alter = devices::device(args, desk);
            devices::alter(desk, alter).await
        }
        VmCommand::DetachDevice(args) => devices::alter(desk, (args.one, Alter::DetachDevice(args.device))).await,
        VmCommand::AttachVsock(args) => devices::alter(desk, devices::vsock(args)).await,
        VmCommand::DetachVsock(one) => devices::alter(desk, (one, Alter::DetachVsock)).await,
        VmCommand::Resize(args) => devices::alter(desk, devices::resize(args)).await,
        VmCommand::Counters { vm } => devices::count(desk, &vm).await,
        VmCommand::Nmi(one) => devices::nmi(desk, one).await,
        VmCommand::Boot(args) => power::act(desk, args.names, args.wait, power::Act::Boot).await,
        VmCommand::Pause(args) => power::act(desk, args.names, args.wait, power::Act::Pause).await,
        VmCommand::Resume(args) => power::act(desk, args.names, args.wait, power::Act::Resume).await,
        VmCommand::Shutdown(args) => {
            let how = power::how(&args);
            power::act(desk, args.names, args.wait, power::Act::Shutdown(how)).await
        }
        VmCommand::Reboot(args) => {
            let how = power::how(&args);
            power::act(desk, args.names, args.wait, power::Act::Reboot(how)).await
        }
        VmCommand::Delete(args) => {
            let act = power::Act::Delete { force: args.force, allow_missing: args.ignore_missing };
            power::act(desk, args.names, args.wait, act).await
        }
        VmCommand::Logs(args) => logs::logs(desk, args).await,
        VmCommand::Console(args) => console::console(desk, args).await,
        VmCommand::Wait(args) => watch::wait_for(desk, args).await,
        VmCommand::Watch(args) => watch::watch(desk, args).await,
    }
}

async fn serve_snapshot(desk: &mut Desk, command: SnapshotCommand) -> Result<(), Error> {
    match command {
        SnapshotCommand::Create(args) => snapshots::create(desk, args).await,
        SnapshotCommand::List(args) => snapshots::list(desk, args).await,
        SnapshotCommand::Get(args) => snapshots::get(desk, &args.snapshots).await,
        SnapshotCommand::Delete(args) => snapshots::delete(desk, args).await,
        SnapshotCommand::Restore(args) => snapshots::restore(desk, args).await,
        SnapshotCommand::Fork(args) => snapshots::fork(desk, args).await,
    }
}

fn version(desk: &mut Desk) -> Result<(), Error> {
    let version = env!("CARGO_PKG_VERSION");
    let text = match desk.globals.output {
        Output::Table | Output::Wide => format!("weft {version}\n"),
        Output::Json => format!("{{\"version\":\"{version}\"}}\n"),
        Output::Yaml => format!("version: {version}\n"),
        Output::Name => format!("{version}\n"),
    };
    desk.answer(&text)
}
