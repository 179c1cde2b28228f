use proptest::prelude::*;

use super::*;
use crate::config::PrivacyConfig;

fn shaper(origin: Origin) -> Shaper {
    let dir = tempfile::tempdir().unwrap();
    let privacy = PrivacyConfig { key_file: dir.path().join("key"), peer_addresses: false };
    Shaper {
        origin,
        labels: vec![("node", "alice".to_owned()), ("network", "regtest".to_owned())],
        privacy: Privacy::open(&privacy).unwrap(),
        line_max_bytes: 1_000,
        past: Past::default(),
        tally: Tally::default(),
    }
}

/// Labels, time and text of each entry.
fn shape(shaper: &mut Shaper, lines: &str) -> Vec<(String, i64, String)> {
    let mut batch = Batch::default();
    shaper.shape(lines.as_bytes(), &mut batch);
    let mut all = Vec::new();
    for Labelled { stream, .. } in batch.take().streams {
        all.extend(
            stream.entries.iter().map(|entry| (stream.labels.clone(), entry.nanos(), entry.line.clone())),
        );
    }
    all.sort_by_key(|(_, nanos, _)| *nanos);
    all
}

const SECOND: i64 = 1_000_000_000;
/// 2026-11-26T05:13:04Z.
const T: i64 = 1_795_669_984 * SECOND;

#[test]
fn labels_tell_node_network_version_category_and_level() {
    let mut shaper = shaper(Origin::DebugLog);
    let lines = "\n\n2026-11-26T05:13:04.000001Z Bitcoin Core version v30.0.0 (release build)\n\
                 2026-11-26T05:13:04.000002Z [net] received: inv (37 bytes) peer=1\n\
                 2026-11-26T05:13:04.000003Z [net:error] bad\n\
                 2026-11-26T05:13:04.000004Z [warning] odd\n\
                 2026-11-26T05:13:04.000005Z ERROR: old words\n";
    let entries = shape(&mut shaper, lines);
    let labels: Vec<_> = entries.iter().skip(2).map(|(labels, ..)| labels.as_str()).collect();
    let with = |rest: &str| {
        format!(
            "{{node=\"alice\", network=\"regtest\", source=\"debug.log\", version=\"Bitcoin Core v30.0.0\", {rest}}}"
        )
    };
    assert_eq!(
        labels,
        [
            with("level=\"info\""),
            with("level=\"debug\", category=\"net\""),
            with("level=\"error\", category=\"net\""),
            with("level=\"warning\""),
            with("level=\"error\""),
        ]
    );
    assert!(
        entries[0].0.contains("version=\"unknown\""),
        "before the banner nothing tells it: {}",
        entries[0].0
    );
    let times: Vec<_> = entries.iter().map(|(_, nanos, _)| nanos - T).collect();
    assert_eq!(times, [1_000, 1_001, 1_002, 2_000, 3_000, 4_000, 5_000]);
}

#[test]
fn a_peer_cannot_make_a_banner() {
    let mut shaper = shaper(Origin::DebugLog);
    let lines = "2026-11-26T05:13:04Z [net] receive version message: Bitcoin Core version v99.0.0 (x): version 70016, blocks=1\n";
    shape(&mut shaper, lines);
    assert_eq!(shaper.past.version, None);
}

#[test]
fn lines_without_a_time_continue_the_one_before() {
    let mut shaper = shaper(Origin::DebugLog);
    let lines = "2026-11-26T05:13:04Z [net] one\ntwo\n  three\n2026-11-26T05:13:04Z four\n";
    let entries = shape(&mut shaper, lines);
    assert_eq!(
        entries.iter().map(|(_, nanos, line)| (nanos - T, line.as_str())).collect::<Vec<_>>(),
        [(0, "2026-11-26T05:13:04Z [net] one"), (1, "two"), (2, "  three"), (3, "2026-11-26T05:13:04Z four"),]
    );
    assert_eq!(entries[0].0, entries[2].0);
    assert_ne!(entries[0].0, entries[3].0);
}

#[test]
fn a_wallets_lines_stay_and_so_do_those_that_continue_them() {
    let mut shaper = shaper(Origin::DebugLog);
    let lines = "2026-11-26T05:13:04Z one\n\
                 2026-11-26T05:13:04Z [savings] CommitTransaction:\n\
                 CTransaction(hash=aa)\n    CTxOut(nValue=1.00000000)\n\n\
                 2026-11-26T05:13:04Z two\n\
                 CTransaction(hash=bb)\n\
                 2026-11-26T05:13:04Z three\n";
    let entries = shape(&mut shaper, lines);
    let lines: Vec<_> =
        entries.iter().map(|(_, nanos, line)| (nanos - T, line.rsplit(' ').next().unwrap())).collect();
    assert_eq!(lines, [(0, "one"), (5, "two"), (7, "three")]);
    assert_eq!(shaper.tally.withheld, 5);
}

