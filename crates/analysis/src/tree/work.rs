//! Targets and work, exactly: 256-bit numbers, as `src/arith_uint256.cpp@v30` has them.
//!
//! The `bitcoin` crate has them too, but brings a C library for signatures with it; the tests compare with it.

use std::fmt;

use serde::{Serialize, Serializer};

/// A number of 256 bits, the most significant 64 first, so that comparing the words compares the numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct U256([u64; 4]);

impl U256 {
    const ONE: Self = Self([0, 0, 0, 1]);

    /// From the bytes of a hash in display order, whose first byte is the most significant.
    pub(super) fn from_hash(bytes: &[u8; 32]) -> Self {
        let mut words = [0; 4];
        for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
            *word = u64::from_be_bytes(*bytes);
        }
        Self(words)
    }

    /// The sum, modulo 2^256.
    pub(super) fn wrapping_add(self, other: Self) -> Self {
        let (mut sum, mut carry) = ([0; 4], false);
        for place in (0..4).rev() {
            (sum[place], carry) = self.0[place].carrying_add(other.0[place], carry);
        }
        Self(sum)
    }

    /// The difference, modulo 2^256.
    pub(super) fn wrapping_sub(self, other: Self) -> Self {
        let (mut difference, mut borrow) = ([0; 4], false);
        for place in (0..4).rev() {
            (difference[place], borrow) = self.0[place].borrowing_sub(other.0[place], borrow);
        }
        Self(difference)
    }

    fn not(self) -> Self {
        Self(self.0.map(|word| !word))
    }

    /// Number of bits up to the highest one that is set.
    fn bits(self) -> u32 {
        let zeros = self.0.iter().scan(true, |leading, word| {
            let zeros = leading.then(|| word.leading_zeros());
            *leading = *word == 0;
            zeros
        });
        256 - zeros.sum::<u32>()
    }

    /// Bits beyond the 256th are lost.
    fn shifted_left(self, bits: u32) -> Self {
        let (words, bits) = ((bits / 64) as usize, bits % 64);
        let word = |place: usize| self.0.get(place).copied().unwrap_or(0);
        Self([0, 1, 2, 3].map(|place| {
            let carried = word(place + words + 1).checked_shr(64 - bits).unwrap_or(0);
            word(place + words) << bits | carried
        }))
    }

    fn halved(self) -> Self {
        let [a, b, c, d] = self.0;
        Self([a >> 1, b >> 1 | a << 63, c >> 1 | b << 63, d >> 1 | c << 63])
    }

    /// The quotient without its fraction. `divisor` is not zero.
    fn divided_by(mut self, divisor: Self) -> Self {
        let mut quotient = Self::default();
        let Some(shift) = self.bits().checked_sub(divisor.bits()) else { return quotient };
        let mut divisor = divisor.shifted_left(shift);
        for _ in 0..=shift {
            quotient = quotient.shifted_left(1);
            if self >= divisor {
                self = self.wrapping_sub(divisor);
                quotient.0[3] |= 1;
            }
            divisor = divisor.halved();
        }
        quotient
    }
}

/// The greatest hash that a block may have, from a header's `nBits`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target(U256);

/// The `nBits` of a header name no target that a hash could meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BitsError {
    /// The sign bit is set.
    #[error("the target is negative")]
    Negative,
    /// More than 256 bits.
    #[error("the target overflows 256 bits")]
    Overflow,
    /// No hash is that small.
    #[error("the target is zero")]
    Zero,
}

impl Target {
    /// As `arith_uint256::SetCompact` reads it (`src/arith_uint256.cpp@v30`), refused where `DeriveTarget` does
    /// (`src/pow.cpp@v30`), but for the network's own limit.
    pub(super) fn from_bits(bits: u32) -> Result<Self, BitsError> {
        let (size, digits) = (bits >> 24, bits & 0x007f_ffff);
        let digits = if size < 3 { digits >> (8 * (3 - size)) } else { digits };
        if digits == 0 {
            return Err(BitsError::Zero);
        }
        if bits & 0x0080_0000 != 0 {
            return Err(BitsError::Negative);
        }
        if size > 34 || digits > 0xff && size > 33 || digits > 0xffff && size > 32 {
            return Err(BitsError::Overflow);
        }
        Ok(Self(U256([0, 0, 0, digits.into()]).shifted_left(8 * size.saturating_sub(3))))
    }

    /// Whether a block with this hash, its bytes in display order, has done the work.
    pub(super) fn is_met_by(self, hash: &[u8; 32]) -> bool {
        U256::from_hash(hash) <= self.0
    }

