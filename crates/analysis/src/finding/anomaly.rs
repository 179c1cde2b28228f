use bmon_event::{NodeName, ServerTime};
use serde::{Deserialize, Serialize};

use crate::statistic::{Rank, Shape, SignTest};

/// Heights that one [`BlockTimes`] is about: a day of blocks on main.
pub const DAY: u32 = 144;

/// What of a node is measured, with each block or over the transactions of each hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// How long after the first of all nodes it told of the block.
    Arrival,
    /// How far apart these delays are: the one that a tenth of the blocks exceed, through their median.
    ArrivalScatter,
    /// How long it took from the header to the whole block, of compact blocks (BIP 152).
    Reconstruction,
    /// Of how many compact blocks it had to request transactions.
    Requests,
    /// How long it took to connect the block.
    Processing,
    /// How many peers it had.
    Peers,
    /// How long after the first of all nodes it told of a transaction: the median of the hour. It is compared as
    /// if the first node had heard of it 2 s after it was sent.
    TxArrival,
    /// How far apart these delays are, each with the same 2 s: the one that a tenth of the hour's transactions exceed, through
    /// their median.
    TxScatter,
    /// Of how many transactions that others told of it did not tell, although it told of others at that time. One that it refused
    /// is told.
    TxMissed,
}

/// What a number is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// Microseconds.
    Us,
    /// One through another.
    Ratio,
    /// A part of the blocks or transactions, from 0 to 1.
    Share,
    /// So many.
    Count,
}

impl Measure {
    /// Every measure: of blocks in the order in which a block goes through them, then of transactions.
    pub const ALL: [Self; 9] = [
        Self::Arrival,
        Self::ArrivalScatter,
        Self::Reconstruction,
        Self::Requests,
        Self::Processing,
        Self::Peers,
        Self::TxArrival,
        Self::TxScatter,
        Self::TxMissed,
    ];
    /// Those that each block has, and in which a node can be slow.
    pub const OF_EACH_BLOCK: [Self; 4] =
        [Self::Arrival, Self::Reconstruction, Self::Requests, Self::Processing];

    /// Whether a node is slow if it is large.
    pub const fn is_slowness(self) -> bool {
        !matches!(self, Self::Peers)
    }

    /// The word for it in output and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Arrival => "arrival",
            Self::ArrivalScatter => "arrival-scatter",
            Self::Reconstruction => "reconstruction",
            Self::Requests => "requests",
            Self::Processing => "processing",
            Self::Peers => "peers",
            Self::TxArrival => "tx-arrival",
            Self::TxScatter => "tx-scatter",
            Self::TxMissed => "tx-missed",
        }
    }

    /// What it is in.
    pub const fn unit(self) -> Unit {
        match self {
            Self::Arrival | Self::Reconstruction | Self::Processing | Self::TxArrival => Unit::Us,
            Self::ArrivalScatter | Self::TxScatter => Unit::Ratio,
            Self::Requests | Self::TxMissed => Unit::Share,
            Self::Peers => Unit::Count,
        }
    }

    /// Whether it is compared by ratio, in logarithms, and not by difference.
    pub const fn is_by_ratio(self) -> bool {
        matches!(self.unit(), Unit::Us | Unit::Ratio)
    }
}

/// How one node did with the blocks of 144 heights of the main chain, as settled: what the analyses of delays rest on, and go
/// on from after a restart. A list's first place is that of [`Self::from_height`]; null where it was not measured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockTimes {
    /// The first height, a multiple of 144.
    pub from_height: u32,
    /// From when the first of all nodes told of the block until this one did, in microseconds. Measured where this and another
    /// node were following, and their clocks known well enough.
    pub arrival_us: Vec<Option<u32>>,
    /// From the header to the whole block, in microseconds, of a compact block.
    pub reconstruction_us: Vec<Option<u32>>,
    /// Transactions that had to be requested for it.
    pub requested: Vec<Option<u32>>,
    /// All of connecting the block, in microseconds.
    pub processing_us: Vec<Option<u32>>,
    /// Peers as last told before the block came.
    pub peers: Vec<Option<u32>>,
    /// The node's version, from which height on.
    pub versions: Vec<VersionFrom>,
}

/// A node's version from a height on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionFrom {
    /// The first block that the node told of with this version.
    pub height: u32,
    /// The version, as the banner of its log names it; by its user agent where no banner was read.
    pub version: String,
}

/// From where on something is so: in blocks or in hours, as it is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extent {
    /// Heights of the main chain.
    Heights {
        /// The first.
        from: u32,
        /// The last that was looked at when this was found, or was over.
        to: u32,
    },
    /// Hours, on the server's clock, in microseconds since the Unix epoch.
    Hours {
        /// When the first began.
        from_us: ServerTime,
        /// When the last ended that was looked at when this was found, or was over.
        to_us: ServerTime,
    },
}

