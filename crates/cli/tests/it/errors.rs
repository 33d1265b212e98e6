//! Errors as people read them.

use weft_cli::{Exit, report_fault};
use weft_domain::{Fault, Reason, Violation};

#[test]
fn what_why_try() {
    let violation = |field: &str, why: &str| Violation { field: field.to_owned(), why: why.to_owned() };
    let two = vec![
        violation("vm.spec.memory.size_bytes", "is 4194304; it must be from 8388608 to 17592186044416"),
        violation("vm.spec.disks[1].path", "must be an absolute path"),
    ];
    let faults = [
        Fault::new(Reason::VmNotFound, "there is no VM demo in project default"),
        Fault::new(Reason::PhaseForbids, "cannot boot a VM that is PAUSED").fix("resume it"),
        Fault::field(Reason::FieldInvalid, "vm.spec.memory.size_bytes", "is 4; it must be from 8388608"),
        Fault::from_violations(Reason::FieldInvalid, two).unwrap(),
        Fault::new(Reason::Away, "nobody listens at http://127.0.0.1:8080"),
        Fault::new(Reason::DeadlinePassed, "not done within 30s"),
        Fault::internal("the record cannot be read"),
    ];
    let mut text = Vec::new();
    for fault in &faults {
        assert_eq!(report_fault(&mut text, fault), Exit::of(fault.kind()));
        text.push(b'\n');
    }
    insta::assert_snapshot!(String::from_utf8(text).unwrap());
}
