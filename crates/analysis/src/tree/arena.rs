//! Where the headers are: one number for each block, and a column for each thing that is known of it.
//!
//! A million headers must fit into 150 MB. So a hash is kept once, and the table that finds it holds numbers; the parent
//! is a number, and the header's bytes are put together again when someone wants them.
//!
//! Beside its parent every block knows one ancestor farther down, at a height that depends on its own height alone
//! (`GetSkipHeight` in `src/chain.cpp@v30`), so that any ancestor is found in some ten steps. Because that height is the
//! same whatever came first, the root can move down: blocks whose far ancestor lies below the root wait for it.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
};

use bmon_event::BlockHash;
use hashbrown::HashTable;

use super::{
    header::{Extension, Fields, Header, ProofOfWork},
    work::{U256, Work},
};

/// The number of a block. Numbers are given in the order of arrival and mean nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Index(u32);

impl Index {
    const NONE: Self = Self(u32::MAX);
    pub(super) const FIRST: Self = Self(0);

    const fn at(self) -> usize {
        self.0 as usize
    }
}

/// How a block hangs together with others.
#[derive(Clone, Copy, Debug)]
struct Link {
    height: u32,
    /// `NONE` for the root.
    parent: Index,
    /// The ancestor at `skip_height(height)`, `NONE` if that is below the root.
    skip: Index,
    /// The stretch of one proof of work that it belongs to.
    stretch: u32,
}

/// Blocks one after another that show their work in the same way, in all the branches that grew from the first.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    proof_of_work: ProofOfWork,
    first: Index,
}

/// All headers from the root on.
#[derive(Debug)]
pub(super) struct Arena {
    /// Where a hash is found. Keyed at random, since a hash may be chosen by whoever tells it.
    table: HashTable<Index>,
    hasher: RandomState,
    hashes: Vec<BlockHash>,
    links: Vec<Link>,
    fields: Vec<Fields>,
    /// Work up to and with each block, counted from an arbitrary point, modulo 2^256. Only differences mean something.
    works: Vec<U256>,
    extensions: HashMap<Index, Extension>,
    stretches: Vec<Stretch>,
    root: Index,
    root_parent: BlockHash,
    /// Blocks whose far ancestor will be the root when the root is at this height.
    cut: HashMap<u32, Vec<Index>>,
    /// The last bits seen and what work they mean: they stay for 2,016 blocks.
    last_work: (u32, U256),
}

impl Arena {
    /// With this root, at this height.
    pub(super) fn new(root: Header, height: u32) -> Self {
        let mut arena = Self {
            table: HashTable::new(),
            hasher: RandomState::new(),
            hashes: Vec::new(),
            links: Vec::new(),
            fields: Vec::new(),
            works: Vec::new(),
            extensions: HashMap::new(),
            stretches: Vec::new(),
            root: Index(0),
            root_parent: root.parent,
            cut: HashMap::new(),
            last_work: (root.fields.bits, root.work().0),
        };
        let stretch = arena.begin_stretch(&root);
        let link = Link { height, parent: Index::NONE, skip: Index::NONE, stretch };
        let index = arena.insert(root, link, U256::default());
        arena.cut.entry(skip_height(height)).or_default().push(index);
        arena
    }

    /// Adds a header whose parent is there. The caller has looked that it is not there itself.
    pub(super) fn push(&mut self, header: Header, parent: Index) -> Index {
        let above = self.links[parent.at()];
        let height = above.height + 1;
        let far = skip_height(height);
        let skip = self.ancestor(parent, far).unwrap_or(Index::NONE);
        if skip == Index::NONE {
            let index = self.next();
            self.cut.entry(far).or_default().push(index);
        }
        let is_same = self.stretches[above.stretch as usize].proof_of_work == header.proof_of_work();
        let stretch = if is_same { above.stretch } else { self.begin_stretch(&header) };
        let work = self.works[parent.at()].wrapping_add(self.work_of(header.fields));
        self.insert(header, Link { height, parent, skip, stretch }, work)
    }

    /// Adds the parent of the root, which becomes the root. `None` if `header` is not that.
    pub(super) fn push_below(&mut self, header: Header) -> Option<Index> {
        let (old_root, new_root) = (self.root, self.next());
        let above = self.links[old_root.at()];
        let height = above.height.checked_sub(1).filter(|_| header.hash == self.root_parent)?;
        let is_same = self.stretches[above.stretch as usize].proof_of_work == header.proof_of_work();
        let stretch = if is_same { above.stretch } else { self.begin_stretch(&header) };
        self.stretches[stretch as usize].first = new_root;
        for block in self.cut.remove(&height).unwrap_or_default() {
            self.links[block.at()].skip = new_root;
        }
        self.cut.entry(skip_height(height)).or_default().push(new_root);
        self.links[old_root.at()].parent = new_root;
        (self.root, self.root_parent) = (new_root, header.parent);
        let work_above = self.work_of(self.fields[old_root.at()]);
        let work = self.works[old_root.at()].wrapping_sub(work_above);
        Some(self.insert(header, Link { height, parent: Index::NONE, skip: Index::NONE, stretch }, work))
    }

    fn next(&self) -> Index {
        Index(
            u32::try_from(self.hashes.len()).expect("memory ends long before four thousand million headers"),
        )
    }

