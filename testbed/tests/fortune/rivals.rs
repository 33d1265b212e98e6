//! Two wefts on one data folder, by whatever way they come to it.
//!
//! What must hold: the second is refused and says who holds it; the first and its VMs are not touched; what a
//! dead one left stands in nobody's way. That no file of locks is there any more lets nobody in.

use crate::house::{Ground, House};
use std::path::Path;
use std::process::Command;

/// Starts another on this folder; answers what it said when it ended.
fn rival(mut command: Command, data: &Path) -> String {
    command.arg("--data-dir").arg(data).args(["up", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]);
    let output = command.args(["--set", "node.drivers=firecracker"]).output().expect("run");
    assert!(!output.status.success(), "it is let in");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn program() -> Command {
    Command::new(weft_testbed::daemon::program())
}

#[tokio::test]
async fn a_second_weft_is_refused_by_every_way_to_the_folder() {
    let Some(ground) = Ground::new() else { return };
    let house = House::open(&[]);
    let vm = house.running("vm", house.with_disk()).await;
    let data = house.daemon.data_dir();
    let holder = house.daemon.pid().to_string();
    let said = rival(program(), &data);
    assert!(said.contains(&holder), "it says who holds it: {said}");
    let link = data.with_file_name("link");
    std::os::unix::fs::symlink(&data, &link).expect("a link");
    assert!(rival(program(), &link).contains(&holder), "through a link");
    let bound = data.with_file_name("bound");
    std::fs::create_dir(&bound).expect("a folder");
    let (from, to) = (data.to_str().expect("text"), bound.to_str().expect("text"));
    assert!(ground.run("mount", &["--bind", from, to]), "mounted");
    let through = ground.through();
    let mut command = Command::new(&through[0]);
    command.args(&through[1..]).arg(weft_testbed::daemon::program());
    assert!(rival(command, &bound).contains(&holder), "through a mount");
    for lock in ["store/lock", "journal/claims.lock"] {
        std::fs::remove_file(data.join(lock)).expect("it was there");
        let said = rival(program(), &data);
        assert!(said.contains("another process") || said.contains("holds"), "{lock} deleted: {said}");
    }
    house.assert_unharmed("vm", &vm).await;
    house.assert_leaves_nothing().await;
}

#[tokio::test]
async fn locks_that_a_dead_one_left_stand_in_nobodys_way() {
    let mut house = House::open(&[]);
    let vm = house.running("vm", house.with_disk()).await;
    house.daemon.kill().expect("killed");
    let data = house.daemon.data_dir();
    for lock in ["store/lock", "journal/claims.lock"] {
        // It names a process that lives and is somebody else.
        std::fs::write(data.join(lock), "1\n").expect("written");
    }
    house.daemon.up().expect("nobody holds it");
    house.assert_unharmed("vm", &vm).await;
    house.assert_leaves_nothing().await;
}
