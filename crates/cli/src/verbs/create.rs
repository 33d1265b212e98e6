//! `create` and `run`: from flags or a manifest to a VM.

use super::outcome::{Wanted, is, show};
use super::{BRIEF, LONG};
use crate::Error;
use crate::args::value::user_nic;
use crate::args::vm::{CreateArgs, NewArgs, RunArgs, SpecArgs};
use crate::console::{Attach, attach};
use crate::desk::{Desk, Shape};
use crate::files;
use crate::progress::{Waited, wait};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use weft_domain::label::Annotations;
use weft_domain::spec::payload::DEFAULT_IMAGE;
use weft_domain::spec::{Draft, Driver, Payload, Spec, Vsock};
use weft_domain::{Fault, Labels, Reason};
use weft_ports::api::{Call, CreateMode, NewVm, Vm, VmRef};
use weft_ports::documents::Document;

/// This much of what a guest has written already is shown before its console.
const HISTORY: u64 = 64 * 1024;
/// How long a guest may be silent after the end of piped input.
const LINGER: Duration = Duration::from_secs(2);

/// `create`.
pub(crate) async fn create(desk: &mut Desk, args: CreateArgs) -> Result<(), Error> {
    let mode = match (args.new.dry_run, args.boot) {
        (true, _) => CreateMode::ValidateOnly,
        (false, true) => CreateMode::Boot,
        (false, false) => CreateMode::Create,
    };
    let limit = if args.no_wait { BRIEF } else { LONG };
    let made = make(desk, args.new, (mode, limit)).await?;
    if !args.no_wait {
        judge(&made, mode)?;
    }
    report(desk, &made, mode)
}

/// `run`.
pub(crate) async fn run(desk: &mut Desk, args: RunArgs) -> Result<(), Error> {
    let mode = if args.new.dry_run { CreateMode::ValidateOnly } else { CreateMode::Boot };
    let made = make(desk, args.new, (mode, LONG)).await?;
    judge(&made, mode)?;
    if !args.console {
        return report(desk, &made, mode);
    }
    let [one] = made.as_slice() else {
        return Err(Error::Usage {
            message: "--console is for one VM, and the manifest has several".to_owned(),
            fix: "leave --console out, and be at the console of one with weft vm console NAME".to_owned(),
        });
    };
    let (vm, name) = (VmRef::Id(one.value.meta.id), one.value.meta.name.to_string());
    attach(desk, Attach { vm, name, escape: args.escape, linger: LINGER, history: HISTORY }).await
}

/// Makes what the arguments ask for.
async fn make(desk: &mut Desk, args: NewArgs, (mode, limit): (CreateMode, Duration)) -> Result<Vec<Vm>, Error> {
    let request_id = args.request_id.clone();
    let origin = if args.file.is_some() { Origin::Manifest } else { Origin::Flags };
    let news = asked(desk, args).await.map_err(|error| origin.name(error))?;
    if request_id.is_some() && news.len() > 1 {
        return Err(Error::Usage {
            message: "--request-id is for one VM, and the manifest has several".to_owned(),
            fix: "leave --request-id out, or split the manifest".to_owned(),
        });
    }
    let mut made = Vec::new();
    for new in news {
        let call = Call { request_id: request_id.clone(), ..desk.call(Some(limit)) };
        let vm = one(desk, &call, new, mode).await;
        made.push(vm.map_err(|error| origin.name(error))?);
    }
    Ok(made)
}

/// Where a specification was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Flags,
    Manifest,
}

impl Origin {
    /// A refusal of fields names their flags, where flags were typed.
    fn name(self, error: Error) -> Error {
        match self {
            Self::Flags => error.with_flags(),
            Self::Manifest => error,
        }
    }
}

/// Makes one, with a moving line.
pub(crate) async fn one(desk: &mut Desk, call: &Call, new: NewVm, mode: CreateMode) -> Result<Vm, Error> {
    let named = new.name.clone().map(|name| VmRef::Named { project: new.project.clone(), name });
    let shown = new.name.as_ref().map(ToString::to_string).unwrap_or_default();
    let doing = if mode == CreateMode::ValidateOnly { "checking" } else { "creating" };
    let waited = Waited {
        title: format!("{doing} {shown}").trim().to_owned(),
        vm: named.filter(|_| mode != CreateMode::ValidateOnly),
        follow: format!("weft vm watch {shown}").trim().to_owned(),
    };
    let vms = Arc::clone(&desk.services.vms);
    wait(desk, waited, async move { vms.create(call, NewVm { mode, ..new }).await }).await
}

fn judge(made: &[Vm], mode: CreateMode) -> Result<(), Error> {
    let wanted = match mode {
        CreateMode::Create => Wanted::Created,
        CreateMode::Boot => Wanted::Running,
        CreateMode::ValidateOnly => return Ok(()),
    };
    made.iter().try_for_each(|vm| wanted.judge(&vm.value))
}

