//! The laws of a census, over hosts that nobody would want.

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

const NOW: Time = Time::from_millis(1_700_000_000_000);

fn claim(number: u8) -> ClaimId {
    ClaimId::new(Time::from_millis(1_600_000_000_000 + i64::from(number)), [number; 10])
}

fn instance(number: u8) -> InstanceId {
    InstanceId::new(Time::from_millis(1), [number; 10])
}

fn snapshot(number: u8) -> SnapshotId {
    SnapshotId::new(Time::from_millis(1), [number; 10])
}

fn vm(number: u8) -> PathBuf {
    PathBuf::from(format!("/d/vms/{number}"))
}

fn run(number: u8) -> PathBuf {
    PathBuf::from(format!("/r/{number}"))
}

fn process(number: u8, stage: Stage) -> Hold {
    let held = Held::Process { run_dir: run(number), stage };
    Hold { claim: claim(number), instance: instance(number), held }
}

fn folder(number: u8) -> Hold {
    Hold { claim: claim(number), instance: instance(number), held: Held::Folder(vm(number)) }
}

fn any_hold() -> impl Strategy<Value = Hold> {
    (0..8u8, 0..6u8).prop_map(|(number, kind)| {
        let held = match kind {
            0 => Held::Folder(vm(number)),
            1 => Held::Disk(vm(number).join("disk-a.raw")),
            2 => Held::Snapshot(snapshot(number), PathBuf::from(format!("/d/snapshots/{number}"))),
            3 => return process(number + 8, Stage::Coming),
            4 => return process(number + 8, Stage::Noted { pid: u32::from(number) }),
            _ => return process(number + 8, Stage::Gone),
        };
        // A claim is of one thing.
        Hold { claim: claim(number + 16 * (kind + 1)), instance: instance(number), held }
    })
}

fn any_mark() -> impl Strategy<Value = Mark> {
    prop_oneof![
        (0..40u8).prop_map(|number| Mark::Claim(claim(number))),
        Just(Mark::Place),
        Just(Mark::House),
        (-90i64..90).prop_map(|s| Mark::Draft(Time::from_millis(NOW.as_nanos() / 1_000_000 + s * 1000))),
        Just(Mark::Stranger("not ours")),
    ]
}

fn any_found() -> impl Strategy<Value = Found> {
    let sort = prop::sample::select(Sort::ALL);
    let path = prop_oneof![
        (0..8u8).prop_map(vm),
        (0..8u8).prop_map(|n| vm(n).join("disk-a.raw")),
        (0..8u8).prop_map(|n| vm(n).join(".disk-a.raw.new")),
        (0..8u8).prop_map(|n| PathBuf::from(format!("/d/snapshots/{n}/memory"))),
        (8..16u8).prop_map(run),
        Just(PathBuf::from("/")),
        Just(PathBuf::new()),
    ];
    (sort, path, any_mark(), any::<bool>()).prop_map(|(sort, path, mark, named)| match named {
        true => Found::named(sort, path.as_os_str().len().to_string(), mark),
        false => Found::at(sort, path, mark),
    })
}

fn any_wishes() -> impl Strategy<Value = Wishes> {
    let ids = || vec(0..16u8, 0..8);
    (ids(), ids(), ids(), ids()).prop_map(|(a, b, c, d)| Wishes {
        ending: a.into_iter().map(instance).collect(),
        unknown: b.into_iter().map(instance).collect(),
        ending_snapshots: c.into_iter().map(snapshot).collect(),
        unknown_snapshots: d.into_iter().map(snapshot).collect(),
    })
}

/// Whether one of these claims is of it, told the long way round.
fn is_claimed(found: &Found, holds: &[Hold]) -> bool {
    holds.iter().any(|hold| match (&found.mark, &hold.held) {
        (Mark::Claim(id), Held::Process { .. }) => *id == hold.claim,
        (
            Mark::Place,
            Held::Folder(at) | Held::Disk(at) | Held::Snapshot(_, at) | Held::Process { run_dir: at, .. },
        ) => {
            matches!(&found.what, What::Path(path) if path.starts_with(at))
        }
        (_, _) => false,
    })
}

