//! State of every format version that was released is opened by today's code, and that of the next is not.

use redb::{Database, TableDefinition};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use weft_domain::{Fault, Reason};
use weft_ports::store::Store;
use weft_testbed::corpus::{all, formats, holds, lay_out, make, open_journal, open_store};

const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");

fn newest() -> PathBuf {
    let all = all().expect("corpora");
    let of = |corpus: &PathBuf| std::fs::read_to_string(corpus.join("formats.json")).expect("formats");
    let is = |corpus: &PathBuf| serde_json::from_str::<serde_json::Value>(&of(corpus)).expect("JSON") == formats();
    all.into_iter().find(is).expect("today's formats have a corpus: `cargo xtask corpus` makes it")
}

/// Every file of a folder but locks, which say who looked last.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if !path.to_string_lossy().contains("lock") {
            found.insert(path.clone(), std::fs::read(&path).expect("read"));
        }
    }
    found
}

#[tokio::test]
async fn every_format_that_was_released_is_opened_and_all_is_there() {
    let corpora = all().expect("corpora");
    assert!(!corpora.is_empty());
    for corpus in corpora {
        let folder = tempfile::tempdir().expect("a folder");
        lay_out(&corpus, folder.path()).expect("it is whole");
        let wanted = std::fs::read_to_string(corpus.join("holds.txt")).expect("a list");
        for time in ["first", "second"] {
            let found = holds(folder.path()).await.unwrap_or_else(|why| panic!("{}: {why:#}", corpus.display()));
            assert_eq!(found, wanted, "{} opened for the {time} time", corpus.display());
        }
    }
}

#[tokio::test]
async fn todays_formats_have_a_corpus_and_none_is_written_again() {
    let newest = newest();
    let before = files(&newest);
    assert!(make(&newest).await.is_err());
    let again = weft_testbed::corpus::add(newest.parent().expect("a folder")).await;
    assert!(again.is_err_and(|why| why.to_string().contains("never written again")));
    assert_eq!(files(&newest), before);
    let other = tempfile::tempdir().expect("a folder");
    let made = weft_testbed::corpus::add(other.path()).await.expect("made");
    assert!(made.ends_with("1") && made.join("state.redb.gz").is_file());
}

/// Lays out today's corpus, changes it to what a newer weft would write, and looks that nothing touches it.
fn refused(change: impl FnOnce(&Path), open: impl FnOnce(&Path) -> Fault) {
    let folder = tempfile::tempdir().expect("a folder");
    lay_out(&newest(), folder.path()).expect("it is whole");
    change(folder.path());
    let before = files(folder.path());
    let fault = open(folder.path());
    assert_eq!(fault.reason, Reason::StoreNewer, "{fault}");
    assert!(fault.to_string().contains(&(weft_store::embedded::FORMAT + 1).to_string()), "{fault}");
    assert!(!fault.fix.is_empty());
    assert_eq!(files(folder.path()), before, "it is left as it was");
}

fn store_refuses(data_dir: &Path) -> Fault {
    open_store(data_dir).err().map(Fault::from).expect("a newer store is not opened")
}

#[test]
fn a_marker_of_the_next_format_is_refused_and_left() {
    let change = |data_dir: &Path| {
        let marker = data_dir.join("store/store");
        let text = std::fs::read_to_string(&marker).expect("read");
        let next = |format| format!("format {format}\n");
        let (now, next) = (next(weft_store::embedded::FORMAT), next(weft_store::embedded::FORMAT + 1));
        assert!(text.contains(&now));
        std::fs::write(marker, text.replace(&now, &next)).expect("written");
    };
    refused(change, store_refuses);
    refused(change, |data_dir| {
        weft_store::embedded::readable(&data_dir.join("store")).err().map(Fault::from).expect("refused")
    });
}

#[test]
fn a_state_of_the_next_format_is_refused_and_left() {
    let change = |data_dir: &Path| {
        let db = Database::open(data_dir.join("store/state.redb")).expect("opened");
        let txn = db.begin_write().expect("begun");
        let next = (weft_store::embedded::FORMAT + 1).to_be_bytes();
        txn.open_table(META).expect("a table").insert("format", &next[..]).expect("written");
        txn.commit().expect("committed");
    };
    refused(change, store_refuses);
}

#[test]
fn a_journal_of_the_next_format_is_refused_and_left() {
    let change = |data_dir: &Path| {
        let log = data_dir.join("journal/claims.log");
        let mut bytes = std::fs::read(&log).expect("read");
        bytes[12..16].copy_from_slice(&(weft_host::journal::FORMAT + 1).to_le_bytes());
        let sum = crc32fast::hash(&bytes[..16]);
        bytes[16..20].copy_from_slice(&sum.to_le_bytes());
        std::fs::write(log, bytes).expect("written");
    };
    refused(change, |data_dir| open_journal(data_dir).err().map(Fault::from).expect("not opened"));
    refused(change, |data_dir| {
        weft_host::journal::readable(&data_dir.join("journal")).err().map(Fault::from).expect("refused")
    });
}

#[tokio::test]
async fn a_backup_of_each_format_can_be_restored() {
    for corpus in all().expect("corpora") {
        let folder = tempfile::tempdir().expect("a folder");
        lay_out(&corpus, folder.path()).expect("it is whole");
        let store = open_store(folder.path()).expect("opened");
        let backup = folder.path().join("backup");
        store.backup(&backup).await.expect("a copy");
        store.close().await;
        let restored = folder.path().join("restored");
        let verified = weft_store::embedded::restore(&backup, &restored.join("store"), &weft_api::Records);
        assert!(verified.expect("a backup of it is one").revision > 0);
    }
}
