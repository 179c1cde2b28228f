//! What happened while the monitor was down is found, and what was found before is not begun anew.

use bmon_analysis::{alert::AlertState, finding::Body};
use bmon_event::event::TipStatus;

use crate::{
    fork::common,
    world::{MINUTE, SECOND, World},
};

#[test]
fn a_partition_that_began_before_a_restart_goes_on_and_heals_after_it() {
    let (mut world, genesis) = World::new();
    let fork = common(&mut world, genesis);
    let (left, right) = (world.chain(fork, 6), world.chain(fork, 4));
    world.connect_all(&["alice", "bob"], &left[..3]);
    world.connect("carol", &right);
    let before = world.found("partition")[0].revision;
    world.restart();
    world.wait(SECOND);
    assert_eq!(world.found("partition")[0].revision, before);
    world.connect_all(&["alice", "bob"], &left[3..]);
    world.reorganize("carol", &right, fork, &left);
    world.wait(SECOND);
    let Body::Partition(found) = world.only("partition") else { unreachable!("asked for") };
    assert!(found.healed_at_us.is_some() && world.found("partition")[0].revision > before);
    let states: Vec<_> = world.alerts_of("partition").into_iter().map(|(_, state, _)| state).collect();
    assert_eq!(states, [AlertState::Resolved]);
    assert!(world.turns.values().all(|turns| *turns == 1), "{:?}", world.turns);
}

#[test]
fn what_was_mined_and_left_behind_in_an_absence_is_found_after_it() {
    let (mut world, genesis) = World::new();
    let fork = common(&mut world, genesis);
    world.restart();
    world.now += 300 * MINUTE;
    let (stale, chain) = (world.block(fork), world.chain(fork, 30));
    world.chain_info("alice", chain[29], false);
    world.chain_tips("alice", &[(chain[29], TipStatus::Active), (stale, TipStatus::ValidFork)]);
    world.wait(SECOND);
    let Body::StaleBlock(found) = world.only("stale-block") else { unreachable!("asked for") };
    assert_eq!((found.block, found.replaced_by), (stale, chain[0]));
    let Body::Fork(found) = world.only("fork") else { unreachable!("asked for") };
    assert_eq!(found.winner, Some(chain[0]));
}

#[test]
fn a_server_that_was_away_takes_no_node_for_silent() {
    let (mut world, genesis) = World::new();
    common(&mut world, genesis);
    world.now += 60 * MINUTE;
    world.restart();
    world.wait(MINUTE);
    assert!(world.alerts.values().all(|alert| alert.state != AlertState::Firing), "{:#?}", world.alerts);
    world.wait(2 * MINUTE);
    let silent: Vec<_> =
        world.alerts_of("node-silent").into_iter().map(|(_, state, node)| (state, node)).collect();
    assert_eq!(silent, ["alice", "bob", "carol"].map(|node| (AlertState::Firing, node.to_owned())));
}
