//! The volumes port on a real file system: its conformance suite, and what callers try.

#![expect(clippy::unwrap_used, reason = "all of this is tests")]

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use weft_domain::Reason;
use weft_host::volumes::{Config, Linux, open};
use weft_ports::volumes::{Volumes, Want, conformance, parts};

struct Ground {
    _dir: TempDir,
    own: PathBuf,
    root: PathBuf,
    outside: PathBuf,
    volumes: Linux,
}

fn ground() -> Ground {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let (own, root, outside) = (at("own"), at("root"), at("outside"));
    fs::create_dir(&root).unwrap();
    fs::create_dir(&outside).unwrap();
    let volumes = open(Config { own: vec![own.clone()], roots: vec![root.clone()], disks: own.clone() }).unwrap();
    Ground { own, root, outside, volumes, _dir: dir }
}

#[tokio::test]
async fn keeps_the_laws() {
    let ground = ground();
    let put = |path: &Path, bytes: &[u8]| fs::write(path, bytes).unwrap();
    conformance::all(&ground.volumes, &ground.own, &ground.root, &put).await;
    assert_eq!(fs::read_dir(&ground.own).unwrap().count(), 0);
}

#[tokio::test]
async fn keeps_the_laws_of_parts() {
    let ground = ground();
    let bench = parts::conformance::Bench {
        parts: &ground.volumes,
        volumes: &ground.volumes,
        own: &ground.own,
        root: &ground.root,
        put: &|path, bytes| fs::write(path, bytes).unwrap(),
        get: &|path| fs::read(path).unwrap(),
    };
    parts::conformance::all(&bench).await;
    assert_eq!(fs::read_dir(&ground.own).unwrap().count(), 0);
}

#[tokio::test]
async fn every_bad_path_is_told_exactly() {
    let ground = ground();
    let root = &ground.root;
    let at = |name: &str| root.join(name);
    fs::write(at("good"), "x").unwrap();
    fs::write(at("empty"), "").unwrap();
    fs::create_dir(at("folder")).unwrap();
    fs::write(ground.outside.join("secret"), "x").unwrap();
    symlink(ground.outside.join("secret"), at("out")).unwrap();
    symlink(&ground.outside, at("door")).unwrap();
    symlink(at("nothing"), at("dangling")).unwrap();
    symlink(at("circle"), at("circle")).unwrap();
    symlink("/proc/self/root/etc/passwd", at("magic")).unwrap();
    let _socket = UnixListener::bind(at("socket")).unwrap();
    fs::write(at("closed"), "x").unwrap();
    fs::set_permissions(at("closed"), Permissions::from_mode(0o000)).unwrap();
    fs::write(at("protected"), "x").unwrap();
    fs::set_permissions(at("protected"), Permissions::from_mode(0o444)).unwrap();
    let long = at(&"n".repeat(300));
    let (allowed, usable) = (Reason::PathNotAllowed, Reason::PathUnusable);
    let cases: Vec<(PathBuf, Want, Reason, &str)> = vec![
        ("".into(), Want::File, allowed, "is empty"),
        ("good".into(), Want::File, allowed, "is not an absolute path"),
        (at("folder/../good"), Want::File, allowed, "contains '..'"),
        (at("../outside/secret"), Want::File, allowed, "contains '..'"),
        ("/etc/shadow".into(), Want::File, allowed, "is outside of the allowed roots"),
        (PathBuf::from(format!("{}x", root.display())), Want::File, allowed, "is outside of the allowed roots"),
        (at("out"), Want::File, allowed, "leads out of the allowed roots by a symbolic link"),
        (at("door/secret"), Want::DiskToRead, allowed, "leads out of the allowed roots by a symbolic link"),
        (at("magic"), Want::File, usable, "leads through too many symbolic links, or in a circle"),
        (at("circle"), Want::File, usable, "leads through too many symbolic links, or in a circle"),
        (at("dangling"), Want::File, usable, "is a symbolic link to nothing"),
        (at("absent"), Want::File, usable, "does not exist"),
        (at("good/x"), Want::File, usable, "leads through a file as if it were a folder"),
        (long, Want::File, usable, "has a name that is too long"),
        (at("folder"), Want::File, usable, "is a folder, not a file"),
        (root.clone(), Want::File, usable, "is a folder, not a file"),
        (at("folder"), Want::DiskToWrite, usable, "is a folder, not a file or block device"),
        (at("socket"), Want::File, usable, "is a socket, not a file"),
        (at("empty"), Want::File, usable, "is empty"),
        (at("closed"), Want::DiskToRead, usable, "cannot be read by weft: permission denied"),
        (at("protected"), Want::DiskToWrite, usable, "is write-protected: attach it read-only"),
    ];
    for (path, want, reason, words) in cases {
        let fault = ground.volumes.resolve(&path, want, "vm.spec.payload.kernel").await.unwrap_err();
        assert_eq!(fault.reason, reason, "{}: {fault:?}", path.display());
        assert!(fault.violations[0].why.ends_with(words), "{}: {fault:?}", path.display());
        assert_eq!(fault.violations[0].field, "vm.spec.payload.kernel");
        assert!(!fault.message.contains("secret") || path.ends_with("secret"), "no target is told: {fault:?}");
        if reason == allowed {
            assert!(fault.fix.contains(root.to_str().unwrap()), "the roots are named: {fault:?}");
        }
    }
    assert!(ground.volumes.resolve(&at("protected"), Want::DiskToRead, "f").await.is_ok());
}

