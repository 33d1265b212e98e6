//! Writes orders for the launcher; `launcher/order.rs` beside the crate's sources reads them.

use super::{MAX_FDS, Place, calls};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use std::io::{self, IoSlice, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use weft_ports::processes::{Access, Bind, Command, Jail, Net, Proc, Showing};

/// Sends an order with the descriptors that go along.
pub(super) fn send(socket: &mut UnixStream, fds: &[BorrowedFd<'_>], order: &[u8]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(io::Error::other("too many descriptors"));
    }
    let pieces = [IoSlice::new(&[0]), IoSlice::new(order)];
    let sent = rustix::net::sendmsg(&*socket, &pieces, &mut control, SendFlags::NOSIGNAL)?;
    socket.write_all(&order[sent.saturating_sub(1)..])
}

/// The descriptors that a command's program inherits.
pub(super) fn descriptors(command: &Command) -> Vec<BorrowedFd<'_>> {
    command.fds.iter().map(|(fd, _)| fd.as_fd()).collect()
}

#[derive(Default)]
struct Fields(Vec<u8>);

impl Fields {
    fn add(&mut self, tag: u8, bytes: &[u8]) -> io::Result<()> {
        let length = u32::try_from(bytes.len()).map_err(|_| io::Error::other("an argument is too long"))?;
        self.0.push(tag);
        self.0.extend_from_slice(&length.to_le_bytes());
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn number(&mut self, tag: u8, number: impl ToString) -> io::Result<()> {
        self.add(tag, number.to_string().as_bytes())
    }

    fn path(&mut self, tag: u8, path: &Path) -> io::Result<()> {
        self.add(tag, path.as_os_str().as_bytes())
    }

    fn user(&mut self, (uid, gid): (u32, u32)) -> io::Result<()> {
        self.number(b'u', uid)?;
        self.number(b'g', gid)
    }

    fn bind(&mut self, bind: &Bind) -> io::Result<()> {
        let access = match bind.access {
            Access::Read => b'r',
            Access::Write => b'w',
            Access::Execute => b'x',
        };
        let mut bytes = vec![access];
        bytes.extend_from_slice(bind.from.as_os_str().as_bytes());
        bytes.push(0);
        bytes.extend_from_slice(bind.to.as_os_str().as_bytes());
        self.add(b'b', &bytes)
    }

    fn jail(&mut self, jail: &Jail) -> io::Result<()> {
        self.user((jail.uid, jail.gid))?;
        self.path(b'r', &jail.root)?;
        match &jail.net {
            Net::Own => self.add(b'n', b"")?,
            Net::Named(path) => self.path(b'e', path)?,
            Net::Host => {}
        }
        match jail.proc {
            Proc::Own => self.add(b'p', b"")?,
            Proc::None => {}
        }
        for device in &jail.devices {
            self.bind(&Bind { from: device.clone(), to: device.clone(), access: Access::Write })?;
        }
        jail.binds.iter().try_for_each(|bind| self.bind(bind))?;
        let filters = calls::filters(jail.rings).map_err(io::Error::other)?;
        filters.iter().try_for_each(|filter| self.add(b's', filter))
    }

    fn end(mut self) -> io::Result<Vec<u8>> {
        self.add(b'E', b"")?;
        Ok(self.0)
    }
}

/// The order to become this command's program.
pub(super) fn launch(command: &Command, place: &Place<'_>) -> io::Result<Vec<u8>> {
    let mut fields = Fields::default();
    for procs in place.cgroups {
        fields.path(b'C', procs)?;
    }
    if let Some(files) = command.confinement.open_files {
        fields.number(b'N', files.min(i64::MAX.unsigned_abs()))?;
    }
    fields.number(b'O', place.oom_score)?;
    fields.path(b'L', &command.log)?;
    fields.path(b'D', &command.dir)?;
    fields.path(b'P', &command.program)?;
    for arg in &command.args {
        fields.add(b'A', arg.as_bytes())?;
    }
    for (_, number) in &command.fds {
        fields.number(b'F', number)?;
    }
    if let Some(jail) = &command.jail {
        fields.jail(jail)?;
    }
    fields.end()
}

/// The order to change what is seen in the jail of this user and group.
pub(super) fn visit(user: (u32, u32), showing: &Showing) -> io::Result<Vec<u8>> {
    let mut fields = Fields::default();
    fields.add(b'V', b"")?;
    fields.user(user)?;
    showing.admit.iter().try_for_each(|bind| fields.bind(bind))?;
    showing.expel.iter().try_for_each(|path| fields.path(b'X', path))?;
    fields.end()
}
