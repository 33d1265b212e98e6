//! A room for tests of jails: a folder with what a shell needs, and where it may write.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use weft_host::processes::{Config, Linux, open};
use weft_ports::processes::{Access, Bind, Command, Ending, Jail, Net, Proc, Processes, Rings, Showing, conformance};

/// A folder with an empty root and a folder that is `/out` inside, closed to all but its owner.
pub(crate) struct Room {
    dir: PathBuf,
    user: u32,
    /// Removes the folder in the end, where it is ours.
    _dir: Option<tempfile::TempDir>,
}

pub(crate) fn opened(dir: &Path) -> Linux {
    open(Config::of(dir, dir)).unwrap()
}

/// Whether nothing can be jailed here, which is then said.
pub(crate) fn skips(linux: &Linux) -> bool {
    linux.jails().inspect_err(|why| println!("skipped: {why}")).is_err()
}

/// Waits until this holds.
pub(crate) async fn until(holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting).await.expect("it comes to hold");
}

impl Room {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let dir = tempfile::tempdir().unwrap();
        for name in ["root", "out"] {
            fs::create_dir(dir.path().join(name)).unwrap();
            fs::set_permissions(dir.path().join(name), fs::Permissions::from_mode(0o700)).unwrap();
        }
        Self { user: 61_000 + COUNT.fetch_add(1, Ordering::Relaxed), dir: dir.path().to_owned(), _dir: Some(dir) }
    }

    /// A room that another has made.
    pub(crate) fn at(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), user: 61_000, _dir: None }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn out(&self, name: &str) -> PathBuf {
        self.dir.join("out").join(name)
    }

    /// The jail's user and group.
    pub(crate) fn user(&self) -> (u32, u32) {
        (self.user, self.user + 1000)
    }

    /// A command that runs this script in a jail.
    pub(crate) fn shell(&self, script: &str) -> Command {
        let folders = ["/bin", "/lib", "/lib64", "/usr"].into_iter().map(PathBuf::from).filter(|path| path.exists());
        let mut binds: Vec<_> =
            folders.map(|path| Bind { from: path.clone(), to: path, access: Access::Execute }).collect();
        binds.push(Bind { from: self.path().join("out"), to: "/out".into(), access: Access::Write });
        let (uid, gid) = self.user();
        let jail = Jail {
            uid,
            gid,
            root: self.path().join("root"),
            binds,
            devices: vec!["/dev/null".into()],
            net: Net::Own,
            proc: Proc::None,
            rings: Rings::None,
        };
        let command = conformance::command(self.path(), "/bin/sh", &["-c", script]);
        Command { dir: "/".into(), jail: Some(jail), ..command }
    }

    /// A command that runs this test, one that is ignored otherwise, in a jail.
    pub(crate) fn test(&self, name: &str) -> Command {
        let mut order = self.shell("");
        order.program = "/program".into();
        order.args = ["--exact", name, "--ignored", "--nocapture"].map(Into::into).into();
        let program = std::env::current_exe().unwrap();
        order.jail.as_mut().unwrap().binds.push(bind(&program, "/program", Access::Execute));
        order
    }

    /// What it said until it ended.
    pub(crate) async fn said(&self, linux: &Linux, order: Command) -> String {
        let (claim, log) = (order.claim, order.log.clone());
        let alive = linux.launch(order).await.unwrap();
        let ending = linux.ended(&alive).await;
        linux.clear(claim).await.unwrap();
        let said = String::from_utf8_lossy(&fs::read(log).unwrap()).into_owned();
        assert_eq!(ending, Ending::Code(0), "{said}");
        said
    }

    /// Whether the root is as empty as it was, with nothing mounted on it or elsewhere in the room.
    pub(crate) fn leaves_nothing(&self) {
        fs::remove_dir(self.path().join("root")).unwrap();
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        assert!(!mounts.contains(self.path().to_str().unwrap()), "{mounts}");
    }
}

/// A bind.
pub(crate) fn bind(from: &Path, to: &str, access: Access) -> Bind {
    Bind { from: from.into(), to: to.into(), access }
}

/// These are seen from now on.
pub(crate) fn admitting(binds: Vec<Bind>) -> Showing {
    Showing { admit: binds, expel: Vec::new() }
}

/// Nothing is seen there from now on.
pub(crate) fn expelling(paths: Vec<PathBuf>) -> Showing {
    Showing { admit: Vec::new(), expel: paths }
}

/// A file's text, with lines for what ends in zeros.
pub(crate) fn read(path: impl AsRef<Path>) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap()).replace('\0', "\n")
}
