//! The node's RPC server, polled.
//!
//! Each call has a thread, an interval and a failure of its own: one that hangs (`getchaintips` can take over a
//! minute) holds up no other.

mod amount;
mod client;
mod compat;
mod poller;

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};

use bmon_event::Source;

#[cfg(test)]
pub(crate) use self::compat::{BlockStats, Memory, NetTotals, TxIndex, keep_reply};
use self::poller::Poller;
pub(crate) use self::{
    client::{Client, Failure, RpcError},
    compat::Replies,
};
use super::{Closed, Context, Reader, detail};
use crate::{
    advice::Lack,
    clock,
    config::{IntervalConfig, RpcConfig},
    health::Counters,
    shipper::chain,
};

/// Calls that are made when they are needed and not at an interval.
pub(crate) const GET_BLOCK: &str = "getblock";
pub(crate) const GET_BLOCK_HASH: &str = "getblockhash";
pub(crate) const GET_BLOCK_HEADER: &str = "getblockheader";
pub(crate) const GET_RAW_TRANSACTION: &str = "getrawtransaction";
pub(crate) const GET_TX_SPENDING_PREVOUT: &str = "gettxspendingprevout";
pub(crate) const GET_ZMQ_NOTIFICATIONS: &str = "getzmqnotifications";
/// The reply of a node that does not know a call (`RPC_METHOD_NOT_FOUND`, `src/rpc/protocol.h@v30`).
pub(crate) const METHOD_NOT_FOUND: i64 = -32_601;
/// A poller's thread parses one reply and hardly nests.
const STACK_BYTES: usize = 256 * 1024;

/// The names of all RPC calls that the agent makes, for the node's `rpcwhitelist`. All of them only read.
pub fn whitelist() -> Vec<&'static str> {
    let mut methods: Vec<_> = poller::ALL.iter().map(|poller| poller.method()).collect();
    methods.extend([
        GET_BLOCK,
        GET_BLOCK_HASH,
        GET_BLOCK_HEADER,
        GET_RAW_TRANSACTION,
        GET_TX_SPENDING_PREVOUT,
        GET_ZMQ_NOTIFICATIONS,
    ]);
    methods.extend(compat::ALL.iter().map(|call| call.method));
    methods.sort_unstable();
    methods.dedup();
    methods
}

/// Polls one node.
pub(crate) struct Rpc {
    config: RpcConfig,
    intervals: IntervalConfig,
    client: Client,
}

impl Rpc {
    pub(crate) fn new(config: &RpcConfig, intervals: &IntervalConfig, counters: Counters) -> Self {
        Self { config: config.clone(), intervals: intervals.clone(), client: Client::new(config, counters) }
    }

    fn poll(&self, poller: &dyn Poller, board: &Board<'_>, context: &Context) -> Result<(), Closed> {
        let interval = poller.interval(&self.intervals);
        loop {
            let timeout = poller.timeout(&self.config);
            let start = clock::instant();
            let result = self.client.call_for(timeout, poller.method(), "[]", |reply| {
                context.observed.update(|seen| poller.keep_aside(reply, &mut seen.replies));
                poller.read(reply)
            });
            if context.stop.is_set() {
                return Ok(());
            }
            context.observed.update(|seen| {
                seen.note_polled(poller.method(), result.as_ref().ok());
                seen.took.insert((poller.method(), String::new()), start.elapsed());
            });
            match result {
                Ok(kind) => {
                    board.note(poller.method(), None)?;
                    context.outlet.tell(context.clock.now(), kind)?;
                }
                Err(RpcError::Node { code: METHOD_NOT_FOUND, .. }) if !poller.is_everywhere() => {
                    board.note(poller.method(), None)?;
                }
                Err(error) => board.note(poller.method(), Some(&error))?,
            }
            if context.stop.wait(interval) {
                return Ok(());
            }
        }
    }
}

impl Reader for Rpc {
    fn source(&self) -> Source {
        Source::Rpc
    }

    fn run(self: Box<Self>, context: Context) {
        context.stop.interrupts(Box::new(self.client.interrupter()));
        let (observed, compat_context) = (context.observed.clone(), context.clone());
        let board = Board { url: &self.config.url, state: Mutex::new((context.clone(), BTreeMap::new())) };
        thread::scope(|scope| {
            let compat = || {
                let timeout = Duration::from_millis(self.config.timeout_ms);
                compat::run(&self.client, timeout, &self.intervals, &compat_context);
            };
            if observed.is_kept() {
                start(scope, "compat", compat);
            }
            for poller in poller::ALL {
                let (board, context, this) = (&board, context.clone(), &self);
                start(scope, poller.method(), move || {
                    // The only way to fail is that the agent ends.
                    let _ = this.poll(poller, board, &context);
                });
            }
        });
    }
}

fn start<'scope>(scope: &'scope thread::Scope<'scope, '_>, name: &str, run: impl FnOnce() + Send + 'scope) {
    let thread = thread::Builder::new().name(name.to_owned()).stack_size(STACK_BYTES);
    if let Err(error) = thread.spawn_scoped(scope, run) {
        tracing::error!(error = &error as &dyn std::error::Error, "failed to start a poller");
    }
}

/// How each call last went, and from that how RPC as a whole goes.
struct Board<'a> {
    url: &'a str,
    state: Mutex<(Context, BTreeMap<&'static str, Option<String>>)>,
}

impl Board<'_> {
    fn note(&self, method: &'static str, error: Option<&RpcError>) -> Result<(), Closed> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (context, calls) = &mut *state;
        let not_allowed = matches!(error, Some(RpcError::NotWhitelisted(_)));
        context.lacks.set(Lack::RpcCall(method), not_allowed);
        calls.insert(method, error.map(|error| chain(error)));
        let failing: Vec<_> =
            calls.iter().filter_map(|(method, error)| Some((method, error.as_ref()?))).collect();
        let working = failing.len() < calls.len();
        // The node offers no RPC only if it cannot be reached; one that is slow or starting does.
        context.lacks.set(
            Lack::Rpc,
            !working && matches!(error, Some(RpcError::Cookie(..) | RpcError::Connection(_))),
        );
        let reads = match failing.first() {
            None => format!("calls `{}`", self.url),
            Some((method, error)) if working => format!("calls `{}`, but `{method}` {error}", self.url),
            Some((_, error)) => format!("calls to `{}` {error}", self.url),
        };
        let text = detail(&reads, &context.lacks.of(Source::Rpc));
        context.outlet.tell_state(context.clock.now(), working, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whitelist_names_every_call_and_none_that_changes_anything() {
        let expected = [
            "estimatesmartfee",
            "getblock",
            "getblockchaininfo",
            "getblockhash",
            "getblockheader",
            "getblockstats",
            "getchaintips",
            "getchaintxstats",
            "getdeploymentinfo",
            "getindexinfo",
            "getmemoryinfo",
            "getmempoolinfo",
            "getnettotals",
            "getnetworkhashps",
            "getnetworkinfo",
            "getpeerinfo",
            "getrawtransaction",
            "getrpcinfo",
            "gettxspendingprevout",
            "getzmqnotifications",
            "uptime",
        ];
        assert_eq!(whitelist(), expected);
    }
}
