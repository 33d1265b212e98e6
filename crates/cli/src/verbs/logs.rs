//! `logs`: what a guest wrote, from a byte, from the end, and on as it writes.

use super::USUAL;
use crate::Error;
use crate::args::value::Tail;
use crate::args::vm::LogsArgs;
use crate::desk::Desk;
use crate::show::escapes::Unasked;
use futures::StreamExt;
use std::time::Duration;
use weft_domain::Fault;
use weft_ports::api::{Answers, Call, LogChunk, LogQuery, LogStart, VmRef};

/// A line is guessed to have so many bytes.
const LINE: u64 = 120;
/// At most this much of a log is read to find its last lines.
const MAX_TAIL: u64 = 64 << 20;
/// A log that is read once has this long for each piece.
const PIECE: Duration = Duration::from_secs(60);

/// `logs`.
pub(crate) async fn logs(desk: &mut Desk, args: LogsArgs) -> Result<(), Error> {
    let vm = desk.vm(&args.vm)?;
    let start = match (args.tail, args.offset) {
        (Some(Tail::Lines(lines)), _) => {
            let next = last_lines(desk, &vm, lines).await?;
            if !args.follow {
                return Ok(());
            }
            LogStart::Offset(next)
        }
        (Some(Tail::Bytes(bytes)), _) => LogStart::Tail(bytes),
        (None, offset) => LogStart::Offset(offset.unwrap_or(0)),
    };
    let call = if args.follow { desk.stream() } else { desk.call(Some(USUAL)) };
    let query = LogQuery { start, follow: args.follow, max_bytes: 0 };
    let chunks = desk.services.consoles.log(&call, &vm, query).await?;
    let expected = match start {
        LogStart::Offset(offset) => Some(offset),
        LogStart::Tail(_) => None,
    };
    print(desk, chunks, expected).await
}

/// Writes pieces as they come, and says where the log's bound dropped some.
async fn print(desk: &mut Desk, mut chunks: Answers<LogChunk>, mut expected: Option<u64>) -> Result<(), Error> {
    let interrupt = desk.terminal.interrupt.clone();
    let mut unasked = Unasked::default();
    loop {
        let chunk = tokio::select! {
            biased;
            () = interrupt.cancelled() => return Err(Error::Interrupted { follow: String::new() }),
            chunk = chunks.next() => chunk,
        };
        let Some(chunk) = chunk else { return Ok(()) };
        let chunk = chunk?;
        let missed = expected.map_or(0, |expected| chunk.offset.saturating_sub(expected));
        if missed > 0 {
            desk.remark(&format!("[{missed} bytes before byte {} are not kept any more]", chunk.offset));
        }
        expected = Some(chunk.offset + chunk.bytes.len() as u64);
        write(desk, &mut unasked, &chunk.bytes)?;
    }
}

/// To a terminal without what it would answer; as it is to anything else.
fn write(desk: &mut Desk, unasked: &mut Unasked, bytes: &[u8]) -> Result<(), Error> {
    if desk.terminal.abilities.out_tty { desk.answer_bytes(&unasked.pass(bytes)) } else { desk.answer_bytes(bytes) }
}

/// Writes the last lines; tells the offset after them.
async fn last_lines(desk: &mut Desk, vm: &VmRef, lines: u64) -> Result<u64, Error> {
    let mut span = lines.saturating_mul(LINE).clamp(4096, MAX_TAIL);
    loop {
        let (begin, text) = read(desk, vm, span).await?;
        let whole = (text.len() as u64) < span || begin == 0 || span >= MAX_TAIL;
        match cut(&text, lines) {
            Some(at) => {
                write(desk, &mut Unasked::default(), &text[at..])?;
                return Ok(begin + text.len() as u64);
            }
            None if whole => {
                write(desk, &mut Unasked::default(), &text)?;
                return Ok(begin + text.len() as u64);
            }
            None => span = span.saturating_mul(4).min(MAX_TAIL),
        }
    }
}

/// The last `span` bytes, with the offset of the first of them.
async fn read(desk: &Desk, vm: &VmRef, span: u64) -> Result<(u64, Vec<u8>), Error> {
    let interrupt = desk.terminal.interrupt.clone();
    let call = Call { timeout: desk.globals.timeout.or(Some(PIECE)), ..desk.stream() };
    let query = LogQuery { start: LogStart::Tail(span), follow: false, max_bytes: 0 };
    let gather = async {
        let mut chunks = desk.services.consoles.log(&call, vm, query).await?;
        let (mut begin, mut text) = (None, Vec::new());
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk?;
            begin.get_or_insert(chunk.offset);
            text.extend_from_slice(&chunk.bytes);
        }
        Ok::<_, Fault>((begin.unwrap_or(0), text))
    };
    tokio::select! {
        biased;
        () = interrupt.cancelled() => Err(Error::Interrupted { follow: String::new() }),
        found = gather => Ok(found?),
    }
}

/// Where the last `lines` lines begin; `None` where there are not so many.
fn cut(text: &[u8], lines: u64) -> Option<usize> {
    let body = text.strip_suffix(b"\n").unwrap_or(text);
    let mut left = lines;
    if left == 0 {
        return Some(text.len());
    }
    for (at, _) in body.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n') {
        left -= 1;
        if left == 0 {
            return Some(at + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn last_lines_are_cut_at_a_line() {
        for (text, lines, rest) in [
            ("a\nb\nc\n", 1, Some("c\n")),
            ("a\nb\nc", 1, Some("c")),
            ("a\nb\nc\n", 2, Some("b\nc\n")),
            ("a\nb\nc\n", 3, None),
            ("a\nb\n", 0, Some("")),
            ("", 1, None),
            ("\n\n", 1, Some("\n")),
        ] {
            assert_eq!(cut(text.as_bytes(), lines).map(|at| &text[at..]), rest, "{text:?} {lines}");
        }
    }
}