#[tokio::test]
async fn sockets_and_places_for_files_are_told_apart() {
    let ground = ground();
    let at = |name: &str| ground.root.join(name);
    let _socket = UnixListener::bind(at("socket")).unwrap();
    fs::write(at("file"), "").unwrap();
    fs::create_dir(at("folder")).unwrap();
    symlink(&ground.outside, at("door")).unwrap();
    symlink(ground.outside.join("new"), at("hatch")).unwrap();
    let (allowed, usable) = (Reason::PathNotAllowed, Reason::PathUnusable);
    let table = [
        ("socket", Want::Socket, None),
        ("file", Want::Socket, Some(usable)),
        ("absent", Want::Socket, Some(usable)),
        ("file", Want::Output, None),
        ("absent", Want::Output, None),
        ("folder/absent", Want::Output, None),
        ("folder", Want::Output, Some(usable)),
        ("socket", Want::Output, Some(usable)),
        ("absent/absent", Want::Output, Some(usable)),
        ("file/absent", Want::Output, Some(usable)),
        ("door/absent", Want::Output, Some(allowed)),
        ("hatch", Want::Output, Some(usable)),
    ];
    for (name, want, refused) in table {
        let answer = ground.volumes.resolve(&at(name), want, "f").await;
        assert_eq!(answer.as_ref().err().map(|fault| fault.reason), refused, "{name} as {want:?}: {answer:?}");
    }
    assert!(fs::read_dir(&ground.outside).unwrap().next().is_none());
}

#[tokio::test]
async fn links_that_stay_inside_are_followed() {
    let ground = ground();
    let good = ground.root.join("vmlinux-6.1");
    fs::write(&good, "x").unwrap();
    symlink(&good, ground.root.join("absolute")).unwrap();
    symlink("vmlinux-6.1", ground.root.join("relative")).unwrap();
    for name in ["absolute", "relative", "./relative"] {
        let resolved = ground.volumes.resolve(&ground.root.join(name), Want::File, "f").await.unwrap();
        assert_eq!(resolved, fs::canonicalize(&good).unwrap());
    }
}

#[tokio::test]
async fn a_root_that_is_a_link_or_comes_later_works() {
    let dir = tempfile::tempdir().unwrap();
    let (own, link, later) = (dir.path().join("own"), dir.path().join("link"), dir.path().join("later"));
    let roots = vec![link.clone(), later.clone()];
    let volumes = open(Config { own: vec![own.clone()], roots, disks: own }).unwrap();
    assert_eq!(volumes.resolve(&later.join("x"), Want::File, "f").await.unwrap_err().reason, Reason::PathUnusable);
    fs::create_dir(&later).unwrap();
    symlink(&later, &link).unwrap();
    fs::write(later.join("x"), "x").unwrap();
    assert!(volumes.resolve(&later.join("x"), Want::File, "f").await.is_ok());
    assert!(volumes.resolve(&link.join("x"), Want::File, "f").await.is_ok());
}

