//! Jailed processes have users of their own, and it is told which are not jailed and why.

use crate::house::{GRACE, House, clock};
use std::sync::Arc;
use weft_agent::JailPolicy;
use weft_domain::capability::{Capabilities, Feature};
use weft_domain::instance::{ExitCause, StopHow};
use weft_domain::lifecycle::Verb;
use weft_domain::{InstanceId, Phase};
use weft_ports::hypervisor::{Hypervisor, fake::Fake};

/// A node whose VMM can be jailed, or not.
fn house(can: &[Feature], users: u32) -> House {
    house_with(can, JailPolicy::Auto { uids: 1000..=1000 + users - 1 })
}

fn house_with(can: &[Feature], jail: JailPolicy) -> House {
    let clock = Arc::new(clock::Paused::new());
    let plain: Capabilities = Fake::new(clock.clone()).capabilities().as_ref().clone();
    let mut capabilities = plain;
    capabilities.features.extend(can);
    let vmm = Fake::with_capabilities(capabilities, clock.clone());
    House::with(clock, vmm, jail)
}

fn ward(house: &House, id: InstanceId) -> Option<u32> {
    house.vm(id).last.and_then(|last| last.running).and_then(|running| running.jail)
}

fn confined(house: &House, id: InstanceId) -> (Option<bool>, String, String) {
    house.vm(id).condition("Confined").expect("it is told")
}

#[tokio::test(start_paused = true)]
async fn each_jailed_process_has_a_user_of_its_own() {
    let house = house(&[Feature::Jail], 3);
    house.start();
    let (a, b) = (house.running("a", |_| {}).await, house.running("b", |_| {}).await);
    assert_eq!((ward(&house, a), ward(&house, b)), (Some(1000), Some(1001)));
    let orders: Vec<_> = house.vmm.launches().iter().map(|order| order.ward.map(|ward| (ward.uid, ward.gid))).collect();
    assert_eq!(orders, [Some((1000, 1000)), Some((1001, 1001))]);
    let (holds, reason, message) = confined(&house, a);
    assert_eq!((holds, reason.as_str()), (Some(true), "Jailed"));
    assert!(message.contains("user 1000"), "{message}");

    house.ask(a, Verb::Shutdown, StopHow::Force).await;
    house.until(a, Phase::Stopped).await;
    house.kill().await;
    house.start();
    let c = house.running("c", |_| {}).await;
    assert_eq!((ward(&house, b), ward(&house, c)), (Some(1001), Some(1000)), "what is free is given again");
    house.ask(a, Verb::Boot, GRACE).await;
    house.until(a, Phase::Running).await;
    assert_eq!(ward(&house, a), Some(1002));
}

#[tokio::test(start_paused = true)]
async fn no_user_is_given_twice_when_all_are_taken() {
    let house = house(&[Feature::Jail], 1);
    house.start();
    let a = house.running("a", |_| {}).await;
    let b = house.create("b", |_| {});
    house.until(b, Phase::Created).await;
    house.ask(b, Verb::Boot, GRACE).await;
    let vm = house.until(b, Phase::Failed).await;
    assert_eq!(vm.exits[0].cause, ExitCause::LaunchFailed);
    assert!(vm.exits[0].message.contains("are taken"), "{}", vm.exits[0].message);
    house.delete(a).await;
    house.ask(b, Verb::Boot, GRACE).await;
    house.until(b, Phase::Running).await;
    assert_eq!(ward(&house, b), Some(1000));
    house.delete(b).await;
    house.assert_empty().await;
}

#[tokio::test(start_paused = true)]
async fn it_is_told_why_a_process_is_not_jailed() {
    let unable = house(&[], 2);
    unable.start();
    let id = unable.running("a", |_| {}).await;
    let (holds, reason, message) = confined(&unable, id);
    assert_eq!((holds, reason.as_str(), ward(&unable, id)), (Some(false), "DriverCannotJail", None));
    assert!(message.contains("driver fake cannot"), "{message}");

    let poor = house(&[Feature::Jail], 2);
    *poor.host.no_jails.lock().unwrap() = Some("it is not root".into());
    poor.start();
    let id = poor.running("a", |_| {}).await;
    let (holds, reason, message) = confined(&poor, id);
    assert_eq!((holds, reason.as_str(), ward(&poor, id)), (Some(false), "JailUnavailable", None));
    assert!(message.contains("it is not root"), "{message}");
    *poor.host.no_jails.lock().unwrap() = None;
    poor.kill().await;
    poor.start();
    poor.idle().await;
    assert_eq!(confined(&poor, id).1, "NotJailedYet", "what runs stays as it is");
}

#[tokio::test(start_paused = true)]
async fn where_jails_are_required_nothing_starts_without() {
    let house = house_with(&[], JailPolicy::Required { uids: 1000..=1001 });
    house.start();
    let id = house.create("a", |_| {});
    house.until(id, Phase::Created).await;
    house.ask(id, Verb::Boot, GRACE).await;
    let vm = house.until(id, Phase::Failed).await;
    assert!(vm.exits[0].message.contains("driver fake cannot"), "{}", vm.exits[0].message);
    assert!(house.vmm.launches().is_empty());
}
