//! Request ids: a repeated mutation gets the first answer, another body is refused.
//!
//! The record is committed with the effect. It is kept under the hash of caller, method and request
//! id; where its revision is zero, the answer has the revision of the record itself, since both were
//! written by one commit. That a removal found nothing is an answer too: what has the name later stays.

use sha2::{Digest, Sha256};
use weft_domain::node::Orphans;
use weft_domain::object::{Answer, Answered, Key, Object, Revision, Stored};
use weft_domain::snapshot::Snapshot;
use weft_domain::{Fault, Instance, Reason, Time};
use weft_ports::api::{Call, KeptSnapshot, Vm};
use weft_ports::store::{Commit, Expect, Write};

/// The longest request id, in bytes.
const LONGEST: usize = 128;

/// A request that can be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Request {
    /// What its answer is kept under.
    pub(crate) key: [u8; 32],
    body: [u8; 32],
}

impl Request {
    /// The request of this call; nothing where the caller gave no id.
    pub(crate) fn of(call: &Call, method: &str) -> Result<Option<Self>, Fault> {
        let Some(id) = &call.request_id else { return Ok(None) };
        if id.is_empty() || id.len() > LONGEST {
            let why = format!("has {} bytes; it must have 1 to {LONGEST}", id.len());
            return Err(Fault::field(Reason::FieldInvalid, "request_id", why));
        }
        let mut hash = Sha256::new();
        for part in [call.caller.as_str(), method, id.as_str()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        Ok(Some(Self { key: hash.finalize().into(), body: call.body }))
    }

    /// It was not answered yet.
    pub(crate) const fn unanswered(&self) -> Expect {
        Expect::Absent(Key::Request(self.key))
    }

    /// Records an answer that is written by the same commit.
    pub(crate) fn answer(&self, instance: &Instance, at: Time) -> Write {
        self.record(Answer::Instance(Box::new(instance.clone())), Revision::default(), at)
    }

    /// Records an answer that was written before.
    pub(crate) fn answer_as_is(&self, vm: &Vm, at: Time) -> Write {
        self.record(Answer::Instance(Box::new(vm.value.clone())), vm.revision, at)
    }

    /// Records an answer that is a snapshot and is written by the same commit.
    pub(crate) fn answer_snapshot(&self, snapshot: &Snapshot, at: Time) -> Write {
        self.record(Answer::Snapshot(Box::new(snapshot.clone())), Revision::default(), at)
    }

    /// Records an answer that is a snapshot and was written before.
    pub(crate) fn answer_snapshot_as_is(&self, kept: &KeptSnapshot, at: Time) -> Write {
        self.record(Answer::Snapshot(Box::new(kept.value.clone())), kept.revision, at)
    }

    /// Records that what was to be removed was not there, and is not when this is written.
    pub(crate) fn answer_absent(&self, missing: Key, at: Time) -> Commit {
        let writes = vec![self.record(Answer::Absent, Revision::default(), at)];
        Commit { expect: vec![self.unanswered(), Expect::Absent(missing)], writes }
    }

    /// Records an answer that is what a node lets go.
    pub(crate) fn answer_orphans(&self, orphans: &Orphans, at: Time) -> Write {
        self.record(Answer::Orphans(orphans.clone()), Revision::default(), at)
    }

    fn record(&self, answer: Answer, revision: Revision, at: Time) -> Write {
        let answered = Answered { body: self.body, at, answer, revision };
        Write::Put(Key::Request(self.key), Object::Request(Box::new(answered)))
    }

    /// The answer in this record, if it answers this body; nothing where what was to be removed was absent.
    pub(crate) fn answered(&self, record: Stored<Object>) -> Result<Option<Vm>, Fault> {
        let Stored { value, revision } = self.read(record)?;
        match value {
            Answer::Instance(instance) => Ok(Some(Stored { value: *instance, revision })),
            Answer::Absent => Ok(None),
            Answer::Snapshot(_) | Answer::Orphans(_) => Err(another()),
        }
    }

    /// The same, where a snapshot was answered.
    pub(crate) fn answered_snapshot(&self, record: Stored<Object>) -> Result<Option<KeptSnapshot>, Fault> {
        let Stored { value, revision } = self.read(record)?;
        match value {
            Answer::Snapshot(snapshot) => Ok(Some(Stored { value: *snapshot, revision })),
            Answer::Absent => Ok(None),
            Answer::Instance(_) | Answer::Orphans(_) => Err(another()),
        }
    }

    /// The same, where it was answered what a node lets go.
    pub(crate) fn answered_orphans(&self, record: Stored<Object>) -> Result<Orphans, Fault> {
        match self.read(record)?.value {
            Answer::Orphans(orphans) => Ok(orphans),
            Answer::Instance(_) | Answer::Snapshot(_) | Answer::Absent => Err(another()),
        }
    }

    fn read(&self, record: Stored<Object>) -> Result<Stored<Answer>, Fault> {
        let Object::Request(answered) = record.value else {
            return Err(Fault::internal("the record of a request is of another sort"));
        };
        if answered.body != self.body {
            return Err(crate::refusal::reused());
        }
        let own = answered.revision == Revision::default();
        Ok(Stored { value: answered.answer, revision: if own { record.revision } else { answered.revision } })
    }
}

/// What was answered is of another sort than this verb's.
fn another() -> Fault {
    Fault::internal("the record of a request has another answer")
}
