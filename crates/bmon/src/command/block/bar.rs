//! Stretches of time as bars of characters, on one scale.

use crate::text::duration;

/// A scale that begins at 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    /// What the right edge stands for, in microseconds; more than 0.
    end_us: i64,
    /// Characters of a bar without its edges.
    width: usize,
}

impl Scale {
    /// A scale that `longest_us` fits on, in `columns` columns.
    pub(super) fn new(longest_us: i64, columns: usize) -> Self {
        Self { end_us: longest_us.max(1), width: columns.saturating_sub(2).max(1) }
    }

    /// What stands above the bars: 0, and what the right edge stands for.
    pub(super) fn head(&self) -> String {
        let end = duration(self.end_us);
        format!(" 0{end:>rest$} ", rest = self.width.saturating_sub(1))
    }

    /// The stretch from `from_us` to `to_us`. One that is shorter than a character is a line where it ends.
    pub(super) fn bar(&self, from_us: i64, to_us: i64) -> String {
        let (from, to) = (self.column(from_us), self.column(to_us));
        let filled = to.saturating_sub(from);
        let (blank, bar) = match filled {
            0 => (to.min(self.width - 1), "│".to_owned()),
            _ => (from, "█".repeat(filled)),
        };
        let rest = self.width.saturating_sub(blank + bar.chars().count());
        format!("|{}{bar}{}|", " ".repeat(blank), " ".repeat(rest))
    }

    /// The edge between characters that is nearest to an instant.
    fn column(&self, us: i64) -> usize {
        let share = us.clamp(0, self.end_us) as f64 / self.end_us as f64;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share from 0 to 1 of some tens of characters"
        )]
        let column = (share * self.width as f64).round() as usize;
        column
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_of_one_scale_are_as_long_as_their_stretches_and_all_as_wide() {
        let scale = Scale::new(10_000, 12);
        for (from, to, expected) in [
            (0, 10_000, "|██████████|"),
            (0, 5_000, "|█████     |"),
            (5_000, 7_000, "|     ██   |"),
            (0, 0, "|│         |"),
            (3_000, 3_000, "|   │      |"),
            (9_990, 10_000, "|         │|"),
            // Out of order, or beyond the scale.
            (7_000, 5_000, "|     │    |"),
            (-5_000, 99_000, "|██████████|"),
        ] {
            assert_eq!(scale.bar(from, to), expected, "{from} to {to}");
        }
        assert_eq!(scale.head(), " 0  10.0 ms ");
        assert_eq!(Scale::new(0, 12).bar(0, 0), "|│         |");
    }
}
