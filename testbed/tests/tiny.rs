//! weft-tiny does what it says, on every VMM that is found.
//!
//! Where a VMM cannot be had, its test says `skipped: why`.
#![allow(clippy::print_stdout, reason = "a test that is skipped says why")]

use serde_json::json;
use weft_testbed::tiny::{Accelerator, Guest, Vmm};

const MICROVM: Vmm = Vmm::Qemu("microvm", Accelerator::Kvm);
const MICROVM_TCG: Vmm = Vmm::Qemu("microvm", Accelerator::Tcg);
const PC: Vmm = Vmm::Qemu("pc", Accelerator::Kvm);
const PC_TCG: Vmm = Vmm::Qemu("pc", Accelerator::Tcg);
const Q35: Vmm = Vmm::Qemu("q35", Accelerator::Kvm);
const Q35_TCG: Vmm = Vmm::Qemu("q35", Accelerator::Tcg);

/// A guest that was told this at boot, or `None` after saying why there is none.
async fn guest(vmm: Vmm, asked: &str) -> Option<Guest> {
    match Guest::boot(vmm, asked).await {
        Ok(guest) => Some(guest),
        Err(why) => {
            println!("skipped: {why}");
            None
        }
    }
}

/// The number between two words of an answer.
fn number(answer: &str) -> u64 {
    let found = answer.split(' ').nth(1).and_then(|word| word.parse().ok());
    found.unwrap_or_else(|| panic!("no number in {answer:?}"))
}

async fn answers_and_powers_off(vmm: Vmm) {
    let Some(mut guest) = guest(vmm, "a=b").await else { return };
    assert_eq!(guest.ask("ping").await, "pong");
    assert_eq!(guest.ask("echo a word  or two").await, "a word  or two");
    assert_eq!(guest.ask("mem").await, "mem 64 MiB");
    assert_eq!(guest.ask("cpus").await, "cpus 1");
    assert!(guest.ask("cmdline").await.starts_with("cmdline console=ttyS0 a=b"));
    // It burns at least what it is told; where others had the processor meanwhile, more.
    let mut short = u64::MAX;
    for _ in 0..8 {
        short = short.min(number(&guest.ask("burn 2").await));
    }
    let long = number(&guest.ask("burn 40").await);
    assert!(long > 10 * short, "{short} cycles for 2 ms and {long} for 40 ms");
    assert_eq!(guest.ask("work 500").await, format!("worked {:016x}", weft_guest::work(500)));
    assert_eq!(guest.ask("touch 3").await, "touched 768 pages");
    assert_eq!(guest.ask("touch 2").await, "touched 512 pages");
    assert!(number(&guest.ask("touch 4096").await) < 60 * 256, "more memory than there is");
    assert_eq!(guest.ask("gen").await, guest.ask("gen").await);
    assert_eq!(guest.ask("count").await, "count 1");
    assert_eq!(guest.ask("count").await, "count 2");
    assert_eq!(guest.ask("sing").await, "error: unknown command sing");
    assert_eq!(guest.ask("burn hot").await, "error: it needs a number");
    assert_eq!(guest.ask("poweroff").await, "weft-tiny: powering off");
    assert_eq!(guest.ended().await.code(), Some(0));
}

async fn does_at_boot_what_it_was_told(vmm: Vmm) {
    let asked = "weft.do=touch:2 weft.do=work:7 weft.do=poweroff";
    let Some(mut guest) = guest(vmm, asked).await else { return };
    guest.until("touched 512 pages").await;
    guest.until(&format!("worked {:016x}", weft_guest::work(7))).await;
    guest.until("weft-tiny: powering off").await;
    assert_eq!(guest.ended().await.code(), Some(0));
}

async fn powers_off_when_asked(vmm: Vmm) {
    let Some(mut guest) = guest(vmm, "").await else { return };
    guest.press_button().await;
    guest.until("weft-tiny: powering off").await;
    assert_eq!(guest.ended().await.code(), Some(0));
}

/// Cloud Hypervisor boots the guest anew after a reset, the others end. Firecracker ends a crash with 1, or
/// with 0 where its own threads are told to end before the processor's thread has said what it saw.
async fn reboots_and_crashes(vmm: Vmm, codes_of_a_crash: &[i32]) {
    for (word, says, codes) in [("reboot", "rebooting", &[0][..]), ("crash", "crashing", codes_of_a_crash)] {
        let Some(mut guest) = guest(vmm, "").await else { return };
        let before = guest.ask("gen").await;
        assert_eq!(guest.ask(word).await, format!("weft-tiny: {says}"));
        if vmm == Vmm::CloudHypervisor {
            guest.until(weft_guest::READY).await;
            assert_ne!(guest.ask("gen").await, before);
        } else {
            let ended = guest.ended().await;
            assert!(ended.code().is_some_and(|code| codes.contains(&code)), "{word}: {ended}");
        }
    }
}

