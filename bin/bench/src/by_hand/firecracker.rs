//! Firecracker: the calls that a machine without devices needs, its log and metrics in files.

use super::calls::Calls;
use super::{PATIENCE, Plain, Started, Vmm};
use anyhow::{Context, Result, bail};
use serde_json::json;
use std::fs::File;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Between two looks at whether its socket is there.
const PAUSE: Duration = Duration::from_micros(100);

/// From nothing until the call that starts the machine has answered. Blocks.
///
/// # Errors
/// Firecracker did not come up.
pub(super) fn start(machine: &Plain, folder: &Path) -> Result<Started> {
    let start = Instant::now();
    let console = File::create(folder.join("console.log"))?;
    for name in ["log", "metrics"] {
        File::create(folder.join(name))?;
    }
    let mut command = Command::new(&machine.program);
    command.args(["--api-sock", "api", "--log-path", "log", "--level", "Info"]).current_dir(folder);
    command.stdin(Stdio::null()).stdout(console.try_clone()?).stderr(console);
    let vmm = Vmm(command.spawn().context("Firecracker cannot be started")?);
    let mut calls = Calls::over(connect(&folder.join("api"))?)?;
    calls.put("/metrics", &json!({"metrics_path": "metrics"}))?;
    calls.put("/machine-config", &json!({"vcpu_count": 1, "mem_size_mib": machine.mebibytes}))?;
    calls.put("/boot-source", &json!({"kernel_image_path": machine.kernel, "boot_args": ""}))?;
    calls.put("/actions", &json!({"action_type": "InstanceStart"}))?;
    Ok(Started { took: start.elapsed(), vmm })
}

/// The socket that it makes.
fn connect(path: &Path) -> Result<UnixStream> {
    let start = Instant::now();
    loop {
        match UnixStream::connect(path) {
            Ok(socket) => return Ok(socket),
            Err(why) if start.elapsed() > PATIENCE => bail!("Firecracker does not listen: {why}"),
            Err(_) => std::thread::sleep(PAUSE),
        }
    }
}
