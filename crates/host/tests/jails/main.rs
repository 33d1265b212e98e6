//! Jails on the real kernel: what is seen in them, what holds in them, and that nothing of them is left.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stdout, reason = "all of this is tests")]

mod ends;
mod held;
mod hostile;
mod networks;
mod room;
mod seen;
mod shown;
