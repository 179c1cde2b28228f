//! When each source of a node first told of each stage of each block.

use bmon_event::{AgentTime, BlockHash, Source};

use crate::{memory::Memory, row::Stage, settings::Settings};

/// The first times that one node told, as far back as they are remembered.
#[derive(Debug)]
pub(crate) struct Sightings {
    blocks: Memory<(BlockHash, Source, Stage), AgentTime>,
}

impl Sightings {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self { blocks: Memory::new(settings.blocks) }
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

    /// First times forgotten since the start.
    pub(crate) const fn forgotten(&self) -> u64 {
        self.blocks.forgotten()
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
}
