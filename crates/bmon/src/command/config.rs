//! `bmon config`.

use std::path::Path;

use clap::Subcommand;

use super::load;
use crate::{config, failure::Result};

#[derive(Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print the default configuration, every setting with its comment
    Default,
    /// Check the file given with --config
    Check,
}

impl ConfigCommand {
    pub(crate) fn run(self, path: Option<&Path>) -> Result {
        match self {
            Self::Default => print!("{}", config::DEFAULT),
            Self::Check => {
                let config = load(path)?;
                let names: Vec<_> = config.nodes.iter().map(|node| node.name.as_str()).collect();
                println!("the configuration is good; nodes: {}", names.join(", "));
            }
        }
        Ok(())
    }
}
