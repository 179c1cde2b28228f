//! The list of all messages. The order decides between wordings that begin alike: the first that reads a text has it.

use bmon_event::{Kind, NodeTime};

use super::Wording;
use crate::{category, mention::Mention};

/// Makes [`Message`] and the list of all wordings of the messages named.
macro_rules! messages {
    ($($file:ident { $($name:ident $(<$lt:lifetime>)?,)+ })+) => {
        /// A message that this crate knows.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub enum Message<'a> {
            $($(
                #[doc = concat!("See [`category::", stringify!($file), "::", stringify!($name), "`].")]
                $name(category::$file::$name $(<$lt>)?),
            )+)+
        }

        impl Message<'_> {
            /// The event it becomes, `None` when it becomes none. `at` is the time of its line.
            pub fn to_kind(&self, at: Option<NodeTime>) -> Option<Kind> {
                match self { $($(Self::$name(message) => message.to_kind(at),)+)+ }
            }

            /// Gives the hashes that its fields tell.
            pub fn mentions(&self, each: &mut dyn FnMut(Mention)) {
                match self { $($(Self::$name(message) => message.mentions(each),)+)+ }
            }

            /// Its name: the name of its type in [`category`].
            pub const fn name(&self) -> &'static str {
                match self { $($(Self::$name(_) => stringify!($name),)+)+ }
            }

            /// The names of all messages.
            pub const NAMES: &'static [&'static str] = &[$($(stringify!($name),)+)+];

            /// Its place in [`Message::NAMES`].
            #[inline]
            pub const fn index(&self) -> usize {
                match self { $($(Self::$name(_) => Place::$name as usize,)+)+ }
            }
        }

        /// The messages without what they say.
        enum Place { $($($name,)+)+ }

        /// The wordings of every message, in the order in which they are tried.
        pub(crate) const DECLARED: &[&[Wording]] = &[$($(category::$file::$name::WORDINGS,)+)+];
    };
}

