//! The guest's agent, the watchdog and other parts, and a jailed QEMU as the host sees it.

use super::{done, draft, finish, jailed, launch, machines, ready};
use std::time::Duration;
use weft_domain::Reason;
use weft_domain::spec::{
    Attachment, Console, ConsoleMode, Device, DeviceKind, Machine as Model, Nic, NumaNode, Platform, Readiness,
    ReadinessProbe, Zone,
};
use weft_ports::hypervisor::{State, Way};

/// An agent as a line for a shell: it answers the first word, and powers off when it is told to.
const AGENT: &str = r#"(exec 3<>"$(ls /dev/vport*p1)"; while :; do while read -r line <&3; do case $line in *sync*) id=${line#*\"id\":}; printf '\377{"return": %s}\n' "${id%%\}*}" >&3;; *shutdown*) poweroff -f;; esac; done; usleep 50000; done) & true"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_agent_is_greeted_and_asked_to_power_off() {
    for model in [Model::Microvm, Model::Q35] {
        let Some((machines, _turn)) = machines(model).await else { return };
        let mut draft = draft(model);
        draft.readiness = Some(Readiness { probe: ReadinessProbe::GuestAgent, timeout: Duration::from_secs(60) });
        let machine = ready(&machines, &machines.order_of(draft)).await;
        assert_eq!(machine.greet_agent().await.expect_err("nobody is there yet").reason, Reason::VmmSilent);
        machines.asked(machine.as_ref(), AGENT).await;
        let greeted = async {
            while machine.greet_agent().await.is_err() {
                // why: the guest starts its agent when it comes to it.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), greeted).await.expect("the agent answers");
        // Without a button, so that it is the agent's doing.
        machines.asked(machine.as_ref(), "kill $(pidof acpid) 2>/dev/null").await;
        done(machine.ask_to_stop().await, "ask to stop");
        let mut state = machine.state();
        let ended = state.wait_for(|state| matches!(state, State::Ended(end) if end.way == Way::Poweroff));
        tokio::time::timeout(Duration::from_secs(60), ended).await.expect("it powers off").expect("it is held");
        machine.bury().await.expect("it can be buried");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rarer_parts_are_what_the_guest_sees() {
    let Some((machines, _turn)) = machines(Model::Q35).await else { return };
    let mut draft = draft(Model::Q35);
    let zone = |name: &str| Zone { name: name.into(), size_bytes: 128 << 20, hotplug_bytes: 0, host_numa_node: None };
    let node = |id: u32, zone: &str| NumaNode {
        id,
        cpus: [id].into(),
        zones: vec![zone.into()],
        distances: [(1 - id, 21)].into(),
        pci_segments: Vec::new(),
    };
    (draft.cpu.boot, draft.cpu.max) = (2, 2);
    draft.memory.size_bytes = 256 << 20;
    draft.memory.zones = vec![zone("a"), zone("b")];
    draft.numa = vec![node(0, "a"), node(1, "b")];
    draft.watchdog = true;
    draft.console = Console::new(ConsoleMode::Null);
    draft.platform =
        Some(Platform { serial_number: Some("weft-7".into()), product: Some("loom".into()), ..Platform::default() });
    draft.nics = vec![Nic { mtu: 1_400, ..Nic::new("lan", Attachment::User { forwards: Vec::new() }) }];
    let path = machines.blank("pmem", 16 << 20);
    let kind = DeviceKind::Pmem { path, size_bytes: 0, read_only: false, root: false, rate_limit: None };
    draft.devices = vec![Device { name: "pm".into(), kind, pci_segment: 0, iommu: false }];
    let machine = ready(&machines, &machines.order_of(draft)).await;
    let command = "cat /sys/class/dmi/id/product_serial /sys/class/dmi/id/product_name; \
                   echo nodes $(ls -d /sys/devices/system/node/node? | wc -l) mtu $(cat /sys/class/net/eth0/mtu); \
                   cat /sys/bus/pci/devices/*/device /sys/bus/virtio/devices/*/modalias | tr '\\n' ' '";
    let shown = machines.asked(machine.as_ref(), command).await;
    for wanted in ["weft-7", "loom", "nodes 2 mtu 1400", "0x25ab", "virtio:d0000001B", "virtio:d00000003"] {
        assert!(shown.contains(wanted), "{wanted}: {shown}");
    }
    finish(machine).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_iommu_stands_between_a_device_and_memory() {
    let Some((machines, _turn)) = machines(Model::Auto).await else { return };
    let mut draft = draft(Model::Auto);
    draft.nics = vec![Nic { iommu: true, ..Nic::new("lan", Attachment::User { forwards: Vec::new() }) }];
    let order = machines.order_of(draft);
    let machine = ready(&machines, &order).await;
    assert_eq!(machine.chosen().machine, Model::Q35);
    finish(machine).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_jailed_qemu_has_nothing_of_the_host() {
    let Some((machines, _turn)) = jailed(Model::Microvm).await else { return };
    let order = machines.order_of(draft(Model::Microvm));
    let machine = launch(&machines, &order).await;
    let at = |name: &str| format!("/proc/{}/{name}", machine.alive().pid);
    let status = std::fs::read_to_string(at("status")).expect("its status");
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.map(|value| value.split_whitespace().collect::<Vec<_>>().join(" ")).unwrap_or_default()
    };
    let ward = order.ward.expect("it is jailed");
    assert_eq!(field("Uid"), [ward.uid; 4].map(|id| id.to_string()).join(" "));
    for capabilities in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert_eq!(field(capabilities), "0000000000000000", "{capabilities}");
    }
    assert_eq!((field("NoNewPrivs").as_str(), field("Seccomp").as_str()), ("1", "2"));
    for absent in ["root/etc", "root/root", "root/home", "root/proc/1"] {
        assert!(!std::path::Path::new(&at(absent)).exists(), "{absent}");
    }
    let network = |path: &str| std::fs::read_link(path).expect("a namespace");
    assert_ne!(network(&at("ns/net")), network("/proc/self/ns/net"), "it has a network of its own");
    finish(machine).await;
}
