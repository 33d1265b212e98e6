//! A VMM that was taken over, and tries everything.
//!
//! Each attack is a test of its own that is ignored outside; the test below it runs it in a jail, as the
//! jail's user, and looks at what it could do.

#![expect(unsafe_code, reason = "who attacks makes system calls that no library makes")]

use crate::room::{Room, admitting, bind, expelling, opened, read, skips, until};
use std::ffi::{CStr, c_long};
use std::fs;
use std::io;
use std::os::fd::AsRawFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::Path;
use weft_ports::processes::{Access, Cgroups, Command, Ending, Net, Processes, Rings, conformance};

/// What a call answers: a number, or why not.
fn call<const N: usize>(number: c_long, args: [c_long; N]) -> Result<c_long, i32> {
    let arg = |n: usize| args.get(n).copied().unwrap_or(0);
    // SAFETY: every pointer among the arguments leads to memory that outlives the call.
    let answer = unsafe { libc::syscall(number, arg(0), arg(1), arg(2), arg(3), arg(4), arg(5)) };
    if answer < 0 { Err(io::Error::last_os_error().raw_os_error().unwrap()) } else { Ok(answer) }
}

fn text(text: &CStr) -> c_long {
    text.as_ptr() as c_long
}

fn memory<T>(of: &mut T) -> c_long {
    std::ptr::from_mut(of) as c_long
}

/// Runs an attack to its end.
async fn attack(room: &Room, linux: &weft_host::processes::Linux, order: Command) {
    let (claim, log) = (order.claim, order.log.clone());
    let alive = linux.launch(order).await.unwrap();
    let ending = linux.ended(&alive).await;
    linux.clear(claim).await.unwrap();
    assert_eq!(ending, Ending::Code(0), "{}", read(log));
    room.leaves_nothing();
}

#[test]
#[ignore = "an attack of the test below"]
fn attack_on_what_it_was_lent() {
    let at = c_long::from(libc::AT_FDCWD);
    let disk = fs::OpenOptions::new().write(true).open("/disk").unwrap();
    let fd = c_long::from(disk.as_raw_fd());
    fs::write("/out/mine", "#!/bin/sh\n").unwrap();
    for (path, mode) in [(c"/disk", 0o4777), (c"/out/mine", 0o4755), (c"/dev/zero", 0o666), (c"/out", 0o777)] {
        assert_eq!(call(libc::SYS_chmod, [text(path), mode]), Err(libc::EPERM), "{path:?}");
        assert_eq!(call(libc::SYS_fchmodat, [at, text(path), mode]), Err(libc::EPERM), "{path:?}");
        assert_eq!(call(452, [at, text(path), mode, 0]), Err(libc::EPERM), "fchmodat2 {path:?}");
    }
    assert_eq!(call(libc::SYS_fchmod, [fd, 0o4777]), Err(libc::EPERM));
    let acl = text(c"system.posix_acl_access");
    assert_eq!(call(libc::SYS_setxattr, [text(c"/disk"), acl, acl, 28, 0]), Err(libc::EPERM));
    assert_eq!(call(libc::SYS_fsetxattr, [fd, acl, acl, 28, 0]), Err(libc::EPERM));
    let denied = fs::OpenOptions::new().write(true).open("/dev/zero").unwrap_err();
    assert_eq!(denied.kind(), io::ErrorKind::PermissionDenied, "a device that may only be read");
    // Whoever opens a file on which there is a lease waits until it is given up.
    assert_eq!(call(libc::SYS_fcntl, [fd, libc::F_SETLEASE.into(), libc::F_WRLCK.into()]), Err(libc::EPERM));
    for (from, to) in [("/disk", "/out/disk"), ("/secret", "/out/secret"), ("/program", "/out/program")] {
        assert_eq!(fs::hard_link(from, to).unwrap_err().kind(), io::ErrorKind::CrossesDevices, "{from}");
    }
    assert!(fs::rename("/out/mine", "/secret").is_err() && fs::rename("/disk", "/out/disk").is_err());
    assert!(fs::write("/secret", "").is_err() && fs::write("/program", "").is_err());
}

