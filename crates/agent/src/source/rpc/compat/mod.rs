//! The calls that only `/metrics/compat` needs: all listed in [`ALL`], made one after another in one thread, so that they
//! never cost the node more than one call at a time.

mod reply;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use serde::de::DeserializeOwned;

pub(crate) use self::reply::Replies;
#[cfg(test)]
pub(crate) use self::reply::{BlockStats, Memory, NetTotals, TxIndex};
use self::reply::{Fee, IndexInfo, MemoryInfo, RpcInfo, TxStats};
use super::{Client, Context, RpcError};
use crate::{advice::Lack, clock, config::IntervalConfig, observed::Seen};

/// What is asked of a block, so that the node need not work out the rest.
const BLOCK_STATS: &str =
    r#"["blockhash","height","total_size","total_weight","txs","ins","outs","total_out","totalfee"]"#;

/// One call, and where its reply is kept.
pub(super) struct Call {
    pub(super) method: &'static str,
    /// How often it is made, in milliseconds; 0 is never.
    interval: fn(&IntervalConfig) -> u64,
    /// Its parameters, a JSON array; `None` when there is nothing to ask.
    parameters: fn(&Seen) -> Option<String>,
    /// Keeps the reply; without one, forgets the last.
    keep: fn(&mut Replies, Option<&str>) -> serde_json::Result<()>,
}

