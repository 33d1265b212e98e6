//! Objects to test with: the same number gives the same object.

use weft_domain::event::{Event, Severity};
use weft_domain::instance::{Desired, Instance, Meta, Status};
use weft_domain::label::Annotations;
use weft_domain::object::{Key, Object};
use weft_domain::spec::Draft;
use weft_domain::{EventId, InstanceId, Labels, Name, Phase, Time};

fn bytes(n: u64) -> [u8; 10] {
    let mut bytes = [0; 10];
    bytes[2..].copy_from_slice(&n.to_be_bytes());
    bytes
}

/// The id with this number; a larger number gives a later id.
#[must_use]
pub fn id(n: u64) -> InstanceId {
    InstanceId::new(Time::from_millis(i64::try_from(n % (1 << 40)).unwrap_or(0)), bytes(n))
}

/// The name `vm-N`.
#[must_use]
pub fn label(n: u64) -> Name {
    format!("vm-{n}").parse().expect("letters, a dash and digits are a name")
}

/// A name with its key: `vm-N` in the default project, taken by [`id`] N.
#[must_use]
pub fn name(n: u64) -> (Key, Object) {
    (Key::Name(Name::default_project(), label(n)), Object::Name(id(n)))
}

/// An event with its key; a larger number gives a later key.
#[must_use]
pub fn event(n: u64) -> (Key, Object) {
    let at = Time::from_millis(i64::try_from(n % (1 << 40)).unwrap_or(0));
    let event = Event {
        id: EventId::new(at, bytes(n)),
        at,
        project: Name::default_project(),
        instance: Some(id(n)),
        instance_name: Some(label(n)),
        node: None,
        severity: if n.is_multiple_of(2) { Severity::Normal } else { Severity::Warning },
        reason: "Tested".to_owned(),
        message: format!("event {n} of a test"),
        phase: Some(Phase::Running),
    };
    (Key::Event(event.id), Object::Event(Box::new(event)))
}

/// An event as [`event`], with a message of this many bytes.
#[must_use]
pub fn event_of(n: u64, bytes: usize) -> (Key, Object) {
    let (key, object) = event(n);
    let Object::Event(mut event) = object else { return (key, object) };
    event.message = "x".repeat(bytes);
    (key, Object::Event(event))
}

/// An instance that nobody has seen yet, with the default specification.
#[must_use]
pub fn instance(n: u64) -> Instance {
    let at = Time::from_millis(i64::try_from(n % (1 << 40)).unwrap_or(0));
    Instance {
        meta: Meta {
            id: id(n),
            name: label(n),
            project: Name::default_project(),
            labels: Labels::default(),
            annotations: Annotations::default(),
            generation: 1,
            create_time: at,
            update_time: at,
            delete_time: None,
        },
        spec: Draft::default().check().expect("the default specification is right"),
        desired: Desired::default(),
        placement: None,
        status: Status::unseen(),
    }
}