fn report(desk: &mut Desk, made: &[Vm], mode: CreateMode) -> Result<(), Error> {
    let shape = Shape::of(made.len());
    if mode == CreateMode::ValidateOnly {
        return show(desk, made, shape, |vm| format!("VM {} would be created", vm.meta.name));
    }
    let is = is(desk);
    show(desk, made, shape, is)?;
    if let [one] = made {
        let name = &one.value.meta.name;
        match mode {
            CreateMode::Create => desk.hint(&format!("run it: weft vm boot {name}")),
            CreateMode::Boot => desk.hint(&format!("its console: weft vm console {name}")),
            CreateMode::ValidateOnly => {}
        }
    }
    Ok(())
}

/// What the arguments ask for: the manifest's VMs, or the one that the flags tell.
async fn asked(desk: &mut Desk, args: NewArgs) -> Result<Vec<NewVm>, Error> {
    let Some(file) = &args.file else {
        let labels = Labels::new(args.labels.into_iter().collect())
            .map_err(|why| Fault::field(Reason::FieldInvalid, "vm.labels", why))?;
        return Ok(vec![NewVm {
            project: desk.globals.project.clone(),
            name: args.name,
            labels,
            annotations: Annotations::default(),
            spec: spec(args.spec, &desk.terminal.folder)?,
            mode: CreateMode::Create,
        }]);
    };
    let mut news = manifest(desk, file).await?;
    match (news.as_mut_slice(), args.name) {
        ([one], Some(name)) => one.name = Some(name),
        (_, None) => {}
        (many, Some(_)) => {
            return Err(Error::Usage {
                message: format!("a name is given, and the manifest has {} VMs", many.len()),
                fix: "leave the name out: each VM of a manifest has its own".to_owned(),
            });
        }
    }
    Ok(news)
}

/// The VMs of a manifest.
pub(crate) async fn manifest(desk: &mut Desk, file: &Path) -> Result<Vec<NewVm>, Error> {
    let text = files::manifest(&mut desk.terminal, file).await?;
    let documents = desk.services.documents.read(&text)?;
    let news: Vec<NewVm> = documents.into_iter().map(|Document::Vm(new)| *new).collect();
    if news.is_empty() {
        let why = format!("{} holds no document", file.display());
        return Err(Fault::new(Reason::FieldRequired, why).fix("write at least one, with kind: Vm").into());
    }
    Ok(news)
}

/// The specification that the flags tell.
///
/// # Errors
/// Every field that may not be as it is.
fn spec(args: SpecArgs, folder: &Path) -> Result<Spec, Fault> {
    let mut draft = Draft { payload: payload(&args, folder), ..Draft::default() };
    if let Some(cpus) = args.cpus {
        (draft.cpu.boot, draft.cpu.max) = (cpus, cpus);
    }
    draft.cpu.max = args.max_cpus.unwrap_or(draft.cpu.max);
    draft.memory.hotplug_bytes = args.hotplug_memory.unwrap_or(0);
    draft.memory.shared = args.shared_memory;
    draft.vsock = args.vsock.map(|cid| Vsock { cid, pci_segment: 0, iommu: false });
    if let Some(memory) = args.memory {
        draft.memory.size_bytes = memory;
    }
    draft.disks = args.disks;
    for (i, disk) in draft.disks.iter_mut().enumerate() {
        if disk.name.is_empty() {
            disk.name = format!("disk{i}");
        }
        if let weft_domain::spec::DiskSource::Path(path) = &mut disk.source {
            *path = files::absolute(folder, std::mem::take(path));
        }
    }
    draft.nics = if args.nics.is_empty() && !args.no_nic { vec![user_nic()] } else { args.nics };
    for (i, nic) in draft.nics.iter_mut().enumerate().filter(|(_, nic)| nic.name.is_empty()) {
        nic.name = format!("nic{i}");
    }
    draft.driver = match args.driver {
        Some(name) if name != "auto" => Driver::Named(name),
        Some(_) | None => Driver::Auto,
    };
    draft.machine = args.machine.map(Into::into).unwrap_or_default();
    draft.accelerator = args.accel.map(Into::into).unwrap_or_default();
    draft.restart = args.restart.map(Into::into).unwrap_or_default();
    draft.check().map_err(refused)
}

/// Violations as one refusal.
pub(crate) fn refused(violations: Vec<weft_domain::Violation>) -> Fault {
    Fault::from_violations(Reason::FieldInvalid, violations)
        .unwrap_or_else(|| Fault::internal("the specification was refused without a reason"))
}

fn payload(args: &SpecArgs, folder: &Path) -> Payload {
    let cmdline = args.cmdline.clone().unwrap_or_default();
    let path = |path: &std::path::PathBuf| files::absolute(folder, path.clone());
    match (&args.kernel, &args.firmware) {
        (Some(kernel), _) => {
            Payload::Kernel { kernel: path(kernel), initramfs: args.initramfs.as_ref().map(path), cmdline }
        }
        (None, Some(firmware)) => Payload::Firmware { firmware: path(firmware) },
        (None, None) => {
            Payload::Image { name: args.image.clone().unwrap_or_else(|| DEFAULT_IMAGE.to_owned()), cmdline }
        }
    }
}
