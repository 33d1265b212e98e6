//! One VMM process that runs weft-tiny.
//!
//! ```text
//!  ask("ping") ──► serial port ──► weft-tiny ──► serial port ──► "pong"
//!  call(…)     ──► the VMM's API: HTTP for Firecracker and Cloud Hypervisor, QMP for QEMU
//! ```

use super::kernel;
use super::vmm::Vmm;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

/// The longest that anything takes.
const PATIENCE: Duration = Duration::from_secs(90);
/// Between two tries to reach a socket that a VMM is about to make.
const PAUSE: Duration = Duration::from_millis(2);
/// Memory of each guest.
pub(super) const MEBIBYTES: u64 = 64;

type Input = Box<dyn AsyncWrite + Send + Unpin>;
type Output = Box<dyn AsyncBufRead + Send + Unpin>;

/// A weft-tiny that runs.
pub struct Guest {
    vmm: Vmm,
    child: Child,
    input: Input,
    output: Output,
    folder: TempDir,
}

impl Guest {
    /// Boots one whose command line holds `asked`, and has seen its whole banner.
    ///
    /// # Errors
    /// Why this VMM cannot run here.
    ///
    /// # Panics
    /// It can, and does not boot.
    pub async fn boot(vmm: Vmm, asked: &str) -> Result<Self, String> {
        let cmdline = format!("console=ttyS0 {asked}");
        let mut guest = Self::start(vmm, &cmdline).await?;
        match vmm {
            Vmm::Qemu(..) => {}
            Vmm::Firecracker => {
                guest.put("machine-config", json!({"vcpu_count": 1, "mem_size_mib": MEBIBYTES})).await;
                guest.put("boot-source", json!({"kernel_image_path": weft_guest::PATH, "boot_args": cmdline})).await;
                guest.put("actions", json!({"action_type": "InstanceStart"})).await;
            }
            Vmm::CloudHypervisor => {
                let config = json!({
                    "memory": {"size": MEBIBYTES << 20},
                    "payload": {"kernel": weft_guest::PATH, "cmdline": cmdline},
                    "serial": {"mode": "Socket", "socket": guest.path("serial")},
                    "console": {"mode": "Off"},
                });
                guest.put("api/v1/vm.create", config).await;
                guest.put("api/v1/vm.boot", Value::Null).await;
                guest.open_serial().await;
            }
        }
        let banner = guest.until("MiB, command line: ").await;
        assert!(banner.contains(&format!("{MEBIBYTES} MiB")) && banner.contains(asked), "{vmm}: {banner}");
        guest.until(weft_guest::READY).await;
        Ok(guest)
    }

