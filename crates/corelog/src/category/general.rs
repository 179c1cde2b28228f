//! Messages without a category: they are written with any settings.

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
    "0.13.." "src/init/common.cpp@v30": "Bitcoin %s version %s" (implementation, version);
    "0.10..=0.12" "src/init.cpp@v0.10": "Bitcoin version %s" (version) { implementation: b"" };
}

message! {
    /// The node began to shut down.
    NodeStopping {}
    in All
    => |_, _| Some(Kind::NodeStopping);
    "31.." "src/init.cpp@master": "Shutdown in progress..." ();
    "0.10..=30" "src/init.cpp@v29": "Shutdown: In progress..." ();
}

message! {
    /// A header was seen for the first time. In initial download it is of the category `validation`. Up to 29 a
    /// compact block's header is told here too, and the message of [`CompactHeaderSeen`] follows.
    HeaderSeen {
        /// The block.
        block: BlockHash,
        /// Its height.
        height: u32,
        /// The peer that sent it, `None` up to 29.
        peer: Option<u64>,
    }
    in All | Validation
    => |message, _| Some(Kind::HeaderSeen {
        block: message.block,
        height: Some(message.height),
        peer: message.peer,
        compact: false,
    });
    "30.." "src/net_processing.cpp@v30": "Saw new header hash=%s height=%d peer=%d" (block, height, peer);
    "25..=29" "src/validation.cpp@v29": "Saw new header hash=%s height=%d" (block, height) { peer: None };
}

message! {
    /// A header was seen for the first time, in a compact block (BIP 152).
    CompactHeaderSeen {
        /// The block.
        block: BlockHash,
        /// Its height, `None` up to 29.
        height: Option<u32>,
        /// The peer that sent it.
        peer: u64,
    }
    in All | Validation
    => |message, _| Some(Kind::HeaderSeen {
        block: message.block,
        height: message.height,
        peer: Some(message.peer),
        compact: true,
    });
    "30.." "src/net_processing.cpp@v30":
        "Saw new cmpctblock header hash=%s height=%d peer=%d" (block, height, peer);
    "24..=29" "src/net_processing.cpp@v29":
        "Saw new cmpctblock header hash=%s peer=%d" (block, peer) { height: None };
}

message! {
    /// The active chain ends in another block than before. In a reorg there is one for each block, with falling
    /// heights while blocks are disconnected. `[background validation] UpdateTip`, of a chain that an assumeutxo
    /// node checks after the fact, is another message.
    UpdateTip {
        /// The last block of the active chain.
        block: BlockHash,
        /// Its height.
        height: u32,
        /// Logarithm to base 2 of the chain's total work.
        log2_work: f64,
        /// Transactions in the chain up to here.
        transactions: u64,
    }
    in All
    => |message, _| Some(Kind::Tip {
        block: message.block,
        height: Some(message.height),
        log2_work: Some(message.log2_work),
        transactions: Some(message.transactions),
    });
    "0.21.." "src/validation.cpp@v30":
        "UpdateTip: new best=%s height=%d version=0x%08x log2_work=%f tx=%lu date='%s' progress=%f cache=%.1fMiB(%utxo)"
        (block, height, _, log2_work, transactions, _, _, _, _);
    "0.15..=0.20" "src/validation.cpp@v0.17":
        "UpdateTip: new best=%s height=%d version=0x%08x log2_work=%.8g tx=%lu date='%s' progress=%f cache=%.1fMiB(%utxo)"
        (block, height, _, log2_work, transactions, _, _, _, _);
    "0.13..=0.14" "src/main.cpp@v0.13":
        "UpdateTip: new best=%s height=%d version=0x%08x log2_work=%.8g tx=%lu date='%s' progress=%f cache=%.1fMiB(%utx)"
        (block, height, _, log2_work, transactions, _, _, _, _);
    "0.11..=0.12" "src/main.cpp@v0.11":
        "UpdateTip: new best=%s  height=%d  log2_work=%.8g  tx=%lu  date=%s progress=%f  cache=%.1fMiB(%utx)"
        (block, height, log2_work, transactions, .., _, _, _);
    "0.10" "src/main.cpp@v0.10":
        "UpdateTip: new best=%s  height=%d  log2_work=%.8g  tx=%lu  date=%s progress=%f  cache=%u"
        (block, height, log2_work, transactions, .., _, _);
}

message! {
    /// A block was found invalid, or made so by RPC `invalidateblock`.
    InvalidChainFound {
        /// The block.
        block: BlockHash,
        /// Its height.
        height: u32,
    }
    in All
    => |message, _| Some(Kind::BlockInvalid {
        block: message.block,
        height: Some(message.height),
        reason: None,
    });
    "31.." "src/validation.cpp@master":
        "InvalidChainFound: invalid block=%s height=%d log2_work=%f date=%s" (block, height, _, _);
    "0.10..=30" "src/validation.cpp@v30":
        "InvalidChainFound: invalid block=%s  height=%d  log2_work=%f  date=%s" (block, height, _, _);
}

message! {
    /// A block could not be connected: it is invalid.
    ConnectTipFailed<'a> {
        /// The block.
        block: BlockHash,
        /// Why, `None` up to 0.14.
        reason: Option<&'a [u8]>,
    }
    in All
    => |message, _| Some(Kind::BlockInvalid {
        block: message.block,
        height: None,
        reason: message.reason.map(text),
    });
    "28.." "src/validation.cpp@v30": "ConnectTip: ConnectBlock %s failed, %s" (block, reason);
    "0.17..=27" "src/validation.cpp@v25": "ERROR: ConnectTip: ConnectBlock %s failed, %s" (block, reason);
    "0.15..=0.16" "src/validation.cpp@v0.16": "ERROR: ConnectTip(): ConnectBlock %s failed, %s" (block, reason);
    "0.11..=0.14" "src/main.cpp@v0.11": "ERROR: ConnectTip(): ConnectBlock %s failed" (block) { reason: None };
    "0.10" "src/main.cpp@v0.10": "ERROR: ConnectTip() : ConnectBlock %s failed" (block) { reason: None };
}

message! {
    /// A block failed the checks made before it is stored. The line does not tell which block.
    AcceptBlockFailed<'a> {
        /// Why, `None` up to 0.14.
        reason: Option<&'a [u8]>,
    }
    in All;
    "28.." "src/validation.cpp@v30": "ProcessNewBlock: AcceptBlock FAILED (%s)" (reason);
    "0.15..=27" "src/validation.cpp@v25": "ERROR: ProcessNewBlock: AcceptBlock FAILED (%s)" (reason);
    "0.11..=0.14" "src/main.cpp@v0.11": "ERROR: ProcessNewBlock: AcceptBlock FAILED" () { reason: None };
    "0.10" "src/main.cpp@v0.10": "ERROR: ProcessNewBlock : AcceptBlock FAILED" () { reason: None };
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
    "29.1.." "src/logging.cpp@v30":
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
    "29.1.." "src/logging.cpp@v30":
        "Restarting logging from %s:%d (%s): %d bytes were dropped during the last %ss."
        (file, line, function, bytes, window);
}
