//! A block that every node must refuse.

use bitcoin::{
    Amount, Block, CompactTarget, OutPoint, Sequence, Transaction, TxIn, TxMerkleNode, TxOut, Witness,
    absolute::LockTime,
    block::{Header, Version},
    hashes::Hash as _,
    script::Builder,
};
use serde::Deserialize;
use serde_json::json;

use crate::{Node, NodeError, coin::Lock};

/// More than any block on regtest may pay: the subsidy begins with 50 bitcoin and the fees of a scenario are less than one.
const TOO_MUCH: Amount = Amount::from_int_btc(100);

/// `versionbits` with no deployment signalled (BIP 9).
const VERSION: Version = Version::from_consensus(0x2000_0000);

#[derive(Deserialize)]
struct Tip {
    hash: String,
    height: u32,
    time: u32,
    bits: String,
}

/// A block on the node's tip, and its height. Its proof of work and all that can be checked without the chain's state are
/// valid, so that nodes take it, relay it and only then find that its coinbase pays too much.
pub(crate) fn overpaid_block(node: &Node) -> Result<(Block, u32), NodeError> {
    let rpc = node.rpc();
    let best: String = rpc.call("getbestblockhash", json!([]))?;
    let tip: Tip = rpc.call("getblockheader", json!([best]))?;
    let height = tip.height + 1;
    let coinbase = coinbase(height);
    let header = Header {
        version: VERSION,
        prev_blockhash: tip.hash.parse().expect("the node's own hash"),
        merkle_root: TxMerkleNode::from_byte_array(coinbase.compute_txid().to_byte_array()),
        time: tip.time + 1,
        bits: CompactTarget::from_unprefixed_hex(&tip.bits).expect("the node's own target"),
        nonce: 0,
    };
    Ok((Block { header: mined(header), txdata: vec![coinbase] }, height))
}

/// A coinbase with the height in its input, as BIP 34 asks for.
fn coinbase(height: u32) -> Transaction {
    let input = TxIn {
        previous_output: OutPoint::null(),
        script_sig: Builder::new().push_int(i64::from(height)).push_int(0).into_script(),
        sequence: Sequence::MAX,
        witness: Witness::new(),
    };
    let output = TxOut { value: TOO_MUCH, script_pubkey: Lock::new(15).script_pubkey() };
    Transaction {
        version: bitcoin::transaction::Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![input],
        output: vec![output],
    }
}

/// Finds a nonce: on regtest every second one will do.
fn mined(mut header: Header) -> Header {
    let target = header.target();
    while header.validate_pow(target).is_err() {
        header.nonce += 1;
    }
    header
}
