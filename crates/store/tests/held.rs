//! One folder, one process: the second is told who the first is.

use std::sync::Arc;
use weft_domain::{Fault, Reason};
use weft_ports::store::Store;
use weft_ports::store::fake::Text;
use weft_store::embedded::{self, Config};

#[tokio::test]
async fn the_second_is_told_who_the_first_is() {
    let dir = tempfile::tempdir().expect("a folder");
    let config = Config { reserve_bytes: 0, ..Config::at(dir.path()) };
    let first = embedded::open(config.clone(), Arc::new(Text)).expect("a store opens");
    let refused = embedded::open(config.clone(), Arc::new(Text)).err().map(Fault::from).expect("it is held");
    assert_eq!(refused.reason, Reason::StoreHeld);
    let pid = format!("process {} ", std::process::id());
    assert!(refused.message.contains(&pid), "{}", refused.message);
    assert!(!refused.fix.is_empty());

    first.close().await;
    let second = embedded::open(config.clone(), Arc::new(Text)).expect("a closed store lets go");
    drop(second);
    embedded::open(config, Arc::new(Text)).expect("a dropped store lets go");
}

#[test]
fn whoever_only_looks_refuses_nobody() {
    let dir = tempfile::tempdir().expect("a folder");
    let config = Config { reserve_bytes: 0, ..Config::at(dir.path()) };
    drop(embedded::open(config.clone(), Arc::new(Text)).expect("a store opens"));
    let glance = std::fs::File::open(dir.path().join("lock")).expect("it is there");
    glance.lock_shared().expect("nobody holds it");
    let looking = std::thread::spawn(move || {
        // why: a look takes an instant, in which the other has begun to open.
        std::thread::sleep(std::time::Duration::from_millis(5));
        drop(glance);
    });
    embedded::open(config, Arc::new(Text)).expect("it is waited for");
    looking.join().expect("it ends");
}