    fn begin_stretch(&mut self, first: &Header) -> u32 {
        let number = self.stretches.len();
        self.stretches.push(Stretch { proof_of_work: first.proof_of_work(), first: self.next() });
        u32::try_from(number).expect("there are no more stretches than headers")
    }

    fn work_of(&mut self, fields: Fields) -> U256 {
        if self.last_work.0 != fields.bits {
            self.last_work = (fields.bits, fields.work().0);
        }
        self.last_work.1
    }

    fn insert(&mut self, header: Header, link: Link, work: U256) -> Index {
        let index = self.next();
        let hash_of = |block: &BlockHash| self.hasher.hash_one(block);
        self.table.insert_unique(hash_of(&header.hash), index, |other| hash_of(&self.hashes[other.at()]));
        if let Some(extension) = header.extension {
            self.extensions.insert(index, extension);
        }
        // `insert_unique` asks for hashes of what was there before only.
        self.hashes.push(header.hash);
        self.links.push(link);
        self.fields.push(header.fields);
        self.works.push(work);
        index
    }

    /// The block's number, `None` if its header is not there.
    pub(super) fn find(&self, block: BlockHash) -> Option<Index> {
        let hash = self.hasher.hash_one(block);
        self.table.find(hash, |index| self.hashes[index.at()] == block).copied()
    }

    /// Number of headers.
    pub(super) const fn len(&self) -> usize {
        self.hashes.len()
    }

    pub(super) const fn root(&self) -> Index {
        self.root
    }

    pub(super) const fn root_parent(&self) -> BlockHash {
        self.root_parent
    }

    pub(super) fn hash(&self, block: Index) -> BlockHash {
        self.hashes[block.at()]
    }

    pub(super) fn height(&self, block: Index) -> u32 {
        self.links[block.at()].height
    }

    /// `None` for the root.
    pub(super) fn parent(&self, block: Index) -> Option<Index> {
        Some(self.links[block.at()].parent).filter(|parent| *parent != Index::NONE)
    }

    /// The header, put together again.
    pub(super) fn header(&self, block: Index) -> Header {
        Header {
            hash: self.hash(block),
            parent: self.parent(block).map_or(self.root_parent, |parent| self.hash(parent)),
            fields: self.fields[block.at()],
            extension: self.extensions.get(&block).cloned(),
        }
    }

    /// Work of the blocks above the root up to this one, whatever way they show it.
    pub(super) fn work_above_root(&self, block: Index) -> Work {
        Work(self.works[block.at()].wrapping_sub(self.works[self.root.at()]))
    }

    /// Work of the blocks above `fork`, an ancestor, up to `block`, and how they show it. `None` if there are none, or
    /// if they show it in different ways.
    pub(super) fn work_between(&self, fork: Index, block: Index) -> Option<(ProofOfWork, Work)> {
        let stretch = self.stretches[self.links[block.at()].stretch as usize];
        let is_one = self.height(stretch.first) <= self.height(fork) + 1;
        let work = Work(self.works[block.at()].wrapping_sub(self.works[fork.at()]));
        (is_one && fork != block).then_some((stretch.proof_of_work, work))
    }

    /// The block at `height` on the way from `block` down to the root. `None` if it lies above the one or below the
    /// other.
    pub(super) fn ancestor(&self, block: Index, height: u32) -> Option<Index> {
        let mut link = &self.links[block.at()];
        if height > link.height || height < self.height(self.root) {
            return None;
        }
        let mut at = block;
        while link.height > height {
            let far = skip_height(link.height);
            // The parent's far ancestor can be nearer to the goal than this block's own, as in `GetAncestor`.
            let by_parent = skip_height(link.height - 1);
            let is_parent_better = by_parent + 2 < far && by_parent >= height;
            at = if far == height || far > height && !is_parent_better { link.skip } else { link.parent };
            link = &self.links[at.at()];
        }
        Some(at)
    }

    /// Whether `ancestor` is `block` or below it.
    pub(super) fn is_ancestor(&self, ancestor: Index, block: Index) -> bool {
        self.ancestor(block, self.height(ancestor)) == Some(ancestor)
    }

    /// The highest block that both are or have below them.
    pub(super) fn fork(&self, a: Index, b: Index) -> Index {
        let height = self.height(a).min(self.height(b));
        let level = |block| self.ancestor(block, height).expect("no block is below the root");
        let (mut a, mut b) = (level(a), level(b));
        while a != b {
            let (link_a, link_b) = (&self.links[a.at()], &self.links[b.at()]);
            // At equal heights the far ancestors are at equal heights too. Where they are one, the fork is above it.
            (a, b) = if link_a.skip == link_b.skip {
                (link_a.parent, link_b.parent)
            } else {
                (link_a.skip, link_b.skip)
            };
        }
        a
    }
}

/// The height of the far ancestor of a block at `height`, which is above 0: `GetSkipHeight` in `src/chain.cpp@v30`. From
/// an even height the lowest bit that is set is cleared, from an odd one the two lowest after the last: so that some
/// blocks reach far and others near.
const fn skip_height(height: u32) -> u32 {
    const fn cleared(number: u32) -> u32 {
        number & number.wrapping_sub(1)
    }
    match height {
        0 | 1 => 0,
        _ if height % 2 == 1 => cleared(cleared(height - 1)) + 1,
        _ => cleared(height),
    }
}
