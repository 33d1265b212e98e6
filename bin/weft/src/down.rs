//! `weft down`: asks every VM to stop, then the daemon to end, in this order.

use crate::settings::Settings;
use crate::state::Running;
use crate::{client, internal, signals};
use anyhow::{Context, Result, bail};
use futures::stream::{FuturesUnordered, StreamExt};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::os::fd::OwnedFd;
use std::time::Duration;
use weft_cli::args::local::DownArgs;
use weft_cli::{Exit, Globals, Services};
use weft_domain::instance::StopHow;
use weft_domain::{Fault, Phase, Reason};
use weft_ports::api::{Call, ListQuery, Vm, VmRef};

/// How long a guest is given to stop.
const GRACE: Duration = Duration::from_secs(30);
/// How long the daemon is given to end.
const END: Duration = Duration::from_secs(30);

/// Runs it.
///
/// # Errors
/// No weft runs here, or it cannot be ended.
pub(crate) async fn run(globals: &Globals, settings: &Settings, args: DownArgs) -> Result<Exit> {
    let Some((running, daemon)) = find(settings)? else {
        bail!("no weft runs on {}; `weft up` starts one", settings.data_dir.display());
    };
    let (interrupt, _ends) = signals::end()?;
    if !args.keep_vms {
        let globals = Globals { server: format!("http://{}", running.api), ..globals.clone() };
        let (services, grace) = (client::services(&globals)?, globals.timeout.unwrap_or(GRACE));
        tokio::select! {
            stopped = stop_all(&services, grace) => stopped?,
            () = interrupt.cancelled() => return Ok(Exit::INTERRUPTED),
        }
    }
    pidfd_send_signal(&daemon, Signal::TERM).context("the daemon cannot be ended")?;
    let gone = tokio::task::spawn_blocking(move || wait(&daemon)).await??;
    if !gone {
        bail!("weft (process {}) did not end within {} s; its log says why", running.pid, END.as_secs());
    }
    internal::print("weft is down\n")
}

/// The daemon of this data folder, if one lives.
fn find(settings: &Settings) -> Result<Option<(Running, OwnedFd)>> {
    let Some(running) = Running::find(&settings.data_dir) else { return Ok(None) };
    let Some(pid) = Pid::from_raw(running.pid) else { return Ok(None) };
    let Ok(daemon) = pidfd_open(pid, PidfdFlags::empty()) else { return Ok(None) };
    Ok(running.lives(&settings.data_dir).then_some((running, daemon)))
}

fn wait(daemon: &OwnedFd) -> Result<bool> {
    let mut fds = [PollFd::new(daemon, PollFlags::IN)];
    let span = rustix::event::Timespec::try_from(END).context("a span that the kernel does not take")?;
    Ok(poll(&mut fds, Some(&span))? > 0)
}

/// Asks all VMs that run to stop, at the same time, and waits for all.
async fn stop_all(services: &Services, grace: Duration) -> Result<(), Fault> {
    let mut stopping = FuturesUnordered::new();
    let mut query = ListQuery { page_size: 1000, ..ListQuery::default() };
    loop {
        let page = services.vms.list(&Call::by("down"), &query).await?;
        for vm in page.items {
            if matches!(vm.value.status.phase, Phase::Running | Phase::Paused | Phase::Starting | Phase::Stopping) {
                stopping.push(stop(services, vm, grace));
            }
        }
        if page.next_page_token.is_empty() {
            break;
        }
        query.page_token = page.next_page_token;
    }
    while let Some(stopped) = stopping.next().await {
        match stopped {
            Ok(vm) => say(&vm),
            // It ended or was removed by itself meanwhile, which is what was wanted.
            Err(fault) if matches!(fault.reason, Reason::PhaseForbids | Reason::VmNotFound) => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(())
}

async fn stop(services: &Services, vm: Vm, grace: Duration) -> Result<Vm, Fault> {
    let call = Call { timeout: Some(grace + Duration::from_secs(15)), ..Call::by("down") };
    let id = VmRef::Id(vm.value.meta.id);
    services.power.shutdown(&call, &id, StopHow::Graceful { timeout: grace }).await
}

fn say(vm: &Vm) {
    // What is said on the way is not what the command is for.
    let _ = internal::print(&format!("{} is {}\n", vm.value.meta.name, vm.value.status.phase));
}
