//! A transaction of the mempool.

use bmon_event::{Txid, event::RawTx};

use super::chain_rpc::ChainRpc;
use crate::hex;
use crate::{shipper::chain, source::rpc::GET_RAW_TRANSACTION};

/// The bytes of `txid`, in answer to `want`, if they are no more than `most`. In parts they would be of no use: nobody could
/// tell that they are those of the transaction.
pub(super) fn fulfil(rpc: &mut ChainRpc, want: u64, txid: Txid, most: u64) -> Result<RawTx, String> {
    let parameters = format!(r#"["{txid}"]"#);
    let digits = rpc.call::<String>(GET_RAW_TRANSACTION, &parameters)?.map_err(|error| chain(&error))?;
    let raw = hex::decode(&digits).ok_or("the node gave a transaction that is not hexadecimal")?;
    if raw.len() as u64 > most {
        return Err(format!("the transaction has {} bytes, more than an answer may hold", raw.len()));
    }
    Ok(RawTx { want, txid, raw })
}
