use bmon_event::Kind;

use super::*;

const BLOCK: &str = "00000000000000000002a7c4c1e48d76c5a37902165a270156b7a8d72728a054";

fn connected(time: &str, height: u32) -> String {
    format!("{time} [validation] Enqueuing BlockConnected: block hash={BLOCK} block height={height}\n")
}

fn read(
    reader: &mut Reader,
    log: &str,
    received_at: Option<AgentTime>,
) -> Vec<(Option<NodeTime>, AgentTime, u32)> {
    let mut events = Vec::new();
    reader.read(log.as_bytes(), received_at, |event| {
        assert_eq!(event.source, Source::Log);
        if let Kind::BlockConnected { height: Some(height), .. } = event.kind {
            events.push((event.node_time, event.agent_time, height));
        }
    });
    events
}

const SECOND: i64 = 1_700_000_000_000_000;
const AT_0: &str = "2023-11-14T22:13:20Z";
const AT_9: &str = "2023-11-14T22:13:29Z";

fn node(us: i64) -> NodeTime {
    NodeTime::from_micros(SECOND + us)
}

#[test]
fn a_replay_takes_the_running_maximum_as_agent_time() {
    let mut reader = Reader::new(0, None);
    let log = [connected(AT_9, 1), connected(AT_0, 2), connected(AT_9, 3)].concat();
    let (early, late) = (node(0), node(9_000_000));
    assert_eq!(
        read(&mut reader, &log, None),
        [
            (Some(late), late.on_agent_clock(), 1),
            (Some(early), late.on_agent_clock(), 2),
            (Some(late), late.on_agent_clock(), 3)
        ]
    );
    let counts = reader.counts();
    assert_eq!(
        (counts.lines, counts.matched, counts.steps_back, counts.largest_step_back_us),
        (3, 3, 1, 9_000_000)
    );
    assert_eq!(counts.messages.iter().collect::<Vec<_>>(), [("BlockConnected", 3)]);
    assert_eq!((counts.messages.get("UpdateTip"), counts.messages.get("Nonsense")), (Some(0), None));
    assert_eq!((reader.offset(), reader.last_line()), (log.len() as u64, Some(late)));
}

#[test]
fn an_agent_stamps_what_it_reads() {
    let mut reader = Reader::new(4096, Some(node(-5)));
    let (log, now) = (connected(AT_0, 1), AgentTime::from_micros(SECOND + 50));
    let (head, tail) = log.split_at(60);
    assert_eq!(read(&mut reader, head, Some(now)), []);
    assert_eq!((reader.offset(), reader.torn()), (4096, 60));
    let later = now.plus_micros(7);
    assert_eq!(read(&mut reader, tail, Some(later)), [(Some(node(0)), later, 1)]);
    assert_eq!(reader.offset(), 4096 + log.len() as u64);
}

#[test]
fn a_continuation_is_no_message_but_a_log_without_times_has_messages() {
    let bare = connected("", 1).trim_start().to_owned();
    let now = Some(AgentTime::from_micros(SECOND));

    let mut reader = Reader::new(0, None);
    assert_eq!(read(&mut reader, &format!("{AT_0} a wallet named\n{bare}"), now), []);
    assert_eq!((reader.counts().without_time, reader.counts().matched), (1, 0));

    let mut timeless = Reader::new(0, None);
    assert_eq!(read(&mut timeless, &bare, now), [(None, AgentTime::from_micros(SECOND), 1)]);
    assert_eq!(read(&mut timeless, &bare, None), []);
    assert_eq!((timeless.counts().matched, timeless.counts().unplaced), (2, 1));
}

#[test]
fn a_run_that_began_before_the_place_is_whole_if_it_is_recalled() {
    const LOG: &str = include_str!("../../tests/data/core-31.99-blocks.log");
    let processed = |reader: &mut Reader, log: &str| {
        let mut processed = Vec::new();
        reader.read(log.as_bytes(), None, |event| {
            if let Kind::BlockProcessed { block, processing, .. } = event.kind {
                processed.push((block, processing));
            }
        });
        processed
    };
    let whole = processed(&mut Reader::new(0, None), LOG);
    assert!(whole.len() == 5 && whole.iter().skip(1).all(|(_, steps)| steps.load_us.is_some()));
    for (place, _) in LOG.match_indices('\n') {
        let (before, after) = LOG.split_at(place + 1);
        let mut first = Reader::new(0, None);
        let mut both = processed(&mut first, before);
        let mut second = Reader::new(first.offset(), first.last_line());
        second.recall(&before.as_bytes()[before.len().saturating_sub(20_000)..]);
        assert_eq!(second.counts(), &Counts::default());
        both.extend(processed(&mut second, after));
        let mut interrupted = first;
        interrupted.interrupt();
        let rest = processed(&mut interrupted, after);
        assert!(rest.iter().all(|told| whole.contains(told) || told.1.load_us.is_none()));
        // What is recalled begins within a line, which may be of the first run.
        assert_eq!(both[1..], whole[1..], "cut after {place} bytes");
    }
}

