//! Addresses are found in any text, each in its place, whatever stands before and after; so are wallets.

#![cfg_attr(fuzzing, no_main)]

use bmon_corelog::{Line, private};

pub(crate) fn check(data: &[u8]) {
    let mut end = 0;
    private::addresses(data, |address| {
        assert!(end <= address.place.start && address.place.start < address.place.end, "out of order");
        assert!(address.place.end <= data.len() && !address.group().is_empty());
        end = address.place.end;
    });
    for planted in ["198.51.100.7:8333", "198.51.100.7", "[2001:db8::1]:8333", "2001:db8::1"] {
        let text = [data, b" ", planted.as_bytes(), b" ", data].concat();
        let place = data.len() + 1..data.len() + 1 + planted.len();
        let mut found = false;
        private::addresses(&text, |address| found |= address.place == place);
        assert!(found, "{planted} is not found");
    }
    let text = [data, b" wALLet"].concat();
    assert!(private::is_wallets(&Line { text: &text, ..Line::default() }));
    let _ = private::is_wallets(&Line::parse(data));
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| check(data));
