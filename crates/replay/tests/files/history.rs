//! Tip histories. The rows are those of a node in 2023, around the heights at which it replaced its tip.

use std::env;

use super::*;

const TIPS: &str = include_str!("../data/tips.csv");

/// The heights at which a second block took the place of the first.
const REPLACED: [u32; 11] =
    [781_277, 781_487, 783_478, 783_830, 788_837, 789_603, 792_379, 804_900, 815_202, 818_038, 819_343];

/// The heights of replaced tips, by the reorgs of a report.
fn replaced(report: &Report) -> Vec<u32> {
    assert!(report.reorgs.iter().all(|reorg| reorg.depth == 1 && reorg.new.len() == 2));
    report.reorgs.iter().map(|reorg| reorg.fork_height.unwrap() + 1).collect()
}

#[test]
fn every_replaced_tip_is_a_reorg_and_nothing_else_is() {
    let files = Files::new();
    let report = replay(&[node("n", &[&files.add("tips.csv", TIPS)])]).unwrap();
    assert_eq!(replaced(&report), REPLACED);
    let first = serde_json::to_value(&report.reorgs[0]).unwrap();
    let expected = serde_json::json!({
        "node": "n",
        "fork_height": 781_276,
        "depth": 1,
        "old": ["0000000000000000000388f42000fa901c01f2bfae36042bbae133ee430e6485"],
        "new": [
            "000000000000000000014bdfbf46969d9b1f290ad21f27f263e14881ef595627",
            "00000000000000000001e34fc5c0db02f3061e9d14df1d2df8c03cb3d72d0218",
        ],
        "duration_us": 0,
        "finished_at": "2023-03-18T01:51:29.000000Z",
    });
    assert_eq!(first, expected);
    assert_eq!((report.lines.total, report.blocks.len()), (286, 286));
    assert_eq!(report.nodes[0].height, Some(819_355));
    let parents = "`n`: its tip history tells no parents: they are taken from neighbouring heights";
    assert!(report.warnings.contains(&parents.to_owned()));
}

#[test]
fn rows_may_come_in_any_order_and_in_several_compressed_files() {
    let files = Files::new();
    let whole = told(replay(&[node("n", &[&files.add("tips.csv", TIPS)])]).unwrap());
    let mut rows: Vec<_> = TIPS.lines().collect();
    rows.sort_by_key(|row| row.chars().rev().collect::<String>());
    let (one, other) = rows.split_at(100);
    let header = "height,hash,milliseconds\r\n";
    let one = files.add("one.csv.gz", gzip(&format!("{header}{}", one.join("\r\n"))));
    let other = files.add("other.csv", other.join("\n"));
    assert_eq!(told(replay(&[node("n", &[&other, &one])]).unwrap()), whole);
}

/// The whole history, where `BMON_DATA` names its file or the folder that has it.
#[test]
fn the_whole_history_has_no_other_replaced_tip() {
    let Some(data) = env::var_os("BMON_DATA").map(PathBuf::from) else { return };
    let file = if data.is_dir() {
        let entries = fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().path());
        let is_history = |path: &PathBuf| path.to_string_lossy().ends_with(".csv.gz");
        entries.into_iter().find(is_history).expect("`BMON_DATA` has a file that ends in `.csv.gz`")
    } else {
        data
    };
    let report = replay(&[node("n", &[&file])]).unwrap();
    assert_eq!(replaced(&report), REPLACED);
    assert_eq!(report.blocks.len(), 42_628);
}

#[test]
fn blocks_above_a_replaced_one_leave_with_it() {
    let files = Files::new();
    let hash = |digit: char| digit.to_string().repeat(64);
    let rows = [(10, 'a', 1), (11, 'b', 2), (12, 'c', 3), (11, 'd', 4), (12, 'e', 5), (13, 'f', 6)]
        .map(|(height, digit, second)| format!("{height},{},{second}000\n", hash(digit)));
    let report = replay(&[node("n", &[&files.add("a.csv", rows.concat())])]).unwrap();
    let [reorg] = &report.reorgs[..] else { panic!("{:?}", report.reorgs) };
    let text = |blocks: &[bmon_event::BlockHash]| blocks.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!((reorg.fork_height, text(&reorg.old)), (Some(10), ['b', 'c'].map(hash).into()));
    assert_eq!(text(&reorg.new), ['d', 'e', 'f'].map(hash));
}

#[test]
fn no_parent_is_made_up_across_missing_heights() {
    let files = Files::new();
    let hash = |digit: char| digit.to_string().repeat(64);
    // 12 and 13 are missing; then comes a row below them, and a second block at 14, whose parent is unknown.
    let rows = [(10, 'a', 1), (11, 'b', 2), (14, 'c', 3), (11, 'd', 4), (14, 'e', 5), (15, 'f', 6)]
        .map(|(height, digit, second)| format!("{height},{},{second}000\n", hash(digit)));
    let report = replay(&[node("n", &[&files.add("a.csv", rows.concat())])]).unwrap();
    let reorgs: Vec<_> = report.reorgs.iter().map(|reorg| (reorg.fork_height, reorg.depth)).collect();
    assert_eq!(reorgs, [(Some(13), 1)]);
    let warnings = [
        "`n`: its tip history tells no parents: they are taken from neighbouring heights",
        "`n`: 2 heights are missing from its tip history",
        "`n`: 1 rows of its tip history are below its beginning or a missing height, and are left out",
    ];
    assert_eq!(report.warnings, warnings);
}

#[test]
fn a_line_that_is_no_row_is_named() {
    let files = Files::new();
    let good = TIPS.lines().next().unwrap();
    for bad in [
        "x",
        "1,2,3",
        &format!("{good},4"),
        &good.replace(',', ";"),
        &format!("-{good}"),
        "height,hash,milliseconds",
    ] {
        let file = files.add("a.csv", format!("{good}\n\n{bad}\n{good}\n"));
        let error = replay(&[node("n", &[&file])]).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("read line 3 of `{}`: expected `height,hash,milliseconds`", file.display())
        );
    }
}

#[test]
fn a_compressed_history_that_breaks_off_loses_its_last_row_only() {
    let files = Files::new();
    let mut content = gzip(TIPS);
    content.truncate(content.len() * 2 / 3);
    let report = replay(&[node("n", &[&files.add("a.csv.gz", content)])]).unwrap();
    assert!((100..286).contains(&report.lines.total), "{}", report.lines.total);
    assert!(report.warnings[0].contains("is cut off or damaged"), "{:?}", report.warnings);
}
