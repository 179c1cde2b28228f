//! Hexadecimal digits.

/// Bytes from hexadecimal digits, `None` if they are none.
pub(crate) fn decode(digits: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let byte = |[high, low]: &[u8; 2]| Some(digit(*high)? << 4 | digit(*low)?);
    rest.is_empty().then(|| pairs.iter().map(byte).collect())?
}

/// The digits of bytes.
pub(crate) fn encode(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_either_case_are_bytes_and_anything_else_is_none() {
        assert_eq!(decode("00fFA7"), Some(vec![0, 0xff, 0xa7]));
        assert_eq!(decode(""), Some(vec![]));
        assert_eq!(encode(&[0, 0xff, 0xa7]), "00ffa7");
        for bad in ["0", "0g", "+1", "é"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
