//! `console`: see that the VM is there, then be at its console.

use super::USUAL;
use crate::Error;
use crate::args::vm::ConsoleArgs;
use crate::console::{Attach, attach};
use crate::desk::Desk;
use crate::progress::{Waited, wait};
use std::sync::Arc;
use weft_ports::api::VmRef;

/// This much of what a guest has written already is shown first: about one screen.
const HISTORY: u64 = 2048;

/// `console`.
pub(crate) async fn console(desk: &mut Desk, args: ConsoleArgs) -> Result<(), Error> {
    let (vm, call, vms) = (desk.vm(&args.vm)?, desk.call(Some(USUAL)), Arc::clone(&desk.services.vms));
    let waited = Waited { title: format!("asking for {}", args.vm), vm: None, follow: String::new() };
    let found = wait(desk, waited, async move { vms.get(&call, &vm).await }).await?;
    let (vm, name) = (VmRef::Id(found.value.meta.id), found.value.meta.name.to_string());
    attach(desk, Attach { vm, name, escape: args.escape, linger: args.linger, history: HISTORY }).await
}
