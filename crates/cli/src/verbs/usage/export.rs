//! `usage export`: usage as a file that is whole or not there, with progress beside it.

use super::{scope, within};
use crate::args::usage::ExportArgs;
use crate::desk::Desk;
use crate::files::Draft;
use crate::show::units::bytes;
use crate::{Error, files};
use futures::StreamExt;
use std::io::Write as _;
use std::time::Duration;
use tokio::time::Instant;
use weft_ports::api::{Answers, Call, ExportChunk, UsageQuery};

/// The progress is drawn no more often.
const TICK: Duration = Duration::from_millis(120);

/// `export`.
pub(crate) async fn export(desk: &mut Desk, args: ExportArgs) -> Result<(), Error> {
    let scope = within(scope(desk, args.scope)?, &args.span, desk.now());
    let query = UsageQuery { scope, grain: args.grain.into(), page_size: 0, page_token: String::new() };
    let to_file = args.file.as_os_str() != "-";
    let mut draft = to_file.then(|| files::draft(&desk.terminal.folder, &args.file)).transpose()?;
    let call = Call { timeout: desk.globals.timeout, ..desk.stream() };
    let usage = std::sync::Arc::clone(&desk.services.usage);
    let chunks = usage.export(&call, query, args.format.into()).await;
    let chunks = chunks.map_err(|fault| Error::from(fault).with_flags())?;
    let mut progress = Progress::of(desk);
    let written = write(desk, chunks, draft.as_mut(), &mut progress).await;
    progress.clear(desk);
    let (lines, size) = written?;
    if let Some(draft) = draft {
        draft.keep()?;
        desk.remark(&format!("{}, {}, written to {}", counted(lines), bytes(size), args.file.display()));
    }
    Ok(())
}

/// Writes pieces as they come; tells how many lines and bytes there were.
async fn write(
    desk: &mut Desk,
    mut chunks: Answers<ExportChunk>,
    mut draft: Option<&mut Draft>,
    progress: &mut Progress,
) -> Result<(u64, u64), Error> {
    let interrupt = desk.terminal.interrupt.clone();
    let (mut lines, mut size) = (0, 0);
    loop {
        let chunk = tokio::select! {
            biased;
            () = interrupt.cancelled() => return Err(Error::Interrupted { follow: String::new() }),
            chunk = chunks.next() => chunk,
        };
        let Some(chunk) = chunk else { return Ok((lines, size)) };
        let chunk = chunk?;
        match &mut draft {
            Some(draft) => draft.write(&chunk.bytes)?,
            None => desk.answer_bytes(&chunk.bytes)?,
        }
        size += chunk.bytes.len() as u64;
        lines = chunk.lines;
        progress.draw(desk, lines, size, chunk.done);
    }
}

fn counted(lines: u64) -> String {
    if lines == 1 { "1 line".to_owned() } else { format!("{lines} lines") }
}

/// The moving line.
struct Progress {
    shown: bool,
    drawn: Option<Instant>,
}

impl Progress {
    fn of(desk: &Desk) -> Self {
        Self { shown: desk.terminal.abilities.err_tty && !desk.globals.quiet, drawn: None }
    }

    fn draw(&mut self, desk: &mut Desk, lines: u64, size: u64, done: u16) {
        let fresh = self.drawn.is_some_and(|at| at.elapsed() < TICK);
        if !self.shown || fresh {
            return;
        }
        self.drawn = Some(Instant::now());
        let text = format!("exporting: {}.{} %, {}, {}", done / 10, done % 10, counted(lines), bytes(size));
        let columns = usize::from(desk.terminal.size.borrow().columns);
        // A line that wraps could not be drawn over.
        let text: String = text.chars().take(columns.saturating_sub(1)).collect();
        let err = &mut desk.terminal.err;
        let _ = write!(err, "\r\x1b[2K{text}").and_then(|()| err.flush());
    }

    fn clear(&self, desk: &mut Desk) {
        if self.drawn.is_some() {
            let err = &mut desk.terminal.err;
            let _ = write!(err, "\r\x1b[2K").and_then(|()| err.flush());
        }
    }
}
