//! Reorgs: what must be found, exactly, and what must stay quiet.

use bmon_analysis::{
    Engine, Settings,
    finding::{Body, Finding, Reorg},
};
use bmon_event::{AgentTime, Batch, Epoch, Event, Kind, ServerTime, Source, event::ChainInfo};
use proptest::prelude::*;

use crate::{
    rows::{batch, batches, findings, received, reorgs, rows, run},
    sim::{MS, SECOND, Sim, Voices},
};

/// What happens, in words and in deeds.
type Stream = (&'static str, fn(&mut Sim));

const EVERY: [Voices; 4] = [Voices::LOG, Voices::VALIDATION, Voices::ALL, Voices::ZMQ];

/// What is found must be what took place.
fn assert_found(sim: &Sim, what: &str) {
    let knows_heights = sim.voices.tips;
    let expected: Vec<_> = sim
        .reorgs
        .iter()
        .map(|reorg| Reorg { fork_height: reorg.fork_height.filter(|_| knows_heights), ..reorg.clone() })
        .collect();
    assert_eq!(reorgs(&rows(&sim.events)), expected, "{what}, {:?}", sim.voices);
}

#[test]
fn a_reorg_tells_how_long_the_node_took_for_it() {
    let mut sim = Sim::new(Voices::LOG);
    sim.extend(5);
    sim.reorg(2, 3);
    let duration = |finding: Finding| match finding.body {
        Body::Reorg(reorg) => reorg.duration_us,
        _ => None,
    };
    let durations: Vec<_> = findings(&rows(&sim.events)).into_iter().filter_map(duration).collect();
    // Five lines, a millisecond apart.
    assert_eq!(durations, [4 * MS]);
}

#[test]
fn streams_of_events_give_exactly_the_reorgs_that_took_place() {
    let streams: &[Stream] = &[
        ("a reorg of one", |sim| drop(sim.reorg(1, 2))),
        ("a reorg of two", |sim| drop(sim.reorg(2, 3))),
        ("a branch that is much longer", |sim| drop(sim.reorg(2, 9))),
        ("a reorg right after another", |sim| {
            sim.reorg(2, 3);
            sim.reorg(1, 2);
        }),
        ("a reorg after a restart", |sim| {
            sim.start();
            sim.reorg(1, 2);
        }),
        ("blocks that are invalidated", |sim| drop(sim.switch(2, &[]))),
        ("a branch of equal length that is made precious", |sim| drop(sim.reorg(2, 2))),
        ("a branch that turns out invalid at its third block", |sim| sim.failed_reorg(3, 2)),
        ("two branches taken in turns", |sim| {
            let (old, new) =
                (sim.chain[4..].to_vec(), vec![sim.new_block(), sim.new_block(), sim.new_block()]);
            sim.switch(2, &new);
            sim.switch(3, &old);
            sim.switch(2, &new);
        }),
    ];
    for voices in EVERY {
        for (what, stream) in streams {
            let mut sim = Sim::new(voices);
            sim.extend(5);
            stream(&mut sim);
            sim.wait(100 * SECOND);
            sim.extend(3);
            assert!(!sim.reorgs.is_empty(), "{what}");
            assert_found(&sim, what);
        }
    }
}

#[test]
fn streams_of_events_without_a_reorg_stay_quiet() {
    let streams: &[Stream] = &[
        ("one block", |sim| sim.extend(1)),
        ("initial download", |sim| sim.extend(500)),
        ("a restart", Sim::start),
        ("a tip that is told again", Sim::tell_tip),
        ("a restart that tells its tip again", |sim| sim.crash(1)),
        ("a crash that loses one block", |sim| sim.crash(2)),
        ("a crash that loses many blocks", |sim| sim.crash(5)),
        ("a header only", |sim| {
            let block = sim.new_block();
            sim.log(Kind::HeaderSeen { block, height: Some(6), peer: None, compact: false });
        }),
        ("a branch whose first block is invalid", |sim| sim.failed_reorg(2, 0)),
        ("a gap in what is told", |sim| {
            let (missed, voices) = (sim.events.len(), sim.voices);
            sim.reorg(3, 7);
            sim.events.truncate(missed);
            sim.voices = Voices { tips: true, ..voices };
            sim.gap(Source::Log);
            sim.gap(Source::Zmq);
            sim.voices = voices;
            sim.reorgs.clear();
        }),
        ("lines that are missing without notice", |sim| {
            if sim.voices.tips {
                let missed = sim.events.len();
                sim.reorg(3, 7);
                sim.events.truncate(missed);
                sim.reorgs.clear();
            }
        }),
    ];
    for voices in EVERY {
        for (what, stream) in streams {
            let mut sim = Sim::new(voices);
            sim.extend(5);
            stream(&mut sim);
            sim.wait(100 * SECOND);
            sim.extend(3);
            assert_eq!(sim.reorgs, []);
            assert_found(&sim, what);
        }
    }
}

#[test]
fn a_reorg_is_said_with_the_block_that_makes_the_branch_the_longer_one() {
    let mut sim = Sim::new(Voices::LOG);
    sim.extend(5);
    sim.reorg(2, 3);
    let finished_at = sim.events.last().unwrap().time();
    let (mut engine, mut rows) = (Engine::new(Settings::default()), Vec::new());
    for batch in batches("alice", &sim.events, 1) {
        assert!(findings(&rows).is_empty());
        engine.apply(&batch, received(&batch), &mut rows);
    }
    let [finding] = &findings(&rows)[..] else { panic!("one reorg is said at once") };
    assert_eq!((finding.revision, &finding.sources[..]), (1, &[Source::Log][..]));
    assert_eq!(finding.sighted.at, finished_at);
}

#[test]
fn voices_that_tell_of_the_same_reorg_make_one_finding() {
    let mut sim = Sim::new(Voices::ALL);
    sim.extend(5);
    sim.reorg(2, 3);
    let rows = rows(&sim.events);
    let [finding] = &findings(&rows)[..] else { panic!("one finding") };
    // ZMQ adds itself as a source; the validation lines add nothing to the tips.
    assert_eq!((finding.revision, &finding.sources[..]), (2, &[Source::Log, Source::Zmq][..]));
}

#[test]
fn an_unfinished_reorg_is_said_after_the_lateness_and_revised_when_it_goes_on() {
    let mut sim = Sim::new(Voices::LOG);
    sim.extend(5);
    let before = sim.events.len();
    let reorg = sim.reorg(2, 3);
    // A machine so slow that it needs 20 seconds for each block.
    for (event, late) in sim.events[before..].iter_mut().zip(0..) {
        event.node_time = event.node_time.map(|time| time.plus_micros(late * 20 * SECOND));
        event.agent_time = event.agent_time.plus_micros(late * 20 * SECOND);
    }
    let (mut engine, mut rows) = (Engine::new(Settings::default()), Vec::new());
    let mut depths = Vec::new();
    for batch in batches("alice", &sim.events, 1) {
        engine.apply(&batch, received(&batch), &mut rows);
        engine.tick(received(&batch).plus_micros(10 * SECOND - 1), &mut rows);
        let news = reorgs(&rows).len();
        engine.tick(received(&batch).plus_micros(10 * SECOND), &mut rows);
        depths.push((news, reorgs(&rows).last().map(|reorg| (reorg.old.len(), reorg.new.len()))));
    }
    let unsaid = [(0, None); 7];
    let said =
        [(0, Some((1, 0))), (1, Some((2, 0))), (1, Some((2, 1))), (1, Some((2, 2))), (1, Some((2, 3)))];
    assert_eq!(depths, [&unsaid[..], &said[..]].concat());
    assert_eq!(reorgs(&rows), [reorg]);
}

#[test]
fn a_log_that_is_read_again_says_nothing_new() {
    let mut sim = Sim::new(Voices::ALL);
    sim.extend(5);
    sim.reorg(2, 3);
    sim.extend(2);
    sim.reorg(1, 2);
    let once = batches("alice", &sim.events, 5);
    let mut again = once.clone();
    for batch in &mut again {
        batch.epoch.0 += 1;
    }
    assert_eq!(findings(&run(&[once.clone(), again].concat())), findings(&run(&once)));
}

#[test]
fn what_is_known_of_a_reorg_is_said_when_the_log_begins_within_it() {
    let mut sim = Sim::new(Voices::LOG);
    sim.extend(6);
    let mut sim = sim.unheard();
    let reorg = sim.reorg(3, 4);
    // The first line tells a tip of which nothing was known; it is the upper of the two old blocks that are named.
    let known = Reorg { depth: 2, old: reorg.old[..2].to_vec(), new: reorg.new[..3].to_vec(), ..reorg };
    assert_eq!(reorgs(&rows(&sim.events)), [known]);
}

#[test]
fn validation_lines_name_the_whole_old_branch_even_when_the_log_begins_within_it() {
    let mut sim = Sim::new(Voices::VALIDATION);
    sim.extend(6);
    let mut sim = sim.unheard();
    sim.reorg(3, 4);
    assert_found(&sim, "start within");
}

#[test]
fn a_poll_names_the_tip_that_the_log_begins_above() {
    let mut sim = Sim::new(Voices::LOG);
    sim.extend(6);
    let mut sim = sim.unheard();
    let info = ChainInfo { blocks: sim.height(), best_block: Some(sim.tip()), ..ChainInfo::default() };
    let agent_time = AgentTime::from_micros(sim.now);
    sim.events.push(Event { source: Source::Rpc, node_time: None, agent_time, kind: Kind::ChainInfo(info) });
    sim.reorg(1, 2);
    assert_found(&sim, "start within");
}

#[test]
fn zmq_counts_heights_from_a_poll() {
    let mut sim = Sim::new(Voices::ZMQ);
    sim.extend(6);
    let info = ChainInfo { blocks: sim.height(), best_block: Some(sim.tip()), ..ChainInfo::default() };
    let agent_time = AgentTime::from_micros(sim.now);
    sim.events.push(Event { source: Source::Rpc, node_time: None, agent_time, kind: Kind::ChainInfo(info) });
    sim.extend(1);
    let reorg = sim.reorg(2, 3);
    assert_eq!(reorgs(&rows(&sim.events)), [reorg]);
}

#[test]
fn more_work_ends_a_reorg_even_with_fewer_blocks() {
    let mut sim = Sim::new(Voices::LOG);
    sim.extend(5);
    let before = sim.events.len();
    let new = [sim.new_block()];
    let reorg = sim.switch(2, &new);
    let Kind::Tip { log2_work, .. } = &mut sim.events.last_mut().unwrap().kind else { panic!("a tip") };
    *log2_work = Some(3.0);
    let (mut engine, mut rows) = (Engine::new(Settings::default()), Vec::new());
    engine.apply(&batch("alice", 1, sim.events[..before].to_vec()), ServerTime::default(), &mut rows);
    engine.apply(&batch("alice", 2, sim.events[before..].to_vec()), ServerTime::default(), &mut rows);
    assert_eq!(reorgs(&rows), [reorg]);
}

#[test]
fn blocks_that_come_after_batches_were_lost_are_no_part_of_a_reorg_before() {
    let mut sim = Sim::new(Voices::ZMQ);
    sim.extend(5);
    let disconnected = sim.events.len() + 2;
    let reorg = sim.reorg(2, 3);
    let connected = sim.events.len();
    sim.extend(1);
    let before = batch("alice", 1, sim.events[..disconnected].to_vec());
    let after = batch("alice", 2, sim.events[connected..].to_vec());
    let next_spool = Epoch(before.epoch.0 + 1);
    for (epoch, sequence, new) in
        [(before.epoch, 2, vec![sim.tip()]), (before.epoch, 3, Vec::new()), (next_spool, 1, Vec::new())]
    {
        let known = Reorg { fork_height: None, new, ..reorg.clone() };
        let after = Batch { epoch, sequence, ..after.clone() };
        assert_eq!(reorgs(&run(&[before.clone(), after])), [known], "{epoch:?}, {sequence}");
    }
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Extend(usize),
    Reorg(usize, usize),
    Invalidate(usize),
    FailedReorg(usize, usize),
    Restart,
    Crash(usize),
    TellAgain,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (1..5_usize).prop_map(Act::Extend),
        4 => (1..6_usize, 0..8_usize).prop_map(|(depth, more)| Act::Reorg(depth, depth + more)),
        // After a restart one falling tip alone may also be a block that is connected again.
        1 => (2..4_usize).prop_map(Act::Invalidate),
        1 => (1..5_usize, 0..5_usize).prop_map(|(depth, valid)| Act::FailedReorg(depth, valid.min(depth))),
        1 => Just(Act::Restart),
        1 => (1..5_usize).prop_map(Act::Crash),
        1 => Just(Act::TellAgain),
    ]
}

