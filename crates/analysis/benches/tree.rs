//! What the header tree costs: `cargo bench -p bmon-analysis`. A million headers, one in 700 of them stale, with what twenty
//! nodes say of each new block; beside it the double SHA-256 of the same headers alone, and a plain map from hash to header.
//!
//! Times are the processor's, so that other work on the machine disturbs less. Memory is what became resident. `cargo test` does
//! the same with few.

#![expect(clippy::unwrap_used, reason = "a benchmark stops where it fails")]

mod measure;

use std::hint::black_box;

use bmon_analysis::tree::{Header, Stamp, Tree, Word};
use bmon_event::{AgentTime, NodeName};

use measure::{HEADERS, headers, is_measured, measured, processor_seconds, yardsticks};

const NODES: usize = 20;
/// Blocks at the end that the nodes speak of, and the most questions asked.
const NEW: usize = 20_000;
/// Headers when nothing is measured.
const FEW: u32 = 3_000;

fn main() {
    let count = if is_measured() { HEADERS } else { FEW };
    let raw = headers(count as usize);
    yardsticks(&raw);
    let (old, new) = raw.split_at(raw.len() - NEW.min(raw.len() / 2));
    let root = Header::decode(&old[0], None).unwrap();
    let nodes: Vec<NodeName> = (0..NODES).map(|node| format!("node-{node}").parse().unwrap()).collect();
    let (mut tree, mut worst) = (Tree::new(root.clone(), 0), 0.0_f64);
    measured("tree: build it", old.len(), || {
        for raw in old {
            tree.insert(Header::decode(raw, None).unwrap());
        }
    });
    // So that each view is as full as it can be, as after many years.
    let (best, stale) = (tree.best_tips()[0], tree.tips());
    for node in &nodes {
        for stale in &stale {
            tree.said(node, *stale, Word::Valid, Stamp::default());
        }
        tree.said(node, best, Word::Active, Stamp::default());
    }
    measured("tree: a new block that 20 nodes speak of", new.len(), || {
        for (serial, raw) in (0..).zip(new) {
            let start = processor_seconds();
            new_block(&mut tree, &nodes, Header::decode(raw, None).unwrap(), serial);
            worst = worst.max(processor_seconds() - start);
        }
    });
    println!("{:<44} {:>9.3} ms", "the slowest of them", worst * 1e3);
    println!("{} headers, {} tips, {} dropped", tree.headers(), tree.tips().len(), tree.dropped());
    questions(&tree, &nodes);

    let mut backwards = Tree::new(Header::decode(raw.last().unwrap(), None).unwrap(), count);
    measured("tree: the same from the top down", raw.len(), || {
        for raw in raw.iter().rev() {
            backwards.insert(Header::decode(raw, None).unwrap());
        }
    });
    assert_eq!(backwards.root().0, root.hash());
    assert_eq!(backwards.headers() + backwards.missing().len(), tree.headers());
}

/// What a new block makes every node say: header, valid, and the new end of the active chain.
fn new_block(tree: &mut Tree, nodes: &[NodeName], header: Header, serial: i64) {
    let block = header.hash();
    tree.insert(header);
    for (place, word) in (0..).zip([Word::Header, Word::Valid, Word::Active]) {
        for node in nodes {
            tree.said(node, block, word, Stamp { at: AgentTime::from_micros(serial), serial: place });
        }
    }
}

fn questions(tree: &Tree, nodes: &[NodeName]) {
    let best = tree.best_tips()[0];
    let height = tree.height(best).unwrap();
    let heights: Vec<u32> =
        (1_u32..).take(NEW).map(|which| which.wrapping_mul(2_654_435_769) % height).collect();
    let tips = tree.tips();
    measured("ancestor at a height", NEW, || {
        for height in &heights {
            black_box(tree.ancestor(best, *height));
        }
    });
    measured("fork and work of two tips", NEW, || {
        for which in 0..NEW {
            black_box(tree.compare(tips[which % tips.len()], tips[which * 7 % tips.len()]));
        }
    });
    measured("status of a tip at a node", NEW, || {
        for which in 0..NEW {
            black_box(tree.status(&nodes[which % NODES], tips[which % tips.len()]));
        }
    });
    measured("best tips", 10, || (0..10).for_each(|_| drop(black_box(tree.best_tips()))));
    measured("all branches", 10, || (0..10).for_each(|_| drop(black_box(tree.branches_from(best, 0)))));
}