    /// Hashes that have to be tried on average: 2^256 / (target + 1), reckoned within 256 bits as `GetBitsProof` does
    /// (`src/chain.cpp@v30`).
    pub(super) fn work(self) -> Work {
        let above = self.0.wrapping_add(U256::ONE);
        if above == U256::default() {
            return Work(U256::ONE);
        }
        Work(self.0.not().divided_by(above).wrapping_add(U256::ONE))
    }
}

/// Work: how many hashes blocks stand for on average. Exact, and shown as 64 hexadecimal digits, as RPC shows
/// `chainwork`. Only work of one proof of work compares.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Work(pub(super) U256);

impl Work {
    /// No work.
    pub const ZERO: Self = Self(U256([0; 4]));

    /// As a number that is near enough to show; never to compare with.
    pub fn to_f64(self) -> f64 {
        self.0.0.iter().fold(0.0, |sum, word| sum * 2_f64.powi(64) + *word as f64)
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.0.iter().try_for_each(|word| write!(f, "{word:016x}"))
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Work {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use bitcoin::{CompactTarget, pow};
    use proptest::prelude::*;

    use super::*;

    fn work(bits: u32) -> Result<Work, BitsError> {
        Target::from_bits(bits).map(Target::work)
    }

    #[test]
    fn a_block_of_the_first_difficulty_stands_for_a_little_more_than_two_to_the_32() {
        assert_eq!(work(0x1d00_ffff).unwrap().to_string(), format!("{:064x}", 0x1_0001_0001_u64));
        assert_eq!(work(0x207f_ffff).unwrap().to_string(), format!("{:064x}", 2));
        assert_eq!(work(0x2200_00ff).unwrap().to_string(), format!("{:064x}", 1));
        assert!((work(0x1d00_ffff).unwrap().to_f64() - 4_295_032_833.0).abs() < 1e-3);
    }

    #[test]
    fn the_greatest_target_and_the_smallest_do_not_overflow() {
        assert_eq!(Target(U256([u64::MAX; 4])).work(), Work(U256::ONE));
        assert_eq!(work(0x0101_0000).unwrap(), Work(U256([1 << 63, 0, 0, 0])));
    }

    #[test]
    fn bits_that_no_hash_can_meet_are_refused() {
        for (bits, error) in [
            (0x0000_0000, BitsError::Zero),
            (0x2000_0000, BitsError::Zero),
            (0x2080_0000, BitsError::Zero),
            (0x0100_ffff, BitsError::Zero),
            (0x01fe_dcba, BitsError::Negative),
            (0x0492_3456, BitsError::Negative),
            (0x2300_0001, BitsError::Overflow),
            (0x2200_0100, BitsError::Overflow),
            (0x2101_0000, BitsError::Overflow),
            (0xff12_3456, BitsError::Overflow),
        ] {
            assert_eq!(Target::from_bits(bits), Err(error), "{bits:08x}");
        }
        for edge in [0x2200_00ff, 0x2100_ffff, 0x207f_ffff] {
            assert!(Target::from_bits(edge).is_ok(), "{edge:08x}");
        }
    }

    proptest! {
        #[test]
        fn targets_and_work_are_those_of_another_implementation(digits in 1..0x0080_0000_u32, size in 3..=32_u32) {
            let bits = size << 24 | digits;
            prop_assume!(Target::from_bits(bits).is_ok());
            let theirs = pow::Target::from_compact(CompactTarget::from_consensus(bits));
            prop_assert_eq!(Target::from_bits(bits).unwrap().0, U256::from_hash(&theirs.to_be_bytes()));
            prop_assert_eq!(work(bits).unwrap().0, U256::from_hash(&theirs.to_work().to_be_bytes()));
        }

        #[test]
        fn sums_and_differences_are_those_of_wider_numbers(a in any::<[u128; 2]>(), b in any::<[u128; 2]>()) {
            let number = |[high, low]: [u128; 2]| {
                let bytes: Vec<u8> = high.to_be_bytes().into_iter().chain(low.to_be_bytes()).collect();
                U256::from_hash(&bytes.try_into().unwrap())
            };
            let (low, carry) = a[1].overflowing_add(b[1]);
            let sum = [a[0].wrapping_add(b[0]).wrapping_add(carry.into()), low];
            prop_assert_eq!(number(a).wrapping_add(number(b)), number(sum));
            prop_assert_eq!(number(sum).wrapping_sub(number(b)), number(a));
            prop_assert_eq!(number(a).cmp(&number(b)), a.cmp(&b));
        }
    }
}