#[tokio::test]
async fn what_it_was_lent_stays_as_it_was() {
    let room = Room::new();
    let linux = opened(room.path());
    if skips(&linux) {
        return;
    }
    let (disk, secret) = (room.path().join("disk"), room.path().join("secret"));
    for file in [&disk, &secret] {
        fs::write(file, "words").unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
    }
    let mut order = room.test("hostile::attack_on_what_it_was_lent");
    let jail = order.jail.as_mut().unwrap();
    jail.binds.push(bind(&disk, "/disk", Access::Write));
    jail.binds.push(bind(&secret, "/secret", Access::Read));
    jail.binds.push(bind(Path::new("/dev/zero"), "/dev/zero", Access::Read));
    attack(&room, &linux, order).await;
    for path in [&disk, &secret] {
        let now = fs::metadata(path).unwrap();
        assert_eq!((now.mode() & 0o7777, now.uid(), now.len()), (0o600, 0, 5), "{}", path.display());
    }
    let mine = fs::metadata(room.out("mine")).unwrap();
    assert_eq!(mine.mode() & 0o7111, 0, "on the host it is root's, so it must not become root by it");
}

#[test]
#[ignore = "an attack of the test below"]
fn attack_by_calls() {
    let mut zeros = [0_u64; 32];
    let none = memory(&mut zeros);
    let newuser = c_long::from(libc::CLONE_NEWUSER | libc::SIGCHLD);
    let denied = [
        ("mount", call(libc::SYS_mount, [none, text(c"/out"), text(c"tmpfs")])),
        ("clone into a user namespace", call(libc::SYS_clone, [newuser])),
        ("unshare", call(libc::SYS_unshare, [libc::CLONE_NEWUSER.into()])),
        ("setns", call(libc::SYS_setns, [0])),
        ("ptrace", call(libc::SYS_ptrace, [0])),
        ("process_vm_readv", call(libc::SYS_process_vm_readv, [1, none, 1, none, 1])),
        ("pidfd_getfd", call(libc::SYS_pidfd_getfd, [0, 0, 0])),
        ("open_by_handle_at", call(libc::SYS_open_by_handle_at, [0, none, 0])),
        ("bpf", call(libc::SYS_bpf, [0, none, 8])),
        ("perf_event_open", call(libc::SYS_perf_event_open, [none, 0, -1, -1])),
        ("keyctl", call(libc::SYS_keyctl, [0, -3])),
        ("add_key", call(libc::SYS_add_key, [text(c"user"), text(c"x"), none, 1, -3])),
        ("io_uring_setup", call(libc::SYS_io_uring_setup, [1, none])),
        ("io_uring_enter", call(libc::SYS_io_uring_enter, [0])),
        ("AF_VSOCK", call(libc::SYS_socket, [libc::AF_VSOCK.into(), libc::SOCK_STREAM.into()])),
        ("AF_ALG", call(libc::SYS_socket, [libc::AF_ALG.into(), libc::SOCK_SEQPACKET.into()])),
        ("AF_PACKET", call(libc::SYS_socket, [libc::AF_PACKET.into(), libc::SOCK_RAW.into()])),
        ("high bits before AF_VSOCK", call(libc::SYS_socket, [(1 << 32) | 40, libc::SOCK_STREAM.into()])),
        ("raw sockets", call(libc::SYS_socket, [libc::AF_INET.into(), libc::SOCK_RAW.into(), 1])),
        ("a core's limit", call(libc::SYS_setrlimit, [libc::RLIMIT_CORE.into(), none])),
        ("a core's limit by prlimit", call(libc::SYS_prlimit64, [0, libc::RLIMIT_CORE.into(), none, 0])),
        ("the other numbers", call(0x4000_0000 + libc::SYS_getpid, [0])),
    ];
    for (what, answer) in denied {
        assert_eq!(answer, Err(libc::EPERM), "{what}");
    }
    assert_eq!(call(libc::SYS_clone3, [none, 88]), Err(libc::ENOSYS));
    let mut limit = [0_u64; 2];
    call(libc::SYS_prlimit64, [0, libc::RLIMIT_CORE.into(), 0, memory(&mut limit)]).unwrap();
    assert_eq!(limit, [1, 1], "no core, not by a pipe either");
    for family in [libc::AF_UNIX, libc::AF_INET, libc::AF_NETLINK] {
        call(libc::SYS_socket, [family.into(), libc::SOCK_DGRAM.into()]).unwrap();
    }
    // The first numbers of the host's processes lead to none from here, but for its own.
    for pid in 2..1000 {
        let sent = call(libc::SYS_kill, [pid, 0]);
        assert!(matches!(sent, Err(libc::ESRCH)) || pid < 16, "{pid}: {sent:?}");
    }
    assert!(fs::read_dir("/proc/1/root").is_err());
}

#[tokio::test]
async fn calls_lead_nowhere() {
    let room = Room::new();
    let linux = opened(room.path());
    if skips(&linux) {
        return;
    }
    attack(&room, &linux, room.test("hostile::attack_by_calls")).await;
}

#[test]
#[ignore = "a part of the test below"]
fn a_ring_is_made() {
    let mut parameters = [0_u32; 30];
    let made = call(libc::SYS_io_uring_setup, [1, memory(&mut parameters)]);
    assert!(made.is_ok() || made == Err(libc::ENOSYS), "{made:?}");
}