async fn hangs(vmm: Vmm) {
    let Some(mut guest) = guest(vmm, "").await else { return };
    assert_eq!(guest.ask("hang").await, "weft-tiny: hanging");
    // It takes no notice of the button, but its VMM still answers.
    guest.press_button().await;
}

macro_rules! on {
    ($($test:ident: $deed:ident($vmm:expr $(, $more:expr)*);)*) => {$(
        #[tokio::test]
        async fn $test() {
            $deed($vmm $(, $more)*).await;
        }
    )*};
}

on! {
    microvm_answers: answers_and_powers_off(MICROVM);
    microvm_tcg_answers: answers_and_powers_off(MICROVM_TCG);
    pc_answers: answers_and_powers_off(PC);
    pc_tcg_answers: answers_and_powers_off(PC_TCG);
    q35_answers: answers_and_powers_off(Q35);
    q35_tcg_answers: answers_and_powers_off(Q35_TCG);
    firecracker_answers: answers_and_powers_off(Vmm::Firecracker);
    cloud_hypervisor_answers: answers_and_powers_off(Vmm::CloudHypervisor);
    microvm_obeys_at_boot: does_at_boot_what_it_was_told(MICROVM);
    firecracker_obeys_at_boot: does_at_boot_what_it_was_told(Vmm::Firecracker);
    cloud_hypervisor_obeys_at_boot: does_at_boot_what_it_was_told(Vmm::CloudHypervisor);
    microvm_hears_its_button: powers_off_when_asked(MICROVM);
    microvm_tcg_hears_its_button: powers_off_when_asked(MICROVM_TCG);
    pc_tcg_hears_its_button: powers_off_when_asked(PC_TCG);
    q35_tcg_hears_its_button: powers_off_when_asked(Q35_TCG);
    firecracker_hears_ctrl_alt_del: powers_off_when_asked(Vmm::Firecracker);
    cloud_hypervisor_hears_its_button: powers_off_when_asked(Vmm::CloudHypervisor);
    microvm_reboots_and_crashes: reboots_and_crashes(MICROVM, &[0]);
    microvm_tcg_reboots_and_crashes: reboots_and_crashes(MICROVM_TCG, &[0]);
    q35_tcg_reboots_and_crashes: reboots_and_crashes(Q35_TCG, &[0]);
    firecracker_reboots_and_crashes: reboots_and_crashes(Vmm::Firecracker, &[1, 0]);
    cloud_hypervisor_reboots_and_crashes: reboots_and_crashes(Vmm::CloudHypervisor, &[0]);
    microvm_hangs: hangs(MICROVM);
    firecracker_hangs: hangs(Vmm::Firecracker);
    cloud_hypervisor_hangs: hangs(Vmm::CloudHypervisor);
}

#[tokio::test]
async fn a_panic_is_told_to_pvpanic() {
    let Some(mut guest) = guest(PC_TCG, "").await else { return };
    assert_eq!(guest.ask("panic").await, "weft-tiny: panicking");
    // QEMU ends when its guest has panicked, unless told otherwise.
    assert_eq!(guest.ended().await.code(), Some(0));
}

#[tokio::test]
async fn what_is_restored_remembers() {
    let Some(mut guest) = guest(Vmm::Firecracker, "").await else { return };
    let generation = guest.ask("gen").await;
    assert_eq!(guest.ask("count").await, "count 1");
    guest.call("PATCH", "vm", json!({"state": "Paused"})).await;
    let (state, memory) = (guest.path("state"), guest.path("memory"));
    guest.put("snapshot/create", json!({"snapshot_path": state, "mem_file_path": memory})).await;

    let mut restored = Guest::start(Vmm::Firecracker, "").await.expect("it just could");
    let memory = json!({"backend_path": memory, "backend_type": "File"});
    let load = json!({"snapshot_path": state, "mem_backend": memory, "resume_vm": true});
    restored.put("snapshot/load", load).await;
    assert_eq!(restored.ask("gen").await, generation);
    assert_eq!(restored.ask("count").await, "count 2");
    assert_eq!(restored.ask("poweroff").await, "weft-tiny: powering off");
    assert_eq!(restored.ended().await.code(), Some(0));
}
