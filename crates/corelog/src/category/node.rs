//! Messages without a category about the node itself: its start, its settings, its end, its log.

use bmon_event::{BlockHash, Kind, Source, event::Gap};

use super::text;
use crate::{format::Word, message::message};

message! {
    /// The first line of a run, after five empty ones.
    NodeStarted<'a> {
        /// The words between `Bitcoin` and `version`: `Core`, `Knots`; empty up to 0.12.
        implementation: &'a [u8],
        /// The version with its leading `v`, and what kind of build it is.
        version: &'a [u8],
    }
    in All
    => |message, _| {
        let blank = if message.implementation.is_empty() { "" } else { " " };
        let (implementation, version) = (text(message.implementation), text(message.version));
        Some(Kind::NodeStarted { banner: format!("Bitcoin{blank}{implementation} version {version}") })
    };
    "0.16?.." "src/init/common.cpp:156@31.99": "Bitcoin %s version %s" (implementation, version);
    "0.10..=0.12" "src/init.cpp@v0.10, by copies": "Bitcoin version %s" (version) { implementation: b"" };
}

message! {
    /// The node began to shut down.
    NodeStopping {}
    in All
    => |_, _| Some(Kind::NodeStopping);
    "31?.." "src/init.cpp:295@31.99": "Shutdown in progress..." ();
    "0.16?..=29?" "src/init.cpp:287@29.99": "Shutdown: In progress..." ();
}

message! {
    /// The node shut down.
    NodeStopped {}
    in All;
    "31?.." "src/init.cpp:421@31.99": "Shutdown done" ();
    "0.16?..=29?" "src/init.cpp:401@29.99": "Shutdown: done" ();
}

message! {
    /// The first line after the banner that tells where the node keeps its data.
    DataDirectory<'a> {
        /// Its path.
        path: &'a [u8],
    }
    in All;
    "0.16?.." "src/init/common.cpp:125@31.99": "Using data directory %s" (path);
}

message! {
    /// A setting from the configuration file or the command line. Secrets are written as `****`.
    Setting<'a> {
        /// Where it is from: `Config file arg` or `Command-line arg`.
        from: Word<'a>,
        /// Its name; one from a section of the configuration file has `[regtest] ` before it.
        name: Word<'a>,
        /// Its value as a JSON string.
        value: &'a [u8],
    }
    in All;
    "0.20.." "src/common/args.cpp:917@31.99": "Config file arg: %s=%s" (name, value) { from: Word(b"Config file arg") };
    "0.20.." "src/common/args.cpp:917@31.99": "Command-line arg: %s=%s" (name, value) { from: Word(b"Command-line arg") };
    "0.21.." "src/common/args.cpp:930@31.99": "Setting file arg: %s = %s" (name, value) { from: Word(b"Setting file arg") };
}

message! {
    /// A step of the start.
    StartStep<'a> {
        /// What the node does, for example `Loading block index…`.
        step: &'a [u8],
    }
    in All;
    "0.16?.." "src/noui.cpp:54@31.99": "init message: %s" (step);
}

message! {
    /// How many peers the node connects to, at most.
    ConnectionLimit {
        /// Connections besides those asked for by hand.
        connections: u32,
        /// Files that the operating system lets it open.
        files: u32,
    }
    in All;
    "0.16?.." "src/init.cpp:1446@31.99": "Using at most %i automatic connections (%i file descriptors available)" (connections, files);
}

message! {
    /// How much memory the cache of the UTXO set may take.
    CacheLimit {
        /// In MiB.
        utxo_mib: f64,
        /// What it may take of the mempool's memory in MiB while that is not used.
        mempool_mib: f64,
    }
    in All;
    "0.19?.." "src/init.cpp:1331@31.99": "* Using %.1f MiB for in-memory UTXO set (plus up to %.1f MiB of unused mempool space)" (utxo_mib, mempool_mib);
}

message! {
    /// How many threads verify scripts besides the one that connects blocks.
    ScriptThreads {
        /// Their number.
        threads: u32,
    }
    in All;
    "0.20.." "src/checkqueue.h:147@31.99": "Script verification uses %d additional threads" (threads);
}

message! {
    /// The blocks before this one count as having valid scripts (`-assumevalid`).
    AssumedValid {
        /// The block.
        block: BlockHash,
    }
    in All;
    "0.16?.." "src/node/chainstate.cpp:155@31.99": "Assuming ancestors of block %s have valid signatures." (block);
}

message! {
    /// All scripts are verified (`-assumevalid=0`).
    NothingAssumedValid {}
    in All;
    "0.16?.." "src/node/chainstate.cpp:157@31.99": "Validating signatures for all blocks." ();
}

message! {
    /// The least work of a chain that the node takes for the real one.
    MinimumWork<'a> {
        /// As hexadecimal digits.
        work: Word<'a>,
    }
    in All;
    "0.16?.." "src/node/chainstate.cpp:159@31.99": "Setting nMinimumChainWork=%s" (work);
}

message! {
    /// The node deletes old blocks when they take more than this.
    PruneTarget {
        /// In MiB.
        mib: u64,
    }
    in All;
    "0.19?.." "src/node/chainstate.cpp:166@31.99": "Prune configured to target %u MiB on disk for block and undo files." (mib);
}

message! {
    /// The block index is in memory.
    BlockIndexSize {
        /// Headers in it.
        headers: u64,
    }
    in All;
    "0.19?.." "src/init.cpp:2085@31.99": "block tree size = %u" (headers);
}

