//! What is shown and hidden while a jailed process runs.

use crate::room::{Room, admitting, bind, expelling, opened, read, skips, until};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use weft_domain::{Kind, Reason};
use weft_ports::processes::{Access, Processes};

#[tokio::test]
async fn more_can_be_shown_and_hidden_while_it_runs() {
    let room = Room::new();
    let linux = opened(room.path());
    if skips(&linux) {
        return;
    }
    let script = "while read word path; do if [ $word = read ]; then cat $path; elif [ -e $path ]; then echo there; \
                  else echo absent; fi >/out/answer.new 2>&1; mv /out/answer.new /out/answer; done < /out/ask";
    let asks = room.out("ask");
    assert!(std::process::Command::new("mkfifo").arg(&asks).status().unwrap().success());
    let order =
        room.shell(&script.replace("cat $path;", "cat $path >/out/answer.new 2>&1;").replace("fi >/out", "fi >>/out"));
    let claim = order.claim;
    let alive = linux.launch(order).await.unwrap();
    let mut ask = fs::OpenOptions::new().write(true).open(&asks).unwrap();
    let mut asked = async |line: &str| {
        std::io::Write::write_all(&mut ask, format!("{line}\n").as_bytes()).unwrap();
        until(|| room.out("answer").exists()).await;
        let answer = read(room.out("answer"));
        fs::remove_file(room.out("answer")).unwrap();
        answer
    };
    let disk = room.path().join("disk");
    fs::write(&disk, "disk").unwrap();
    fs::set_permissions(&disk, fs::Permissions::from_mode(0o600)).unwrap();
    let folder = room.path().join("folder");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("in"), "folder").unwrap();
    let binds = vec![
        bind(&disk, "/disks/one", Access::Write),
        bind(&folder, "/folder", Access::Read),
        bind(Path::new("/dev/zero"), "/dev/further/zero", Access::Read),
    ];
    assert_eq!(asked("look /disks/one").await, "absent\n");
    for _ in 0..2 {
        linux.show(&alive, admitting(binds.clone())).await.unwrap();
        assert_eq!(asked("read /disks/one").await, "disk");
        assert_eq!(asked("read /folder/in").await, "folder");
        assert_eq!(asked("look /dev/further/zero").await, "there\n");
    }
    let other = vec![bind(&folder, "/disks/one", Access::Read)];
    let fault = linux.show(&alive, admitting(other)).await.unwrap_err();
    assert!(fault.message.contains("something else is at /disks/one"), "{fault:?}");
    let missing = vec![bind(Path::new("/no/such"), "/x", Access::Read)];
    assert_eq!(linux.show(&alive, admitting(missing)).await.unwrap_err().reason, Reason::PathUnusable);

    // What it prepares in its own folder leads nobody anywhere.
    symlink("/", room.out("way")).unwrap();
    for to in ["/out/way/x", "/out/x"] {
        let fault = linux.show(&alive, admitting(vec![bind(&disk, to, Access::Read)])).await.unwrap_err();
        assert!(fault.message.contains("/out is a bind itself"), "{fault:?}");
        linux.show(&alive, expelling(vec![to.into()])).await.unwrap();
    }

    let paths: Vec<PathBuf> = binds.iter().map(|bind| bind.to.clone()).collect();
    for _ in 0..2 {
        linux.show(&alive, expelling(paths.clone())).await.unwrap();
        for path in &paths {
            assert_eq!(asked(&format!("look {}", path.display())).await, "absent\n");
        }
    }
    linux.show(&alive, admitting(binds.clone())).await.unwrap();
    assert_eq!(asked("read /disks/one").await, "disk", "and shown again");
    linux.kill(&alive).await.unwrap();
    assert_eq!(linux.show(&alive, admitting(binds)).await.unwrap_err().kind(), Kind::FailedPrecondition);
    linux.show(&alive, expelling(paths)).await.unwrap();
    linux.clear(claim).await.unwrap();
    room.leaves_nothing();
}

#[tokio::test]
async fn nothing_is_shown_to_what_has_no_jail() {
    let room = Room::new();
    let linux = opened(room.path());
    if skips(&linux) {
        return;
    }
    let mut order = room.shell("exec sleep 1000");
    order.jail = None;
    order.dir = room.path().into();
    let claim = order.claim;
    let alive = linux.launch(order).await.unwrap();
    let binds = vec![bind(Path::new("/dev/null"), "/dev/weft-null", Access::Read)];
    assert_eq!(linux.show(&alive, admitting(binds)).await.unwrap_err().reason, Reason::PhaseForbids);
    assert!(linux.show(&alive, expelling(vec!["/etc".into()])).await.is_err());
    assert!(!Path::new("/dev/weft-null").exists() && Path::new("/etc").exists());
    linux.clear(claim).await.unwrap();
}
