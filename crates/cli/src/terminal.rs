//! The caller's terminal as a value: where answers go, what is typed, how large it is, when it breaks off.
//!
//! The binary makes the real one ([`Terminal::of_process`]) and feeds it signals; tests make one of
//! buffers. A [`Guard`] puts the terminal back as it was when it goes, also when a panic unwinds.

use rustix::termios::{self, OptionalActions};
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use tokio::io::AsyncRead;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The size of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Size {
    /// Characters in a line.
    pub columns: u16,
    /// Lines.
    pub rows: u16,
}

/// What a terminal can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Abilities {
    /// Answers go to a terminal.
    pub out_tty: bool,
    /// Remarks go to a terminal.
    pub err_tty: bool,
    /// A person types.
    pub input_tty: bool,
}

/// Puts a terminal back as it was when it is dropped.
#[must_use = "the terminal is put back as soon as the guard goes"]
pub struct Guard(Option<Box<dyn FnOnce() + Send>>);

impl Guard {
    /// A guard that does this when it goes.
    pub fn new(back: impl FnOnce() + Send + 'static) -> Self {
        Self(Some(Box::new(back)))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(back) = self.0.take() {
            back();
        }
    }
}

/// Takes a terminal's own handling of keys away, so that each key reaches the guest.
pub trait Raw: Send + Sync {
    /// From now until the guard goes.
    ///
    /// # Errors
    /// It is no terminal, or it went away.
    fn enter(&self) -> io::Result<Guard>;
}

/// The caller's terminal.
pub struct Terminal {
    /// Where answers go.
    pub out: Box<dyn Write + Send>,
    /// Where everything else goes.
    pub err: Box<dyn Write + Send>,
    /// What is typed or piped.
    pub input: Box<dyn AsyncRead + Send + Unpin>,
    /// What it can do.
    pub abilities: Abilities,
    /// Its size, and its changes.
    pub size: watch::Receiver<Size>,
    /// Its raw mode.
    pub raw: Box<dyn Raw>,
    /// The caller breaks off: a signal to interrupt, to end or to hang up.
    pub interrupt: CancellationToken,
    /// The folder that relative paths are seen from.
    pub folder: PathBuf,
}

impl Terminal {
    /// The terminal of this process. `size` changes and `interrupt` fires as the binary hears signals.
    #[must_use]
    pub fn of_process(size: watch::Receiver<Size>, interrupt: CancellationToken, folder: PathBuf) -> Self {
        Self {
            out: Box::new(io::stdout()),
            err: Box::new(io::stderr()),
            input: Box::new(tokio::io::stdin()),
            abilities: Abilities {
                out_tty: io::stdout().is_terminal(),
                err_tty: io::stderr().is_terminal(),
                input_tty: io::stdin().is_terminal(),
            },
            size,
            raw: Box::new(Stdin),
            interrupt,
            folder,
        }
    }
}

/// The size of this process's terminal, 80 by 24 where it has none.
#[must_use]
pub fn process_size() -> Size {
    let found = termios::tcgetwinsize(io::stdout()).or_else(|_| termios::tcgetwinsize(io::stdin()));
    match found {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => Size { columns: size.ws_col, rows: size.ws_row },
        Ok(_) | Err(_) => Size { columns: 80, rows: 24 },
    }
}

/// The raw mode of this process's standard input.
struct Stdin;

impl Raw for Stdin {
    fn enter(&self) -> io::Result<Guard> {
        let before = termios::tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        termios::tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
        Ok(Guard::new(move || {
            // Nobody is left to be told: the terminal went away.
            let _ = termios::tcsetattr(io::stdin(), OptionalActions::Flush, &before);
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn a_panic_puts_the_terminal_back() {
        let back = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&back);
        let panicked = std::panic::catch_unwind(move || {
            let _guard = Guard::new(move || told.store(true, Ordering::SeqCst));
            panic!("in the middle");
        });
        assert!(panicked.is_err() && back.load(Ordering::SeqCst));
    }

    #[test]
    fn without_a_terminal_there_is_a_usual_size() {
        let size = process_size();
        assert!(size.columns > 0 && size.rows > 0);
    }
}
