use bmon_analysis::{
    alert::AlertState,
    finding::{Body, VersionBit},
};
use bmon_event::{Kind, Source, event::Deployment};

use crate::{
    fork::common,
    world::{SECOND, World, node},
};

const BIT: u32 = 4;
const PLAIN: u32 = 0x2000_0000;

fn deployment(status: &str, bit: Option<u32>) -> Kind {
    let status = Some(status.to_owned());
    Kind::Deployments(vec![Deployment {
        name: "fork".to_owned(),
        bit,
        active: status.as_deref() == Some("active"),
        status,
        ..Deployment::default()
    }])
}

/// What was found of the bit, as often as it was found.
fn found(world: &World) -> Vec<VersionBit> {
    let bit = |body: &Body| match body {
        Body::VersionBit(found) => Some(found.clone()),
        _ => None,
    };
    world.found("version-bit").iter().filter_map(|finding| bit(&finding.body)).collect()
}

/// Alice and bob after so many blocks of which the first `with` have the bit.
fn blocks(world: &mut World, with: usize, without: usize, tip: &mut bmon_event::BlockHash) {
    for place in 0..with + without {
        world.version = if place < with { PLAIN | 1 << BIT } else { PLAIN };
        *tip = world.block(*tip);
        world.connect_all(&["alice", "bob"], &[*tip]);
    }
}

#[test]
fn a_bit_of_half_the_blocks_is_told_until_few_have_it() {
    let (mut world, genesis) = World::new();
    let mut tip = common(&mut world, genesis);
    blocks(&mut world, 0, 100, &mut tip);
    blocks(&mut world, 50, 0, &mut tip);
    assert_eq!(found(&world), []);
    blocks(&mut world, 1, 0, &mut tip);
    world.wait(SECOND);
    let open = VersionBit { bit: BIT, blocks: 51, window: 100, height: 156, is_open: true };
    assert_eq!(found(&world), [open]);
    assert_eq!(world.alerts_of("unknown-version-bit")[0].1, AlertState::Firing);
    let said = world.said;
    blocks(&mut world, 49, 0, &mut tip);
    assert_eq!(world.said, said);
    blocks(&mut world, 0, 75, &mut tip);
    world.wait(SECOND);
    assert_eq!(
        found(&world).iter().map(|found| (found.blocks, found.is_open)).collect::<Vec<_>>(),
        [(25, false)]
    );
    assert_eq!(world.alerts_of("unknown-version-bit")[0].1, AlertState::Resolved);
}

#[test]
fn a_bit_that_a_node_knows_or_that_is_for_other_use_is_not_told() {
    let (mut world, genesis) = World::new();
    let mut tip = common(&mut world, genesis);
    world.tell("bob", Source::Rpc, vec![deployment("started", Some(BIT))]);
    blocks(&mut world, 110, 0, &mut tip);
    for _ in 0..110 {
        world.version = PLAIN | 0x1fff_e000;
        tip = world.block(tip);
        world.connect("alice", &[tip]);
    }
    assert_eq!(found(&world), []);
}

#[test]
fn a_deployment_that_changes_its_state_is_told_once_for_each_node() {
    let (mut world, genesis) = World::new();
    common(&mut world, genesis);
    for (name, told) in
        [("alice", deployment("started", Some(BIT))), ("bob", deployment("started", Some(BIT)))]
    {
        world.tell(name, Source::Rpc, vec![told.clone()]);
        world.tell(name, Source::Rpc, vec![told]);
    }
    assert_eq!(world.found("deployment-change").len(), 0);
    world.tell("alice", Source::Rpc, vec![deployment("locked_in", Some(BIT))]);
    world.tell("alice", Source::Rpc, vec![deployment("locked_in", Some(BIT))]);
    let Body::DeploymentChange(change) = world.only("deployment-change") else { unreachable!("asked for") };
    assert_eq!((change.deployment.as_str(), change.before.as_deref()), ("fork", Some("started")));
    assert_eq!((change.now.as_str(), change.bit), ("locked_in", Some(BIT)));
    assert_eq!(world.found("deployment-change")[0].node, Some(node("alice")));
}
