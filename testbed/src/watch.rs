//! Waiting for a VM to be so, over the API's own watch: no sleeping, no polling.

use crate::guest::call;
use futures::StreamExt;
use weft_api::Client;
use weft_domain::Name;
use weft_ports::api::{Consoles, LogQuery, LogStart, Vm, VmChange, VmRef, Vms, WatchQuery};

/// The VM of this name in the default project.
///
/// # Panics
/// The name is none.
#[must_use]
pub fn by_name(name: &str) -> VmRef {
    VmRef::Named { project: Name::default_project(), name: name.parse().expect("a lawful name") }
}

/// Waits until the VM is so.
///
/// # Panics
/// It goes away, or is not so within the usual patience.
pub async fn until(weft: &Client, name: &str, so: impl Fn(&Vm) -> bool) -> Vm {
    let waited = async {
        let query = WatchQuery { vm: Some(by_name(name)), ..WatchQuery::default() };
        let mut steps = weft.watch(&weft_ports::api::Call::by("test"), query).await.expect("a watch");
        while let Some(step) = steps.next().await {
            match step.expect("the watch goes on") {
                VmChange::Set(vm) if so(&vm) => return *vm,
                VmChange::Removed { .. } => panic!("{name} went away"),
                VmChange::Set(_) | VmChange::Bookmark(_) => {}
            }
        }
        panic!("the watch of {name} ended");
    };
    match tokio::time::timeout(crate::guest::PATIENCE, waited).await {
        Ok(vm) => vm,
        Err(_) => panic!("{name} is not as expected: {:#?}", weft.get(&call(), &by_name(name)).await),
    }
}

/// Waits until the guest has said that it is ready.
///
/// # Panics
/// It does not, within the usual patience.
pub async fn until_ready(weft: &Client, name: &str) -> Vm {
    let ready = |vm: &Vm| vm.value.status.conditions.iter().any(|one| one.kind == "Ready" && one.holds == Some(true));
    until(weft, name, ready).await
}

/// All that the console's log has.
///
/// # Panics
/// It cannot be read.
pub async fn console_text(weft: &Client, name: &str) -> String {
    let query = LogQuery { start: LogStart::Offset(0), follow: false, max_bytes: 0 };
    let log = weft.log(&call(), &by_name(name), query).await.expect("a log");
    let chunks: Vec<_> = log.collect().await;
    let bytes: Vec<u8> = chunks.into_iter().flat_map(|chunk| chunk.expect("no refusal").bytes).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}
