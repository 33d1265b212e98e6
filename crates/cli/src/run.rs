//! From a parsed command to its exit code.

use crate::args::{self, ClientCommand, EventCommand, Globals, NodeCommand, Output, VmCommand};
use crate::desk::{Desk, Services};
use crate::verbs::{apply, console, create, events, list, logs, nodes, power, update, watch};
use crate::{Error, Exit, Terminal, reference};
use weft_domain::Reason;

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
        ClientCommand::Node(NodeCommand::List(args)) => nodes::list(desk, args).await,
        ClientCommand::Node(NodeCommand::Get { nodes }) => nodes::get(desk, &nodes).await,
        ClientCommand::Event(EventCommand::List(args)) => events::list(desk, args).await,
        ClientCommand::Event(EventCommand::Watch(args)) => events::watch(desk, args).await,
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
