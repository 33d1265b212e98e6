//! The door: reads flags, environment and configuration, opens adapters, runs roles.
//!
//! ```text
//!  argv ─► weft_cli::parse ─┬─ a client's command ─► api's client ─► weft_cli::run
//!                           └─ up ─► settings ─► store · host · vmm · image ─► control + agent ─► api's server
//!                              down, backup, restore, doctor, config, bench, internal: one file each
//! ```
//!
//! Only this room reads the environment, files of configuration and signals.

mod backup;
mod client;
mod doctor;
mod down;
mod faults;
mod internal;
mod observe;
mod rooms;
mod settings;
mod signals;
mod state;
mod up;

use anyhow::Result;
use settings::{Flags, Outside};
use std::process::ExitCode;
use weft_cli::args::local::{ConfigCommand, LocalCommand};
use weft_cli::{Cli, Command, Exit, Globals};

fn main() -> ExitCode {
    let cli = match weft_cli::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(words) => words.exit(),
    };
    weft_host::allocator::keep_few_heaps();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(why) => return client::complain(&anyhow::anyhow!("the runtime cannot be started: {why}")),
    };
    let ended = runtime.block_on(run(cli));
    // Reading standard input cannot be broken off; what is left of it must not hold us up.
    runtime.shutdown_background();
    match ended {
        Ok(exit) => exit.into(),
        Err(error) => client::complain(&error),
    }
}

async fn run(cli: Cli) -> Result<Exit> {
    match cli.command {
        Command::Client(command) => client::run(cli.globals, command).await,
        Command::Local(command) => local(cli.globals, command).await,
    }
}

async fn local(globals: Globals, command: LocalCommand) -> Result<Exit> {
    let outside = Outside::here();
    let mut flags = flags(&globals, &outside);
    match command {
        LocalCommand::Up(args) => {
            flags.keys.extend(args.settings);
            flags.keys.extend(args.listen.map(|listen| ("server.listen".to_owned(), listen.to_string())));
            flags.keys.extend(args.metrics.map(|listen| ("server.metrics_listen".to_owned(), listen.to_string())));
            let mut settings = settings::load(&flags, &outside)?;
            settings.notices.extend(faults::arm(&outside)?);
            let start = if args.replace { up::Start::Replacing } else { up::Start::Alone };
            up::run(settings, start).await
        }
        LocalCommand::Down(args) => down::run(&globals, &settings::load(&flags, &outside)?, args).await,
        LocalCommand::Backup { file } => backup::backup(&globals, &settings::load(&flags, &outside)?, &file).await,
        LocalCommand::Restore { file } => backup::restore(&settings::load(&flags, &outside)?, &file).await,
        LocalCommand::Doctor(args) => doctor::run(&globals, settings::load(&flags, &outside), args).await,
        LocalCommand::Config(ConfigCommand::Check) => {
            let settings = settings::load(&flags, &outside)?;
            internal::print(&check_text(&settings.notices))
        }
        LocalCommand::Config(ConfigCommand::Print) => {
            settings::load(&flags, &outside)?;
            let (values, _) = settings::gather(&flags, &outside)?;
            internal::print(&settings::show::in_force(&values))
        }
        LocalCommand::Bench(args) => internal::bench(args).await,
        LocalCommand::Internal(command) => internal::run(command).await,
    }
}

fn check_text(notices: &[String]) -> String {
    let said: String = notices.iter().map(|notice| format!("note: {notice}\n")).collect();
    said + "the configuration is right\n"
}

/// What the command line says of the configuration.
fn flags(globals: &Globals, outside: &Outside) -> Flags {
    let mut keys = Vec::new();
    if let Some(format) = globals.log_format {
        let format = match format {
            weft_cli::args::LogFormat::Text => "text",
            weft_cli::args::LogFormat::Json => "json",
        };
        keys.push(("log.format".to_owned(), format.to_owned()));
    }
    match globals.verbose {
        0 => {}
        1 => keys.push(("log.filter".to_owned(), "info,weft=debug,weft_agent=debug,weft_control=debug".to_owned())),
        _ => keys.push(("log.filter".to_owned(), "debug".to_owned())),
    }
    let config = globals.config.clone().or_else(|| settings::usual_file(outside));
    Flags { config, data_dir: globals.data_dir.clone(), keys }
}
