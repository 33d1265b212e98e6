//! Control as a whole: over the store in memory, with a simulated node, on a paused clock.

mod house;
mod lifecycle;
mod lists;
mod mishaps;
mod races;
mod requests;
mod watches;
