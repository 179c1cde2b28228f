//! Bytes as Bitcoin Core serializes them.

use super::BodyError;

/// Reads from the front of bytes.
#[derive(Clone, Debug)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The place of the next byte.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// What was read since the reader was at this place.
    pub(super) fn since(&self, start: usize) -> &'a [u8] {
        self.bytes.get(start..self.at).unwrap_or_default()
    }

    /// The next byte, which stays.
    pub(super) fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    pub(super) fn take(&mut self, length: u64) -> Result<&'a [u8], BodyError> {
        let short = BodyError::Short { at: self.at, wanted: length };
        let taken = usize::try_from(length).ok().and_then(|length| self.rest().get(..length)).ok_or(short)?;
        self.at += taken.len();
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], BodyError> {
        let short = BodyError::Short { at: self.at, wanted: N as u64 };
        let array = self.rest().first_chunk().ok_or(short)?;
        self.at += N;
        Ok(*array)
    }

    pub(super) fn u8(&mut self) -> Result<u8, BodyError> {
        self.array().map(u8::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, BodyError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, BodyError> {
        self.array().map(u64::from_le_bytes)
    }

    /// A number in 1, 3, 5 or 9 bytes, as few as it needs: `ReadCompactSize` in `src/serialize.h@v30`, but without its
    /// bound, which no number passes that the bytes are long enough for.
    pub(super) fn compact_size(&mut self) -> Result<u64, BodyError> {
        let (number, least) = match self.u8()? {
            253 => (self.array().map(u16::from_le_bytes)?.into(), 253),
            254 => (self.u32()?.into(), 1 << 16),
            255 => (self.u64()?, 1 << 32),
            small => (small.into(), 0),
        };
        if number < least { Err(BodyError::NonCanonical { at: self.at }) } else { Ok(number) }
    }

    /// A number of bytes, and those bytes.
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], BodyError> {
        let length = self.compact_size()?;
        self.take(length)
    }

    /// How many of so many things can follow, if none is shorter than `least` bytes: what may be allocated for them.
    pub(super) fn fitting(&self, count: u64, least: usize) -> usize {
        usize::try_from(count).unwrap_or(usize::MAX).min(self.rest().len() / least)
    }

    pub(super) fn finish(&self) -> Result<(), BodyError> {
        match self.rest().len() {
            0 => Ok(()),
            left => Err(BodyError::Trailing(left)),
        }
    }
}