proptest! {
    #[test]
    fn everything_gets_one_verdict_and_what_is_claimed_is_never_leaked(
        found in vec(any_found(), 0..24),
        holds in vec(any_hold(), 0..12),
        wishes in any_wishes(),
        whole: bool,
    ) {
        let depth = if whole { Depth::Whole } else { Depth::Outline };
        let taken = take(Look { depth, found: found.clone() }, &holds, &wishes, NOW);
        let (there, missing) = taken.things.split_at(found.len());
        prop_assert_eq!(there.iter().map(|thing| thing.found.clone()).collect::<Vec<_>>(), found);
        prop_assert!(missing.iter().all(|thing| thing.verdict == Verdict::Missing && thing.cure().is_none()));
        for thing in there {
            prop_assert!(thing.verdict != Verdict::Missing);
            let stranger = matches!(thing.found.mark, Mark::Stranger(_));
            prop_assert_eq!(thing.verdict == Verdict::Foreign, stranger, "{:?}", thing);
            if let (Sort::Process, Mark::Claim(_), What::Name(pid)) = (thing.found.sort, &thing.found.mark, &thing.found.what) {
                let noted = |hold: &Hold| matches!(hold.held, Held::Process { stage: Stage::Noted { pid: of }, .. } if of.to_string() == *pid);
                prop_assert!(!holds.iter().any(noted) || thing.cure().is_none(), "what was noted is never ended");
            }
            if is_claimed(&thing.found, &holds) {
                prop_assert!(thing.verdict != Verdict::Leaked && thing.cure().is_none(), "{:?}", thing);
            }
            if thing.verdict == Verdict::Orphaned {
                prop_assert!(wishes != Wishes::default());
            }
            let line = thing.line();
            prop_assert!(!line.why.is_empty());
            prop_assert_eq!(line.fix.is_empty(), !matches!(line.verdict, Verdict::Leaked | Verdict::Orphaned));
        }
        let told = taken.told(3);
        prop_assert_eq!(told.counts.values().sum::<u64>(), taken.things.len() as u64);
        prop_assert_eq!(told.lines.len() as u64 + told.left_out + told.count(Verdict::Adopted), taken.things.len() as u64);
        // Nothing that is kept for its bytes, and nothing that is claimed, is ever due; later looks ask for more.
        let mut leaks = Leaks::default();
        let first: Vec<_> = leaks.due(&taken).into_iter().cloned().collect();
        let again: Vec<_> = leaks.due(&taken).into_iter().cloned().collect();
        prop_assert!(first.iter().all(|thing| thing.verdict == Verdict::Leaked && !thing.is_kept()));
        prop_assert!(again.iter().all(|thing| first.contains(thing) || thing.found.sort == Sort::Draft));
        prop_assert_eq!(taken.confirmed(taken.clone()), taken);
    }

    #[test]
    fn what_is_claimed_and_seen_is_not_missing(holds in vec(any_hold(), 0..12), wishes in any_wishes()) {
        let found = holds.iter().map(|hold| match &hold.held {
            Held::Folder(path) => Found::at(Sort::Folder, path, Mark::Place),
            Held::Disk(path) => Found::at(Sort::Disk, path, Mark::Place),
            Held::Snapshot(_, path) => Found::at(Sort::Snapshot, path, Mark::Place),
            Held::Process { .. } => Found::named(Sort::Process, "1", Mark::Claim(hold.claim)),
        });
        let look = Look { depth: Depth::Whole, found: found.collect() };
        let taken = take(look, &holds, &wishes, NOW);
        // A disk in a folder that is claimed too is its folder's.
        let missing = taken.things.iter().filter(|thing| thing.verdict == Verdict::Missing).count();
        prop_assert_eq!(missing, 0, "{:?}", taken);
    }
}

