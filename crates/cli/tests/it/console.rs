//! A console at a terminal of buffers: every way out, and the terminal as it was after each.

use crate::fake::World;
use crate::screen::{Ran, Screen};
use bytes::Bytes;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
// why: the clock is paused, so a span passes at once and only orders what happens.
use tokio::time::sleep;
use weft_cli::Exit;
use weft_cli::terminal::Size;
use weft_domain::{Fault, Phase, Reason};
use weft_ports::api::ConsoleInput;

type Guest = UnboundedSender<Result<Bytes, Fault>>;

fn world() -> (World, Guest) {
    let world = World::new();
    world.put("demo", Phase::Running);
    let (guest, answers) = unbounded_channel();
    world.knobs(|knobs| knobs.console = Some(answers));
    (world, guest)
}

/// A moment in which everything that can happen has happened.
async fn moment() {
    sleep(Duration::from_millis(20)).await;
}

fn typed(world: &World) -> String {
    let bytes: Vec<u8> = world
        .typed()
        .into_iter()
        .flat_map(|input| match input {
            ConsoleInput::Bytes(bytes) => bytes.to_vec(),
            ConsoleInput::Resize(..) => Vec::new(),
        })
        .collect();
    String::from_utf8(bytes).unwrap()
}

fn restored(screen: &Screen, exit: Exit) -> Ran {
    assert_eq!(screen.raw.entered.load(Ordering::SeqCst), 1, "raw mode was on");
    assert_eq!(screen.raw.held.load(Ordering::SeqCst), 0, "and is off again");
    screen.ran(exit)
}

#[tokio::test(start_paused = true)]
async fn the_escape_key_leaves_and_what_was_typed_before_arrives() {
    let (world, guest) = world();
    let mut screen = Screen::person();
    let run = screen.begin(&world, "vm console demo");
    let mut keys = screen.keys.take().unwrap();
    let (exit, ()) = tokio::join!(run, async {
        moment().await;
        guest.send(Ok(Bytes::from_static(b"login: "))).unwrap();
        moment().await;
        keys.write_all(b"root\x03\r").await.unwrap();
        moment().await;
        keys.write_all(b"ls\r\x1dnever").await.unwrap();
    });
    let ran = restored(&screen, exit);
    assert_eq!(ran.exit, Exit::DONE);
    assert_eq!(typed(&world), "root\u{3}\rls\r");
    assert_eq!(ran.out, "login: \n");
    assert_eq!(ran.err, "at the console of demo; press Ctrl-] to leave\nleft the console of demo; it goes on\n");
}

#[tokio::test(start_paused = true)]
async fn the_size_is_told_at_first_and_when_it_changes() {
    let (world, guest) = world();
    let mut screen = Screen::person();
    let run = screen.begin(&world, "vm console demo --escape ^A");
    let mut keys = screen.keys.take().unwrap();
    let (exit, ()) = tokio::join!(run, async {
        moment().await;
        screen.size.send_replace(Size { columns: 132, rows: 50 });
        moment().await;
        keys.write_all(b"\x1d").await.unwrap();
        moment().await;
        keys.write_all(b"\x01").await.unwrap();
    });
    drop(guest);
    assert_eq!(restored(&screen, exit).exit, Exit::DONE);
    let sizes: Vec<_> = world.typed().into_iter().filter(|input| matches!(input, ConsoleInput::Resize(..))).collect();
    assert_eq!(sizes, [ConsoleInput::Resize(80, 24), ConsoleInput::Resize(132, 50)]);
    assert_eq!(typed(&world), "\u{1d}", "another escape key makes the usual one a key like others");
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_ends_ends_the_console() {
    let (world, guest) = world();
    let mut screen = Screen::person();
    let run = screen.begin(&world, "vm console demo");
    let (exit, ()) = tokio::join!(run, async {
        moment().await;
        guest.send(Ok(Bytes::from_static(b"bye\r\n"))).unwrap();
        world.edit("demo", |vm| vm.status.phase = Phase::Stopped);
        drop(guest);
    });
    let ran = restored(&screen, exit);
    assert_eq!(ran.exit, Exit::DONE);
    assert!(ran.err.ends_with("the console has ended; VM demo is STOPPED\n"), "{}", ran.err);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_in_the_middle_and_a_signal_restore_the_terminal() {
    let (world, guest) = self::world();
    let mut screen = Screen::person();
    let run = screen.begin(&world, "vm console demo --no-color");
    let (exit, ()) = tokio::join!(run, async {
        moment().await;
        guest.send(Err(Fault::new(Reason::Away, "the server closes"))).unwrap();
    });
    let ran = restored(&screen, exit);
    assert_eq!(ran.exit.code(), 8);
    assert!(ran.err.contains("error: the server closes (asked http://"), "{}", ran.err);

    let (world, _guest) = self::world();
    let mut screen = Screen::person();
    let run = screen.begin(&world, "vm console demo");
    let interrupt = screen.interrupt.clone();
    let (exit, ()) = tokio::join!(run, async {
        moment().await;
        interrupt.cancel();
    });
    assert_eq!(restored(&screen, exit).exit, Exit::INTERRUPTED);
}

#[tokio::test(start_paused = true)]
async fn a_hang_up_of_the_terminal_leaves() {
    let (world, _guest) = world();
    let mut screen = Screen::person();
    let run = screen.begin(&world, "vm console demo");
    let keys = screen.keys.take().unwrap();
    let (exit, ()) = tokio::join!(run, async {
        moment().await;
        drop(keys);
    });
    assert_eq!(restored(&screen, exit).exit, Exit::DONE);
}

#[tokio::test(start_paused = true)]
async fn pipes_pass_all_bytes_and_leave_after_silence() {
    let (world, guest) = world();
    let mut screen = Screen::pipes();
    let run = screen.begin(&world, "vm console demo --linger 1s");
    let mut keys = screen.keys.take().unwrap();
    let (exit, ()) = tokio::join!(run, async {
        keys.write_all(b"uname\x1d\n").await.unwrap();
        drop(keys);
        sleep(Duration::from_millis(800)).await;
        guest.send(Ok(Bytes::from_static(b"Linux\n"))).unwrap();
        sleep(Duration::from_millis(800)).await;
        guest.send(Ok(Bytes::from_static(b"# "))).unwrap();
    });
    let ran = screen.ran(exit);
    assert_eq!(screen.raw.entered.load(Ordering::SeqCst), 0, "a pipe has no raw mode");
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::DONE, "Linux\n# "));
    assert_eq!(typed(&world), "uname\u{1d}\n");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_attached_is_refused_before_raw_mode() {
    let world = World::new();
    world.put("demo", Phase::Created);
    let mut screen = Screen::person();
    let exit = screen.begin(&world, "vm console demo").await;
    assert_eq!(exit.code(), 5);
    assert_eq!(screen.raw.entered.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn run_goes_to_the_console_with_what_was_written_already() {
    let (world, guest) = world();
    world.knobs(|knobs| knobs.log = (0, b"booting\n".to_vec()));
    let mut screen = Screen::person();
    let run = screen.begin(&world, "vm run new --console");
    let mut keys = screen.keys.take().unwrap();
    let (exit, ()) = tokio::join!(run, async {
        moment().await;
        guest.send(Ok(Bytes::from_static(b"# "))).unwrap();
        moment().await;
        keys.write_all(b"\x1d").await.unwrap();
    });
    let ran = restored(&screen, exit);
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::DONE, "booting\n# \n"));
}
