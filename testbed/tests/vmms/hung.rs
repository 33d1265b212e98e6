//! A VMM that hangs holds up nobody else, and force ends it.

use crate::for_each_vmm;
use crate::house::{House, Vmm, pid, signal};
use rustix::process::Signal;
use weft_domain::Phase;
use weft_domain::instance::ExitCause;
use weft_ports::api::{Power, Vms};
use weft_ports::task::spawn;
use weft_testbed::guest::call;
use weft_testbed::watch::by_name;

for_each_vmm!(one_that_hangs_holds_up_nobody);

async fn one_that_hangs_holds_up_nobody(vmm: Vmm) {
    let Some(house) = House::open(vmm, &[]).await else { return };
    let weft = house.weft();
    let hung = house.ready("hung", house.spec()).await;
    house.ready("well", house.spec()).await;
    signal(pid(&hung), Signal::STOP);
    let asked = spawn("hung", {
        let weft = house.weft();
        async move { weft.pause(&call(), &by_name("hung")).await }
    });
    for _ in 0..3 {
        assert_eq!(weft.pause(&call(), &by_name("well")).await.expect("paused").value.status.phase, Phase::Paused);
        assert_eq!(weft.resume(&call(), &by_name("well")).await.expect("resumed").value.status.phase, Phase::Running);
        assert_eq!(house.ask("well", "ping", "pong").await, "pong");
    }
    house.ready("new", house.spec()).await;
    let seen = weft.get(&call(), &by_name("hung")).await.expect("there").value;
    assert_eq!((seen.status.phase, pid(&seen)), (Phase::Running, pid(&hung)), "it lives, so it has not failed");
    // Not even what is asked of it just now holds that up.
    let ended = house.end("hung").await;
    assert_eq!(ended.status.phase, Phase::Stopped);
    assert_eq!(ended.status.last_exit.map(|exit| exit.cause), Some(ExitCause::Forced));
    assert!(!house.daemon.vmms().contains(&pid(&hung)));
    // It is told that the phase forbids it, or how the VM then is.
    let _ = asked.await.expect("its caller is answered");
    let again = weft.boot(&call(), &by_name("hung")).await.expect("booted anew").value;
    assert_eq!(again.status.phase, Phase::Running);
    for name in ["hung", "well", "new"] {
        house.remove(name).await;
    }
    assert!(Vms::list(&weft, &call(), &Default::default()).await.expect("a list").items.is_empty());
    house.assert_leaves_nothing().await;
}
