//! Manifests as people write them.

use super::Documents;
use crate::sample;
use proptest::prelude::*;
use weft_domain::object::{Revision, Stored};
use weft_domain::{Fault, Reason};
use weft_ports::documents::{Document, Documents as _, Form, Item};

fn read(text: &str) -> Result<Vec<Document>, Fault> {
    Documents.read(text)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_was_written_of_a_vm_is_a_manifest(value in sample::instance()) {
        let vm = Stored { value, revision: Revision(4) };
        for form in [Form::Json, Form::Yaml] {
            let text = Documents.write(Item::Vm(&vm), form);
            let documents = read(&text).map_err(|f| TestCaseError::fail(format!("{f:?}\n{text}")))?;
            let [Document::Vm(new)] = documents.as_slice() else { panic!("one VM was written") };
            prop_assert_eq!(&new.spec, &vm.value.spec);
            prop_assert_eq!(new.name.as_ref(), Some(&vm.value.meta.name));
            prop_assert_eq!(&new.annotations, &vm.value.meta.annotations);
            let list = Documents.write_list(&[Item::Vm(&vm), Item::Vm(&vm)], form);
            prop_assert_eq!(read(&list).unwrap().len(), 2);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        let _ = read(&text);
    }
}

#[test]
fn many_documents_in_one_text() {
    let yaml = "---\nkind: Vm\nname: a\nspec:\n  cpu: {boot: 2}\n  memory: {size_bytes: 134217728}\n---\n# nothing\n---\nkind: Vm\napiVersion: weft/v1\nname: b\n";
    let documents = read(yaml).unwrap();
    let names: Vec<String> = documents.iter().map(|Document::Vm(vm)| vm.name.clone().unwrap().to_string()).collect();
    assert_eq!(names, ["a", "b"]);
    let json = r#"{"kind":"Vm","name":"a"} {"kind":"Vm","name":"b"}"#;
    assert_eq!(read(json).unwrap().len(), 2);
    assert_eq!(read(r#"[{"kind":"Vm","name":"a"},{"kind":"Vm","name":"b"}]"#).unwrap().len(), 2);
}

#[test]
fn refusals_name_the_document_and_the_field() {
    let second = |text: &str| format!("kind: Vm\nname: a\n---\n{text}");
    let table = [
        ("", Reason::BodyMalformed, None, "the text has no document"),
        (&second("name: b"), Reason::FieldRequired, Some("kind"), "document 2: kind"),
        (&second("kind: Pod"), Reason::FieldInvalid, Some("kind"), "document 2: kind"),
        (&second("kind: Vm\nspec: {memroy: {}}"), Reason::FieldUnknown, Some("spec.memroy"), "did you mean memory?"),
        (
            &second("kind: Vm\nspec: {cpu: {boot: 0, max: 1}}"),
            Reason::FieldInvalid,
            Some("spec.cpu.boot"),
            "document 2: spec.cpu.boot",
        ),
        (&second("kind: Vm\nspec: {disks: [{}]}"), Reason::FieldRequired, Some("spec.disks[0]"), "document 2"),
        (&second("kind: [\n"), Reason::BodyMalformed, None, "document 2"),
        (&second("apiVersion: v1\nkind: Vm"), Reason::FieldInvalid, Some("apiVersion"), "document 2"),
        ("just text", Reason::BodyMalformed, None, "document 1"),
        ("{\"kind\": \"Vm\",}", Reason::BodyMalformed, None, "document 1"),
        ("kind: Vm\nname: 5\n", Reason::FieldInvalid, Some("name"), "must be text"),
    ];
    for (text, reason, field, says) in table {
        let fault = read(text).unwrap_err();
        assert_eq!(fault.reason, reason, "{text}: {fault:?}");
        assert_eq!(fault.violations.first().map(|v| v.field.as_str()), field, "{text}");
        assert!(fault.message.contains(says), "{says:?} in {:?}", fault.message);
        assert!(!fault.fix.is_empty());
    }
}

#[test]
fn identity_comes_first() {
    let event = Documents.write(
        Item::Event(&weft_domain::event::Event {
            id: weft_domain::EventId::from_bytes([1; 16]),
            at: weft_domain::Time::from_millis(1_700_000_000_000),
            project: weft_domain::Name::default_project(),
            instance: None,
            instance_name: None,
            node: None,
            severity: weft_domain::event::Severity::Normal,
            reason: "Created".into(),
            message: "it is so".into(),
            phase: None,
        }),
        Form::Yaml,
    );
    let keys: Vec<&str> = event.lines().filter_map(|l| l.split_once(':')).map(|(k, _)| k).collect();
    assert_eq!(keys, ["kind", "project", "id", "message", "reason", "severity", "time"]);
    assert!(event.contains("time: 2023-11-14T22:13:20Z") || event.contains("time: '2023-11-14T22:13:20Z'"), "{event}");
}
