//! The order as it comes over the socket: fields of a tag, a length and bytes, the last of them empty.
//!
//! What always holds: an order that is cut short, or has a field that is not known here, is none.

use super::UnixStream;
use std::ffi::OsString;
use std::io::{self, Read};
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// What sort of order it is.
#[derive(Default, Clone, Copy)]
pub(crate) enum Task {
    /// Become a program.
    #[default]
    Launch,
    /// Change what is seen in the jail of a process, whose descriptor is the only one that came along.
    Visit,
}

/// What is to be done, as it was sent.
#[derive(Default)]
pub(crate) struct Order {
    pub(crate) task: Task,
    pub(crate) cgroups: Vec<OsString>,
    pub(crate) open_files: Option<u64>,
    pub(crate) oom_score: Option<i32>,
    pub(crate) log: OsString,
    pub(crate) dir: OsString,
    pub(crate) program: OsString,
    pub(crate) args: Vec<OsString>,
    pub(crate) numbers: Vec<RawFd>,
    pub(crate) jail: Option<Jail>,
    /// What is to be taken away, with a visit.
    pub(crate) expelled: Vec<PathBuf>,
}

/// A jail to be built, or the one that is visited.
#[derive(Default)]
pub(crate) struct Jail {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) root: PathBuf,
    pub(crate) own_net: bool,
    /// The file that is the network namespace to be entered.
    pub(crate) named_net: Option<PathBuf>,
    pub(crate) own_proc: bool,
    pub(crate) binds: Vec<Bind>,
    /// Programs for the kernel's filter of system calls, in the order in which they are loaded.
    pub(crate) filters: Vec<Vec<u8>>,
}

/// What may be done with a bind.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
    Execute,
}

/// One thing of the host that is seen inside.
pub(crate) struct Bind {
    pub(crate) access: Access,
    pub(crate) from: PathBuf,
    pub(crate) to: PathBuf,
}

fn malformed(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn number<T: std::str::FromStr>(bytes: &[u8]) -> io::Result<T> {
    std::str::from_utf8(bytes).ok().and_then(|text| text.parse().ok()).ok_or_else(|| malformed("no number"))
}

/// `r`, `w` or `x`, the path on the host, a zero, the path inside.
fn bind(bytes: &[u8]) -> io::Result<Bind> {
    let (access, paths) = bytes.split_first().ok_or_else(|| malformed("an empty bind"))?;
    let access = match access {
        b'r' => Access::Read,
        b'w' => Access::Write,
        b'x' => Access::Execute,
        _ => return Err(malformed("an unknown access")),
    };
    let mut parts = paths.split(|byte| *byte == 0).map(|part| PathBuf::from(OsString::from_vec(part.to_vec())));
    match (parts.next(), parts.next(), parts.next()) {
        (Some(from), Some(to), None) => Ok(Bind { access, from, to }),
        _ => Err(malformed("a bind of another number of paths than two")),
    }
}

/// Reads one whole order.
pub(crate) fn read(socket: &mut UnixStream) -> io::Result<Order> {
    let mut order = Order::default();
    // Nothing follows an order before it is answered, so what is read ahead is lost to nobody.
    let mut socket = io::BufReader::new(socket);
    loop {
        let mut head = [0; 5];
        socket.read_exact(&mut head)?;
        let length = u32::from_le_bytes([head[1], head[2], head[3], head[4]]);
        let mut bytes = Vec::new();
        let got = (&mut socket).take(u64::from(length)).read_to_end(&mut bytes)?;
        if got as u64 != u64::from(length) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if head[0] == b'E' {
            return Ok(order);
        }
        order.take(head[0], bytes)?;
    }
}

impl Order {
    fn take(&mut self, tag: u8, bytes: Vec<u8>) -> io::Result<()> {
        match tag {
            b'C' => self.cgroups.push(OsString::from_vec(bytes)),
            b'N' => self.open_files = Some(number(&bytes)?),
            b'O' => self.oom_score = Some(number(&bytes)?),
            b'L' => self.log = OsString::from_vec(bytes),
            b'D' => self.dir = OsString::from_vec(bytes),
            b'P' => self.program = OsString::from_vec(bytes),
            b'A' => self.args.push(OsString::from_vec(bytes)),
            b'F' => self.numbers.push(number(&bytes)?),
            b'V' => self.task = Task::Visit,
            b'X' => self.expelled.push(OsString::from_vec(bytes).into()),
            _ => self.jail.get_or_insert_default().take(tag, bytes)?,
        }
        Ok(())
    }
}

impl Jail {
    fn take(&mut self, tag: u8, bytes: Vec<u8>) -> io::Result<()> {
        match tag {
            b'u' => self.uid = number(&bytes)?,
            b'g' => self.gid = number(&bytes)?,
            b'r' => self.root = OsString::from_vec(bytes).into(),
            b'n' => self.own_net = true,
            b'e' => self.named_net = Some(OsString::from_vec(bytes).into()),
            b'p' => self.own_proc = true,
            b'b' => self.binds.push(bind(&bytes)?),
            b's' => self.filters.push(bytes),
            _ => return Err(malformed("an unknown field")),
        }
        Ok(())
    }
}
