//! What a guest wrote.

use crate::fake::World;
use crate::screen::at;
use weft_domain::Phase;

fn world(first: u64, text: &str) -> World {
    let world = World::new();
    world.put("demo", Phase::Running);
    world.knobs(|knobs| knobs.log = (first, text.as_bytes().to_vec()));
    world
}

#[tokio::test]
async fn all_of_it_or_its_end() {
    let world = world(0, "one\ntwo\nthree\n");
    for (line, text) in [
        ("vm logs demo", "one\ntwo\nthree\n"),
        ("vm logs demo --tail 1", "three\n"),
        ("vm logs demo --tail 2", "two\nthree\n"),
        ("vm logs demo --tail 9", "one\ntwo\nthree\n"),
        ("vm logs demo --tail 0", ""),
        ("vm logs demo --tail 4B", "ree\n"),
        ("vm logs demo --offset 4", "two\nthree\n"),
        ("vm logs demo -f --tail 1", "three\n"),
    ] {
        let ran = at(&world, line).await;
        assert_eq!((ran.exit.code(), ran.out.as_str(), ran.err.as_str()), (0, text, ""), "{line}");
    }
}

#[tokio::test]
async fn what_is_not_kept_is_told() {
    let world = world(1000, "late\n");
    let ran = at(&world, "vm logs demo").await;
    assert_eq!(ran.out, "late\n");
    assert_eq!(ran.err, "[1000 bytes before byte 1000 are not kept any more]\n");
    assert_eq!(at(&world, "vm logs demo --tail 5").await.err, "");
    assert_eq!(at(&world, "vm logs nobody").await.exit.code(), 3);
}

#[tokio::test]
async fn long_lines_are_found() {
    let long = "x".repeat(40_000);
    let world = world(0, &format!("begin\n{long}\n{long}\nend\n"));
    let ran = at(&world, "vm logs demo --tail 2").await;
    assert_eq!(ran.out, format!("{long}\nend\n"));
}
