//! A selfish miner: algorithm 1 of Eyal and Sirer, "Majority Is Not Enough: Bitcoin Mining Is Vulnerable" (2014), among
//! miners who hear of each other with a delay.

/// Pool 0 mines selfishly.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attack {
    /// His share of all mining.
    pub(crate) share: f64,
    /// The part of the others that mines on his block when there are two that are equally good.
    pub(crate) gamma: f64,
    /// How long he waits between two blocks that he publishes at one occasion. Nothing in the paper.
    pub(crate) pause_s: f64,
}

/// What he keeps to himself.
#[derive(Debug, Default)]
pub(crate) struct Private {
    /// His blocks since the fork, with their heights.
    branch: Vec<(usize, u32)>,
    /// How many of them are public.
    published: usize,
    /// Height of the best block of others that he knows.
    public_height: u32,
}

impl Private {
    /// The block that he mines on, `None` if it is the best public one.
    pub(crate) fn tip(&self) -> Option<usize> {
        Some(self.branch.last()?.0)
    }

    /// He found a block. What he publishes at once.
    pub(crate) fn found(&mut self, block: usize, height: u32) -> Vec<usize> {
        let was_race = self.branch.last().is_some_and(|(_, tip)| *tip == self.public_height);
        self.branch.push((block, height));
        if was_race { self.win() } else { Vec::new() }
    }

    /// He hears of a block of others. What he publishes in answer.
    pub(crate) fn heard(&mut self, height: u32) -> Vec<usize> {
        if height <= self.public_height {
            return Vec::new();
        }
        self.public_height = height;
        let Some((_, tip)) = self.branch.last().copied() else { return Vec::new() };
        if tip < height {
            *self = Self { public_height: height, ..Self::default() };
            return Vec::new();
        }
        if tip == height + 1 {
            return self.win();
        }
        self.publish(height)
    }

    /// Publishes everything, which makes his branch the best.
    fn win(&mut self) -> Vec<usize> {
        let blocks = self.publish(u32::MAX);
        let height = self.branch.last().map_or(0, |(_, height)| *height);
        *self = Self { public_height: self.public_height.max(height), ..Self::default() };
        blocks
    }

    /// Publishes up to this height.
    fn publish(&mut self, height: u32) -> Vec<usize> {
        let hidden = &self.branch[self.published..];
        let blocks: Vec<_> =
            hidden.iter().filter(|(_, own)| *own <= height).map(|(block, _)| *block).collect();
        self.published += blocks.len();
        blocks
    }
}
