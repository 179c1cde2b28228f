//! When a node was not following the network: stopped, in initial block download, catching up, or unheard.

use std::collections::VecDeque;

use bmon_event::{AgentTime, Kind, Source};

/// For so long after a start, after initial block download, and after it was first heard of, a node catches up. What takes
/// longer shows by blocks that come to it long after they came to others.
const CATCHING_UP_US: i64 = 10 * 60 * 1_000_000;
/// For so long after a gap in its log the first that is told of a block may not be the first that was said of it.
const AFTER_GAP_US: i64 = 60 * 1_000_000;
/// Most stretches of time that are remembered of a node.
const MOST: usize = 64;

/// The stretches, on the clock of node and agent. It depends on what the node itself tells alone.
#[derive(Clone, Debug, Default)]
pub(super) struct Absence {
    /// When something of the chain was first told.
    since: Option<AgentTime>,
    spans: VecDeque<Span>,
}

#[derive(Clone, Copy, Debug)]
struct Span {
    why: Why,
    from: AgentTime,
    /// `None` while it goes on.
    to: Option<AgentTime>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    Stopped,
    Downloading,
    Unheard,
}

impl Absence {
    /// Notes what the node told at `at`.
    pub(super) fn note(&mut self, at: AgentTime, kind: &Kind) {
        self.since.get_or_insert(at);
        match kind {
            Kind::NodeStopping => self.begin(Why::Stopped, at),
            Kind::NodeStarted { .. } => {
                self.begin(Why::Stopped, at);
                self.end(Why::Stopped, at.plus_micros(CATCHING_UP_US));
            }
            Kind::ChainInfo(info) if info.initial_block_download == Some(true) => {
                self.begin(Why::Downloading, at);
            }
            Kind::ChainInfo(_) => self.end(Why::Downloading, at.plus_micros(CATCHING_UP_US)),
            Kind::Gap(gap) if gap.source == Source::Log => {
                let from = gap.from.unwrap_or(AgentTime::from_micros(i64::MIN));
                self.begin(Why::Unheard, from);
                self.end(Why::Unheard, gap.to.plus_micros(AFTER_GAP_US));
            }
            _ => {}
        }
    }

    /// Whether the node may not have been following at this time.
    pub(super) fn holds(&self, at: AgentTime) -> bool {
        self.is_new(at) || self.spans.iter().any(|span| span.from <= at && span.to.is_none_or(|to| at <= to))
    }

    /// Whether the node is on its way to the tip at this time: in initial block download, or a while after that, after a start, or
    /// after it was first heard of. One that is stopped is on no way.
    pub(super) fn is_catching_up(&self, at: AgentTime) -> bool {
        let is_on_its_way = |span: &Span| span.to.map_or(span.why == Why::Downloading, |to| at <= to);
        self.is_new(at) || self.spans.iter().any(|span| span.from <= at && is_on_its_way(span))
    }

    fn is_new(&self, at: AgentTime) -> bool {
        self.since.is_none_or(|since| at < since.plus_micros(CATCHING_UP_US))
    }

    fn begin(&mut self, why: Why, from: AgentTime) {
        if self.spans.iter().any(|span| span.why == why && span.to.is_none()) {
            return;
        }
        self.spans.push_back(Span { why, from, to: None });
        if self.spans.len() > MOST {
            self.spans.pop_front();
        }
    }

    fn end(&mut self, why: Why, to: AgentTime) {
        for span in self.spans.iter_mut().filter(|span| span.why == why && span.to.is_none()) {
            span.to = Some(to);
        }
    }
}

#[cfg(test)]
mod tests {
    use bmon_event::event::{ChainInfo, Gap};

    use super::*;

    const MINUTE: i64 = 60 * 1_000_000;

    fn at(minute: i64) -> AgentTime {
        AgentTime::from_micros(minute * MINUTE)
    }

    /// The minutes of the first hundred in which the node was away, after it had been known for long.
    fn away(told: &[(i64, Kind)]) -> Vec<i64> {
        let mut absence = Absence { since: Some(at(-100)), ..Absence::default() };
        for (minute, kind) in told {
            absence.note(at(*minute), kind);
        }
        (0..100).filter(|minute| absence.holds(at(*minute))).collect()
    }

    fn minutes(from: i64, to: i64) -> Vec<i64> {
        (from..=to).collect()
    }

    fn info(is_downloading: bool) -> Kind {
        let initial_block_download = Some(is_downloading);
        Kind::ChainInfo(ChainInfo { initial_block_download, ..ChainInfo::default() })
    }

    fn gap(from: Option<i64>, to: i64) -> Kind {
        let (from, reason) = (from.map(at), String::new());
        Kind::Gap(Gap { source: Source::Log, from, to: at(to), lost: None, reason })
    }

    #[test]
    fn a_node_is_away_from_its_stop_until_a_while_after_its_start() {
        let started = || Kind::NodeStarted { banner: String::new() };
        assert_eq!(away(&[(20, Kind::NodeStopping), (30, started())]), minutes(20, 40));
        assert_eq!(away(&[(30, started())]), minutes(30, 40));
        assert_eq!(away(&[(20, Kind::NodeStopping)]), minutes(20, 99));
    }

    #[test]
    fn a_node_in_initial_block_download_is_away_until_a_while_after_it() {
        let told =
            [(10, info(false)), (20, info(true)), (40, info(true)), (50, info(false)), (90, info(false))];
        assert_eq!(away(&told), minutes(20, 60));
    }

    #[test]
    fn a_gap_in_the_log_is_an_absence_and_one_without_a_start_reaches_back() {
        assert_eq!(away(&[(60, gap(Some(20), 30))]), minutes(20, 31));
        assert_eq!(away(&[(60, gap(None, 30))]), minutes(0, 31));
    }

    #[test]
    fn a_node_that_is_stopped_is_not_catching_up_and_one_that_downloads_is() {
        let catching_up = |told: &[(i64, Kind)]| {
            let mut absence = Absence { since: Some(at(-100)), ..Absence::default() };
            for (minute, kind) in told {
                absence.note(at(*minute), kind);
            }
            (0..100).filter(|minute| absence.is_catching_up(at(*minute))).collect::<Vec<_>>()
        };
        assert!(catching_up(&[(20, Kind::NodeStopping)]).is_empty());
        assert_eq!(catching_up(&[(20, info(true))]), minutes(20, 99));
        assert_eq!(catching_up(&[(20, info(true)), (50, info(false))]), minutes(20, 60));
    }

    #[test]
    fn a_node_that_was_just_heard_of_first_catches_up() {
        let mut absence = Absence::default();
        assert!(absence.holds(at(5)));
        absence.note(at(5), &info(false));
        assert!(absence.holds(at(14)) && !absence.holds(at(15)));
    }
}
