//! The names of `jvstein/bitcoin-prometheus-exporter`, which Grafana's dashboard 11274 reads. Amounts are in bitcoin.

use bmon_metric::Family;

use super::{Metric, amount::btc, by, memory, of_only_node as of_node, own::failures, seconds};

/// A number of the latest block.
macro_rules! block {
    ($name:literal, $unit:literal, $help:literal, |$count:ident| $value:expr, $field:ident) => {
        of_node!($name, gauge, $unit, "`getblockstats`", $help, |view| {
            // The block is asked of once; while the node says nothing of its chain, it is not known to be the latest.
            view.seen.chain()?;
            let $count = view.seen.replies.block.as_ref()?.$field?;
            $value
        })
    };
}

macro_rules! hash_ps {
    ($name:literal, $help:literal, $blocks:literal) => {
        of_node!($name, gauge, "hashes/s", "`getnetworkhashps`", $help, |view| *view
            .seen
            .replies
            .hash_ps
            .get($blocks)?)
    };
}

macro_rules! smart_fee {
    ($name:literal, $help:literal, $blocks:literal) => {
        of_node!($name, gauge, "BTC/kvB", "`estimatesmartfee`", $help, |view| btc(*view
            .seen
            .replies
            .fees
            .get($blocks)?))
    };
}

