//! What verbs do, what they say, and how they end.

use crate::fake::{World, exit, name};
use crate::screen::{Screen, at, shown};
use std::time::Duration;
use weft_domain::Phase;
use weft_domain::instance::ExitCause;
use weft_domain::spec::{Attachment, DiskSource, Payload};

#[tokio::test]
async fn a_name_is_enough() {
    let world = World::new();
    let ran = at(&world, "vm create demo").await;
    assert_eq!((ran.exit.code(), ran.out.as_str(), ran.err.as_str()), (0, "VM demo is CREATED\n", ""));
    let vm = world.get_now("demo").unwrap().value;
    assert_eq!((vm.spec.cpu.boot, vm.spec.memory.size_bytes), (1, 256 << 20));
    assert_eq!(vm.spec.payload, Payload::default());
    assert_eq!(vm.spec.nics.len(), 1);
    assert_eq!(vm.spec.nics[0].name, "nic0");
    assert_eq!(vm.spec.nics[0].attachment, Attachment::User { forwards: vec![] });
    assert_eq!(world.calls("create")[0].timeout, Some(Duration::from_secs(600)));
}

#[tokio::test]
async fn flags_reach_the_specification() {
    let world = World::new();
    let line = "vm run web --no-nic --disk path=a.img,ro --disk size=1G --request-id r1 --timeout 5s --project p1";
    let ran = at(&world, line).await;
    assert_eq!((ran.exit.code(), ran.out.as_str()), (0, "VM web is RUNNING\n"));
    let call = &world.calls("create")[0];
    assert_eq!((call.request_id.as_deref(), call.timeout), (Some("r1"), Some(Duration::from_secs(5))));
    let ran = at(&world, "vm get web --project p1 -o name").await;
    assert_eq!(ran.out, "web\n");
    let ran = at(&world, "vm create d --no-nic --disk path=a.img,ro --disk size=1G").await;
    assert_eq!(ran.exit.code(), 0);
    let vm = world.get_now("d").unwrap().value;
    assert!(vm.spec.nics.is_empty());
    assert_eq!(vm.spec.disks[0].source, DiskSource::Path("/home/me/a.img".into()));
    assert_eq!(vm.spec.disks[1].name, "disk1");
}

#[tokio::test]
async fn verbs_speak_and_end_as_they_should() {
    let world = World::new();
    for (name, phase) in [("made", Phase::Created), ("runs", Phase::Running), ("held", Phase::Paused)] {
        world.put(name, phase);
    }
    let mut log = String::new();
    for line in [
        "vm boot made",
        "vm boot made",
        "vm pause made",
        "vm resume made",
        "vm reboot made --force",
        "vm boot held",
        "vm delete runs",
        "vm shutdown runs --grace 5s",
        "vm shutdown runs -o json",
        "vm delete runs -o name",
        "vm delete runs",
        "vm delete runs --ignore-missing",
        "vm boot made gone held",
        "vm boot made gone -o json",
        "vm get Bad_Name",
        "vm boot a b --request-id r",
        "vm create made",
        "vm create new --dry-run",
        "vm create new --memory 4M --disk size=1K",
        "vm create new -q",
        "vm create x --no-wait -o yaml",
        "vm delete made held new --force -q",
    ] {
        log += &format!("$ weft {line}\n{}\n", shown(&at(&world, line).await));
    }
    insta::assert_snapshot!(log);
}

#[tokio::test]
async fn what_failed_tells_why() {
    let world = World::new();
    world.put("demo", Phase::Created);
    world.knobs(|knobs| {
        knobs.boots_to = Some(Phase::Failed);
        knobs.last_exit = Some(exit(ExitCause::LaunchFailed, "the VMM ended before it answered"));
    });
    let ran = at(&world, "vm boot demo").await;
    assert_eq!(ran.exit.code(), 5);
    insta::assert_snapshot!("boot_failed", shown(&ran));
}

#[tokio::test]
async fn what_is_not_there_yet_ends_with_nine() {
    let world = World::new();
    world.put("demo", Phase::Created);
    world.knobs(|knobs| knobs.boots_to = Some(Phase::Starting));
    let ran = at(&world, "vm boot demo").await;
    assert_eq!(ran.exit.code(), 9);
    insta::assert_snapshot!("boot_not_yet", shown(&ran));
    let ran = at(&world, "vm boot demo --no-wait").await;
    assert_eq!((ran.exit.code(), ran.out.as_str()), (0, "VM demo is STARTING\n"));
    world.knobs(|knobs| knobs.slow_delete = true);
    let ran = at(&world, "vm delete demo").await;
    assert_eq!(ran.exit.code(), 9, "{ran:?}");
    let ran = at(&world, "vm delete demo --no-wait").await;
    assert_eq!((ran.exit.code(), ran.err.as_str()), (0, "VM demo is being deleted\n"));
}

