//! Messages without a category about the active chain and about blocks that do not come to be in it.

use bmon_event::{BlockHash, Kind};

use super::text;
use crate::message::message;

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
    "0.21.." "src/validation.cpp:2868@31.99":
        "UpdateTip: new best=%s height=%d version=0x%08x log2_work=%f tx=%lu date='%s' progress=%f cache=%.1fMiB(%utxo)"
        (block, height, _, log2_work, transactions, _, _, _, _);
    "0.16?..=0.20" "src/validation.cpp:2434@v0.20.2":
        "UpdateTip: new best=%s height=%d version=0x%08x log2_work=%.8g tx=%lu date='%s' progress=%f cache=%.1fMiB(%utxo)"
        (block, height, _, log2_work, transactions, _, _, _, _);
    "0.13..=0.14" "src/main.cpp@v0.13, unconfirmed":
        "UpdateTip: new best=%s height=%d version=0x%08x log2_work=%.8g tx=%lu date='%s' progress=%f cache=%.1fMiB(%utx)"
        (block, height, _, log2_work, transactions, _, _, _, _);
    "0.11..=0.12" "src/main.cpp@v0.11, by copies":
        "UpdateTip: new best=%s  height=%d  log2_work=%.8g  tx=%lu  date=%s progress=%f  cache=%.1fMiB(%utx)"
        (block, height, log2_work, transactions, .., _, _, _);
    "0.10" "src/main.cpp@v0.10, by copies":
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
    "32?.." "src/validation.cpp:1972@31.99":
        "InvalidChainFound: invalid block=%s height=%d log2_work=%f date=%s" (block, height, _, _);
    "0.21..=30?" "src/validation.cpp:1999@30.99":
        "InvalidChainFound: invalid block=%s  height=%d  log2_work=%f  date=%s" (block, height, _, ..);
    "0.16?..=0.20" "src/validation.cpp:1404@v0.20.2":
        "InvalidChainFound: invalid block=%s  height=%d  log2_work=%.8g  date=%s" (block, height, _, ..);
}

message! {
    /// A block could not be connected: it is invalid.
    ConnectTipFailed<'a> {
        /// The block.
        block: BlockHash,
        /// Why, `None` up to 0.17.
        reason: Option<&'a [u8]>,
    }
    in All
    => |message, _| Some(Kind::BlockInvalid {
        block: message.block,
        height: None,
        reason: message.reason.map(text),
    });
    "29?.." "src/validation.cpp:3041@31.99": "ConnectTip: ConnectBlock %s failed, %s" (block, reason);
    "0.19?..=26?" "src/validation.cpp:2915@v26.0": "ERROR: ConnectTip: ConnectBlock %s failed, %s" (block, reason);
    "0.16?..=0.17?" "src/validation.cpp:2451@v0.17.1": "ERROR: ConnectTip(): ConnectBlock %s failed" (block) { reason: None };
    "0.10" "src/main.cpp@v0.10, by copies": "ERROR: ConnectTip() : ConnectBlock %s failed" (block) { reason: None };
}

message! {
    /// A block failed the checks made before it is stored. The line does not tell which block.
    AcceptBlockFailed<'a> {
        /// Why, `None` up to 0.14.
        reason: Option<&'a [u8]>,
    }
    in All;
    "29?.." "src/validation.cpp:4415@31.99": "ProcessNewBlock: AcceptBlock FAILED (%s)" (reason);
    "0.16?..=26?" "src/validation.cpp:4176@v26.0": "ERROR: ProcessNewBlock: AcceptBlock FAILED (%s)" (reason);
    "0.11..=0.14" "src/main.cpp@v0.11, by copies": "ERROR: ProcessNewBlock: AcceptBlock FAILED" () { reason: None };
    "0.10" "src/main.cpp@v0.10, by copies": "ERROR: ProcessNewBlock : AcceptBlock FAILED" () { reason: None };
}

message! {
    /// The chain that an assumeutxo node checks after the fact ends in another block than before.
    BackgroundTip {
        /// The last block of that chain.
        block: BlockHash,
        /// Its height.
        height: u32,
    }
    in All;
    "23.." "src/validation.cpp:2890@31.99":
        "[background validation] UpdateTip: new best=%s height=%d version=0x%08x log2_work=%f tx=%lu date='%s' progress=%f cache=%.1fMiB(%utxo)"
        (block, height, _, _, _, _, _, _, _);
}

message! {
    /// The second line of [`InvalidChainFound`]: where the active chain ends.
    InvalidChainBest {
        /// Its last block.
        block: BlockHash,
        /// Its height.
        height: u32,
    }
    in All;
    "32?.." "src/validation.cpp:1977@31.99": "InvalidChainFound: current best=%s height=%d log2_work=%f date=%s" (block, height, _, ..);
    "0.21..=30?" "src/validation.cpp:2004@30.99": "InvalidChainFound:  current best=%s  height=%d  log2_work=%f  date=%s" (block, height, _, ..);
    "0.16?..=0.20" "src/validation.cpp:1409@v0.20.2": "InvalidChainFound:  current best=%s  height=%d  log2_work=%.8g  date=%s" (block, height, _, ..);
}

