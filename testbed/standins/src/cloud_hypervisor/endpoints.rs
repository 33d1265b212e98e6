//! Every endpoint of the interface as data: what it takes, what it does, and how it is told that it failed.

use super::shapes;
use crate::shape::Shape;

/// What a request asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Deed {
    Ping,
    EndVmm,
    Create,
    Delete,
    Boot,
    Pause,
    Resume,
    Shutdown,
    Reboot,
    PowerButton,
    Nmi,
    Describe,
    Count,
    Resize,
    ResizeDisk,
    ResizeZone,
    Add(&'static Slot),
    Remove,
    Snapshot,
    Restore,
    Receive,
    Send,
}

/// A place in the configuration where devices of a kind stand.
#[derive(Debug)]
pub(crate) struct Slot {
    /// The field.
    pub(crate) field: &'static str,
    /// What a device without a name is called.
    pub(crate) prefix: &'static str,
    /// The field that names what the device lies on, if it has to be there.
    pub(crate) backing: Backing,
}

/// What a device lies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backing {
    /// A file under this field, locked while it is used.
    Image(&'static str),
    /// A file under this field.
    File(&'static str),
    /// A socket under this field that somebody listens at.
    Peer(&'static str),
    /// A socket under this field that is bound.
    Bound(&'static str),
    /// A tap or descriptors.
    Tap,
}

const fn slot(field: &'static str, prefix: &'static str, backing: Backing) -> Slot {
    Slot { field, prefix, backing }
}

/// In the order in which a machine makes its devices.
pub(crate) static SLOTS: &[Slot] = &[
    slot("disks", "_disk", Backing::Image("path")),
    slot("net", "_net", Backing::Tap),
    slot("fs", "_fs", Backing::Peer("socket")),
    slot("generic_vhost_user", "_generic_vhost_user", Backing::Peer("socket")),
    slot("pmem", "_pmem", Backing::File("file")),
    slot("vsock", "_vsock", Backing::Bound("socket")),
    slot("vdpa", "_vdpa", Backing::File("path")),
    slot("devices", "_vfio", Backing::File("path")),
    slot("user_devices", "_vfio_user", Backing::Peer("socket")),
];

/// What a body may be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Body {
    /// None may come.
    None,
    /// One may come and is not looked at.
    Ignored,
    /// One of this shape has to come.
    Of(&'static Shape),
}

/// One endpoint.
#[derive(Debug)]
pub(crate) struct Endpoint {
    /// Its name after the base path.
    pub(crate) name: &'static str,
    /// `GET` or `PUT`.
    pub(crate) method: &'static str,
    /// What it takes.
    pub(crate) body: Body,
    /// What it does.
    pub(crate) deed: Deed,
    /// What is told when it is not done.
    pub(crate) failure: &'static str,
    /// How many descriptors may come with it.
    pub(crate) files: Files,
}

/// How many descriptors may come with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Files {
    /// They are dropped.
    Dropped,
    /// Any number.
    Any,
    /// At most one.
    One,
    /// As many as the body says.
    Told,
}

const fn get(name: &'static str, deed: Deed, failure: &'static str) -> Endpoint {
    Endpoint { name, method: "GET", body: Body::Ignored, deed, failure, files: Files::Dropped }
}

const fn act(name: &'static str, deed: Deed, failure: &'static str) -> Endpoint {
    Endpoint { name, method: "PUT", body: Body::None, deed, failure, files: Files::Dropped }
}

const fn put(name: &'static str, deed: Deed, shape: &'static Shape, failure: &'static str) -> Endpoint {
    Endpoint { name, method: "PUT", body: Body::Of(shape), deed, failure, files: Files::Dropped }
}

impl Endpoint {
    const fn with(self, files: Files) -> Self {
        Self { files, ..self }
    }
}

/// The whole interface but `vm.coredump`, which the usual build does not have.
pub(crate) static ENDPOINTS: &[Endpoint] = &[
    get("vmm.ping", Deed::Ping, ""),
    Endpoint { body: Body::Ignored, ..act("vmm.shutdown", Deed::EndVmm, "The VMM could not shutdown") },
    put("vm.create", Deed::Create, &shapes::VM, "The VM could not be created"),
    act("vm.delete", Deed::Delete, "The VM could not be deleted"),
    act("vm.boot", Deed::Boot, "The VM could not boot"),
    act("vm.pause", Deed::Pause, "The VM could not be paused"),
    act("vm.resume", Deed::Resume, "The VM could not resume"),
    act("vm.shutdown", Deed::Shutdown, "The VM could not shutdown"),
    act("vm.reboot", Deed::Reboot, "The VM could not reboot"),
    act("vm.power-button", Deed::PowerButton, "The power button could not be pressed"),
    act("vm.nmi", Deed::Nmi, "The NMI could not be injected"),
    get("vm.info", Deed::Describe, "The VM info is not available"),
    get("vm.counters", Deed::Count, "The VM info is not available"),
    put("vm.resize", Deed::Resize, &shapes::RESIZE, "The VM could not be resized"),
    put("vm.resize-disk", Deed::ResizeDisk, &shapes::RESIZE_DISK, "The disk could not be resized"),
    put("vm.resize-zone", Deed::ResizeZone, &shapes::RESIZE_ZONE, "The memory zone could not be resized"),
    put("vm.add-disk", Deed::Add(&SLOTS[0]), &shapes::DISK, "The disk could not be added to the VM"),
    put("vm.add-net", Deed::Add(&SLOTS[1]), &shapes::NET, "The network device could not be added to the VM")
        .with(Files::Any),
    put("vm.add-fs", Deed::Add(&SLOTS[2]), &shapes::FS, "The fs could not be added to the VM"),
    put("vm.add-generic-vhost-user", Deed::Add(&SLOTS[3]), &shapes::GENERIC, "The device could not be added to the VM"),
    put("vm.add-pmem", Deed::Add(&SLOTS[4]), &shapes::PMEM, "The pmem device could not be added to the VM"),
    put("vm.add-vsock", Deed::Add(&SLOTS[5]), &shapes::VSOCK, "The vsock device could not be added to the VM"),
    put("vm.add-vdpa", Deed::Add(&SLOTS[6]), &shapes::VDPA, "The vDPA device could not be added to the VM"),
    put("vm.add-device", Deed::Add(&SLOTS[7]), &shapes::DEVICE, "The device could not be added to the VM")
        .with(Files::One),
    put("vm.add-user-device", Deed::Add(&SLOTS[8]), &shapes::USER_DEVICE, "The user device could not be added"),
    put("vm.remove-device", Deed::Remove, &shapes::REMOVE, "The device could not be removed from the VM"),
    put("vm.snapshot", Deed::Snapshot, &shapes::SNAPSHOT, "The VM could not be snapshotted"),
    put("vm.restore", Deed::Restore, &shapes::RESTORE, "The VM could not be restored").with(Files::Told),
    put("vm.receive-migration", Deed::Receive, &shapes::RECEIVE, "The migration could not be received")
        .with(Files::Told),
    put("vm.send-migration", Deed::Send, &shapes::SEND, "The migration could not be sent"),
];
