use std::collections::BTreeMap;

use bmon_event::{AgentTime, Source, Wtxid, event::RemovalReason};
use proptest::prelude::*;

use super::*;
use crate::{
    row::{Offset, Sighted, TxLeft, TxNode, TxSeen},
    spread::{Seen, Spread, Tally, first},
};

const NODES: [&str; 3] = ["alice", "bob", "carol"];

/// Something that is told.
#[derive(Clone, Debug)]
enum Tale {
    /// What a node tells of a transaction.
    Node { node: usize, tx: TxIds, word: Word },
    /// A node gives a block, which has these transactions.
    Block { node: usize, block: BlockHash, txids: Vec<Txid> },
}

fn txid(number: u16) -> Txid {
    let mut bytes = [7; 32];
    bytes[..2].copy_from_slice(&number.to_be_bytes());
    Txid::from_bytes(bytes)
}

fn seen(source: Source, at_us: i64) -> TxSeen {
    let offset = Some(Offset { min_us: at_us / SECOND_US, max_us: at_us / SECOND_US + 9 });
    TxSeen { source, sighted: Sighted { at: AgentTime::from_micros(at_us), offset } }
}

fn any_seen() -> impl Strategy<Value = TxSeen> {
    // Most within seconds, some so far away that no column holds both.
    let at = prop_oneof![8 => 0..20 * SECOND_US, 1 => -9 * HOUR_US..9 * HOUR_US];
    (prop::sample::select(&[Source::Log, Source::Zmq][..]), at).prop_map(|(source, at)| seen(source, at))
}

fn any_tale() -> impl Strategy<Value = Tale> {
    let reason = prop::option::of(Just(RemovalReason::Replaced));
    let left = (any_seen(), reason, prop::option::of((0..3_u16).prop_map(txid)));
    let left = left.prop_map(|(seen, reason, by)| Word::Left(TxLeft { seen, reason, by }));
    let word = prop_oneof![
        6 => any_seen().prop_map(Word::Accepted),
        1 => any_seen().prop_map(Word::Refused),
        1 => left,
    ];
    let of_node = (0..NODES.len(), 0..1_500_u16, prop::option::of(0..2_u8), word);
    let of_node = of_node.prop_map(|(node, tx, wtxid, word)| {
        let wtxid = wtxid.map(|wtxid| Wtxid::from_bytes([wtxid; 32]));
        Tale::Node { node, tx: TxIds { txid: txid(tx), wtxid }, word }
    });
    // Some that nobody tells of, and some that other blocks have too.
    let txs = prop::collection::vec((0..1_600_u16).prop_map(txid), 0..40);
    let of_block = (0..NODES.len(), 0..5_u8, txs).prop_map(|(node, number, txids)| Tale::Block {
        node,
        block: block(number),
        txids,
    });
    prop_oneof![60 => of_node, 1 => of_block]
}

fn block(number: u8) -> BlockHash {
    BlockHash::from_bytes([number; 32])
}

/// What is told of a transaction.
#[derive(Clone, Debug, Default, PartialEq)]
struct Told {
    wtxid: Option<Wtxid>,
    nodes: BTreeMap<NodeName, TxNode>,
    blocks: BTreeSet<BlockHash>,
}

/// What all say together, by txid.
type Sum = BTreeMap<Txid, Told>;

fn add(sum: &mut Sum, tx: TxIds, told: TxNode) {
    let of_tx = sum.entry(tx.txid).or_default();
    let mut ids = TxIds { txid: tx.txid, wtxid: of_tx.wtxid };
    ids.note_wtxid(tx.wtxid);
    of_tx.wtxid = ids.wtxid;
    of_tx.nodes.entry(told.node.clone()).or_insert_with(|| TxNode::new(told.node.clone())).merge(told);
}

fn add_block(sum: &mut Sum, txid: Txid, block: BlockHash) {
    sum.entry(txid).or_default().blocks.insert(block);
}

fn told(tales: &[Tale]) -> Sum {
    let mut sum = Sum::new();
    for tale in tales {
        match tale {
            Tale::Node { node, tx, word } => {
                add(&mut sum, *tx, word.clone().of(NODES[*node].parse().unwrap()));
            }
            Tale::Block { block, txids, .. } => {
                for txid in txids {
                    add_block(&mut sum, *txid, *block);
                }
            }
        }
    }
    sum
}

/// What a store has, and how far the journal need not be read again.
#[derive(Default)]
struct Kept {
    chunks: BTreeMap<u64, TxChunk>,
    spreads: BTreeMap<ServerTime, Spread>,
    position: u64,
}

impl Kept {
    fn keep(&mut self, rows: Vec<Row>, position: u64) {
        for row in rows {
            match row {
                Row::TxChunk(chunk) => {
                    self.chunks.insert(chunk.id, *chunk);
                }
                Row::TxSpread(row) => {
                    self.spreads.insert(row.begun_at, row.spread);
                }
                _ => unreachable!(),
            }
        }
        self.position = position;
    }

