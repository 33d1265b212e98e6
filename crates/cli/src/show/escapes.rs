//! Escape sequences in what guests wrote: a terminal obeys them, and answers some.

/// Sequences longer than this are none.
const LONGEST: usize = 64;

/// A line that others wrote, without escape sequences and control characters.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut clean = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' if chars.next_if_eq(&'[').is_some() => {
                // Parameters and intermediates, up to the one that ends the sequence.
                while chars.next_if(|c| (' '..='?').contains(c)).is_some() {}
                chars.next_if(|c| ('@'..='~').contains(c));
            }
            '\t' => clean.push(' '),
            c if c.is_control() => {}
            c => clean.push(c),
        }
    }
    clean
}

/// Takes questions out of what is shown again: the terminal would answer them into the caller's input, long
/// after the guest has asked. All else passes.
#[derive(Debug, Default)]
pub struct Unasked {
    held: Vec<u8>,
}

impl Unasked {
    /// What passes of these bytes; the beginning of a sequence is held until its end is seen.
    pub fn pass(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut passed = Vec::with_capacity(bytes.len());
        for byte in bytes {
            match (self.held.as_slice(), byte) {
                (_, 0x1b) => {
                    passed.append(&mut self.held);
                    self.held.push(*byte);
                }
                ([], _) => passed.push(*byte),
                ([0x1b], b'[') => self.held.push(*byte),
                ([0x1b, b'[', ..], b' '..=b'?') if self.held.len() < LONGEST => self.held.push(*byte),
                // Status, attributes and window reports.
                ([0x1b, b'[', ..], b'n' | b'c' | b't') => self.held.clear(),
                _ => {
                    passed.append(&mut self.held);
                    passed.push(*byte);
                }
            }
        }
        passed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn others_text_moves_no_cursor() {
        for (text, clean) in [
            ("a\u{1b}[2Jb\tc\r\n", "ab c"),
            ("/ # \u{1b}[6nls", "/ # ls"),
            ("\u{1b}[1;31mred\u{1b}[0m", "red"),
            ("\u{1b}", ""),
            ("\u{1b}[", ""),
        ] {
            assert_eq!(printable(text), clean);
        }
    }

    #[test]
    fn questions_are_taken_out_and_colours_stay() {
        let mut unasked = Unasked::default();
        assert_eq!(unasked.pass(b"/ # \x1b[6"), b"/ # ");
        assert_eq!(unasked.pass(b"nls \x1b[31mred\x1b[0m\x1b[c\x1bM"), b"ls \x1b[31mred\x1b[0m\x1bM");
    }

    proptest! {
        #[test]
        fn without_escapes_all_passes(bytes in proptest::collection::vec(0u8..0x1b, 0..64)) {
            prop_assert_eq!(Unasked::default().pass(&bytes), bytes);
        }
    }
}
