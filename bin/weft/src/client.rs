//! A client's command: the ports from afar, the terminal of this process, and how errors are shown.

use crate::signals;
use anyhow::{Context, Result};
use std::process::ExitCode;
use std::sync::Arc;
use weft_cli::{ClientCommand, Exit, Globals, Services, Terminal};
use weft_domain::Fault;

/// The services of the server that the command line names.
///
/// # Errors
/// Its address is none.
pub(crate) fn services(globals: &Globals) -> Result<Services, Fault> {
    let client = Arc::new(weft_api::client::Client::connect(&globals.server)?);
    Ok(Services {
        vms: client.clone(),
        power: client.clone(),
        devices: client.clone(),
        snapshots: client.clone(),
        consoles: client.clone(),
        nodes: client.clone(),
        events: client.clone(),
        usage: client,
        documents: Arc::new(weft_api::Documents),
        clock: Arc::new(weft_ports::clock::System),
    })
}

/// Runs it.
///
/// # Errors
/// The process's own surroundings; what the server refuses is shown and becomes the exit code.
pub(crate) async fn run(globals: Globals, command: ClientCommand) -> Result<Exit> {
    let (interrupt, _ends) = signals::end()?;
    let (size, _sizes) = signals::size()?;
    let folder = std::env::current_dir().context("the current folder is gone")?;
    let terminal = Terminal::of_process(size, interrupt, folder);
    let services = services(&globals)?;
    Ok(weft_cli::run(globals, command, services, terminal).await)
}

/// Shows an error that ends the program.
#[expect(clippy::print_stderr, reason = "the last words of the program")]
pub(crate) fn complain(error: &anyhow::Error) -> ExitCode {
    let faults = error.chain().filter_map(|cause| cause.downcast_ref::<Fault>());
    match faults.last() {
        Some(fault) => {
            let mut text = Vec::new();
            let exit = weft_cli::report_fault(&mut text, fault);
            eprint!("{}", String::from_utf8_lossy(&text));
            exit.into()
        }
        None => {
            eprintln!("error: {error:#}");
            Exit::of(weft_domain::Kind::FailedPrecondition).into()
        }
    }
}