#[test]
fn what_is_noted_and_not_there_is_missing() {
    let mut holds =
        vec![process(1, Stage::Noted { pid: 7 }), process(2, Stage::Coming), process(3, Stage::Gone), folder(4)];
    let look = || Look { depth: Depth::Outline, found: Vec::new() };
    let missing = |holds: &[Hold], at| {
        let told = take(look(), holds, &Wishes::default(), at).told(9);
        told.lines.iter().map(|line| format!("{} {}", line.sort, line.name)).collect::<Vec<_>>()
    };
    assert_eq!(missing(&holds, NOW), ["process 7", "folder /d/vms/4"]);
    // It may be under way.
    assert_eq!(missing(&holds, claim(4).made()), ["process 7"]);
    holds[3].held = Held::Disk(vm(4));
    assert_eq!(missing(&holds, NOW), ["process 7"], "an outline does not show disks");
}

#[test]
fn the_first_look_heals_at_once_and_later_ones_wait() {
    let old = Found::named(Sort::Process, "1", Mark::Claim(claim(1)));
    let young = Found::named(Sort::Process, "2", Mark::Claim(ClaimId::new(NOW, [2; 10])));
    let kept = Found::at(Sort::Folder, vm(3), Mark::Place);
    let look = |found: &[&Found]| {
        let found = found.iter().map(|one| (*one).clone()).collect();
        take(Look { depth: Depth::Outline, found }, &[], &Wishes::default(), NOW)
    };
    let names = |due: Vec<&Judged>| due.iter().map(|thing| thing.found.what.to_string()).collect::<Vec<_>>();
    let mut leaks = Leaks::default();
    assert_eq!(names(leaks.due(&look(&[&old, &young, &kept]))), ["1", "2"], "the first");
    let mut leaks = Leaks::default();
    assert_eq!(names(leaks.due(&look(&[]))), [""; 0]);
    assert_eq!(names(leaks.due(&look(&[&old, &young, &kept]))), [""; 0], "seen once");
    assert_eq!(names(leaks.due(&look(&[&old, &young, &kept]))), ["1"], "seen twice");
    leaks.due(&look(&[]));
    assert_eq!(names(leaks.due(&look(&[&old]))), [""; 0], "not in a row");
}

#[test]
fn a_draft_beside_a_claimed_disk_is_its_owners() {
    let path = PathBuf::from("/d/vms/1/.disk-a.raw.new");
    let held = Held::Disk("/d/vms/1/disk-a.raw".into());
    let hold = Hold { claim: claim(1), instance: instance(1), held };
    let look = Look { depth: Depth::Whole, found: vec![Found::at(Sort::Draft, path, Mark::Place)] };
    let taken = take(look, &[hold], &Wishes::default(), claim(1).made());
    assert_eq!(taken.things[0].verdict, Verdict::Adopted);
}

#[test]
fn words_read_back() {
    assert!(Sort::ALL.iter().all(|sort| Sort::parse(sort.as_str()) == Some(*sort)));
    assert!(Verdict::ALL.iter().all(|verdict| Verdict::parse(verdict.as_str()) == Some(*verdict)));
    assert_eq!((Sort::parse("x"), Verdict::parse("")), (None, None));
}

#[test]
fn what_was_noted_is_not_ended_with_what_it_was_moved_into() {
    let holds = [process(1, Stage::Noted { pid: 7 })];
    let stranger = claim(9);
    let found = vec![
        Found::named(Sort::Process, "7", Mark::Claim(stranger)),
        Found::named(Sort::Process, "8", Mark::Claim(stranger)),
        Found::named(Sort::Cgroup, stranger.to_string(), Mark::Claim(stranger)),
        Found::named(Sort::Process, "9", Mark::Claim(claim(8))),
    ];
    let taken = take(Look { depth: Depth::Whole, found }, &holds, &Wishes::default(), NOW);
    let verdicts: Vec<_> = taken.things.iter().map(|thing| thing.verdict).collect();
    assert_eq!(verdicts, [Verdict::Adopted, Verdict::Adopted, Verdict::Adopted, Verdict::Leaked]);
}
