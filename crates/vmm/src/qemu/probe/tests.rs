//! What is read from QEMU's words, and how KVM is judged.

use super::*;

#[test]
fn versions_are_read_from_qemus_own_line() {
    let table = [
        ("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3)\nCopyright", Some(((7, 2), "7.2.22"))),
        ("QEMU emulator version 10.1.0\n", Some(((10, 1), "10.1.0"))),
        ("QEMU emulator version 6.2.0 (v6.2.0-dirty)", Some(((6, 2), "6.2.0"))),
        ("QEMU emulator version unknown", None),
        ("bash: no such file", None),
        ("", None),
    ];
    for (said, wanted) in table {
        let wanted = wanted.map(|(number, text)| (number, text.to_owned()));
        assert_eq!(read_version(said), wanted, "{said}");
    }
}

#[test]
fn kvm_is_judged_by_what_it_does() {
    assert_eq!(why_kvm_fails(Some(Ending::Code(85)), "warning: host doesn't support requested feature"), None);
    let slow = why_kvm_fails(None, "").expect("too slow");
    assert!(slow.contains("too slow"), "{slow}");
    let refused = "Could not access KVM kernel module: Permission denied\nqemu: failed to initialize kvm\n\n";
    let why = why_kvm_fails(Some(Ending::Code(1)), refused).expect("refused");
    assert_eq!(why, "KVM does not start: qemu: failed to initialize kvm");
}

#[test]
fn the_guest_begins_where_the_processor_does() {
    let image = counting_guest(10);
    assert_eq!(image.len(), 65_536);
    assert_eq!(image[2..6], 10u32.to_le_bytes());
    // A jump of three bytes back over 64 KiB: where it ends, and 0x000d further, is the start again.
    assert_eq!((0xFFF0 + 3 + 0x000D) % 65_536, 0);
}

#[test]
fn what_was_kept_is_read_for_the_same_key_only() {
    let folder = tempfile::tempdir().unwrap();
    let facts = Facts {
        program: "/usr/bin/qemu-system-x86_64".into(),
        version: "7.2.22".to_owned(),
        machines: vec!["microvm".to_owned(), "q35".to_owned()],
        devices: device_types(
            "Storage devices:\nname \"virtio-blk-pci\", bus PCI, alias \"virtio-blk\"\n\nname \"pc-dimm\", desc \"DIMM\"\n",
        ),
        sandbox: Sandbox::On,
        kvm_fails: Some("it is away".to_owned()),
    };
    cache::write(folder.path(), "one", &facts);
    assert_eq!(cache::read(folder.path(), "one").as_ref(), Some(&facts));
    assert_eq!(cache::read(folder.path(), "two"), None);
    std::fs::write(folder.path().join("qemu-found.json"), "{\"key\": \"one\"").unwrap();
    assert_eq!(cache::read(folder.path(), "one"), None);
    assert_eq!(facts.preferred(), Accelerator::Tcg);
    assert!(facts.has_device("virtio-blk-pci") && facts.has_device("pc-dimm") && !facts.has_device("virtio-blk"));
    assert!(facts.has(Machine::Q35) && !facts.has(Machine::Pc));
}

#[test]
fn a_program_that_is_not_there_is_named_with_where_it_was_looked_for() {
    let folder = tempfile::tempdir().unwrap();
    let mut config =
        Config { program: None, search: vec![folder.path().into()], cache_dir: folder.path().into(), tsc_khz: None };
    let said = find(&config).unwrap_err().to_string();
    assert!(said.contains(PROGRAM) && said.contains(&folder.path().display().to_string()), "{said}");
    // A file that may not be executed is no program.
    std::fs::write(folder.path().join(PROGRAM), "").unwrap();
    assert!(find(&config).is_err());
    std::fs::set_permissions(folder.path().join(PROGRAM), PermissionsExt::from_mode(0o755)).unwrap();
    assert_eq!(find(&config).unwrap(), folder.path().join(PROGRAM));
    config.program = Some("/nowhere/qemu".into());
    assert!(find(&config).unwrap_err().to_string().contains("/nowhere/qemu"));
}
