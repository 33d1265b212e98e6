//! What a jailed process is and sees, looked at from outside and inside.

use crate::room::{Room, bind, opened, read, skips, until};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use weft_domain::Reason;
use weft_ports::processes::{Access, Ending, Net, Proc, Processes, Signal};

fn fields(status: &str) -> BTreeMap<&str, String> {
    let lines = status.lines().filter_map(|line| line.split_once(':'));
    lines.map(|(name, value)| (name, value.split_whitespace().collect::<Vec<_>>().join(" "))).collect()
}

fn names(folder: impl AsRef<Path>) -> BTreeSet<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn from_outside_it_has_nothing_of_the_host() {
    let room = Room::new();
    let linux = opened(room.path());
    if skips(&linux) {
        return;
    }
    let order = room.shell("echo > /out/ready; exec sleep 1000");
    let claim = order.claim;
    let alive = linux.launch(order).await.unwrap();
    until(|| room.out("ready").exists()).await;
    let proc = |name: &str| PathBuf::from(format!("/proc/{}/{name}", alive.pid));
    until(|| read(proc("cmdline")).starts_with("sleep")).await;

    let status = read(proc("status"));
    let status = fields(&status);
    let (uid, gid) = room.user();
    assert_eq!(status["Uid"], format!("{uid} {uid} {uid} {uid}"));
    assert_eq!(status["Gid"], format!("{gid} {gid} {gid} {gid}"));
    assert_eq!(status["Groups"], "");
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert_eq!(status[set], "0000000000000000", "{set}");
    }
    assert_eq!((&*status["NoNewPrivs"], &*status["Seccomp"]), ("1", "2"));
    assert_eq!(status["NSpid"], format!("{} 1", alive.pid), "it is the first of its own processes");
    assert_eq!(status["Umask"], "0077");

    for kind in ["mnt", "net", "pid", "ipc", "uts", "cgroup"] {
        let of = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/{kind}")).unwrap();
        assert_ne!(of(&alive.pid.to_string()), of("self"), "{kind}");
    }
    let root = names(proc("root"));
    let expected = ["bin", "dev", "lib", "lib64", "out", "usr"].map(str::to_owned);
    assert!(root.is_subset(&BTreeSet::from(expected)) && root.contains("out"), "{root:?}");
    assert_eq!(names(proc("root/dev")), BTreeSet::from(["null".to_owned()]));
    let node = fs::metadata(proc("root/dev/null")).unwrap();
    assert_eq!(
        (node.uid(), node.mode() & 0o7777, node.rdev()),
        (0, 0o660, fs::metadata("/dev/null").unwrap().rdev()),
        "it may use it, and not change it"
    );

    for line in read(proc("mountinfo")).lines() {
        let parts: Vec<_> = line.split(' ').collect();
        let (on, options) = (parts[4], parts[5]);
        let has = |option| options.split(',').any(|other| other == option);
        assert!(has("nosuid"), "{line}");
        assert_eq!(has("nodev"), on != "/dev", "{line}");
        assert_eq!(has("noexec"), matches!(on, "/" | "/dev" | "/out"), "{line}");
        assert_eq!(has("rw"), matches!(on, "/" | "/dev" | "/out"), "{line}");
        assert!(!line.contains("shared:"), "{line}");
    }
    let devices = read(proc("net/dev"));
    assert_eq!(devices.lines().skip(2).map(|line| line.split(':').next().unwrap().trim()).collect::<Vec<_>>(), ["lo"]);
    assert!(read(proc("environ")).contains(&format!("WEFT_CLAIM={claim}\n")));
    if linux.confined().await.unwrap().contains(&claim) {
        assert!(read(proc("cgroup")).contains(&claim.to_string()));
    }
    assert_eq!(names(proc("fd")), ["0", "1", "2"].map(str::to_owned).into());
    assert_eq!(linux.find().await.unwrap(), vec![(claim, alive.clone())]);

    linux.signal(&alive, Signal::Terminate).await.unwrap();
    assert!(linux.lives(&alive), "the first of its processes does not see what it does not handle");
    assert_eq!(linux.kill(&alive).await.unwrap(), Ending::Signal(9));
    linux.clear(claim).await.unwrap();
    room.leaves_nothing();
}

