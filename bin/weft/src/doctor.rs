//! `weft doctor`: what this machine can run, and what to install for the rest.
//!
//! It opens the adapters that can be opened beside a running weft, asks each what it found, and prints it.
//! The store is left alone. A census is another matter: see `census`.

mod census;

use crate::internal;
use crate::settings::Settings;
use anyhow::Result;
use std::io::IsTerminal;
use std::sync::Arc;
use weft_cli::args::local::DoctorArgs;
use weft_cli::show::paint::Paint;
use weft_cli::{Exit, Finding, Globals, State};
use weft_domain::spec::Accelerator;
use weft_ports::clock::System;
use weft_ports::processes::Processes;

/// Looks, and prints what was found.
///
/// # Errors
/// Standard output is gone, or no census can be taken. What is missing is a finding, not an error.
pub(crate) async fn run(globals: &Globals, settings: Result<Settings>, args: DoctorArgs) -> Result<Exit> {
    if args.census {
        return census::run(globals, &settings?).await;
    }
    let mut findings = Vec::new();
    match settings {
        Ok(settings) => look(&settings, &mut findings).await,
        Err(error) => findings.push(Finding {
            area: "configuration".into(),
            what: "settings".into(),
            state: State::Missing,
            detail: format!("{error:#}"),
            fix: "mend it; `weft config check` says when it is right".into(),
        }),
    }
    let plain = globals.no_color || !std::io::stdout().is_terminal();
    let paint = if plain { Paint::Plain } else { Paint::Colour };
    internal::print(&weft_cli::doctor::text(&findings, globals.output, paint))
}

async fn look(settings: &Settings, findings: &mut Vec<Finding>) {
    findings.push(Finding {
        area: "weft".into(),
        what: "version".into(),
        state: State::Ok,
        detail: format!("{} ({})", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH),
        fix: String::new(),
    });
    findings.extend(
        weft_host::doctor::look(&weft_host::doctor::Config {
            data_dir: settings.data_dir.clone(),
            run_dir: settings.run_dir.clone(),
        })
        .into_iter()
        .map(of_host),
    );
    findings.extend(vmms(settings).await);
}

fn of_host(found: weft_host::doctor::Finding) -> Finding {
    let state = if found.ok { State::Ok } else { State::Warn };
    Finding { area: "host".into(), what: found.what.to_owned(), state, detail: found.detail, fix: found.fix }
}

async fn vmms(settings: &Settings) -> Vec<Finding> {
    let config = weft_host::processes::Config::of(&settings.data_dir, &settings.run_dir);
    let processes: Arc<dyn Processes> = match weft_host::processes::open(config) {
        Ok(processes) => Arc::new(processes),
        Err(error) => {
            let detail = error.to_string();
            let fix = "mend this first: no VMM can be started".to_owned();
            return vec![Finding { area: "host".into(), what: "processes".into(), state: State::Missing, detail, fix }];
        }
    };
    let configs = crate::rooms::drivers(settings);
    let opened = weft_vmm::open(configs, processes, Arc::new(System)).await;
    opened.findings.iter().flat_map(of_vmm).collect()
}

fn of_vmm(found: &weft_vmm::Finding) -> Vec<Finding> {
    let name = &found.driver;
    let one = |what: &str, state, detail: String, fix: String| Finding {
        area: name.clone(),
        what: what.to_owned(),
        state,
        detail,
        fix,
    };
    let program = found.program.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
    let detail = format!("{} {program}", found.version.as_deref().unwrap_or("not found")).trim().to_owned();
    let state = if found.missing.is_some() { State::Missing } else { State::Ok };
    let mut lines = vec![one("program", state, detail, found.missing.clone().unwrap_or_default())];
    for engine in &found.engines {
        let what = match engine.accelerator {
            Accelerator::Kvm => "kvm",
            Accelerator::Tcg => "tcg",
            Accelerator::Auto => "auto",
        };
        let state = if engine.works { State::Ok } else { State::Warn };
        lines.push(one(what, state, engine.why.clone(), String::new()));
    }
    lines.extend(found.notes.iter().map(|note| one("note", State::Ok, note.clone(), String::new())));
    lines
}
