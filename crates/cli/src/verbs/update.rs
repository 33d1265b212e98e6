//! `update`: read, change, write if nobody was faster.

use super::USUAL;
use super::create::refused;
use super::devices::{judge, told};
use super::outcome::show;
use crate::Error;
use crate::args::value::LabelEdit;
use crate::args::vm::UpdateArgs;
use crate::desk::{Desk, Shape};
use std::sync::Arc;
use weft_domain::spec::Spec;
use weft_domain::{Fault, Instance, Kind, Labels, Reason};
use weft_ports::api::{Change, Vm, VmRef};

/// So often the change is made anew when somebody was faster.
const TRIES: u32 = 4;

/// `update`.
pub(crate) async fn update(desk: &mut Desk, args: UpdateArgs) -> Result<(), Error> {
    let vm = desk.vm(&args.vm)?;
    let mut tries = 1;
    let changed = loop {
        match once(desk, &vm, &args).await {
            Err(fault) if fault.kind() == Kind::Conflict && tries < TRIES => tries += 1,
            answer => break answer.map_err(|fault| Error::from(fault).with_flags())?,
        }
    };
    if args.dry_run {
        return show(desk, &[changed], Shape::One, |vm| format!("VM {} would be changed", vm.meta.name));
    }
    judge(&changed.value)?;
    told(desk, &changed)
}

async fn once(desk: &Desk, vm: &VmRef, args: &UpdateArgs) -> Result<Vm, Fault> {
    let call = desk.call(Some(USUAL));
    let vms = Arc::clone(&desk.services.vms);
    let now = vms.get(&call, vm).await?;
    let change = Change {
        vm: VmRef::Id(now.value.meta.id),
        etag: Some(now.revision),
        labels: labels(&now.value, &args.labels)?,
        annotations: None,
        spec: spec(&now.value, args)?,
        validate_only: args.dry_run,
    };
    vms.update(&call, change).await
}

fn labels(vm: &Instance, edits: &[LabelEdit]) -> Result<Option<Labels>, Fault> {
    if edits.is_empty() {
        return Ok(None);
    }
    let mut map = vm.meta.labels.as_map().clone();
    for edit in edits {
        match edit {
            LabelEdit::Set(key, value) => map.insert(key.clone(), value.clone()),
            LabelEdit::Remove(key) => map.remove(key),
        };
    }
    Labels::new(map).map(Some).map_err(|why| Fault::field(Reason::FieldInvalid, "vm.labels", why))
}

fn spec(vm: &Instance, args: &UpdateArgs) -> Result<Option<Spec>, Fault> {
    if args.cpus.is_none() && args.memory.is_none() && args.restart.is_none() {
        return Ok(None);
    }
    let mut draft = vm.spec.clone().into_draft();
    if let Some(cpus) = args.cpus {
        let pluggable = draft.cpu.max > draft.cpu.boot;
        draft.cpu.max = if pluggable { draft.cpu.max.max(cpus) } else { cpus };
        draft.cpu.boot = cpus;
    }
    if let Some(memory) = args.memory {
        draft.memory.size_bytes = memory;
    }
    if let Some(restart) = args.restart {
        draft.restart = restart.into();
    }
    draft.check().map(Some).map_err(refused)
}