#[test]
fn hashes_of_a_message_are_structured_metadata() {
    let mut shaper = shaper(Origin::DebugLog);
    let hash = "00000000000000000002a7c4c1e48d76c5a37902165a270156b7a8d72728a054";
    let lines = format!(
        "2026-11-26T05:13:04Z Saw new header hash={hash} height=5 peer=1\n\
         2026-11-26T05:13:04Z [net] Requesting wtx {hash} peer=3\n\
         2026-11-26T05:13:04Z [validation] TransactionAddedToMempool: txid={hash} wtxid={hash}\n\
         2026-11-26T05:13:04Z [net] receive version message: {hash}: version 70016, blocks=1, us=127.0.0.1:1, peer=3\n"
    );
    let mut batch = Batch::default();
    shaper.shape(lines.as_bytes(), &mut batch);
    let mut told: Vec<_> =
        batch.take().streams.into_iter().flat_map(|labelled| labelled.stream.entries).collect();
    told.sort_by_key(Entry::nanos);
    let names = |entry: &Entry| {
        assert!(entry.structured_metadata.iter().all(|pair| pair.value == hash));
        entry.structured_metadata.iter().map(|pair| pair.name.clone()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(told.iter().map(names).collect::<Vec<_>>(), ["block_hash", "wtxid", "txid", ""]);
}

#[test]
fn an_over_long_line_is_cut_and_marked_and_what_is_not_text_replaced() {
    let mut shaper = shaper(Origin::DebugLog);
    let long = format!("2026-11-26T05:13:04Z {}", "\u{e9}".repeat(1_000));
    let entries = shape(&mut shaper, &format!("{long}\n2026-11-26T05:13:04Z short\n"));
    let (kept, mark) = entries[0].2.split_once(" … [").unwrap();
    assert!(long.starts_with(kept) && entries[0].2.len() <= 1_000, "{}", entries[0].2.len());
    assert_eq!(mark, format!("{} bytes cut by bmon]", long.len() - kept.len()));
    assert_eq!(shaper.tally.cut, 1);
    let mut batch = Batch::default();
    shaper.shape(b"2026-11-26T05:13:04Z a\xffb\n", &mut batch);
    assert_eq!(batch.take().streams[0].stream.entries[0].line, "2026-11-26T05:13:04Z a\u{fffd}b");
}

#[test]
fn a_log_without_times_gets_them_when_it_is_read() {
    let mut shaper = shaper(Origin::Stderr);
    let lines = "Error: Cannot obtain a lock on directory\n[savings] not a wallet's name here?\n\n";
    assert!(shaper.past.needs_time(lines.as_bytes()));
    shaper.past.set_time(AgentTime::from_micros(5_000_001));
    let entries = shape(&mut shaper, lines);
    assert_eq!(
        entries.iter().map(|(_, nanos, _)| *nanos).collect::<Vec<_>>(),
        [5_000_001_000, 5_000_001_002]
    );
    assert!(entries[0].0.contains("level=\"error\"") && entries[0].0.contains("source=\"stderr\""));
    assert!(!shaper.past.needs_time(b"\n2026-11-26T05:13:04Z line\n"));
}

#[test]
fn the_agents_own_lines_have_its_levels() {
    let mut shaper = shaper(Origin::Bmon);
    let lines = "2026-11-26T05:13:04.000001Z  WARN bmon_agent: a wallet is no concern here\n\
                 2026-11-26T05:13:04.000002Z  INFO bmon_agent: from 198.51.100.7:1\n";
    let entries = shape(&mut shaper, lines);
    assert!(entries[0].0.contains("level=\"warning\"") && entries[1].0.contains("level=\"info\""));
    assert!(entries[1].2.contains("from ipv4:"));
}

fn line() -> impl Strategy<Value = String> {
    let stamp = prop_oneof![
        4 => (0..4_u32).prop_map(|us| format!("2026-11-26T05:13:04.00000{us}Z ")),
        1 => Just("2026-11-26T05:13:04Z ".to_owned()),
        1 => Just(String::new()),
    ];
    let text = prop_oneof![
        Just("UpdateTip: x"),
        Just("[net] y"),
        Just("[w] AddToWallet"),
        Just("Bitcoin Core version v30.0.0 (release build)"),
        Just(""),
        Just("from 198.51.100.7:1")
    ];
    (stamp, text).prop_map(|(stamp, text)| format!("{stamp}{text}\n"))
}

proptest! {
    /// What is read again after a restart, from any place and cut anywhere else, gives the entries that it gave.
    #[test]
    fn entries_are_a_function_of_place_and_lines(
        lines in prop::collection::vec(line(), 1..40),
        cut in any::<prop::sample::Index>(),
        again in any::<prop::sample::Index>(),
    ) {
        let mut first = shaper(Origin::DebugLog);
        first.past.set_time(AgentTime::from_micros(1));
        let cut = cut.index(lines.len());
        let mut whole = shape(&mut first, &lines[..cut].concat());
        let written = serde_json::to_vec(&first.past).unwrap();
        let rest = shape(&mut first, &lines[cut..].concat());
        let mut second = shaper(Origin::DebugLog);
        second.privacy = first.privacy.clone();
        second.past = serde_json::from_slice(&written).unwrap();
        let again = cut + again.index(lines.len() - cut);
        let mut told = shape(&mut second, &lines[cut..again].concat());
        told.extend(shape(&mut second, &lines[again..].concat()));
        told.sort_by_key(|(_, nanos, _)| *nanos);
        prop_assert_eq!(&told, &rest);
        whole.extend(rest);
        let mut seen = std::collections::HashSet::new();
        prop_assert!(whole.iter().all(|(_, nanos, _)| seen.insert(*nanos)), "each has a time of its own");
    }
}