pub(super) const METRICS: &[Metric] = &[
    of_node!(
        "bitcoin_blocks",
        gauge,
        "blocks",
        "`getblockchaininfo`",
        "Height of the active chain",
        |view| { view.seen.chain()?.blocks.into() }
    ),
    of_node!(
        "bitcoin_difficulty",
        gauge,
        "",
        "`getblockchaininfo`",
        "Difficulty; absent on chains with another proof of work",
        |view| {
            view.seen.chain()?;
            view.seen.replies.difficulty?
        }
    ),
    of_node!("bitcoin_peers", gauge, "peers", "`getnetworkinfo`", "Peers", |view| {
        view.seen.network()?.connections.into()
    }),
    of_node!(
        "bitcoin_conn_in",
        gauge,
        "peers",
        "`getnetworkinfo`",
        "Peers that connected to the node",
        |view| { view.seen.network()?.connections_in?.into() }
    ),
    of_node!(
        "bitcoin_conn_out",
        gauge,
        "peers",
        "`getnetworkinfo`",
        "Peers that the node connected to",
        |view| view.seen.network()?.connections_out?.into()
    ),
    of_node!("bitcoin_uptime", gauge, "seconds", "`uptime`", "Time since the node started", |view| {
        view.seen.uptime_seconds()? as f64
    }),
    of_node!(
        "bitcoin_txcount",
        gauge,
        "transactions",
        "`getchaintxstats`",
        "Transactions in the active chain",
        |view| view.seen.replies.transactions? as f64
    ),
    of_node!(
        "bitcoin_num_chaintips",
        gauge,
        "branches",
        "`getchaintips`",
        "Branches that the node knows, the active one included",
        |view| view.seen.chain_tips()? as f64
    ),
    of_node!(
        "bitcoin_total_bytes_recv",
        gauge,
        "bytes",
        "`getnettotals`",
        "Bytes received from peers since the node started",
        |view| view.seen.replies.net_totals.as_ref()?.totalbytesrecv? as f64
    ),
    of_node!(
        "bitcoin_total_bytes_sent",
        gauge,
        "bytes",
        "`getnettotals`",
        "Bytes sent to peers since the node started",
        |view| view.seen.replies.net_totals.as_ref()?.totalbytessent? as f64
    ),
    of_node!(
        "bitcoin_size_on_disk",
        gauge,
        "bytes",
        "`getblockchaininfo`",
        "Size of the files of blocks and undo data",
        |view| view.seen.chain()?.size_on_disk_bytes? as f64
    ),
    of_node!(
        "bitcoin_verification_progress",
        gauge,
        "ratio",
        "`getblockchaininfo`",
        "The node's own estimate of how much of the chain it has",
        |view| view.seen.chain()?.verification_progress
    ),
    of_node!(
        "bitcoin_server_version",
        gauge,
        "",
        "`getnetworkinfo`",
        "The node's version as a number, 300000 for 30.0",
        |view| view.seen.network()?.version as f64
    ),
    of_node!(
        "bitcoin_protocol_version",
        gauge,
        "",
        "`getnetworkinfo`",
        "Version of the node's P2P protocol",
        |view| view.seen.network()?.protocol_version as f64
    ),
    of_node!(
        "bitcoin_rpc_active",
        gauge,
        "calls",
        "`getrpcinfo`",
        "RPC calls that the node works on, not counting the one that asks",
        |view| view.seen.replies.active_calls?.saturating_sub(1) as f64
    ),
    hash_ps!("bitcoin_hashps", "The network's hash rate by the last 120 blocks", "120"),
    hash_ps!("bitcoin_hashps_1", "The network's hash rate by the last block", "1"),
    hash_ps!(
        "bitcoin_hashps_neg1",
        "The network's hash rate by the blocks since the last change of difficulty",
        "-1"
    ),
    smart_fee!("bitcoin_est_smart_fee_2", "Estimated fee rate to be in the next 2 blocks", "2"),
    smart_fee!("bitcoin_est_smart_fee_3", "Estimated fee rate to be in the next 3 blocks", "3"),
    smart_fee!("bitcoin_est_smart_fee_5", "Estimated fee rate to be in the next 5 blocks", "5"),
    smart_fee!("bitcoin_est_smart_fee_20", "Estimated fee rate to be in the next 20 blocks", "20"),
    of_node!(
        "bitcoin_mempool_bytes",
        gauge,
        "virtual bytes",
        "`getmempoolinfo`",
        "Virtual size of the mempool's transactions",
        |view| view.seen.mempool()?.virtual_bytes as f64
    ),
    of_node!(
        "bitcoin_mempool_size",
        gauge,
        "transactions",
        "`getmempoolinfo`",
        "Transactions in the mempool",
        |view| view.seen.mempool()?.transactions as f64
    ),
    of_node!(
        "bitcoin_mempool_usage",
        gauge,
        "bytes",
        "`getmempoolinfo`",
        "Memory that the mempool uses",
        |view| view.seen.mempool()?.usage_bytes as f64
    ),
    of_node!(
        "bitcoin_mempool_minfee",
        gauge,
        "BTC/kvB",
        "`getmempoolinfo`",
        "Fee rate needed to enter the mempool",
        |view| btc(view.seen.mempool()?.min_fee_sat_per_kvb?)
    ),
    of_node!(
        "bitcoin_mempool_unbroadcast",
        gauge,
        "transactions",
        "`getmempoolinfo`",
        "Transactions of the node's own that no peer asked for yet",
        |view| view.seen.mempool()?.unbroadcast? as f64
    ),
    block!("bitcoin_latest_block_height", "blocks", "Height of the latest block", |n| n as f64, height),
    block!(
        "bitcoin_latest_block_weight",
        "weight units",
        "Weight of the latest block's transactions, the coinbase not included",
        |n| n as f64,
        total_weight
    ),
    block!(
        "bitcoin_latest_block_size",
        "bytes",
        "Size of the latest block's transactions, the coinbase not included",
        |n| n as f64,
        total_size
    ),
    block!("bitcoin_latest_block_txs", "transactions", "Transactions in the latest block", |n| n as f64, txs),
    block!(
        "bitcoin_latest_block_inputs",
        "inputs",
        "Inputs of the latest block, the coinbase's not included",
        |n| n as f64,
        ins
    ),
    block!("bitcoin_latest_block_outputs", "outputs", "Outputs of the latest block", |n| n as f64, outs),
    block!(
        "bitcoin_latest_block_value",
        "BTC",
        "Sum of the latest block's outputs, the coinbase's not included",
        |sat| btc(sat),
        total_out
    ),
    block!("bitcoin_latest_block_fee", "BTC", "Sum of the latest block's fees", |sat| btc(sat), totalfee),
    memory!("bitcoin_meminfo_used", "bytes", "Locked memory that the node uses", used),
    memory!("bitcoin_meminfo_free", "bytes", "Locked memory that the node has left", free),
    memory!("bitcoin_meminfo_total", "bytes", "Memory that the node manages to be locked", total),
    memory!("bitcoin_meminfo_locked", "bytes", "Memory that is really locked", locked),
    memory!("bitcoin_meminfo_chunks_used", "chunks", "Chunks of locked memory in use", chunks_used),
    memory!("bitcoin_meminfo_chunks_free", "chunks", "Chunks of locked memory not in use", chunks_free),
    of_node!(
        "bitcoin_warnings",
        counter,
        "",
        "`getnetworkinfo`",
        "Times that the node was asked and had warnings to give",
        |view| view.seen.warned as f64
    ),
    Metric {
        family: Family {
            name: "bitcoin_exporter_errors",
            help: "RPC calls of the agent that failed, by why",
            counter: true,
            samples: |view| by(&view.label_if_several(), "type", failures(view)),
        },
        unit: "calls",
        from: "the agent",
        labels: &["type"],
    },
    of_node!(
        "bitcoin_exporter_process_time",
        counter,
        "seconds",
        "the agent",
        "Time that the agent spent waiting for RPC replies",
        |view| seconds(view.health.rpc_time_us)
    ),
];
