//! Whatever agents give as parts of blocks, nothing breaks, and what is said of the blocks is true.

use bmon_event::{BlockHash, Kind, Source, event::BlockPart};
use proptest::{collection::vec, prelude::*};

use crate::{
    fork::common,
    world::{SECOND, World, node},
};

/// A part to give: of which of the blocks, by which node, where it begins and how long it is, and what is wrong with it.
type Sketch = (usize, usize, u64, u64, u8);

fn any_sketch() -> impl Strategy<Value = Sketch> {
    (0..4_usize, 0..3_usize, 0..40_u64, 0..8_u64, 0..24_u8)
}

/// Mostly as it is, of a block that competes or of none that is known.
fn part(world: &World, blocks: &[BlockHash], (of, _, offset, length, wrong): Sketch) -> BlockPart {
    let Some(block) = blocks.get(of) else {
        let block = BlockHash::from_bytes([0xaa; 32]);
        return BlockPart { want: 1, block, size_bytes: length, offset, bytes: vec![1; 9] };
    };
    let whole = world.body(*block);
    let offset = (offset * 50).min(whole.len() as u64);
    let mut part = world.part(*block, offset, length * 50);
    match wrong {
        0 => part.size_bytes += 1,
        1 => part.size_bytes = u64::MAX,
        2 => part.offset = u64::MAX,
        3 => part.bytes.iter_mut().for_each(|byte| *byte ^= 0x40),
        4 => part.bytes.extend([7; 300]),
        5 => part.offset += 1,
        _ => {}
    }
    part
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn nothing_breaks_and_nothing_false_is_said(sketches in vec(any_sketch(), 1..60)) {
        let (mut world, genesis) = World::new();
        let fork = common(&mut world, genesis);
        let payments = world.payments(12);
        let (a, b) = (world.mined(fork, "/AntPool/", &payments), world.mined(fork, "F2Pool", &payments[..6]));
        let next = world.mined(b, "/ViaBTC/", &[]);
        world.silent = ["alice", "bob", "carol"].map(node).into();
        world.connect("alice", &[a]);
        world.connect_all(&["bob", "carol"], &[b, next]);
        for sketch in sketches {
            let part = part(&world, &[a, b, next], sketch);
            let name = ["alice", "bob", "carol"][sketch.1];
            world.tell(name, Source::Agent, vec![Kind::BlockPart(part)]);
        }
        world.silent.clear();
        world.serve();
        world.wait(SECOND);
        for (block, pool) in [(a, "AntPool"), (b, "F2Pool"), (next, "ViaBTC")] {
            if let Some(row) = world.miners.get(&block) {
                prop_assert_eq!(&row.miner.pool.as_ref().unwrap().name, pool);
            }
        }
        for (block, row) in &world.raw_blocks {
            prop_assert_eq!(&row.raw[..], world.body(*block));
        }
    }
}
