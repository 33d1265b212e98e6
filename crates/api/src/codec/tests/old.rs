//! Records as the first release wrote them, before there were snapshots and further devices: they are read
//! for as long as format 1 is.

use super::super::Records;
use weft_domain::instance::{Desired, Power, StopHow};
use weft_domain::object::{Answer, Object, Revision, Sort};
use weft_domain::spec::{Balloon, Disk, DiskSource, Machine, Vsock};
use weft_domain::{Instance, Phase};
use weft_ports::codec::Codec as _;

const INSTANCE: &str = "7765667401000100c9eefd600a27766d2d30316131656535362d356537622d373130312d383130312d30313031303130313031303112 \
    037765621a0764656661756c74220d0a0474696572120566726f6e743003420b08c08df6d70610c0a9d33a4a0b08c08df6d70610c0a9 \
    d33a5a99010a046175746f2204080210042a0e088080808002420608808040100132091a0764656661756c743a1a0a04726f6f741210 \
    2f696d616765732f726f6f742e72617738013a100a04646174611a06088080808004380142240a046e69633012090a07080110ae1118 \
    163a1135323a35343a30303a31323a33343a35364a020805520208015a0e0a0c2f6465762f7572616e646f6d62020807780162550805 \
    1003224f0a28696e632d30316131656535362d356537622d373330332d383330332d303330333033303330333033109221180220012a \
    0b08c08df6d70610c0a9d33a320b71656d7520372e322e3232380340026a0a0802100218012a020814722d0a296e6f64652d30316131 \
    656535362d356537622d373230322d383230322d3032303230323032303230321001";

const ANSWER: &str = "77656674010003007c1c0c5f0a200505050505050505050505050505050505050505050505050505050505050505120b08c08df6d706 \
    10c0a9d33a1a90030a27766d2d30316131656535362d356537622d373130312d383130312d3031303130313031303130311203776562 \
    1a0764656661756c74220d0a0474696572120566726f6e743003420b08c08df6d70610c0a9d33a4a0b08c08df6d70610c0a9d33a5a99 \
    010a046175746f2204080210042a0e088080808002420608808040100132091a0764656661756c743a1a0a04726f6f7412102f696d61 \
    6765732f726f6f742e72617738013a100a04646174611a06088080808004380142240a046e69633012090a07080110ae1118163a1135 \
    323a35343a30303a31323a33343a35364a020805520208015a0e0a0c2f6465762f7572616e646f6d620208077801625508051003224f \
    0a28696e632d30316131656535362d356537622d373330332d383330332d303330333033303330333033109221180220012a0b08c08d \
    f6d70610c0a9d33a320b71656d7520372e322e3232380340026a0a0802100218012a020814722d0a296e6f64652d3031613165653536 \
    2d356537622d373230322d383230322d30323032303230323032303210012009";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(pair).collect()
}

fn is_as_it_was(it: &Instance) {
    assert_eq!((it.meta.name.as_str(), it.meta.generation, it.status.phase), ("web", 3, Phase::Running));
    let spec = &it.spec;
    assert_eq!((spec.cpu.boot, spec.cpu.max, spec.memory.size_bytes), (2, 4, 512 << 20));
    assert_eq!(spec.memory.balloon, Some(Balloon { deflate_on_oom: true, ..Balloon::new(1 << 20) }));
    let disks = [
        Disk::new("root", DiskSource::Path("/images/root.raw".into())),
        Disk::new("data", DiskSource::Blank { size_bytes: 1 << 30 }),
    ];
    assert_eq!(spec.disks, disks);
    assert_eq!(spec.vsock, Some(Vsock { cid: 7, pci_segment: 0, iommu: false }));
    assert!(spec.devices.is_empty() && spec.platform.is_none() && !spec.watchdog);
    let stop = StopHow::Graceful { timeout: std::time::Duration::from_secs(20) };
    assert_eq!(it.desired, Desired { power: Power::On, boot_epoch: 2, reboot_epoch: 1, stop, ..Desired::default() });
    let running = it.status.running.as_ref().expect("it runs");
    assert_eq!((running.pid, running.machine, running.jail), (4242, Machine::Q35, None));
    assert_eq!((running.applied_generation, running.resets), (0, 0));
    assert!(it.status.restart_required.is_empty());
}

#[test]
fn an_instance_is_still_read() {
    let Ok(Object::Instance(it)) = Records.decode(Sort::Instance, &bytes(INSTANCE)) else { panic!("not read") };
    is_as_it_was(&it);
}

#[test]
fn an_answer_is_still_read() {
    let Ok(Object::Request(answered)) = Records.decode(Sort::Request, &bytes(ANSWER)) else { panic!("not read") };
    assert_eq!((answered.body, answered.revision), ([5; 32], Revision(9)));
    let Answer::Instance(it) = &answered.answer else { panic!("another answer") };
    is_as_it_was(it);
}
