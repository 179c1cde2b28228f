//! Several streams of events as one.

use std::iter::Peekable;

use bmon_event::{AgentTime, Event};

/// Yields the number of a stream, its next event, and the time of the merged stream, which never goes back. Of equal
/// times the first stream comes first.
pub(super) struct Merge<I: Iterator<Item = Event>> {
    streams: Vec<Stream<I>>,
}

struct Stream<I: Iterator<Item = Event>> {
    events: Peekable<I>,
    /// The latest time of the events up to the next one; `None` when there is no next one.
    next_at: Option<AgentTime>,
}

impl<I: Iterator<Item = Event>> Merge<I> {
    pub(super) fn new(streams: Vec<I>) -> Self {
        let start = |events: I| {
            let mut stream = Stream { events: events.peekable(), next_at: None };
            stream.advance(AgentTime::from_micros(i64::MIN));
            stream
        };
        Self { streams: streams.into_iter().map(start).collect() }
    }
}

impl<I: Iterator<Item = Event>> Stream<I> {
    /// Looks at the next event; the latest time before it was `latest`.
    fn advance(&mut self, latest: AgentTime) {
        self.next_at = self.events.peek().map(|event| latest.max(event.time()));
    }
}

impl<I: Iterator<Item = Event>> Iterator for Merge<I> {
    type Item = (usize, Event, AgentTime);

    fn next(&mut self) -> Option<Self::Item> {
        let waiting = self.streams.iter().enumerate();
        let (at, index) = waiting.filter_map(|(index, stream)| Some((stream.next_at?, index))).min()?;
        let stream = &mut self.streams[index];
        let event = stream.events.next()?;
        stream.advance(at);
        Some((index, event, at))
    }
}

#[cfg(test)]
mod tests {
    use bmon_event::{Kind, NodeTime, Source};

    use super::*;

    fn events(times: &[i64]) -> std::vec::IntoIter<Event> {
        let event = |us: &i64| Event {
            source: Source::Log,
            node_time: Some(NodeTime::from_micros(*us)),
            agent_time: AgentTime::from_micros(*us),
            kind: Kind::NodeStopping,
        };
        times.iter().map(event).collect::<Vec<_>>().into_iter()
    }

    #[test]
    fn streams_are_merged_on_the_running_maximum_of_their_times() {
        let merge = Merge::new(vec![events(&[1, 5, 2, 9]), events(&[3, 5, 6]), events(&[])]);
        let merged: Vec<_> =
            merge.map(|(stream, event, at)| (stream, event.time().as_micros(), at.as_micros())).collect();
        assert_eq!(merged, [(0, 1, 1), (1, 3, 3), (0, 5, 5), (0, 2, 5), (1, 5, 5), (1, 6, 6), (0, 9, 9)]);
    }
}
