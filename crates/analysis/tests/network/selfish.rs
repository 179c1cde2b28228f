//! Selfish mining as the engine finds it: what is an alarm, and what must leave it quiet.

use bmon_analysis::{
    Settings,
    alert::Severity,
    finding::{Body, SelfishMining},
    pool::{Mark, Miner, Recognised},
    row::MinerRow,
    selfish::{Signal, SignalName},
    settings::Retention,
};
use bmon_event::{BlockHash, Kind};

use crate::{
    fork::common,
    order::by_node,
    world::{MINUTE, MS, SECOND, World, network, node},
};

pub(crate) const NODES: [&str; 3] = ["alice", "bob", "carol"];

/// A network on which it is looked for selfish mining, whose nodes have followed it for a while, and its last block.
pub(crate) fn watched() -> (World, BlockHash) {
    let (mut world, genesis) = World::with(settings());
    let tip = common(&mut world, genesis);
    world.pass(11 * MINUTE);
    (world, tip)
}

fn settings() -> Settings {
    Settings { selfish_mining_everywhere: true, ..Settings::default() }
}

/// One block of others, and two after the same that replace it, the first of them so much later and the second so much
/// after that.
pub(crate) fn race(
    world: &mut World,
    fork: BlockHash,
    after_us: i64,
    within_us: i64,
) -> (BlockHash, BlockHash) {
    let (lost, won) = (world.block(fork), world.chain(fork, 2));
    world.connect_all(&NODES, &[lost]);
    world.now += after_us;
    for name in NODES {
        world.now += MS;
        world.log(name, vec![header(won[0])]);
    }
    world.now += within_us;
    for name in NODES {
        world.reorganize(name, &[lost], fork, &won);
    }
    (lost, won[1])
}

fn header(block: BlockHash) -> Kind {
    Kind::HeaderSeen { block, height: None, peer: None, compact: false }
}

pub(crate) fn found(world: &World, signal: SignalName) -> Vec<SelfishMining> {
    let of_signal = |body: &Body| match body {
        Body::SelfishMining(found) if found.signal == signal => Some((**found).clone()),
        _ => None,
    };
    world.found("selfish-mining").iter().filter_map(|finding| of_signal(&finding.body)).collect()
}

#[test]
fn two_blocks_at_once_that_replace_one_are_a_burst() {
    let (mut world, fork) = watched();
    race(&mut world, fork, 2 * SECOND, 100 * MS);
    assert_eq!(found(&world, SignalName::Burst), []);
    world.wait(11 * SECOND);
    let burst = found(&world, SignalName::Burst).swap_remove(0);
    assert!(burst.is_alarm && burst.chance.unwrap() < 0.003, "{burst:?}");
    assert_eq!((burst.block, burst.from_height, burst.to_height), (fork, 6, 7));
    let Some(Signal::Burst(numbers)) = burst.numbers else { unreachable!("asked for") };
    assert_eq!((numbers.blocks, numbers.depth, numbers.nodes), (2, 1, 3));
    assert_eq!(burst.explanation, numbers.to_string());
    // It is said once, and not again because the chain grows.
    let said = world.said;
    world.wait(20 * SECOND);
    assert_eq!(world.said, said);
}

#[test]
fn a_race_that_the_next_block_decides_is_no_burst() {
    let (mut world, fork) = watched();
    race(&mut world, fork, 2 * SECOND, 2 * MINUTE);
    world.wait(11 * SECOND);
    assert_eq!(world.found("fork").len(), 1);
    assert_eq!(found(&world, SignalName::Burst), []);
}

#[test]
fn it_is_not_looked_for_where_blocks_are_made_at_will() {
    let (mut world, genesis) = World::new();
    let fork = common(&mut world, genesis);
    world.pass(11 * MINUTE);
    race(&mut world, fork, 2 * SECOND, 100 * MS);
    world.pass(20 * MINUTE);
    assert_eq!(world.found("fork").len(), 1);
    assert!(world.found("selfish-mining").is_empty());
}

#[test]
fn an_invalid_block_and_nodes_that_catch_up_make_no_burst() {
    let refuse = |world: &mut World, block| {
        let reason = Some("bad-cb-amount".to_owned());
        world.log("carol", vec![Kind::BlockInvalid { block, height: None, reason }]);
    };
    let (mut world, fork) = watched();
    let (lost, _) = race(&mut world, fork, 2 * SECOND, 100 * MS);
    refuse(&mut world, lost);
    world.wait(11 * SECOND);
    assert_eq!(found(&world, SignalName::Burst), []);

    for away in [1, 2] {
        let (mut world, fork) = watched();
        for name in &NODES[..away] {
            world.log(name, vec![Kind::NodeStarted { banner: String::new() }]);
        }
        race(&mut world, fork, 2 * SECOND, 100 * MS);
        world.wait(11 * SECOND);
        // Two nodes that can tell are enough.
        assert_eq!(found(&world, SignalName::Burst).len(), 2 - away);
    }
}

#[test]
fn a_burst_is_the_same_whatever_node_is_heard_first() {
    let (mut world, fork) = watched();
    race(&mut world, fork, 2 * SECOND, 100 * MS);
    world.wait(11 * SECOND);
    let said = found(&world, SignalName::Burst);
    assert_eq!(said.len(), 1);
    for order in [["carol", "bob", "alice"], ["bob", "carol", "alice"]] {
        let (mut other, _) = World::with(settings());
        other.now = world.now;
        for (batch, at) in by_node(&world.batches, &order) {
            other.apply(batch, at);
        }
        other.wait(SECOND);
        assert_eq!(found(&other, SignalName::Burst), said);
    }
}

