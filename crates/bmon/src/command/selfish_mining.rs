//! `bmon selfish-mining`.

use std::path::Path;

use bmon_server::api::selfish_mining::Reply;
use clap::Args;

use super::Query;
use crate::failure::Result;

#[derive(Args)]
pub(crate) struct SelfishMining {
    #[command(flatten)]
    query: Query,
    /// How many races and windows
    #[arg(long, short = 'n', default_value_t = 20)]
    limit: u32,
}

impl SelfishMining {
    pub(crate) fn run(self, config: Option<&Path>) -> Result {
        self.query.show(config, &format!("selfish-mining?limit={}", self.limit), text)
    }
}

fn text(reply: &Reply) -> String {
    let mut text = String::new();
    for found in &reply.selfish_mining {
        let (said, chance) = (&found.body, found.body.chance);
        let alarm = if said.is_alarm { "ALARM " } else { "" };
        let chance = chance.map_or_else(String::new, |chance| format!(", chance {chance:.2e}"));
        text.push_str(&format!(
            "{} {}: {alarm}{} of blocks {} to {}{chance}\n  {}\n",
            found.at,
            found.network,
            said.signal.as_str(),
            said.from_height,
            said.to_height,
            said.explanation
        ));
    }
    if text.is_empty() { "no signal has been judged; they are on main alone\n".to_owned() } else { text }
}
