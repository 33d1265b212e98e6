//! Lives whose counters grow as those of machines do, so that spools can be given what a sampler gives them.

use std::time::Duration;
use weft_domain::usage::{Amounts, Edge, Figure, Meter, Record, Sample, Source, Sources, Stamp, Standing, Tally};
use weft_domain::{IncarnationId, InstanceId, Time};

/// Some running machines.
#[derive(Debug, Clone)]
pub struct Fleet {
    lives: Vec<Life>,
    all: Vec<Meter>,
    now: Stamp,
    seed: u64,
    ticks: u64,
}

#[derive(Debug, Clone)]
struct Life {
    tally: Tally,
    counters: Amounts,
    resident: u64,
}

impl Fleet {
    /// So many, with where each of them begins. Another seed is another fleet.
    #[must_use]
    pub fn begin(count: u32, seed: u8) -> (Self, Vec<Standing>) {
        let now = Stamp { monotonic_nanos: 77_000_000_000, wall: Time::from_millis(1_700_000_000_000) };
        let mut fleet = Self { lives: Vec::new(), all: Vec::new(), now, seed: seed.into(), ticks: 0 };
        for number in 0..count {
            let mut bytes = [seed; 16];
            bytes[..4].copy_from_slice(&number.to_be_bytes());
            let (instance, incarnation) = (InstanceId::from_bytes(bytes), IncarnationId::from_bytes(bytes));
            let mut counters = Amounts::default();
            counters[Figure::Cpu] = fleet.random() % 1_000_000_000;
            let resident = 1 << 28;
            let tally = Tally::begin(instance, incarnation, sample(now, counters, resident));
            fleet.all.push(tally.standing().meter);
            fleet.lives.push(Life { tally, counters, resident });
        }
        let standings = fleet.standings();
        (fleet, standings)
    }

    fn random(&mut self) -> u64 {
        // Numbers of Knuth's; nothing depends on how good they are.
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.seed >> 33
    }

    /// A tenth of a second goes by; answers what each used in it, and where each stands.
    pub fn tick(&mut self) -> (Vec<Record>, Vec<Standing>) {
        self.now = later(self.now, 100_000_000 - self.lives.len() as u64 * 700);
        self.ticks += 1;
        let mut records = Vec::with_capacity(self.lives.len());
        for index in 0..self.lives.len() {
            let random = self.random();
            self.now = later(self.now, 700 + random % 2);
            let deep = self.ticks.is_multiple_of(10);
            let life = &mut self.lives[index];
            life.counters[Figure::Cpu] += random % 100_000_000;
            if deep {
                life.counters[Figure::DiskWritten] += random % 65_536 * 512;
                life.counters[Figure::NetSent] += random % 1_000_000;
                life.counters[Figure::NetSentPackets] += random % 1_000;
                life.resident = life.resident.wrapping_add(random % 512 * 4096).wrapping_sub(1 << 19);
            }
            if random.is_multiple_of(997) {
                life.tally.missed();
            }
            if random.is_multiple_of(1_999) {
                life.counters = Amounts::default();
            }
            let taken = life.tally.take(sample(self.now, life.counters, life.resident), Edge::Tick);
            records.push(taken.expect("time goes on"));
        }
        (records, self.standings())
    }

    /// One ends; the others move up.
    pub fn end(&mut self, index: usize) -> (Record, Standing) {
        let mut life = self.lives.remove(index);
        self.now = later(self.now, 1_000);
        let record = life.tally.take(sample(self.now, life.counters, 0), Edge::Exit).expect("time goes on");
        (record, *life.tally.standing())
    }

    /// Where each stands.
    #[must_use]
    pub fn standings(&self) -> Vec<Standing> {
        self.lives.iter().map(|life| *life.tally.standing()).collect()
    }

    /// Whether it was ever one of these.
    #[must_use]
    pub fn has(&self, meter: &Meter) -> bool {
        self.all.iter().any(|one| one.incarnation == meter.incarnation)
    }

    /// A person sets the wall clock, by so many nanoseconds.
    pub fn step_wall(&mut self, nanos: i64) {
        self.now.wall = Time::from_nanos(self.now.wall.as_nanos() + nanos);
    }
}

fn later(now: Stamp, nanos: u64) -> Stamp {
    Stamp { monotonic_nanos: now.monotonic_nanos + nanos, wall: now.wall.plus(Duration::from_nanos(nanos)) }
}

fn sample(at: Stamp, counters: Amounts, resident_bytes: u64) -> Sample {
    let mut sources = Sources::default();
    sources[Figure::Cpu] = Source::CgroupV2;
    sources[Figure::MemoryResident] = Source::Proc;
    sources[Figure::MemoryGranted] = Source::Grant;
    Sample { at, counters, resident_bytes, granted_bytes: 1 << 29, sources }
}
