//! Creation: validated, named, placed, vetted by its node, admitted, committed; then waited for.

use crate::core::{Core, Move};
use crate::flow::{TRIES, Verb};
use crate::{files, memory::Memory, refusal};
use std::time::Duration;
use tracing::Instrument;
use weft_domain::instance::{Desired, Meta, Placement, Power, Status};
use weft_domain::object::{Key, Revision, Stored};
use weft_domain::spec::payload::{DEFAULT_IMAGE, DEFAULT_IMAGE_READY};
use weft_domain::spec::{ConsoleMode, Disk, Mac, Nic, Payload, Readiness, ReadinessProbe, Spec, changes};
use weft_domain::until::Until;
use weft_domain::{Fault, Instance, InstanceId, Name, Reason};
use weft_ports::api::{Call, CreateMode, NewVm, Vm};
use weft_ports::store::Refused;

/// Makes a VM.
pub(crate) async fn run(core: &Core, call: &Call, new: NewVm) -> Result<Vm, Fault> {
    let span = tracing::info_span!("verb", verb = "create", instance = tracing::field::Empty);
    async {
        let verb = Verb::begin(core, call, "create")?;
        if new.mode != CreateMode::ValidateOnly
            && let Some(first) = verb.repeated(Until::born).await?
        {
            return Ok(first);
        }
        for _ in 0..TRIES {
            if let Some(vm) = attempt(&verb, &new).await? {
                return Ok(vm);
            }
        }
        Err(refusal::contended())
    }
    .instrument(span)
    .await
}

/// One attempt; nothing where another write came first and it is worth another.
async fn attempt(verb: &Verb<'_>, new: &NewVm) -> Result<Option<Vm>, Fault> {
    let core = verb.core;
    let mut instance = born(core, new)?;
    let id = instance.meta.id;
    tracing::Span::current().record("instance", tracing::field::display(id));
    free_name(&core.memory, &instance.meta, "vm.name")?;
    let (choice, mut reservation) = core.room.place(&core.memory, &core.nodes(), id, &instance.spec)?;
    files::free(&core.memory, choice.node, id, &instance.spec)?;
    core.reach(choice.node)?.vet(&instance.spec).await?;
    instance.placement = Some(Placement { node: choice.node, generation: 1 });
    if new.mode == CreateMode::ValidateOnly {
        return Ok(Some(Stored { value: instance, revision: Revision::default() }));
    }
    reservation.commits();
    let until = Until::born(&instance);
    let place = verb.enter(Revision::default(), &instance, until);
    let change = Move { after: Some(&instance), request: verb.request.as_ref(), ..Move::default() };
    match core.commit(change).await {
        Ok(revision) => {
            core.memory.reached(revision).await;
            reservation.settled();
            tracing::debug!(instance = %id, node = %choice.node, driver = choice.driver, "placed");
            verb.wait(place, Stored { value: instance, revision }, until).await.map(Some)
        }
        Err(Refused::Conflict { key, found }) => {
            reservation.settled();
            let repeated = verb.lost(&key, found).await?;
            lost(verb, new, &instance.meta, (&key, repeated)).await
        }
        // What the store could not do it may yet have done: the reservation stays for a while.
        Err(Refused::Store(fault)) => Err(fault),
    }
}

/// Another write came first: the same request, another VM of this name, or one that was made up.
async fn lost(verb: &Verb<'_>, new: &NewVm, meta: &Meta, (key, repeated): (&Key, bool)) -> Result<Option<Vm>, Fault> {
    if let Some(request) = &verb.request
        && let Some(first) = verb.first_answer(request, Until::born).await?
    {
        return Ok(Some(first));
    }
    if !repeated && new.name.is_some() && matches!(key, Key::Name(..)) {
        return Err(refusal::name_taken(&meta.name, &meta.project, "vm.name"));
    }
    Ok(None)
}

/// Whether the name that is told in this field is free.
pub(crate) fn free_name(memory: &Memory, meta: &Meta, field: &str) -> Result<(), Fault> {
    match memory.read().named(&meta.project, &meta.name) {
        Some(_) => Err(refusal::name_taken(&meta.name, &meta.project, field)),
        None => Ok(()),
    }
}

/// The instance that is asked for, with all defaults written into it.
fn born(core: &Core, new: &NewVm) -> Result<Instance, Fault> {
    makeable(&[], &new.spec)?;
    let (id, now) = (core.new_instance(), core.now());
    let runs = new.mode == CreateMode::Boot;
    let desired =
        if runs { Desired { power: Power::On, boot_epoch: 1, ..Desired::default() } } else { Desired::default() };
    Ok(Instance {
        meta: Meta {
            id,
            name: new.name.clone().map_or_else(|| made_up(&id), Ok)?,
            project: new.project.clone(),
            labels: new.labels.clone(),
            annotations: new.annotations.clone(),
            generation: 1,
            create_time: now,
            update_time: now,
            delete_time: None,
        },
        spec: complete(new.spec.clone(), &id, &[])?,
        desired,
        placement: None,
        status: Status::unseen(),
    })
}

/// The name of one that was given none.
pub(crate) fn made_up(id: &InstanceId) -> Result<Name, Fault> {
    let [.., a, b, c, d] = *id.as_bytes();
    let name = format!("vm-{:08x}", u32::from_be_bytes([a, b, c, d]));
    name.parse().map_err(|_| Fault::internal("a name that was made up is none"))
}

/// Whether disks that are not among these can be made.
pub(crate) fn makeable(there: &[Disk], spec: &Spec) -> Result<(), Fault> {
    Fault::from_violations(Reason::FieldInvalid, changes::not_made(there, spec)).map_or(Ok(()), Err)
}

/// How long the guest of the default image may take until it says that it is up: software translation on a
/// busy machine is slow.
const DEFAULT_IMAGE_READY_WITHIN: Duration = Duration::from_secs(300);

/// The specification with its last defaults. A hardware address for each interface: the one that is asked,
/// the one that an interface of its name had before, or one made from the id. For the default image, the
/// sign by which its guest says that it is up.
pub(crate) fn complete(spec: Spec, id: &InstanceId, before: &[Nic]) -> Result<Spec, Fault> {
    let mut draft = spec.into_draft();
    for nic in draft.nics.iter_mut().filter(|nic| nic.mac.is_none()) {
        nic.mac = before.iter().find(|old| old.name == nic.name).and_then(|old| old.mac);
    }
    let mut taken: Vec<Mac> = draft.nics.iter().filter_map(|nic| nic.mac).collect();
    for nic in draft.nics.iter_mut().filter(|nic| nic.mac.is_none()) {
        nic.mac = (0..=u8::MAX).map(|index| Mac::derived(id, index)).find(|mac| !taken.contains(mac));
        taken.extend(nic.mac);
    }
    let default_image = matches!(&draft.payload, Payload::Image { name, .. } if name == DEFAULT_IMAGE);
    if default_image && draft.readiness.is_none() && draft.serial.mode == ConsoleMode::Socket {
        let probe = ReadinessProbe::Serial { text: DEFAULT_IMAGE_READY.to_owned() };
        draft.readiness = Some(Readiness { probe, timeout: DEFAULT_IMAGE_READY_WITHIN });
    }
    draft.check().map_err(|violations| {
        let fault = Fault::from_violations(Reason::FieldInvalid, violations);
        fault.unwrap_or_else(|| Fault::internal("a specification with its defaults is refused"))
    })
}
