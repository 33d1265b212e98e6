//! Numbers ⇄ bytes, short where they are small. Reading takes any bytes and answers nothing where they end.

/// Adds a number: seven bits a byte, the lowest first.
pub(crate) fn number(to: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        to.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    to.push(number.to_le_bytes()[0]);
}

/// A difference that may be less than nothing, as a number that is small where it is near nothing.
pub(crate) const fn folded(difference: i64) -> u64 {
    ((difference << 1) ^ (difference >> 63)).cast_unsigned()
}

/// The difference of such a number.
pub(crate) const fn unfolded(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -((number & 1).cast_signed())
}

/// An instant as bytes, in whose order it is.
pub(crate) const fn ordered(instant: i64) -> [u8; 8] {
    (instant.cast_unsigned() ^ (1 << 63)).to_be_bytes()
}

/// The instant of such bytes.
pub(crate) const fn instant(ordered: [u8; 8]) -> i64 {
    (u64::from_be_bytes(ordered) ^ (1 << 63)).cast_signed()
}

/// Bytes that are read from their beginning.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    /// The next bytes.
    pub(crate) fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*bytes)
    }

    /// The next bytes, as many as a number before them says.
    pub(crate) fn counted(&mut self) -> Option<&'a [u8]> {
        let count = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    /// The next number.
    pub(crate) fn number(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let [byte] = self.bytes()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return None;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_read_back(numbers in prop::collection::vec(any::<u64>(), 0..20), shift in 0u32..64) {
            let mut bytes = Vec::new();
            numbers.iter().for_each(|one| number(&mut bytes, one >> shift));
            let mut reader = Reader(&bytes);
            for one in &numbers {
                prop_assert_eq!(reader.number(), Some(one >> shift));
            }
            prop_assert_eq!((reader.number(), reader.0.len()), (None, 0));
        }

        #[test]
        fn differences_read_back(difference: i64) {
            prop_assert_eq!(unfolded(folded(difference)), difference);
        }

        #[test]
        fn instants_are_ordered_as_their_bytes_are(a: i64, b: i64) {
            prop_assert_eq!(ordered(a).cmp(&ordered(b)), a.cmp(&b));
            prop_assert_eq!(instant(ordered(a)), a);
        }

        #[test]
        fn any_bytes_are_no_trouble(bytes in prop::collection::vec(any::<u8>(), 0..12)) {
            let _ = (Reader(&bytes).number(), Reader(&bytes).counted(), Reader(&bytes).bytes::<9>());
        }
    }
}
