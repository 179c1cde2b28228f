//! Whether the simulation, by which the signals for selfish mining are measured, is of the network that it is said to be.

#![expect(clippy::unwrap_used, reason = "a test may fail, in its parts too")]

mod fault;
#[path = "../../benches/simulation/server.rs"]
mod server;
#[path = "../../benches/simulation/world/mod.rs"]
mod world;

use bmon_analysis::{
    Engine, Settings,
    alert::{Alert, Severity},
    finding::Body,
    row::{Row, Stage},
    selfish::{Seen, Sight},
};
use bmon_event::{AgentTime, Network};
use server::hear;
use world::{
    INTERVAL_S, Plan, World,
    attack::Attack,
    header::Headers,
    telling::{Oddities, Told, batch, tell},
};

const HONEST: Plan = Plan { seed: 42, blocks: 20_000, nodes: 3, attack: None };

/// His share of the chain if nobody hears of anything late (Eyal and Sirer 2014, equation 8).
fn revenue(Attack { share: a, gamma, .. }: Attack) -> f64 {
    let own = a * (1.0 - a).powi(2) * (4.0 * a + gamma * (1.0 - 2.0 * a)) - a.powi(3);
    own / (1.0 - a * (1.0 + (2.0 - a) * a))
}

#[test]
fn stale_blocks_are_as_common_as_on_the_network() {
    let world = World::new(HONEST);
    let chain = world.chain();
    let is_invalid = |number: &usize| world.blocks[*number].invalid;
    let stale = world.forks(&chain).iter().filter(|fork| !fork.loser.iter().any(is_invalid)).count();
    // 26 of 20,000 are expected, with a standard deviation of 5.
    assert!((11..=42).contains(&stale), "{stale}");
    let last = world.blocks.last().unwrap();
    let interval_s = last.found_s / world.blocks.len() as f64;
    assert!((interval_s / INTERVAL_S - 1.0).abs() < 0.05, "{interval_s}");
    assert!(world.blocks.iter().any(|block| block.invalid));
}

#[test]
fn a_race_is_won_by_the_longer_branch_of_the_same_fork() {
    let world = World::new(HONEST);
    let forks = world.forks(&world.chain());
    assert!(!forks.is_empty());
    for fork in forks {
        assert_eq!(fork.winner.len(), fork.loser.len() + 1);
        let [loser, winner] = [&fork.loser, &fork.winner].map(|branch| world.blocks[branch[0]].parent);
        assert_eq!(loser, winner);
    }
}

#[test]
fn the_same_seed_gives_the_same_world() {
    let [one, other] = [HONEST; 2].map(World::new);
    assert!((0..one.blocks.len()).all(|number| one.seen(number) == other.seen(number)));
    let other = World::new(Plan { seed: 43, ..HONEST });
    assert!((1..one.blocks.len()).any(|number| one.seen(number) != other.seen(number)));
}

#[test]
fn a_selfish_miner_gains_what_the_paper_says() {
    for (share, gamma) in [(0.2, 0.0), (0.3, 0.5), (0.4, 0.0), (0.4, 0.5)] {
        let attack = Attack { share, gamma, pause_s: 0.0 };
        let world = World::new(Plan { blocks: 30_000, attack: Some(attack), nodes: 1, ..HONEST });
        let chain = world.chain();
        let own = chain.iter().filter(|number| world.blocks[**number].pool == 0).count() as f64;
        let (found, expected) = (own / chain.len() as f64, revenue(attack));
        assert!((found - expected).abs() < 0.02, "share {share}, gamma {gamma}: {found}, not {expected}");
    }
}

#[test]
fn the_engine_hears_the_same_world_through_events() {
    let world = World::new(Plan { blocks: 5_000, ..HONEST });
    let names = Headers::of(&world);
    let (mut engine, mut rows) = (Engine::new(Settings::default()), Vec::new());
    let network = Network::from_chain("main").unwrap();
    for (sequence, Told { at, node, events }) in (1..).zip(tell(&world, &names, Oddities::default())) {
        engine.tick(at, &mut rows);
        engine.apply(&batch(network, node, sequence, AgentTime::default(), events), at, &mut rows);
    }
    let chain = world.chain();
    let (mut headers, mut reorgs) = (0, 0);
    for row in rows {
        match row {
            Row::BlockSighting(row) if row.stage == Stage::Header => {
                let node: usize = row.node.as_str().strip_prefix("node-").unwrap().parse().unwrap();
                if let Sight::Seen(seen) = world.seen(names.number(row.block).unwrap()).nodes[node] {
                    // The engine knows the clock at least as well as the exchange before the block tells it.
                    let told = Seen::of(&row.sighted).unwrap();
                    let slack_us = 1_000;
                    assert!(told.earliest.plus_micros(slack_us) >= seen.earliest);
                    let open_us = |seen: Seen| seen.latest.micros_since(seen.earliest);
                    assert!(open_us(told) <= open_us(seen) + slack_us);
                    // It may have been busy with the block before.
                    assert!(told.latest <= seen.latest.plus_micros(1_000_000));
                    headers += 1;
                }
            }
            Row::Finding(finding) => {
                let Body::Reorg(reorg) = &finding.body else { continue };
                assert!(!chain.contains(&names.number(*reorg.old.last().unwrap()).unwrap()));
                reorgs += 1;
            }
            _ => {}
        }
    }
    assert!(headers > 14_000, "{headers}");
    assert!(reorgs > 0);
}

#[test]
fn honest_days_with_all_that_nodes_go_through_wake_nobody() {
    let world = World::new(Plan { blocks: 800, nodes: 4, ..HONEST });
    let oddities =
        Oddities { slow: Some(3), new: Some((2, world.end_s() * 0.4)), is_wandering: true, hourly: 110 };
    let heard = hear(&world, oddities);
    assert!(heard.batches > 75_000, "{}", heard.batches);
    // Once a day each window says how it stands.
    assert!(heard.findings["selfish-mining"] > 4, "{:?}", heard.findings);
    let fired: Vec<_> = heard.alerts.values().filter(|alert| alert.fired_at_us.is_some()).collect();
    assert!(!fired.is_empty());
    assert!(fired.iter().all(|alert| alert.severity < Severity::Critical), "{fired:#?}");
}

#[test]
fn a_selfish_miner_is_told_of_within_days() {
    let attack = Some(Attack { share: 0.3, gamma: 0.0, pause_s: 0.0 });
    let heard = hear(&World::new(Plan { blocks: 400, nodes: 4, attack, ..HONEST }), Oddities::default());
    let is_told = |alert: &&Alert| alert.rule == "selfish-mining" && alert.severity == Severity::Critical;
    assert!(heard.alerts.values().filter(is_told).count() > 3, "{:#?}", heard.alerts);
}
