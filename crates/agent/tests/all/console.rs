//! Consoles, their logs, and guests that say that they are ready.

use crate::house::{GRACE, House, pass};
use bytes::Bytes;
use futures::stream::{self, StreamExt};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use weft_domain::instance::StopHow;
use weft_domain::lifecycle::Verb;
use weft_domain::spec::{Readiness, ReadinessProbe};
use weft_domain::{InstanceId, Phase, Reason};
use weft_ports::api::{Answers, ConsoleInput, LogQuery, LogStart};
use weft_ports::hypervisor::fake::Behaviour;
use weft_ports::link::Reach;
use weft_ports::volumes::Volumes;

type Keys = mpsc::UnboundedSender<ConsoleInput>;

async fn attach(house: &House, id: InstanceId) -> (Keys, Answers<Bytes>) {
    let (keys, input) = mpsc::unbounded_channel();
    let output = house.agent.attach(id, UnboundedReceiverStream::new(input).boxed()).await.expect("it can be attached");
    (keys, output)
}

fn typed(text: &str) -> ConsoleInput {
    ConsoleInput::Bytes(Bytes::copy_from_slice(text.as_bytes()))
}

async fn read(output: &mut Answers<Bytes>) -> String {
    let chunk = output.next().await.expect("the console goes on").expect("it is not too slow");
    String::from_utf8(chunk.to_vec()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn two_look_one_types_and_it_ends_with_the_machine() {
    let house = House::up();
    let id = house.running("a", |_| {}).await;
    let (first_keys, mut first) = attach(&house, id).await;
    let (second_keys, mut second) = attach(&house, id).await;
    first_keys.send(ConsoleInput::Resize(80, 25)).unwrap();
    first_keys.send(typed("hello")).unwrap();
    assert_eq!((read(&mut first).await, read(&mut second).await), ("hello".into(), "hello".into()));
    drop((first_keys, first));
    second_keys.send(typed("still here")).unwrap();
    assert_eq!(read(&mut second).await, "still here");

    house.ask(id, Verb::Shutdown, GRACE).await;
    assert!(second.next().await.is_none(), "it ends with the machine");
    house.until(id, Phase::Stopped).await;
    let fault = house.agent.attach(id, stream::empty().boxed()).await.err().expect("no console without a machine");
    assert_eq!(fault.reason, Reason::ConsoleUnavailable);

    house.ask(id, Verb::Boot, GRACE).await;
    house.until(id, Phase::Running).await;
    let (keys, mut again) = attach(&house, id).await;
    keys.send(typed("anew")).unwrap();
    assert_eq!(read(&mut again).await, "anew");
    house.delete(id).await;
    assert!(again.next().await.is_none());
}

async fn log(house: &House, id: InstanceId, start: LogStart, max_bytes: u64) -> (u64, String) {
    let query = LogQuery { start, follow: false, max_bytes };
    let chunks: Vec<_> = house.agent.log(id, query).await.expect("it has a log").collect().await;
    let first = chunks.first().map_or(0, |chunk| chunk.as_ref().unwrap().offset);
    let bytes: Vec<u8> = chunks.into_iter().flat_map(|chunk| chunk.unwrap().bytes.to_vec()).collect();
    (first, String::from_utf8(bytes).unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_log_is_read_from_anywhere_and_outlives_the_machine() {
    let house = House::up();
    house.vmm.expect(Behaviour { says: "0123456789".into(), ..Behaviour::default() });
    let id = house.create("a", |_| {});
    house.until(id, Phase::Created).await;
    assert_eq!(log(&house, id, LogStart::Offset(0), 0).await, (0, String::new()), "nothing was said yet");
    house.ask(id, Verb::Boot, GRACE).await;
    house.until(id, Phase::Running).await;
    assert_eq!(log(&house, id, LogStart::Offset(0), 0).await, (0, "0123456789".into()));
    assert_eq!(log(&house, id, LogStart::Offset(4), 3).await, (4, "456".into()));
    assert_eq!(log(&house, id, LogStart::Tail(4), 0).await, (6, "6789".into()));
    assert_eq!(log(&house, id, LogStart::Tail(99), 2).await, (0, "01".into()));
    assert_eq!(log(&house, id, LogStart::Offset(99), 0).await, (0, String::new()));
    house.vmm.print(id, &"x".repeat(200_000));
    assert_eq!(log(&house, id, LogStart::Offset(0), 150_000).await.1.len(), 150_000);
    house.ask(id, Verb::Shutdown, GRACE).await;
    house.until(id, Phase::Stopped).await;
    assert_eq!(log(&house, id, LogStart::Offset(0), 10).await.1, "0123456789");
    house.delete(id).await;
    house.idle().await;
    assert!(house.agent.log(id, LogQuery { start: LogStart::Offset(0), follow: false, max_bytes: 0 }).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_followed_log_goes_on_and_ends_with_the_instance() {
    let house = House::up();
    house.vmm.expect(Behaviour { says: "one".into(), ..Behaviour::default() });
    let id = house.running("a", |_| {}).await;
    let query = LogQuery { start: LogStart::Offset(0), follow: true, max_bytes: 0 };
    let mut chunks = house.agent.log(id, query).await.unwrap();
    assert_eq!(chunks.next().await.unwrap().unwrap().bytes, "one");
    house.vmm.print(id, "two");
    let chunk = chunks.next().await.unwrap().unwrap();
    assert_eq!((chunk.offset, chunk.bytes.as_ref()), (3, b"two".as_slice()));
    house.delete(id).await;
    assert!(chunks.next().await.is_none());
}

fn ready_within(seconds: u64) -> Option<Readiness> {
    let probe = ReadinessProbe::Serial { text: "login:".into() };
    Some(Readiness { probe, timeout: Duration::from_secs(seconds) })
}

#[tokio::test(start_paused = true)]
async fn a_guest_is_ready_when_it_says_so() {
    let house = House::up();
    let id = house.running("a", |draft| draft.readiness = ready_within(60)).await;
    let ready = |vm: &crate::house::desk::Vm| vm.condition("Ready").map(|(holds, why, _)| (holds, why));
    assert_eq!(ready(&house.vm(id)), Some((Some(false), "Waiting".into())));
    house.vmm.print(id, &"noise\n".repeat(100_000));
    house.vmm.print(id, "log");
    pass(Duration::from_secs(1)).await;
    house.vmm.print(id, "in: ");
    house.until_so(id, "ready", |vm| ready(vm) == Some((Some(true), "SerialText".into()))).await;

    house.kill().await;
    house.start();
    house.idle().await;
    assert_eq!(ready(&house.vm(id)), Some((Some(true), "SerialText".into())), "a later agent finds it too");
    house.ask(id, Verb::Reboot, StopHow::Force).await;
    house.until_so(id, "not ready", |vm| ready(vm) == Some((Some(false), "Waiting".into()))).await;
    house.vmm.print(id, "login:");
    house.until_so(id, "ready again", |vm| ready(vm) == Some((Some(true), "SerialText".into()))).await;
    house.ask(id, Verb::Shutdown, GRACE).await;
    assert_eq!(ready(&house.until(id, Phase::Stopped).await), None, "what does not run is not ready");

    let late = house.running("late", |draft| draft.readiness = ready_within(5)).await;
    house.until_so(late, "too late", |vm| ready(vm) == Some((Some(false), "TimedOut".into()))).await;
    assert_eq!(house.vm(late).phase, Phase::Running);
}

#[tokio::test(start_paused = true)]
async fn a_log_that_was_cut_tells_nothing_of_readiness() {
    let house = House::up();
    let id = house.running("a", |draft| draft.readiness = ready_within(5)).await;
    house.vmm.print(id, "login:");
    house.until_so(id, "ready", |vm| vm.condition("Ready").is_some_and(|it| it.0 == Some(true))).await;
    house.vmm.print(id, "and more");
    house.kill().await;
    house.disk.bound_log(&house.config.data_dir.join(format!("vms/{id}/console.log")), 4).await.unwrap();
    pass(Duration::from_secs(60)).await;
    house.start();
    let vm = house.until_so(id, "unknown", |vm| vm.condition("Ready").is_some_and(|it| it.0.is_none())).await;
    assert_eq!(vm.condition("Ready").unwrap().1, "LogDropped");
}
