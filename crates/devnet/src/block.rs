//! Blocks made here and not by a node: wrong ones, and such that some nodes take and others refuse.

use std::sync::atomic::{AtomicU64, Ordering};

use bitcoin::{
    Amount, Block, CompactTarget, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxMerkleNode, TxOut,
    Witness,
    absolute::LockTime,
    block::{Header, Version},
    hashes::Hash as _,
    script::Builder,
};
use bmon_event::BlockHash;
use serde::Deserialize;
use serde_json::json;

use crate::{Node, NodeError, coin::Lock};

/// More than any block on regtest may pay: the subsidy begins with 50 bitcoin and the fees of a scenario are less than one.
const TOO_MUCH: Amount = Amount::from_int_btc(100);

/// `versionbits` with no deployment signalled (BIP 9).
const VERSION: Version = Version::from_consensus(0x2000_0000);

/// The version of blocks before BIP 65.
const OLD_VERSION: Version = Version::from_consensus(3);

/// Regtest halves the subsidy after so many blocks (`src/kernel/chainparams.cpp@v30`).
const HALVING: u32 = 150;

/// Makes every block another one, on the same parent too.
static NEXT_EXTRA_NONCE: AtomicU64 = AtomicU64::new(0);

/// What a block is to be. All have valid proof of work, and no other fault than the one named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Draft {
    /// Without a fault.
    Valid,
    /// Its coinbase pays more than it may, which nodes find only when they connect it.
    Overpaid,
    /// Its version is 3, which is refused from the activation of BIP 65 on.
    OldVersion,
    /// The height is not in its coinbase, which is refused from the activation of BIP 34 on.
    NoHeight,
}

/// A block to build on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parent {
    hash: bitcoin::BlockHash,
    height: u32,
    time: u32,
    bits: CompactTarget,
}

/// A block that no node has yet.
#[derive(Clone, Debug)]
pub(crate) struct Crafted {
    pub(crate) block: Block,
    pub(crate) hash: BlockHash,
    pub(crate) height: u32,
}

impl Parent {
    /// The node's tip.
    pub(crate) fn tip(node: &Node) -> Result<Self, NodeError> {
        Self::read(node, node.best_block()?)
    }

    /// The block of the node's active chain at `height`.
    pub(crate) fn at(node: &Node, height: u32) -> Result<Self, NodeError> {
        Self::read(node, node.rpc().call("getblockhash", json!([height]))?)
    }

    fn read(node: &Node, block: BlockHash) -> Result<Self, NodeError> {
        #[derive(Deserialize)]
        struct Reply {
            hash: String,
            height: u32,
            time: u32,
            bits: String,
        }
        let Reply { hash, height, time, bits } = node.rpc().call("getblockheader", json!([block]))?;
        let hash = hash.parse().expect("the node's own hash");
        let bits = CompactTarget::from_unprefixed_hex(&bits).expect("the node's own target");
        Ok(Self { hash, height, time, bits })
    }

    /// Its hash.
    pub(crate) fn hash(&self) -> BlockHash {
        BlockHash::from_bytes(display_order(self.hash.to_byte_array()))
    }

    /// Its height.
    pub(crate) const fn height(&self) -> u32 {
        self.height
    }

    /// A block on it, one second later.
    pub(crate) fn child(&self, draft: Draft) -> Crafted {
        let height = self.height + 1;
        let coinbase = coinbase(height, draft);
        let header = Header {
            version: if draft == Draft::OldVersion { OLD_VERSION } else { VERSION },
            prev_blockhash: self.hash,
            merkle_root: TxMerkleNode::from_byte_array(coinbase.compute_txid().to_byte_array()),
            time: self.time + 1,
            bits: self.bits,
            nonce: 0,
        };
        let block = Block { header: mined(header), txdata: vec![coinbase] };
        let hash = BlockHash::from_bytes(display_order(block.block_hash().to_byte_array()));
        Crafted { block, hash, height }
    }
}

impl Crafted {
    /// The same block to build on, whether a node has it or not.
    pub(crate) fn as_parent(&self) -> Parent {
        let Header { time, bits, .. } = self.block.header;
        Parent { hash: self.block.block_hash(), height: self.height, time, bits }
    }
}

/// Hashes are shown with their bytes reversed.
pub(crate) fn display_order(mut bytes: [u8; 32]) -> [u8; 32] {
    bytes.reverse();
    bytes
}

fn coinbase(height: u32, draft: Draft) -> Transaction {
    let input = TxIn {
        previous_output: OutPoint::null(),
        script_sig: coinbase_script(height, draft),
        sequence: Sequence::MAX,
        witness: Witness::new(),
    };
    let value = if draft == Draft::Overpaid { TOO_MUCH } else { subsidy(height) };
    let output = TxOut { value, script_pubkey: Lock::new(15).script_pubkey() };
    Transaction {
        version: bitcoin::transaction::Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![input],
        output: vec![output],
    }
}

/// The height, as BIP 34 asks for, and a number that no other coinbase of this process has.
fn coinbase_script(height: u32, draft: Draft) -> ScriptBuf {
    let script = match draft {
        Draft::NoHeight => Builder::new(),
        Draft::Valid | Draft::Overpaid | Draft::OldVersion => Builder::new().push_int(i64::from(height)),
    };
    let extra_nonce = NEXT_EXTRA_NONCE.fetch_add(1, Ordering::Relaxed);
    // Pushed with its length of eight bytes, which no height has.
    script.push_slice(extra_nonce.to_le_bytes()).into_script()
}

/// What a coinbase at `height` may pay without fees.
fn subsidy(height: u32) -> Amount {
    let halved = Amount::from_int_btc(50).to_sat().checked_shr(height / HALVING);
    Amount::from_sat(halved.unwrap_or_default())
}

/// Finds a nonce: on regtest every second one will do.
fn mined(mut header: Header) -> Header {
    let target = header.target();
    while header.validate_pow(target).is_err() {
        header.nonce += 1;
    }
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parent() -> Parent {
        let bits = CompactTarget::from_consensus(0x207f_ffff);
        Parent { hash: bitcoin::BlockHash::all_zeros(), height: 149, time: 1_296_688_602, bits }
    }

    #[test]
    fn every_block_is_another_one_and_has_only_the_fault_asked_for() {
        let [valid, again, overpaid, old, headless] =
            [Draft::Valid, Draft::Valid, Draft::Overpaid, Draft::OldVersion, Draft::NoHeight]
                .map(|draft| parent().child(draft));
        assert_ne!(valid.hash, again.hash);
        let paid = |crafted: &Crafted| crafted.block.txdata[0].output[0].value;
        assert_eq!(paid(&valid), Amount::from_int_btc(25));
        assert_eq!(paid(&overpaid), TOO_MUCH);
        assert_eq!(old.block.header.version.to_consensus(), 3);
        assert_eq!(valid.block.bip34_block_height().unwrap(), 150);
        assert!(headless.block.bip34_block_height().is_err());
        for crafted in [valid, again, overpaid, old, headless] {
            assert!(crafted.block.check_merkle_root());
            assert_eq!(crafted.height, 150);
            let child = crafted.as_parent().child(Draft::Valid);
            assert_eq!(child.block.header.prev_blockhash.to_string(), crafted.hash.to_string());
        }
    }

    #[test]
    fn the_subsidy_ends() {
        assert_eq!(subsidy(149), Amount::from_int_btc(50));
        assert_eq!(subsidy(HALVING * 64), Amount::ZERO);
    }
}
