use bmon_analysis::row::{BlockProcessing, BlockRow, BlockSighting, Offset};
use bmon_event::{AgentTime, BlockHash, Network, ServerTime, event::Processing};

use super::*;

const BLOCK: [u8; 32] = [7; 32];

fn network() -> Network {
    Network::from_chain("regtest").unwrap()
}

fn name(node: &str) -> NodeName {
    node.parse().unwrap()
}

/// At `us` by a clock that is `offset_us` behind the server's, to 50 µs.
fn sighted(us: i64, offset_us: i64) -> Sighted {
    let offset = Offset { min_us: offset_us - 50, max_us: offset_us + 50 };
    Sighted { at: AgentTime::from_micros(us), offset: Some(offset) }
}

/// A block as the store has it.
#[derive(Default)]
struct Kept {
    sightings: Vec<BlockSighting>,
    processing: Vec<BlockProcessing>,
    steps: Vec<BlockStep>,
}

impl Kept {
    fn stage(mut self, node: &str, stage: Stage, source: Source, sighted: Sighted) -> Self {
        let (network, block, node) = (network(), BlockHash::from_bytes(BLOCK), name(node));
        self.sightings.push(BlockSighting { network, block, node, source, stage, sighted });
        self
    }

    fn step(mut self, node: &str, step: Step, source: Source, sighted: Sighted) -> Self {
        let (network, block, node) = (network(), BlockHash::from_bytes(BLOCK), name(node));
        self.steps.push(BlockStep { network, block, node, source, step, sighted });
        self
    }

    fn took(mut self, node: &str, total_us: u64, sighted: Sighted) -> Self {
        let (network, block, node) = (network(), BlockHash::from_bytes(BLOCK), name(node));
        let processing = Processing { total_us, ..Processing::default() };
        self.processing.push(BlockProcessing { network, block, node, sighted, processing });
        self
    }

    fn ways(self) -> Vec<Way> {
        let row = BlockRow { network: network(), block: BlockHash::from_bytes(BLOCK), height: Some(1) };
        let Self { sightings, processing, steps } = self;
        let first_at = ServerTime::from_micros(0);
        ways(&BlockTimes { row, first_at, sightings, processing, miner: None }, steps)
    }
}

/// Each step's word with the time since the first.
fn steps(way: &Way) -> Vec<(String, i64)> {
    let word = |step: &Passed| serde_json::to_value(step).unwrap()["step"].as_str().unwrap().to_owned();
    way.steps.iter().map(|step| (word(&step.step), step.after_us)).collect()
}

fn same(found: &[(String, i64)], expected: &[(&str, i64)]) {
    let found: Vec<_> = found.iter().map(|(word, us)| (word.as_str(), *us)).collect();
    assert_eq!(found, expected);
}

#[test]
fn what_all_tables_hold_is_one_row_of_steps_in_the_order_of_the_nodes_clock() {
    let at = |us: i64| sighted(1_000 + us, 0);
    let (log, zmq) = (Source::Log, Source::Zmq);
    let announced = Step::Announced { message: Announcement::Cmpctblock, peer: 3 };
    let ways = Kept::default()
        .stage("a", Stage::Connected, log, at(900))
        .stage("a", Stage::Connected, zmq, at(850))
        .stage("a", Stage::Checked, log, at(700))
        .stage("a", Stage::Block, log, at(400))
        .stage("a", Stage::Header, log, at(0))
        .step("a", Step::Tip {}, zmq, at(940))
        .step("a", Step::Tip {}, log, at(960))
        .step("a", announced, log, at(0))
        .step("a", Step::CompactBlock { bytes: 9, peer: None }, log, at(30))
        .step("a", Step::TransactionsRequested { peer: 3 }, log, at(40))
        .step("a", Step::Received { peer: 3, bytes: None }, log, at(400))
        .took("a", 450, at(950))
        .ways();
    let [way] = ways.as_slice() else { panic!("one node told") };
    same(
        &steps(way),
        &[
            ("announced", 0),
            ("header", 0),
            ("compact-block", 30),
            ("transactions-requested", 40),
            ("received", 400),
            ("connecting", 500),
            ("checked", 700),
            ("connected", 900),
            ("tip", 960),
        ],
    );
    assert_eq!((way.first.delay_us, way.first.bound_us), (0, Some(0)));
}

