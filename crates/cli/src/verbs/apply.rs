//! `apply`: every VM of a manifest is made, or changed to what it says.

use super::create::{manifest, one};
use super::{LONG, USUAL};
use crate::Error;
use crate::args::{ApplyArgs, Output};
use crate::desk::{Desk, Shape};
use std::sync::Arc;
use weft_domain::{Fault, Kind, Reason};
use weft_ports::api::{Change, CreateMode, NewVm, Vm, VmRef};
use weft_ports::documents::Item;

/// `apply`. All documents are read before the first is applied; the first that is refused ends it.
pub(crate) async fn apply(desk: &mut Desk, args: ApplyArgs) -> Result<(), Error> {
    let news = manifest(desk, &args.file).await?;
    if let Some(i) = news.iter().position(|new| new.name.is_none()) {
        let fault = Fault::field(Reason::FieldRequired, format!("documents[{i}].name"), "is required to be applied");
        return Err(fault.fix("give each VM a name, or use weft vm create -f").into());
    }
    let mut done = Vec::new();
    for new in news {
        let (vm, word) = ensure(desk, new, &args).await?;
        if matches!(desk.globals.output, Output::Table | Output::Wide) && !desk.globals.quiet {
            desk.answer(&format!("VM {} {word}\n", vm.value.meta.name))?;
        }
        done.push(vm);
    }
    finish(desk, &done)
}

/// Makes one, or changes it: with what was done, in words.
async fn ensure(desk: &mut Desk, new: NewVm, args: &ApplyArgs) -> Result<(Vm, &'static str), Error> {
    let Some(name) = new.name.clone() else { return Err(Fault::internal("a document without a name").into()) };
    let vm = VmRef::Named { project: new.project.clone(), name };
    let vms = Arc::clone(&desk.services.vms);
    let before = match vms.get(&desk.call(Some(USUAL)), &vm).await {
        Ok(before) => before,
        Err(fault) if fault.kind() == Kind::NotFound => {
            let call = desk.call(Some(LONG));
            let mode = if args.dry_run { CreateMode::ValidateOnly } else { CreateMode::Create };
            let word = if args.dry_run { "would be created" } else { "is created" };
            return Ok((one(desk, &call, new, mode).await?, word));
        }
        Err(fault) => return Err(fault.into()),
    };
    let meta = &before.value.meta;
    if before.value.spec == new.spec && meta.labels == new.labels && meta.annotations == new.annotations {
        return Ok((before, "is as it should be"));
    }
    let change = Change {
        vm,
        etag: Some(before.revision),
        labels: Some(new.labels),
        annotations: Some(new.annotations),
        spec: Some(new.spec),
        validate_only: args.dry_run,
    };
    let after = vms.update(&desk.call(Some(USUAL)), change).await?;
    let word = match (args.dry_run, after.revision == before.revision) {
        (true, _) => "would be changed",
        (false, true) => "is as it should be",
        (false, false) => "is changed",
    };
    Ok((after, word))
}

fn finish(desk: &mut Desk, done: &[Vm]) -> Result<(), Error> {
    if let Some(form) = desk.form() {
        let items: Vec<_> = done.iter().map(Item::Vm).collect();
        let text = desk.written(&items, Shape::of(done.len()), form);
        return desk.answer(&text);
    }
    if desk.globals.output == Output::Name {
        let text: String = done.iter().map(|vm| format!("{}\n", vm.value.meta.name)).collect();
        return desk.answer(&text);
    }
    Ok(())
}
