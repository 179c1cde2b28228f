//! Finds the wordings that a text can be, from its category and its first bytes.
//!
//! The tables are built from the declarations at compile time: a hash table of the first eight bytes of the wordings,
//! and a list of the few that begin with fewer. A line of no interest leaves by an empty place of the one and by a
//! first byte that nothing in the other has.

use crate::{
    label::Category,
    message::{WORDINGS, Wording},
};

const COUNT: usize = wordings().len();
/// Places of the hash table: several for each wording, so that few are shared.
const PLACES: usize = (COUNT * 8).next_power_of_two();
/// Stands for no wording.
const NONE: u16 = u16::MAX;

const fn wordings() -> &'static [Wording] {
    &WORDINGS
}

struct Tables {
    /// The first wording of each place.
    first: [u16; PLACES],
    /// For each wording the next one of its place; for those that begin with fewer than eight bytes, of their list.
    next: [u16; COUNT],
    /// The first wording of the list, by the text's first byte.
    short: [u16; 256],
    /// The first eight bytes of each wording's literal, and which of them count.
    head: [(u64, u64); COUNT],
    /// The categories of each wording, a bit for each. A line without one, as of all versions up to 23, can be any
    /// message, so the bit of `All` is always there.
    categories: [u64; COUNT],
}

static TABLES: Tables = build();

#[allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "runs at compile time, with few wordings"
)]
const fn build() -> Tables {
    let mut tables = Tables {
        first: [NONE; PLACES],
        next: [NONE; COUNT],
        short: [NONE; 256],
        head: [(0, 0); COUNT],
        categories: [category_bit(Category::All); COUNT],
    };
    let mut list = NONE;
    // From the last to the first, so that the wordings of a place come in the order in which they are declared.
    let mut index = COUNT;
    while index > 0 {
        index -= 1;
        let wording = &wordings()[index];
        let mut category = 0;
        while category < wording.categories.len() {
            tables.categories[index] |= category_bit(wording.categories[category]);
            category += 1;
        }
        tables.head[index] = literal_head(wording.head);
        if wording.head.len() >= 8 {
            let place = place(tables.head[index].0);
            tables.next[index] = tables.first[place];
            tables.first[place] = index as u16;
        } else {
            tables.next[index] = list;
            list = index as u16;
        }
    }
    add_list(&mut tables.short, list, &tables.next);
    tables
}

/// Lets each first byte that a wording of the list can have point to the list. A wording without a literal in front
/// begins with a hash (a test holds the declarations to that).
#[allow(clippy::indexing_slicing, reason = "runs at compile time, where a panic fails the build")]
const fn add_list(short: &mut [u16; 256], list: u16, next: &[u16; COUNT]) {
    let mut index = list;
    while index != NONE {
        let head = wordings()[index as usize].head;
        let first = if head.is_empty() { b"0123456789abcdef" } else { head.split_at(1).0 };
        let mut byte = 0;
        while byte < first.len() {
            short[first[byte] as usize] = list;
            byte += 1;
        }
        index = next[index as usize];
    }
}

const fn category_bit(category: Category) -> u64 {
    1 << category as u64
}

/// The first eight bytes of a literal as a number, the first byte lowest, and a mask of those that it has.
#[allow(clippy::indexing_slicing, reason = "runs at compile time, where a panic fails the build")]
const fn literal_head(literal: &[u8]) -> (u64, u64) {
    let (mut value, mut mask) = (0, 0);
    let mut byte = 0;
    while byte < literal.len() && byte < 8 {
        value |= (literal[byte] as u64) << (8 * byte);
        mask |= 0xff << (8 * byte);
        byte += 1;
    }
    (value, mask)
}

/// The place of eight bytes in the hash table: the highest bits of a product with an odd number without pattern.
#[allow(clippy::cast_possible_truncation, reason = "few bits are left")]
#[inline]
const fn place(head: u64) -> usize {
    (head.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - PLACES.ilog2())) as usize
}

/// The wordings that `text` in a line of `category` can be, in the order in which they are to be tried.
#[inline]
pub(crate) fn candidates(category: Option<Category>, text: &[u8]) -> Candidates {
    let category = category_bit(category.unwrap_or(Category::All));
    let short = text.first().and_then(|first| TABLES.short.get(usize::from(*first))).copied().unwrap_or(NONE);
    let (head, next) = match text.first_chunk::<8>() {
        Some(bytes) => {
            let head = u64::from_le_bytes(*bytes);
            (head, TABLES.first.get(place(head)).copied().unwrap_or(NONE))
        }
        None => (literal_head(text).0, NONE),
    };
    Candidates { category, head, next, short }
}

/// The wordings that are left to try.
pub(crate) struct Candidates {
    category: u64,
    head: u64,
    next: u16,
    /// The list that follows when `next` has come to its end.
    short: u16,
}

impl Iterator for Candidates {
    type Item = &'static Wording;

    #[inline]
    fn next(&mut self) -> Option<&'static Wording> {
        loop {
            if self.next == NONE {
                self.next = std::mem::replace(&mut self.short, NONE);
            }
            // `NONE` is no place of any table, and ends the search.
            let index = usize::from(self.next);
            self.next = *TABLES.next.get(index)?;
            let (value, mask) = TABLES.head.get(index)?;
            if self.head & mask == *value && self.category & TABLES.categories.get(index)? != 0 {
                return WORDINGS.get(index);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wording_is_a_candidate_for_its_own_beginning_in_its_categories() {
        for wording in &WORDINGS {
            let text = wording.rendered();
            for category in wording.categories.iter().map(|category| Some(*category)).chain([None]) {
                let found =
                    candidates(category, text.as_bytes()).any(|candidate| std::ptr::eq(candidate, wording));
                assert!(found, "`{}` in {category:?}", wording.format);
            }
        }
    }

    #[test]
    fn a_category_without_messages_and_a_strange_beginning_have_no_candidates() {
        assert_eq!(candidates(Some(Category::Libevent), b"UpdateTip: new best=").count(), 0);
        assert_eq!(candidates(None, b"Using RdSeed as an additional entropy source").count(), 0);
        assert_eq!(candidates(None, b"Using").count(), 0);
        assert_eq!(candidates(None, b"").count(), 0);
    }

    #[test]
    fn few_wordings_are_tried_for_a_text() {
        for wording in &WORDINGS {
            let tried = candidates(None, wording.rendered().as_bytes()).count();
            assert!(tried < 14, "{tried} for `{}`", wording.format);
        }
    }
}
