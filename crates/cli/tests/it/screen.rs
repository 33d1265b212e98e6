//! A terminal of buffers, and one run of a command at it.

use crate::fake::World;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, DuplexStream, duplex};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use weft_cli::terminal::{Abilities, Guard, Raw, Size};
use weft_cli::{Command, Exit, Terminal, parse, run};

/// What was written, shared with the test.
#[derive(Clone, Default)]
pub(crate) struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A raw mode that counts: entered, and not yet left.
#[derive(Clone, Default)]
pub(crate) struct Counted {
    pub(crate) held: Arc<AtomicI32>,
    pub(crate) entered: Arc<AtomicI32>,
}

impl Raw for Counted {
    fn enter(&self) -> io::Result<Guard> {
        let held = Arc::clone(&self.held);
        held.fetch_add(1, Ordering::SeqCst);
        self.entered.fetch_add(1, Ordering::SeqCst);
        Ok(Guard::new(move || {
            held.fetch_sub(1, Ordering::SeqCst);
        }))
    }
}

/// The test's side of a terminal.
pub(crate) struct Screen {
    pub(crate) out: Buffer,
    pub(crate) err: Buffer,
    pub(crate) keys: Option<DuplexStream>,
    pub(crate) size: watch::Sender<Size>,
    pub(crate) interrupt: CancellationToken,
    pub(crate) raw: Counted,
    pub(crate) folder: PathBuf,
    pub(crate) abilities: Abilities,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) exit: Exit,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Screen {
    /// No terminal anywhere: pipes.
    pub(crate) fn pipes() -> Self {
        Self {
            out: Buffer::default(),
            err: Buffer::default(),
            keys: None,
            size: watch::channel(Size { columns: 80, rows: 24 }).0,
            interrupt: CancellationToken::new(),
            raw: Counted::default(),
            folder: PathBuf::from("/home/me"),
            abilities: Abilities::default(),
        }
    }

    /// A person at a terminal.
    pub(crate) fn person() -> Self {
        let abilities = Abilities { out_tty: true, err_tty: true, input_tty: true };
        Self { abilities, ..Self::pipes() }
    }

    fn terminal(&mut self) -> Terminal {
        let (ours, theirs) = duplex(4096);
        let input: Box<dyn AsyncRead + Send + Unpin> = Box::new(theirs);
        self.keys = Some(ours);
        Terminal {
            out: Box::new(self.out.clone()),
            err: Box::new(self.err.clone()),
            input,
            abilities: self.abilities,
            size: self.size.subscribe(),
            raw: Box::new(self.raw.clone()),
            interrupt: self.interrupt.clone(),
            folder: self.folder.clone(),
        }
    }

    /// Begins a command: the future is the run, and the screen stays with the test.
    pub(crate) fn begin(&mut self, world: &World, line: &str) -> impl Future<Output = Exit> + use<> {
        let words = std::iter::once("weft").chain(line.split_whitespace());
        let mut cli = parse(words).unwrap_or_else(|why| panic!("{why}"));
        // The caller's environment has no say in what a test sees.
        cli.globals.no_color = line.contains("--no-color");
        let terminal = self.terminal();
        let services = world.services();
        let Command::Client(command) = cli.command else { panic!("a client's command") };
        run(cli.globals, command, services, terminal)
    }

    pub(crate) fn ran(&self, exit: Exit) -> Ran {
        Ran { exit, out: self.out.text(), err: self.err.text() }
    }
}

/// One run with pipes.
pub(crate) async fn at(world: &World, line: &str) -> Ran {
    let mut screen = Screen::pipes();
    let exit = screen.begin(world, line).await;
    screen.ran(exit)
}

/// What a person would see of a run.
pub(crate) fn shown(ran: &Ran) -> String {
    format!("exit {}\n--- out\n{}--- err\n{}", ran.exit.code(), ran.out, ran.err)
}
