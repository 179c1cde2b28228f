//! Lines of wallets.

use crate::{Category, Line};

/// How lines of a wallet begin, for wallets whose name imitates a category and so is taken for one (`src/wallet/wallet.cpp`,
/// `scriptpubkeyman.cpp`, `spend.cpp`, `walletdb.cpp`, all `@v30`; the first words of older versions among them). The dumps of
/// transactions are those of `CommitTransaction`, whose lines have no time (`CTransaction::ToString`,
/// `src/primitives/transaction.cpp@v30`).
const BEGINNINGS: &[&[u8]] = &[
    b"AddToWallet",
    b"AddWatchOnly",
    b"AvailableCoins",
    b"CommitTransaction",
    b"Descriptors:",
    b"Encrypting",
    b"Fee Calculation",
    b"Fee needed",
    b"Legacy ",
    b"MarkConflicted",
    b"Releasing ",
    b"ResubmitWalletTransactions",
    b"Rescan ",
    b"Scanning ",
    b"SelectCoins",
    b"SetBestBlock",
    b"Setting minversion",
    b"Skipping ",
    b"SpendMoney",
    b"Still rescanning",
    b"Submitting wtx",
    b"Transaction ",
    b"keypool",
    b"m_address_book",
    b"mapWallet",
    b"nKeys",
    b"setKeyPool",
    b"setExternalKeyPool",
    b"total change",
    b"CTransaction(",
    b"CTxIn(",
    b"CTxOut(",
    b"CScriptWitness(",
    b"coin selection",
];

/// What stands in brackets before a message and is a chainstate's word for itself (`UpdateTipLog` and `FlushSnapshotToDisk`,
/// `src/validation.cpp@v30`; `ChainstateRole`, `src/kernel/chain.cpp@v30`), unless a wallet is called so.
const CHAINSTATES: &[&[u8]] =
    &[b"[snapshot] ", b"[background validation] ", b"[normal] ", b"[background] ", b"[assumedvalid] "];

/// RPC methods of wallets that do not say so in their name (`GetWalletRPCCommands`, `src/wallet/rpc/wallet.cpp@v30`, and those of older
/// versions). With `-debug=rpc` the node logs the name of each method that is called (`src/rpc/request.cpp@v30`).
const METHODS: &[&[u8]] = &[
    b"abandontransaction",
    b"abortrescan",
    b"addmultisigaddress",
    b"addwitnessaddress",
    b"bumpfee",
    b"dumpprivkey",
    b"fundrawtransaction",
    b"getaccount",
    b"getaccountaddress",
    b"getaddressesbyaccount",
    b"getaddressesbylabel",
    b"getaddressinfo",
    b"getbalance",
    b"getbalances",
    b"gethdkeys",
    b"getnewaddress",
    b"getrawchangeaddress",
    b"getreceivedbyaccount",
    b"getreceivedbyaddress",
    b"getreceivedbylabel",
    b"gettransaction",
    b"getunconfirmedbalance",
    b"importaddress",
    b"importdescriptors",
    b"importmulti",
    b"importprivkey",
    b"importprunedfunds",
    b"importpubkey",
    b"keypoolrefill",
    b"listaccounts",
    b"listaddressgroupings",
    b"listdescriptors",
    b"listlabels",
    b"listlockunspent",
    b"listreceivedbyaccount",
    b"listreceivedbyaddress",
    b"listreceivedbylabel",
    b"listsinceblock",
    b"listtransactions",
    b"listunspent",
    b"lockunspent",
    b"move",
    b"newkeypool",
    b"psbtbumpfee",
    b"removeprunedfunds",
    b"rescanblockchain",
    b"send",
    b"sendall",
    b"sendfrom",
    b"sendmany",
    b"sendtoaddress",
    b"setaccount",
    b"sethdseed",
    b"setlabel",
    b"settxfee",
    b"signmessage",
    b"simulaterawtransaction",
];

/// Whether a line is a wallet's or tells of one. A line without a time continues the line before it, and is a wallet's if that is.
pub fn is_wallets(line: &Line<'_>) -> bool {
    if matches!(line.category, Some(Category::WalletDb | Category::SelectCoins | Category::Scan)) {
        return true;
    }
    let text = line.text.trim_ascii_start();
    let text = CHAINSTATES.iter().find_map(|word| text.strip_prefix(*word)).unwrap_or(text);
    // A name in front may have been taken for one of these. Without one, only the dumps of a wallet's transactions begin so.
    let may_begin = text.len() < line.text.len()
        || line.category.is_some()
        || line.level.is_some()
        || line.thread.is_some()
        || line.time.is_none();
    text.starts_with(b"[")
        || may_begin && begins_as_wallets(text)
        || names_wallet(line.text)
        || calls_wallet(text)
}

