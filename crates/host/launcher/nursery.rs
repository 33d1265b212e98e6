//! The nursery: a launcher that stays, small, and gives birth to one for each order instead of being executed
//! for each.
//!
//! ```text
//!  call      the claim, a zero, the scope; with them one end of a socket    newborn    over that socket:
//!            to its parent, whose child it is       "B" pid (u32 LE), then it takes an order like any other
//! ```
//!
//! A fresh copy of this is made with a few pages; a program that is executed from one that is large, with
//! thousands of descriptors, has all of those copied and closed again.
//!
//! What always holds: a newborn bears its claim before it tells that it is there, and so before it has an
//! order; the nursery itself bears none; it ends when nobody can call it any more.

use crate::kernel;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

/// The word by which the launcher is told to stay.
pub(crate) const WORD: &str = "nursery";
/// The longest call.
const LONGEST: usize = 256;

/// Serves calls; answers the socket of a newborn there, and nothing here when there will be no more calls.
pub(crate) fn serve(calls: UnixStream) -> io::Result<Option<UnixStream>> {
    // The same socket is its standard input, and no newborn is to have that.
    kernel::duplicate_to(File::open("/dev/null")?.as_raw_fd(), 0)?;
    kernel::new_session()?;
    loop {
        let mut call = [0; LONGEST];
        let (length, mut fds) = match kernel::hear(&calls, &mut call) {
            Ok((0, _)) => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            heard => heard?,
        };
        let Some(mut socket) = fds.pop().map(UnixStream::from) else { continue };
        match kernel::deliver() {
            Ok(Some(_)) => {}
            Ok(None) => {
                drop(calls);
                begin(&call[..length], &mut socket)?;
                return Ok(Some(socket));
            }
            Err(error) => {
                let errno = error.raw_os_error().unwrap_or(0);
                // Who called may have gone; then nobody misses it.
                let _ = socket.write_all(format!("Fbegin a process\0{errno}\0{error}").as_bytes());
            }
        }
    }
}

/// The first that a newborn does.
fn begin(call: &[u8], socket: &mut UnixStream) -> io::Result<()> {
    let mut parts = call.split(|byte| *byte == 0);
    let (claim, scope) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if !(kernel::write_over("WEFT_CLAIM", claim) && kernel::write_over("WEFT_SCOPE", scope)) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the call is of another form"));
    }
    let mut told = [b'B', 0, 0, 0, 0];
    told[1..].copy_from_slice(&std::process::id().to_le_bytes());
    socket.write_all(&told)
}
