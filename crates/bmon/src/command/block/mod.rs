//! `bmon block`.

mod bar;
mod detail;
mod text;

use std::path::Path;

use bmon_server::api::block::Named;
use clap::Args;

use super::Query;
use crate::failure::Result;

/// The end of `--help`.
const AFTER_HELP: &str = "\
Above stand the nodes, each with a bar from its first step with the block to its last, on one scale of the server's clock.
Below stands each node's way step by step, on one scale for all that begins with the node's own first step: a bar is the
time since the step before.

  AFTER      since the node's first step, by its own clock
  OTHERS     since the first node that took the step, with the largest error of that:
    first             no node took it before
    +12.3 ms ±80 µs   it did so later
    ~12.3 ms ±40 ms   not distinguishable: the clocks cannot tell this delay from none
    +12.3 ms?         nothing is known of a clock, so the delay may be the clocks' difference

A node tells a step only with the log category that it belongs to: `cmpctblock` how a compact block was completed, `bench`
when connecting began and what it took, `validation` when the block was checked and was the tip, `net` what was requested
and whole blocks. Peers are the node's own numbers for its connections.";

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Block {
    /// The block's hash, 64 hexadecimal digits, or its height on the main chain
    #[arg(value_name = "HASH|HEIGHT")]
    named: Named,
    /// The network, which a height needs where the server knows of several
    #[arg(long)]
    network: Option<String>,
    #[command(flatten)]
    query: Query,
}

impl Block {
    pub(crate) fn run(self, config: Option<&Path>) -> Result {
        let network = self.network.map(|network| format!("?network={network}")).unwrap_or_default();
        self.query.show(config, &format!("blocks/{}{network}", self.named), text::block)
    }
}
