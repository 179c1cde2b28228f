//! The lines of a log that are about a block, those included that do not name it.

use std::collections::VecDeque;

use bmon_event::BlockHash;

use crate::{Assembler, Line, Message};

/// Lines of which it may turn out later that they belong, and those between them. A run of `-debug=bench` has 14.
const QUEUED: usize = 1_024;

/// Gives the lines in the order of the log: one that belongs waits while an earlier one still may.
#[derive(Clone, Debug, Default)]
pub(super) struct BlockLines {
    assembler: Assembler,
    /// The place of the next line.
    place: u64,
    queue: VecDeque<Queued>,
}

#[derive(Clone, Debug)]
struct Queued {
    place: u64,
    belongs: bool,
    raw: Box<[u8]>,
}

impl BlockLines {
    /// Takes the next line that is a message; `is_named` if it names `block`.
    pub(super) fn feed(
        &mut self,
        block: BlockHash,
        raw: &[u8],
        line: &Line<'_>,
        message: &Message<'_>,
        is_named: bool,
        each: &mut impl FnMut(&[u8]),
    ) {
        let Self { assembler, place, queue } = self;
        let (here, mut belongs) = (*place, is_named);
        *place += 1;
        assembler.feed(here, line, message, |place, about| {
            if about == block && place == here {
                belongs = true;
            } else if about == block
                && let Ok(index) = queue.binary_search_by_key(&place, |queued| queued.place)
                && let Some(queued) = queue.get_mut(index)
            {
                queued.belongs = true;
            }
        });
        let waiting = assembler.waiting().unwrap_or(u64::MAX);
        if belongs || assembler.holds(here) {
            queue.push_back(Queued { place: here, belongs, raw: raw.into() });
        }
        while queue.front().is_some_and(|first| first.place < waiting) || queue.len() > QUEUED {
            give_first(queue, each);
        }
    }

    /// Gives the lines that wait: the log has ended.
    pub(super) fn finish(&mut self, each: &mut impl FnMut(&[u8])) {
        while !self.queue.is_empty() {
            give_first(&mut self.queue, each);
        }
    }
}

fn give_first(queue: &mut VecDeque<Queued>, each: &mut impl FnMut(&[u8])) {
    if let Some(first) = queue.pop_front().filter(|first| first.belongs) {
        each(&first.raw);
    }
}