#[tokio::test]
async fn rings_are_for_those_who_ask() {
    let room = Room::new();
    let linux = opened(room.path());
    let switched_off = fs::read_to_string("/proc/sys/kernel/io_uring_disabled").is_ok_and(|text| text.trim() != "0");
    if skips(&linux) || switched_off {
        return;
    }
    let mut order = room.test("hostile::a_ring_is_made");
    order.jail.as_mut().unwrap().rings = Rings::Allowed;
    attack(&room, &linux, order).await;
}

#[test]
#[ignore = "an attack of the test below"]
fn attack_on_sockets_without_files() {
    let address = SocketAddr::from_abstract_name(fs::read("/out/name").unwrap()).unwrap();
    let answer = UnixStream::connect_addr(&address).map_err(|error| error.kind());
    fs::write("/out/answer", format!("{:?}", answer.map(drop))).unwrap();
}

#[tokio::test]
async fn the_hosts_sockets_without_files_are_out_of_reach() {
    for net in [Net::Own, Net::Host] {
        let room = Room::new();
        let linux = opened(room.path());
        if skips(&linux) {
            return;
        }
        let name = format!("weft-{}", conformance::fresh_claim());
        let _listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        fs::write(room.out("name"), &name).unwrap();
        let mut order = room.test("hostile::attack_on_sockets_without_files");
        order.jail.as_mut().unwrap().net = net.clone();
        attack(&room, &linux, order).await;
        match (net, read(room.out("answer")).as_str()) {
            (Net::Own, "Err(ConnectionRefused)") | (_, "Err(PermissionDenied)") => {}
            (Net::Host, "Ok(())") if !scopes_sockets() => println!("skipped: this kernel cannot keep them out"),
            (net, answer) => panic!("{net:?}: {answer}"),
        }
    }
}

/// Whether the kernel's Landlock can keep a process from sockets without files.
fn scopes_sockets() -> bool {
    call(444, [0, 0, 1]).is_ok_and(|version| version >= 6)
}

#[test]
#[ignore = "an attack of the test below"]
fn attack_by_another_name() {
    let other = fs::read("/out/other").unwrap();
    // SAFETY: the variable is as long as what is written over it, and nobody else reads it here.
    unsafe {
        let own = libc::getenv(c"WEFT_CLAIM".as_ptr());
        assert_eq!(CStr::from_ptr(own).count_bytes(), other.len());
        std::ptr::copy_nonoverlapping(other.as_ptr(), own.cast(), other.len());
    }
    fs::write("/out/said", "").unwrap();
    loop {
        std::thread::park();
    }
}

#[tokio::test]
async fn who_bears_another_claim_is_found_by_its_own() {
    let room = Room::new();
    let linux = opened(room.path());
    if skips(&linux) || linux.cgroups().0 == Cgroups::None {
        return;
    }
    let other = conformance::fresh_claim();
    fs::write(room.out("other"), other.to_string()).unwrap();
    let order = room.test("hostile::attack_by_another_name");
    let claim = order.claim;
    let alive = linux.launch(order).await.unwrap();
    until(|| room.out("said").exists()).await;
    let environ = read(format!("/proc/{}/environ", alive.pid));
    assert!(environ.contains(&format!("WEFT_CLAIM={other}\n")), "{environ}");
    assert_eq!(linux.find().await.unwrap(), vec![(claim, alive.clone())]);
    linux.clear(other).await.unwrap();
    assert!(linux.lives(&alive), "what is cleared is what bears the claim, not who says so");
    linux.clear(claim).await.unwrap();
    assert!(!linux.lives(&alive));
    room.leaves_nothing();
}

#[test]
#[ignore = "a part of the attack below"]
fn a_child_connects() {
    let address: std::net::SocketAddr = read("/out/address").parse().unwrap();
    let stream = std::net::TcpStream::connect(address).unwrap();
    fs::write("/out/connected", "").unwrap();
    let _ = io::Read::read(&mut &stream, &mut [0]);
}

#[test]
#[ignore = "an attack of the test below"]
fn attack_through_a_child() {
    // Its files in /proc are root's then.
    call(libc::SYS_prctl, [libc::PR_SET_DUMPABLE.into(), 0]).unwrap();
    let child = ["--exact", "hostile::a_child_connects", "--ignored", "--nocapture"];
    assert!(std::process::Command::new("/program").args(child).status().unwrap().success());
}

