//! A disk in memory that forgets what was not synced, and refuses when it is told to.

use super::super::disk::Ground;
use rand::RngExt;
use rand::rngs::SmallRng;
use redb::StorageBackend;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

const SECTOR: usize = 512;

/// The disk.
#[derive(Debug, Clone, Default)]
pub(crate) struct Platter(Arc<Mutex<State>>);

/// How it refuses.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Refusal {
    /// There is no space.
    Full,
    /// It is broken, for once.
    Broken,
}

#[derive(Debug, Default)]
struct State {
    /// What is on the disk for good.
    durable: Vec<u8>,
    /// What a reader sees.
    cached: Vec<u8>,
    /// What makes the one into the other.
    pending: Vec<Act>,
    syncs: u64,
    refusal: Option<(u64, Refusal)>,
}

#[derive(Debug, Clone)]
enum Act {
    Write(usize, Vec<u8>),
    SetLen(usize),
}

impl Platter {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no test panics here")
    }

    /// The file on it.
    pub(crate) fn file(&self) -> Box<dyn StorageBackend> {
        Box::new(self.clone())
    }

    /// Refuses the act after this many, once.
    pub(crate) fn refuse_after(&self, acts: u64, refusal: Refusal) {
        self.state().refusal = Some((acts, refusal));
    }

    /// The disk as it may be after a loss of power now: any of the acts since the last sync, each write in
    /// any of its sectors.
    pub(crate) fn after_loss_of_power(&self, random: &mut SmallRng) -> Self {
        let (mut durable, pending) = {
            let state = self.state();
            (state.durable.clone(), state.pending.clone())
        };
        let share = [0.0, 0.5, 0.9, 1.0][random.random_range(0..4)];
        for act in pending {
            match act {
                Act::Write(at, data) => {
                    let begin = at;
                    for (n, sector) in data.chunks(SECTOR).enumerate() {
                        if random.random_bool(share) {
                            write(&mut durable, begin + n * SECTOR, sector);
                        }
                    }
                }
                Act::SetLen(len) => {
                    if random.random_bool(share) {
                        durable.resize(len, 0);
                    }
                }
            }
        }
        let state = State { cached: durable.clone(), durable, ..State::default() };
        Self(Arc::new(Mutex::new(state)))
    }
}

fn write(bytes: &mut Vec<u8>, at: usize, data: &[u8]) {
    let end = at + data.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[at..end].copy_from_slice(data);
}

impl State {
    fn meet(&mut self) -> io::Result<()> {
        match self.refusal {
            Some((0, refusal)) => {
                self.refusal = None;
                Err(match refusal {
                    Refusal::Full => io::ErrorKind::StorageFull.into(),
                    Refusal::Broken => io::Error::other("the disk is broken"),
                })
            }
            Some((acts, refusal)) => {
                self.refusal = Some((acts - 1, refusal));
                Ok(())
            }
            None => Ok(()),
        }
    }
}

fn place(offset: u64) -> usize {
    usize::try_from(offset).expect("a test's file is small")
}

impl StorageBackend for Platter {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().cached.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut state = self.state();
        state.meet()?;
        let found = state.cached.get(place(offset)..place(offset) + out.len());
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state();
        state.meet()?;
        state.cached.resize(place(len), 0);
        state.pending.push(Act::SetLen(place(len)));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.state();
        if let Err(why) = state.meet() {
            // As a kernel does: what could not be written counts as written, and is forgotten in time.
            state.pending.clear();
            return Err(why);
        }
        state.durable = state.cached.clone();
        state.pending.clear();
        state.syncs += 1;
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        state.meet()?;
        write(&mut state.cached, place(offset), data);
        state.pending.push(Act::Write(place(offset), data.to_vec()));
        Ok(())
    }
}

impl Ground for Platter {
    fn open(&self) -> io::Result<Box<dyn StorageBackend>> {
        {
            let mut state = self.state();
            if state.pending.is_empty() {
                state.cached = state.durable.clone();
            }
        }
        Ok(self.file())
    }

    fn is_roomy(&self) -> bool {
        true
    }

    fn bytes(&self) -> u64 {
        self.state().durable.len() as u64
    }

    fn syncs(&self) -> u64 {
        self.state().syncs
    }
}
