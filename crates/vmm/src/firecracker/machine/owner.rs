//! The one task that hears a machine until it has ended: it adds its figures up, and tells how it ended.
//!
//! Firecracker ends when nobody writes to its FIFO any more; only then is its process held and asked how. One
//! that closed its FIFO and lives on is held until it ends, as one that cannot be heard.

use super::counters::Tally;
use super::ears::{Ears, Sound};
use super::shared::Shared;
use futures::future::OptionFuture;
use std::io;
use std::sync::Arc;

/// Hears a machine until its process has ended or nobody holds it any more.
pub(super) async fn own(shared: Arc<Shared>, mut ears: Ears) {
    if let Err(error) = hear(&shared, &mut ears).await {
        tracing::warn!(%error, "Firecracker is no longer heard");
    }
    let ended = Box::pin(shared.held.processes.ended(&shared.held.alive));
    let ending = ended.await;
    // What it said last may have come after it closed the FIFO once.
    ears.catch_up();
    take_figures(&shared, &mut ears);
    shared.tally().keep();
    shared.process_ended(ending, &ears.heard);
}

/// Hears a machine until nobody writes any more.
async fn hear(shared: &Shared, ears: &mut Ears) -> io::Result<()> {
    // Of a FIFO that nobody had open when it was opened here, no end is told.
    loop {
        match ears.hear()? {
            Sound::Words => take_figures(shared, ears),
            Sound::Silence => break,
            Sound::End => return Ok(()),
        }
    }
    loop {
        let due = shared.tally().due().map(|due| Box::pin(tokio::time::sleep_until(due)));
        tokio::select! {
            more = ears.listen() => if !more? { return Ok(()) },
            Some(()) = OptionFuture::from(due) => shared.tally().keep(),
        }
        take_figures(shared, ears);
    }
}

fn take_figures(shared: &Shared, ears: &mut Ears) {
    for line in ears.figures() {
        let mut tally = shared.tally();
        let before = resets(&mut tally);
        let at = tally.add(&line);
        ears.heard.reset |= at.is_some() && resets(&mut tally) > before;
        drop(tally);
        match at {
            Some(at) => shared.were_told(at),
            None => tracing::debug!(bytes = line.len(), "a line of Firecracker's figures was cut short"),
        }
    }
}

fn resets(tally: &mut Tally) -> u64 {
    tally.sum().get("i8042").and_then(|figures| figures.get("reset_count")).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Cell;
    use crate::firecracker::folder::{Folder, SAID};
    use crate::firecracker::machine::shared::Held;
    use crate::firecracker::version::Version;
    use std::fs::File;
    use std::io::Write;
    use std::path::PathBuf;
    use weft_domain::spec::{Accelerator, Machine};
    use weft_ports::hypervisor::{Chosen, State, Way};
    use weft_ports::processes::conformance::sleeper;
    use weft_ports::processes::fake::Fake;
    use weft_ports::processes::{Ending, Processes};
    use weft_ports::task::{self, Task};

    /// A Firecracker of which only the process and the words are there.
    struct Double {
        folder: tempfile::TempDir,
        processes: Arc<Fake>,
        shared: Arc<Shared>,
    }

    impl Double {
        async fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let cell = Cell::standing(folder.path(), None);
            std::fs::create_dir(cell.sockets()).unwrap();
            let processes = Arc::new(Fake::new());
            let alive = processes.launch(sleeper(folder.path())).await.unwrap();
            let chosen =
                Chosen { driver: "firecracker".to_owned(), machine: Machine::Pc, accelerator: Accelerator::Kvm };
            let held = Held {
                instance: "vm-01234567-89ab-7cde-8f01-23456789abcd".parse().unwrap(),
                alive,
                chosen,
                version: Version::read("Firecracker v1.17.0").unwrap(),
                folder: Folder::new(folder.path(), cell.sockets()),
                cell: Cell::settled(None),
                vmm_log: folder.path().join("vmm.log").into(),
                processes: processes.clone(),
                clock: Arc::new(weft_ports::clock::System),
            };
            held.folder.prepare().unwrap();
            Self { folder, processes, shared: Arc::new(Shared::new(held)) }
        }

        fn said(&self) -> PathBuf {
            self.folder.path().join("run").join(SAID)
        }

        fn writer(&self) -> File {
            File::options().read(true).write(true).open(self.said()).unwrap()
        }

        fn ears(&self) -> Ears {
            let held = &self.shared.held;
            Ears::open(&held.folder, &held.vmm_log, held.instance).unwrap()
        }

        fn own(&self, ears: Ears) -> Task<()> {
            task::spawn("owner", own(self.shared.clone(), ears))
        }

        async fn end(&self) -> Way {
            let mut state = self.shared.state();
            let ended = state.wait_for(|state| matches!(state, State::Ended(_))).await.unwrap();
            let State::Ended(end) = &*ended else { unreachable!("it was waited for") };
            end.way
        }
    }

    #[tokio::test]
    async fn last_words_and_last_figures_are_heard_before_the_end_is_told() {
        let double = Double::new().await;
        let (ears, mut writer) = (double.ears(), double.writer());
        let owner = double.own(ears);
        let id = double.shared.held.instance;
        let words = format!("2026-11-20T21:50:53.123456789 [{id}:main] exit_code=0\n");
        write!(writer, r#"{{"utc_timestamp_ms":7,"i8042":"#).unwrap();
        write!(writer, "{words}").unwrap();
        writeln!(writer, r#"{{"reset_count":1}}}}"#).unwrap();
        drop(writer);
        double.processes.end(double.shared.held.alive.pid, Ending::Unknown);
        assert_eq!(double.end().await, Way::Reset, "the code of a process that is not ours is in its words");
        owner.await.unwrap();
        double.shared.are_told(7).await;
        assert_eq!(double.shared.tally().sum()["i8042"]["reset_count"], 1);
        assert_eq!(std::fs::read_to_string(&double.shared.held.vmm_log).unwrap(), words);
    }

    #[tokio::test]
    async fn one_that_closes_its_log_and_lives_has_not_ended() {
        let double = Double::new().await;
        let (ears, writer) = (double.ears(), double.writer());
        let owner = double.own(ears);
        drop(writer);
        tokio::time::timeout(std::time::Duration::from_millis(50), double.end()).await.unwrap_err();
        double.processes.end(double.shared.held.alive.pid, Ending::Signal(9));
        assert_eq!(double.end().await, Way::Died);
        owner.await.unwrap();
    }

    #[tokio::test]
    async fn the_end_of_one_that_nobody_heard_is_told() {
        let double = Double::new().await;
        double.processes.end(double.shared.held.alive.pid, Ending::Unknown);
        double.own(double.ears()).await.unwrap();
        assert_eq!(double.end().await, Way::Gone);
    }
}