#[tokio::test]
async fn a_guest_that_is_done_already_is_no_failure() {
    let world = World::new();
    world.put("demo", Phase::Created);
    world.knobs(|knobs| {
        knobs.boots_to = Some(Phase::Stopped);
        knobs.last_exit = Some(exit(ExitCause::GuestPoweroff, "the guest powered off"));
    });
    let ran = at(&world, "vm boot demo").await;
    assert_eq!(ran.exit.code(), 0);
    assert!(ran.err.contains("has powered itself off already"), "{ran:?}");
}

#[tokio::test]
async fn a_guest_that_ignores_the_button_is_told_of() {
    let world = World::new();
    world.put("demo", Phase::Running);
    world.knobs(|knobs| knobs.last_exit = Some(exit(ExitCause::Forced, "ended by force")));
    let ran = at(&world, "vm shutdown demo --grace 3s").await;
    assert_eq!(ran.exit.code(), 0);
    assert_eq!(ran.err, "the guest of demo did not stop within 3s and was ended\n");
    assert_eq!(world.calls("shutdown")[0].timeout, Some(Duration::from_secs(33)));
}

#[tokio::test]
async fn labels_and_sizes_are_changed_even_when_others_change_too() {
    let world = World::new();
    world.put("demo", Phase::Stopped);
    world.knobs(|knobs| knobs.conflicts = 2);
    let ran = at(&world, "vm update demo --label a=1 --label b=2 --cpus 4 --memory 1G --restart always").await;
    assert_eq!((ran.exit.code(), ran.out.as_str()), (0, "VM demo is changed\n"), "{ran:?}");
    assert_eq!(world.calls("update").len(), 3);
    let vm = world.get_now("demo").unwrap().value;
    assert_eq!((vm.spec.cpu.boot, vm.spec.cpu.max, vm.spec.memory.size_bytes), (4, 4, 1 << 30));
    at(&world, "vm update demo --label a-").await;
    let labels = world.get_now("demo").unwrap().value.meta.labels;
    assert_eq!(labels.as_map().keys().collect::<Vec<_>>(), ["b"]);
    world.knobs(|knobs| knobs.conflicts = 9);
    assert_eq!(at(&world, "vm update demo --label a=1").await.exit.code(), 12);
    world.put("runs", Phase::Running);
    assert_eq!(at(&world, "vm update runs --cpus 4").await.exit.code(), 12);
    world.knobs(|knobs| knobs.conflicts = 0);
    assert_eq!(at(&world, "vm update runs --cpus 4").await.exit.code(), 0);
}

#[tokio::test]
async fn manifests_are_applied() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let write = |text: &str| std::fs::write(folder.path().join("vms.txt"), text).unwrap();
    let apply = async |line: &str| {
        let mut screen = Screen::pipes();
        screen.folder = folder.path().to_owned();
        let exit = screen.begin(&world, line).await;
        shown(&screen.ran(exit)).replace(&folder.path().display().to_string(), "[folder]")
    };
    write("web 1\ndb 2\n");
    let mut log = String::new();
    for (line, text) in [
        ("apply -f vms.txt --dry-run", None),
        ("apply -f vms.txt", None),
        ("apply -f vms.txt", None),
        ("apply -f vms.txt", Some("web 4\ndb 2\n")),
        ("apply -f vms.txt -o name", None),
        ("apply -f vms.txt", Some("broken")),
        ("apply -f vms.txt", Some("")),
        ("apply -f none.txt", None),
        ("vm create -f vms.txt other", Some("a 1\nb 1\n")),
        ("vm create -f vms.txt", None),
        ("vm create -f vms.txt other", Some("a 1\n")),
    ] {
        text.map(write);
        log += &format!("$ weft {line}\n{}\n", apply(line).await);
    }
    insta::assert_snapshot!(log);
    assert!(world.get_now("other").is_some());
    assert_eq!(world.get_now("web").unwrap().value.spec.cpu.boot, 4);
}

#[tokio::test]
async fn a_manifest_can_be_piped() {
    use tokio::io::AsyncWriteExt;
    let world = World::new();
    let mut screen = Screen::pipes();
    let run = screen.begin(&world, "apply -f -");
    let mut keys = screen.keys.take().unwrap();
    keys.write_all(b"web 1\n").await.unwrap();
    drop(keys);
    let exit = run.await;
    assert_eq!((exit.code(), screen.out.text().as_str()), (0, "VM web is created\n"));
    assert_eq!(world.get_now("web").unwrap().value.meta.name, name("web"));
}