#[tokio::test]
async fn callers_cannot_name_what_weft_keeps() {
    let dir = tempfile::tempdir().unwrap();
    let (data, own) = (dir.path().join("data"), dir.path().join("data/vms"));
    let config = |roots| Config { own: vec![own.clone()], roots, disks: own.clone() };
    let volumes = open(config(vec![data.clone()])).unwrap();
    volumes.make_blank(&own.join("disk"), 4096).await.unwrap();
    fs::write(data.join("kernel"), "x").unwrap();
    let fault = volumes.resolve(&own.join("disk"), Want::DiskToWrite, "f").await.unwrap_err();
    assert!(fault.message.ends_with("is in a folder that weft keeps for itself"), "{fault:?}");
    assert!(volumes.resolve(&data.join("kernel"), Want::File, "f").await.is_ok());
    // A root inside of it opens that part.
    let volumes = open(config(vec![own.join("shared")])).unwrap();
    volumes.make_folder(&own.join("shared")).await.unwrap();
    volumes.make_blank(&own.join("shared/disk"), 4096).await.unwrap();
    assert!(volumes.resolve(&own.join("shared/disk"), Want::DiskToWrite, "f").await.is_ok());
}

#[tokio::test]
async fn links_in_our_folders_lead_nowhere() {
    let ground = ground();
    let theirs = ground.outside.join("theirs");
    fs::write(&theirs, "precious").unwrap();
    symlink(&ground.outside, ground.own.join("door")).unwrap();
    symlink(&theirs, ground.own.join("link")).unwrap();
    for path in [ground.own.join("door/theirs"), ground.own.join("door/new")] {
        ground.volumes.remove(&path).await.unwrap_err();
        ground.volumes.make_blank(&path, 4096).await.unwrap_err();
        ground.volumes.make_folder(&path).await.unwrap_err();
        ground.volumes.bound_log(&path, 0).await.unwrap_err();
    }
    ground.volumes.make_blank(&ground.own.join("link"), 8).await.unwrap_err();
    ground.volumes.remove(&ground.own.join("link")).await.unwrap();
    ground.volumes.remove(&ground.own.join("door")).await.unwrap();
    assert_eq!(fs::read_to_string(&theirs).unwrap(), "precious");
}

#[tokio::test]
async fn folders_are_ours_alone() {
    let ground = ground();
    let folder = ground.own.join("a/b");
    ground.volumes.make_folder(&folder).await.unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o777)).unwrap();
    ground.volumes.make_folder(&folder).await.unwrap();
    for path in [&folder, &ground.own.join("a")] {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o700);
    }
    let file = ground.own.join("file");
    fs::write(&file, "x").unwrap();
    let in_the_way = ground.volumes.make_folder(&file).await.unwrap_err();
    assert_eq!(in_the_way.reason, Reason::PathUnusable);
    assert_eq!(ground.volumes.make_folder(&file.join("x")).await.unwrap_err().reason, Reason::PathUnusable);
}

#[tokio::test]
async fn a_disk_whose_making_was_cut_short_is_made_anew_or_removed() {
    let ground = ground();
    let disk = ground.own.join("disk.raw");
    let begun = ground.own.join(".disk.raw.new");
    fs::write(&begun, "half").unwrap();
    ground.volumes.make_blank(&disk, 1 << 20).await.unwrap();
    assert_eq!(fs::metadata(&disk).unwrap().len(), 1 << 20);
    assert_eq!(ground.volumes.allocated_bytes(&disk).await.unwrap(), 0, "it is sparse");
    assert!(!begun.exists());
    fs::write(&begun, "half").unwrap();
    ground.volumes.remove(&disk).await.unwrap();
    assert!(!begun.exists() && !disk.exists());
}

#[tokio::test]
async fn a_disk_that_cannot_fit_is_refused_and_leaves_nothing() {
    let ground = ground();
    let fault = ground.volumes.make_blank(&ground.own.join("huge"), 1 << 62).await.unwrap_err();
    assert_eq!(fault.reason, Reason::DiskExhausted, "{fault:?}");
    assert_eq!(fs::read_dir(&ground.own).unwrap().count(), 0);
}