/// So many times two blocks that come at once, ten minutes after the last.
fn pairs(world: &mut World, mut tip: BlockHash, count: usize) -> BlockHash {
    for _ in 0..count {
        world.pass(10 * MINUTE);
        let blocks = world.chain(tip, 2);
        world.connect_all(&NODES, &blocks);
        tip = blocks[1];
    }
    tip
}

#[test]
fn pairs_that_come_together_add_up_to_an_alarm_also_over_a_restart() {
    let (mut world, tip) = watched();
    let tip = pairs(&mut world, tip, 70);
    let mut alarms = found(&world, SignalName::Withheld);
    let window = alarms.swap_remove(0);
    // Those of the last two hours wait.
    assert!(window.is_alarm && window.to_height < 140, "{window:?}");
    let Some(Signal::Withheld(numbers)) = window.numbers else { unreachable!("asked for") };
    assert!((50..=62).contains(&numbers.close), "{numbers}");
    let alerts = world.alerts_of("selfish-mining");
    assert!(matches!(&alerts[..], [(Severity::Warning, ..)]), "{alerts:?}");

    world.restart();
    world.pass(11 * MINUTE);
    pairs(&mut world, tip, 30);
    let Some(Signal::Withheld(after)) = found(&world, SignalName::Withheld).swap_remove(0).numbers else {
        unreachable!("asked for")
    };
    // What was seen before the restart and not judged is lost with the journal that is not read here.
    assert!(after.close > numbers.close && after.pairs > numbers.pairs, "{after}");
    assert_eq!(found(&world, SignalName::Withheld).len(), 1);
    let alerts = world.alerts_of("selfish-mining");
    assert_eq!(alerts.len(), 1, "{alerts:?}");
}

#[test]
fn blocks_ten_minutes_apart_are_said_to_be_nothing_unusual_once_a_day() {
    let (mut world, mut tip) = watched();
    for _ in 0..170 {
        world.pass(10 * MINUTE);
        tip = world.block(tip);
        world.connect_all(&NODES, &[tip]);
    }
    let windows = found(&world, SignalName::Withheld);
    let [window] = &windows[..] else { unreachable!("{windows:?}") };
    assert_eq!((window.is_alarm, window.to_height), (false, 143));
    assert!((window.chance.unwrap() - 1.0).abs() < 1e-9);
    assert_eq!(world.alerts_of("selfish-mining"), []);
}

#[test]
fn without_miners_there_is_not_enough_history_and_it_is_said_once() {
    let (mut world, mut tip) = watched();
    world.silent = NODES.into_iter().map(node).collect();
    for _ in 0..20 {
        world.pass(10 * MINUTE);
        tip = world.block(tip);
        world.connect_all(&NODES, &[tip]);
    }
    let runs = found(&world, SignalName::Runs);
    let [found] = &runs[..] else { unreachable!("{runs:?}") };
    assert_eq!((found.is_alarm, found.chance, &found.numbers), (false, None, &None));
    assert_eq!(
        found.explanation,
        "not enough history: of 2016 blocks that it takes, the miners of 1 in a row are known"
    );
    assert_eq!(world.found("selfish-mining")[0].revision, 1);
}

#[test]
fn a_node_in_initial_block_download_makes_nobody_forget_who_saw_what() {
    let blocks = Retention { entries: 64, ..Settings::default().blocks };
    let (mut world, genesis) = World::with(Settings { blocks, ..settings() });
    let chain = world.chain(genesis, 4_200);
    for name in NODES {
        world.chain_info(name, chain[4_199], false);
    }
    world.pass(11 * MINUTE);
    race(&mut world, chain[4_199], 2 * SECOND, 100 * MS);
    let old = |(height, block): (u32, &BlockHash)| Kind::Tip {
        block: *block,
        height: Some(height),
        log2_work: None,
        transactions: None,
    };
    world.log("dave", (1..).zip(&chain[..100]).map(old).collect());
    world.wait(11 * SECOND);
    assert_eq!(found(&world, SignalName::Burst).len(), 1);
}

/// Who mined the block of this height: every tenth of heights has seven pools once each and one pool three times, in a row
/// or not.
fn pool(height: u32, in_a_row: bool) -> String {
    let mines = if in_a_row { height % 10 < 3 } else { matches!(height % 10, 0 | 3 | 6) };
    if mines { "selfish".to_owned() } else { format!("pool {}", height % 7) }
}

#[test]
fn a_pool_whose_blocks_follow_each_other_is_told_once_two_weeks_of_miners_are_known() {
    for (in_a_row, is_alarm) in [(true, true), (false, false)] {
        let (mut world, genesis) = World::with(settings());
        let chain = world.chain(genesis, 4_040);
        let mut engine = world.new_engine();
        for (height, block) in (0..).zip(std::iter::once(&genesis).chain(&chain)) {
            engine.restore_header(&world.header_row(*block));
            let by = Mark::Tag { tag: "tag".to_owned() };
            let pool = Some(Recognised { name: pool(height, in_a_row), by });
            let miner = Miner { pool, coinbase_text: String::new() };
            engine.restore_miner(MinerRow { network: network(), block: *block, miner });
        }
        world.engine = engine;
        world.connect_all(&NODES, &chain[4_039..]);
        // The rest is looked at once it is two hours old.
        world.now += 3 * 60 * MINUTE;
        for name in NODES {
            world.log(name, vec![]);
        }
        world.wait(2 * SECOND);
        let runs = found(&world, SignalName::Runs);
        let judged: Vec<_> = runs.iter().filter(|found| found.chance.is_some()).collect();
        assert!(!judged.is_empty(), "{runs:#?}");
        assert!(judged.iter().all(|found| found.is_alarm == is_alarm), "{judged:#?}");
        assert_eq!(world.alerts_of("selfish-mining").is_empty(), !is_alarm);
    }
}
