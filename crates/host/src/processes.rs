//! Processes that outlive us: launched into a session and cgroup of their own, found again by claim.
//!
//! ```text
//!  launch   cgroup ─► launcher (born) ─► order over a socket ─► becomes the program ─► socket closes
//!           with a jail, a sibling is born into it and becomes the program
//!  find     /proc/*/environ and our cgroups, of this scope
//!  ended    pidfd ─► code or signal of a child, the mere end of another; out of memory by the cgroup
//! ```
//!
//! What always holds: a process is signalled through a descriptor that was opened before its identity
//! was looked at, so never another that got its pid; a child is reaped as soon as somebody waits for its end,
//! at the latest when its claim is cleared; dropping this ends nothing but processes whose launch nobody waited for.

mod cgroup;
mod endings;
mod jail;
mod launcher;
pub(crate) mod search;
mod start;
pub(crate) mod stat;

use crate::Error;
use crate::error::blocking;
use cgroup::Tree;
use endings::Endings;
use launcher::{Launcher, Place};
use std::ffi::OsString;
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use weft_domain::{ClaimId, Fault};
use weft_ports::fault::{self, Point};
use weft_ports::processes::{Alive, Cgroups, Command, Confinement, Ending, Hold, Processes, Showing, Signal};

/// A process that was killed is gone within this, or the host is in trouble.
const DEATH: Duration = Duration::from_secs(10);
/// How often a cgroup's removal is tried, and the first pause between.
const REMOVALS: u32 = 12;
const PAUSE: Duration = Duration::from_millis(1);

/// What must be known to launch processes.
#[derive(Debug, Clone)]
pub struct Config {
    /// Keeps apart what several data folders on one machine launch: 1 to 64 of `a-z`, `0-9` and `-`.
    pub scope: String,
    /// A folder of ours, for the launcher where it cannot be executed from memory.
    pub run_dir: PathBuf,
    /// The `PATH` that programs are given.
    pub path: OsString,
    /// How readily the kernel chooses a process when memory is short, at least: -1000 to 1000.
    pub oom_score_adj: i32,
    /// Users besides ours whose processes are believed what their variables say: those of jails. Anybody
    /// may write anything into those of his own.
    pub users: RangeInclusive<u32>,
}

impl Config {
    /// The usual settings for this data folder; every user is believed.
    #[must_use]
    pub fn of(data_dir: &Path, run_dir: &Path) -> Self {
        Self {
            scope: scope_of(data_dir),
            run_dir: run_dir.to_owned(),
            path: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".into(),
            oom_score_adj: 0,
            users: 0..=u32::MAX,
        }
    }
}

/// The first namespace of processes, as the kernel always names it.
const FIRST: &str = "pid:[4026531836]";

/// A scope that is the same for one data folder each time and another for each folder. A host sees the
/// processes of its containers, and the folders of those may be named as its own: in a container, whose
/// processes end with its namespace, that counts too.
#[must_use]
pub fn scope_of(data_dir: &Path) -> String {
    let path = std::fs::canonicalize(data_dir).unwrap_or_else(|_| data_dir.to_owned());
    let namespace = std::fs::read_link("/proc/self/ns/pid").ok().filter(|namespace| namespace != Path::new(FIRST));
    scope_in(&path, namespace.as_deref())
}

fn scope_in(path: &Path, namespace: Option<&Path>) -> String {
    let mut bytes = path.as_os_str().as_encoded_bytes().to_vec();
    if let Some(namespace) = namespace {
        bytes.push(0);
        bytes.extend(namespace.as_os_str().as_encoded_bytes());
    }
    let mut salted = crc32fast::Hasher::new_with_initial(0x7765_6674);
    salted.update(&bytes);
    format!("{:08x}{:08x}", crc32fast::hash(&bytes), salted.finalize())
}

/// The processes of this machine that bear claims of one scope.
#[derive(Debug)]
pub struct Linux {
    config: Arc<Config>,
    launcher: Arc<Launcher>,
    tree: Arc<Tree>,
    boot_id: Arc<str>,
    endings: Endings,
    /// Set when a jail could be made here.
    jails: Arc<OnceLock<()>>,
    /// One visit at a time: each looks at places before it makes them.
    visiting: tokio::sync::Mutex<()>,
}

