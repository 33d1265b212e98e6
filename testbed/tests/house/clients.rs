//! Many clients at once.

use futures::stream::{FuturesUnordered, StreamExt};
use weft_domain::instance::StopHow;
use weft_domain::{Fault, Reason};
use weft_ports::api::{CreateMode, ListQuery, Power, Removal, Vms};
use weft_testbed::daemon::Daemon;
use weft_testbed::guest::{call, small, vm};
use weft_testbed::need_guest;
use weft_testbed::watch::by_name;

/// One client: a VM of its own and one that all fight for.
async fn work(weft: weft_api::Client, number: usize) -> Result<(), Fault> {
    let own = format!("own{number}");
    weft.create(&call(), vm(&own, small(), CreateMode::Create)).await?;
    match weft.create(&call(), vm("shared", small(), CreateMode::Create)).await {
        Ok(_) => {}
        Err(fault) if fault.reason == Reason::NameTaken => {}
        Err(fault) => return Err(fault),
    }
    for lawful in
        [weft.boot(&call(), &by_name("shared")).await, weft.shutdown(&call(), &by_name("shared"), StopHow::Force).await]
    {
        match lawful.map_err(|fault| fault.reason) {
            // Another client was faster: it is elsewhere in its life, or gone.
            Ok(_) | Err(Reason::PhaseForbids | Reason::VmNotFound | Reason::WriteConflict) => {}
            Err(reason) => panic!("an answer that no client should get: {reason:?}"),
        }
    }
    if number.is_multiple_of(4) {
        weft.boot(&call(), &by_name(&own)).await?;
    }
    let removal = Removal { vm: by_name(&own), etag: None, force: true, allow_missing: false };
    weft.delete(&call(), removal).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_clients_create_boot_and_delete() {
    need_guest!();
    let daemon = Daemon::start(&[]).expect("weft is up");
    let mut clients: FuturesUnordered<_> = (0..16).map(|number| work(daemon.client(), number)).collect();
    while let Some(done) = clients.next().await {
        done.expect("each client gets its work done");
    }
    let weft = daemon.client();
    let removal = Removal { vm: by_name("shared"), etag: None, force: true, allow_missing: true };
    weft.delete(&call(), removal).await.expect("deleted");
    let left = weft.list(&call(), &ListQuery::default()).await.expect("a list");
    assert!(left.items.is_empty());
    assert!(daemon.vmms().is_empty() && daemon.entries("vms").is_empty() && daemon.entries("run/vms").is_empty());
}
