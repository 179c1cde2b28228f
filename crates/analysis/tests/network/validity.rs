use bmon_analysis::finding::{Body, ValidityDisagreement};
use bmon_event::{Kind, event::TipStatus};

use crate::{
    fork::common,
    world::{SECOND, World, node},
};

fn only(world: &World) -> ValidityDisagreement {
    match world.only("validity-disagreement") {
        Body::ValidityDisagreement(found) => found,
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn nodes_that_disagree_are_found_with_the_reason_until_they_agree() {
    let (mut world, genesis) = World::new();
    let fork = common(&mut world, genesis);
    let split = world.chain(fork, 2);
    let reason = Some("bad-version(0x00000003), rejected nVersion=0x00000003 block".to_owned());
    world.log("carol", vec![Kind::BlockInvalid { block: split[0], height: Some(6), reason: reason.clone() }]);
    assert_eq!(world.found("validity-disagreement").len(), 0);
    world.connect_all(&["alice", "bob"], &split);
    let found = only(&world);
    assert!(found.is_open);
    assert_eq!((found.block, found.height), (split[0], 6));
    assert_eq!(found.valid_at, [node("alice"), node("bob")]);
    assert_eq!((found.invalid_at.len(), &found.invalid_at[0].node), (1, &node("carol")));
    assert_eq!(found.invalid_at[0].reason, reason);
    // `getchaintips` calls the end of the branch invalid too: the same disagreement.
    world.wait(60 * SECOND);
    world.chain_tips("carol", &[(fork, TipStatus::Active), (split[1], TipStatus::Invalid)]);
    let about: Vec<_> = world.found("validity-disagreement").iter().map(|finding| finding.revision).collect();
    assert!(about.len() <= 2, "{about:?}");
    world.wait(60 * SECOND);
    world.connect("carol", &split);
    let open = world.found("validity-disagreement").iter().any(|finding| match &finding.body {
        Body::ValidityDisagreement(found) => found.is_open,
        _ => false,
    });
    assert!(!open);
}

#[test]
fn a_block_that_is_only_too_early_is_not_disagreed_on() {
    let (mut world, genesis) = World::new();
    let fork = common(&mut world, genesis);
    let block = world.block(fork);
    let reason = Some("time-too-new, block timestamp too far in the future".to_owned());
    world.log("carol", vec![Kind::BlockInvalid { block, height: Some(6), reason }]);
    world.connect_all(&["alice", "bob"], &[block]);
    assert_eq!(world.found("validity-disagreement").len(), 0);
}
