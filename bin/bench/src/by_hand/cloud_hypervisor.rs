//! Cloud Hypervisor: a machine without devices, asked for over a socket that listens before it does.

use super::calls::Calls;
use super::{Plain, Started, Vmm};
use anyhow::{Context, Result};
use rustix::io::{FdFlags, fcntl_setfd};
use serde_json::{Value, json};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// From nothing until the call that boots the machine has answered. Blocks.
///
/// # Errors
/// Cloud Hypervisor did not come up.
pub(super) fn start(machine: &Plain, folder: &Path) -> Result<Started> {
    let start = Instant::now();
    let listener = UnixListener::bind(folder.join("api"))?;
    fcntl_setfd(&listener, FdFlags::empty())?;
    let mut calls = Calls::over(UnixStream::connect(folder.join("api"))?)?;
    let config = json!({
        "cpus": {"boot_vcpus": 1, "max_vcpus": 1},
        "memory": {"size": machine.mebibytes << 20},
        "payload": {"kernel": machine.kernel, "cmdline": ""},
        "serial": {"mode": "File", "file": folder.join("console.log")},
        "console": {"mode": "Off"},
    });
    calls.ask("/api/v1/vm.create", &config)?;
    let log = File::create(folder.join("log"))?;
    let mut command = Command::new(&machine.program);
    command.arg("--api-socket").arg(format!("fd={}", listener.as_raw_fd())).current_dir(folder);
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    let vmm = Vmm(command.spawn().context("Cloud Hypervisor cannot be started")?);
    drop(listener);
    calls.heard().with_context(|| format!("vm.create {config}"))?;
    calls.put("/api/v1/vm.boot", &Value::Null)?;
    Ok(Started { took: start.elapsed(), vmm })
}
