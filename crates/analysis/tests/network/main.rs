//! What the engine makes of several nodes of one network together.

#![expect(clippy::unwrap_used, reason = "a test may fail, in its parts too")]

mod clock;
mod delay;
mod double_spend;
mod fork;
mod lag;
mod mined;
mod miner;
mod monitor;
mod order;
mod part;
mod partition;
mod restart;
mod rule;
mod selfish;
mod stale;
mod tips;
mod tx_delay;
mod validity;
mod version;
mod watch;
mod world;
