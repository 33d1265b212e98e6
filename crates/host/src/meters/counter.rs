//! Files of the kernel that hold counters: held open or opened for each reading, and what their text says.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

/// The longest text that is read.
const LONGEST: usize = 4096;

/// A file whose text is made anew each time it is read.
#[derive(Debug)]
pub(super) struct Counter {
    path: PathBuf,
    held: Option<File>,
}

impl Counter {
    /// The one at this path.
    pub(super) const fn at(path: PathBuf) -> Self {
        Self { path, held: None }
    }

    /// Whether the file is open: it is then that of the process that was there when it was opened.
    pub(super) const fn is_held(&self) -> bool {
        self.held.is_some()
    }

    /// Lets the file go.
    pub(super) fn let_go(&mut self) {
        self.held = None;
    }

    /// Reads from the text what is looked for; holds the file from then on, or lets it go.
    pub(super) fn read<T>(&mut self, hold: bool, look: impl FnOnce(&str) -> Option<T>) -> io::Result<T> {
        let mut buffer = [0; LONGEST];
        let file = match self.held.take() {
            Some(file) => file,
            None => File::open(&self.path)?,
        };
        let length = file.read_at(&mut buffer, 0)?;
        self.held = hold.then_some(file);
        let text = std::str::from_utf8(&buffer[..length]).ok();
        text.and_then(look).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
    }
}

/// The number after a word that begins a line.
pub(super) fn after(text: &str, word: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(word))?.split_ascii_whitespace().next()?.parse().ok()
}

/// The number in this place of the first line, counted from 0.
pub(super) fn field(text: &str, place: usize) -> Option<u64> {
    text.split_ascii_whitespace().nth(place)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found() {
        let text = "usage_usec 12\nuser_usec 7\nread_bytes: 4096\n";
        assert_eq!((after(text, "usage_usec "), after(text, "read_bytes:")), (Some(12), Some(4096)));
        assert_eq!((after(text, "write_bytes:"), after("usage_usec x", "usage_usec ")), (None, None));
        assert_eq!((field("1 22 333\n", 1), field("1", 1), field("-1", 0)), (Some(22), None, None));
    }

    #[test]
    fn a_file_is_held_only_as_long_as_it_may_be() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("usage");
        std::fs::write(&path, "5\n").unwrap();
        let mut counter = Counter::at(path.clone());
        let read = |counter: &mut Counter, hold| counter.read(hold, |text| field(text, 0)).ok();
        assert_eq!((read(&mut counter, true), counter.is_held()), (Some(5), true));
        std::fs::write(&path, "66\n").unwrap();
        assert_eq!(read(&mut counter, true), Some(66), "from its beginning each time");
        assert_eq!((read(&mut counter, false), counter.is_held()), (Some(66), false));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(read(&mut counter, false), None);
    }
}