#[test]
fn each_step_stands_beside_the_first_node_that_took_it() {
    let header =
        |kept: Kept, node, us, offset| kept.stage(node, Stage::Header, Source::Log, sighted(us, offset));
    let connected =
        |kept: Kept, node, us, offset| kept.stage(node, Stage::Connected, Source::Log, sighted(us, offset));
    // The clock of `b` is a second behind: it has the header 80 µs after `a`, and is connected 500 µs before.
    let kept = header(Kept::default(), "a", 1_000_000, 0);
    let kept = header(kept, "b", 80, 1_000_000);
    let kept = connected(kept, "a", 1_002_000, 0);
    let ways = connected(kept, "b", 1_500, 1_000_000).ways();
    let told: Vec<_> = ways
        .iter()
        .flat_map(|way| way.steps.iter().map(|step| (step.delay_us, step.bound_us, step.distinguishable)))
        .collect();
    let (first, close, late) =
        ((0, Some(0), Some(false)), (80, Some(100), Some(false)), (500, Some(100), Some(true)));
    assert_eq!(ways[0].first.node, name("a"));
    assert_eq!(told, [first, late, close, first]);
    assert_eq!(ways[1].steps[1].after_us, 1_420, "by its own clock");
    assert_eq!(ways[1].first.distinguishable, Some(false));
}

type Told<'a> = &'a [(Step, Source, Sighted)];

#[test]
fn the_first_announcement_is_that_of_the_log_or_none() {
    let log = Source::Log;
    let announced = |message, us| (Step::Announced { message, peer: 4 }, log, sighted(us, 0));
    let received = |us| (Step::Received { peer: 9, bytes: None }, log, sighted(us, 0));
    let cases: [(Told<'_>, Option<(Announcement, u64)>); 6] = [
        (&[announced(Announcement::Inv, 5)], Some((Announcement::Inv, 4))),
        // The header was known: of who announced it first the log does not tell.
        (&[announced(Announcement::Inv, 11)], None),
        (&[received(12)], None),
        // Up to 29 a line that follows that of the header tells the peer.
        (&[announced(Announcement::Cmpctblock, 11), received(90)], Some((Announcement::Cmpctblock, 4))),
        (&[received(9)], Some((Announcement::Block, 9))),
        (&[announced(Announcement::Headers, 10), received(9)], Some((Announcement::Block, 9))),
    ];
    for (steps, expected) in cases {
        let kept = Kept::default().stage("a", Stage::Header, log, sighted(10, 0));
        let kept = steps.iter().fold(kept, |kept, (step, source, at)| kept.step("a", *step, *source, *at));
        let ways = kept.ways();
        let found = ways[0].steps.iter().find_map(|step| match step.step {
            Passed::Announced { message, peer } => Some((message, peer)),
            _ => None,
        });
        assert_eq!(found, expected, "{steps:?}");
    }
}

#[test]
fn sightings_that_an_older_version_kept_are_steps_without_details() {
    let at = |us| sighted(us, 0);
    let ways = Kept::default()
        .stage("a", Stage::Header, Source::Log, at(1))
        .stage("a", Stage::Block, Source::Log, at(2))
        .stage("a", Stage::Connected, Source::Log, at(3))
        .ways();
    same(&steps(&ways[0]), &[("header", 0), ("received", 1), ("connected", 2)]);
    assert_eq!(ways[0].steps[1].step, Passed::Received { peer: None, bytes: None });
}
