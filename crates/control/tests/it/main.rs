//! Control as a whole: over the store in memory, with a simulated node, on a paused clock.

mod clocks;
mod devices;
mod house;
mod lifecycle;
mod lists;
mod mishaps;
mod races;
mod requests;
mod snapshots;
mod usage;
mod watches;
