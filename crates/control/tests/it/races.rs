//! Many callers at once: one name, one room, one VM.

use crate::house::*;
use futures::future::join_all;
use weft_domain::instance::StopHow;
use weft_domain::spec::{Disk, DiskSource};
use weft_domain::{Name, Phase, Reason};
use weft_ports::api::{Alter, CreateMode, Devices, ListQuery, NewVm, Power, Removal, VmRef, Vms};

#[tokio::test(start_paused = true)]
async fn of_many_who_want_one_name_one_gets_it() {
    let house = House::new().await;
    let all = (0..8).map(|_| async { house.control.create(&call(), new_vm("web")).await });
    let answers = join_all(all).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    for fault in answers.into_iter().filter_map(Result::err) {
        assert_eq!(fault.reason, Reason::NameTaken);
    }
    let other = NewVm { project: "other".parse::<Name>().expect("a name"), ..new_vm("web") };
    house.control.create(&call(), other).await.expect("another project has its own names");
}

#[tokio::test(start_paused = true)]
async fn admission_is_never_exceeded() {
    let house = House::new().await;
    let all = (0..20).map(|i| {
        let control = house.control.clone();
        async move { control.create(&call(), new_vm(&format!("vm{i}"))).await }
    });
    let answers = join_all(all).await;
    // Exactly as many as fit: none too many, and none refused while there was room.
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 4);
    for fault in answers.into_iter().filter_map(Result::err) {
        assert_eq!(fault.reason, Reason::MemoryExhausted);
    }
    let one = Vms::list(&house.control, &call(), &ListQuery::default()).await.expect("a list").items.remove(0);
    let gone = Removal { vm: VmRef::Id(one.value.meta.id), etag: None, force: true, allow_missing: false };
    house.control.delete(&call(), gone).await.expect("deleted");
    house.make("next").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixteen_clients_at_once() {
    let house = House::new().await;
    let clients = (0..16).map(|i| {
        let control = house.control.clone();
        weft_ports::task::spawn("client", async move {
            let name = format!("vm{i}");
            let vm = named(&name);
            let mut made = false;
            for _ in 0..200 {
                // There is room for four: the others wait their turn.
                match control.create(&call(), NewVm { mode: CreateMode::Boot, ..new_vm(&name) }).await {
                    Ok(_) => {
                        made = true;
                        break;
                    }
                    Err(fault) => assert_eq!(fault.reason, Reason::MemoryExhausted, "{fault}"),
                }
                tokio::task::yield_now().await;
            }
            if made {
                control.pause(&call(), &vm).await.expect("paused");
                control.resume(&call(), &vm).await.expect("resumed");
                let stopped = control.shutdown(&call(), &vm, StopHow::Force).await.expect("stopped");
                assert_eq!(stopped.value.status.phase, Phase::Stopped);
                let gone = Removal { vm, etag: None, force: true, allow_missing: false };
                control.delete(&call(), gone).await.expect("deleted");
            }
            made
        })
    });
    let made = join_all(clients).await;
    assert!(made.into_iter().filter(|made| *made == Ok(true)).count() >= 4);
    let left = Vms::list(&house.control, &call(), &ListQuery::default()).await.expect("a list");
    assert!(left.items.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixteen_clients_on_one_vm() {
    let house = House::new().await;
    house.make_running("a").await;
    let clients = (0..16).map(|i| {
        let control = house.control.clone();
        weft_ports::task::spawn("client", async move {
            for _ in 0..5 {
                let answer = if i % 2 == 0 {
                    control.pause(&call(), &named("a")).await
                } else {
                    control.resume(&call(), &named("a")).await
                };
                answer.expect("lawful in both phases");
            }
        })
    });
    for done in join_all(clients).await {
        done.expect("no client panics");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_is_told_that_a_vm_was_changed_finds_it_changed() {
    let house = House::new().await;
    house.make("a").await;
    for round in 0..20 {
        let clients = (0..8).map(|i| {
            let control = house.control.clone();
            weft_ports::task::spawn("client", async move {
                let disk =
                    Disk { read_only: true, ..Disk::new(format!("d{i}"), DiskSource::Path("/images/a.raw".into())) };
                let call = repeatable(&format!("{round}-{i}"), i);
                control.alter(&call, &named("a"), Alter::AttachDisk(disk)).await.expect("attached");
            })
        });
        for done in join_all(clients).await {
            done.expect("no client panics");
        }
        let vm = house.control.get(&call(), &named("a")).await.expect("it is there");
        assert_eq!(vm.value.spec.disks.len(), 8, "round {round}: {:?}", vm.value.spec.disks);
        for i in 0..8 {
            let detach = Alter::DetachDisk(format!("d{i}"));
            house.control.alter(&call(), &named("a"), detach).await.expect("detached");
        }
    }
}
