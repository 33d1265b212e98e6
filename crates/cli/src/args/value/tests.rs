//! Tables of what is read and what is refused.

use super::*;
use proptest::prelude::*;
use weft_domain::spec::{Attachment, DiskFormat, DiskSource};

#[test]
fn sizes() {
    for (text, bytes_) in [
        ("512M", 512 << 20),
        ("512MiB", 512 << 20),
        ("512 mib", 512 << 20),
        ("2G", 2 << 30),
        ("2Gi", 2 << 30),
        ("1.5GiB", 3 << 29),
        ("64k", 64 << 10),
        ("1T", 1 << 40),
        ("100B", 100),
        ("0M", 0),
    ] {
        assert_eq!(bytes(text), Ok(bytes_), "{text}");
    }
    for (text, why) in [
        ("512", "a unit is missing"),
        ("", "a unit is missing"),
        ("512MB", "mean 1000 to some"),
        ("many", "not a size"),
        ("-1M", "not a size"),
        ("M", "not a whole number"),
        ("1.0.0M", "not a whole number"),
        ("1.0001B", "not a whole number"),
        ("99999999999999999999M", "not a whole number"),
        ("18446744073709551615T", "not a whole number"),
    ] {
        let refused = bytes(text).expect_err(text);
        assert!(refused.contains(why) && refused.contains("512MiB"), "{text}: {refused}");
    }
}

#[test]
fn spans() {
    for (text, millis) in [("500ms", 500), ("30s", 30_000), ("2m", 120_000), ("1h30m", 5_400_000)] {
        assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
    }
    for (text, why) in [("30", "a unit"), ("", "a unit"), ("soon", "not a span"), ("-1s", "negative")] {
        let refused = duration(text).expect_err(text);
        assert!(refused.contains(why) && refused.contains("30s"), "{text}: {refused}");
    }
}

#[test]
fn disks() {
    let disk_ = disk("path=/srv/a.img,format=qcow2,ro,root,serial=abc").expect("a right disk");
    assert_eq!(disk_.source, DiskSource::Path("/srv/a.img".into()));
    assert!(disk_.read_only && disk_.root && disk_.format == DiskFormat::Qcow2);
    assert_eq!(disk("size=1G").expect("a right disk").source, DiskSource::Blank { size_bytes: 1 << 30 });
    for (text, why) in [
        ("", "a part is empty"),
        ("/srv/a.img", "\"/srv/a.img\" is not known"),
        ("ro", "give path=FILE"),
        ("path=", "path needs a value"),
        ("path", "path needs a value"),
        ("path=/a,size=1G", "only one is allowed"),
        ("size=1", "size: a unit is missing"),
        ("path=/a,format=vmdk", "format is raw or qcow2, not \"vmdk\""),
        ("path=/a,ro=yes", "ro takes no value"),
        ("path=/a,queues=x", "queues: \"x\" is not a number"),
        ("path=/a,,ro", "a part is empty"),
    ] {
        let refused = disk(text).expect_err(text);
        assert!(refused.contains(why), "{text}: {refused}");
    }
}

#[test]
fn interfaces() {
    let nic_ = nic("user,forward=tcp:2222:22,forward=udp:53:53,mac=52:54:00:12:34:56").expect("a right nic");
    let Attachment::User { forwards } = nic_.attachment else { panic!("a user nic") };
    assert_eq!(forwards.len(), 2);
    assert_eq!((forwards[0].host_port, forwards[0].guest_port), (2222, 22));
    assert_eq!(nic("tap=tap0,mtu=9000").expect("a right nic").mtu, 9000);
    for (text, why) in [
        ("", "a part is empty"),
        ("bridge=br0", "\"bridge\" is not known"),
        ("mac=52:54:00:12:34:56", "give user, network=NAME"),
        ("user,tap=t0", "only one is allowed"),
        ("user=yes", "user takes no value"),
        ("tap", "tap needs a value"),
        ("user,forward=2222:22", "such as tcp:2222:22"),
        ("user,forward=tcp:0:22", "such as tcp:2222:22"),
        ("user,forward=tcp:70000:22", "such as tcp:2222:22"),
        ("user,forward=tcp:1:2:3", "such as tcp:2222:22"),
        ("tap=t0,forward=tcp:1:2", "only for user interfaces"),
        ("user,mac=01:00:00:00:00:00", "unicast"),
        ("user,ip=here", "not an address"),
        ("user,mtu=big", "not a number"),
    ] {
        let refused = nic(text).expect_err(text);
        assert!(refused.contains(why), "{text}: {refused}");
    }
}

#[test]
fn small_words() {
    assert_eq!(escape("^]"), Ok(Escape(Some(0x1d))));
    assert_eq!(escape("^a"), Ok(Escape(Some(1))));
    assert_eq!(escape("none"), Ok(Escape(None)));
    for bad in ["", "]", "^", "^é", "^1", "^]x"] {
        assert!(escape(bad).is_err(), "{bad}");
    }
    assert_eq!(tail("100"), Ok(Tail::Lines(100)));
    assert_eq!(tail("64K"), Ok(Tail::Bytes(65_536)));
    assert!(tail("-1").is_err());
    assert_eq!(label_edit("a=b"), Ok(LabelEdit::Set("a".into(), "b".into())));
    assert_eq!(label_edit("a=b-"), Ok(LabelEdit::Set("a".into(), "b-".into())));
    assert_eq!(label_edit("a-"), Ok(LabelEdit::Remove("a".into())));
    for bad in ["", "-", "a", "=b"] {
        assert!(label_edit(bad).is_err(), "{bad}");
    }
    assert_eq!(goal("running"), Ok(Goal::Phase(Phase::Running)));
    assert_eq!(goal("gone"), Ok(Goal::Gone));
    assert_eq!(goal("Ready"), Ok(Goal::Condition("Ready".into())));
    assert!(goal("asleep").expect_err("no goal").contains("RUNNING"));
    assert_eq!(listen("8080"), Ok("127.0.0.1:8080".parse().expect("an address")));
    assert_eq!(listen(":8080"), listen("localhost:8080"));
    assert_eq!(listen("[::1]:80"), Ok("[::1]:80".parse().expect("an address")));
    for bad in ["", "here", "127.0.0.1", "70000"] {
        assert!(listen(bad).is_err(), "{bad}");
    }
    assert!(request_id("").is_err() && request_id(&"x".repeat(129)).is_err() && request_id("x").is_ok());
}

proptest! {
    #[test]
    fn no_word_panics(text in ".{0,40}") {
        let _ = (bytes(&text), duration(&text), disk(&text), nic(&text), tail(&text));
        let _ = (escape(&text), label_edit(&text), listen(&text), goal(&text));
    }
}
