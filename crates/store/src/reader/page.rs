use std::{fmt, str::FromStr};

/// A part of a list, newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next, older part begins; `None` when there is none.
    pub next: Option<Cursor>,
}

/// A place in a list between two items. Its text is for handing back, not for reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub(crate) at_us: i64,
    pub(crate) id: i64,
}

/// A text is not a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor that an earlier reply gave as `next`")]
pub struct CursorError;

impl Cursor {
    /// Before every item.
    pub(crate) const START: Self = Self { at_us: i64::MAX, id: i64::MAX };
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at_us, self.id)
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(s: &str) -> Result<Self, CursorError> {
        let (at_us, id) = s.split_once('.').ok_or(CursorError)?;
        Ok(Self { at_us: at_us.parse().map_err(|_| CursorError)?, id: id.parse().map_err(|_| CursorError)? })
    }
}

impl<T> Page<T> {
    /// From one item more than `limit`, if there are so many, each with its place.
    pub(crate) fn new(mut rows: Vec<(Cursor, T)>, limit: u32) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|(cursor, _)| *cursor);
        Self { items: rows.into_iter().map(|(_, item)| item).collect(), next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_being_text() {
        for cursor in [Cursor::START, Cursor { at_us: -5, id: 1 }] {
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        for bad in ["", ".", "1", "1.", ".1", "1.2.3", "a.b"] {
            assert_eq!(bad.parse::<Cursor>(), Err(CursorError), "{bad}");
        }
    }
}