fn perform(sim: &mut Sim, act: Act) {
    sim.wait(100 * SECOND);
    match act {
        Act::Extend(blocks) => sim.extend(blocks),
        Act::Reorg(depth, length) => drop(sim.reorg(depth, length)),
        Act::Invalidate(depth) => drop(sim.switch(depth, &[])),
        Act::FailedReorg(depth, valid) => sim.failed_reorg(depth, valid),
        Act::Restart => sim.start(),
        Act::Crash(lost) => sim.crash(lost),
        Act::TellAgain => sim.tell_tip(),
    }
    // Room for the next one.
    if sim.height() < 8 {
        sim.wait(100 * SECOND);
        sim.extend(8);
    }
}

proptest! {
    #[test]
    fn every_history_gives_exactly_its_reorgs(
        voices in prop::sample::select(&EVERY[..]),
        acts in prop::collection::vec(act(), 1..30),
        unheard in 0..10_usize,
    ) {
        let mut sim = Sim::new(voices);
        sim.extend(8);
        for (index, act) in acts.into_iter().enumerate() {
            perform(&mut sim, act);
            if index == unheard {
                // Somebody starts to listen, and hears of a block before anything else.
                sim = sim.unheard();
                sim.wait(100 * SECOND);
                sim.extend(1);
            }
        }
        assert_found(&sim, "history");
    }
}
