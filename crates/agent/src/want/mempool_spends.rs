//! Which transactions of the mempool spend some coins.

use bmon_event::{
    OutPoint, Txid,
    event::{MempoolSpend, MempoolSpends},
};
use serde::Deserialize;

use super::chain_rpc::ChainRpc;
use crate::{
    shipper::chain,
    source::rpc::{GET_TX_SPENDING_PREVOUT, METHOD_NOT_FOUND, RpcError},
};

/// Most coins in one want: the node looks each up in a table, and the call is 25 kB long.
const MOST: usize = 256;
/// What a node with an index of spenders answers while that is behind (`RPC_MISC_ERROR`, `src/rpc/protocol.h@v31`).
const INDEX_UNAVAILABLE: i64 = -1;

/// An item of the reply (help of `gettxspendingprevout`, 24.0 and 31.0).
#[derive(Deserialize)]
struct Spent {
    txid: Txid,
    vout: u32,
    /// Absent where nothing is known to spend the coin.
    spendingtxid: Option<Txid>,
    /// There if the spender is in a block, which only nodes with `-txospenderindex` tell (31.0).
    blockhash: Option<String>,
}

/// The spenders of `outpoints` in the node's mempool, in answer to `want`.
pub(super) fn fulfil(
    rpc: &mut ChainRpc,
    want: u64,
    outpoints: &[OutPoint],
    most_bytes: u64,
) -> Result<MempoolSpends, String> {
    if outpoints.is_empty() || outpoints.len() > MOST {
        return Err(format!("{} coins are asked about, not from 1 to {MOST}", outpoints.len()));
    }
    if (outpoints.len() * MempoolSpend::BYTES) as u64 > most_bytes {
        return Err("the answer may be longer than there is room for".to_owned());
    }
    let coins = serde_json::to_string(outpoints).map_err(|error| chain(&error))?;
    let mut reply = rpc.call::<Vec<Spent>>(GET_TX_SPENDING_PREVOUT, &format!("[{coins}]"))?;
    if matches!(reply, Err(RpcError::Node { code: INDEX_UNAVAILABLE, .. })) {
        let parameters = format!(r#"[{coins},{{"mempool_only":true}}]"#);
        reply = rpc.call(GET_TX_SPENDING_PREVOUT, &parameters)?;
    }
    match reply {
        Ok(spent) => Ok(MempoolSpends { want, spends: spends(outpoints, &spent), problem: None }),
        Err(error) => match lasting(&error) {
            Some(problem) => Ok(MempoolSpends { want, spends: Vec::new(), problem: Some(problem) }),
            None => Err(chain(&error)),
        },
    }
}

/// The coins that a transaction of the mempool spends. What was not asked about is passed over.
fn spends(outpoints: &[OutPoint], spent: &[Spent]) -> Vec<MempoolSpend> {
    let by = |outpoint: &OutPoint| {
        let is_it = |spent: &&Spent| spent.txid == outpoint.txid && spent.vout == outpoint.vout;
        spent.iter().find(is_it).filter(|spent| spent.blockhash.is_none())?.spendingtxid
    };
    outpoints
        .iter()
        .filter_map(|outpoint| Some(MempoolSpend { outpoint: *outpoint, by: by(outpoint)? }))
        .collect()
}

/// Why the node will not be able to tell a moment later either, `None` if it may.
fn lasting(error: &RpcError) -> Option<String> {
    match error {
        RpcError::Node { code: METHOD_NOT_FOUND, .. } => Some(
            "the node does not know `gettxspendingprevout`, which Bitcoin Core has since 24.0".to_owned(),
        ),
        RpcError::NotWhitelisted(_) => Some(chain(error)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outpoint(vout: u32) -> OutPoint {
        OutPoint { txid: Txid::from_bytes([7; 32]), vout }
    }

    #[test]
    fn only_what_the_mempool_spends_of_what_was_asked_about_is_told_in_the_order_asked() {
        let (txid, by) = ("07".repeat(32), "ab".repeat(32));
        // As 31.0 with an index tells it: first what the mempool spends, then the rest.
        let reply = format!(
            r#"[{{"txid":"{txid}","vout":3,"spendingtxid":"{by}"}},{{"txid":"{txid}","vout":1,"spendingtxid":"{by}"}},
                {{"txid":"{txid}","vout":9,"spendingtxid":"{by}"}},{{"txid":"{txid}","vout":0}},
                {{"txid":"{txid}","vout":2,"spendingtxid":"{by}","blockhash":"{by}"}}]"#
        );
        let spent: Vec<Spent> = serde_json::from_str(&reply).unwrap();
        let expected = [1, 3].map(|vout| MempoolSpend { outpoint: outpoint(vout), by: by.parse().unwrap() });
        assert_eq!(spends(&[0, 1, 2, 3].map(outpoint), &spent), expected);
    }

    #[test]
    fn a_node_that_is_too_old_says_so_and_one_that_is_slow_is_asked_again() {
        let too_old = RpcError::Node { code: METHOD_NOT_FOUND, message: "Method not found".to_owned() };
        assert!(lasting(&too_old).is_some_and(|problem| problem.contains("24.0")));
        assert!(lasting(&RpcError::NotWhitelisted(GET_TX_SPENDING_PREVOUT)).is_some());
        assert_eq!(lasting(&RpcError::Starting("Loading block index…".to_owned())), None);
        assert_eq!(lasting(&RpcError::Node { code: -8, message: String::new() }), None);
    }
}
