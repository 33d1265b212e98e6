//! One virsh: a client that keeps its connection, and takes one command after the other.
//!
//! ```text
//!  ask ─► command, then echo MARK ─► virsh ─► its answer … MARK ─► Answer
//! ```
//!
//! virsh repeats each command after its prompt, which is how answers are told apart, and connects again by
//! itself after its daemon was killed.

use super::house::House;
use anyhow::{Context, Result, bail};
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, ChildStdin, Stdio};
use std::time::Duration;

/// The prompt that virsh writes before each command.
const PROMPT: &str = "virsh # ";
/// What virsh says when its daemon has gone.
const GONE: [&str; 9] = [
    "End of file",
    "annot recv data",
    "Broken pipe",
    "Connection reset",
    "connect socket",
    "to the hypervisor",
    "client socket",
    "no valid connection",
    // Of a domain that is there: each client asks for its own alone.
    "failed to get domain",
];
/// The time that one answer may take.
const PATIENCE: Duration = Duration::from_secs(40);

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// Acknowledged, and what was said.
    Done(String),
    /// The daemon refused, and why.
    Refused(String),
    /// The daemon went away before it answered.
    Cut,
}

/// A virsh that runs.
pub(super) struct Session {
    child: Child,
    input: ChildStdin,
    output: UnixStream,
    asked: u32,
    /// What was read and belongs to the next answer.
    rest: String,
}

impl Session {
    /// Starts one.
    ///
    /// # Errors
    /// virsh cannot be started.
    pub(super) fn open(house: &House) -> Result<Self> {
        let (output, theirs) = UnixStream::pair()?;
        output.set_read_timeout(Some(PATIENCE))?;
        let mut command = house.inside("sh");
        command.args(["-c", "exec virsh -c qemu:///system 2>&1"]);
        let mut child = command.stdin(Stdio::piped()).stdout(OwnedFd::from(theirs)).spawn()?;
        let input = child.stdin.take().context("virsh has an input")?;
        let mut session = Self { child, input, output, asked: 0, rest: String::new() };
        session.exchange(&[])?;
        Ok(session)
    }

    /// Asks for one thing.
    ///
    /// # Errors
    /// virsh has gone or does not answer; that is no answer of libvirtd.
    pub(super) fn ask(&mut self, command: &str) -> Result<Answer> {
        Ok(self.ask_all(&[command.to_owned()])?.pop().unwrap_or(Answer::Cut))
    }

    /// Asks for many things at once; what became of each.
    ///
    /// # Errors
    /// virsh has gone or does not answer.
    pub(super) fn ask_all(&mut self, commands: &[String]) -> Result<Vec<Answer>> {
        let text = self.exchange(&commands.iter().map(String::as_str).collect::<Vec<_>>())?;
        let mut said = sections(&text).into_iter();
        let mut one = |command: &String| said.by_ref().find(|(asked, _)| asked == command);
        Ok(commands.iter().map(|command| one(command).map_or(Answer::Cut, |(_, said)| answer(&said))).collect())
    }

    /// Writes commands and a mark, and reads until the mark.
    fn exchange(&mut self, commands: &[&str]) -> Result<String> {
        self.asked += 1;
        let mut lines: String = commands.iter().flat_map(|command| [*command, "\n"]).collect();
        // What virsh repeats is written otherwise than what it says.
        lines += &format!("echo we''ft-{}.\n", self.asked);
        self.input.write_all(lines.as_bytes()).context("virsh has gone")?;
        let mark = format!("weft-{}.", self.asked);
        let mut bytes = [0; 8192];
        loop {
            if let Some((text, rest)) = self.rest.split_once(&mark) {
                let (text, rest) = (text.to_owned(), rest.to_owned());
                self.rest = rest;
                return Ok(text);
            }
            let count = self.output.read(&mut bytes).context("virsh does not answer")?;
            if count == 0 {
                bail!("virsh has gone: {}", self.rest);
            }
            self.rest.push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // It may have ended already; then there is only its end to be waited for.
        let _ = self.output.shutdown(Shutdown::Both);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Each command that was repeated, and what followed it.
fn sections(text: &str) -> Vec<(String, String)> {
    let mut sections: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        // Where it tells at its prompt that a daemon has gone, what it repeats stands on the next line.
        let bare = sections.last().is_some_and(|(asked, said)| asked.starts_with("error: ") && said.is_empty());
        if let Some(command) = line.strip_prefix(PROMPT).or(bare.then_some(line)) {
            sections.push((command.to_owned(), String::new()));
        } else if let Some((_, said)) = sections.last_mut() {
            said.push_str(line);
            said.push('\n');
        }
    }
    sections
}

/// What a text means.
fn answer(said: &str) -> Answer {
    let errors = said.lines().filter_map(|line| line.strip_prefix("error: "));
    let errors: Vec<_> = errors.filter(|error| !error.starts_with("Reconnected")).collect();
    // Told when the connection ends, whether or not something was asked.
    let (ends, errors): (Vec<_>, Vec<_>) = errors.into_iter().partition(|error| error.starts_with("Disconnected"));
    let words = said.lines().filter(|line| !line.starts_with("error: ")).collect::<Vec<_>>().join("\n");
    let words = words.trim();
    match (errors.is_empty(), ends.is_empty()) {
        (true, true) => Answer::Done(words.to_owned()),
        // Said before the connection ended.
        (true, false) if !words.is_empty() => Answer::Done(words.to_owned()),
        (true, false) => Answer::Cut,
        (false, _) if GONE.iter().any(|gone| errors.iter().any(|error| error.contains(gone))) => Answer::Cut,
        (false, _) => Answer::Refused(errors.join("; ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_follow_the_commands_that_virsh_repeats() {
        let text = "virsh # list\n 1 a\nvirsh # start a\nerror: no\nvirsh # echo we''ft-1.\n";
        let found = sections(text);
        assert_eq!(found[0], ("list".to_owned(), " 1 a\n".to_owned()));
        assert_eq!(answer(&found[1].1), Answer::Refused("no".to_owned()));
    }

    #[test]
    fn a_session_that_lost_its_daemon_takes_the_next_command() {
        let text = "virsh # error: Disconnected from qemu:///system due to end of file\nlist\n 1 a\nvirsh # ";
        assert_eq!(sections(text)[1], ("list".to_owned(), " 1 a\n".to_owned()));
    }

    #[test]
    fn only_what_was_said_before_the_end_is_acknowledged() {
        let end = "error: Disconnected from qemu:///system due to end of file\n";
        assert_eq!(answer(&format!("Domain 'a' started\n{end}")), Answer::Done("Domain 'a' started".to_owned()));
        assert_eq!(answer(end), Answer::Cut);
        assert_eq!(
            answer(&format!("{end}error: Failed to start\nerror: End of file while reading data\n")),
            Answer::Cut
        );
        assert_eq!(answer("error: Reconnected to the hypervisor\n 1 a\n"), Answer::Done("1 a".to_owned()));
        assert_eq!(answer(""), Answer::Done(String::new()));
    }
}
