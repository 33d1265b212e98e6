//! A visit: changes what is seen in the jail of a living process, from its mount namespace.
//!
//! What always holds: what comes in is taken on the host before the namespace is entered, and the launcher
//! ends when the visit does.

use super::files::{Own, Taker};
use super::order::Order;
use super::{Failure, at, kernel};
use std::io;
use std::os::fd::OwnedFd;

/// Pays it: takes on the host, enters, hides, shows.
pub(crate) fn pay(order: &Order, fds: Vec<OwnedFd>) -> Result<(), Failure> {
    let malformed = || io::Error::new(io::ErrorKind::InvalidData, "no jail, or no process");
    let jail = order.jail.as_ref().ok_or_else(malformed).map_err(at("read its order"))?;
    let process = fds.first().ok_or_else(malformed).map_err(at("read its order"))?;
    let mut taker = Taker::new(jail.uid, jail.gid);
    let taken = jail.binds.iter().map(|bind| taker.take(bind)).collect::<Result<Vec<_>, _>>()?;
    kernel::enter_mounts_of(process).map_err(at("enter the jail"))?;
    kernel::umask(0o022);
    let own = Own::look(jail.gid).map_err(at("look at its root"))?;
    for path in &order.expelled {
        own.hide(path).map_err(at(format!("hide {}", path.display())))?;
    }
    taken.iter().try_for_each(|taken| own.show(taken))
}
