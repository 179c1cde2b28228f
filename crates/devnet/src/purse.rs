//! Coins to spend on a network.

use std::collections::VecDeque;

use bitcoin::{Amount, FeeRate, OutPoint, consensus::encode::serialize_hex};
use bmon_event::BlockHash;
use serde::Deserialize;
use serde_json::json;

use crate::{
    Network, Node, NodeError,
    coin::{Coin, Lock},
};

/// Blocks after which a coinbase can be spent (`COINBASE_MATURITY`, `src/consensus/consensus.h@v30`).
const MATURITY: u32 = 100;

/// Coins from one coinbase: the transaction that makes them stays well below the 100,000 virtual bytes that nodes
/// relay.
const COINS_PER_SPLIT: u32 = 1000;

/// Twenty times what the strictest node here asks for.
const SPLIT_FEE_RATE: FeeRate = FeeRate::from_sat_per_kwu(10_000);

/// Confirmed coins of equal lock, to be spent one by one.
#[derive(Debug, Default)]
pub struct Purse {
    coins: VecDeque<Coin>,
}

#[derive(Deserialize)]
struct Block {
    tx: Vec<String>,
}

#[derive(Deserialize)]
struct TxOut {
    value: f64,
}

impl Purse {
    /// Makes at least `count` coins: the network's first node mines, splits its coinbases and mines the splits. Waits
    /// until all nodes have the blocks and relay transactions.
    ///
    /// Each filling takes more than a hundred blocks, and regtest halves the subsidy every 150: a network bears a few.
    pub fn fill(network: &Network, count: u32) -> Result<Self, NodeError> {
        let Some(miner) = network.nodes().first() else { return Ok(Self::default()) };
        let purse = Self::fill_at(miner, count)?;
        let everyone: Vec<usize> = (0..network.nodes().len()).collect();
        network.wait_for_tip(&everyone, miner.best_block()?)?;
        network.wait_for_relay()?;
        Ok(purse)
    }

    /// Makes at least `count` coins at `miner`, and waits for no other node.
    pub fn fill_at(miner: &Node, count: u32) -> Result<Self, NodeError> {
        let (rpc, lock) = (miner.rpc(), Lock::new(0));
        let splits = count.div_ceil(COINS_PER_SPLIT);
        let blocks = miner.mine(MATURITY + splits, lock)?;
        let mut coins = VecDeque::new();
        for block in blocks.iter().take(splits as usize) {
            let coin = coinbase(miner, block, lock)?;
            let (split, parts) = coin.split(count.min(COINS_PER_SPLIT), SPLIT_FEE_RATE);
            let _: String = rpc.call("sendrawtransaction", json!([serialize_hex(&split)]))?;
            coins.extend(parts);
        }
        miner.mine(1, lock)?;
        Ok(Self { coins })
    }

    /// Takes a coin out, `None` when the purse is empty.
    pub fn take(&mut self) -> Option<Coin> {
        self.coins.pop_front()
    }
}

/// The coin that the coinbase of `block` made.
fn coinbase(miner: &Node, block: &BlockHash, lock: Lock) -> Result<Coin, NodeError> {
    let Block { tx } = miner.rpc().call("getblock", json!([block, 1]))?;
    let txid = tx.first().expect("every block has a coinbase").parse().expect("the node's own id");
    let TxOut { value } = miner.rpc().call("gettxout", json!([tx[0], 0]))?;
    let value = Amount::from_btc(value).expect("the node's own amount of at most 50 bitcoin");
    Ok(Coin { outpoint: OutPoint { txid, vout: 0 }, value, lock })
}
