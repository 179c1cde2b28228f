//! Scripts as addresses.

use bech32::{Fe32, hrp, segwit};

/// The first byte of an address of a key's hash, and that of a script's hash, on the main network
/// (`src/kernel/chainparams.cpp@v30`).
const PUBKEY_HASH: u8 = 0;
const SCRIPT_HASH: u8 = 5;

/// The address of the main network that an output with this script pays, as `ExtractDestination` and
/// `EncodeDestination` find it (`src/addresstype.cpp@v30`, `src/key_io.cpp@v30`). `None` if it has none: a bare key, as in
/// the first years, several keys, data. The same script has another address on another network.
pub fn address(script_pubkey: &[u8]) -> Option<String> {
    match script_pubkey {
        // OP_DUP OP_HASH160 hash OP_EQUALVERIFY OP_CHECKSIG
        [0x76, 0xa9, 20, hash @ .., 0x88, 0xac] if hash.len() == 20 => Some(base58(PUBKEY_HASH, hash)),
        // OP_HASH160 hash OP_EQUAL (BIP 13)
        [0xa9, 20, hash @ .., 0x87] if hash.len() == 20 => Some(base58(SCRIPT_HASH, hash)),
        // A version from 0 to 16 and a program (BIP 141), written as in BIP 173 and BIP 350.
        [version, length, program @ ..] if usize::from(*length) == program.len() => {
            let version =
                if *version == 0 { 0 } else { version.checked_sub(0x50).filter(|version| *version > 0)? };
            segwit::encode(hrp::BC, Fe32::try_from(version).ok()?, program).ok()
        }
        _ => None,
    }
}

fn base58(kind: u8, hash: &[u8]) -> String {
    bs58::encode(hash).with_check_version(kind).into_string()
}
