use crate::{Batch, DecodeError};

pub(crate) fn encode(_batch: &Batch) -> Vec<u8> {
    Vec::new()
}

pub(crate) fn decode(_bytes: &[u8], limit: usize) -> Result<Batch, DecodeError> {
    Err(DecodeError::TooLarge { limit })
}