#[tokio::test]
async fn from_inside_there_is_no_way_out() {
    let room = Room::new();
    let linux = opened(room.path());
    if skips(&linux) {
        return;
    }
    let theirs = room.path().join("theirs");
    fs::write(&theirs, "theirs\n").unwrap();
    let mut order = room.shell(
        "tried() { if \"$@\" >/dev/null 2>&1; then echo \"can $1 $2\"; fi; }; \
         for path in /x /bin/x /dev/x /theirs /proc /etc /sys /tmp; do tried touch $path; tried ls $path/.; done; \
         tried mkdir /x; tried sh -c 'echo > /theirs'; tried rm /theirs; tried umount /out; tried mknod /out/null c 1 3; \
         tried unshare -n true; tried unshare -U true; tried chroot / true; tried kill -0 2; \
         cat /theirs; echo $$; id -u; echo mine > /out/mine; cat /out/mine; ls /dev",
    );
    order.jail.as_mut().unwrap().binds.push(bind(&theirs, "/theirs", Access::Read));
    let said = room.said(&linux, order).await;
    let (uid, _) = room.user();
    // A folder of the host's programs can be looked at; nothing else of all that was tried worked.
    let lines: Vec<_> = said.lines().filter(|line| !line.starts_with("can ls /")).collect();
    assert_eq!(lines, ["theirs", "1", &uid.to_string(), "mine", "null"], "{said}");
    assert_eq!(said.lines().filter(|line| line.starts_with("can ls")).count(), 0, "{said}");
    let mine = fs::metadata(room.out("mine")).unwrap();
    assert_eq!((mine.uid(), mine.gid()), (0, 0), "what it makes belongs to the folder's owner");
    room.leaves_nothing();
}

/// Run by the test below inside a jail.
#[test]
#[ignore = "a part of another test"]
fn calls_for_the_test_below() {
    use rustix::fs::CWD;
    use rustix::io::Errno;
    use rustix::mount::{MoveMountFlags, OpenTreeFlags, UnmountFlags};
    let refused = [
        ("mount", rustix::mount::mount("none", "/out", "tmpfs", rustix::mount::MountFlags::empty(), None)),
        ("unmount", rustix::mount::unmount("/out", UnmountFlags::DETACH)),
        ("open_tree", rustix::mount::open_tree(CWD, "/out", OpenTreeFlags::OPEN_TREE_CLONE).map(drop)),
        ("move_mount", rustix::mount::move_mount(CWD, "/out", CWD, "/usr", MoveMountFlags::empty())),
        ("pivot_root", rustix::process::pivot_root("/out", "/out")),
        ("chroot", rustix::process::chroot("/out")),
        ("sethostname", rustix::system::sethostname(b"other")),
    ];
    for (call, answer) in refused {
        assert_eq!(answer, Err(Errno::PERM), "{call}");
    }
    assert_eq!(std::thread::spawn(|| 7).join().unwrap(), 7, "threads are made as ever");
    assert!(std::process::Command::new("/bin/sh").args(["-c", "exit 0"]).status().unwrap().success());
    fs::write("/out/well", "").unwrap();
}

#[tokio::test]
async fn calls_that_nobody_needs_are_denied() {
    let room = Room::new();
    let linux = opened(room.path());
    if skips(&linux) {
        return;
    }
    let order = room.test("seen::calls_for_the_test_below");
    let (claim, log) = (order.claim, order.log.clone());
    let alive = linux.launch(order).await.unwrap();
    let ending = linux.ended(&alive).await;
    assert_eq!(ending, Ending::Code(0), "{}", read(log));
    assert!(room.out("well").exists());
    linux.clear(claim).await.unwrap();
}