/// Makes the launcher ready and finds the cgroups of this host.
///
/// # Errors
/// A scope or score that cannot be, a host without `/proc`, a run folder that cannot be written.
pub fn open(config: Config) -> Result<Linux, Error> {
    let lawful = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if config.scope.is_empty() || config.scope.len() > 64 || !config.scope.bytes().all(lawful) {
        let why = format!("must be 1 to 64 of a-z, 0-9 and '-', not {:?}", config.scope);
        return Err(Error::Setting { name: "scope", why });
    }
    if !(-1000..=1000).contains(&config.oom_score_adj) {
        let why = format!("must be between -1000 and 1000, not {}", config.oom_score_adj);
        return Err(Error::Setting { name: "oom_score_adj", why });
    }
    let boot_id: Arc<str> = stat::boot_id().map_err(|error| Error::host("read the boot id", error))?.into();
    let launcher = Arc::new(Launcher::prepare(&config.run_dir)?);
    let tree = Arc::new(cgroup::detect(&config.scope));
    let endings = Endings::new(Arc::clone(&tree), config.scope.as_str().into(), Arc::clone(&boot_id));
    let (config, jails, visiting) = (Arc::new(config), Arc::default(), tokio::sync::Mutex::default());
    Ok(Linux { config, launcher, tree, boot_id, endings, jails, visiting })
}

impl Linux {
    /// Whether the launcher is executed from memory; else from the run folder.
    #[must_use]
    pub fn launches_from_memory(&self) -> bool {
        self.launcher.in_memory()
    }

    /// What keeps apart what several data folders launch, and whom to believe.
    pub(crate) fn config(&self) -> &Arc<Config> {
        &self.config
    }

    /// Our folder in each tree of cgroups.
    pub(crate) fn cgroup_folders(&self) -> &[PathBuf] {
        self.tree.folders()
    }

    /// Everything that bears this claim, by its variables and by its cgroup.
    ///
    /// To look at all processes takes longer the more there are, so it is done only where one may be outside.
    async fn bearers(&self, claim: ClaimId) -> Result<Vec<Alive>, Error> {
        let confined = self.endings.is_confined(claim);
        let (tree, boot_id, config) = (Arc::clone(&self.tree), Arc::clone(&self.boot_id), Arc::clone(&self.config));
        blocking(move || {
            let all = if confined { Ok(Vec::new()) } else { search::bearers(&config, &boot_id) };
            let all = all.map_err(|error| Error::host("read /proc", error))?;
            let mut found: Vec<_> =
                all.into_iter().filter(|bearer| bearer.claim == claim).map(|bearer| bearer.alive).collect();
            let members = tree.members(claim).into_iter().filter_map(|pid| search::living(pid, &boot_id));
            for (alive, _) in members {
                if !found.contains(&alive) {
                    found.push(alive);
                }
            }
            Ok(found)
        })
        .await
    }

