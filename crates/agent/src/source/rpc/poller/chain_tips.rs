//! RPC `getchaintips`. It has taken over a minute on loaded nodes, so it has a time limit of its own and nothing
//! waits for it.

use std::time::Duration;

use bmon_event::{
    Kind,
    event::{ChainTip, TipStatus},
};
use serde::Deserialize;

use super::{Poller, word};
use crate::config::{IntervalConfig, RpcConfig};

pub(super) struct ChainTips;

#[derive(Deserialize)]
struct Tip {
    height: Option<u32>,
    hash: Option<String>,
    branchlen: Option<u32>,
    status: Option<String>,
}

impl Poller for ChainTips {
    fn method(&self) -> &'static str {
        "getchaintips"
    }

    fn interval(&self, intervals: &IntervalConfig) -> Duration {
        Duration::from_millis(intervals.chain_tips_ms)
    }

    fn timeout(&self, config: &RpcConfig) -> Duration {
        Duration::from_millis(config.chain_tips_timeout_ms)
    }

    fn read(&self, reply: &str) -> serde_json::Result<Kind> {
        let tips: Vec<Tip> = serde_json::from_str(reply)?;
        let read = |tip: Tip| {
            Some(ChainTip {
                block: word(tip.hash.as_deref())?,
                height: tip.height?,
                branch_length: tip.branchlen.unwrap_or_default(),
                status: TipStatus::from_word(&tip.status.unwrap_or_default()),
            })
        };
        Ok(Kind::ChainTips(tips.into_iter().filter_map(read).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_status_is_kept_and_a_tip_without_a_hash_is_left_out() {
        let hash = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206";
        let reply = format!(
            r#"[{{"height":7,"hash":"{hash}","branchlen":0,"status":"active"}},
                {{"height":6,"hash":"{hash}","branchlen":1,"status":"headers-maybe"}},{{"height":1}}]"#
        );
        let Kind::ChainTips(tips) = ChainTips.read(&reply).unwrap() else { panic!("another kind") };
        let statuses: Vec<_> = tips.iter().map(|tip| (tip.height, tip.status.clone())).collect();
        assert_eq!(statuses, [(7, TipStatus::Active), (6, TipStatus::Unknown("headers-maybe".to_owned()))]);
    }
}
