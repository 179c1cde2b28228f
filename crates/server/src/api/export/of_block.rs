//! What the tables about blocks at nodes have in common: their first columns, and that all rows of a block stand together.

use bmon_analysis::row::{BlockProcessing, BlockSighting, BlockStep, Sighted};
use bmon_event::{BlockHash, NodeName};
use bmon_store::{BlockTimes, Cursor, Reader, StoreError, Stretch};

use super::{
    column::{AtNode, Column, OfNode, Value},
    walk::Part,
};

/// Something that a node told of a block.
pub(super) struct OfBlock<T> {
    height: Option<u32>,
    pub(super) told: T,
}

/// Which block and node it is about, and when it was told.
pub(super) trait Told {
    fn block(&self) -> &BlockHash;
    fn node(&self) -> &NodeName;
    fn sighted(&self) -> Sighted;
}

macro_rules! told {
    ($($row:ty),*) => {$(
        impl Told for $row {
            fn block(&self) -> &BlockHash {
                &self.block
            }

            fn node(&self) -> &NodeName {
                &self.node
            }

            fn sighted(&self) -> Sighted {
                self.sighted
            }
        }
    )*};
}
told!(BlockSighting, BlockProcessing, BlockStep);

impl<T: Told> OfNode for OfBlock<T> {
    fn node(&self) -> Option<&NodeName> {
        Some(self.told.node())
    }
}

impl<T: Told> AtNode for OfBlock<T> {
    fn sighted(&self) -> Sighted {
        self.told.sighted()
    }
}

impl<T: Told> Column<OfBlock<T>> {
    pub(super) const BLOCK: Self =
        Self { name: "block", meaning: "the block", value: |row, _| Value::shown(row.told.block()) };
    pub(super) const HEIGHT: Self = Self {
        name: "height",
        meaning: "its height; null while no node told it",
        value: |row, _| row.height.into(),
    };
}

/// Reads what `take` takes of each block.
pub(super) fn read<T>(
    reader: &Reader,
    stretch: &Stretch,
    after: Option<Cursor>,
    part: &mut Part<'_, OfBlock<T>>,
    take: impl Fn(BlockTimes) -> Result<Vec<T>, StoreError>,
) -> Result<Option<Cursor>, StoreError> {
    let mut failed = None;
    let place = reader.visit_blocks(stretch, after, &mut |block| {
        let height = block.row.height;
        match take(block) {
            Ok(told) => told.into_iter().for_each(|told| part.row(&OfBlock { height, told })),
            Err(error) => failed = Some(error),
        }
        if failed.is_some() { std::ops::ControlFlow::Break(()) } else { part.go_on() }
    })?;
    failed.map_or(Ok(place), Err)
}