messages! {
    node {
        NodeStarted<'a>,
        NodeStopping,
        NodeStopped,
        DataDirectory<'a>,
        Setting<'a>,
        StartStep<'a>,
        ConnectionLimit,
        CacheLimit,
        ScriptThreads,
        AssumedValid,
        NothingAssumedValid,
        MinimumWork<'a>,
        PruneTarget,
        BlockIndexSize,
        BlockIndexLoaded,
        ChainstateLoading<'a>,
        StartHeight,
        ChainLoaded<'a>,
        FatalError<'a>,
        DiskFull,
        MemoryFull,
        RpcThreads,
        RpcQueueFull,
        LogUnlimited,
        LogSuppressed<'a>,
        LogResumed<'a>,
    }
    header {
        HeaderSeen,
        CompactHeaderSeen,
        HeadersProgress,
        HeadersPresyncProgress,
        HeadersRequested<'a>,
        InitialHeadersRequest,
        MoreHeadersRequest,
        HeadersRequestForBlock,
        HeaderUnconnected,
        LowWorkHeadersIgnored,
        HeadersSyncStarted,
        HeadersSyncTransition,
        HeadersSyncComplete,
        HeadersSyncAborted<'a>,
    }
    chain {
        UpdateTip,
        InvalidChainFound,
        ConnectTipFailed<'a>,
        AcceptBlockFailed<'a>,
        BackgroundTip,
        InvalidChainBest,
        BlockRefused<'a>,
        BlockValidationError<'a>,
        ActivationFailed<'a>,
        DisconnectFailed,
        InvalidChainLonger,
        ForkFound,
        InitialDownloadLeft,
        StaleTip,
        BlockTimeout,
        ScriptsVerified<'a>,
        ScriptsAssumedValid,
        TemplateMade,
    }
    storage {
        ReindexFile,
        ReindexFinished,
        ImportFile<'a>,
        FileImported,
        LastBlockFile,
        BlockFileFull<'a>,
        BlocksPruned,
        PrunedByHand,
        LargeFlush,
        CacheFull,
        CacheResized<'a>,
        DatabaseOpening<'a>,
        DatabaseOpened,
        DatabaseWiped<'a>,
        DatabaseUnreadable<'a>,
        CoinsInconsistent,
        BlockUnreadable<'a>,
        VerificationStarted,
        VerificationProgress,
        VerificationPassed,
        VerificationFailed<'a>,
        ReplayStarted,
        RollingBack,
        RollingForward,
        MempoolLoading,
        MempoolLoadProgress,
        MempoolLoaded,
        MempoolNotLoaded,
        MempoolDumping,
        UnbroadcastDumping,
        MempoolDumped,
    }
    index {
        IndexSyncing<'a>,
        IndexEnabled<'a>,
        IndexCatchingUp<'a>,
        IndexForked,
        IndexCorrupted<'a>,
        IndexNotWritten<'a>,
        IndexBlockUnreadable,
        IndexParentUnexpected<'a>,
        SnapshotLoading,
        SnapshotProgress,
        SnapshotLoaded,
        SnapshotActivated,
        SnapshotValidated,
        SnapshotMismatch<'a>,
    }
    connection {
        PeerConnected<'a>,
        VersionReceived<'a>,
        VersionSent,
        ConnectionAdded,
        ConnectionForgotten,
        ConnectionAttempt<'a>,
        ConnectionAccepted<'a>,
        ConnectionRefused<'a>,
        ConnectionsFull,
        PeerEvicted<'a>,
        SocketClosed,
        SocketReceiveError<'a>,
        SocketSendError<'a>,
        SocketTimeout<'a>,
        PingTimeout,
        DisconnectedOnPurpose,
        SocketReset,
        Misbehaving<'a>,
        PeerDiscouraged,
        PeerNotPunished,
        MisbehaviourTolerated<'a>,
        ConnectedToSelf<'a>,
        PeerStalling,
        HeadersTimeout,
        PeerChainOld<'a>,
        PeerChainWeak,
        ExtraPeerDropped,
        LocalPeerDropped,
        NetworkActive,
        Bound<'a>,
        ExtraPeerWanted,
        HandshakeStarted,
    }
    validation {
        TransactionAddedToMempool,
        TransactionRemovedFromMempool<'a>,
        BlockChecked<'a>,
        BlockConnected,
        BlockDisconnected,
        NewPowValidBlock,
        ActiveTipChange,
        UpdatedBlockTip,
        MempoolRemovedForBlock,
        ChainstateFlushed,
        ToldTransactionAdded,
        ToldTransactionRemoved,
        ToldBlockConnected,
        ToldBlockDisconnected,
        ToldUpdatedBlockTip,
        ToldMempoolRemovedForBlock,
        ToldChainstateFlushed,
        MarkedInvalid,
        ParentUnknown,
        ParentInvalid,
        HeaderRefused<'a>,
        BlockMutated<'a>,
        TemplateValid,
    }
    mempool {
        AcceptToMemoryPool,
        MempoolReplaced,
        MempoolReplacedByPackage,
        MempoolReplacedSummary<'a>,
        MempoolTrimmed<'a>,
        MempoolExpired,
        Broadcast,
        MempoolChecked,
        OrphanRefused,
        Prioritised<'a>,
        ForceRelayed,
    }
    mempoolrej {
        NotAccepted<'a>,
    }
    txpackages {
        OrphanStored,
        OrphanAccepted,
        OrphanInvalid<'a>,
        OrphanRemoved,
        OrphanTooLarge,
        OrphansOverflow,
        OrphanQueued,
        PackageEvaluated<'a>,
        PackageReplacementPassed,
        ParentTooCheap,
    }
    net {
        BlockReceived,
        MessageReceived<'a>,
        MessageSent<'a>,
        CompactBlockForwarded,
        CompactBlockAnnounced,
        HeaderAnnounced,
        HeadersAnnounced,
        BlockAnnounced,
        BlockRequested,
        DirectFetch,
        LargeReorgNotFetched,
        TransactionRequested<'a>,
        TransactionTimeout<'a>,
        InventoryReceived<'a>,
        DataRequestReceived,
        DataRequested<'a>,
        LowWorkCompactBlockIgnored,
        MutatedBlock,
        CompactBlockInFlight,
        UnexpectedBlockTransactions,
        ReconstructionFailed,
        FeeFilterReceived,
        AddressesReceived,
        UnknownMessage<'a>,
        PongMismatch<'a>,
        StallStarted,
        StallTimeoutIncreased,
        StallTimeoutDecreased,
        StaleBlockAnnounced,
    }
    cmpctblock {
        BlockReconstructed,
        CompactBlockInitializing,
        CompactBlockInitialized,
        ReconstructionRequired,
        BlockTransactionsSent,
    }
    bench {
        LoadBlock,
        CachedBlock,
        SanityChecks,
        ForkChecks,
        ConnectTransactions,
        VerifyInputs,
        WriteUndo,
        WriteIndex,
        ConnectTotal,
        FlushView,
        WriteChainstate,
        ConnectPostprocess,
        ConnectBlock,
        DisconnectBlock,
        TemplateTime,
        FlushStep<'a>,
        FlushStepDone<'a>,
    }
    disk {
        CoinsCommitted,
        ChainstateWriting<'a>,
        Pruned,
        BlockFileDeleted,
        ImportedAlready,
        ImportedOutOfOrder,
        EstimatesUpdated,
        EstimatesFlushed<'a>,
        EstimatesForgotten,
        CoinsWriting,
        PruneLockMoved<'a>,
    }
    rpc {
        RpcCalled<'a>,
        HttpRequest<'a>,
        ZmqBlock<'a>,
        ZmqBlockConnected,
        ZmqBlockDisconnected,
        ZmqTransactionAdded,
        ZmqTransactionRemoved,
        ZmqTransaction,
    }

    // Its wordings begin like others.
    node {
        ConsoleMessage<'a>,
    }
}
