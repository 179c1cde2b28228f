//! Any bytes from the network are a batch or an error, and a batch that was read is written and read again as it is.
//!
//! The bytes are tried as they are, and as the content of a zstd frame: few bytes are one by chance.

#![cfg_attr(fuzzing, no_main)]

use bmon_event::Batch;

/// What a server unpacks at most here. Its own limit is far higher, and would only make the fuzzer slow.
const LIMIT: usize = 1 << 20;

pub(crate) fn check(data: &[u8]) {
    round_trip(data);
    round_trip(&frame(data));
}

fn round_trip(bytes: &[u8]) {
    let Ok(mut batch) = Batch::decode(bytes, LIMIT) else { return };
    assert!(batch.events.len() <= Batch::MOST_EVENTS);
    // These were left out when it was read.
    batch.unknown_events = 0;
    let encoded = batch.encode();
    let again = Batch::decode(&encoded, LIMIT).expect("what was encoded can be decoded");
    // As text, since an event may hold a number that is not equal to itself.
    assert_eq!(format!("{again:?}"), format!("{batch:?}"));
    assert_eq!(again.encode(), encoded);
}

/// A zstd frame of one uncompressed block (RFC 8878, 3.1.1), so that the fuzzer sees what is read.
fn frame(content: &[u8]) -> Vec<u8> {
    // The largest size of a block (RFC 8878, 3.1.1.2.4).
    let content = &content[..content.len().min(128 << 10)];
    let size = u32::try_from(content.len()).expect("it was cut to 128 KiB");
    let single_segment_with_size_of_four_bytes = 0b1010_0000;
    let last_and_raw = 1;
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, single_segment_with_size_of_four_bytes];
    frame.extend_from_slice(&size.to_le_bytes());
    frame.extend_from_slice(&(size << 3 | last_and_raw).to_le_bytes()[..3]);
    frame.extend_from_slice(content);
    frame
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| check(data));
