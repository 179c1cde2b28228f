//! When each source of a node first told of each stage of each block, and of each transaction.

use bmon_event::{AgentTime, BlockHash, Source, Txid};

use crate::{memory::Memory, row::Stage, settings::Settings};

/// The first times that one node told, as far back as they are remembered.
#[derive(Debug)]
pub(crate) struct Sightings {
    blocks: Memory<(BlockHash, Source, Stage), AgentTime>,
    transactions: Memory<(Txid, Source), TxTold>,
}

/// What has been told of a transaction.
#[derive(Clone, Copy, Debug)]
struct TxTold {
    at: AgentTime,
    /// Whether its id with witness was told too.
    with_wtxid: bool,
}

impl Sightings {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self { blocks: Memory::new(settings.blocks), transactions: Memory::new(settings.transactions) }
    }

    /// Notes that `source` told that the node reached `stage` with `block` at `at`. True if it is the first time or
    /// an earlier one than was known.
    pub(crate) fn block(&mut self, block: BlockHash, source: Source, stage: Stage, at: AgentTime) -> bool {
        let key = (block, source, stage);
        let is_news = self.blocks.get(&key).is_none_or(|first| at < *first);
        if is_news {
            self.blocks.insert(at, key, at);
        }
        is_news
    }

    /// Whether `source` told that the node received or checked `block`, or saw its header.
    pub(crate) fn is_arriving(&self, block: BlockHash, source: Source) -> bool {
        let before = [Stage::Header, Stage::Block, Stage::Checked];
        before.into_iter().any(|stage| self.blocks.get(&(block, source, stage)).is_some())
    }

    /// Notes that `source` told of `txid` at `at`, `with_wtxid` or not. The first time, if it or the id with witness
    /// is news.
    pub(crate) fn transaction(
        &mut self,
        txid: Txid,
        source: Source,
        at: AgentTime,
        with_wtxid: bool,
    ) -> Option<AgentTime> {
        let key = (txid, source);
        let mut told = TxTold { at, with_wtxid };
        if let Some(before) = self.transactions.get(&key) {
            told = TxTold { at: at.min(before.at), with_wtxid: with_wtxid || before.with_wtxid };
            if told.at == before.at && told.with_wtxid == before.with_wtxid {
                return None;
            }
        }
        self.transactions.insert(at, key, told);
        Some(told.at)
    }

    /// First times forgotten since the start.
    pub(crate) const fn forgotten(&self) -> u64 {
        self.blocks.forgotten() + self.transactions.forgotten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(us: i64) -> AgentTime {
        AgentTime::from_micros(us)
    }

    #[test]
    fn a_block_is_news_once_for_each_source_and_stage_and_when_it_was_earlier() {
        let mut sightings = Sightings::new(&Settings::default());
        let block = BlockHash::from_bytes([1; 32]);
        assert!(sightings.block(block, Source::Log, Stage::Header, at(10)));
        assert!(!sightings.block(block, Source::Log, Stage::Header, at(10)));
        assert!(!sightings.block(block, Source::Log, Stage::Header, at(11)));
        assert!(sightings.block(block, Source::Log, Stage::Header, at(9)));
        assert!(sightings.block(block, Source::Log, Stage::Connected, at(12)));
        assert!(sightings.block(block, Source::Zmq, Stage::Header, at(12)));
    }

    #[test]
    fn a_transaction_is_news_again_when_its_id_with_witness_comes_and_keeps_the_first_time() {
        let mut sightings = Sightings::new(&Settings::default());
        let txid = Txid::from_bytes([1; 32]);
        assert_eq!(sightings.transaction(txid, Source::Log, at(10), false), Some(at(10)));
        assert_eq!(sightings.transaction(txid, Source::Log, at(11), true), Some(at(10)));
        assert_eq!(sightings.transaction(txid, Source::Log, at(12), true), None);
        assert_eq!(sightings.transaction(txid, Source::Log, at(13), false), None);
        assert_eq!(sightings.transaction(txid, Source::Log, at(8), false), Some(at(8)));
        assert_eq!(sightings.transaction(txid, Source::Zmq, at(13), false), Some(at(13)));
    }
}
