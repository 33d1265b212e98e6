//! Numbers in as few bytes as they need: seven bits a byte, small differences of either sign in few.

/// Appends a number.
pub(super) fn put(mut value: u64, into: &mut Vec<u8>) {
    while value >= 0x80 {
        into.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    into.push((value & 0x7f) as u8);
}

/// Appends how much more a number is than another, around the end of the range where need be.
pub(super) fn put_more(value: u64, than: u64, into: &mut Vec<u8>) {
    let more = value.wrapping_sub(than).cast_signed();
    put((more << 1 ^ more >> 63).cast_unsigned(), into);
}

/// What is left to be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl<'a> Bytes<'a> {
    /// Whether all was read.
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte.
    pub(super) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// The next bytes.
    pub(super) fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*first)
    }

    /// The next number.
    pub(super) fn get(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..70).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return None;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    /// The next number, which was written as more than another.
    pub(super) fn get_more(&mut self, than: u64) -> Option<u64> {
        let folded = self.get()?;
        let more = (folded >> 1) ^ (folded & 1).wrapping_neg();
        Some(than.wrapping_add(more))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_back() {
        let numbers = [0, 1, 127, 128, 300, 1 << 35, u64::MAX - 1, u64::MAX];
        for value in numbers {
            for than in numbers {
                let mut bytes = Vec::new();
                put(value, &mut bytes);
                put_more(value, than, &mut bytes);
                let mut read = Bytes(&bytes);
                assert_eq!((read.get(), read.get_more(than)), (Some(value), Some(value)));
                assert!(read.is_empty());
            }
        }
    }

    #[test]
    fn small_differences_are_short_and_nonsense_is_none() {
        let mut bytes = Vec::new();
        put_more(1_000, 1_063, &mut bytes);
        assert_eq!(bytes.len(), 1);
        assert_eq!(Bytes(&[0x80]).get(), None, "cut");
        assert_eq!(Bytes(&[0xff; 10]).get(), None, "too long");
        assert_eq!(Bytes(&[0xff; 9]).get(), None);
        assert_eq!(Bytes(&[1]).take::<2>(), None);
    }
}
