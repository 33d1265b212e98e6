//! What changes while a machine runs, and what is kept of it.

use crate::bed::{Bed, left};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use weft_domain::Reason;
use weft_domain::snapshot::{Content, Identity, Part, Role, Scope};
use weft_domain::spec::change::Change;
use weft_domain::spec::{Balloon, Device, DeviceKind, Disk, DiskFormat, DiskSource, Metadata, RateLimit, TokenBucket};
use weft_ports::hypervisor::{Alteration, Backing, Keep, Machine, Order, Origin, Restore};

fn alteration(change: Change) -> Alteration {
    Alteration { change, backing: None }
}

async fn keep(machine: &dyn Machine, folder: &Path, scope: Scope) -> Vec<(Role, String)> {
    let keep = Keep { folder: folder.to_owned(), scope };
    machine.keep(&keep).await.unwrap_or_else(|fault| panic!("keep {scope:?}: {fault}"))
}

fn restore(order: &Order, folder: &Path, parts: Vec<(Role, String)>, identity: Identity) -> Origin {
    let part = |(role, file)| Part { role, file, bytes: 0, sha256: [0; 32] };
    let parts = parts.into_iter().map(part).collect();
    let content = Content { driver: String::new(), taken: None, parts };
    Origin::Snapshot(Restore { folder: folder.to_owned(), content, spec: order.spec.clone(), identity })
}

fn disk(name: &str, path: &Path) -> Disk {
    Disk::new(name, DiskSource::Path(path.to_owned()))
}

/// Which files of this folder a process has open.
fn open_files(machine: &dyn Machine, folder: &Path) -> Vec<String> {
    let fds = std::fs::read_dir(format!("/proc/{}/fd", machine.alive().pid)).expect("its files can be seen");
    let links = fds.flatten().filter_map(|fd| std::fs::read_link(fd.path()).ok());
    let ours = |path: &std::path::PathBuf| {
        path.parent().is_some_and(|parent| parent.ends_with(folder.file_name().unwrap_or_default()))
    };
    let names = links.filter(ours).filter_map(|path| path.file_name().map(|name| name.to_string_lossy().into_owned()));
    names.collect()
}

/// A fork has the memory of the first and a disk of its own under the same name.
pub(crate) async fn a_fork_goes_on_with_its_own_disk(bed: &Bed) {
    let (mut draft, mut forked) = (Bed::draft(), Bed::draft());
    let (first, second) = (bed.file("first.raw", 1 << 20), bed.file("second.raw", 1 << 20));
    draft.disks = vec![disk("data-0", &first)];
    forked.disks = vec![disk("data-0", &second)];
    draft.vsock = Some(weft_domain::spec::Vsock { cid: 7, pci_segment: 0, iommu: false });
    forked.vsock = draft.vsock;
    let order = bed.order_of(draft);
    let machine = bed.ready(&order).await;
    bed.ask(&order, machine.as_ref(), "count", ("count 1", 1)).await;
    machine.pause().await.expect("it can be held");
    let folder = bed.folder("kept");
    let parts = keep(machine.as_ref(), &folder, Scope::Full).await;
    machine.resume().await.expect("it goes on");
    // The first lives on beside its fork, and each has its own vsock.
    let again = Order { origin: restore(&order, &folder, parts, Identity::New), ..bed.order_of(forked) };
    let fork = bed.launch(&again).await;
    bed.ask(&again, fork.as_ref(), "count", ("count 2", 1)).await;
    bed.ask(&order, machine.as_ref(), "count", ("count 2", 1)).await;
    if bed.is_real() {
        let names = open_files(fork.as_ref(), first.parent().expect("it has a folder"));
        assert!(names.contains(&"second.raw".to_owned()) && !names.contains(&"first.raw".to_owned()), "{names:?}");
    }
    for run_dir in [&order.run_dir, &again.run_dir] {
        assert!(run_dir.join("run/vsock.sock").exists(), "each has its vsock");
    }
    bed.finish(machine).await;
    bed.finish(fork).await;
}

