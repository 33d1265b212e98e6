//! The laws of [`Parts`], as a suite that any implementation can be put through.
//!
//! `own` is an empty folder of weft's, `root` an allowed root of callers, `put` writes a file under either
//! and `get` reads one. The suite panics where a law is broken and leaves nothing under `own`.

use super::{Measure, Parts};
use crate::volumes::Volumes;
use crate::volumes::conformance::Put;
use bytes::Bytes;
use std::path::Path;
use weft_domain::Reason;

/// Reads a file.
pub type Get<'a> = &'a (dyn Fn(&Path) -> Vec<u8> + Sync);

/// What the suite works on.
pub struct Bench<'a> {
    /// The implementation under test.
    pub parts: &'a dyn Parts,
    /// Disks and folders of the same host.
    pub volumes: &'a dyn Volumes,
    /// An empty folder of weft's.
    pub own: &'a Path,
    /// A folder of callers.
    pub root: &'a Path,
    /// Writes a file.
    pub put: Put<'a>,
    /// Reads a file.
    pub get: Get<'a>,
}

/// A size with an odd end.
const SIZE: usize = (1 << 20) + 513;

/// Every law in turn.
pub async fn all(bench: &Bench<'_>) {
    let folder = bench.own.join("parts");
    bench.volumes.make_folder(&folder).await.expect("make_folder answers");
    what_is_copied_is_the_same(bench, &folder).await;
    sums_are_those_of_sha256(bench, &folder).await;
    a_callers_disk_is_laid_out(bench, &folder).await;
    small_files_are_replaced(bench, &folder).await;
    only_ours_is_made(bench).await;
    lengths_must_agree(bench, &folder).await;
    bench.volumes.remove(&folder).await.expect("remove answers");
}

fn pattern() -> Vec<u8> {
    (0..SIZE).map(|at| u8::try_from(at % 251).unwrap_or(0)).collect()
}

async fn what_is_copied_is_the_same(bench: &Bench<'_>, folder: &Path) {
    let (from, to) = (bench.root.join("from.img"), folder.join("to.img"));
    (bench.put)(&from, &pattern());
    for _ in 0..2 {
        bench.parts.copy(&from, &to).await.expect("copy answers, again too");
        assert_eq!((bench.get)(&to), pattern());
    }
    let blank = folder.join("blank.raw");
    bench.volumes.make_blank(&blank, 8 << 20).await.expect("make_blank answers");
    bench.parts.copy(&blank, &to).await.expect("a blank disk is copied over it");
    let measured = bench.parts.measure(&to).await.expect("measure answers").expect("it is there");
    assert_eq!(measured.bytes, 8 << 20, "holes count");
    let taken = bench.volumes.allocated_bytes(&to).await.expect("allocated_bytes answers");
    assert!(taken <= 8 << 20, "and take no more space than they did: {taken}");
    let names = bench.volumes.entries(folder).await.expect("entries answers");
    assert_eq!(names, ["blank.raw", "to.img"], "nothing else is beside it");
}

async fn sums_are_those_of_sha256(bench: &Bench<'_>, folder: &Path) {
    let file = folder.join("abc");
    assert_eq!(bench.parts.measure(&file).await, Ok(None));
    bench.parts.write(&file, Bytes::from_static(b"abc")).await.expect("write answers");
    let sha256 = [
        0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03,
        0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad,
    ];
    assert_eq!(bench.parts.measure(&file).await, Ok(Some(Measure { bytes: 3, sha256 })));
    let (zeros, hole) = (bench.root.join("zeros"), folder.join("hole"));
    (bench.put)(&zeros, &vec![0; 2 << 20]);
    bench.volumes.make_blank(&hole, 2 << 20).await.expect("make_blank answers");
    bench.parts.copy(&zeros, &folder.join("zeros")).await.expect("copy answers");
    let (zeros, hole) = (bench.parts.measure(&folder.join("zeros")).await, bench.parts.measure(&hole).await);
    assert_eq!(zeros, hole, "a hole counts as zeros");
}

async fn a_callers_disk_is_laid_out(bench: &Bench<'_>, folder: &Path) {
    let (from, disk) = (folder.join("part"), bench.root.join("disk.img"));
    bench.parts.write(&from, pattern().into()).await.expect("write answers");
    for before in [0, 10, SIZE * 2] {
        (bench.put)(&disk, &vec![b'x'; before]);
        bench.parts.lay(&from, &disk).await.expect("lay answers");
        assert_eq!((bench.get)(&disk), pattern(), "over {before} bytes");
    }
}

async fn small_files_are_replaced(bench: &Bench<'_>, folder: &Path) {
    let file = folder.join("manifest");
    assert_eq!(bench.parts.read(&file).await, Ok(None));
    for text in ["one", "another"] {
        bench.parts.write(&file, text.into()).await.expect("write answers");
        assert_eq!(bench.parts.read(&file).await, Ok(Some(text.into())));
    }
}

async fn only_ours_is_made(bench: &Bench<'_>) {
    let (from, theirs) = (bench.root.join("from.img"), bench.root.join("new.img"));
    (bench.put)(&from, b"abc");
    bench.parts.copy(&from, &theirs).await.expect_err("not ours");
    bench.parts.write(&theirs, Bytes::new()).await.expect_err("not ours");
    bench.parts.fill(&from, &from).await.expect_err("not ours");
    bench.parts.lay(&from, &from).await.expect_err("what is laid out must be ours");
}

async fn lengths_must_agree(bench: &Bench<'_>, folder: &Path) {
    let (short, long) = (folder.join("short"), folder.join("long"));
    bench.parts.write(&short, Bytes::from_static(b"abc")).await.expect("write answers");
    bench.parts.write(&long, Bytes::from_static(b"abcd")).await.expect("write answers");
    let fault = bench.parts.fill(&short, &long).await.expect_err("they differ");
    assert_eq!(fault.reason, Reason::PathUnusable, "{fault:?}");
    bench.parts.fill(&short, &short).await.expect("a file is as long as itself");
}
