//! One record: its bytes, and how it is known to be whole.

use std::fs::File;
use std::os::unix::fs::FileExt;

/// Length, checksum and number.
pub(crate) const HEADER: usize = 16;

/// The largest payload whose length fits its field.
pub(crate) const MAX_PAYLOAD: u64 = u32::MAX as u64;

/// Puts the record into `buffer`. The payload must not be larger than [`MAX_PAYLOAD`].
pub(crate) fn write(buffer: &mut Vec<u8>, epoch: u64, sequence: u64, payload: &[u8]) {
    let length = u32::try_from(payload.len()).expect("the caller has checked the length");
    buffer.clear();
    buffer.extend_from_slice(&length.to_le_bytes());
    buffer.extend_from_slice(&checksum(epoch, length, sequence, payload).to_le_bytes());
    buffer.extend_from_slice(&sequence.to_le_bytes());
    buffer.extend_from_slice(payload);
}

fn checksum(epoch: u64, length: u32, sequence: u64, payload: &[u8]) -> u32 {
    let mut head = [0; 20];
    head[..8].copy_from_slice(&epoch.to_le_bytes());
    head[8..12].copy_from_slice(&length.to_le_bytes());
    head[12..].copy_from_slice(&sequence.to_le_bytes());
    crc32c::crc32c_append(crc32c::crc32c(&head), payload)
}

#[derive(Clone, Copy)]
struct Header {
    length: u32,
    checksum: u32,
    sequence: u64,
}

impl Header {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let (length, rest) = bytes.split_first_chunk()?;
        let (checksum, rest) = rest.split_first_chunk()?;
        let (sequence, _) = rest.split_first_chunk()?;
        Some(Self {
            length: u32::from_le_bytes(*length),
            checksum: u32::from_le_bytes(*checksum),
            sequence: u64::from_le_bytes(*sequence),
        })
    }
}

/// The number and the payload of the record that `bytes` begin with, if it is whole and its number is in `expected`.
pub(crate) fn parse(
    bytes: &[u8],
    epoch: u64,
    expected: std::ops::RangeInclusive<u64>,
) -> Option<(u64, &[u8])> {
    let header = Header::parse(bytes).filter(|header| expected.contains(&header.sequence))?;
    let payload = bytes.get(HEADER..)?.get(..header.length as usize)?;
    let sum = checksum(epoch, header.length, header.sequence, payload);
    (sum == header.checksum).then_some((header.sequence, payload))
}

/// The payload of record `sequence` at `offset` of a file, if it is there and whole.
pub(crate) fn read_at(file: &File, offset: u64, epoch: u64, sequence: u64) -> Option<Vec<u8>> {
    let mut head = [0; HEADER];
    file.read_exact_at(&mut head, offset).ok()?;
    let header = Header::parse(&head).filter(|header| header.sequence == sequence)?;
    let left = file.metadata().ok()?.len().checked_sub(offset + HEADER as u64)?;
    // A damaged length must not make us reserve more than the file can hold.
    let length =
        usize::try_from(u64::from(header.length)).ok().filter(|_| u64::from(header.length) <= left)?;
    let mut payload = vec![0; length];
    file.read_exact_at(&mut payload, offset + HEADER as u64).ok()?;
    (checksum(epoch, header.length, sequence, &payload) == header.checksum).then_some(payload)
}