    fn sum(&self) -> Sum {
        let mut sum = Sum::new();
        for chunk in self.chunks.values() {
            assert!(chunk.txs.len() <= TxChunk::MOST);
            assert!(chunk.mined.is_sorted_by(|one, next| one < next));
            for (place, block) in &chunk.mined {
                add_block(&mut sum, chunk.txs[usize::from(*place)].txid, *block);
            }
            for (place, tx) in chunk.txs.iter().enumerate() {
                for column in &chunk.nodes {
                    let of = |at: &u16| usize::from(*at) == place;
                    let mut told = TxNode::new(column.node.clone());
                    told.accepted = column.accepted[place];
                    told.refused = column.refused.iter().find(|(at, _)| of(at)).map(|(_, seen)| *seen);
                    told.left = column.left.iter().find(|(at, _)| of(at)).map(|(_, left)| left.clone());
                    if told.accepted.is_some() || told.refused.is_some() || told.left.is_some() {
                        add(&mut sum, *tx, told);
                    }
                }
            }
        }
        sum
    }
}

fn network() -> Network {
    Network::from_chain("regtest").unwrap()
}

/// Hears the tales in batches of ten, one a second, with ticks; dies at each of `deaths` and goes on from what was kept.
fn hear(tales: &[Tale], most: usize, deaths: &[usize], pause_us: i64) -> Kept {
    let batches: Vec<&[Tale]> = tales.chunks(10).collect();
    let (mut kept, mut deaths) = (Kept::default(), deaths.to_vec());
    loop {
        let (mut mind, mut ids) = (Transactions::new(network(), most), 0);
        kept.chunks.values().for_each(|chunk| mind.restore(chunk));
        ids = kept.chunks.keys().next_back().copied().unwrap_or(ids);
        let first = usize::try_from(kept.position).unwrap();
        let mut died = false;
        for (number, tales) in (1..).zip(&batches).skip(first) {
            let now = ServerTime::from_micros(i64::try_from(number).unwrap() * pause_us);
            for tale in *tales {
                let (Tale::Node { node, .. } | Tale::Block { node, .. }) = tale;
                let node = mind.number_of(&NODES[*node].parse().unwrap());
                let by = Telling { node, batch: u64::try_from(number).unwrap(), now };
                match tale {
                    Tale::Node { tx, word, .. } => mind.note(*tx, word.clone(), by, &mut ids),
                    Tale::Block { block, txids, .. } => mind.mined(*block, txids, by, &mut ids),
                }
            }
            let mut rows = Vec::new();
            mind.tick(now, &mut rows);
            let position = mind.unsaid_since().map_or(number, |since| usize::try_from(since).unwrap() - 1);
            kept.keep(rows, u64::try_from(position).unwrap());
            if deaths.first() == Some(&number) {
                deaths.remove(0);
                died = true;
                break;
            }
        }
        if !died {
            let mut rows = Vec::new();
            let now = ServerTime::from_micros(i64::try_from(batches.len()).unwrap() * pause_us);
            mind.tick(now.plus_micros(2 * SETTLED_US), &mut rows);
            mind.say_all(now.plus_micros(2 * SETTLED_US), &mut rows);
            kept.keep(rows, u64::try_from(batches.len()).unwrap());
            assert_eq!(mind.unsaid_since(), None);
            return kept;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn nothing_told_is_lost_or_changed_by_forgetting_and_dying(
        tales in prop::collection::vec(any_tale(), 1..2_500),
        most in prop::sample::select(&[512_usize, 1_024, 100_000][..]),
        deaths in prop::collection::btree_set(1..250_usize, 0..4),
        pause_us in prop::sample::select(&[SECOND_US, 40 * SECOND_US, 700 * SECOND_US][..]),
    ) {
        let deaths: Vec<_> = deaths.into_iter().filter(|at| *at <= tales.len().div_ceil(10)).collect();
        prop_assert_eq!(hear(&tales, most, &deaths, pause_us).sum(), told(&tales));
    }
}

/// What the spread of each hour is, of all that is told.
fn spreads(told: &Sum) -> BTreeMap<ServerTime, Spread> {
    let mut hours = BTreeMap::<i64, Tally>::new();
    let names: Vec<NodeName> = NODES.map(|name| name.parse().unwrap()).to_vec();
    for Told { nodes, .. } in told.values() {
        let seen = (0..).zip(&names).filter_map(|(number, name)| {
            let told = nodes.get(name)?;
            let TxSeen { source, sighted } = told.first()?;
            let is_refused = told.refused.is_some_and(|seen| seen.sighted.at == sighted.at)
                && told.accepted.is_none_or(|seen| seen.sighted.at != sighted.at);
            Some(Seen { node: number, source, sighted, is_refused })
        });
        let seen: Vec<Seen> = seen.collect();
        if let Some(first) = first(&seen) {
            hours.entry(first.as_micros().div_euclid(HOUR_US)).or_default().add(&seen);
        }
    }
    let spread =
        |(hour, tally): (i64, Tally)| (ServerTime::from_micros(hour * HOUR_US), tally.spread(&names));
    hours.into_iter().map(spread).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn an_hour_is_what_was_told_of_it_however_late_and_after_dying(
        tales in prop::collection::vec(any_tale(), 1..2_500),
        deaths in prop::collection::btree_set(1..250_usize, 0..4),
    ) {
        let deaths: Vec<_> = deaths.into_iter().filter(|at| *at <= tales.len().div_ceil(10)).collect();
        let hours = hear(&tales, 100_000, &deaths, SECOND_US).spreads;
        // Some clocks are hours ahead or behind; the hour that it is is right all the same.
        let expected = spreads(&told(&tales));
        let now = ServerTime::from_micros(0);
        prop_assert_eq!(hours.get(&now), expected.get(&now));
    }
}

fn accept(mind: &mut Transactions, ids: &mut u64, number: u16, at_us: i64, batch: u64) {
    let node = mind.number_of(&"alice".parse().unwrap());
    let by = Telling { node, batch, now: ServerTime::from_micros(at_us) };
    mind.note(TxIds { txid: txid(number), wtxid: None }, Word::Accepted(seen(Source::Log, at_us)), by, ids);
}

fn said(mind: &mut Transactions, now_us: i64) -> Vec<(u64, usize, bool)> {
    let mut rows = Vec::new();
    mind.tick(ServerTime::from_micros(now_us), &mut rows);
    let chunk = |row: Row| match row {
        Row::TxChunk(chunk) => Some((chunk.id, chunk.txs.len(), chunk.is_full)),
        _ => None,
    };
    rows.into_iter().filter_map(chunk).collect()
}

#[test]
fn a_chunk_is_said_every_two_seconds_while_transactions_are_added() {
    let (mut mind, mut ids) = (Transactions::new(network(), 100_000), 0);
    let mut when = Vec::new();
    for second in 0..100_u16 {
        let now_us = i64::from(second) * SECOND_US;
        if second < 7 || second == 90 {
            accept(&mut mind, &mut ids, second, now_us, u64::from(second));
        }
        when.extend(said(&mut mind, now_us).iter().map(|_| second));
    }
    assert_eq!(when, [0, 2, 4, 6, 90]);
}

#[test]
fn a_chunk_to_which_nothing_is_added_is_said_the_more_rarely_the_older_its_last_transaction_is() {
    let (mut mind, mut ids) = (Transactions::new(network(), 100_000), 0);
    (0..512).for_each(|number| accept(&mut mind, &mut ids, number, 0, 1));
    let mut when = Vec::new();
    for second in 0..3_600_u16 {
        let now_us = i64::from(second) * SECOND_US;
        if second.is_multiple_of(10) {
            // The node told of it earlier than it is known to have.
            let node = mind.number_of(&"alice".parse().unwrap());
            let by = Telling { node, batch: u64::from(second), now: ServerTime::from_micros(now_us) };
            mind.note(
                TxIds { txid: txid(5), wtxid: None },
                Word::Accepted(seen(Source::Log, -i64::from(second))),
                by,
                &mut ids,
            );
        }
        when.extend(said(&mut mind, now_us).iter().map(|_| second));
    }
    assert_eq!(when[..9], [0, 10, 20, 40, 80, 160, 320, 620, 920]);
    assert!(when.len() < 20, "{when:?}");
    // The last news that is not said is of the batch at 3,330 s or later.
    assert!(mind.unsaid_since().is_some_and(|batch| batch > 3_000));
}

#[test]
fn a_full_chunk_is_said_at_once_and_then_only_if_there_is_news() {
    let (mut mind, mut ids) = (Transactions::new(network(), 100_000), 0);
    (0..500).for_each(|number| accept(&mut mind, &mut ids, number, 0, 1));
    assert_eq!(said(&mut mind, SECOND_US), [(1, 500, false)]);
    (500..513).for_each(|number| accept(&mut mind, &mut ids, number, SECOND_US, 2));
    assert_eq!(said(&mut mind, SECOND_US), [(1, 512, true), (2, 1, false)]);
    accept(&mut mind, &mut ids, 5, 2 * SECOND_US, 3);
    assert_eq!((said(&mut mind, 9 * SECOND_US), mind.unsaid_since()), (vec![], None));
}

#[test]
fn the_oldest_are_forgotten_when_there_are_too_many_and_when_their_hour_is_long_over() {
    let (mut mind, mut ids) = (Transactions::new(network(), 1_024), 0);
    (0..1_025).for_each(|number| accept(&mut mind, &mut ids, number, 0, 1));
    assert_eq!(said(&mut mind, 0).len(), 3);
    assert_eq!((mind.forgotten(), mind.table.len()), (512, 513));
    assert_eq!(said(&mut mind, 2 * HOUR_US - 1), []);
    // What was open is closed, since nothing can be added to it any more.
    assert_eq!(said(&mut mind, 2 * HOUR_US), [(3, 1, true)]);
    assert_eq!((mind.forgotten(), mind.table.len(), mind.chunks.len()), (512, 0, 0));
}

#[test]
fn what_comes_hours_late_is_kept_and_counted_but_changes_no_hour() {
    let (mut mind, mut ids) = (Transactions::new(network(), 100_000), 0);
    let node = mind.number_of(&"alice".parse().unwrap());
    let now_us = 9 * HOUR_US;
    let by = Telling { node, batch: 1, now: ServerTime::from_micros(now_us) };
    for (number, at_us) in [(1, now_us - 5 * HOUR_US), (2, now_us)] {
        let tx = TxIds { txid: txid(number), wtxid: None };
        mind.note(tx, Word::Accepted(seen(Source::Log, at_us)), by, &mut ids);
    }
    let mut rows = Vec::new();
    mind.tick(ServerTime::from_micros(now_us + SETTLED_US), &mut rows);
    let mut kept = Kept::default();
    kept.keep(rows, 1);
    assert_eq!((mind.late(), kept.sum().len()), (1, 2));
    let items: Vec<_> = kept.spreads.iter().map(|(hour, spread)| (hour.as_micros(), spread.items)).collect();
    assert_eq!(items, [(now_us, 1)]);
}

/// A node gives a block with these transactions.
fn mine(mind: &mut Transactions, ids: &mut u64, number: u8, txs: &[u16], at_us: i64, batch: u64) {
    let node = mind.number_of(&"bob".parse().unwrap());
    let by = Telling { node, batch, now: ServerTime::from_micros(at_us) };
    let txids: Vec<_> = txs.iter().map(|number| txid(*number)).collect();
    mind.mined(block(number), &txids, by, ids);
}

#[test]
fn the_same_block_again_is_no_news_and_another_is() {
    let (mut mind, mut ids) = (Transactions::new(network(), 100_000), 0);
    (0..3).for_each(|number| accept(&mut mind, &mut ids, number, 0, 1));
    assert_eq!(said(&mut mind, 0), [(1, 3, false)]);
    mine(&mut mind, &mut ids, 1, &[0, 2, 9], SECOND_US, 2);
    assert_eq!(mind.unsaid_since(), Some(2));
    assert_eq!(said(&mut mind, 2 * SECOND_US), [(1, 4, false)]);
    mine(&mut mind, &mut ids, 1, &[0, 2, 9], 3 * SECOND_US, 3);
    assert_eq!((mind.unsaid_since(), said(&mut mind, 9 * SECOND_US)), (None, vec![]));
    mine(&mut mind, &mut ids, 2, &[2], 9 * SECOND_US, 4);
    let mut rows = Vec::new();
    mind.say_all(ServerTime::from_micros(9 * SECOND_US), &mut rows);
    let Row::TxChunk(chunk) = &rows[0] else { panic!("{rows:?}") };
    let blocks = [(0, 1), (2, 1), (2, 2), (3, 1)].map(|(place, number)| (place, block(number)));
    assert_eq!(chunk.mined, blocks);
    assert!(chunk.nodes.iter().all(|column| column.accepted[3].is_none()));
}

#[test]
fn a_transaction_that_only_a_block_has_is_in_no_hour_and_not_late() {
    let (mut mind, mut ids) = (Transactions::new(network(), 100_000), 0);
    let now_us = 9 * HOUR_US;
    mine(&mut mind, &mut ids, 1, &[1, 2], now_us, 1);
    let mut rows = Vec::new();
    mind.tick(ServerTime::from_micros(now_us + SETTLED_US), &mut rows);
    let mut kept = Kept::default();
    kept.keep(rows, 1);
    assert_eq!((mind.late(), kept.spreads.len(), kept.sum().len()), (0, 0, 2));
    // A node that tells of it after all is counted, with the hour in which it did.
    accept(&mut mind, &mut ids, 1, now_us + 2 * SETTLED_US, 2);
    let mut rows = Vec::new();
    mind.tick(ServerTime::from_micros(now_us + 9 * SETTLED_US), &mut rows);
    kept.keep(rows, 2);
    let items: Vec<_> = kept.spreads.iter().map(|(hour, spread)| (hour.as_micros(), spread.items)).collect();
    assert_eq!((mind.late(), items), (0, vec![(now_us, 1)]));
}
