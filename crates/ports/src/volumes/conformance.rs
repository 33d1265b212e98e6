//! The laws of [`Volumes`], as a suite that any implementation can be put through.
//!
//! `own` is an empty folder of weft's, `root` an allowed root of callers, `put` writes a file under
//! either. The suite panics where a law is broken and leaves nothing under `own`.

use super::{Volumes, Want};
use std::path::Path;
use weft_domain::{Fault, Reason};

/// A size that fits anywhere.
const SIZE: u64 = 3 << 20;

/// Writes a file, as a caller or a VMM would.
pub type Put<'a> = &'a (dyn Fn(&Path, &[u8]) + Sync);

/// Every law in turn.
pub async fn all(volumes: &dyn Volumes, own: &Path, root: &Path, put: Put<'_>) {
    callers_paths_are_vetted(volumes, own, root, put).await;
    folders_come_and_go(volumes, own).await;
    blank_disks_come_and_go(volumes, own).await;
    only_ours_is_removed(volumes, own, root, put).await;
    logs_keep_their_offsets(volumes, own, put).await;
    assert!(volumes.free_bytes().await.expect("free_bytes answers") > 0);
}

fn refused(answer: Result<std::path::PathBuf, Fault>, reason: Reason) {
    let fault = answer.expect_err("it is refused");
    assert_eq!(fault.reason, reason, "{fault:?}");
    assert_eq!(fault.violations.len(), 1, "one field is at fault: {fault:?}");
    assert_eq!(fault.violations[0].field, "vm.spec.x");
}

async fn callers_paths_are_vetted(volumes: &dyn Volumes, own: &Path, root: &Path, put: Put<'_>) {
    let kernel = root.join("vmlinux");
    put(&kernel, b"ELF");
    let field = "vm.spec.x";
    for want in [Want::File, Want::DiskToRead, Want::DiskToWrite] {
        let resolved = volumes.resolve(&kernel, want, field).await.expect("it is allowed and there");
        assert!(resolved.ends_with("vmlinux"));
        refused(volumes.resolve(&root.join("absent"), want, field).await, Reason::PathUnusable);
        refused(volumes.resolve(&root.join("../vmlinux"), want, field).await, Reason::PathNotAllowed);
        refused(volumes.resolve(Path::new("/proc/version"), want, field).await, Reason::PathNotAllowed);
        refused(volumes.resolve(Path::new("vmlinux"), want, field).await, Reason::PathNotAllowed);
    }
    refused(volumes.resolve(&kernel, Want::Socket, field).await, Reason::PathUnusable);
    for (name, there) in [("vmlinux", true), ("new.log", false)] {
        let resolved = volumes.resolve(&root.join(name), Want::Output, field).await.expect("it may be written");
        assert!(resolved.ends_with(name), "{there}: {}", resolved.display());
    }
    let outside = volumes.resolve(Path::new("/proc/new.log"), Want::Output, field).await;
    refused(outside, Reason::PathNotAllowed);
    let folder = own.join("folder");
    volumes.make_folder(&folder).await.expect("make_folder answers");
    volumes.remove(&folder).await.expect("remove answers");
}

async fn folders_come_and_go(volumes: &dyn Volumes, own: &Path) {
    let (parent, child) = (own.join("a"), own.join("a/b"));
    assert_eq!(volumes.entries(&parent).await, Ok(vec![]), "an absent folder is empty");
    volumes.make_folder(&child).await.expect("parents are made");
    volumes.make_folder(&child).await.expect("making again is success");
    volumes.make_folder(&own.join("a/c")).await.expect("make_folder answers");
    assert_eq!(volumes.entries(&parent).await, Ok(vec!["b".to_owned(), "c".to_owned()]), "sorted by name");
    volumes.remove(&parent).await.expect("remove takes all in it");
    volumes.remove(&parent).await.expect("absence is success");
    assert_eq!(volumes.entries(&parent).await, Ok(vec![]));
}