#[tokio::test]
async fn a_bind_grants_what_the_mode_withholds_and_changes_nothing() {
    let room = Room::new();
    let linux = opened(room.path());
    if skips(&linux) {
        return;
    }
    let file = |name: &str, mode: u32, owner: Option<u32>| {
        let path = room.path().join(name);
        fs::write(&path, format!("{name}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        std::os::unix::fs::chown(&path, owner, owner).unwrap();
        path
    };
    let (secret, disk, kernel) =
        (file("secret", 0o400, None), file("disk", 0o600, Some(107)), file("kernel", 0o644, None));
    let mut order = room.shell(
        "cat /in/secret /in/disk /kernel; echo more >> /in/disk; \
         for path in /in/secret /kernel; do if echo more >> $path; then echo can; fi; done 2>/dev/null; \
         if /kernel; then echo can; fi 2>/dev/null; stat -c '%u %a' /in/disk",
    );
    let jail = order.jail.as_mut().unwrap();
    jail.binds.push(bind(&secret, "/in/secret", Access::Read));
    jail.binds.push(bind(&disk, "/in/disk", Access::Write));
    jail.binds.push(bind(&kernel, "/kernel", Access::Read));
    let said = room.said(&linux, order).await;
    assert_eq!(said, format!("secret\ndisk\nkernel\n{} 600\n", room.user().0));
    for (path, mode, owner) in [(&secret, 0o400, 0), (&disk, 0o600, 107), (&kernel, 0o644, 0)] {
        let now = fs::metadata(path).unwrap();
        assert_eq!((now.mode() & 0o7777, now.uid(), now.gid()), (mode, owner, owner), "{}", path.display());
    }
    assert_eq!(read(&disk), "disk\nmore\n");
    room.leaves_nothing();
}

#[tokio::test]
async fn files_in_memory_are_lent_too() {
    let room = Room::new();
    let linux = opened(room.path());
    let Ok(memory) = tempfile::tempdir_in("/dev/shm") else {
        println!("skipped: no file system in memory");
        return;
    };
    if skips(&linux) {
        return;
    }
    let mut order = room.shell("echo told > /memory/file; cat /memory/file; ls /memory");
    order.jail.as_mut().unwrap().binds.push(bind(memory.path(), "/memory", Access::Write));
    assert_eq!(room.said(&linux, order).await, "told\nfile\n");
    assert_eq!(fs::metadata(memory.path().join("file")).unwrap().uid(), 0);
    room.leaves_nothing();
}

#[tokio::test]
async fn what_cannot_be_shown_is_named_and_leaves_nothing() {
    let room = Room::new();
    let linux = opened(room.path());
    if skips(&linux) {
        return;
    }
    let fixed = room.path().join("fixed");
    fs::write(&fixed, "").unwrap();
    fs::set_permissions(&fixed, fs::Permissions::from_mode(0o400)).unwrap();
    let mapped = Path::new("/proc/1/environ");
    let link = room.path().join("link");
    symlink("/etc/shadow", &link).unwrap();
    let cases = [
        (bind(Path::new("/no/such"), "/x", Access::Read), Reason::PathUnusable, "/no/such in the jail: No such file"),
        (bind(&fixed, "/x", Access::Write), Reason::PathUnusable, "its mode 400 denies that to its owner too"),
        (bind(mapped, "/x", Access::Read), Reason::PathUnusable, "change its owner, or move it"),
        (bind(&link, "/x", Access::Read), Reason::PathUnusable, "it is a symbolic link"),
        (bind(&link, "/x", Access::Write), Reason::PathUnusable, "it is a symbolic link"),
        (bind(&fixed, "/bin/x", Access::Read), Reason::FieldInvalid, "/bin/x is /bin or inside it"),
        (bind(Path::new("/dev/zero"), "/zero", Access::Read), Reason::PathUnusable, "under /dev only"),
    ];
    for (bind, reason, words) in cases {
        let mut order = room.shell("true");
        order.jail.as_mut().unwrap().binds.push(bind);
        let claim = order.claim;
        let fault = linux.launch(order).await.unwrap_err();
        assert_eq!(fault.reason, reason, "{fault:?}");
        assert!(fault.message.contains(words), "{fault:?}");
        assert!(linux.find().await.unwrap().is_empty());
        assert!(!linux.confined().await.unwrap().contains(&claim));
    }
    let mut order = room.shell("true");
    order.jail.as_mut().unwrap().devices.push("/dev/no/such".into());
    let fault = linux.launch(order).await.unwrap_err();
    assert!(fault.message.contains("/dev/no/such"), "{fault:?}");
    let mut order = room.shell("true");
    order.program = "/no/such/program".into();
    let fault = linux.launch(order).await.unwrap_err();
    assert_eq!(fault.reason, Reason::ProgramMissing, "{fault:?}");
    let mut order = room.shell("true");
    order.dir = "/no/such/dir".into();
    let fault = linux.launch(order).await.unwrap_err();
    assert!(fault.message.contains("enter its folder /no/such/dir"), "{fault:?}");
    room.leaves_nothing();
}

#[tokio::test]
async fn it_sees_its_own_processes_and_the_hosts_network_where_asked() {
    let room = Room::new();
    let linux = opened(room.path());
    if skips(&linux) {
        return;
    }
    let mut order =
        room.shell("ls /proc | grep -v '^[0-9]' | sort; ls -d /proc/[0-9]*; echo > /out/ready; read x < /out/end");
    assert!(std::process::Command::new("mkfifo").arg(room.out("end")).status().unwrap().success());
    let jail = order.jail.as_mut().unwrap();
    (jail.net, jail.proc) = (Net::Host, Proc::Own);
    let (claim, log) = (order.claim, order.log.clone());
    let alive = linux.launch(order).await.unwrap();
    until(|| room.out("ready").exists()).await;
    let net = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/net")).unwrap();
    assert_eq!(net(&alive.pid.to_string()), net("self"));
    fs::write(room.out("end"), "end\n").unwrap();
    assert_eq!(linux.ended(&alive).await, Ending::Code(0));
    let said = read(log);
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines[..2], ["self", "thread-self"], "nothing of the kernel: {said}");
    assert!(lines.contains(&"/proc/1") && lines.len() <= 4, "{said}");
    linux.clear(claim).await.unwrap();
    room.leaves_nothing();
}
