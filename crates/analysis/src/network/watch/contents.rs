//! What a block has that somebody may watch: its transactions, and the coins that they spend.

use bmon_event::{BlockHash, OutPoint, Txid};

use crate::body::Body;

/// The transactions of a block and what they spend, the coinbase included: 36 bytes for each transaction and 40 for each
/// input, 500 kB for a full block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contents {
    block: BlockHash,
    /// The transactions by their ids, each with its place.
    txs: Vec<(Txid, u32)>,
    /// The coins that are spent, each with the place of the transaction that spends it.
    spends: Vec<(OutPoint, u32)>,
}

impl Contents {
    /// What `body`, that of this block, has.
    pub(crate) fn new(block: BlockHash, body: &Body<'_>) -> Self {
        let transactions = || (0..).zip(body.transactions());
        let mut txs: Vec<_> = transactions().map(|(place, tx)| (tx.txid(), place)).collect();
        let spent =
            transactions().flat_map(|(place, tx)| tx.inputs().map(move |input| (input.outpoint, place)));
        let mut spends: Vec<_> = spent.filter(|(outpoint, _)| *outpoint != OutPoint::NULL).collect();
        txs.sort_unstable();
        spends.sort_unstable();
        Self { block, txs, spends }
    }

    /// The block.
    pub(crate) const fn block(&self) -> BlockHash {
        self.block
    }

    /// The transaction of the block that spends the coin.
    pub(crate) fn spender(&self, outpoint: &OutPoint) -> Option<Txid> {
        let found = self.spends.binary_search_by_key(outpoint, |(outpoint, _)| *outpoint).ok()?;
        let (_, place) = self.spends.get(found)?;
        self.txs.iter().find(|(_, other)| other == place).map(|(txid, _)| *txid)
    }

    /// The coins that a transaction of the block spends, in their order: none if it is the coinbase. `None` if the block
    /// does not have it.
    pub(crate) fn inputs(&self, txid: &Txid) -> Option<Vec<OutPoint>> {
        let place = self.place_of(txid)?;
        Some(self.spends.iter().filter(|(_, other)| *other == place).map(|(outpoint, _)| *outpoint).collect())
    }

    fn place_of(&self, txid: &Txid) -> Option<u32> {
        let found = self.txs.binary_search_by_key(txid, |(txid, _)| *txid).ok()?;
        self.txs.get(found).map(|(_, place)| *place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::ProofOfWork;

    /// Block 170 of the main network: the coinbase, and the first payment that there was.
    const BLOCK_170: &str = concat!(
        "0100000055bd840a78798ad0da853f68974f3d183e2bd1db6a842c1feecf222a00000000ff104ccb05421ab93e63f8c3ce5c2c2e9dbb37de",
        "2764b3a3175c8166562cac7d51b96a49ffff001d283e9e700201000000010000000000000000000000000000000000000000000000000000",
        "000000000000ffffffff0704ffff001d0102ffffffff0100f2052a01000000434104d46c4968bde02899d2aa0963367c7a6ce34eec332b32",
        "e42e5f3407e052d64ac625da6f0718e7b302140434bd725706957c092db53805b821a85b23a7ac61725bac000000000100000001c997a5e5",
        "6e104102fa209c6a852dd90660a20b2d9c352423edce25857fcd3704000000004847304402204e45e16932b8af514961a1d3a1a25fdf3f4f",
        "7732e9d624c6c61548ab5fb8cd410220181522ec8eca07de4860a4acdd12909d831cc56cbbac4622082221a8768d1d0901ffffffff0200ca",
        "9a3b00000000434104ae1a62fe09c5f51b13905f07f06b99a2f7159b2225f374cd378d71302fa28414e7aab37397f554a7df5f142c21c1b7",
        "303b8a0626f1baded5c72a704f7e6cd84cac00286bee0000000043410411db93e1dcdb8a016b49840f8c53bc1eb68a382e97b1482ecad7b1",
        "48a6909a5cb2e0eaddfb84ccf9744464f82e160bfa9b8b64f9d4c03f999b8643f656b412a3ac00000000",
    );
    const PAYMENT: &str = "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16";
    const COINBASE: &str = "b1fea52486ce0c62bb442b530a3f0132b826c74e473d1f2c220bfa78111c5082";
    /// The coinbase of block 9, which the payment spends.
    const SPENT: &str = "0437cd7f8525ceed2324359c2d0ba26006d92d856a9c20fa0241106ee5a597c9:0";

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    #[test]
    fn the_first_payment_and_the_coin_that_it_spends_are_found_in_their_block() {
        let raw = bytes(BLOCK_170);
        let body = Body::decode(&raw, ProofOfWork::Sha256d).unwrap();
        assert!(body.is_of_header());
        let contents = Contents::new(BlockHash::from_bytes([1; 32]), &body);
        let [payment, coinbase]: [Txid; 2] = [PAYMENT, COINBASE].map(|txid| txid.parse().unwrap());
        let spent: OutPoint = SPENT.parse().unwrap();
        assert_eq!(contents.spender(&spent), Some(payment));
        assert_eq!(contents.inputs(&payment), Some(vec![spent]));
        // A coinbase spends no coin, though it names one.
        assert_eq!((contents.inputs(&coinbase), contents.spender(&OutPoint::NULL)), (Some(vec![]), None));
        // What pays is not what is spent, and another output is another coin.
        assert_eq!(contents.spender(&OutPoint { txid: payment, vout: 0 }), None);
        assert_eq!(contents.spender(&OutPoint { vout: 1, ..spent }), None);
        assert_eq!(contents.inputs(&spent.txid), None);
    }
}
