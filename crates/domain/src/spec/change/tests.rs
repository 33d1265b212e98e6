//! The laws of live changes: nothing asks for nothing, what is applied is not asked again.

use super::*;
use crate::spec::{Attachment, RestartPolicy, TokenBucket};

fn all() -> BTreeSet<Feature> {
    use Feature as F;
    BTreeSet::from([
        F::LiveCpus,
        F::LiveMemory,
        F::LiveMemoryShrink,
        F::LiveBalloon,
        F::LiveFreePageHinting,
        F::LiveDisks,
        F::LiveDiskSize,
        F::LiveDiskLimit,
        F::LiveDiskSwap,
        F::LiveNics,
        F::LiveNicLimit,
        F::LiveDevices,
        F::LivePmem,
        F::LivePmemLimit,
        F::LiveVsock,
        F::LiveMetadata,
    ])
}

fn base() -> Draft {
    let mut draft = Draft::default();
    draft.cpu.max = 4;
    draft.memory.hotplug_bytes = 1 << 30;
    let mut root = Disk::new("root", DiskSource::Blank { size_bytes: 1 << 20 });
    root.root = true;
    draft.disks = vec![root, Disk::new("data", DiskSource::Path("/a".into()))];
    draft.nics = vec![Nic::new("nic0", Attachment::Tap("tap0".into()))];
    draft
}

fn limit() -> Option<RateLimit> {
    let bucket = TokenBucket { size: 1000, refill_ms: 100, one_time_burst: 0 };
    Some(RateLimit { bandwidth: Some(bucket), ops: None })
}

fn changed(edit: impl FnOnce(&mut Draft)) -> (Draft, Draft) {
    let (old, mut new) = (base(), base());
    edit(&mut new);
    (old, new)
}

/// Each edit, what is done now, and what waits.
type Case = (fn(&mut Draft), usize, &'static [&'static str]);

const CASES: &[Case] = &[
    (|_| {}, 0, &[]),
    (|d| d.restart = RestartPolicy::Always, 0, &[]),
    (|d| d.cpu.boot = 3, 1, &[]),
    (|d| d.cpu.max = 8, 0, &["vm.spec.cpu"]),
    (|d| d.memory.size_bytes += 1 << 28, 1, &[]),
    (|d| d.memory.size_bytes += 2 << 30, 0, &["vm.spec.memory.size_bytes"]),
    (|d| d.memory.size_bytes -= 1 << 20, 0, &["vm.spec.memory.size_bytes"]),
    (|d| d.memory.shared = true, 0, &["vm.spec.memory"]),
    (|d| d.memory.balloon = Some(Balloon::new(1 << 20)), 0, &["vm.spec.memory"]),
    (|d| d.disks.push(Disk::new("more", DiskSource::Path("/b".into()))), 1, &[]),
    (|d| d.disks.truncate(1), 1, &[]),
    (|d| drop(d.disks.remove(0)), 0, &["vm.spec.disks"]),
    (|d| d.disks[0].source = DiskSource::Blank { size_bytes: 1 << 21 }, 1, &[]),
    (|d| d.disks[1].source = DiskSource::Path("/c".into()), 1, &[]),
    (|d| d.disks[1].rate_limit = limit(), 1, &[]),
    (|d| d.disks[1].read_only = true, 0, &["vm.spec.disks[1]"]),
    (|d| d.nics[0].rx_rate_limit = limit(), 1, &[]),
    (|d| d.nics[0].mtu = 9000, 0, &["vm.spec.nics[0]"]),
    (|d| d.nics.clear(), 1, &[]),
    (|d| d.vsock = Some(Vsock { cid: 5, pci_segment: 0, iommu: false }), 1, &[]),
    (|d| d.watchdog = true, 0, &["vm.spec.watchdog"]),
];

#[test]
fn hints_begin_and_end_where_the_guest_was_told_of_them() {
    let [with, without] = [true, false].map(|free_page_hinting| {
        let mut draft = base();
        draft.memory.balloon = Some(Balloon { free_page_hinting, ..Balloon::new(0) });
        draft
    });
    assert_eq!(live(&with, &with, &without, &all()).changes, [Change::Hint(false)]);
    assert_eq!(live(&with, &without, &with, &all()).changes, [Change::Hint(true)]);
    let untold = live(&without, &without, &with, &all());
    assert_eq!((untold.changes.len(), &untold.restart[..]), (0, &["vm.spec.memory.balloon".to_owned()][..]));
    let mut both = without.clone();
    both.memory.balloon = Some(Balloon::new(1 << 20));
    let changes = live(&with, &with, &both, &all()).changes;
    let mut running = with.clone();
    changes.iter().for_each(|change| change.apply(&mut running));
    assert_eq!((changes.len(), &running.memory), (2, &both.memory));
}

#[test]
fn persistent_memory_gets_another_limit_and_nothing_else() {
    let pmem = |rate_limit, read_only| {
        let kind = DeviceKind::Pmem { path: "/p".into(), size_bytes: 0, read_only, root: false, rate_limit };
        let mut draft = base();
        draft.devices = vec![Device { name: "p".to_owned(), kind, pci_segment: 0, iommu: false }];
        draft
    };
    let (old, new) = (pmem(None, false), pmem(limit(), false));
    assert_eq!(live(&old, &old, &new, &all()).changes, [Change::LimitDevice(new.devices[0].clone())]);
    let other = live(&old, &old, &pmem(limit(), true), &all());
    assert_eq!((other.changes.len(), other.restart.len()), (0, 1));
}

#[test]
fn each_change_is_done_now_or_named() {
    for (i, (edit, now, later)) in CASES.iter().enumerate() {
        let (old, new) = changed(edit);
        let plan = live(&old, &old, &new, &all());
        assert_eq!((plan.changes.len(), plan.restart), (*now, later.iter().map(ToString::to_string).collect()), "{i}");
    }
}

#[test]
fn what_was_done_is_not_asked_again() {
    for (i, (edit, ..)) in CASES.iter().enumerate() {
        let (old, new) = changed(edit);
        let plan = live(&old, &old, &new, &all());
        let mut running = old.clone();
        plan.changes.iter().for_each(|change| change.apply(&mut running));
        let again = live(&old, &running, &new, &all());
        assert_eq!((again.changes, again.restart), (Vec::new(), plan.restart), "{i}");
    }
}

#[test]
fn without_a_feature_everything_waits() {
    for (i, (edit, now, later)) in CASES.iter().enumerate() {
        let (old, new) = changed(edit);
        let plan = live(&old, &old, &new, &BTreeSet::new());
        assert!(plan.changes.is_empty(), "{i}");
        assert_eq!(plan.restart.is_empty(), *now == 0 && later.is_empty(), "{i}");
    }
}

#[test]
fn what_goes_makes_room_first() {
    let (old, new) = changed(|d| d.disks[1] = Disk::new("other", DiskSource::Path("/a".into())));
    let plan = live(&old, &old, &new, &all());
    assert!(matches!(plan.changes[..], [Change::RemoveDisk(_), Change::AddDisk(_)]), "{:?}", plan.changes);
}
