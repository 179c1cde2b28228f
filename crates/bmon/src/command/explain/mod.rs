//! `bmon explain`.

mod live;
mod text;

use std::path::Path;

use bmon_analysis::explain::Explanation;
use bmon_event::{BlockHash, Subject, Txid};
use clap::{Args, Subcommand};

use super::{
    client,
    files::{NodeFiles, Span, network},
    print, progress,
};
use crate::failure::{Code, Failure, Result};

/// The end of `--help`.
const AFTER_HELP: &str = "\
With files it reads old logs as `bmon replay` does: debug.log as it is, compressed (gzip, zstd) or rotated, `-` for
standard input. Without files it asks a server, which asks the agents for the lines.

Example:
  bmon explain block 00000000000000000001f… alice=alice/debug.log,alice/debug.log.1.gz bob=bob/debug.log";

#[derive(Subcommand)]
pub(crate) enum Explain {
    /// A block: header, download, reconstruction, checks, tip, disconnection
    #[command(after_help = AFTER_HELP)]
    Block {
        /// The block's hash, 64 hexadecimal digits
        hash: BlockHash,
        #[command(flatten)]
        from: From,
    },
    /// A transaction: announcement, mempool, refusal, replacement, removal
    #[command(after_help = AFTER_HELP)]
    Tx {
        /// The transaction's id (not the wtxid), 64 hexadecimal digits
        txid: Txid,
        #[command(flatten)]
        from: From,
    },
}

/// Where to read, and how to print.
#[derive(Args)]
pub(crate) struct From {
    /// A node's name and its files; without any, a server is asked
    #[arg(value_name = "NAME=FILE[,FILE…]")]
    nodes: Vec<NodeFiles>,
    /// The network that the nodes of the files were on; it is only repeated in the output
    #[arg(long, requires = "nodes")]
    network: Option<String>,
    #[command(flatten)]
    span: Span,
    /// Address of the server; by default the configuration's `agent.server`
    #[arg(long, value_name = "URL", conflicts_with = "nodes")]
    server: Option<String>,
    /// Print the explanation as one JSON document
    #[arg(long)]
    json: bool,
}

impl Explain {
    pub(crate) fn run(self, config: Option<&Path>) -> Result {
        let (subject, from) = match self {
            Self::Block { hash, from } => (Subject::Block(hash), from),
            Self::Tx { txid, from } => (Subject::Tx(txid), from),
        };
        let json = from.json;
        let explanation = if from.nodes.is_empty() {
            from.span.refuse_without_files()?;
            live::explain(&client(from.server.as_deref(), config)?, subject)?
        } else {
            from.explain(subject)?
        };
        print(&explanation, json, text::explanation)?;
        if explanation.is_known() { Ok(()) } else { Err(not_found(subject)) }
    }
}

impl From {
    /// Reads the files.
    fn explain(self, subject: Subject) -> Result<Explanation> {
        let network = self.network.as_deref().map(network).transpose()?;
        let files = self.span.open(self.nodes)?;
        let progress = progress::show(files.progress());
        let explanation = files.explain(subject);
        drop(progress);
        let network = network.map(|network| network.to_string());
        Ok(Explanation { network, ..explanation? })
    }
}

fn not_found(subject: Subject) -> Failure {
    let hint = match subject {
        Subject::Block(_) => "check the hash, and that the logs are of the right network and time",
        Subject::Tx(_) => {
            "a txid is wanted, not a wtxid; logs tell of transactions with debug categories only"
        }
    };
    Failure::message(Code::NotFound, format!("explain {subject}: no log mentions it")).hint(hint)
}
