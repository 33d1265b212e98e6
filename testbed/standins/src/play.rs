//! A VMM under test: a process with a socket, spoken to in plain HTTP, killed when it is dropped.
//!
//! The same for a stand-in and a real program, so that one test can play both. What it writes on its serial
//! line and as errors is kept in a file of its folder.

use serde_json::Value;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Between two looks at what another process does.
const PAUSE: Duration = Duration::from_millis(2);
/// The longest that anything is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The head, as it came.
    pub head: String,
    /// The body, as it came.
    pub body: String,
}

impl Answer {
    /// The body as JSON; null where it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// A running VMM.
#[derive(Debug)]
pub struct Played {
    child: Child,
    stdin: Option<ChildStdin>,
    socket: PathBuf,
    output: PathBuf,
}

impl Played {
    /// Starts a program with these words and this environment; its socket and output lie in `folder`.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(program: &Path, folder: &Path, words: &[&str], environment: &[(&str, &str)]) -> io::Result<Self> {
        let (socket, output) = (folder.join("api.sock"), folder.join("output"));
        let file = File::create(&output)?;
        let mut child = Command::new(program)
            .args(words)
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()?;
        let stdin = child.stdin.take();
        Ok(Self { child, stdin, socket, output })
    }

    /// Waits until its socket takes connections.
    ///
    /// # Errors
    /// When it ended instead, with what it wrote.
    pub fn ready(&mut self) -> io::Result<()> {
        let begun = Instant::now();
        loop {
            if UnixStream::connect(&self.socket).is_ok() {
                return Ok(());
            }
            if self.child.try_wait()?.is_some() || begun.elapsed() > PATIENCE {
                return Err(io::Error::other(format!("no socket came: {}", self.output())));
            }
            // why: another process is waited for, which tells us nothing.
            thread::sleep(PAUSE);
        }
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it wrote so far.
    #[must_use]
    pub fn output(&self) -> String {
        std::fs::read(&self.output).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// Writes a line to its serial line.
    ///
    /// # Errors
    /// When it does not listen any more.
    pub fn say(&mut self, line: &str) -> io::Result<()> {
        let stdin = self.stdin.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        stdin.write_all(format!("{line}\n").as_bytes())
    }

    /// Waits until it has written this.
    ///
    /// # Errors
    /// When it does not.
    pub fn hear(&self, text: &str) -> io::Result<()> {
        within(|| self.output().contains(text))
            .map_err(|error| io::Error::new(error.kind(), format!("`{text}` was not heard in: {}", self.output())))
    }

    /// Waits until it ends.
    ///
    /// # Errors
    /// When it does not.
    pub fn ended(&mut self) -> io::Result<ExitStatus> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if begun.elapsed() > PATIENCE {
                return Err(io::ErrorKind::TimedOut.into());
            }
            // why: another process is waited for, which tells us nothing.
            thread::sleep(PAUSE);
        }
    }

    /// A connection to its socket.
    ///
    /// # Errors
    /// When it takes none.
    pub fn connect(&self) -> io::Result<UnixStream> {
        let stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(stream)
    }

    /// Sends a request over a connection of its own and returns what is answered.
    ///
    /// # Errors
    /// When no whole answer comes.
    pub fn call(&self, method: &str, path: &str, body: &str) -> io::Result<Answer> {
        let mut stream = self.connect()?;
        stream.write_all(request(method, path, body).as_bytes())?;
        answer(&mut stream)
    }
}

impl Drop for Played {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A request as bytes; an empty body is none.
#[must_use]
pub fn request(method: &str, path: &str, body: &str) -> String {
    let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{length}\r\n{body}")
}

/// Reads one answer.
///
/// # Errors
/// When it is cut off or is no HTTP.
pub fn answer(stream: &mut UnixStream) -> io::Result<Answer> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let status = head.get(9..12).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(format!("no status: {head}")))?;
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body)?;
    Ok(Answer { status, head, body: String::from_utf8_lossy(&body).into_owned() })
}

/// Waits until this is so.
///
/// # Errors
/// When it does not become so.
pub fn within(mut so: impl FnMut() -> bool) -> io::Result<()> {
    let begun = Instant::now();
    while !so() {
        if begun.elapsed() > PATIENCE {
            return Err(io::ErrorKind::TimedOut.into());
        }
        // why: another process is waited for, which tells us nothing.
        thread::sleep(PAUSE);
    }
    Ok(())
}

/// A kernel that halts for ever.
#[must_use]
pub fn idle_kernel() -> Vec<u8> {
    kernel(&[0xfa, 0xf4, 0xeb, 0xfd])
}

/// A kernel of this code: an ELF image with a PVH note that every VMM loads.
#[must_use]
pub fn kernel(code: &[u8]) -> Vec<u8> {
    const BASE: u64 = 0x10_0000;
    const HEADERS: u64 = 64 + 2 * 56;
    let entry = BASE + HEADERS;
    let mut note = Vec::new();
    for word in [4_u32, 4, 18] {
        note.extend_from_slice(&word.to_le_bytes());
    }
    note.extend_from_slice(b"Xen\0");
    note.extend_from_slice(&entry.to_le_bytes()[..4]);
    let note_at = (HEADERS + code.len() as u64).next_multiple_of(16);
    let size = note_at + note.len() as u64;
    let mut image = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    image.extend_from_slice(&[2, 0, 62, 0, 1, 0, 0, 0]);
    for word in [entry, 64, 0] {
        image.extend_from_slice(&word.to_le_bytes());
    }
    image.extend_from_slice(&[0, 0, 0, 0, 64, 0, 56, 0, 2, 0, 64, 0, 0, 0, 0, 0]);
    for (kind, at, length) in [(1_u32, 0, size), (4, note_at, note.len() as u64)] {
        image.extend_from_slice(&kind.to_le_bytes());
        image.extend_from_slice(&7_u32.to_le_bytes());
        for word in [at, BASE + at, BASE + at, length, length, if kind == 1 { 4096 } else { 4 }] {
            image.extend_from_slice(&word.to_le_bytes());
        }
    }
    image.extend_from_slice(code);
    image.resize(usize::try_from(note_at).unwrap_or_default(), 0);
    image.extend_from_slice(&note);
    image
}
