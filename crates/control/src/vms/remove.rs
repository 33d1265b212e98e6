//! Removing a VM: a verb as any other, but that absence may be success.
//!
//! ```text
//!  delete ─► there: the flow of every verb ─► its answer
//!         └► absent, and that is success ─► recorded as the answer ─► nothing
//! ```
//!
//! The record is tied to the absence: a VM that came meanwhile is removed, and one that comes later stays,
//! however often the request is repeated.

use crate::core::Core;
use crate::flow::{self, TRIES};
use crate::refusal;
use crate::requests::Request;
use weft_domain::ask::Ask;
use weft_domain::object::Key;
use weft_domain::{Fault, Reason};
use weft_ports::api::{Call, Removal, Vm, VmRef};

/// Removes a VM; nothing where it was absent and that is success.
pub(super) async fn run(core: &Core, call: &Call, removal: &Removal) -> Result<Option<Vm>, Fault> {
    let what = if removal.force { Ask::DeleteForce } else { Ask::Delete };
    for _ in 0..TRIES {
        match flow::run_at(core, call, &removal.vm, (what, removal.etag)).await {
            Err(fault) if fault.reason == Reason::VmNotFound && removal.allow_missing => {}
            answer => return answer.map(Some),
        }
        let Some(request) = Request::of(call, what.verb().as_str())? else { return Ok(None) };
        if was_absent(core, &request).await? || core.commit_absent(missing(&removal.vm), &request).await? {
            return Ok(None);
        }
    }
    Err(refusal::contended())
}

/// Whether this request was answered so before.
async fn was_absent(core: &Core, request: &Request) -> Result<bool, Fault> {
    let record = core.store.get(&Key::Request(request.key)).await?;
    Ok(record.map(|record| request.answered(record)).transpose()?.is_some_and(|answer| answer.is_none()))
}

/// What the store has not while there is no such VM.
fn missing(vm: &VmRef) -> Key {
    match vm {
        VmRef::Id(id) => Key::Instance(*id),
        VmRef::Named { project, name } => Key::Name(project.clone(), name.clone()),
    }
}
