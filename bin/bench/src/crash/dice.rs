//! Random numbers that a seed gives again: one number makes a world, a life, a client.

/// A stream of numbers (SplitMix64).
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    /// The stream of this seed.
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A stream of its own for what has this number.
    pub(super) fn fork(&self, number: u64) -> Self {
        let mut fork = Self(self.0 ^ number.wrapping_mul(0xd6e8_feb8_6659_fd93).rotate_left(17));
        fork.next();
        fork
    }

    /// The next number.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below this one.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    /// So often in a hundred.
    pub(super) fn percent(&mut self, often: u64) -> bool {
        self.below(100) < often
    }

    /// One of these.
    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let index = usize::try_from(self.below(from.len() as u64)).ok()?;
        from.get(index)
    }

    /// One of these, each as likely as its weight; none where all weigh nothing.
    pub(super) fn weigh<T: Copy>(&mut self, from: &[(u64, T)]) -> Option<T> {
        let mut at = self.below(from.iter().map(|(weight, _)| weight).sum());
        from.iter().find_map(|(weight, what)| match at.checked_sub(*weight) {
            None => Some(*what),
            Some(rest) => {
                at = rest;
                None
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_again_and_forks_differ() {
        let numbers = |mut dice: Dice| (0..8).map(|_| dice.next()).collect::<Vec<_>>();
        assert_eq!(numbers(Dice::new(7)), numbers(Dice::new(7)));
        assert_ne!(numbers(Dice::new(7).fork(1)), numbers(Dice::new(7).fork(2)));
        assert_ne!(numbers(Dice::new(7)), numbers(Dice::new(8)));
    }

    #[test]
    fn weights_are_kept_and_nothing_is_picked_of_nothing() {
        let mut dice = Dice::new(1);
        assert!((0..200).all(|_| dice.weigh(&[(0, 'a'), (3, 'b'), (1, 'c')]).is_some_and(|it| it != 'a')));
        assert_eq!(dice.weigh::<char>(&[]), None);
        assert_eq!(dice.pick::<char>(&[]), None);
    }
}
