//! How answers look.

use crate::fake::{World, exit, name};
use crate::screen::{Screen, at, shown};
use weft_cli::args::Output;
use weft_cli::show::paint::Paint;
use weft_cli::{Finding, State, doctor};
use weft_domain::Phase;
use weft_domain::instance::{Condition, ExitCause};

fn world() -> World {
    let world = World::new();
    world.put("demo", Phase::Running);
    world.put("web-with-a-long-name", Phase::Created);
    world.put("old", Phase::Stopped);
    world.put_as(&name("other"), "theirs", Phase::Failed);
    world
}

#[tokio::test]
async fn lists() {
    let world = world();
    for line in [
        "vm list",
        "vm ls -o wide",
        "vm list -A",
        "vm list -o json",
        "vm list -o yaml",
        "vm list -o name",
        "vm list --project nobody",
        "vm list --project nobody -q",
        "node list",
        "node list -o wide",
        "event list",
        "event list --vm web --filter severity=WARNING",
        "event watch",
        "event watch -o yaml",
        "version",
        "version -o json",
    ] {
        let ran = at(&world, line).await;
        insta::assert_snapshot!(line.replace([' ', '-', '='], "_"), shown(&ran));
    }
}

#[tokio::test]
async fn a_person_sees_colours_unless_they_want_none() {
    let world = world();
    let mut screen = Screen::person();
    let exit = screen.begin(&world, "vm list").await;
    assert!(screen.ran(exit).out.contains("\u{1b}[32mRUNNING\u{1b}[0m"), "{}", screen.out.text());
    let mut screen = Screen::person();
    let exit = screen.begin(&world, "vm list --no-color").await;
    assert!(!screen.ran(exit).out.contains('\u{1b}'));
}

#[tokio::test]
async fn descriptions() {
    let world = world();
    let made = at(
        &world,
        "vm create full --boot --cpus 2 --memory 1.5G --kernel vmlinux --initramfs ./boot/../initrd --cmdline quiet \
         --disk path=disk.qcow2,format=qcow2,root --disk size=10G,name=scratch,serial=s1 --machine q35 --accel tcg \
         --nic user,forward=tcp:2222:22,mac=52:54:00:12:34:56 --nic tap=tap0 --restart on-failure --label tier=web",
    )
    .await;
    assert_eq!(made.exit.code(), 0, "{made:?}");
    world.edit("full", |vm| {
        vm.status.restarts = 2;
        vm.status.last_exit = Some(exit(ExitCause::GuestPanic, "the guest's kernel panicked"));
        vm.status.conditions.push(Condition {
            kind: "Confined".to_owned(),
            holds: Some(false),
            reason: "NoCgroup".to_owned(),
            message: "it runs without a cgroup".to_owned(),
            since: weft_domain::Time::from_millis(1_795_197_500_000),
        });
    });
    insta::assert_snapshot!("vm_get_full", shown(&at(&world, "vm get full").await));
    insta::assert_snapshot!("vm_get_two", shown(&at(&world, "vm get demo old").await));
    insta::assert_snapshot!("node_get", shown(&at(&world, "node get host1").await));
    insta::assert_snapshot!("vm_get_json", shown(&at(&world, "vm get demo -o json").await));
}

#[test]
fn findings() {
    let finding = |area: &str, what: &str, state, detail: &str, fix: &str| Finding {
        area: area.to_owned(),
        what: what.to_owned(),
        state,
        detail: detail.to_owned(),
        fix: fix.to_owned(),
    };
    let all = [
        finding("qemu", "qemu-system-x86_64", State::Ok, "7.2.22", ""),
        finding("kvm", "/dev/kvm", State::Warn, "opens, and guests crawl", "nothing: TCG is used instead"),
        finding("firecracker", "firecracker", State::Missing, "not in PATH", "install it from its release page"),
    ];
    for (form, output) in
        [("table", Output::Table), ("json", Output::Json), ("yaml", Output::Yaml), ("name", Output::Name)]
    {
        insta::assert_snapshot!(format!("doctor_{form}"), doctor::text(&all, output, Paint::Plain));
    }
}
