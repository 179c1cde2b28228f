//! Several logs as one.

use bmon_event::AgentTime;

use super::Told;

/// Yields what several logs tell in the order of time, each with the number of its log. Each log is taken to be in
/// order itself; of equal times the first log comes first.
///
/// A log is asked for what follows only when what it told before has been yielded, so that one that begins with
/// [`Told::NothingBefore`] need not be opened before that time.
#[derive(Debug)]
pub struct Merge<I> {
    logs: Vec<Log<I>>,
}

#[derive(Debug)]
struct Log<I> {
    told: I,
    /// `None` when it has ended.
    next: Option<Told>,
    /// The time of `next`.
    next_at: Option<AgentTime>,
}

impl<I: Iterator<Item = Told>> Merge<I> {
    /// Merges these logs.
    pub fn new(logs: Vec<I>) -> Self {
        let start = |told| {
            let mut log = Log { told, next: None, next_at: None };
            log.advance();
            log
        };
        Self { logs: logs.into_iter().map(start).collect() }
    }

    /// The logs, in the order in which they were given.
    pub fn into_logs(self) -> impl Iterator<Item = I> {
        self.logs.into_iter().map(|log| log.told)
    }
}

impl<I: Iterator<Item = Told>> Log<I> {
    fn advance(&mut self) -> Option<Told> {
        let next = self.told.next();
        self.next_at = next.as_ref().map(Told::at);
        std::mem::replace(&mut self.next, next)
    }
}

impl<I: Iterator<Item = Told>> Iterator for Merge<I> {
    type Item = (usize, Told);

    fn next(&mut self) -> Option<Self::Item> {
        let waiting = self.logs.iter().enumerate();
        let (_, index) = waiting.filter_map(|(index, log)| Some((log.next_at?, index))).min()?;
        Some((index, self.logs[index].advance()?))
    }
}

#[cfg(test)]
mod tests {
    use bmon_event::{Event, Kind, NodeTime, Source};

    use super::*;

    fn event(us: i64) -> Told {
        Told::Event(Event {
            source: Source::Log,
            node_time: Some(NodeTime::from_micros(us)),
            agent_time: AgentTime::from_micros(us),
            kind: Kind::NodeStopping,
        })
    }

    fn nothing_before(us: i64) -> Told {
        Told::NothingBefore(AgentTime::from_micros(us))
    }

    fn merged(logs: Vec<Vec<Told>>) -> Vec<(usize, i64)> {
        let merge = Merge::new(logs.into_iter().map(Vec::into_iter).collect());
        let events = merge.filter(|(_, told)| matches!(told, Told::Event(_)));
        events.map(|(log, told)| (log, told.at().as_micros())).collect()
    }

    #[test]
    fn logs_are_merged_by_time_and_of_equals_the_first_comes_first() {
        let logs = || vec![vec![event(1), event(5), event(9)], vec![event(3), event(5), event(6)], vec![]];
        let expected = [(0, 1), (1, 3), (0, 5), (1, 5), (1, 6), (0, 9)];
        assert_eq!(merged(logs()), expected);

        let mut with_bounds = logs();
        with_bounds[0].insert(1, nothing_before(4));
        with_bounds[1].insert(0, nothing_before(3));
        with_bounds[1].push(nothing_before(100));
        with_bounds[2].push(nothing_before(7));
        assert_eq!(merged(with_bounds), expected);
    }

    #[test]
    fn a_log_is_not_asked_again_before_its_turn() {
        let late = [nothing_before(10), event(12)].into_iter().enumerate().map(|(asked, told)| {
            assert!(asked < 1, "asked too early");
            told
        });
        let early = [event(1), event(9)].into_iter();
        let logs: Vec<Box<dyn Iterator<Item = Told>>> = vec![Box::new(late), Box::new(early)];
        let first: Vec<_> = Merge::new(logs).take(2).map(|(log, _)| log).collect();
        assert_eq!(first, [1, 1]);
    }
}
