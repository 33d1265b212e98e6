//! What a point does in a build that is tested: it is counted, and the planned hit of it acts.

use super::Point;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes of one line of the file of counts.
const LINE: usize = 48;

/// What happens at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// The program ends as if by `kill -9`.
    Kill,
    /// The task that came there panics.
    Panic,
    /// The thread that came there tells its peer and goes on when the peer hangs up.
    Hold,
}

/// Which hit of which point acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// `None` for any point, all counted together.
    pub point: Option<Point>,
    /// The first hit is 1.
    pub nth: u64,
    /// What then happens.
    pub act: Act,
}

impl FromStr for Plan {
    type Err = String;

    /// Reads `point:nth:act`, with `*` for any point.
    fn from_str(text: &str) -> Result<Self, String> {
        let [point, nth, act] = text.split(':').collect::<Vec<_>>()[..] else {
            return Err(format!("`{text}` is not `point:nth:act`"));
        };
        let point = match point {
            "*" => None,
            name => Some(Point::ALL.iter().copied().find(|point| point.as_str() == name).ok_or_else(|| {
                let all: Vec<_> = Point::ALL.iter().map(|point| point.as_str()).collect();
                format!("no fault point is called `{name}`; there are {}", all.join(", "))
            })?),
        };
        let nth = nth.parse().ok().filter(|nth| *nth > 0).ok_or_else(|| format!("`{nth}` is not a count from 1"))?;
        let act = match act {
            "kill" => Act::Kill,
            "panic" => Act::Panic,
            "hold" => Act::Hold,
            _ => return Err(format!("`{act}` is not one of kill, panic, hold")),
        };
        Ok(Self { point, nth, act })
    }
}

/// What is armed.
#[derive(Debug)]
struct Armed {
    plans: Vec<Plan>,
    hits: Vec<AtomicU64>,
    all: AtomicU64,
    socket: Option<PathBuf>,
    counts: Option<File>,
}

static ARMED: OnceLock<Armed> = OnceLock::new();

/// Arms the points of this process, once. `socket` is where somebody listens to whom `hold` tells the
/// point; `counts` is a file that is kept up to date with how often each point was passed, and survives
/// us: a line for each, `name count`.
///
/// # Errors
/// The file of counts cannot be opened, or something was armed before.
pub fn arm(plans: Vec<Plan>, socket: Option<PathBuf>, counts: Option<&Path>) -> std::io::Result<()> {
    let open = |path| File::options().create(true).write(true).truncate(false).open(path);
    let counts = counts.map(open).transpose()?;
    let hits = Point::ALL.iter().map(|_| AtomicU64::new(0)).collect();
    let armed = Armed { plans, hits, all: AtomicU64::new(0), socket, counts };
    ARMED.set(armed).map_err(|_| std::io::Error::other("fault points are armed once"))
}

pub(super) fn hit(point: Point) {
    let Some(armed) = ARMED.get() else { return };
    let index = Point::ALL.iter().position(|other| *other == point).expect("every point is listed");
    let count = armed.hits[index].fetch_add(1, Ordering::Relaxed) + 1;
    let all = armed.all.fetch_add(1, Ordering::Relaxed) + 1;
    if let Some(file) = &armed.counts {
        let width = LINE - 1;
        let line = format!("{:<width$}\n", format!("{point} {count}"));
        // Of two threads that come here at once the lesser may be written last; a count is for coverage.
        let _ = file.write_all_at(line.as_bytes(), (index * LINE) as u64);
    }
    for plan in &armed.plans {
        if plan.nth == plan.point.map_or(all, |planned| if planned == point { count } else { 0 }) {
            act(plan.act, point, armed);
        }
    }
}

fn act(act: Act, point: Point, armed: &Armed) {
    match act {
        Act::Kill => {
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
            // Nothing of this thread happens any more, should another be the first to see the signal.
            loop {
                std::thread::park();
            }
        }
        Act::Panic => panic!("the fault point {point} was planned to panic"),
        Act::Hold => {
            let Some(mut peer) = armed.socket.as_ref().and_then(|path| UnixStream::connect(path).ok()) else { return };
            if peer.write_all(format!("{point}\n").as_bytes()).is_ok() {
                let _ = peer.read(&mut [0]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_read() {
        let plan = Plan { point: Some(Point::StoreCommitted), nth: 3, act: Act::Hold };
        assert_eq!("store.committed:3:hold".parse(), Ok(plan));
        assert_eq!("*:1:kill".parse(), Ok(Plan { point: None, nth: 1, act: Act::Kill }));
    }

    #[test]
    fn a_wrong_plan_is_refused_with_what_there_is() {
        for (text, why) in [
            ("", "is not `point:nth:act`"),
            ("nowhere:1:kill", "no fault point is called `nowhere`; there are journal.appending"),
            ("*:0:kill", "is not a count from 1"),
            ("*:1:dance", "is not one of kill, panic, hold"),
        ] {
            let said = text.parse::<Plan>().expect_err(text);
            assert!(said.contains(why), "{said}");
        }
    }
}
