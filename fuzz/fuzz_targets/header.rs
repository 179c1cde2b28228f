//! Any bytes are a block's header or an error, and a header that was read has the bytes that it was read from.

#![cfg_attr(fuzzing, no_main)]

use bmon_analysis::tree::{Header, HeaderError};
use bmon_event::BlockHash;

/// A hash that no header has that the fuzzer could find.
const OTHER: BlockHash = BlockHash::from_bytes([7; 32]);

pub(crate) fn check(data: &[u8]) {
    let unnamed = Header::decode(data, None);
    let named = Header::decode(data, Some(OTHER));
    match (&unnamed, &named) {
        (Ok(header), _) => {
            assert_eq!(data.len(), 80);
            assert_eq!(header.to_raw(), data);
            assert_eq!(Header::decode(data, Some(header.hash())).as_ref(), Ok(header));
            assert_eq!(named, Err(HeaderError::OtherBlock(header.hash())));
        }
        (Err(error), Ok(header)) => {
            assert_eq!((data.len(), *error, header.hash()), (164, HeaderError::Unnamed, OTHER));
            assert_eq!(header.to_raw(), data);
        }
        (Err(HeaderError::HighHash(hash)), Err(other)) => assert_eq!(*other, HeaderError::OtherBlock(*hash)),
        (Err(error), Err(other)) => assert_eq!(error, other),
    }
    if let Ok(header) = unnamed.or(named) {
        let _ = (header.parent(), header.version(), header.time(), header.work());
    }
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| check(data));
