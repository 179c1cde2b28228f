//! What was found of delays and clocks: bob became slow when it lost peers, carol bit by bit, alice runs another version since,
//! and two clocks were not right.

use bmon_analysis::{
    finding::{
        Before, Beside, BlockTimes, Body, Change, ClockDrift, ClockStep, Extent, Measure, Slowness,
        VersionComparison, VersionFrom,
    },
    row::Row,
    statistic::{Rank, Shape, SignTest},
};
use bmon_event::{ServerTime, Source};

use super::{S, finding, name};

pub(super) fn rows(rows: &mut Vec<Row>, now: ServerTime) {
    let ago = |seconds: i64| now.plus_micros(-seconds * S);
    let mut tell =
        |number, node, seconds, body| rows.push(finding(number, node, ago(seconds), Source::Log, body));
    tell(1, "bob", 9_000, Body::BlockTimes(Box::new(block_times())));
    tell(2, "bob", 99_000, Body::BlockTimes(Box::new(BlockTimes { from_height: 0, ..block_times() })));
    tell(1, "bob", 7_000, Body::SlowNode(Box::new(slow_node())));
    let over = Slowness { over_at_us: Some(ago(95_000)), ..slow_node() };
    tell(2, "carol", 99_000, Body::SlowNode(Box::new(over)));
    tell(3, "bob", 8_000, Body::SlowNode(Box::new(slow_with_transactions(ago(22_400), ago(8_000)))));
    tell(1, "carol", 90_000, Body::DelayDrift(Box::new(delay_drift(ago(100)))));
    tell(1, "alice", 80_000, Body::VersionComparison(Box::new(version_comparison())));
    let alike = VersionComparison { measure: Measure::Arrival, is_alarm: false, ..version_comparison() };
    tell(2, "alice", 85_000, Body::VersionComparison(Box::new(alike)));
    let step = ClockStep { least_us: 1_998_400, most_us: 2_001_900, within_us: 10_012_000 };
    tell(1, "carol", 3_000, Body::ClockStep(step));
    let drift = ClockDrift {
        least_ppm: 131.4,
        most_ppm: 164.9,
        gained_us: 78_900,
        within_us: 600_300_000,
        over_at_us: None,
    };
    tell(1, "bob", 2_000, Body::ClockDrift(drift));
}

fn block_times() -> BlockTimes {
    BlockTimes {
        from_height: 144,
        arrival_us: vec![Some(0), Some(41_020), None, Some(2_140_300)],
        reconstruction_us: vec![Some(12_400), Some(131_900), None, None],
        requested: vec![Some(0), Some(14), None, None],
        processing_us: vec![Some(88_120), Some(488_230), None, Some(91_480)],
        peers: vec![Some(10), Some(10), None, Some(3)],
        versions: vec![VersionFrom { height: 144, version: "Bitcoin Core v30.0.0".to_owned() }],
    }
}

fn change(measure: Measure, usual: f64, now: f64, z: f64) -> Change {
    Change { measure, unit: measure.unit(), usual, now, z, rank: Rank { past: 168, as_large: 0 } }
}

fn slow_node() -> Slowness {
    Slowness {
        measure: Measure::Arrival,
        extent: Extent::Heights { from: 168, to: 191 },
        own: change(Measure::Arrival, 820_400.0, 4_120_000.0, 7.25),
        to_others: Beside {
            usual: 1.125,
            now: 4.875,
            z: 10.5,
            rank: Rank { past: 168, as_large: 0 },
            score: 8.5,
            shape: None,
        },
        factor_a_week: None,
        also: vec![
            change(Measure::Reconstruction, 21_300.0, 20_900.0, -0.25),
            change(Measure::Peers, 10.0, 3.0, -14.0),
        ],
        version_change: None,
        over_at_us: None,
    }
}

fn slow_with_transactions(from_us: ServerTime, to_us: ServerTime) -> Slowness {
    Slowness {
        measure: Measure::TxArrival,
        extent: Extent::Hours { from_us, to_us },
        own: change(Measure::TxArrival, 4_310_000.0, 12_900_000.0, 9.5),
        to_others: Beside { usual: 1.03, now: 2.97, ..slow_node().to_others },
        also: vec![change(Measure::TxMissed, 0.004, 0.031, 3.5), change(Measure::Peers, 10.0, 3.0, -14.0)],
        over_at_us: Some(to_us),
        ..slow_node()
    }
}

fn delay_drift(over_at: ServerTime) -> Slowness {
    let rank = Rank { past: 42, as_large: 1 };
    Slowness {
        measure: Measure::Processing,
        extent: Extent::Heights { from: 0, to: 143 },
        own: Change { rank, ..change(Measure::Processing, 118_000.0, 161_000.0, 4.5) },
        to_others: Beside {
            usual: 1.0,
            now: 1.375,
            z: 3.75,
            rank,
            score: 12.25,
            shape: Some(Shape::Slope { per_place: 0.000_048 }),
        },
        factor_a_week: Some(1.0496),
        also: Vec::new(),
        version_change: None,
        over_at_us: Some(over_at),
    }
}

fn version_comparison() -> VersionComparison {
    VersionComparison {
        measure: Measure::Processing,
        version: "Bitcoin Core v30.99.0-1a2b3c4d5e6f".to_owned(),
        nodes: vec![name("alice")],
        other_version: "Bitcoin Core v30.0.0".to_owned(),
        other_nodes: vec![name("bob"), name("carol")],
        from_height: 0,
        to_height: 143,
        unit: Measure::Processing.unit(),
        value: 128_400.0,
        other_value: 120_000.0,
        ratio: 1.07,
        pairs: SignTest { larger: 620, smaller: 240, equal: 3 },
        p: 1.5e-39,
        before: Some(Before {
            from_height: 0,
            to_height: 0,
            blocks: 1_998,
            value: 119_000.0,
            other_value: 119_000.0,
            ratio: 1.0,
            p: 2.5e-39,
            z: 5.25,
        }),
        is_alarm: true,
    }
}
