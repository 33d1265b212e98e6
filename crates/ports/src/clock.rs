//! Time and randomness, so that services can be tested without either.
//!
//! # Laws
//! `now` never goes back by itself, though a person may set the clock. `random` is fit for ids and
//! not for keys.

use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};
use weft_domain::Time;

/// Where time and random bytes come from.
pub trait Clock: Send + Sync {
    /// The wall clock.
    fn now(&self) -> Time;
    /// Fresh random bytes.
    fn random(&self) -> [u8; 10];
}

/// The machine's own clock and random source.
#[derive(Debug, Clone, Copy, Default)]
pub struct System;

impl Clock for System {
    fn now(&self) -> Time {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Time::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
    }

    fn random(&self) -> [u8; 10] {
        let mut bytes = [0; 10];
        rand::fill(&mut bytes);
        bytes
    }
}

/// A clock that a test sets.
#[derive(Debug, Default)]
pub struct Fake(Mutex<(Time, u64)>);

impl Fake {
    /// Moves the clock forward.
    pub fn advance(&self, span: std::time::Duration) {
        let mut state = self.0.lock().expect("no test panics while it holds the clock");
        state.0 = state.0.plus(span);
    }

    /// A person sets the clock back.
    pub fn set_back(&self, span: std::time::Duration) {
        let mut state = self.0.lock().expect("no test panics while it holds the clock");
        let nanos = i64::try_from(span.as_nanos()).unwrap_or(i64::MAX);
        state.0 = Time::from_nanos(state.0.as_nanos().saturating_sub(nanos));
    }
}

impl Clock for Fake {
    fn now(&self) -> Time {
        self.0.lock().expect("no test panics while it holds the clock").0
    }

    fn random(&self) -> [u8; 10] {
        let mut state = self.0.lock().expect("no test panics while it holds the clock");
        state.1 += 1;
        let mut bytes = [0; 10];
        bytes[2..].copy_from_slice(&state.1.to_be_bytes());
        bytes
    }
}
