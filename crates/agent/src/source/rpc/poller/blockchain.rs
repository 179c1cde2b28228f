//! RPC `getblockchaininfo`.

use std::time::Duration;

use bmon_event::{BlockHash, Kind, event::ChainInfo};
use serde::Deserialize;

use super::{Poller, Warnings, word};
use crate::{config::IntervalConfig, source::rpc::Replies};

pub(super) struct BlockchainInfo;

#[derive(Deserialize)]
struct Reply {
    chain: Option<String>,
    blocks: Option<u32>,
    headers: Option<u32>,
    bestblockhash: Option<String>,
    initialblockdownload: Option<bool>,
    verificationprogress: Option<f64>,
    size_on_disk: Option<u64>,
    pruned: Option<bool>,
    #[serde(default)]
    warnings: Warnings,
}

/// Absent where the proof of work is not that of Bitcoin Core.
#[derive(Default, Deserialize)]
struct Aside {
    difficulty: Option<f64>,
}

impl Poller for BlockchainInfo {
    fn method(&self) -> &'static str {
        "getblockchaininfo"
    }

    fn interval(&self, intervals: &IntervalConfig) -> Duration {
        Duration::from_millis(intervals.blockchain_info_ms)
    }

    fn read(&self, reply: &str) -> serde_json::Result<Kind> {
        let reply: Reply = serde_json::from_str(reply)?;
        Ok(Kind::ChainInfo(ChainInfo {
            chain: reply.chain.unwrap_or_default(),
            blocks: reply.blocks.unwrap_or_default(),
            headers: reply.headers.unwrap_or_default(),
            best_block: word::<BlockHash>(reply.bestblockhash.as_deref()),
            initial_block_download: reply.initialblockdownload,
            verification_progress: reply.verificationprogress.unwrap_or_default(),
            size_on_disk_bytes: reply.size_on_disk,
            pruned: reply.pruned.unwrap_or_default(),
            warnings: reply.warnings.0,
        }))
    }

    fn keep_aside(&self, reply: &str, replies: &mut Replies) {
        replies.difficulty = serde_json::from_str::<Aside>(reply).unwrap_or_default().difficulty;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CORE_30: &str = r#"{"chain":"regtest","blocks":2,"headers":3,
        "bestblockhash":"0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206","bits":"207fffff",
        "target":"7fffff0000000000000000000000000000000000000000000000000000000000","difficulty":4.6565423739069247e-10,
        "time":1296688602,"mediantime":1296688602,"verificationprogress":1,"initialblockdownload":true,
        "chainwork":"0000000000000000000000000000000000000000000000000000000000000002","size_on_disk":293,
        "pruned":false,"warnings":["This is a pre-release test build"]}"#;

    #[test]
    fn core_30_is_read() {
        let Kind::ChainInfo(info) = BlockchainInfo.read(CORE_30).unwrap() else { panic!("another kind") };
        assert_eq!((info.chain.as_str(), info.blocks, info.headers), ("regtest", 2, 3));
        assert_eq!(info.best_block.unwrap().as_bytes()[..2], [0x0f, 0x91]);
        assert_eq!(info.initial_block_download, Some(true));
        assert_eq!((info.size_on_disk_bytes, info.pruned), (Some(293), false));
        assert_eq!(info.warnings, ["This is a pre-release test build"]);
    }

    #[test]
    fn a_reply_of_an_old_or_a_strange_node_is_read_as_far_as_it_goes() {
        let old = r#"{"chain":"main","blocks":5,"headers":5,"difficulty":1.5,"warnings":""}"#;
        let Kind::ChainInfo(info) = BlockchainInfo.read(old).unwrap() else { panic!("another kind") };
        assert_eq!(
            (info.initial_block_download, info.size_on_disk_bytes, info.best_block),
            (None, None, None)
        );
        assert!(info.warnings.is_empty());
        assert!(BlockchainInfo.read(r#"{"difficulty_blake2b":1}"#).is_ok());
        assert!(BlockchainInfo.read("[]").is_err());
    }
}
