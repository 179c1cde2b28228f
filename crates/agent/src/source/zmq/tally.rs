//! Whether messages are missing, by each topic's counter.

use super::message::Topic;

/// What a counter says about the messages before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// None is missing, or nothing can be said because it is the first.
    Complete,
    /// This many are missing: the node dropped them at its high-water mark (`-zmqpubsequencehwm`, 1,000 by default).
    Lost(u64),
    /// The counter began again: it is another run of the node.
    Restarted,
}

/// The counter that each topic's next message must have, within one connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    hashblock: Option<u32>,
    sequence: Option<u32>,
}

impl Tally {
    /// Notes the counter of the next message of `topic`.
    pub(super) fn note(&mut self, topic: Topic, counter: u32) -> Verdict {
        let expected = match topic {
            Topic::Hashblock => &mut self.hashblock,
            Topic::Sequence => &mut self.sequence,
        };
        let verdict = match *expected {
            None => Verdict::Complete,
            Some(expected) if counter == expected => Verdict::Complete,
            Some(expected) if counter > expected => Verdict::Lost(u64::from(counter - expected)),
            Some(_) => Verdict::Restarted,
        };
        *expected = Some(counter.wrapping_add(1));
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_is_a_loss_and_a_step_back_a_restart() {
        let mut tally = Tally::default();
        let verdicts = [5, 6, 9, 10, 0, 1].map(|counter| tally.note(Topic::Sequence, counter));
        let expected = [
            Verdict::Complete,
            Verdict::Complete,
            Verdict::Lost(2),
            Verdict::Complete,
            Verdict::Restarted,
            Verdict::Complete,
        ];
        assert_eq!(verdicts, expected);
    }

    #[test]
    fn topics_count_apart_and_wrap_around() {
        let mut tally = Tally::default();
        assert_eq!(tally.note(Topic::Hashblock, u32::MAX), Verdict::Complete);
        assert_eq!(tally.note(Topic::Sequence, 3), Verdict::Complete);
        assert_eq!(tally.note(Topic::Hashblock, 0), Verdict::Complete);
    }
}
