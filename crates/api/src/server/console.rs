//! The inbound half of an attached console.
//!
//! The first message says which VM; the rest is typed. A caller that goes away ends the input.

use crate::asks::one_vm;
use crate::fault::from_wire;
use crate::proto::weft::v1 as wire;
use connectrpc::InboundStream;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use weft_domain::{Fault, Reason};
use weft_ports::api::{ConsoleInput, VmRef};
use wire::attach_vm_console_request::Input;

/// Which VM is meant, and what is typed from now on.
pub(super) async fn open(
    mut requests: InboundStream<wire::AttachVmConsoleRequest>,
) -> Result<(VmRef, BoxStream<'static, ConsoleInput>), Fault> {
    let missing = || {
        let fault = Fault::field(Reason::FieldRequired, "open", "must be the first message");
        fault.fix("say first which VM is meant, then type")
    };
    let first = requests.next().await.ok_or_else(missing)?.map_err(|e| from_wire(&e))?;
    let Some(Input::Open(opening)) = first.to_owned_message().input else { return Err(missing()) };
    let vm = one_vm(&opening.vm, &opening.project)?;
    let typed = requests
        .take_while(|message| std::future::ready(message.is_ok()))
        .filter_map(|message| std::future::ready(message.ok().and_then(|m| input(m.to_owned_message()))));
    Ok((vm, typed.boxed()))
}

fn input(message: wire::AttachVmConsoleRequest) -> Option<ConsoleInput> {
    let size = |n: u32| u16::try_from(n).unwrap_or(u16::MAX);
    match message.input? {
        Input::Data(bytes) => Some(ConsoleInput::Bytes(bytes.into())),
        Input::Resize(to) => Some(ConsoleInput::Resize(size(to.columns), size(to.rows))),
        // A second opening says nothing that is not known.
        Input::Open(_) => None,
    }
}