async fn blank_disks_come_and_go(volumes: &dyn Volumes, own: &Path) {
    let folder = own.join("disks");
    let disk = folder.join("disk.raw");
    volumes.make_folder(&folder).await.expect("make_folder answers");
    volumes.make_blank(&disk, SIZE).await.expect("a blank disk is made");
    volumes.make_blank(&disk, SIZE).await.expect("the same again is success");
    let fault = volumes.make_blank(&disk, SIZE + 512).await.expect_err("another size is refused");
    assert_eq!(fault.reason, Reason::PathUnusable, "{fault:?}");
    volumes.grow(&disk, SIZE - 512).await.expect("nothing shrinks");
    volumes.make_blank(&disk, SIZE).await.expect("it is as long as it was");
    for _ in 0..2 {
        volumes.grow(&disk, SIZE + 512).await.expect("it grows, and again is success");
    }
    volumes.make_blank(&disk, SIZE + 512).await.expect("now it is so long");
    volumes.grow(&folder.join("absent"), SIZE).await.expect_err("what is not there does not grow");
    assert_eq!(volumes.entries(&folder).await, Ok(vec!["disk.raw".to_owned()]), "nothing else is beside it");
    volumes.remove(&disk).await.expect("remove answers");
    volumes.remove(&disk).await.expect("absence is success");
    assert_eq!(volumes.entries(&folder).await, Ok(vec![]));
    volumes.remove(&folder).await.expect("remove answers");
}

async fn only_ours_is_removed(volumes: &dyn Volumes, own: &Path, root: &Path, put: Put<'_>) {
    let theirs = root.join("theirs.img");
    put(&theirs, b"precious");
    for path in [theirs.clone(), own.join("../x"), own.to_owned(), root.to_owned()] {
        volumes.remove(&path).await.expect_err("not ours");
    }
    assert!(volumes.resolve(&theirs, Want::DiskToRead, "f").await.is_ok(), "it is still there");
    volumes.make_blank(&root.join("new.img"), SIZE).await.expect_err("not ours");
    volumes.make_folder(&root.join("new")).await.expect_err("not ours");
    volumes.grow(&theirs, SIZE).await.expect_err("not ours");
    let absent = volumes.resolve(&root.join("new.img"), Want::DiskToRead, "f").await;
    assert_eq!(absent.map_err(|fault| fault.reason), Err(Reason::PathUnusable), "nothing was made");
}

async fn logs_keep_their_offsets(volumes: &dyn Volumes, own: &Path, put: Put<'_>) {
    let (folder, log) = (own.join("logs"), own.join("logs/console.log"));
    volumes.make_folder(&folder).await.expect("make_folder answers");
    assert_eq!(volumes.log_extent(&log).await, Ok((0, 0)), "an absent log is empty");
    let (at, bytes) = volumes.read_log(&log, 7, 10).await.expect("read_log answers");
    assert_eq!((at, bytes.len()), (0, 0));
    let written: Vec<u8> = (0..1u32 << 18).flat_map(u32::to_be_bytes).collect();
    let len = written.len() as u64;
    put(&log, &written);
    assert_eq!(volumes.log_extent(&log).await, Ok((len, 0)));
    assert!(volumes.allocated_bytes(&folder).await.expect("allocated_bytes answers") >= len, "it takes up space");
    let (at, bytes) = volumes.read_log(&log, 1000, 24).await.expect("read_log answers");
    assert_eq!((at, &bytes[..]), (1000, &written[1000..1024]));
    volumes.bound_log(&log, 300_000).await.expect("bound_log answers");
    let left = volumes.allocated_bytes(&log).await.expect("allocated_bytes answers");
    assert!(left < len, "what was dropped takes no space: {left}");
    let (still, start) = volumes.log_extent(&log).await.expect("log_extent answers");
    assert_eq!(still, len, "offsets stay");
    assert!(start > 0 && start <= len - 300_000, "what was to be kept is kept: {start}");
    let (at, bytes) = volumes.read_log(&log, 0, 64).await.expect("read_log answers");
    let from = usize::try_from(start).expect("it is small");
    assert_eq!((at, &bytes[..]), (start, &written[from..from + 64]), "reading begins where the kept part does");
    let (at, bytes) = volumes.read_log(&log, len - 10, 64).await.expect("read_log answers");
    assert_eq!((at, &bytes[..]), (len - 10, &written[written.len() - 10..]));
    let (at, bytes) = volumes.read_log(&log, len + 10, 64).await.expect("read_log answers");
    assert_eq!((at, bytes.len()), (len, 0), "past the end there is nothing");
    volumes.bound_log(&log, len * 2).await.expect("a wide bound drops nothing");
    assert_eq!(volumes.log_extent(&log).await, Ok((len, start)));
    volumes.remove(&folder).await.expect("remove answers");
    assert_eq!(volumes.allocated_bytes(&folder).await, Ok(0), "an absent folder takes none");
}
