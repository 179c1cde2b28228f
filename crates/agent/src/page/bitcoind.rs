//! The names of `Primexz/bitcoind-exporter`, which Grafana's dashboard 21351 reads. Its fee rates are in satoshi per virtual
//! byte, its time of a scrape is in milliseconds.

use std::time::Duration;

use bmon_metric::Family;

use super::{Metric, amount::sat_per_vb, by, flag, memory, of_only_node as of_node};

pub(super) const METRICS: &[Metric] = &[
    of_node!(
        "bitcoind_blockchain_blocks",
        gauge,
        "blocks",
        "`getblockchaininfo`",
        "Height of the active chain",
        |view| view.seen.chain()?.blocks.into()
    ),
    of_node!(
        "bitcoind_blockchain_headers",
        gauge,
        "blocks",
        "`getblockchaininfo`",
        "Height of the best chain of headers",
        |view| view.seen.chain()?.headers.into()
    ),
    of_node!(
        "bitcoind_blockchain_verification_progress",
        gauge,
        "ratio",
        "`getblockchaininfo`",
        "The node's own estimate of how much of the chain it has",
        |view| view.seen.chain()?.verification_progress
    ),
    of_node!(
        "bitcoind_blockchain_size_on_disk",
        gauge,
        "bytes",
        "`getblockchaininfo`",
        "Size of the files of blocks and undo data",
        |view| view.seen.chain()?.size_on_disk_bytes? as f64
    ),
    Metric {
        family: Family {
            name: "bitcoind_smart_fee",
            help: "Estimated fee rate to be in the next blocks",
            counter: false,
            samples: |view| {
                // Not of 3, which only the other exporter asks for.
                let fees = view.seen.replies.fees.iter().filter(|(blocks, _)| **blocks != "3");
                by(&view.label_if_several(), "blocks", fees.map(|(blocks, fee)| (*blocks, sat_per_vb(*fee))))
            },
        },
        unit: "sat/vB",
        from: "`estimatesmartfee`",
        labels: &["blocks"],
    },
    of_node!(
        "bitcoind_txindex_synced",
        gauge,
        "0 or 1",
        "`getindexinfo`",
        "Whether the index of transactions is complete; 0 without one",
        |view| flag(view.seen.replies.tx_index.as_ref()?.synced)
    ),
    of_node!(
        "bitcoind_txindex_best_height",
        gauge,
        "blocks",
        "`getindexinfo`",
        "Height up to which the index of transactions is made; 0 without one",
        |view| view.seen.replies.tx_index.as_ref()?.best_block_height as f64
    ),
    of_node!(
        "bitcoind_exporter_scrape_time",
        gauge,
        "milliseconds",
        "the agent",
        "How long the last RPC call of each kind took, together",
        |view| view.seen.took.values().sum::<Duration>().as_secs_f64() * 1e3
    ),
    memory!("bitcoind_memory_used", "bytes", "Locked memory that the node uses", used),
    memory!("bitcoind_memory_free", "bytes", "Locked memory that the node has left", free),
    memory!("bitcoind_memory_total", "bytes", "Memory that the node manages to be locked", total),
    memory!("bitcoind_memory_locked", "bytes", "Memory that is really locked", locked),
    memory!("bitcoind_memory_chunks_used", "chunks", "Chunks of locked memory in use", chunks_used),
    memory!("bitcoind_memory_chunks_free", "chunks", "Chunks of locked memory not in use", chunks_free),
    of_node!(
        "bitcoind_mempool_usage",
        gauge,
        "bytes",
        "`getmempoolinfo`",
        "Memory that the mempool uses",
        |view| view.seen.mempool()?.usage_bytes as f64
    ),
    of_node!(
        "bitcoind_mempool_max",
        gauge,
        "bytes",
        "`getmempoolinfo`",
        "Memory that the mempool may use",
        |view| view.seen.mempool()?.max_bytes as f64
    ),
    of_node!(
        "bitcoind_mempool_transaction_count",
        gauge,
        "transactions",
        "`getmempoolinfo`",
        "Transactions in the mempool",
        |view| view.seen.mempool()?.transactions as f64
    ),
    Metric {
        family: Family {
            name: "bitcoind_mining_hashrate",
            help: "The network's hash rate by so many last blocks, -1 for those since the last change of difficulty",
            counter: false,
            samples: |view| {
                let rates = view.seen.replies.hash_ps.iter();
                by(&view.label_if_several(), "blocks", rates.map(|(blocks, rate)| (*blocks, *rate)))
            },
        },
        unit: "hashes/s",
        from: "`getnetworkhashps`",
        labels: &["blocks"],
    },
    of_node!("bitcoind_total_connections", gauge, "peers", "`getnetworkinfo`", "Peers", |view| {
        view.seen.network()?.connections.into()
    }),
    of_node!(
        "bitcoind_connections_in",
        gauge,
        "peers",
        "`getnetworkinfo`",
        "Peers that connected to the node",
        |view| view.seen.network()?.connections_in?.into()
    ),
    of_node!(
        "bitcoind_connections_out",
        gauge,
        "peers",
        "`getnetworkinfo`",
        "Peers that the node connected to",
        |view| view.seen.network()?.connections_out?.into()
    ),
    of_node!(
        "bitcoind_total_bytes_recv",
        gauge,
        "bytes",
        "`getnettotals`",
        "Bytes received from peers since the node started",
        |view| view.seen.replies.net_totals.as_ref()?.totalbytesrecv? as f64
    ),
    of_node!(
        "bitcoind_total_bytes_sent",
        gauge,
        "bytes",
        "`getnettotals`",
        "Bytes sent to peers since the node started",
        |view| view.seen.replies.net_totals.as_ref()?.totalbytessent? as f64
    ),
    of_node!(
        "bitcoind_transactions_per_second",
        gauge,
        "transactions/s",
        "ZMQ, else `debug.log`",
        "Transactions that entered the mempool in a second, over the last ten",
        |view| view.seen.transactions_per_second(view.now)?
    ),
];