    fn send(&self, alive: &Alive, signal: Signal) -> Result<(), Error> {
        let number = match signal {
            Signal::Terminate => rustix::process::Signal::TERM,
            Signal::Kill => rustix::process::Signal::KILL,
        };
        let held = endings::held(alive, &self.boot_id);
        let held = held.map_err(|error| Error::host(format!("hold process {}", alive.pid), error))?;
        let Some(pidfd) = held else { return Ok(()) };
        fault::hit(Point::ProcessSignalling);
        match rustix::process::pidfd_send_signal(&pidfd, number) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(error) => Err(Error::host(format!("signal process {}", alive.pid), error)),
        }
    }

    async fn visit(&self, alive: &Alive, showing: Showing) -> Result<(), Error> {
        if alive.boot_id != *self.boot_id {
            return if showing.admit.is_empty() { Ok(()) } else { Err(Error::NotJailed { pid: alive.pid }) };
        }
        let (launcher, alive) = (Arc::clone(&self.launcher), alive.clone());
        let _alone = self.visiting.lock().await;
        blocking(move || jail::visit(&launcher, &alive, &showing)).await
    }

    async fn end(&self, alive: &Alive) -> Result<Option<Ending>, Error> {
        // Watched first, so that how it ends is seen.
        let ending = self.endings.of(alive);
        tokio::pin!(ending);
        tokio::select! {
            biased;
            ending = &mut ending => return Ok(Some(ending)),
            () = std::future::ready(()) => {}
        }
        self.send(alive, Signal::Kill)?;
        Ok(tokio::time::timeout(DEATH, ending).await.ok())
    }

    async fn end_bearers(&self, claim: ClaimId) -> Result<(), Error> {
        for _ in 0..REMOVALS {
            let tree = Arc::clone(&self.tree);
            blocking(move || {
                tree.kill(claim);
                Ok(())
            })
            .await?;
            // Those that are not in the cgroup, or not yet, and those that still have to be waited for.
            let left = self.bearers(claim).await?;
            if left.is_empty() {
                return Ok(());
            }
            for alive in left {
                if self.end(&alive).await?.is_none() {
                    return Err(Error::Undying { claim, why: format!("process {} is still there", alive.pid) });
                }
            }
        }
        Err(Error::Undying { claim, why: "it starts new processes faster than they can be killed".to_owned() })
    }

    async fn remove_cgroup(&self, claim: ClaimId) -> Result<(), Error> {
        let mut pause = PAUSE;
        let mut last = None;
        for _ in 0..REMOVALS {
            let tree = Arc::clone(&self.tree);
            match blocking(move || Ok(tree.remove(claim))).await? {
                Ok(()) => return Ok(()),
                // The kernel lets go of a cgroup a moment after its last process.
                Err(error) if error.kind() == io::ErrorKind::ResourceBusy => last = Some(error),
                Err(error) => return Err(Error::host(format!("remove the cgroup of {claim}"), error)),
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        let why = last.map_or_else(String::new, |error| format!("its cgroup cannot be removed: {error}"));
        Err(Error::Undying { claim, why })
    }
}

impl Drop for Linux {
    fn drop(&mut self) {
        self.tree.retire();
    }
}

#[async_trait::async_trait]
impl Processes for Linux {
    fn cgroups(&self) -> (Cgroups, Option<String>) {
        self.tree.told()
    }

    fn boot_id(&self) -> String {
        self.boot_id.to_string()
    }

    fn jails(&self) -> Result<(), String> {
        jail::able(&self.jails, &self.launcher)
    }

    async fn launch(&self, command: Command) -> Result<Alive, Fault> {
        let (launcher, tree) = (Arc::clone(&self.launcher), Arc::clone(&self.tree));
        let (config, boot_id) = (Arc::clone(&self.config), Arc::clone(&self.boot_id));
        let claim = command.claim;
        let jails = Arc::clone(&self.jails);
        let started = blocking(move || {
            if command.jail.is_some() {
                jail::able(&jails, &launcher).map_err(|why| Error::NoJail { why })?;
            }
            let place = Place {
                scope: Some(&config.scope),
                boot_id: &boot_id,
                path_variable: &config.path,
                cgroups: &[],
                oom_score: config.oom_score_adj,
            };
            start::begin(&launcher, tree, &command, &place)
        })
        .await?;
        let (alive, pidfd) = started.take();
        fault::hit(Point::ProcessLaunched);
        if let Some(pidfd) = pidfd {
            self.endings.watch_launched(&alive, claim, pidfd);
        }
        Ok(alive)
    }

    fn lives(&self, alive: &Alive) -> bool {
        let same = |stat: stat::Stat| stat.start_ticks == alive.start_ticks && stat.is_living();
        // One that cannot be looked at now is not taken for dead: it would be buried alive.
        alive.boot_id == *self.boot_id && stat::look(alive.pid).map_or(true, |stat| stat.is_some_and(same))
    }

    async fn find(&self) -> Result<Vec<(ClaimId, Alive)>, Fault> {
        let (tree, boot_id, config) = (Arc::clone(&self.tree), Arc::clone(&self.boot_id), Arc::clone(&self.config));
        let found = blocking(move || {
            let by_variables = search::bearers(&config, &boot_id);
            let by_variables = by_variables.map_err(|error| Error::host("read /proc", error))?;
            // A process in the middle of becoming its program has no variables for an instant.
            let mut by_cgroup = Vec::new();
            for claim in tree.claims().map_err(|error| Error::host("read the cgroups", error))? {
                tree.thaw(claim);
                let members = tree.members(claim).into_iter().filter_map(|pid| search::living(pid, &boot_id));
                by_cgroup.extend(members.map(|(alive, leads)| search::Bearer { claim, alive, leads }));
            }
            Ok(search::one_per_claim(by_variables, by_cgroup))
        });
        Ok(found.await?)
    }

    async fn ended(&self, alive: &Alive) -> Ending {
        self.endings.of(alive).await
    }

    async fn signal(&self, alive: &Alive, signal: Signal) -> Result<(), Fault> {
        Ok(self.send(alive, signal)?)
    }

    async fn kill(&self, alive: &Alive) -> Result<Ending, Fault> {
        let gone = self.end(alive).await?;
        fault::hit(Point::ProcessEnded);
        Ok(gone.ok_or_else(|| Error::Host {
            act: format!("end process {}", alive.pid),
            source: io::Error::new(io::ErrorKind::TimedOut, "it was killed and is still there"),
        })?)
    }

    async fn clear(&self, claim: ClaimId) -> Result<(), Fault> {
        self.end_bearers(claim).await?;
        self.remove_cgroup(claim).await?;
        self.endings.forget(claim);
        Ok(())
    }

    async fn show(&self, alive: &Alive, showing: Showing) -> Result<(), Fault> {
        Ok(self.visit(alive, showing).await?)
    }

    async fn hold(&self, claim: ClaimId, alive: &Alive, limits: &Confinement) -> Result<Hold, Fault> {
        // The kernel answers at once, so no thread is asked for it.
        if !self.lives(alive) {
            return Ok(Hold::Inside);
        }
        if self.tree.holds(claim, alive.pid, limits) {
            self.endings.confines(alive, claim);
            return Ok(Hold::Inside);
        }
        let (tree, pid, limits) = (Arc::clone(&self.tree), alive.pid, limits.clone());
        blocking(move || tree.take_in(claim, pid, &limits)).await?;
        Ok(Hold::PutBack)
    }

    async fn confined(&self) -> Result<Vec<ClaimId>, Fault> {
        let tree = Arc::clone(&self.tree);
        Ok(blocking(move || tree.claims().map_err(|error| Error::host("read the cgroups", error))).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_domain::Reason;
    use weft_ports::processes::conformance::{self, sleeper};

    #[tokio::test]
    async fn what_cannot_be_confined_is_not_started() {
        let dir = tempfile::tempdir().unwrap();
        let mut linux = open(Config::of(dir.path(), dir.path())).unwrap();
        linux.tree.retire();
        linux.tree = Arc::new(Tree::broken());
        let command = sleeper(dir.path());
        let log = command.log.clone();
        let fault = linux.launch(command).await.unwrap_err();
        assert_eq!(fault.reason, Reason::HostRefused, "{fault:?}");
        assert!(fault.message.contains("make a cgroup"), "{fault:?}");
        assert!(!log.exists());
        assert_eq!(linux.find().await.unwrap(), vec![]);
    }

    #[tokio::test]
    async fn the_unified_hierarchy_keeps_the_laws_too() {
        let dir = tempfile::tempdir().unwrap();
        let mut linux = open(Config::of(dir.path(), dir.path())).unwrap();
        let Some(tree) = Tree::unified_here(&linux.config.scope) else {
            println!("skipped: no unified hierarchy in which this user may make cgroups");
            return;
        };
        linux.tree.retire();
        linux.tree = Arc::new(tree);
        conformance::all(&linux, dir.path()).await;
        let script = "for n in $(seq 200); do sleep 1000 & done; wait";
        let forking = conformance::command(dir.path(), "/bin/sh", &["-c", script]);
        let claim = forking.claim;
        let alive = linux.launch(forking).await.unwrap();
        while linux.tree.members(claim).len() < 20 {
            tokio::task::yield_now().await;
        }
        linux.clear(claim).await.unwrap();
        assert!(!linux.lives(&alive));
        assert_eq!(linux.find().await.unwrap(), vec![]);
    }

    #[tokio::test]
    async fn what_forks_without_end_is_cleared() {
        let dir = tempfile::tempdir().unwrap();
        let linux = open(Config::of(dir.path(), dir.path())).unwrap();
        let mut forking = conformance::command(dir.path(), "/bin/sh", &["-c", "while :; do sleep 1000 & done"]);
        forking.confinement.pids = Some(64);
        let claim = forking.claim;
        if linux.cgroups().0 == Cgroups::None {
            println!("skipped: {}", linux.cgroups().1.unwrap_or_default());
            return;
        }
        linux.launch(forking).await.unwrap();
        while linux.tree.members(claim).len() < 20 {
            tokio::task::yield_now().await;
        }
        linux.clear(claim).await.unwrap();
        assert_eq!(linux.find().await.unwrap(), vec![]);
    }

    #[test]
    fn scopes_differ_by_folder_and_stay() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        assert_eq!(scope_of(one.path()), scope_of(&one.path().join(".")));
        assert_ne!(scope_of(one.path()), scope_of(two.path()));
        assert_eq!(scope_of(Path::new("/no/such/folder")).len(), 16);
        let folder = Path::new("/var/lib/weft");
        let [host, a, b] = [None, Some("pid:[1]"), Some("pid:[2]")].map(|it| scope_in(folder, it.map(Path::new)));
        assert!(host != a && a != b, "a folder of the same name in a container is another");
        assert_eq!(host, "2d5fefd5a56b94b4", "what runs is found by the next weft");
    }
}