/// Whoever is on loopback without an account is a user of this machine, unless it is one of its VMs.
#[tokio::test]
async fn a_child_of_it_is_no_user_of_this_machine() {
    let room = Room::new();
    let linux = opened(room.path());
    if skips(&linux) {
        return;
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    fs::write(room.out("address"), listener.local_addr().unwrap().to_string()).unwrap();
    let mut order = room.test("hostile::attack_through_a_child");
    order.jail.as_mut().unwrap().net = Net::Host;
    let claim = order.claim;
    let alive = linux.launch(order).await.unwrap();
    until(|| room.out("connected").exists()).await;
    let (stream, peer) = listener.accept().unwrap();
    let socket = weft_host::peers::socket_of(peer, stream.local_addr().unwrap()).unwrap();
    assert!(weft_host::peers::holds(alive.pid, socket), "who it started counts as itself");
    assert!(!weft_host::peers::holds(std::process::id(), socket));
    linux.clear(claim).await.unwrap();
    room.leaves_nothing();
}

#[tokio::test]
async fn nothing_makes_it_immortal() {
    let room = Room::new();
    let linux = opened(room.path());
    if skips(&linux) {
        return;
    }
    let order = room.shell(
        "trap '' HUP INT QUIT TERM USR1; for n in 1 2 3 4 5 6 7 8; do sh -c 'kill -STOP $$' & \
         setsid sh -c 'trap \"\" TERM; while :; do sleep 1000; done' & done; echo > /out/ready; kill -STOP $$; \
         while :; do :; done",
    );
    let claim = order.claim;
    let alive = linux.launch(order).await.unwrap();
    until(|| room.out("ready").exists()).await;
    assert_eq!(linux.find().await.unwrap(), vec![(claim, alive.clone())], "it leads, whatever else has a session");
    assert_eq!(linux.kill(&alive).await.unwrap(), Ending::Signal(9));
    assert_eq!(linux.find().await.unwrap(), vec![], "and takes the others along");
    linux.clear(claim).await.unwrap();
    room.leaves_nothing();
}

#[test]
#[ignore = "an attack of the test below"]
fn attack_by_what_it_holds() {
    let wait = |path: &str| {
        while !Path::new(path).exists() {
            std::thread::yield_now();
        }
    };
    wait("/kept/there");
    let folder = fs::File::open("/kept").unwrap();
    let held = Path::new("/out/write").exists().then(|| fs::File::create("/kept/held").unwrap());
    fs::write("/out/holds", "").unwrap();
    wait("/out/go");
    drop(held);
    let made = rustix::fs::openat(
        &folder,
        "later",
        rustix::fs::OFlags::CREATE | rustix::fs::OFlags::WRONLY,
        rustix::fs::Mode::RWXU,
    );
    let linked = rustix::fs::symlinkat("/etc/shadow", &folder, "link");
    let removed = rustix::fs::unlinkat(&folder, "there", rustix::fs::AtFlags::empty());
    fs::write("/out/answer.new", format!("{:?} {linked:?} {removed:?}", made.map(drop))).unwrap();
    fs::rename("/out/answer.new", "/out/answer").unwrap();
}

/// A snapshot's folder is lent for as long as it is written: what is in it later must be what was in it then.
#[tokio::test]
async fn a_folder_that_is_held_open_takes_nothing_new() {
    for writes in [false, true] {
        let room = Room::new();
        let linux = opened(room.path());
        if skips(&linux) {
            return;
        }
        let kept = room.path().join("kept");
        fs::create_dir(&kept).unwrap();
        fs::write(kept.join("there"), "").unwrap();
        if writes {
            fs::write(room.out("write"), "").unwrap();
        }
        let order = room.test("hostile::attack_by_what_it_holds");
        let claim = order.claim;
        let alive = linux.launch(order).await.unwrap();
        linux.show(&alive, admitting(vec![bind(&kept, "/kept", Access::Write)])).await.unwrap();
        until(|| room.out("holds").exists()).await;
        let expelled = linux.show(&alive, expelling(vec!["/kept".into()])).await;
        assert!(!Path::new(&format!("/proc/{}/root/kept", alive.pid)).exists());
        if writes {
            let fault = expelled.unwrap_err();
            assert!(fault.message.contains("still open for writing"), "{fault:?}");
        } else {
            expelled.unwrap();
            fs::write(room.out("go"), "").unwrap();
            until(|| room.out("answer").exists()).await;
            assert_eq!(
                read(room.out("answer")),
                "Err(Os { code: 30, kind: ReadOnlyFilesystem, message: \"Read-only file system\" }) "
                    .repeat(3)
                    .trim_end()
            );
            assert!(kept.join("there").exists() && !kept.join("link").exists());
        }
        linux.clear(claim).await.unwrap();
        room.leaves_nothing();
    }
}