/// Every call, in the order in which they are made.
pub(super) const ALL: &[Call] = &[
    Call {
        method: "getnettotals",
        interval: |intervals| intervals.compat_net_totals_ms,
        parameters: |_| fixed("[]"),
        keep: |replies, reply| set(&mut replies.net_totals, reply, Some),
    },
    Call {
        method: "getrpcinfo",
        interval: |intervals| intervals.compat_rpc_info_ms,
        parameters: |_| fixed("[]"),
        keep: |replies, reply| set(&mut replies.active_calls, reply, RpcInfo::active),
    },
    Call {
        method: "getmemoryinfo",
        interval: |intervals| intervals.compat_memory_info_ms,
        parameters: |_| fixed(r#"["stats"]"#),
        keep: |replies, reply| set(&mut replies.memory, reply, |info: MemoryInfo| Some(info.locked)),
    },
    Call {
        method: "getblockstats",
        interval: |intervals| intervals.compat_block_stats_ms,
        parameters: |seen| new_tip(seen).map(|tip| format!(r#"["{tip}",{BLOCK_STATS}]"#)),
        keep: |replies, reply| set(&mut replies.block, reply, Some),
    },
    Call {
        method: "getchaintxstats",
        interval: |intervals| intervals.compat_chain_tx_stats_ms,
        parameters: |_| fixed("[]"),
        keep: |replies, reply| set(&mut replies.transactions, reply, |stats: TxStats| stats.txcount),
    },
    Call {
        method: "getindexinfo",
        interval: |intervals| intervals.compat_index_info_ms,
        parameters: |_| fixed("[]"),
        keep: |replies, reply| set(&mut replies.tx_index, reply, |info: IndexInfo| Some(info.txindex)),
    },
    hash_ps(|_| fixed("[120]"), |replies, reply| set_of(&mut replies.hash_ps, "120", reply)),
    hash_ps(|_| fixed("[1]"), |replies, reply| set_of(&mut replies.hash_ps, "1", reply)),
    hash_ps(|_| fixed("[-1]"), |replies, reply| set_of(&mut replies.hash_ps, "-1", reply)),
    smart_fee(|_| fixed("[2]"), |replies, reply| set_fee(replies, "2", reply)),
    smart_fee(|_| fixed("[3]"), |replies, reply| set_fee(replies, "3", reply)),
    smart_fee(|_| fixed("[5]"), |replies, reply| set_fee(replies, "5", reply)),
    smart_fee(|_| fixed("[20]"), |replies, reply| set_fee(replies, "20", reply)),
];

const fn hash_ps(
    parameters: fn(&Seen) -> Option<String>,
    keep: fn(&mut Replies, Option<&str>) -> serde_json::Result<()>,
) -> Call {
    let interval = |intervals: &IntervalConfig| intervals.compat_network_hash_ps_ms;
    Call { method: "getnetworkhashps", interval, parameters, keep }
}

const fn smart_fee(
    parameters: fn(&Seen) -> Option<String>,
    keep: fn(&mut Replies, Option<&str>) -> serde_json::Result<()>,
) -> Call {
    let interval = |intervals: &IntervalConfig| intervals.compat_smart_fee_ms;
    Call { method: "estimatesmartfee", interval, parameters, keep }
}

#[expect(clippy::unnecessary_wraps, reason = "as `Call::parameters` gives it")]
fn fixed(parameters: &str) -> Option<String> {
    Some(parameters.to_owned())
}

/// The node's tip, unless its figures are known: they are the only ones that cost the node more than a look into its memory.
fn new_tip(seen: &Seen) -> Option<String> {
    let tip = seen.chain()?.best_block?.to_string();
    let known = seen.replies.block.as_ref().is_some_and(|block| block.blockhash.as_ref() == Some(&tip));
    (!known).then_some(tip)
}

/// Keeps what is `shown` of the reply, nothing without one or if it cannot be read.
fn set<R: DeserializeOwned, T>(
    slot: &mut Option<T>,
    reply: Option<&str>,
    shown: impl FnOnce(R) -> Option<T>,
) -> serde_json::Result<()> {
    *slot = None;
    *slot = reply.map(serde_json::from_str).transpose()?.and_then(shown);
    Ok(())
}

fn set_of(
    map: &mut BTreeMap<&'static str, f64>,
    key: &'static str,
    reply: Option<&str>,
) -> serde_json::Result<()> {
    let mut value = None;
    let read = set(&mut value, reply, Some);
    map.remove(key);
    map.extend(value.map(|value| (key, value)));
    read
}

fn set_fee(replies: &mut Replies, blocks: &'static str, reply: Option<&str>) -> serde_json::Result<()> {
    let mut sat_per_kvb = None;
    let read = set(&mut sat_per_kvb, reply, |fee: Fee| fee.feerate.0);
    replies.fees.remove(blocks);
    replies.fees.extend(sat_per_kvb.map(|sat_per_kvb| (blocks, sat_per_kvb)));
    read
}

/// The calls that are to be made at all, and how often.
fn wanted(intervals: &IntervalConfig) -> impl Iterator<Item = (&'static Call, Duration)> {
    let interval = |call: &Call| Duration::from_millis((call.interval)(intervals));
    ALL.iter().map(move |call| (call, interval(call))).filter(|(_, interval)| !interval.is_zero())
}

/// Makes the calls until asked to stop, each at its interval.
pub(super) fn run(client: &Client, timeout: Duration, intervals: &IntervalConfig, context: &Context) {
    let mut calls: Vec<(&Call, Duration, Instant)> =
        wanted(intervals).map(|(call, interval)| (call, interval, clock::instant())).collect();
    while let Some(due) = calls.iter().map(|(_, _, due)| *due).min() {
        if context.stop.wait(due.saturating_duration_since(clock::instant())) {
            return;
        }
        for (call, interval, due) in &mut calls {
            if clock::instant() >= *due && !context.stop.is_set() {
                make(call, client, timeout, context);
                *due = clock::instant() + *interval;
            }
        }
    }
}

fn make(call: &Call, client: &Client, timeout: Duration, context: &Context) {
    let mut parameters = None;
    context.observed.update(|seen| parameters = (call.parameters)(seen));
    let Some(parameters) = parameters else { return };
    let start = clock::instant();
    let result = client.call_for(timeout, call.method, &parameters, |reply| {
        let mut read = Ok(());
        context.observed.update(|seen| read = (call.keep)(&mut seen.replies, Some(reply)));
        read
    });
    if context.stop.is_set() {
        return;
    }
    let not_allowed = matches!(result, Err(RpcError::NotWhitelisted(_)));
    context.lacks.set(Lack::RpcCall(call.method), not_allowed);
    context.observed.update(|seen| {
        if let Err(error) = result {
            tracing::debug!(method = call.method, error = &error as &dyn std::error::Error, "a call failed");
            // What is forgotten cannot be misread.
            let _ = (call.keep)(&mut seen.replies, None);
        }
        // The parameters of the block are new ones each time.
        let key = if call.method == "getblockstats" { String::new() } else { parameters };
        seen.took.insert((call.method, key), start.elapsed());
    });
}

/// Keeps a reply as that of one call, of which any parameters do if these are empty.
#[cfg(test)]
pub(crate) fn keep_reply(replies: &mut Replies, method: &str, parameters: &str, reply: &str) {
    let seen = Seen::default();
    let is_it = |call: &&Call| {
        let wanted = || (call.parameters)(&seen).is_some_and(|found| found == parameters);
        call.method == method && (parameters.is_empty() || wanted())
    };
    let call = ALL.iter().find(is_it).unwrap();
    (call.keep)(replies, Some(reply)).unwrap();
}

#[cfg(test)]
mod tests {
    use bmon_event::{Kind, event::ChainInfo};

    use super::*;

    #[test]
    fn a_block_is_asked_of_once_and_again_after_a_failure() {
        let call = ALL.iter().find(|call| call.method == "getblockstats").unwrap();
        let mut seen = Seen::default();
        assert_eq!((call.parameters)(&seen), None);
        let tip = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206";
        let chain = ChainInfo { best_block: tip.parse().ok(), ..ChainInfo::default() };
        seen.note_polled("getblockchaininfo", Some(&Kind::ChainInfo(chain)));
        assert!((call.parameters)(&seen).unwrap().starts_with(&format!(r#"["{tip}",["blockhash","#)));
        (call.keep)(&mut seen.replies, Some(&format!(r#"{{"blockhash":"{tip}"}}"#))).unwrap();
        assert_eq!((call.parameters)(&seen), None);
        (call.keep)(&mut seen.replies, None).unwrap();
        assert!((call.parameters)(&seen).is_some());
    }

    #[test]
    fn an_interval_of_0_is_never() {
        let polled = ["blockchain_info", "network_info", "mempool_info", "peer_info", "chain_tips", "uptime"];
        let other = ["deployment_info", "host", "clock_exchange", "clock_sample", "health"];
        let compat = ["net_totals", "rpc_info", "memory_info", "network_hash_ps", "smart_fee", "block_stats"]
            .into_iter()
            .chain(["chain_tx_stats", "index_info"])
            .map(|name| format!("compat_{name}"));
        let names = polled.into_iter().chain(other).map(str::to_owned).chain(compat);
        let field = |name: String| {
            let never = ["compat_smart_fee", "compat_block_stats"].contains(&name.as_str());
            (format!("{name}_ms"), if never { 0 } else { 7 })
        };
        let intervals = serde_json::to_value(names.map(field).collect::<BTreeMap<_, _>>()).unwrap();
        let intervals: IntervalConfig = serde_json::from_value(intervals).unwrap();
        let calls: Vec<_> = wanted(&intervals).collect();
        assert!(calls.iter().all(|(_, interval)| *interval == Duration::from_millis(7)));
        let methods: Vec<_> = calls.iter().map(|(call, _)| call.method).collect();
        assert!(methods.contains(&"getnetworkhashps") && methods.contains(&"getnettotals"));
        assert!(!methods.contains(&"estimatesmartfee") && !methods.contains(&"getblockstats"));
    }

    #[test]
    fn what_fails_or_cannot_be_read_is_forgotten() {
        for call in ALL.iter().filter(|call| ["getnetworkhashps", "estimatesmartfee"].contains(&call.method))
        {
            let mut replies = Replies::default();
            let good = if call.method == "getnetworkhashps" { "7.5" } else { r#"{"feerate":0.00001000}"# };
            for bad in [None, Some("true")] {
                (call.keep)(&mut replies, Some(good)).unwrap();
                assert_eq!(replies.hash_ps.len() + replies.fees.len(), 1);
                assert_eq!((call.keep)(&mut replies, bad).is_err(), bad.is_some());
                assert_eq!(replies.hash_ps.len() + replies.fees.len(), 0);
            }
        }
    }
}