/// The events of a log about how a block came: the peer, and sizes, that each tells.
fn relay(reader: &mut Reader, log: &str) -> Vec<(&'static str, Option<u64>, Option<u64>)> {
    let mut told = Vec::new();
    reader.read(log.as_bytes(), None, |event| match event.kind {
        Kind::HeaderSeen { peer, .. } => told.push(("header", peer, None)),
        Kind::CompactBlockMatched { peer, bytes, .. } => told.push(("matched", peer, Some(bytes))),
        Kind::BlockTransactionsRequested { peer, .. } => told.push(("asked", Some(peer), None)),
        Kind::BlockReconstructed { peer, message_bytes, .. } => {
            told.push(("completed", peer, message_bytes));
        }
        Kind::BlockReceived { peer, bytes, .. } => told.push(("received", Some(peer), bytes)),
        _ => {}
    });
    told
}

#[test]
fn what_the_node_does_because_of_a_message_is_told_with_its_peer_and_size() {
    const CORE: &str = include_str!("../../tests/data/core-31.99-relay.log");
    const KNOTS: &str = include_str!("../../tests/data/knots-29.4.3-relay.log");
    const WHOLE: [(&str, Option<u64>, Option<u64>); 4] = [
        ("header", Some(1), None),
        ("matched", Some(1), Some(277)),
        ("asked", Some(1), None),
        ("completed", Some(1), Some(132)),
    ];
    assert_eq!(relay(&mut Reader::new(0, None), CORE), WHOLE);
    let of_peer_2 = WHOLE.map(|(what, _, bytes)| (what, Some(2), bytes));
    assert_eq!(relay(&mut Reader::new(0, None), KNOTS), of_peer_2);
    // Without threads another may have made a header that comes without its peer.
    let threadless = KNOTS.replace("[msghand] ", "");
    let mut found = relay(&mut Reader::new(0, None), &threadless);
    assert_eq!(found.remove(0), ("header", None, None));
    assert_eq!(found, of_peer_2[1..]);
    // Of what stood in lines that are missing nothing is known.
    let without = |text: &str| {
        let lines: Vec<_> = CORE.lines().filter(|line| !line.contains(text)).collect();
        relay(&mut Reader::new(0, None), &(lines.join("\n") + "\n"))
    };
    assert_eq!(without("received: blocktxn")[3], ("completed", Some(1), None));
    assert_eq!(without("received: ")[1..], [("matched", None, Some(277)), ("completed", None, None)]);
    assert_eq!(without("Initialized")[1..], [("completed", Some(1), Some(132))], "asked for which block?");
    let block =
        format!("{AT_0} [net] received: block (9 bytes) peer=3\n{AT_0} [net] received block {BLOCK} peer=");
    assert_eq!(relay(&mut Reader::new(0, None), &format!("{block}3\n")), [("received", Some(3), Some(9))]);
    assert_eq!(relay(&mut Reader::new(0, None), &format!("{block}4\n")), [("received", Some(4), None)]);
}

#[test]
fn what_a_message_told_is_known_after_a_restart_if_it_is_recalled() {
    const LOG: &str = include_str!("../../tests/data/core-31.99-relay.log");
    let whole = relay(&mut Reader::new(0, None), LOG);
    for (place, _) in LOG.match_indices('\n') {
        let (before, after) = LOG.split_at(place + 1);
        let mut both = relay(&mut Reader::new(0, None), before);
        let mut second = Reader::new(before.len() as u64, None);
        // What is recalled begins within a line.
        second.recall(format!("torn\n{before}").as_bytes());
        both.extend(relay(&mut second, after));
        assert_eq!(both, whole, "cut after {place} bytes");
    }
}

#[test]
fn over_long_and_marked_lines_are_counted() {
    let mut reader = Reader::new(0, None);
    let long = format!("{AT_0} {}\n", "x".repeat(crate::split::DEFAULT_LIMIT));
    assert_eq!(read(&mut reader, &format!("{long}[*] {AT_9} [net] x\n"), None), []);
    assert_eq!((reader.counts().cut, reader.counts().suppressing, reader.counts().lines), (1, 1, 2));
    assert_eq!(reader.last_line(), Some(node(9_000_000)));
}
