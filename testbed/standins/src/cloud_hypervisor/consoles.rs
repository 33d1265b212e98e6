//! Consoles in every mode: what a configuration asks for is opened, and read and written by the guest.
//!
//! A file is truncated, a socket must not exist yet and goes with its machine, a pseudo-terminal's path is
//! told back into the configuration. The guest uses the serial line; the virtio console is only opened.
//! Whoever connects to the socket is heard from then on; what was said before is gone.

use super::refusal::Why;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Both directions of a line; the way back only where it changes with who listens.
pub(crate) type Ways = (Box<dyn Read + Send>, Option<Box<dyn Write + Send>>);

/// One console.
pub(crate) enum Line {
    /// Nobody listens.
    Null,
    /// The process's own input and output.
    Tty,
    /// A file.
    File(File),
    /// A pseudo-terminal.
    Pty(File),
    /// A socket.
    Socket(Socket),
}

/// A bound socket, which goes when this is dropped.
pub(crate) struct Socket {
    listener: Option<UnixListener>,
    path: PathBuf,
    node: u64,
    closed: Arc<AtomicBool>,
    client: Arc<Mutex<Option<UnixStream>>>,
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::SeqCst);
        if let Some(client) = self.client.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = client.shutdown(Shutdown::Both);
        }
        // A machine that moved away may have left its path to the one that took it over.
        if node(&self.path).is_ok_and(|node| node == self.node) {
            let _ = UnixStream::connect(&self.path);
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Everything that a machine's consoles hold open.
pub(crate) struct Consoles {
    serial: Line,
    others: Vec<Line>,
}

impl Consoles {
    /// Opens what the configuration asks for, and tells it where the pseudo-terminals are.
    ///
    /// # Errors
    /// When something cannot be opened.
    pub(crate) fn open(config: &mut Value) -> Result<Self, Why> {
        let mut others = Vec::new();
        for name in ["console", "debug_console"] {
            if config[name]["mode"] == "Socket" {
                return Err(failed(&format!("the {name} cannot be a socket")));
            }
            others.push(line(&mut config[name])?);
        }
        let serial = line(&mut config["serial"])?;
        Ok(Self { serial, others })
    }
}

impl Consoles {
    /// The serial line, and what is only held.
    pub(crate) fn split(self) -> (Line, Vec<Line>) {
        (self.serial, self.others)
    }
}

fn node(path: &Path) -> io::Result<u64> {
    Ok(std::fs::metadata(path)?.ino())
}

fn failed(why: &str) -> Why {
    Why::Failed(vec!["the consoles cannot be created".to_owned(), why.to_owned()])
}

fn line(config: &mut Value) -> Result<Line, Why> {
    let path = |name: &str| {
        let path = config.get(name).and_then(Value::as_str);
        path.map(PathBuf::from).ok_or_else(|| failed(&format!("this mode needs the field {name}")))
    };
    let told = |path: &Path, error: &io::Error| failed(&format!("{}: {error}", path.display()));
    Ok(match config.get("mode").and_then(Value::as_str).unwrap_or_default() {
        "Tty" => Line::Tty,
        "File" => {
            let path = path("file")?;
            Line::File(File::create(&path).map_err(|error| told(&path, &error))?)
        }
        "Socket" => {
            let path = path("socket")?;
            let listener = UnixListener::bind(&path).map_err(|error| told(&path, &error))?;
            let node = node(&path).map_err(|error| told(&path, &error))?;
            Line::Socket(Socket {
                listener: Some(listener),
                path,
                node,
                closed: Arc::default(),
                client: Arc::default(),
            })
        }
        "Pty" => {
            let (main, path) = pty().map_err(|error| failed(&format!("no pseudo-terminal: {error}")))?;
            config["file"] = json!(path);
            Line::Pty(main)
        }
        _ => Line::Null,
    })
}

fn pty() -> io::Result<(File, String)> {
    let main = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    grantpt(&main)?;
    unlockpt(&main)?;
    let path = ptsname(&main, Vec::new())?.to_string_lossy().into_owned();
    let mut settings = tcgetattr(&main)?;
    settings.make_raw();
    tcsetattr(&main, OptionalActions::Now, &settings)?;
    Ok((File::from(main), path))
}

impl Line {
    /// Where the guest writes from the beginning.
    pub(crate) fn writer(&self) -> Option<Box<dyn Write + Send>> {
        match self {
            Self::Null | Self::Socket(_) => None,
            Self::Tty => Some(Box::new(io::stdout())),
            Self::File(file) | Self::Pty(file) => Some(Box::new(file.try_clone().ok()?)),
        }
    }

    /// Hands on whatever can be read, each in its turn, until the line goes.
    pub(crate) fn listen(&mut self, hear: impl Fn(Ways) + Send + 'static) {
        match self {
            Self::Null | Self::File(_) => {}
            Self::Tty => {
                thread::spawn(move || hear((Box::new(io::stdin()), None)));
            }
            Self::Pty(file) => {
                if let Ok(file) = file.try_clone() {
                    thread::spawn(move || hear((Box::new(file), None)));
                }
            }
            Self::Socket(socket) => {
                let Some(listener) = socket.listener.take() else { return };
                let (closed, client) = (socket.closed.clone(), socket.client.clone());
                thread::spawn(move || {
                    for stream in listener.incoming().flatten() {
                        if closed.load(Ordering::SeqCst) {
                            return;
                        }
                        if let (Ok(back), Ok(handle)) = (stream.try_clone(), stream.try_clone()) {
                            *client.lock().unwrap_or_else(PoisonError::into_inner) = Some(handle);
                            hear((Box::new(stream), Some(Box::new(back))));
                        }
                    }
                });
            }
        }
    }
}