message! {
    /// Block index and UTXO set are loaded.
    BlockIndexLoaded {}
    in All;
    "29.." "src/init.cpp:1419@31.99": "Block index and chainstate loaded" ();
}

message! {
    /// A chain is loaded: the active one, or that of a snapshot.
    ChainstateLoading<'a> {
        /// Which, and where it ends.
        chainstate: &'a [u8],
    }
    in All;
    "25.." "src/node/chainstate.cpp:87@31.99": "Initializing chainstate %s" (chainstate);
}

message! {
    /// The height at which a run begins.
    StartHeight {
        /// Of the active chain, -1 before the first block.
        height: i64,
    }
    in All;
    "0.16?.." "src/init.cpp:2098@31.99": "nBestHeight = %d" (height);
}

message! {
    /// The active chain of the run before is loaded.
    ChainLoaded<'a> {
        /// Its last block.
        block: BlockHash,
        /// Its height.
        height: u32,
        /// The block's own time.
        date: &'a [u8],
        /// The node's estimate of how much of the chain this is, from 0 to 1.
        progress: f64,
    }
    in All;
    "0.16?.." "src/validation.cpp:4570@31.99": "Loaded best chain: hashBestChain=%s height=%d date=%s progress=%f" (block, height, date, progress);
}

message! {
    /// Something was done wrong by the operator, or went wrong at the start, and the node tells it on the console
    /// too. Later the text stands alone.
    ConsoleMessage<'a> {
        /// What is wrong.
        text: &'a [u8],
    }
    in All;
    "0.16?..=26?" "src/noui.cpp:43@v26.0": "Error: %s" (text);
    "0.16?..=26?" "src/noui.cpp:43@v26.0": "Warning: %s" (text);
}

message! {
    /// The node cannot go on and stops.
    FatalError<'a> {
        /// Why.
        reason: &'a [u8],
    }
    in All;
    "32?.." "src/node/abort.cpp:22@31.99": "A fatal internal error occurred, see %s for details: %s" (_, reason);
    "0.16?..=26?" "src/node/abort.cpp:22@v26.0": "*** %s" (reason);
}

message! {
    /// The disk is nearly full, and the node stops.
    DiskFull {}
    in All;
    "26.." "src/init.cpp:1473@31.99": "Shutting down due to lack of disk space!" ();
}

message! {
    /// There is no memory left, and the node ends at once.
    MemoryFull {}
    in All;
    "29?.." "src/init.cpp:881@31.99": "Out of memory. Terminating." ();
    "0.16?..=26?" "src/init.cpp:802@v26.0": "Error: Out of memory. Terminating." ();
}

message! {
    /// A thread pool for RPC is started.
    RpcThreads {
        /// Threads in it.
        threads: u32,
    }
    in All;
    "29?.." "src/httpserver.cpp:441@31.99": "Starting HTTP server with %d worker threads" (threads);
    "0.16?..=23" "src/httpserver.cpp:428@v23.2": "HTTP: starting %d worker threads" (threads);
}

message! {
    /// An RPC call was refused because too many wait.
    RpcQueueFull {}
    in All;
    "31?.." "src/httpserver.cpp:256@31.99":
        "Request rejected because http work queue depth exceeded, it can be increased with the -rpcworkqueue= setting" ();
    "0.16?..=30?" "src/httpserver.cpp:333@29.99":
        "WARNING: request rejected because http work queue depth exceeded, it can be increased with the -rpcworkqueue= setting" ();
}

message! {
    /// Lines are never left out (`-logratelimit=0`).
    LogUnlimited {}
    in All;
    "31?.." "src/init.cpp:1486@31.99": "Log rate limiting disabled" ();
}

message! {
    /// One source location has written so much that its lines are left out until the window ends. Debug categories
    /// and `UpdateTip` are never left out.
    LogSuppressed<'a> {
        /// The file of the location.
        file: Word<'a>,
        /// The line in it.
        line: u32,
        /// The function around it.
        function: &'a [u8],
    }
    in All
    => |message, at| {
        let at = at?.on_agent_clock();
        let (file, line) = (text(message.file.0), message.line);
        let reason = format!("the node logs no more lines of `{file}:{line}` until its window ends");
        Some(Kind::Gap(Gap { source: Source::Log, from: Some(at), to: at, lost: None, reason }))
    };
    "29.1.." "src/logging.cpp:470@31.99":
        "Excessive logging detected from %s:%d (%s): >%d bytes logged during the last time window of %is. Suppressing logging to disk from this source location until time window resets. Console logging unaffected. Last log entry."
        (file, line, function, _, _);
}

message! {
    /// A window ended in which lines of one source location were left out.
    LogResumed<'a> {
        /// The file of the location.
        file: Word<'a>,
        /// The line in it.
        line: u32,
        /// The function around it.
        function: &'a [u8],
        /// Bytes that were left out.
        bytes: u64,
        /// Length of the window in seconds.
        window: u32,
    }
    in All
    => |message, at| {
        let to = at?.on_agent_clock();
        let from = to.plus_micros(-1_000_000 * i64::from(message.window));
        let (file, line, bytes) = (text(message.file.0), message.line, message.bytes);
        let reason = format!("the node left out {bytes} bytes of lines of `{file}:{line}`");
        Some(Kind::Gap(Gap { source: Source::Log, from: Some(from), to, lost: None, reason }))
    };
    "29.1.." "src/logging.cpp:566@31.99":
        "Restarting logging from %s:%d (%s): %d bytes were dropped during the last %ss."
        (file, line, function, bytes, window);
}
