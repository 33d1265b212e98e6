//! `Consoles` from afar.

use super::{Client, answers, named, options};
use crate::fault::from_wire;
use crate::proto::weft::v1 as wire;
use bytes::Bytes;
use connectrpc::client::BidiSendHalf;
use futures::StreamExt as _;
use futures::stream::{BoxStream, unfold};
use weft_domain::Fault;
use weft_ports::api::{Answers, Call, ConsoleInput, Consoles, LogChunk, LogQuery, LogStart, VmRef};
use weft_ports::task;
use wire::attach_vm_console_request::Input;

#[async_trait::async_trait]
impl Consoles for Client {
    async fn log(&self, call: &Call, vm: &VmRef, query: LogQuery) -> Result<Answers<LogChunk>, Fault> {
        use wire::read_vm_log_request::Start;
        let (vm, project) = named(vm);
        let start = Some(match query.start {
            LogStart::Offset(offset) => Start::Offset(offset),
            LogStart::Tail(bytes) => Start::TailBytes(bytes),
        });
        let (follow, max_bytes) = (query.follow, query.max_bytes);
        let request = wire::ReadVmLogRequest { vm, project, start, follow, max_bytes, ..Default::default() };
        answers!(self.vms.read_vm_log_with_options(request, options(call)), chunk)
    }

    async fn attach(
        &self,
        call: &Call,
        vm: &VmRef,
        input: BoxStream<'static, ConsoleInput>,
    ) -> Result<Answers<Bytes>, Fault> {
        let (vm, project) = named(vm);
        let opening = wire::ConsoleOpening { vm, project, ..Default::default() };
        let stream = self.vms.attach_vm_console_with_options(options(call)).await.map_err(|e| from_wire(&e))?;
        let (mut typed, read) = stream.into_split();
        typed.send(message(Input::from(opening))).await.map_err(|e| from_wire(&e))?;
        // The task lives in the answers' state: who drops the answers ends the typing too.
        let typing = task::spawn("console input", type_in(typed, input));
        let output = unfold(Some((read, typing)), |state| async move {
            let (mut read, typing) = state?;
            match read.message().await {
                Ok(Some(message)) => Some((Ok(Bytes::from(message.to_owned_message().data)), Some((read, typing)))),
                Ok(None) => None,
                Err(error) => Some((Err(from_wire(&error)), None)),
            }
        });
        Ok(output.boxed())
    }
}

fn chunk(piece: wire::ReadVmLogResponse) -> Result<LogChunk, Fault> {
    Ok(LogChunk { offset: piece.offset, bytes: piece.data.into() })
}

fn message(input: Input) -> wire::AttachVmConsoleRequest {
    wire::AttachVmConsoleRequest { input: Some(input), ..Default::default() }
}

/// Sends what is typed until there is no more, or the server has gone: the answers tell why.
async fn type_in(mut typed: BidiSendHalf<wire::AttachVmConsoleRequest>, mut input: BoxStream<'static, ConsoleInput>) {
    while let Some(one) = input.next().await {
        let input = match one {
            ConsoleInput::Bytes(bytes) => Input::Data(bytes.into()),
            ConsoleInput::Resize(columns, rows) => {
                Input::from(wire::TerminalSize { columns: columns.into(), rows: rows.into(), ..Default::default() })
            }
        };
        if typed.send(message(input)).await.is_err() {
            return;
        }
    }
    typed.close_send();
}
