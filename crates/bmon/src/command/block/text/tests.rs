use std::{env, fs, path::Path};

use bmon_event::NodeName;

use super::*;

/// The reply that `docs/http-api.md` shows.
fn documented() -> Reply {
    let page = include_str!("../../../../../../docs/http-api.md");
    let reply = page.split("`GET /api/v1/blocks/0b01").nth(1).unwrap();
    let json = reply.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    serde_json::from_str(json).unwrap()
}

fn compare(name: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    if env::var_os("BMON_BLESS").is_some() {
        fs::write(&path, found).unwrap();
    }
    assert_eq!(found, fs::read_to_string(&path).unwrap_or_default(), "{name}");
}

#[test]
fn the_documented_reply_is_a_waterfall() {
    compare("block.txt", &block(&documented()));
}

/// Twelve nodes whose names, delays and counts are as long as they get.
fn large() -> Reply {
    let mut reply = documented();
    let (way, processing) = (reply.waterfall[0].clone(), reply.processing[0].clone());
    for number in 0..12_i64 {
        let node: NodeName = format!("node-with-a-long-name-{number}").parse().unwrap();
        let mut way = way.clone();
        way.first.node = node.clone();
        way.first.at_us += number * 987_654_321;
        (way.first.delay_us, way.first.bound_us) = (number * 987_654_321, Some(5_432_100));
        way.first.distinguishable = Some(true);
        for step in &mut way.steps {
            (step.delay_us, step.bound_us) = (number * 123_456, Some(1_234));
            step.distinguishable = Some(true);
        }
        reply.waterfall.push(way);
        let mut processing = processing.clone();
        processing.node = node;
        reply.processing.push(processing);
    }
    reply
}

#[test]
fn no_line_is_wider_than_a_terminal_and_none_of_the_nodes_is_left_out() {
    let reply = large();
    let text = block(&reply);
    let wide: Vec<_> = text.lines().filter(|line| line.chars().count() > WIDTH).collect();
    assert!(wide.is_empty(), "{wide:#?}");
    for way in &reply.waterfall {
        let node = way.first.node.as_str();
        assert!(text.lines().any(|line| line.starts_with(&format!("{node}: "))), "{node}");
    }
}

#[test]
fn bars_end_where_the_next_begin_and_the_longest_way_fills_the_scale() {
    let reply = documented();
    let longest = reply.waterfall.iter().map(lasted_us).max().unwrap();
    let scale = Scale::new(longest, BAR);
    let way = reply.waterfall.iter().find(|way| lasted_us(way) == longest).unwrap();
    let text = node(&reply, way, scale);
    let bars: Vec<_> = text.lines().filter_map(|line| line.split_once('|')).map(|(_, bar)| bar).collect();
    assert_eq!(bars.len(), way.steps.len());
    let mut end = 0;
    for bar in bars.iter().filter(|bar| bar.contains('█')) {
        let first = bar.chars().position(|letter| letter == '█').unwrap();
        assert_eq!(first, end, "{text}");
        end = bar.chars().take_while(|letter| *letter != '|').collect::<String>().trim_end().chars().count();
    }
    assert_eq!(end, BAR - 2, "{text}");
}

#[test]
fn a_block_of_which_no_node_told_anything_but_its_hash_is_said_to_be_so() {
    let mut reply = documented();
    reply.waterfall.clear();
    assert!(block(&reply).ends_with("no node told when it had the block\n"));
}
