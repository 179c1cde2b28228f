//! `bmon lags`.

use std::path::Path;

use bmon_server::api::lags::{Lag, Reply};
use clap::Args;

use super::Query;
use crate::{
    failure::Result,
    text::{many, or_dash},
};

#[derive(Args)]
pub(crate) struct Lags {
    #[command(flatten)]
    query: Query,
    /// How many lags
    #[arg(long, short = 'n', default_value_t = 20)]
    limit: u32,
}

impl Lags {
    pub(crate) fn run(self, config: Option<&Path>) -> Result {
        self.query.show(config, &format!("lags?limit={}", self.limit), text)
    }
}

fn text(reply: &Reply) -> String {
    let mut text = String::new();
    for found in &reply.lags {
        let Lag { lag, caught_up_at } = &found.body;
        let end = caught_up_at.as_ref().map_or_else(|| "open".to_owned(), |at| format!("caught up {at}"));
        text.push_str(&format!(
            "{} {} {}: {} behind, {end}\n",
            found.at,
            found.network,
            or_dash(found.node.clone()),
            many(lag.blocks_behind.into(), "block")
        ));
        text.push_str(&format!("  at    {:>8}  {}\n", lag.height, lag.tip));
        text.push_str(&format!("  while {:>8}  {}\n", lag.best_height, lag.best));
    }
    if text.is_empty() { "no lags\n".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_lag_says_where_the_node_was_and_when_it_had_caught_up() {
        let [tip, best] = ["a", "b"].map(|digit| digit.repeat(64));
        let lag = |behind: u32, caught_up_at: Option<&str>| {
            json!({
                "id": "00", "revision": 1, "network": "main", "node": "bob", "at": "then", "at_us": 0,
                "clock_bound_us": 1, "sources": ["log"], "tip": tip, "height": 99, "best": best,
                "best_height": 99 + behind, "blocks_behind": behind, "caught_up_at": caught_up_at,
                "caught_up_at_us": caught_up_at.map(|_| 1),
            })
        };
        let reply = json!({ "lags": [lag(3, None), lag(1, Some("later"))], "next": null });
        let expected = format!(
            "then main bob: 3 blocks behind, open\n  at          99  {tip}\n  while      102  {best}\n\
             then main bob: 1 block behind, caught up later\n  at          99  {tip}\n  while      100  {best}\n"
        );
        assert_eq!(text(&serde_json::from_value(reply).unwrap()), expected);
        assert_eq!(text(&Reply { lags: Vec::new(), next: None }), "no lags\n");
    }
}
