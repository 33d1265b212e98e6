//! Runs a program of the host to its end, within a time and with its last words kept.
//!
//! Standard output and error go to files, so that a talkative program never blocks. Always holds: when
//! `run` answers, the program has ended.

use crate::error::Error;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Runs programs for one preparation.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    /// A folder for what they say.
    pub(crate) dir: PathBuf,
    /// How long each may take.
    pub(crate) patience: Duration,
    /// Set when weft is closing.
    pub(crate) closing: Arc<AtomicBool>,
}

const LOOK: Duration = Duration::from_millis(20);
const LAST_WORDS: usize = 400;

impl Programs {
    /// Runs a program and answers what it wrote; `tick` is called while it runs.
    pub(crate) fn run(&self, command: &mut Command, tick: &mut dyn FnMut()) -> Result<String, Error> {
        let program = command.get_program().to_string_lossy().into_owned();
        let (out, err) = (self.dir.join("stdout"), self.dir.join("stderr"));
        let file = |path: &PathBuf| File::create(path).map_err(Error::file("write", path));
        let spawned = command
            .env("LC_ALL", "C.UTF-8")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdin(Stdio::null())
            .stdout(file(&out)?)
            .stderr(file(&err)?)
            .spawn();
        let mut child = spawned.map_err(|source| {
            if source.kind() == std::io::ErrorKind::NotFound {
                Error::ProgramMissing { program: program.clone() }
            } else {
                Error::ProgramFailed { program: program.clone(), said: source.to_string() }
            }
        })?;
        let status = self.wait(&mut child, &program, tick)?;
        let read = |path: &PathBuf| fs::read(path).map_err(Error::file("read", path));
        if status.success() {
            return Ok(String::from_utf8_lossy(&read(&out)?).into_owned());
        }
        let said = String::from_utf8_lossy(&read(&err)?).trim().replace('\n', "; ");
        let start = said.char_indices().rev().nth(LAST_WORDS).map_or(0, |(at, _)| at);
        Err(Error::ProgramFailed { program, said: format!("{status}: {}", &said[start..]) })
    }

    fn wait(&self, child: &mut Child, program: &str, tick: &mut dyn FnMut()) -> Result<ExitStatus, Error> {
        let start = Instant::now();
        let why = loop {
            match child.try_wait() {
                Ok(Some(status)) => return Ok(status),
                Ok(None) => {}
                Err(source) => break Error::ProgramFailed { program: program.into(), said: source.to_string() },
            }
            if self.closing.load(Ordering::Relaxed) {
                break Error::Closing;
            }
            if start.elapsed() > self.patience {
                break Error::ProgramSlow { program: program.into(), seconds: self.patience.as_secs() };
            }
            tick();
            std::thread::sleep(LOOK);
        };
        if let Err(error) = child.kill().and_then(|()| child.wait().map(drop)) {
            tracing::warn!(program, %error, "cannot end a program");
        }
        Err(why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn programs(dir: &tempfile::TempDir) -> Programs {
        Programs { dir: dir.path().into(), patience: Duration::from_secs(60), closing: Arc::default() }
    }

    #[test]
    fn what_a_program_wrote_is_answered() {
        let dir = tempfile::tempdir().unwrap();
        let said = programs(&dir).run(Command::new("echo").arg("hello"), &mut || {});
        assert_eq!(said.unwrap(), "hello\n");
    }

    #[test]
    fn a_failure_keeps_its_last_words() {
        let dir = tempfile::tempdir().unwrap();
        let failed = programs(&dir).run(Command::new("sh").args(["-c", "echo no luck >&2; exit 3"]), &mut || {});
        let Err(Error::ProgramFailed { program, said }) = failed else { panic!("it failed: {failed:?}") };
        assert_eq!(program, "sh");
        assert!(said.ends_with("3: no luck"), "{said}");
    }

    #[test]
    fn a_missing_program_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let missing = programs(&dir).run(&mut Command::new("weft-no-such-program"), &mut || {});
        assert!(matches!(missing, Err(Error::ProgramMissing { program }) if program == "weft-no-such-program"));
    }

    #[test]
    fn time_and_closing_end_a_program() {
        let dir = tempfile::tempdir().unwrap();
        let mut slow = programs(&dir);
        slow.patience = Duration::ZERO;
        assert!(matches!(slow.run(Command::new("sleep").arg("60"), &mut || {}), Err(Error::ProgramSlow { .. })));
        let closing = programs(&dir);
        let flag = Arc::clone(&closing.closing);
        let mut tick = || flag.store(true, Ordering::Relaxed);
        assert!(matches!(closing.run(Command::new("sleep").arg("60"), &mut tick), Err(Error::Closing)));
    }
}
