//! What every implementation of the images port is put through.

use super::{Images, Progress, Watcher, unwatched};
use std::sync::{Arc, Mutex};
use weft_domain::Kind;

/// Puts images through the laws of the port; the image that is named first can be prepared.
///
/// # Panics
/// Where a law does not hold.
pub async fn all(images: &dyn Images) {
    let names = images.names();
    let name = names.first().expect("there is an image");
    one_answer_for_all(images, name).await;
    progress_only_grows(images, name).await;
    unknown_names_are_refused(images).await;
}

async fn one_answer_for_all(images: &dyn Images, name: &str) {
    let gave_up = futures::poll!(images.ensure(name, unwatched()));
    drop(gave_up);
    let answers = futures::future::join_all((0..8).map(|_| images.ensure(name, unwatched()))).await;
    let first = answers[0].clone().expect("it can be prepared");
    for answer in answers {
        assert_eq!(answer.as_ref(), Ok(&first), "callers at the same time share one preparation");
    }
    assert_eq!(images.ensure(name, unwatched()).await, Ok(first), "again is the same");
}

async fn progress_only_grows(images: &dyn Images, name: &str) {
    let seen: Arc<Mutex<Vec<Progress>>> = Arc::default();
    let told = Arc::clone(&seen);
    let watcher: Watcher = Arc::new(move |progress| told.lock().expect("nobody panics here").push(progress));
    images.ensure(name, watcher).await.expect("it can be prepared");
    let seen = seen.lock().expect("nobody panics here");
    assert!(seen.is_sorted_by_key(|progress| progress.permille), "{seen:?}");
    assert!(seen.iter().all(|progress| progress.permille <= 1000), "{seen:?}");
}

async fn unknown_names_are_refused(images: &dyn Images) {
    for name in ["", "no-such-image", "../default"] {
        let fault = images.ensure(name, unwatched()).await.expect_err("there is no such image");
        assert_eq!(fault.kind(), Kind::InvalidArgument, "{fault}");
    }
}
