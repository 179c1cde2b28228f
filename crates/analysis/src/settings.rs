//! What can be set, with its defaults.

const SECOND_US: i64 = 1_000_000;
const MINUTE_US: i64 = 60 * SECOND_US;
const HOUR_US: i64 = 60 * MINUTE_US;

/// How long the engine waits, and how much it remembers of each node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct Settings {
    /// How long after hearing the last part of something unfinished it is said as it is, in microseconds.
    pub lateness_us: i64,
    /// How far apart in event time two blocks of one reorg may be, in microseconds. Long, since a slow machine takes
    /// tens of seconds for a full block; what follows later than this is another event.
    pub reorg_pause_us: i64,
    /// How long it is remembered which stages of which blocks a node has told.
    pub blocks: Retention,
    /// Most transactions of a network that are kept in mind, each for one to two hours after it was first told.
    pub transactions: usize,
    /// How long it is remembered what was found at a node.
    pub findings: Retention,
    /// Whether transactions are looked at. `replay` does without their sightings.
    pub track_transactions: bool,
    /// Whether the nodes of a network are looked at together. `replay` does without: old logs have no headers.
    pub track_networks: bool,
    /// Whether the miners of blocks that are older than the monitor are asked for too, bit by bit.
    pub backfill_miners: bool,
    /// Most bytes of a block that is taken whole.
    pub block_bytes: usize,
    /// Whether it is looked for selfish mining on every network, as tests do, and not on main alone. Its chances hold where
    /// a block takes 600 s on average and costs its miner something: not on regtest, not for testnet's blocks of minimum
    /// difficulty, and not on signet, whose blocks a few sign.
    pub selfish_mining_everywhere: bool,
    /// Age at which a time exchange is forgotten, in microseconds.
    pub clock_window_us: i64,
    /// Distance from the nearest time exchange beyond which a clock's offset counts as unknown, in microseconds.
    pub clock_reach_us: i64,
    /// How many blocks below its best tip the headers of a network are asked for and kept in mind. Those that were left
    /// behind farther down are found when the tree reaches them.
    pub header_depth: u32,
    /// How long after a node last told something it still counts as one that follows the chain, in microseconds.
    pub silence_us: i64,
    /// How long a node's row may show an old `heard_at` when nothing else in it changes, in microseconds.
    pub heard_refresh_us: i64,
}

/// How much is remembered. What is forgotten and then told again is said again, which the store absorbs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Event time in microseconds: everything is remembered for at least half of it, and at most for all of it,
    /// unless there is more than `entries`.
    pub span_us: i64,
    /// Most entries for each node.
    pub entries: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lateness_us: 10 * SECOND_US,
            reorg_pause_us: MINUTE_US,
            // The revision horizon; a busy day has under 200 blocks with four stages from two sources.
            blocks: Retention { span_us: 48 * HOUR_US, entries: 1 << 14 },
            // Two hours of 36 transactions a second, several times what a node of main hears of.
            transactions: 1 << 18,
            findings: Retention { span_us: 48 * HOUR_US, entries: 1 << 14 },
            track_transactions: true,
            track_networks: true,
            backfill_miners: true,
            // `MAX_BLOCK_SERIALIZED_SIZE` in `src/consensus/consensus.h@v30`, and what Knots' longer header has besides.
            block_bytes: 4_000_000 + 84,
            selfish_mining_everywhere: false,
            clock_window_us: 10 * MINUTE_US,
            clock_reach_us: 10 * MINUTE_US,
            // An agent delivers something every ten seconds.
            silence_us: 10 * MINUTE_US,
            header_depth: crate::network::DEPTH,
            heard_refresh_us: SECOND_US,
        }
    }
}
