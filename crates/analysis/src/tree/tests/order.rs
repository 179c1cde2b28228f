//! Any interleaving of the same truths gives the same tree and the same views: those of the model.

use std::collections::BTreeSet;

use bmon_event::{AgentTime, BlockHash};
use proptest::{prelude::*, sample::Index as Pick};

use super::{
    super::{Header, Stamp, Tree, Word},
    mine, mine_blake2b,
    model::{Model, Truth},
    node,
};

const NODES: [&str; 2] = ["alice", "bob"];

/// A tree of blocks as it grew: each stands after its parent. Most hang on the one before, so that there are long chains;
/// whoever changed to the other proof of work does not come back.
fn blocks() -> impl Strategy<Value = Vec<Header>> {
    let block = (prop_oneof![4 => Just(None), 1 => any::<Pick>().prop_map(Some)], prop::bool::weighted(0.1));
    prop::collection::vec(block, 1..28).prop_map(|parents| {
        let mut blocks = vec![mine(BlockHash::from_bytes([1; 32]), 0)];
        for (which, (parent, is_change)) in (1..).zip(parents) {
            let parent = parent.map_or(blocks.last().unwrap(), |pick| pick.get(&blocks));
            let is_blake2b = parent.extension.is_some() || is_change;
            let make = if is_blake2b { mine_blake2b } else { mine };
            blocks.push(make(parent.hash(), which));
        }
        blocks
    })
}

fn word() -> impl Strategy<Value = Word> {
    prop::sample::select(vec![Word::Header, Word::Valid, Word::Invalid, Word::Active])
}

/// Where the tree begins, at what height, what is told, and the same in another order.
#[derive(Debug)]
struct Story {
    blocks: Vec<Header>,
    root: Header,
    height: u32,
    truths: Vec<Truth>,
    shuffled: Vec<Truth>,
}

fn story() -> impl Strategy<Value = Story> {
    let said = (any::<Pick>(), 0..NODES.len(), word(), 0..6_i64, 0..2_u64);
    let told = (
        blocks(),
        any::<Pick>(),
        100..1_000_u32,
        prop::collection::vec(prop::bool::weighted(0.95), 28),
        prop::collection::vec(said, 0..30),
        prop::collection::vec(any::<Pick>(), 0..10),
    );
    let told = told.prop_map(|(blocks, root, base, is_told, said, heights)| {
        let height_of = |block: &Header| {
            let above = |block: &Header| blocks.iter().find(|other| other.hash() == block.parent());
            base + u32::try_from(std::iter::successors(Some(block), |block| above(block)).count()).unwrap()
        };
        let headers = blocks.iter().zip(is_told).filter(|(_, is_told)| *is_told);
        let mut truths: Vec<_> = headers.map(|(header, _)| Truth::Header(header.clone())).collect();
        truths.extend(said.iter().map(|(block, who, word, at, serial)| {
            let stamp = Stamp { at: AgentTime::from_micros(*at), serial: *serial };
            Truth::Said(node(NODES[*who]), block.get(&blocks).hash(), *word, stamp)
        }));
        truths.extend(heights.iter().map(|pick| {
            let block = pick.get(&blocks);
            Truth::Height(block.hash(), height_of(block))
        }));
        let root = root.get(&blocks).clone();
        let height = height_of(&root);
        (blocks, root, height, truths)
    });
    told.prop_flat_map(|(blocks, root, height, truths)| {
        let truth = Just(truths.clone()).prop_shuffle();
        let shuffled = Just(truths).prop_shuffle();
        (Just(blocks), Just(root), Just(height), truth, shuffled)
    })
    .prop_map(|(blocks, root, height, truths, shuffled)| Story {
        blocks,
        root,
        height,
        truths,
        shuffled,
    })
}

fn tree(story: &Story, truths: &[Truth]) -> Tree {
    let mut tree = Tree::new(story.root.clone(), story.height);
    for truth in truths {
        match truth {
            Truth::Header(header) => drop(tree.insert(header.clone())),
            Truth::Height(block, height) => tree.height_told(*block, *height),
            Truth::Said(node, block, word, stamp) => tree.said(node, *block, *word, *stamp),
        }
    }
    tree
}

fn blocks_are_those_of_the_model(tree: &Tree, model: &Model, all: &[Header]) -> Result<(), TestCaseError> {
    let known: BTreeSet<_> =
        all.iter().filter(|block| tree.get(block.hash()).is_some()).map(Header::hash).collect();
    prop_assert_eq!(&known, &model.blocks());
    prop_assert_eq!(tree.root(), (model.root, model.root_height));
    prop_assert_eq!(tree.tips().into_iter().collect::<BTreeSet<_>>(), model.tips());
    for block in all.iter().filter(|block| known.contains(&block.hash())) {
        prop_assert_eq!(tree.get(block.hash()).unwrap().to_raw(), block.to_raw());
        prop_assert_eq!(tree.height(block.hash()), Some(model.height(block.hash())));
        let (hash, height) = (block.hash(), model.height(block.hash()));
        let (from, above) = (tree.tips_from(height), tree.tips_above(hash));
        let tips = || model.tips().into_iter();
        prop_assert_eq!(from.len(), tips().filter(|tip| model.height(*tip) >= height).count());
        prop_assert!(tree.tips().starts_with(&from));
        let expected: BTreeSet<_> = tips().filter(|tip| model.below(*tip).contains(&hash)).collect();
        prop_assert_eq!(above.into_iter().collect::<BTreeSet<_>>(), expected);
        for ancestor in model.below(block.hash()) {
            prop_assert_eq!(tree.ancestor(block.hash(), model.height(ancestor)), Some(ancestor));
        }
    }
    Ok(())
}

fn branches_are_those_of_the_model(tree: &Tree, model: &Model) -> Result<(), TestCaseError> {
    let best = tree.best_tips();
    for left in model.blocks() {
        for right in model.blocks() {
            let comparison = tree.compare(left, right).unwrap();
            let fork = model.fork(left, right);
            prop_assert_eq!(comparison.fork, fork);
            prop_assert_eq!(comparison.fork_height, model.height(fork));
            prop_assert_eq!(tree.is_ancestor(left, right), Some(fork == left));
            for (side, tip) in [(comparison.left, left), (comparison.right, right)] {
                prop_assert_eq!((side.length as usize, side.work), model.side(fork, tip));
            }
            if best.contains(&left) && model.tips().contains(&right) {
                prop_assert_ne!(comparison.by_work(), Some(std::cmp::Ordering::Less));
            }
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_order_gives_the_tree_and_the_views_of_the_model(story in story()) {
        let model = Model::new(&story.root, story.height, &story.truths);
        let (tree, other) = (tree(&story, &story.truths), tree(&story, &story.shuffled));
        for tree in [&tree, &other] {
            blocks_are_those_of_the_model(tree, &model, &story.blocks)?;
            branches_are_those_of_the_model(tree, &model)?;
            prop_assert_eq!((tree.dropped(), tree.contradictions()), (0, 0));
            for node in NODES.map(node) {
                prop_assert_eq!(tree.active_tip(&node), model.active_tip(&node));
                for block in model.blocks() {
                    prop_assert_eq!(tree.status(&node, block), model.status(&node, block), "{} of {}", block, node);
                }
            }
        }
        prop_assert_eq!(tree.missing(), other.missing());
        prop_assert_eq!(tree.best_tips(), other.best_tips());
    }
}
