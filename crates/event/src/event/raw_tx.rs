use crate::Txid;

/// A transaction of the node's mempool, as a server [wanted](crate::Want) it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawTx {
    /// The want's id.
    pub want: u64,
    /// The transaction.
    pub txid: Txid,
    /// Its bytes with its witnesses, as RPC `getrawtransaction TXID` gives them.
    pub raw: Vec<u8>,
}