/// Of a machine that did little since, little is kept; together with its parent it is a whole machine.
pub(crate) async fn a_difference_is_small_and_whole_on_its_parent(bed: &Bed) {
    let order = bed.order_of(Bed::draft());
    let machine = bed.ready(&order).await;
    let (whole, little) = (bed.folder("whole"), bed.folder("little"));
    machine.pause().await.expect("it can be held");
    keep(machine.as_ref(), &whole, Scope::Full).await;
    machine.resume().await.expect("it goes on");
    bed.ask(&order, machine.as_ref(), "count", ("count 1", 1)).await;
    machine.pause().await.expect("it can be held");
    let parts = keep(machine.as_ref(), &little, Scope::Difference).await;
    let blocks = |folder: &Path| std::fs::metadata(folder.join("memory")).expect("it is there").blocks();
    if bed.is_real() {
        assert!(blocks(&little) * 4 < blocks(&whole), "{} of {}", blocks(&little), blocks(&whole));
    }
    bed.finish(machine).await;
    fill(&little.join("memory"), &whole.join("memory"));
    let again = Order { origin: restore(&order, &little, parts, Identity::Same), ..bed.order_of(Bed::draft()) };
    let machine = bed.launch(&again).await;
    bed.ask(&again, machine.as_ref(), "count", ("count 2", 1)).await;
    bed.finish(machine).await;
}

/// Gives the holes of a file what another has there, page by page.
fn fill(path: &Path, from: &Path) {
    use std::os::unix::fs::FileExt;
    const PAGE: usize = 4096;
    let (layer, base) = (
        std::fs::File::options().write(true).open(path).expect("a file of the test can be used"),
        std::fs::read(from).expect("a file of the test can be used"),
    );
    let top = std::fs::read(path).expect("a file of the test can be used");
    for (i, page) in base.chunks(PAGE).enumerate() {
        let at = i * PAGE;
        let hole = rustix::fs::seek(&layer, rustix::fs::SeekFrom::Data(at as u64)).ok();
        if hole.is_none_or(|data| data >= (at + PAGE) as u64) && top[at..at + page.len()] != *page {
            layer.write_all_at(page, at as u64).expect("a file of the test can be used");
        }
    }
}

/// A disk's file and limit change under the guest; a file that is not there changes nothing.
pub(crate) async fn a_disk_gets_another_file_and_another_limit(bed: &Bed) {
    let mut draft = Bed::draft();
    let (first, second) = (bed.file("first.raw", 1 << 20), bed.file("second.raw", 1 << 21));
    draft.disks = vec![disk("data", &first)];
    let order = bed.order_of(draft);
    let machine = bed.ready(&order).await;
    let bucket = TokenBucket { size: 1 << 20, refill_ms: 100, one_time_burst: 0 };
    for limit in [Some(RateLimit { bandwidth: Some(bucket), ops: None }), None] {
        let change = Change::LimitDisk("data".to_owned(), limit);
        machine.alter(&alteration(change)).await.unwrap_or_else(|fault| panic!("limit: {fault}"));
    }
    let swap = |path: &Path| Alteration {
        change: Change::SwapDisk(disk("data", path)),
        backing: Some(Backing { path: path.to_owned(), format: DiskFormat::Raw }),
    };
    let lost = second.with_file_name("not-there");
    machine.alter(&swap(&lost)).await.expect_err("a file that is not there is not taken");
    for _ in 0..2 {
        machine.alter(&swap(&second)).await.unwrap_or_else(|fault| panic!("swap: {fault}"));
    }
    let names = open_files(machine.as_ref(), first.parent().expect("it has a folder"));
    if bed.is_real() {
        assert!(names.contains(&"second.raw".to_owned()) && !names.contains(&"first.raw".to_owned()), "{names:?}");
    }
    std::fs::File::options()
        .write(true)
        .open(&second)
        .expect("a file of the test can be used")
        .set_len(1 << 22)
        .expect("it can grow");
    let grown = alteration(Change::ResizeDisk("data".to_owned(), 1 << 22));
    machine.alter(&grown).await.unwrap_or_else(|fault| panic!("grow: {fault}"));
    bed.finish(machine).await;
}

/// The small guest drives no balloon: that is refused in Firecracker's words, and the machine goes on.
pub(crate) async fn a_balloon_that_the_guest_does_not_drive_is_refused(bed: &Bed) {
    let mut draft = Bed::draft();
    draft.memory.balloon = Some(Balloon::new(0));
    let order = bed.order_of(draft);
    let machine = bed.ready(&order).await;
    let fault = machine.alter(&alteration(Change::Balloon(Balloon::new(8 << 20)))).await;
    if let Err(fault) = fault {
        assert_eq!(fault.reason, Reason::ChangeRefused, "{fault}");
    }
    machine
        .alter(&alteration(Change::Balloon(Balloon::new(0))))
        .await
        .unwrap_or_else(|fault| panic!("as it is: {fault}"));
    bed.ask(&order, machine.as_ref(), "ping", ("pong", 1)).await;
    bed.finish(machine).await;
}

