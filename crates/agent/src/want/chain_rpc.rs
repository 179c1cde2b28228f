//! The RPC calls that wants about the chain cost, within bounds.

use std::time::{Duration, Instant};

use bmon_event::BlockHash;
use serde::de::DeserializeOwned;

use super::per_minute::PerMinute;
use crate::{
    clock,
    config::RpcConfig,
    health::Counters,
    hex,
    shipper::chain,
    source::rpc::{Client, GET_BLOCK, RpcError},
};

/// Most calls in a minute. A header takes one of well under a millisecond: two retarget periods take four minutes once, and
/// a day's headers seconds.
const CALLS_PER_MINUTE: u64 = 1_200;
/// Most whole blocks in a minute: one takes some ten milliseconds.
const BLOCKS_PER_MINUTE: u64 = 30;
/// How long a block is kept for the rest of it to be asked for, if the server wanted more than it could be given at once.
const KEPT: Duration = Duration::from_mins(5);

/// The node's RPC server, as far as the server of bmon may make use of it.
pub(super) struct ChainRpc {
    client: Client,
    calls: PerMinute,
    blocks: PerMinute,
    kept: Option<Kept>,
}

/// A block of which more is to be asked for.
struct Kept {
    block: BlockHash,
    bytes: Vec<u8>,
    until: Instant,
}

impl ChainRpc {
    pub(super) fn new(config: &RpcConfig, counters: Counters) -> Self {
        Self {
            client: Client::new(config, counters),
            calls: PerMinute::new(CALLS_PER_MINUTE),
            blocks: PerMinute::new(BLOCKS_PER_MINUTE),
            kept: None,
        }
    }

    /// Ends the call that the clerk waits for, and all that follow.
    pub(super) fn interrupter(&self) -> impl FnOnce() + Send + use<> {
        self.client.interrupter()
    }

    /// Whether one more call is within the bounds.
    pub(super) fn may_call(&mut self) -> bool {
        self.calls.left(clock::instant()) > 0
    }

    /// Calls `method`; the outer error if a bound does not allow it.
    pub(super) fn call<T: DeserializeOwned>(
        &mut self,
        method: &'static str,
        parameters: &str,
    ) -> Result<Result<T, RpcError>, String> {
        if !self.may_call() {
            return Err("the wants of the last minute have called the node as often as they may".to_owned());
        }
        self.calls.spend(1);
        Ok(self.client.call(method, parameters))
    }

    /// The bytes of a block.
    pub(super) fn block(&mut self, block: BlockHash) -> Result<&[u8], String> {
        let now = clock::instant();
        if self.kept.as_ref().is_none_or(|kept| kept.block != block || now >= kept.until) {
            self.kept = None;
            if self.blocks.left(now) == 0 {
                return Err("the wants of the last minute have read as many blocks as they may".to_owned());
            }
            self.blocks.spend(1);
            let parameters = format!(r#"["{block}",0]"#);
            let digits = self.call::<String>(GET_BLOCK, &parameters)?.map_err(|error| chain(&error))?;
            let bytes = hex::decode(&digits).ok_or("the node gave a block that is not hexadecimal")?;
            self.kept = Some(Kept { block, bytes, until: now + KEPT });
        }
        Ok(self.kept.as_ref().map_or(&[], |kept| &kept.bytes))
    }

    /// Forgets the block: no more of it is asked for.
    pub(super) fn drop_block(&mut self) {
        self.kept = None;
    }
}