    /// A VMM that was started and given nothing yet: QEMU boots at once, the others wait for calls.
    ///
    /// # Errors
    /// Why it cannot run here.
    ///
    /// # Panics
    /// It does not start.
    pub async fn start(vmm: Vmm, cmdline: &str) -> Result<Self, String> {
        let program = vmm.program()?;
        let kernel = kernel().ok_or("no weft-tiny for this processor")?;
        let folder = tempfile::Builder::new().prefix("weft-").tempdir().map_err(|error| error.to_string())?;
        let mut command = Command::new(program);
        let api = folder.path().join("api");
        match vmm {
            Vmm::Qemu(machine, accelerator) => {
                command.args(["-M", machine, "-accel", accelerator.name(), "-m", &MEBIBYTES.to_string()]);
                command.args(["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]);
                command.args(["-serial", "stdio", "-append", cmdline, "-kernel"]).arg(kernel);
                command.arg("-qmp").arg(format!("unix:{},server=on,wait=off", api.display()));
                if machine != "microvm" {
                    command.args(["-device", "pvpanic"]);
                }
            }
            Vmm::Firecracker => {
                command.args(["--level", "Error", "--api-sock"]).arg(&api);
            }
            Vmm::CloudHypervisor => {
                command.arg("--api-socket").arg(&api);
            }
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| format!("{vmm}: {error}"))?;
        let input = Box::new(child.stdin.take().expect("it was piped"));
        let output = Box::new(BufReader::new(child.stdout.take().expect("it was piped")));
        Ok(Self { vmm, child, input, output, folder })
    }

    /// A path in its folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Sends a line and answers the next one.
    ///
    /// # Panics
    /// Nothing comes back.
    pub async fn ask(&mut self, line: &str) -> String {
        self.input.write_all(format!("{line}\n").as_bytes()).await.expect("the serial port takes a line");
        self.input.flush().await.expect("the serial port takes a line");
        self.line().await
    }

    /// Reads lines until one holds this text, and answers that.
    ///
    /// # Panics
    /// None does in time.
    pub async fn until(&mut self, text: &str) -> String {
        loop {
            let line = self.line().await;
            if line.contains(text) {
                return line;
            }
        }
    }

    /// The next line that is not empty.
    async fn line(&mut self) -> String {
        let reading = async {
            loop {
                let mut line = Vec::new();
                let read = self.output.read_until(b'\n', &mut line).await;
                if read.is_ok_and(|read| read == 0) {
                    // Cloud Hypervisor makes its socket anew when the guest resets.
                    assert_eq!(self.vmm, Vmm::CloudHypervisor, "the serial port was closed");
                    self.open_serial().await;
                }
                let line = String::from_utf8_lossy(&line).trim().to_owned();
                if !line.is_empty() {
                    return line;
                }
            }
        };
        timeout(PATIENCE, reading).await.unwrap_or_else(|_| panic!("the guest says nothing more"))
    }

    /// Asks as its VMM asks a guest to end: the power button, or Ctrl+Alt+Del.
    ///
    /// # Panics
    /// The VMM refuses.
    pub async fn press_button(&mut self) {
        match self.vmm {
            Vmm::Qemu(..) => {
                let api = connect(&self.path("api")).await;
                let (reading, mut writing) = api.into_split();
                let mut answers = BufReader::new(reading).lines();
                for command in ["qmp_capabilities", "system_powerdown"] {
                    answers.next_line().await.expect("QMP answers");
                    let line = format!("{{\"execute\": \"{command}\"}}\n");
                    writing.write_all(line.as_bytes()).await.expect("QMP takes a command");
                }
                answers.next_line().await.expect("QMP answers");
            }
            Vmm::Firecracker => self.put("actions", json!({"action_type": "SendCtrlAltDel"})).await,
            Vmm::CloudHypervisor => self.put("api/v1/vm.power-button", Value::Null).await,
        }
    }

    /// How the VMM ended.
    ///
    /// # Panics
    /// It does not in time.
    pub async fn ended(mut self) -> ExitStatus {
        let ending = timeout(PATIENCE, self.child.wait()).await;
        ending.unwrap_or_else(|_| panic!("{} does not end", self.vmm)).expect("a child can be waited for")
    }

    /// Puts a body to the VMM's HTTP API.
    ///
    /// # Panics
    /// It is refused.
    pub async fn put(&self, path: &str, body: Value) {
        self.call("PUT", path, body).await;
    }

    /// Calls the VMM's HTTP API.
    ///
    /// # Panics
    /// It is refused.
    pub async fn call(&self, method: &str, path: &str, body: Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = format!(
            "{method} /{path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut api = connect(&self.path("api")).await;
        api.write_all(request.as_bytes()).await.expect("the API takes a request");
        let mut answer = vec![0; 4_096];
        let read = timeout(PATIENCE, api.read(&mut answer)).await.expect("the API answers in time");
        let answer = String::from_utf8_lossy(&answer[..read.expect("the API answers")]).into_owned();
        assert!(answer.starts_with("HTTP/1.1 20"), "{}: {method} {path} {body}: {answer}", self.vmm);
    }

    async fn open_serial(&mut self) {
        let (output, input) = connect(&self.path("serial")).await.into_split();
        self.output = Box::new(BufReader::new(output));
        self.input = Box::new(input);
    }
}

/// Connects to a socket that is there or soon will be.
async fn connect(path: &Path) -> UnixStream {
    let connecting = async {
        loop {
            match UnixStream::connect(path).await {
                Ok(stream) => return stream,
                // why: the VMM makes the socket and tells nobody.
                Err(_) => sleep(PAUSE).await,
            }
        }
    };
    timeout(PATIENCE, connecting).await.unwrap_or_else(|_| panic!("nobody listens at {}", path.display()))
}
