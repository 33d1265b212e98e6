//! Journal and state are cut, spoilt or gone while VMs run.
//!
//! What must hold: a journal that ends in the middle of what was being written loses that alone; everything else
//! is refused at the start, with the file, the place, and what to do, and left as it was found. Whatever it is,
//! no VM is ended or started a second time by it, and with the right file back all goes on.

use crate::house::{House, lives, pid};
use std::path::PathBuf;
use weft_domain::Instance;

/// Bytes of a frame's head: magic, kind, length, number and two sums.
const MAGIC_OF_FILE: usize = 12;

/// Where the frames of a journal begin, and its end.
fn boundaries(bytes: &[u8]) -> Vec<usize> {
    // A frame begins with the same four bytes as the first one, and none of our text holds them.
    let first = MAGIC_OF_FILE + 8;
    let magic = &bytes[first..first + 4];
    let found = (first..bytes.len() - 3).filter(|at| &bytes[*at..*at + 4] == magic);
    found.chain([bytes.len()]).collect()
}

struct Stage {
    house: House,
    vms: Vec<Instance>,
}

impl Stage {
    /// Two VMs that run under a weft that was killed.
    async fn set() -> Self {
        let mut house = House::open(&[]);
        let vms = vec![house.running("one", house.with_disk()).await, house.running("two", house.with_disk()).await];
        house.daemon.kill().expect("killed");
        Self { house, vms }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.house.daemon.data_dir().join(name)
    }

    /// Whoever ran runs, and nobody else.
    fn assert_untouched(&self, what: &str) {
        assert!(self.vms.iter().all(|vm| lives(pid(vm))), "{what}: a VM was ended\n{}", self.house.daemon.log());
        let mut vmms = self.house.daemon.vmms();
        let mut pids: Vec<u32> = self.vms.iter().map(pid).collect();
        vmms.sort_unstable();
        pids.sort_unstable();
        assert_eq!(vmms, pids, "{what}: a VM runs twice");
    }

    /// It starts or is refused; either way no VM is harmed. Answers what was said where it is refused.
    async fn tried(&mut self, what: &str) -> Option<String> {
        let begun = self.house.daemon.log().len();
        let refused = self.house.daemon.up().err();
        let Some(_) = refused else {
            for (name, vm) in ["one", "two"].into_iter().zip(&self.vms) {
                self.house.assert_unharmed(name, vm).await;
            }
            self.assert_untouched(what);
            self.house.daemon.kill().expect("killed");
            return None;
        };
        self.assert_untouched(what);
        Some(self.house.daemon.log()[begun..].to_owned())
    }
}

#[tokio::test]
async fn a_journal_that_is_cut_anywhere_ends_no_vm_and_starts_none_twice() {
    let mut stage = Stage::set().await;
    let journal = stage.file("journal/claims.log");
    let whole = std::fs::read(&journal).expect("a journal");
    let at = boundaries(&whole);
    assert!(at.len() > 6, "there are frames: {at:?}");
    let (mut refused, mut torn) = (0, 0);
    let inside = at.windows(2).map(|pair| usize::midpoint(pair[0], pair[1]));
    let cuts: Vec<usize> = at.iter().copied().chain(inside).filter(|cut| *cut > MAGIC_OF_FILE).collect();
    for cut in cuts {
        std::fs::write(&journal, &whole[..cut]).expect("written");
        match stage.tried(&format!("cut at {cut} of {}", whole.len())).await {
            None => torn += 1,
            Some(said) => {
                refused += 1;
                assert!(said.contains("claims.log") && said.contains("put"), "cut at {cut}: {said}");
            }
        }
    }
    assert!(refused > 0 && torn > 0, "{refused} refused and {torn} made good");
    std::fs::write(&journal, &whole).expect("written");
    assert_eq!(stage.tried("put back").await, None);
    stage.house.daemon.up().expect("up");
    stage.house.assert_leaves_nothing().await;
}

#[tokio::test]
async fn a_journal_with_a_bit_that_turned_is_refused_and_left_as_it_was() {
    let mut stage = Stage::set().await;
    let journal = stage.file("journal/claims.log");
    let whole = std::fs::read(&journal).expect("a journal");
    let at = boundaries(&whole);
    let mut refused = 0;
    for pair in at.windows(2) {
        let middle = usize::midpoint(pair[0], pair[1]);
        let mut spoilt = whole.clone();
        spoilt[middle] ^= 0x10;
        std::fs::write(&journal, &spoilt).expect("written");
        if let Some(said) = stage.tried(&format!("a bit at {middle} of {}", whole.len())).await {
            refused += 1;
            assert!(said.contains("claims.log") && said.contains("put"), "at {middle}: {said}");
            assert_eq!(std::fs::read(&journal).expect("there"), spoilt, "it is left as it was found");
        }
    }
    assert!(refused > 0, "damage is told");
    std::fs::write(&journal, &whole).expect("written");
    stage.house.daemon.up().expect("up");
    stage.house.assert_leaves_nothing().await;
}

#[tokio::test]
async fn a_state_that_is_cut_spoilt_or_gone_is_refused_and_left_as_it_was() {
    let mut stage = Stage::set().await;
    let state = stage.file("store/state.redb");
    let whole = std::fs::read(&state).expect("a state");
    let mut spoilt = whole.clone();
    // All but what it begins with: much of it is in no use.
    spoilt[4096..].iter_mut().for_each(|byte| *byte ^= 0x55);
    for (what, bytes) in [("cut", &whole[..whole.len() / 3]), ("empty", &whole[..0]), ("spoilt", &spoilt)] {
        std::fs::write(&state, bytes).expect("written");
        let said = stage.tried(what).await.unwrap_or_else(|| panic!("{what}: it starts"));
        assert!(said.contains("store") && said.contains("backup"), "{what}: {said}");
        assert_eq!(std::fs::read(&state).expect("there"), *bytes, "{what}: it is left as it was found");
    }
    std::fs::remove_file(&state).expect("removed");
    let said = stage.tried("gone").await.expect("it is refused");
    assert!(said.contains("state.redb") && said.contains("backup"), "{said}");
    assert!(!state.exists(), "none is made in its place");
    std::fs::write(&state, &whole).expect("written");
    stage.house.daemon.up().expect("up");
    for (name, vm) in ["one", "two"].into_iter().zip(&stage.vms) {
        stage.house.assert_unharmed(name, vm).await;
    }
    stage.house.assert_leaves_nothing().await;
}
