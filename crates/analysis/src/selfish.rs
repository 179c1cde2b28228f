//! Whether somebody mines selfishly: keeps blocks to himself and publishes them when that makes others' work void
//! (Eyal and Sirer, "Majority Is Not Enough: Bitcoin Mining Is Vulnerable", 2014).
//!
//! Three separate signals, each with its numbers and the chance of them if all miners are honest: [`burst`],
//! [`withheld`] and [`runs`]. They are not joined into one score, since each is blind to something else. What they are
//! measured to do stands in `docs/selfish-mining.md`.
//!
//! The caller says what nodes saw, and rules out first what is not mining: a node that was catching up or of which
//! something may be missing is [`Sight::NotFollowing`], one whose clock is not known is [`Sight::ClockUnknown`]. Every
//! difference of times is the largest that the clocks' bounds allow.

pub mod burst;
pub mod law;
pub mod runs;
pub mod withheld;

use bmon_event::ServerTime;
use serde::{Deserialize, Serialize};

use crate::row::Sighted;

pub use self::{
    burst::{Burst, Race},
    runs::{PoolRuns, Runs, RunsReport},
    withheld::{Together, Withheld, Withholding},
};

/// Nodes that must have seen a block for its time to count. One node alone cannot be told from its connection.
pub const MIN_NODES: usize = 2;

/// How much later or earlier than it spread a block may have been seen, in microseconds: blocks reach half of the peers
/// 1.11 s after the first (KIT, measured from November 2024 to October 2025), and the earliest of several nodes
/// is seldom later than that. A parent that spread slowly makes an honest pair look this much closer than it is.
pub const DELAY_ALLOWANCE_US: i64 = 1_110_000;

const YEAR_US: i64 = 365 * 86_400 * 1_000_000;

/// The two instants, on the server's clock, between which a node first saw a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Not before.
    pub earliest: ServerTime,
    /// Not after.
    pub latest: ServerTime,
}

impl Seen {
    /// When that was on the server's clock, `None` if the node's clock is not known.
    pub fn of(sighted: &Sighted) -> Option<Self> {
        let (at, offset) = (sighted.at.as_micros(), sighted.offset?);
        Some(Self {
            earliest: ServerTime::from_micros(at.saturating_add(offset.min_us)),
            latest: ServerTime::from_micros(at.saturating_add(offset.max_us)),
        })
    }

    /// When the first of several nodes saw it, `None` without any.
    pub fn first(seen: impl IntoIterator<Item = Self>) -> Option<Self> {
        seen.into_iter().reduce(|one, other| Self {
            earliest: one.earliest.min(other.earliest),
            latest: one.latest.min(other.latest),
        })
    }

    /// The most that this can be later than `earlier`, in microseconds; negative if it is surely before.
    pub const fn at_most_after_us(self, earlier: Self) -> i64 {
        self.latest.micros_since(earlier.earliest)
    }
}

/// What one node has to do with one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// It first saw it then.
    Seen(Seen),
    /// It saw it, but where its clock stood is not known.
    ClockUnknown,
    /// It was not following the network: in initial block download, catching up, or something of it may be missing.
    NotFollowing,
    /// It was following, and has not seen it.
    Unseen,
}

/// A block as the nodes saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenBlock {
    /// What each node saw, the nodes in the same order for every block.
    pub nodes: Vec<Sight>,
    /// Whether any node found it invalid.
    pub invalid: bool,
}

impl SeenBlock {
    /// When this node saw it, `None` if that is not known for whatever reason.
    fn seen_by(&self, node: usize) -> Option<Seen> {
        match self.nodes.get(node)? {
            Sight::Seen(seen) => Some(*seen),
            Sight::ClockUnknown | Sight::NotFollowing | Sight::Unseen => None,
        }
    }
}

/// Why a signal says nothing of what it was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum Silence {
    /// A node found one of the blocks invalid: a miner whose jobs are invalid leaves such branches.
    InvalidBlock,
    /// Fewer nodes than [`MIN_NODES`] saw all of it while they followed the network with a known clock.
    FewNodes {
        /// So many did.
        nodes: usize,
    },
    /// A node that followed has not seen a block, so that it was not seen by all.
    NotSeenByAll,
    /// Fewer than two blocks of the winning branch surely came after the losing one.
    NotAfterLoser {
        /// So many did.
        blocks: u32,
    },
    /// Not enough history.
    NotEnoughHistory {
        /// Blocks there are.
        have: u32,
        /// Blocks it takes.
        need: u32,
    },
}

/// Which of the signals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignalName {
    /// Blocks came in rapid succession and won a race.
    Burst,
    /// Parents and children were first seen together.
    Withheld,
    /// Pools mined more blocks in a row than their shares explain.
    Runs,
}

impl SignalName {
    /// The word for it in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Burst => "burst",
            Self::Withheld => "withheld",
            Self::Runs => "runs",
        }
    }
}