/// A node is slower than it was, and than the others are with the same blocks, or in the same hours with transactions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slowness {
    /// In what.
    pub measure: Measure,
    /// Since when.
    pub extent: Extent,
    /// The node's own numbers, then and before.
    pub own: Change,
    /// The same beside the other nodes in the same blocks or hours: how many times as long as their median, or by how much the
    /// share is above theirs.
    pub to_others: Beside,
    /// By which factor it grows in a week, `None` where it is a step.
    pub factor_a_week: Option<f64>,
    /// What else was measured of the node then and before: a cause may be among it.
    pub also: Vec<Change>,
    /// Its version before and since, if that changed meanwhile.
    pub version_change: Option<VersionChange>,
    /// When it was seen to be over, on the server's clock, in microseconds since the Unix epoch. `None` while it is not.
    pub over_at_us: Option<ServerTime>,
}

/// Something measured of a node, then and before.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// What.
    pub measure: Measure,
    /// What [`Self::usual`] and [`Self::now`] are in.
    pub unit: Unit,
    /// The median of the stretches before.
    pub usual: f64,
    /// The median since.
    pub now: f64,
    /// How many robust standard deviations that is above the usual.
    pub z: f64,
    /// How many of the stretches before were so large.
    pub rank: Rank,
}

impl Change {
    /// Whether chance seldom does that.
    pub const fn is_unusual(&self) -> bool {
        self.z.abs() >= 3.0
    }
}

/// A node beside the others in the same blocks or hours, then and before.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Beside {
    /// The median of the stretches before.
    pub usual: f64,
    /// The median since.
    pub now: f64,
    /// How many robust standard deviations that is above the usual.
    pub z: f64,
    /// How many of the stretches before were so large.
    pub rank: Rank,
    /// The cumulative sum that made it an alarm, in standard deviations.
    pub score: f64,
    /// What the change looks like; the places are heights, or hours since the Unix epoch.
    pub shape: Option<Shape>,
}

/// A node runs another version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionChange {
    /// Before.
    pub before: String,
    /// Since.
    pub now: String,
    /// The first block of the new version.
    pub height: u32,
}

/// Two versions in the same blocks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VersionComparison {
    /// In what.
    pub measure: Measure,
    /// One version: of two, the one that came later.
    pub version: String,
    /// The nodes that run it.
    pub nodes: Vec<NodeName>,
    /// The other version.
    pub other_version: String,
    /// The nodes that run that.
    pub other_nodes: Vec<NodeName>,
    /// The first height that is compared.
    pub from_height: u32,
    /// The last.
    pub to_height: u32,
    /// What the next two are in.
    pub unit: Unit,
    /// The median of the first version over the blocks that both measured, the mean of a share.
    pub value: f64,
    /// That of the other.
    pub other_value: f64,
    /// The first through the second: 1.07 is 7 % more.
    pub ratio: f64,
    /// The blocks by which version had more in them.
    pub pairs: SignTest,
    /// The chance of so uneven a number if neither version had more: the exact sign test, on both sides.
    pub p: f64,
    /// The same nodes before the last of them came to its version; `None` if none did as far back as it is known.
    pub before: Option<Before>,
    /// Whether it differs from before by enough, and surely enough, to be the version's doing.
    pub is_alarm: bool,
}

/// How the same nodes stood to each other before one came to its version.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Before {
    /// The first height that is compared.
    pub from_height: u32,
    /// The last.
    pub to_height: u32,
    /// Blocks that both measured.
    pub blocks: u32,
    /// The one's number then.
    pub value: f64,
    /// The other's.
    pub other_value: f64,
    /// The first through the second.
    pub ratio: f64,
    /// The chance of how unevenly the blocks since lie about that, if nothing has changed: the exact sign test, or for
    /// shares the binomial law.
    pub p: f64,
    /// How many standard errors the days since lie above those before, where days that follow each other are taken to be
    /// alike; 0 if they are too few to tell.
    pub z: f64,
}

/// A clock was set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockStep {
    /// What the node's clock was set by, at least, in microseconds: below 0 if it was set back.
    pub least_us: i64,
    /// At most.
    pub most_us: i64,
    /// How much time lay between the two exchanges that tell, in microseconds on the server's clock.
    pub within_us: i64,
}

impl ClockStep {
    /// The middle of what it may be, in microseconds.
    pub const fn middle_us(&self) -> i64 {
        self.least_us.midpoint(self.most_us)
    }
}

/// A clock runs at another speed than the server's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClockDrift {
    /// How fast the node's clock gains on the server's, at least, in parts per million: below 0 if it loses.
    pub least_ppm: f64,
    /// At most.
    pub most_ppm: f64,
    /// What it gained at least between the two exchanges that tell, in microseconds; the nearer bound to 0.
    pub gained_us: i64,
    /// How much time lay between them, in microseconds.
    pub within_us: i64,
    /// When it was seen to be over, on the server's clock, in microseconds since the Unix epoch. `None` while it is not.
    pub over_at_us: Option<ServerTime>,
}
