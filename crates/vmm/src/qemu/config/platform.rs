//! What the guest reads about its machine, and the parts of it that are neither disk nor interface.

use super::{Blueprint, Bus, Line, escaped};
use crate::qemu::Error;
use serde_json::json;
use weft_domain::spec::{Draft, Machine, Platform};

/// The UUID that the guest reads.
pub(super) fn uuid<'a>(blueprint: &'a Blueprint<'_>, instance: &'a str) -> &'a str {
    let asked = blueprint.order.spec.platform.as_ref().and_then(|platform| platform.uuid.as_deref());
    // The id without the prefix that tells its kind.
    asked.unwrap_or_else(|| instance.split_once('-').map_or(instance, |(_, uuid)| uuid))
}

pub(super) fn smbios(platform: &Platform, line: &mut Line) {
    let fields = [
        ("manufacturer", &platform.manufacturer),
        ("product", &platform.product),
        ("version", &platform.version),
        ("serial", &platform.serial_number),
        ("sku", &platform.sku),
        ("family", &platform.family),
    ];
    let told: String =
        fields.iter().filter_map(|(name, value)| Some(format!(",{name}={}", doubled(value.as_ref()?)))).collect();
    if !told.is_empty() {
        line.option("-smbios", format!("type=1{told}"));
    }
    if let Some(tag) = &platform.asset_tag {
        line.option("-smbios", format!("type=3,asset={}", doubled(tag)));
    }
    let strings: String = platform.oem_strings.iter().map(|text| format!(",value={}", doubled(text))).collect();
    if !strings.is_empty() {
        line.option("-smbios", format!("type=11{strings}"));
    }
}

/// A text within a list of options, where a comma would begin the next.
fn doubled(text: &str) -> String {
    text.replace(',', ",,")
}

/// Whether anything of it sits behind a virtual IOMMU.
pub(in crate::qemu) fn wants_iommu(draft: &Draft) -> bool {
    draft.disks.iter().any(|disk| disk.iommu)
        || draft.nics.iter().any(|nic| nic.iommu)
        || draft.devices.iter().any(|device| device.iommu)
        || draft.rng.as_ref().is_some_and(|rng| rng.iommu)
        || draft.vsock.is_some_and(|vsock| vsock.iommu)
        || draft.console.iommu
}

/// The IOMMU, which must be there before what sits behind it.
pub(super) fn iommu(draft: &Draft, line: &mut Line) {
    if wants_iommu(draft) {
        let mut device = json!({"driver": "intel-iommu", "intremap": "off"});
        let bits = draft.platform.as_ref().map_or(0, |platform| platform.iommu_address_bits);
        if bits > 0 {
            device["aw-bits"] = json!(bits);
        }
        line.json("-device", &device);
    }
}

/// The watchdog, the TPM, and the number by which a guest finds that it has become another machine.
pub(super) fn add(blueprint: &Blueprint<'_>, bus: &mut Bus, line: &mut Line) -> Result<(), Error> {
    let spec = &blueprint.order.spec;
    if spec.watchdog {
        line.json("-device", &bus.root(json!({"driver": "i6300esb", "id": "watchdog"})));
        line.option("-action", "watchdog=reset");
    }
    if let Some(socket) = &spec.tpm {
        line.option("-chardev", format!("socket,id=tpm-socket,path={}", escaped(socket)?));
        line.option("-tpmdev", "emulator,id=tpm,chardev=tpm-socket");
        line.json("-device", &json!({"driver": "tpm-tis", "tpmdev": "tpm"}));
    }
    if blueprint.chosen.machine != Machine::Microvm {
        line.json("-device", &json!({"driver": "vmgenid", "guid": "auto"}));
    }
    Ok(())
}
