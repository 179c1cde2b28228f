//! `bmon replay`.

mod text;

use std::path::PathBuf;

use bmon_analysis::{Settings, row::Row};
use bmon_store::{Commit, Store};
use clap::Args;

use super::{
    files::{NodeFiles, Span, network},
    print, progress,
};
use crate::failure::Result;

/// The end of `--help`.
const AFTER_HELP: &str = "\
Files:
  debug.log as it is, compressed (gzip, zstd) or rotated (debug.log.1), or `-` for standard input. Their order does
  not matter: the files of a node are read by the first time in each, and merged where they overlap. A file that ends
  in .csv or .csv.gz is a tip history: rows `height,hash,milliseconds` in any order.

Example:
  bmon replay alice=alice/debug.log,alice/debug.log.1.gz bob=bob/debug.log --from 2026-11-01 --to 2026-12-01";

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Replay {
    /// A node's name and its files
    #[arg(required = true, value_name = "NAME=FILE[,FILE…]")]
    nodes: Vec<NodeFiles>,
    /// The network that the nodes were on
    #[arg(long, default_value = "main")]
    network: String,
    #[command(flatten)]
    span: Span,
    /// Print the report as one JSON document
    #[arg(long)]
    json: bool,
    /// Also write blocks, nodes and findings into a server's database (`bmon.sqlite` in its data folder)
    #[arg(long, value_name = "DB")]
    store: Option<PathBuf>,
}

impl Replay {
    pub(crate) fn run(self) -> Result {
        let network = network(&self.network)?;
        let files = self.span.open(self.nodes)?;
        let mut store = self.store.as_deref().map(Store::open).transpose()?;
        let keep = |rows: &[Row]| match &mut store {
            Some(store) => Ok(store.commit(&Commit { rows, journal_position: 0, accepted: &[] })?),
            None => Ok::<_, anyhow::Error>(()),
        };
        let progress = progress::show(files.progress());
        let report = files.run(network, Settings::default(), keep);
        drop(progress);
        print(&report?, self.json, text::report)
    }
}