fn begins_as_wallets(text: &[u8]) -> bool {
    BEGINNINGS.iter().any(|beginning| text.starts_with(beginning))
}

fn calls_wallet(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(b"ThreadRPCServer method=") else { return false };
    let method = rest.split(|byte| !byte.is_ascii_alphanumeric()).next().unwrap_or_default();
    METHODS.contains(&method)
}

fn names_wallet(text: &[u8]) -> bool {
    const REST: &[u8] = b"allet";
    let is_rest = |place: usize| {
        let rest = text.get(place + 1..place + 1 + REST.len());
        rest.is_some_and(|rest| rest.eq_ignore_ascii_case(REST))
    };
    memchr::memchr2_iter(b'w', b'W', text).any(is_rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_wallets(line: &str) -> bool {
        super::is_wallets(&Line::parse(line.as_bytes()))
    }

    #[test]
    fn a_line_of_a_wallet_is_known_whatever_the_wallets_name() {
        for name in [
            "default wallet",
            "w",
            "net",
            "error",
            "all:info",
            "",
            "snapshots",
            "snapshot",
            "normal",
            "my [bracket] name",
            "msghand",
        ] {
            for text in
                ["AddToWallet aa  new", "keypool reserve 1", "Fee Calculation: Fee:100", "CommitTransaction:"]
            {
                assert!(is_wallets(&format!("2026-11-26T05:13:04Z [{name}] {text}")), "[{name}] {text}");
                assert!(
                    is_wallets(&format!("2026-11-26T05:13:04Z [httpworker.1] [{name}] {text}")),
                    "[{name}] {text}"
                );
            }
        }
    }

    #[test]
    fn what_tells_of_a_wallet_is_a_wallets() {
        for line in [
            "2026-11-26T05:13:04Z [walletdb] DB: something",
            "2026-11-26T05:13:04Z [selectcoins] Upper bound 1",
            "2026-11-26T05:13:04Z [http] Received a POST request for /wallet/savings from 127.0.0.1:5",
            "2026-11-26T05:13:04Z init message: Loading WALLET…",
            "2026-11-26T05:13:04Z [rpc] ThreadRPCServer method=sendtoaddress user=__cookie__",
            "2026-11-26T05:13:04Z ThreadRPCServer method=send",
            "2026-11-26T05:13:04Z Command-line arg: wallet=\"savings\"",
            "CTransaction(hash=aa, ver=2, vin.size=1, vout.size=2, nLockTime=0)",
            "    CTxOut(nValue=1.00000000, scriptPubKey=0014)",
        ] {
            assert!(is_wallets(line), "{line}");
        }
    }

    #[test]
    fn no_message_that_is_read_for_its_own_sake_is_taken_for_a_wallets() {
        let names_itself = |wording: &&crate::message::Wording| wording.format.starts_with("[%s] ");
        for wording in crate::message::WORDINGS.iter().filter(|wording| !names_itself(wording)) {
            let text = wording.rendered();
            for label in wording.categories.iter().map(|category| format!("[{}] ", category.as_str())) {
                let line = format!("2026-11-26T05:13:04Z {label}{text}");
                assert!(!is_wallets(&line) || text.contains("allet"), "{line}");
            }
        }
    }

    #[test]
    fn other_lines_are_not() {
        for line in [
            "",
            "2026-11-26T05:13:04Z UpdateTip: new best=aa height=1",
            "2026-11-26T05:13:04Z [background validation] UpdateTip: new best=aa height=1",
            "2026-11-26T05:13:04Z [snapshot] done",
            "2026-11-26T05:13:04Z [prune] [normal] target=550MiB actual=1MiB diff=1MiB max_prune_height=1 removed 1 blk/rev pairs",
            "2026-11-26T05:13:04Z [net] received: inv (37 bytes) peer=1",
            "2026-11-26T05:13:04Z Setting NODE_NETWORK",
            "2026-11-26T05:13:04Z [rpc] ThreadRPCServer method=getblockcount user=bmon",
            "2026-11-26T05:13:04Z [validation] TransactionAddedToMempool: txid=aa wtxid=bb",
            "walle",
            "W",
            "w",
        ] {
            assert!(!is_wallets(line), "{line}");
        }
    }
}
