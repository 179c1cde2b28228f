//! `bmon version-comparisons`.

use std::path::Path;

use bmon_server::api::version_comparisons::Reply;
use clap::Args;

use super::Query;
use crate::failure::Result;

#[derive(Args)]
pub(crate) struct VersionComparisons {
    #[command(flatten)]
    query: Query,
    /// How many comparisons
    #[arg(long, short = 'n', default_value_t = 20)]
    limit: u32,
}

impl VersionComparisons {
    pub(crate) fn run(self, config: Option<&Path>) -> Result {
        self.query.show(config, &format!("version-comparisons?limit={}", self.limit), text)
    }
}

fn text(reply: &Reply) -> String {
    let mut text = String::new();
    for found in &reply.version_comparisons {
        let said = &found.body;
        let alarm = if said.comparison.is_alarm { "SLOWER " } else { "" };
        text.push_str(&format!(
            "{} {}: {alarm}{} up to height {}\n  {}\n",
            found.at,
            found.network,
            said.comparison.measure.as_str(),
            said.comparison.to_height,
            said.explanation
        ));
    }
    if text.is_empty() { "no two versions were compared yet; it takes 288 blocks\n".to_owned() } else { text }
}
