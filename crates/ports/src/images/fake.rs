//! Images in memory: one name, a path that need not exist, and a fault on demand.

use super::{Files, Images, Progress, Watcher};
use std::sync::{Mutex, PoisonError};
use weft_domain::{Fault, Reason};

/// A default image that is always ready.
#[derive(Debug, Default)]
pub struct Fake {
    fault: Mutex<Option<Fault>>,
}

impl Fake {
    /// From now on every preparation ends in this fault, or succeeds again.
    pub fn fail(&self, fault: Option<Fault>) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }
}

#[async_trait::async_trait]
impl Images for Fake {
    fn names(&self) -> Vec<String> {
        vec!["default".into()]
    }

    async fn ensure(&self, name: &str, watcher: Watcher) -> Result<Files, Fault> {
        if name != "default" {
            return Err(Fault::new(Reason::FieldInvalid, format!("there is no image {name:?}"))
                .fix("ask for the image `default`"));
        }
        if let Some(fault) = self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            return Err(fault);
        }
        watcher(Progress { stage: "ready".into(), permille: 1000 });
        Ok(Files {
            title: "default (fake)".into(),
            kernel: "/image/vmlinux".into(),
            initramfs: Some("/image/initramfs".into()),
            cmdline: "console=ttyS0".into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_conforms() {
        crate::images::conformance::all(&Fake::default()).await;
    }
}
