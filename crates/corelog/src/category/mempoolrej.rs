//! Messages of `-debug=mempoolrej`: which transactions of peers did not enter the mempool.

use bmon_event::{Kind, Txid, Wtxid};
use memchr::memmem;

use super::text;
use crate::message::message;

message! {
    /// A transaction that a peer sent did not enter the mempool. An orphan is refused with
    /// `bad-txns-inputs-missingorspent`, which is no verdict: its parent may still come.
    NotAccepted<'a> {
        /// The transaction.
        txid: Txid,
        /// Its id with witness, `None` up to 25.
        wtxid: Option<Wtxid>,
        /// The peer that sent it.
        peer: u64,
        /// Code and detail as the node put them together ([`code_and_detail`]).
        reason: &'a [u8],
    }
    in MempoolRej | Mempool
    => |message, _| {
        let (code, detail) = code_and_detail(message.reason);
        Some(Kind::TxRejected {
            txid: message.txid,
            wtxid: message.wtxid,
            peer: Some(message.peer),
            code: text(code),
            detail: text(detail),
        })
    };
    "26.." "src/net_processing.cpp:3132@31.99":
        "%s (wtxid=%s) from peer=%d was not accepted: %s" (txid, wtxid, peer, reason);
    "0.16?..=25" "src/net_processing.cpp:4217@v25.1":
        "%s from peer=%d was not accepted: %s" (txid, peer, reason) { wtxid: None };
    "0.10..=0.11" "src/main.cpp@v0.10, by copies":
        "%s from peer=%d %s was not accepted into the memory pool: %s" (txid, peer, .., reason) { wtxid: None };
}

/// Parts a rejection's code from what follows it. `ToString` of `src/consensus/validation.h@v30` writes
/// `code, detail`; script errors are part of the code there, `code (script error), detail`; up to 0.19
/// `FormatStateMessage` appends ` (code 64)`. Codes have blanks, `min relay fee not met`, but neither of those.
///
/// The detail keeps its bracket but not its comma, so that the reason can be put together again.
pub fn code_and_detail(reason: &[u8]) -> (&[u8], &[u8]) {
    let comma = memmem::find(reason, b", ").unwrap_or(reason.len());
    let bracket = memmem::find(reason, b" (").unwrap_or(reason.len());
    let (end, separator) = if bracket < comma { (bracket, 1) } else { (comma, 2) };
    let (code, rest) = reason.split_at_checked(end).unwrap_or((reason, b""));
    (code, rest.get(separator..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_ends_at_its_comma_or_bracket() {
        for (reason, code, detail) in [
            ("bad-txns-vout-empty", "bad-txns-vout-empty", ""),
            ("min relay fee not met, 0 < 141", "min relay fee not met", "0 < 141"),
            ("insufficient fee (code 66)", "insufficient fee", "(code 66)"),
            ("txn-mempool-conflict, x (code 18)", "txn-mempool-conflict", "x (code 18)"),
            (
                "block-script-verify-flag-failed (Bad, worse), input 0",
                "block-script-verify-flag-failed",
                "(Bad, worse), input 0",
            ),
            ("", "", ""),
        ] {
            assert_eq!(code_and_detail(reason.as_bytes()), (code.as_bytes(), detail.as_bytes()));
        }
    }
}
