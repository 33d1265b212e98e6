//! What the files of a folder say, after whatever happened.
//!
//! ```text
//!  segments, newest first ─► whole? cut? damaged? ─► those that were dropped go ─► frames, seals ─► core
//!  newest segment ─► where each meter stands; another start of the machine begins another segment
//! ```

use super::Config;
use super::coder::Coder;
use super::core::{Core, Scratch};
use super::had::Had;
use super::reader;
use super::segment::{self, Found, Scan, Segment, told};
use crate::Error;
use crate::framing::Spoilt;
use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

/// A segment with what was found in it.
struct Kept {
    segment: Segment,
    found: Vec<Found>,
    boot_id: String,
    next: u64,
    last: [u8; 32],
}

/// What is written down in this folder.
pub(super) fn open(config: Config, boot_id: String, had: Had) -> Result<Core, Error> {
    let kept = without_dropped(load(&config, &boot_id)?);
    let goes_on = kept.last().is_some_and(|newest| newest.boot_id == boot_id);
    let mut core = Core {
        config,
        boot_id,
        segments: VecDeque::new(),
        coder: Coder::default(),
        pending: VecDeque::new(),
        batches: VecDeque::new(),
        next: 1,
        last: [0; 32],
        had,
        durable: 0,
        handed: 0,
        unlisted: false,
        closed: false,
        scratch: Scratch::default(),
    };
    core.segments = kept.iter().map(|kept| kept.segment.clone()).collect();
    for (place, kept) in kept.iter().enumerate() {
        if kept.next > core.next {
            (core.next, core.last) = (kept.next, kept.last);
        }
        for found in &kept.found {
            match found {
                Found::Records(place, _) if place.count == 0 => {}
                Found::Records(place, _) => core.pending.push_back(*place),
                Found::Seal(sealed) => core.take_sealed(*sealed),
            }
        }
        let spans = kept.found.iter().filter_map(|found| match found {
            Found::Records(_, tick) => tick.span,
            Found::Seal(_) => None,
        });
        spans.for_each(|span| core.segments[place].reach(Some(span)));
    }
    let furthest = had.furthest();
    if furthest.sequence >= core.next {
        tracing::warn!(
            has = furthest.sequence,
            next = core.next,
            "batches that were handed on are gone from this node"
        );
        (core.next, core.last) = (furthest.sequence + 1, furthest.hash);
    }
    if let Some(newest) = core.segments.back() {
        core.coder = reader::read_all(newest, u64::MAX, |_| ())?;
    }
    if !goes_on {
        core.rotate()?;
    }
    sync(&mut core)?;
    Ok(core)
}

/// All that is there is on the disk from here on, so that a batch that was sealed can be handed on.
fn sync(core: &mut Core) -> Result<(), Error> {
    let failed = |error: io::Error| Error::host("put what was used on the disk", error);
    for segment in &mut core.segments {
        segment.file.sync_data().map_err(failed)?;
        segment.synced = segment.length;
    }
    File::open(&core.config.dir).and_then(|dir| dir.sync_all()).map_err(failed)?;
    (core.durable, core.unlisted) = (core.next - 1, false);
    Ok(())
}

fn numbers(dir: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(dir)? {
        numbers.extend(entry?.file_name().to_str().and_then(segment::number));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// The segments of a folder, oldest first.
fn load(config: &Config, boot_id: &str) -> Result<Vec<Kept>, Error> {
    let failed = |error: io::Error| Error::host(format!("read {}", config.dir.display()), error);
    let (mut all, mut seal_later) = (Vec::new(), false);
    for number in numbers(&config.dir).map_err(failed)?.into_iter().rev() {
        let path = segment::path(&config.dir, number);
        let mut file = OpenOptions::new().read(true).write(true).open(&path).map_err(failed)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        let scan = segment::scan(&bytes, number).map_err(|spoilt| told(&path, spoilt))?;
        judge(&scan, bytes.len(), boot_id, (!all.is_empty(), seal_later)).map_err(|spoilt| told(&path, spoilt))?;
        seal_later |= scan.has_seal();
        let Some(opening) = &scan.opening else {
            tracing::warn!(path = %path.display(), "a segment was begun and never opened, and goes");
            fs::remove_file(&path).map_err(failed)?;
            continue;
        };
        if opening.node != config.node {
            let why = format!("it is of {}, and this is {}", opening.node, config.node);
            return Err(told(&path, Spoilt::Damaged(0, why)));
        }
        if scan.whole < bytes.len() as u64 {
            let lost = bytes.len() as u64 - scan.whole;
            tracing::warn!(path = %path.display(), lost, "the end of what was used was cut short and is dropped");
            file.set_len(scan.whole).map_err(failed)?;
        }
        let (length, next) = (scan.whole, scan.next);
        let segment = Segment { number, path, file: Arc::new(file), length, next, synced: 0, span: None };
        let (boot_id, last) = (opening.boot_id.to_owned(), opening.last);
        all.push(Kept { segment, boot_id, next: opening.next, last, found: scan.found });
    }
    all.reverse();
    Ok(all)
}

/// Whether what is not whole was cut short, or damaged; `later` says whether there are later segments, and seals in
/// them.
fn judge(scan: &Scan<'_>, length: usize, boot_id: &str, later: (bool, bool)) -> Result<(), Spoilt> {
    if scan.whole == length as u64 && scan.opening.is_some() {
        return Ok(());
    }
    let same = scan.opening.as_ref().is_none_or(|opening| opening.boot_id == boot_id);
    let damaged = if same { scan.follows || (later.0 && scan.opening.is_some()) } else { scan.seal_follows };
    if damaged || later.1 {
        let at = usize::try_from(scan.whole).unwrap_or(usize::MAX);
        return Err(Spoilt::Damaged(at, format!("record {} is spoilt, and others follow it", scan.next)));
    }
    Ok(())
}

/// Leaves those out of which a later one says that they are gone.
fn without_dropped(kept: Vec<Kept>) -> Vec<Kept> {
    let ticks = kept.iter().flat_map(|kept| &kept.found).filter_map(|found| match found {
        Found::Records(_, tick) => Some(tick.dropped),
        Found::Seal(_) => None,
    });
    let gone = ticks.max().unwrap_or(0);
    let (dropped, kept): (Vec<_>, Vec<_>) = kept.into_iter().partition(|kept| kept.segment.number <= gone);
    for Kept { segment, .. } in dropped {
        if let Err(error) = fs::remove_file(&segment.path) {
            tracing::warn!(path = %segment.path.display(), %error, "what was dropped is still there");
        }
    }
    kept
}