message! {
    /// A block was refused when it came. The line does not tell which.
    BlockRefused<'a> {
        /// Why, for example `bad-cb-height, block height mismatch in coinbase`.
        reason: &'a [u8],
    }
    in All;
    "29?.." "src/validation.cpp:4345@31.99": "AcceptBlock: %s" (reason);
    "0.16?..=26?" "src/validation.cpp:4116@v26.0": "ERROR: AcceptBlock: %s" (reason);
}

message! {
    /// A block that is being connected turned out invalid. The line does not tell which; [`ConnectTipFailed`]
    /// follows.
    BlockValidationError<'a> {
        /// Why.
        reason: &'a [u8],
    }
    in All;
    "29?.." "src/validation.cpp:2619@31.99": "Block validation error: %s" (reason);
    "29?.." "src/validation.cpp:2324@31.99": "ConnectBlock: Consensus::CheckBlock: %s" (reason);
    "0.16?..=26?" "src/validation.cpp:2181@v26.0": "ERROR: ConnectBlock: Consensus::CheckBlock: %s" (reason);
}

message! {
    /// The best chain could not be made active.
    ActivationFailed<'a> {
        /// Why.
        reason: &'a [u8],
    }
    in All;
    "29?.." "src/validation.cpp:4424@31.99": "ProcessNewBlock: ActivateBestChain failed (%s)" (reason);
    "0.17..=26?" "src/validation.cpp:4184@v26.0": "ERROR: ProcessNewBlock: ActivateBestChain failed (%s)" (reason);
}

message! {
    /// A block could not be taken from the active chain: the node's data are damaged.
    DisconnectFailed {
        /// The block.
        block: BlockHash,
    }
    in All;
    "29?.." "src/validation.cpp:2947@31.99": "DisconnectTip(): DisconnectBlock %s failed" (block);
    "0.16?..=26?" "src/validation.cpp:2790@v26.0": "ERROR: DisconnectTip(): DisconnectBlock %s failed" (block);
}

message! {
    /// A chain that the node finds invalid is longer than its own by more than six blocks.
    InvalidChainLonger {}
    in All;
    "31?.." "src/validation.cpp:1951@31.99":
        "Found invalid chain more than 6 blocks longer than our best chain. This could be due to database corruption or consensus incompatibility with peers."
        ();
    "0.16?..=30?" "src/validation.cpp:2055@29.99":
        "CheckForkWarningConditions: Warning: Found invalid chain at least ~6 blocks longer than our best chain." ();
}

message! {
    /// There is another valid chain of nearly as much work as the active one. The places of its ends are in the lines
    /// that follow.
    ForkFound {}
    in All;
    "0.16?..=0.21" "src/validation.cpp:1360@v0.21.2": "CheckForkWarningConditions: Warning: Large valid fork found" ();
}

message! {
    /// The node has caught up with its peers. Written once in a run.
    InitialDownloadLeft {}
    in All;
    "0.16?.." "src/validation.cpp:3279@31.99": "Leaving InitialBlockDownload (latching to false)" ();
}

message! {
    /// No block has come for long: the node looks for another peer.
    StaleTip {
        /// Seconds since the last one.
        seconds: u64,
    }
    in All;
    "0.16?.." "src/net_processing.cpp:5333@31.99": "Potential stale tip detected, will try using extra outbound peer (last tip update: %d seconds ago)" (seconds);
}

message! {
    /// A block that was asked for did not come in time, and its peer is dropped.
    BlockTimeout {
        /// The block.
        block: BlockHash,
        /// The peer.
        peer: u64,
    }
    in All;
    "29.." "src/net_processing.cpp:6128@31.99": "Timeout downloading block %s, disconnecting peer=%d" (block, peer);
    "26..=28" "src/net_processing.cpp:5808@28.99": "Timeout downloading block %s from peer=%d%s, disconnecting" (block, peer, _);
    "0.16?..=28" "src/net_processing.cpp:5808@28.99": "Timeout downloading block %s from peer=%d, disconnecting" (block, peer);
}

message! {
    /// From here on scripts are verified.
    ScriptsVerified<'a> {
        /// Height of the block.
        height: u32,
        /// The block.
        block: BlockHash,
        /// Why.
        reason: &'a [u8],
    }
    in All;
    "31?.." "src/validation.cpp:2495@31.99": "Enabling script verification at block #%d (%s): %s." (height, block, reason);
}

message! {
    /// From here on scripts count as valid (`-assumevalid`).
    ScriptsAssumedValid {
        /// Height of the block.
        height: u32,
        /// The block.
        block: BlockHash,
    }
    in All;
    "31?.." "src/validation.cpp:2498@31.99": "Disabling script verification at block #%d (%s)." (height, block);
}

message! {
    /// A block template was made, for RPC `getblocktemplate` or `generate…`.
    TemplateMade {
        /// Its weight (BIP 141).
        weight: u64,
        /// Its transactions without the coinbase.
        transactions: u32,
        /// Their fees in satoshi.
        fees: i64,
        /// The cost of its signature operations.
        sigops: u32,
    }
    in All;
    "0.16?.." "src/node/miner.cpp:215@31.99": "CreateNewBlock(): block weight: %u txs: %u fees: %ld sigops %d" (weight, transactions, fees, sigops);
    "knots 29" "bitcoind@knots-29.4.3":
        "CreateNewBlock(): total size: %u block weight: %u txs: %u fees: %ld sigops %d"
        (_, weight, transactions, fees, sigops);
}
