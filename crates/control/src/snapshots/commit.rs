//! The one way to change a snapshot: with its name, its event and the answer that it gives, in one commit.

use crate::core::Core;
use crate::requests::Request;
use weft_domain::event::Event;
use weft_domain::object::{Key, Object, Revision};
use weft_domain::snapshot::Snapshot;
use weft_domain::told::Told;
use weft_domain::{Fault, Time};
use weft_ports::api::KeptSnapshot;
use weft_ports::store::{Commit, Expect, Refused, Write};

/// A change of one snapshot: what it was, what it becomes.
pub(crate) struct Step<'a> {
    /// What it was; nothing for a birth.
    pub(crate) before: Option<&'a KeptSnapshot>,
    /// What it becomes; nothing for an end.
    pub(crate) after: Option<&'a Snapshot>,
    /// The request that is answered by it.
    pub(crate) request: Option<&'a Request>,
    /// The snapshot that it completes, which must still be as it was decided on.
    pub(crate) parent: Option<&'a KeptSnapshot>,
}

impl Core {
    /// Commits a change of a snapshot. It does not wait for memory.
    pub(crate) async fn commit_snapshot(&self, step: Step<'_>, told: &Told) -> Result<Revision, Refused> {
        let now = self.now();
        let Some(subject) = step.after.or(step.before.map(|before| &before.value)) else {
            return Err(Fault::internal("a change of nothing was committed").into());
        };
        let mut commit = writes(&step, subject);
        commit.writes.push(self.snapshot_event(subject, told, now));
        if let (Some(request), Some(after)) = (step.request, step.after) {
            commit.writes.push(request.answer_snapshot(after, now));
        }
        let revision = self.store.commit(commit).await.inspect_err(|refused| self.count(refused))?;
        let (snapshot, name, instance) = (subject.id, &subject.name, subject.instance);
        tracing::info!(%snapshot, %name, %instance, reason = told.reason, "{}", told.message);
        Ok(revision)
    }

    /// Records the answer to a request that leaves a snapshot as it is.
    pub(crate) async fn commit_answer_snapshot(
        &self,
        snapshot: &KeptSnapshot,
        request: &Request,
    ) -> Result<Revision, Refused> {
        let at = Expect::At(Key::Snapshot(snapshot.value.id), snapshot.revision);
        let writes = vec![request.answer_snapshot_as_is(snapshot, self.now())];
        let commit = Commit { expect: vec![request.unanswered(), at], writes };
        self.store.commit(commit).await.inspect_err(|refused| self.count(refused))
    }

    fn snapshot_event(&self, subject: &Snapshot, told: &Told, now: Time) -> Write {
        let id = self.new_event(now);
        let event = Event {
            id,
            at: now,
            project: subject.project.clone(),
            instance: Some(subject.instance),
            instance_name: Some(subject.instance_name.clone()),
            node: Some(subject.node),
            severity: told.severity,
            reason: told.reason.to_owned(),
            message: told.message.clone(),
            phase: None,
        };
        Write::Put(Key::Event(id), Object::Event(Box::new(event)))
    }
}

fn writes(step: &Step<'_>, subject: &Snapshot) -> Commit {
    let key = Key::Snapshot(subject.id);
    let name = Key::SnapshotName(subject.project.clone(), subject.name.clone());
    // The request first: its repetition must be told from a name that is taken.
    let mut commit = Commit::default();
    commit.expect.extend(step.request.map(Request::unanswered));
    match step.before {
        Some(before) => commit.expect.push(Expect::At(key.clone(), before.revision)),
        None => commit.expect.extend([Expect::Absent(key.clone()), Expect::Absent(name.clone())]),
    }
    let put = |snapshot: &Snapshot| Object::Snapshot(Box::new(snapshot.clone()));
    match (step.before, step.after) {
        (None, Some(after)) => {
            commit.writes.extend([Write::Put(key, put(after)), Write::Put(name, Object::SnapshotName(after.id))])
        }
        (_, Some(after)) => commit.writes.push(Write::Put(key, put(after))),
        (_, None) => commit.writes.extend([Write::Delete(key), Write::Delete(name)]),
    }
    if let Some(parent) = step.parent {
        // Written as it is: so that who decides to remove it at the same time loses the race.
        let key = Key::Snapshot(parent.value.id);
        commit.expect.push(Expect::At(key.clone(), parent.revision));
        commit.writes.push(Write::Put(key, put(&parent.value)));
    }
    commit
}
