//! What can go wrong while an image is prepared, and how that is told.

use crate::unpack;
use std::path::{Path, PathBuf};
use weft_domain::{Fault, Kind, Reason};

/// What went wrong while an image was prepared.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no image of this name.
    #[error("there is no image {name:?}")]
    NameUnknown {
        /// The name that was asked.
        name: String,
    },
    /// A file or folder could not be used.
    #[error("cannot {act} {}", path.display())]
    File {
        /// What was tried.
        act: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the host said.
        #[source]
        source: std::io::Error,
    },
    /// A program is not installed.
    #[error("the program {program} is not installed")]
    ProgramMissing {
        /// Its name.
        program: String,
    },
    /// A program failed.
    #[error("{program} failed: {said}")]
    ProgramFailed {
        /// Its name.
        program: String,
        /// Its last words.
        said: String,
    },
    /// A program took too long.
    #[error("{program} did not end within {seconds} s")]
    ProgramSlow {
        /// Its name.
        program: String,
        /// How long it was given.
        seconds: u64,
    },
    /// weft is closing.
    #[error("weft is closing")]
    Closing,
    /// No package of this name is known to the host.
    #[error("the package {package} is not known to this host")]
    PackageUnknown {
        /// The package.
        package: String,
    },
    /// A package or a host has no kernel that fits.
    #[error("no usable kernel was found in {place}")]
    NoKernel {
        /// Where was looked.
        place: String,
    },
    /// A kernel lacks what the guest needs.
    #[error("Linux {version} has no {module}")]
    KernelUnfit {
        /// The kernel's version.
        version: String,
        /// The module that is missing.
        module: &'static str,
    },
    /// A kernel or module could not be unpacked.
    #[error("cannot unpack {}", path.display())]
    Unpack {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There is no BusyBox that runs without libraries and has what the guest needs.
    #[error("no statically linked BusyBox with {lacks} was found")]
    NoBusybox {
        /// The applet that the one found lacks, or the word for any.
        lacks: String,
    },
    /// The preparation ended without an answer.
    #[error("the preparation ended without an answer")]
    Lost,
}

impl Error {
    pub(crate) fn file(act: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { act, path, source }
    }

    pub(crate) fn unpack(path: &Path) -> impl FnOnce(unpack::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Unpack { path, source: Box::new(source) }
    }

    /// The machine-readable reason.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::NameUnknown { .. } => Reason::FieldInvalid,
            Self::File { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => Reason::DiskExhausted,
            Self::File { .. } => Reason::HostRefused,
            Self::ProgramMissing { .. } => Reason::ProgramMissing,
            Self::ProgramFailed { .. }
            | Self::ProgramSlow { .. }
            | Self::PackageUnknown { .. }
            | Self::NoKernel { .. }
            | Self::KernelUnfit { .. }
            | Self::Unpack { .. }
            | Self::NoBusybox { .. } => Reason::ImageUnavailable,
            Self::Closing => Reason::Away,
            Self::Lost => Reason::Bug,
        }
    }

    /// The kind, by the reason.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.reason().kind()
    }

    fn fix(&self) -> String {
        let own = "or give your own kernel and root with `--kernel PATH --initramfs PATH`";
        match self {
            Self::NameUnknown { .. } => "ask for the image `default`".into(),
            Self::File { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                "free at least 400 MB in weft's cache folder".into()
            }
            Self::File { .. } => "look at the owner and mode of weft's cache folder".into(),
            Self::ProgramMissing { program } => {
                let package = if program.starts_with("apt") { "apt" } else { "dpkg" };
                format!("install {package} (Debian and Ubuntu hosts have it), {own}")
            }
            Self::ProgramFailed { .. } | Self::ProgramSlow { .. } => {
                format!("see that `apt-get update` works on this host and try again, {own}")
            }
            Self::PackageUnknown { .. } | Self::NoKernel { .. } | Self::KernelUnfit { .. } | Self::Unpack { .. } => {
                format!("install the package linux-image-cloud-amd64, {own}")
            }
            Self::NoBusybox { .. } => format!("install the package busybox-static, {own}"),
            Self::Closing => "try again when weft runs".into(),
            Self::Lost => "look in weft's log for the cause, and report it".into(),
        }
    }
}

impl From<&Error> for Fault {
    fn from(error: &Error) -> Self {
        let plain = matches!(error, Error::NameUnknown { .. } | Error::Closing);
        let what = if plain {
            error.to_string()
        } else {
            format!("the default image cannot be prepared: {error}{}", causes(error))
        };
        Self::new(error.reason(), what).fix(error.fix())
    }
}

fn causes(error: &Error) -> String {
    let mut text = String::new();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_as_such() {
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        let fault = Fault::from(&Error::file("write", Path::new("/cache/vmlinux"))(full));
        assert_eq!(fault.reason, Reason::DiskExhausted);
        assert!(fault.message.contains("/cache/vmlinux"), "{fault}");
        assert!(fault.fix.contains("free"), "{}", fault.fix);
    }

    #[test]
    fn a_missing_program_says_what_to_do() {
        let fault = Fault::from(&Error::ProgramMissing { program: "apt-get".into() });
        assert_eq!(fault.kind(), Kind::FailedPrecondition);
        assert!(fault.fix.contains("--kernel PATH --initramfs PATH"), "{}", fault.fix);
    }
}