/// One of the signals. What a finding about selfish mining is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "signal", rename_all = "kebab-case")]
pub enum Signal {
    /// Blocks came in rapid succession and won a race.
    Burst(Burst),
    /// Parents and children were first seen together.
    Withheld(Withheld),
    /// Pools mined more blocks in a row than their shares explain.
    Runs(RunsReport<String>),
}

impl Signal {
    /// Which it is.
    pub const fn name(&self) -> SignalName {
        match self {
            Self::Burst(_) => SignalName::Burst,
            Self::Withheld(_) => SignalName::Withheld,
            Self::Runs(_) => SignalName::Runs,
        }
    }

    /// The chance of this, or of something still less likely, if all miners are honest. Of what exactly, each signal
    /// says.
    pub fn chance(&self) -> f64 {
        match self {
            Self::Burst(burst) => burst.chance,
            Self::Withheld(withheld) => withheld.chance,
            Self::Runs(runs) => runs.chance(),
        }
    }

    /// Whether it is unlikely enough to be said.
    pub fn is_alarm(&self) -> bool {
        match self {
            Self::Burst(burst) => burst.is_alarm(),
            Self::Withheld(withheld) => withheld.is_alarm(),
            Self::Runs(runs) => runs.is_alarm(),
        }
    }

    /// Whether it may wake somebody unless told otherwise: only what is both sudden and rare by itself.
    pub const fn may_page(&self) -> bool {
        matches!(self, Self::Burst(_))
    }

    /// The signal, the numbers and the chance of it, for a person to read.
    pub fn explain(&self) -> String {
        match self {
            Self::Burst(burst) => burst.to_string(),
            Self::Withheld(withheld) => withheld.to_string(),
            Self::Runs(runs) => runs.to_string(),
        }
    }
}

/// A chance as people say it.
fn odds(chance: f64) -> String {
    if chance >= 0.1 {
        format!("{:.0} %", chance * 100.0)
    } else if chance > 1e-9 {
        format!("1 in {:.0}", 1.0 / chance)
    } else {
        "less than 1 in a billion".to_owned()
    }
}

/// Microseconds as seconds.
fn seconds(us: i64) -> f64 {
    us as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use bmon_event::AgentTime;

    use super::*;
    use crate::row::Offset;

    /// Seen by nodes at these milliseconds, give or take one.
    pub(super) fn block(nodes_ms: &[i64]) -> SeenBlock {
        let seen = |ms: &i64| {
            let [earliest, latest] = [ms - 1, ms + 1].map(|ms| ServerTime::from_micros(ms * 1_000));
            Sight::Seen(Seen { earliest, latest })
        };
        SeenBlock { nodes: nodes_ms.iter().map(seen).collect(), invalid: false }
    }

    #[test]
    fn a_sighting_without_a_known_clock_has_no_time() {
        let (at, offset) = (AgentTime::from_micros(100), Some(Offset { min_us: -7, max_us: 30 }));
        let [earliest, latest] = [93, 130].map(ServerTime::from_micros);
        assert_eq!(Seen::of(&Sighted { at, offset }), Some(Seen { earliest, latest }));
        assert_eq!(Seen::of(&Sighted { at, offset: None }), None);
    }

    #[test]
    fn the_first_of_several_is_bounded_by_the_first_bounds() {
        let seen = |earliest, latest| {
            let [earliest, latest] = [earliest, latest].map(ServerTime::from_micros);
            Seen { earliest, latest }
        };
        assert_eq!(Seen::first([seen(1, 9), seen(3, 4)]), Some(seen(1, 4)));
        assert_eq!(Seen::first([]), None);
        assert_eq!(seen(3, 4).at_most_after_us(seen(1, 9)), 3);
    }

    #[test]
    fn each_signal_names_itself_and_only_a_burst_may_page() {
        let (loser, winner) = ([block(&[0, 0])], [block(&[100, 100]), block(&[101, 101])]);
        let burst = burst::judge(Race { loser: &loser, winner: &winner }, 600_000_000).unwrap();
        let mut runs = Runs::new();
        for place in 0..runs::WINDOW {
            runs.push(Some(format!("pool-{}", place / 2 % 8)));
        }
        let signals = [
            Signal::Burst(burst),
            Signal::Withheld(Withholding::new(600_000_000).window()),
            Signal::Runs(runs.judge().unwrap()),
        ];
        for (signal, (name, is_alarm)) in
            signals.iter().zip([("burst", true), ("withheld", false), ("runs", true)])
        {
            let json = serde_json::to_value(signal).unwrap();
            assert_eq!(json["signal"], name);
            assert_eq!(signal.name().as_str(), name);
            assert_eq!(&serde_json::from_value::<Signal>(json).unwrap(), signal);
            assert_eq!((signal.is_alarm(), signal.may_page()), (is_alarm, name == "burst"));
            assert!((0.0..=1.0).contains(&signal.chance()) && !signal.explain().is_empty());
        }
    }

    #[test]
    fn odds_are_as_people_say_them() {
        for (chance, said) in
            [(1.0, "100 %"), (0.25, "25 %"), (0.004, "1 in 250"), (0.0, "less than 1 in a billion")]
        {
            assert_eq!(odds(chance), said);
        }
    }
}