/// Hints are asked of a guest that drives its balloon, and of no other; to ask for none is never refused.
pub(crate) async fn hints_of_free_pages_begin_and_end(bed: &Bed) {
    let mut draft = Bed::draft();
    draft.memory.balloon = Some(Balloon { free_page_hinting: true, free_page_reporting: true, ..Balloon::new(0) });
    let order = bed.order_of(draft);
    let machine = bed.ready(&order).await;
    for hints in [false, true, true, false, false] {
        match machine.alter(&alteration(Change::Hint(hints))).await {
            Ok(()) => {}
            Err(fault) if hints && bed.is_real() => assert_eq!(fault.reason, Reason::ChangeRefused, "{fault}"),
            Err(fault) => panic!("{hints}: {fault}"),
        }
    }
    bed.ask(&order, machine.as_ref(), "ping", ("pong", 1)).await;
    bed.finish(machine).await;
    let order = bed.order_of(Bed::draft());
    let machine = bed.ready(&order).await;
    let fault = machine.alter(&alteration(Change::Hint(true))).await.expect_err("it has no balloon");
    assert_eq!(fault.reason, Reason::ChangeRefused, "{fault}");
    bed.finish(machine).await;
}

/// Persistent memory gets a limit and loses it; one that is not there is refused.
pub(crate) async fn persistent_memory_gets_another_limit(bed: &Bed) {
    let path = bed.file("pmem.raw", 2 << 20);
    let pmem = |name: &str, rate_limit| {
        let kind = DeviceKind::Pmem { path: path.clone(), size_bytes: 0, read_only: false, root: false, rate_limit };
        Device { name: name.to_owned(), kind, pci_segment: 0, iommu: false }
    };
    let mut draft = Bed::draft();
    draft.devices = vec![pmem("data-0", None)];
    let order = bed.order_of(draft);
    let machine = bed.ready(&order).await;
    let bucket = TokenBucket { size: 100, refill_ms: 100, one_time_burst: 0 };
    let limit = Some(RateLimit { bandwidth: None, ops: Some(bucket) });
    for limit in [limit, limit, None] {
        let change = Change::LimitDevice(pmem("data-0", limit));
        machine.alter(&alteration(change)).await.unwrap_or_else(|fault| panic!("limit: {fault}"));
    }
    let other = alteration(Change::LimitDevice(pmem("other", limit)));
    let fault = machine.alter(&other).await.expect_err("there is no such device");
    assert_eq!(fault.reason, Reason::ChangeRefused, "{fault}");
    bed.finish(machine).await;
}

/// Memory that the guest does not take is refused after a while and taken back; what it has is no change.
pub(crate) async fn metadata_and_memory_are_told_anew(bed: &Bed) {
    let mut draft = Bed::draft();
    draft.memory.hotplug_bytes = 128 << 20;
    let order = bed.order_of(draft);
    let machine = bed.ready(&order).await;
    let now = alteration(Change::Memory(order.spec.memory.size_bytes));
    machine.alter(&now).await.unwrap_or_else(|fault| panic!("memory as it is: {fault}"));
    let less = alteration(Change::Memory(order.spec.memory.size_bytes - (2 << 20)));
    let fault = machine.alter(&less).await.expect_err("less than it was started with");
    assert_eq!(fault.reason, Reason::ChangeRefused, "{fault}");
    let metadata = Metadata {
        json: "{}".to_owned(),
        nics: vec!["nic0".to_owned()],
        version: weft_domain::spec::MetadataVersion::V2,
        address: None,
        imds_compatible: false,
    };
    let fault = machine.alter(&alteration(Change::Metadata(metadata))).await.expect_err("it has no metadata service");
    assert_eq!(fault.reason, Reason::ChangeRefused, "{fault}");
    bed.finish(machine).await;
}

/// Counters are sums since the launch, whoever asks.
pub(crate) async fn counters_go_on_after_an_adoption(bed: &Bed) {
    let order = bed.order_of(Bed::draft());
    let machine = bed.ready(&order).await;
    let written = |counters: &weft_ports::hypervisor::Counters| counters["uart"]["write_count"];
    let before = written(&machine.counters().await.unwrap_or_else(|fault| panic!("counters: {fault}")));
    assert!(before > 0, "the guest said something");
    let adoption = left(&order, machine.as_ref());
    drop(machine);
    let machine = bed.adopt(&order, adoption).await;
    bed.ask(&order, machine.as_ref(), "ping", ("pong", 1)).await;
    let after = written(&machine.counters().await.unwrap_or_else(|fault| panic!("counters: {fault}")));
    assert!(after > before, "{before} then {after}");
    assert_eq!(Arc::strong_count(&order.spec), 1, "nobody holds the order");
    bed.finish(machine).await;
}
