//! metald's documented calls, unchanged.

use crate::raw::{connect_error, serve};
use serde_json::{Value, json};
use weft_api::server::Options;
use weft_domain::Phase;
use weft_domain::instance::StopHow;
use weft_domain::spec::{DiskSource, Machine, Payload};
use weft_ports::api::VmRef;

const VM: &str = "/vmprovisioner.v1.VmService";
const DOCUMENTED: &str = r#"{"config":{"cpu":{"vcpu_count":1},"memory":{"size_bytes":134217728},
 "boot":{"kernel_path":"/opt/vm-assets/vmlinux","kernel_args":"console=ttyS0 reboot=k panic=1 pci=off"},
 "storage":[{"path":"/opt/vm-assets/rootfs.ext4","readonly":false}]}}"#;

#[tokio::test]
async fn the_documented_call_works_unchanged() {
    let served = serve(Options::default()).await;
    let answer = served.json(&format!("{VM}/CreateVm"), DOCUMENTED).await;
    let created = answer.json();
    assert_eq!(answer.status, 200, "{created}");
    assert_eq!(created["state"], "VM_STATE_CREATED");
    let id = created["vmId"].as_str().unwrap().to_owned();
    let new = served.house.seen(|s| s.new.clone().unwrap());
    assert_eq!(new.spec.machine, Machine::Microvm);
    assert!(new.spec.disks[0].root && !new.spec.disks[0].read_only);
    assert_eq!(new.spec.disks[0].source, DiskSource::Path("/opt/vm-assets/rootfs.ext4".into()));
    assert!(
        matches!(&new.spec.payload, Payload::Kernel { cmdline, .. } if cmdline.ends_with("pci=off root=/dev/vda rw"))
    );

    for (call, state) in [
        ("BootVm", "VM_STATE_RUNNING"),
        ("PauseVm", "VM_STATE_PAUSED"),
        ("ResumeVm", "VM_STATE_RUNNING"),
        ("RebootVm", "VM_STATE_RUNNING"),
        ("ShutdownVm", "VM_STATE_SHUTDOWN"),
    ] {
        let answer = served.json(&format!("{VM}/{call}"), &format!(r#"{{"vm_id":"{id}"}}"#)).await.json();
        assert_eq!(answer, json!({"success": true, "state": state}), "{call}");
    }
    let body = format!(r#"{{"vmId":"{id}"}}"#);
    let about = served.json(&format!("{VM}/GetVmInfo"), &body).await.json();
    assert_eq!(about["config"]["cpu"]["vcpuCount"], 1);
    assert_eq!(about["config"]["storage"][0]["isRootDevice"], true);
    assert_eq!(about["backendInfo"]["phase"], "STOPPED");
    assert_eq!(served.json(&format!("{VM}/DeleteVm"), &body).await.json(), json!({"success": true}));
    assert_eq!(served.json(&format!("{VM}/GetVmInfo"), &body).await.status, 404);
}

#[tokio::test]
async fn readonly_is_read_as_read_only() {
    let served = serve(Options::default()).await;
    for written in ["\"readonly\":true", "\"read_only\":true", "\"readOnly\":true"] {
        let body = DOCUMENTED.replace("\"readonly\":false", written);
        assert_eq!(served.json(&format!("{VM}/CreateVm"), &body).await.status, 200);
        assert!(served.house.seen(|s| s.new.clone().unwrap().spec.disks[0].read_only), "{written}");
    }
}

#[tokio::test]
async fn unknown_fields_are_ignored_and_ids_of_theirs_become_names() {
    let served = serve(Options::default()).await;
    let body = DOCUMENTED.replacen('{', r#"{"vm_id":"ud-0123456789abcdef","customer_id":"c1","surprise":[1],"#, 1);
    assert_eq!(served.json(&format!("{VM}/CreateVm"), &body).await.status, 200);
    let booted = served.json(&format!("{VM}/BootVm"), r#"{"vm_id":"ud-0123456789abcdef"}"#).await;
    assert_eq!(booted.json()["state"], "VM_STATE_RUNNING");
    let list = served.json(&format!("{VM}/ListVms"), r#"{"state_filter":["VM_STATE_RUNNING"],"page_size":50}"#).await;
    let vms = list.json();
    assert_eq!(vms["totalCount"], 1);
    assert_eq!(vms["vms"][0]["customerId"], "c1");
    assert_eq!(vms["vms"][0]["memorySizeBytes"], "134217728");
    let none = served.json(&format!("{VM}/ListVms"), r#"{"state_filter":["VM_STATE_PAUSED"]}"#).await.json();
    assert_eq!(none["vms"].as_array().map_or(0, Vec::len), 0);
}

#[tokio::test]
async fn a_guests_time_is_taken() {
    let served = serve(Options::default()).await;
    let id = served.json(&format!("{VM}/CreateVm"), DOCUMENTED).await.json()["vmId"].as_str().unwrap().to_owned();
    let vm = VmRef::Id(id.parse().unwrap());
    for (body, how) in [
        (r#""force":false,"timeout_seconds":7"#, StopHow::Graceful { timeout: std::time::Duration::from_secs(7) }),
        (r#""force":true,"timeout_seconds":7"#, StopHow::Force),
    ] {
        served.house.set_phase(&vm, Phase::Running);
        served.json(&format!("{VM}/ShutdownVm"), &format!(r#"{{"vm_id":"{id}",{body}}}"#)).await;
        assert_eq!(served.house.seen(|s| s.stop), Some(how));
    }
}

#[tokio::test]
async fn their_mistakes_are_told_in_their_words() {
    let served = serve(Options::default()).await;
    let config = |at: &str, with: Value| {
        let mut body: Value = serde_json::from_str(DOCUMENTED).unwrap();
        *body.pointer_mut(at).unwrap() = with;
        body.to_string()
    };
    let table = [
        ("{}".to_owned(), "config"),
        (config("/config/cpu", Value::Null), "config.cpu"),
        (config("/config/cpu/vcpu_count", json!(0)), "config.cpu.vcpu_count"),
        (config("/config/cpu/vcpu_count", json!(5000)), "config.cpu.vcpu_count"),
        (config("/config/memory", Value::Null), "config.memory"),
        (config("/config/memory/size_bytes", json!(-1)), "config.memory.size_bytes"),
        (config("/config/memory/size_bytes", json!(1)), "config.memory.size_bytes"),
        (config("/config/boot", Value::Null), "config.boot"),
        (config("/config/boot/kernel_path", json!("")), "config.boot.kernel_path"),
        (config("/config/boot/kernel_path", json!("/a/../b")), "config.boot.kernel_path"),
        (config("/config/storage", json!([])), "config.storage"),
        (config("/config/storage/0/path", json!("")), "config.storage[0].path"),
    ];
    for (body, field) in table {
        let told = connect_error(&served.json(&format!("{VM}/CreateVm"), &body).await.json());
        assert_eq!(told.code, "invalid_argument", "{body}");
        assert!(told.fields.iter().any(|f| f == field), "{field} in {told:?} for {body}");
    }
    let told = connect_error(&served.json(&format!("{VM}/BootVm"), "{}").await.json());
    assert_eq!(told.fields, ["vm_id"]);
    let told = connect_error(&served.json(&format!("{VM}/BootVm"), r#"{"vm_id":"ud-none"}"#).await.json());
    assert_eq!((told.code.as_str(), told.reason.as_str()), ("not_found", "VM_NOT_FOUND"));
}
