//! What the engine makes of the events of simulated nodes.

#![expect(clippy::unwrap_used, reason = "a test may fail, in its parts too")]

mod arrival;
mod clock;
mod delay;
mod finding;
mod order;
mod reorg;
mod replay;
mod rows;
mod sim;
mod step;
mod vanished;
