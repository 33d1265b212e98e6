//! What rows are played on: a daemon, good and bad files under one allowed root, a VM in each phase.

use crate::wire::{Asked, Version, send};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use tempfile::TempDir;
use weft_domain::spec::Spec;
use weft_ports::api::{CreateMode, ListQuery, Nodes, Power as _, Removal, Vms};
use weft_testbed::daemon::Daemon;
use weft_testbed::guest::{call, draft, vm};
use weft_testbed::watch::by_name;

/// The stage.
pub(crate) struct Stage {
    pub(crate) daemon: Daemon,
    /// What `$NAME` in a row stands for.
    words: Vec<(&'static str, String)>,
    _folder: TempDir,
}

impl Stage {
    /// A daemon without VMs.
    pub(crate) async fn bare() -> Self {
        let folder = tempfile::Builder::new().prefix("weft-bad-").tempdir().expect("a temporary folder");
        let (root, outside) = (folder.path().join("root"), folder.path().join("outside"));
        let device = files(&root, &outside);
        let allowed = format!("paths.allowed_roots={}", root.display());
        let daemon = Daemon::start(&[&allowed]).expect("weft is up");
        let nodes = Nodes::list(&daemon.client(), &call(), &ListQuery::default()).await.expect("nodes");
        let words = [
            ("$ROOT", root.display().to_string()),
            ("$OUTSIDE", outside.display().to_string()),
            ("$DATA", daemon.data_dir().display().to_string()),
            ("$NODE", nodes.items[0].value.id.to_string()),
        ];
        let words = words.into_iter().chain(device.map(|device| ("$DEVICE", device))).collect();
        Self { daemon, words, _folder: folder }
    }

    /// The same with VMs: `made`, `runs` and `held`, and the id of one that was deleted.
    pub(crate) async fn furnished() -> Self {
        let mut stage = Self::bare().await;
        let weft = stage.daemon.client();
        let spec = || -> Spec { draft().check().expect("a lawful specification") };
        let gone = weft.create(&call(), vm("gone", spec(), CreateMode::Create)).await.expect("made");
        let removal = Removal { vm: by_name("gone"), etag: None, force: false, allow_missing: false };
        weft.delete(&call(), removal).await.expect("deleted");
        stage.make_once().await;
        for name in ["runs", "held"] {
            weft.create(&call(), vm(name, spec(), CreateMode::Boot)).await.expect("booted");
        }
        weft.pause(&call(), &by_name("held")).await.expect("paused");
        let made = Vms::get(&weft, &call(), &by_name("made")).await.expect("it was made");
        let page = ListQuery { page_size: 1, ..ListQuery::default() };
        let page = Vms::list(&weft, &call(), &page).await.expect("a page");
        stage.words.push(("$GONE", gone.value.meta.id.to_string()));
        stage.words.push(("$MADE", made.value.meta.id.to_string()));
        stage.words.push(("$TOKEN", page.next_page_token));
        stage
    }

    /// Makes a VM with a request id that rows use again.
    async fn make_once(&self) {
        let asked = Asked {
            version: Version::Http1,
            verb: "POST",
            path: "/weft.v1.VmService/CreateVm".to_owned(),
            headers: vec![("content-type", "application/json".to_owned())],
            body: r#"{"vm":{"name":"made"},"requestId":"made-once"}"#.into(),
        };
        let answer = send(self.daemon.api(), &asked).await.expect("an answer");
        assert_eq!(answer.status, 200, "{:?}", answer.body);
    }

    /// The text with what its words stand for; the word that this stage has not.
    pub(crate) fn say(&self, text: &str) -> Result<String, String> {
        let said = self.words.iter().fold(text.to_owned(), |text, (word, means)| text.replace(word, means));
        match said.find('$') {
            Some(at) => Err(said[at..].chars().take_while(|c| *c == '$' || c.is_ascii_uppercase()).collect()),
            None => Ok(said),
        }
    }

    /// The names of all VMs.
    pub(crate) async fn names(&self) -> Vec<String> {
        let list = Vms::list(&self.daemon.client(), &call(), &ListQuery::default()).await;
        list.expect("the server is still well").items.iter().map(|vm| vm.value.meta.name.to_string()).collect()
    }

    /// Whether KVM truly works here, as the node says.
    pub(crate) async fn has_kvm(&self) -> bool {
        let nodes = Nodes::list(&self.daemon.client(), &call(), &ListQuery::default()).await.expect("nodes");
        let kvm = weft_domain::capability::Feature::Accelerator(weft_domain::spec::Accelerator::Kvm);
        nodes.items.iter().any(|node| node.value.facts.drivers.iter().any(|driver| driver.features.contains(&kvm)))
    }
}

/// Makes the files, and a device where that is allowed.
fn files(root: &Path, outside: &Path) -> Option<String> {
    let twin = root.with_file_name("root-twin");
    for folder in [root, outside, &twin, &root.join("folder")] {
        std::fs::create_dir_all(folder).expect("a folder");
    }
    for file in [root.join("vmlinux"), root.join("disk"), outside.join("vmlinux"), twin.join("vmlinux")] {
        std::fs::write(file, [1; 4096]).expect("a file");
    }
    std::fs::write(root.join("empty"), []).expect("a file");
    for (name, mode) in [("closed", 0o000), ("protected", 0o444)] {
        std::fs::write(root.join(name), [1; 4096]).expect("a file");
        std::fs::set_permissions(root.join(name), PermissionsExt::from_mode(mode)).expect("a mode");
    }
    drop(UnixListener::bind(root.join("socket")).expect("a socket"));
    let links = [
        ("out", outside.join("vmlinux")),
        ("through", outside.to_owned()),
        ("dangling", root.join("absent")),
        ("circle", root.join("circle")),
    ];
    for (name, to) in links {
        symlink(to, root.join(name)).expect("a link");
    }
    let make = |name: &str, kind, device| {
        let mode = rustix::fs::Mode::from_raw_mode(0o666);
        rustix::fs::mknodat(rustix::fs::CWD, root.join(name), kind, mode, device)
    };
    make("pipe", rustix::fs::FileType::Fifo, 0).expect("a pipe");
    let device = make("device", rustix::fs::FileType::CharacterDevice, rustix::fs::makedev(1, 3));
    device.ok().map(|()| root.join("device").display().to_string())
}
