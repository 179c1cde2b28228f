//! Finds the wordings that a text can be, from its category and its first bytes.
//!
//! The tables are built from the declarations at compile time: a set of wordings for each category, one for each
//! first byte. Most lines leave by an empty intersection.

use crate::{
    label::Category,
    message::{WORDINGS, Wording},
};

const WORDS: usize = WORDINGS_LEN.div_ceil(64);
const WORDINGS_LEN: usize = wordings().len();
const CATEGORIES: usize = Category::ALL.len();

/// A set of wordings, by their places in [`WORDINGS`].
type Set = [u64; WORDS];

struct Tables {
    /// By category. Lines without one, as of all versions up to 23, can be anything.
    category: [Set; CATEGORIES],
    /// By the text's first byte.
    first: [Set; 256],
    /// The first eight bytes of each wording's literal, and which of them count.
    head: [(u64, u64); WORDINGS_LEN],
}

const fn wordings() -> &'static [Wording] {
    &WORDINGS
}

static TABLES: Tables = build();

#[allow(clippy::indexing_slicing, reason = "runs at compile time, where a panic fails the build")]
const fn build() -> Tables {
    let mut tables =
        Tables { category: [[0; WORDS]; CATEGORIES], first: [[0; WORDS]; 256], head: [(0, 0); WORDINGS_LEN] };
    let mut index = 0;
    while index < WORDINGS_LEN {
        let wording = &wordings()[index];
        let (word, bit) = (index / 64, 1 << (index % 64));
        tables.category[Category::All as usize][word] |= bit;
        let mut category = 0;
        while category < wording.categories.len() {
            tables.category[wording.categories[category] as usize][word] |= bit;
            category += 1;
        }
        // A wording without a literal in front begins with a hash (a test holds the declarations to that).
        let first = if wording.head.is_empty() { b"0123456789abcdef" } else { wording.head.split_at(1).0 };
        let mut byte = 0;
        while byte < first.len() {
            tables.first[first[byte] as usize][word] |= bit;
            byte += 1;
        }
        let mut byte = 0;
        while byte < wording.head.len() && byte < 8 {
            tables.head[index].0 |= (wording.head[byte] as u64) << (8 * byte);
            tables.head[index].1 |= 0xff << (8 * byte);
            byte += 1;
        }
        index += 1;
    }
    tables
}

/// The wordings that `text` in a line of `category` can be, in the order in which they are to be tried.
#[inline]
pub(crate) fn candidates(category: Option<Category>, text: &[u8]) -> Candidates {
    let first = text.first().map_or(0, |first| usize::from(*first));
    let category = category.unwrap_or(Category::All) as usize;
    let (by_category, by_first) = (TABLES.category.get(category), TABLES.first.get(first));
    let mut set = [0; WORDS];
    for (word, (category, first)) in
        set.iter_mut().zip(by_category.into_iter().flatten().zip(by_first.into_iter().flatten()))
    {
        *word = category & first;
    }
    Candidates { set, head: head(text) }
}

/// The first eight bytes of a text as a number, the first byte lowest, with zeros for those it lacks.
#[inline]
fn head(text: &[u8]) -> u64 {
    match text.first_chunk::<8>() {
        Some(bytes) => u64::from_le_bytes(*bytes),
        None => text.iter().rev().fold(0, |head, byte| head << 8 | u64::from(*byte)),
    }
}

/// The wordings that are left to try.
pub(crate) struct Candidates {
    set: Set,
    head: u64,
}

impl Iterator for Candidates {
    type Item = &'static Wording;

    #[inline]
    fn next(&mut self) -> Option<&'static Wording> {
        for (number, word) in self.set.iter_mut().enumerate() {
            while *word != 0 {
                let index = number * 64 + word.trailing_zeros() as usize;
                *word &= *word - 1;
                let (value, mask) = TABLES.head.get(index)?;
                if self.head & mask == *value {
                    return WORDINGS.get(index);
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wording_is_a_candidate_for_its_own_beginning_in_its_categories() {
        for wording in &WORDINGS {
            let text = if wording.head.is_empty() { b"00ff".as_slice() } else { wording.head };
            for category in wording.categories.iter().map(|category| Some(*category)).chain([None]) {
                let found = candidates(category, text).any(|candidate| std::ptr::eq(candidate, wording));
                assert!(found, "`{}` in {category:?}", wording.format);
            }
        }
    }

    #[test]
    fn a_category_without_messages_and_a_strange_beginning_have_no_candidates() {
        assert_eq!(candidates(Some(Category::Libevent), b"UpdateTip: new best=").count(), 0);
        assert_eq!(candidates(None, b"Using RdSeed as an additional entropy source").count(), 0);
        assert_eq!(candidates(None, b"").count(), 0);
    }
}
