//! What happens to the chain of real nodes is found, exactly, and each alert fires and ends once.

use std::{
    collections::BTreeSet,
    path::Path,
    time::{Duration, Instant},
};

use bmon_devnet::{
    Network,
    coin::Lock,
    exe,
    fork::{self, Activation, Party, Rule},
    truth,
};
use bmon_event::{BlockHash, NodeName};
use serde_json::Value;

use crate::support::{self, LIMIT, Site, setting, wait_for};

/// Nodes that are watched, and who watches them.
fn watched(dir: &Path, network: &Network) -> Site {
    let mut site = Site::new(&dir.join("bmon"), network.nodes());
    site.start_server();
    site.start_agent();
    site.wait_for_sources(network.nodes());
    wait_for("the header of every node's tip", LIMIT, || {
        let tips = site.try_get("tips")?;
        let nodes = tips["networks"].as_array()?.first()?["nodes"].as_array()?.len();
        (nodes == network.nodes().len()).then_some(())
    });
    site
}

fn names(value: &Value) -> BTreeSet<NodeName> {
    value.as_array().unwrap().iter().map(|name| name.as_str().unwrap().parse().unwrap()).collect()
}

fn hashes(value: &Value) -> Vec<BlockHash> {
    value.as_array().unwrap().iter().map(|hash| hash.as_str().unwrap().parse().unwrap()).collect()
}

/// The item of a list of which `is` holds, as soon as there is one.
fn found(site: &Site, list: &str, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    wait_for(&format!("{what} among {list}"), LIMIT, || site.list(list).into_iter().find(|item| is(item)))
}

fn is_at(fork: BlockHash) -> impl Fn(&Value) -> bool {
    move |item| item["fork"] == fork.to_string()
}

#[expect(clippy::disallowed_methods, reason = "a test says how long it took")]
fn started() -> Instant {
    Instant::now()
}

/// How often each is staged.
fn runs() -> u64 {
    setting("BMON_CHAIN_RUNS", 1)
}

#[test]
fn reorgs_races_and_refused_blocks_are_found_exactly() {
    for run in 1..=runs() {
        let start = started();
        reorgs_races_and_refused_blocks(run == runs());
        println!("forks and refused blocks, run {run}: all found, {:.1} s", start.elapsed().as_secs_f64());
    }
}

fn reorgs_races_and_refused_blocks(is_last: bool) {
    let dir = tempfile::tempdir().unwrap();
    let network = support::network(dir.path(), 3);
    // So that there is a chain before anything is staged.
    let first = fork::reorg(&network, 2, 1).unwrap();
    let site = watched(dir.path(), &network);

    let reorgs = [fork::reorg(&network, 0, 1).unwrap(), deep_reorg(&site, &network)];
    for reorg in &reorgs {
        check_reorg(&site, reorg);
    }
    let (race, decision) = check_race(&site, &network);
    let withheld = fork::withhold(&network, &[0, 1, 2], 1, 2).unwrap();
    check_withheld(&site, &withheld);
    let invalid = fork::invalid(&network).unwrap();
    check_invalid(&site, &invalid);
    let branch = fork::invalid_branch(&network).unwrap();
    check_invalid(&site, &branch.block);

    let mut left: BTreeSet<BlockHash> = reorgs.iter().flat_map(|reorg| reorg.old.clone()).collect();
    left.extend(decision.reorgs.iter().flat_map(|reorg| reorg.old.clone()));
    check_nothing_else(&site, &left, &[&first.old, &withheld.blocks]);
    assert_eq!(site.list("validity-disagreements").len(), 0);
    // Three blocks on each side are a partition, of which a reorg of three is the healing.
    let partitions = site.list("partitions");
    assert_eq!(partitions.len(), 1, "{partitions:#?}");
    assert_eq!(partitions[0]["fork_height"].as_u64(), Some(reorgs[1].fork_height.into()));
    assert!(!partitions[0]["healed_at_us"].is_null());
    check_alerts(&site, &reorgs, &race, &[&invalid, &branch.block]);
    if is_last && setting("BMON_CHAIN_ENDS", 0) > 0 {
        check_ends(&site);
    }
}

/// Three blocks are left for four. The two sides join only when the server has seen them apart: on a busy machine an agent may tell of
/// both in one batch, and then nobody was apart when it came.
fn deep_reorg(site: &Site, network: &Network) -> truth::Reorg {
    let reorg = fork::part(network, 1, 3).unwrap();
    found(site, "partitions", "the partition", |item| {
        item["fork_height"].as_u64() == Some(reorg.fork_height.into())
    });
    fork::join(network, &reorg).unwrap();
    reorg
}

/// Every alert fires once and ends once: those about something that happened ten minutes after it.
fn check_ends(site: &Site) {
    let began = site.list("alerts");
    let ended = wait_for("the end of every alert", Duration::from_mins(12), || {
        let alerts = site.list("alerts");
        alerts.iter().all(|alert| alert["state"] == "resolved").then_some(alerts)
    });
    let ids = |alerts: &[Value]| alerts.iter().map(|alert| alert["id"].to_string()).collect::<BTreeSet<_>>();
    assert_eq!(ids(&began), ids(&ended));
    for alert in &ended {
        assert!(alert["fired_at_us"].as_i64() <= alert["resolved_at_us"].as_i64(), "{alert}");
    }
    println!("{} alerts fired once and ended once", ended.len());
}

fn check_reorg(site: &Site, reorg: &truth::Reorg) {
    let tip = reorg.old.last().unwrap().to_string();
    // ZMQ, which tells no heights, may be heard before the log.
    let is_told = |item: &Value| {
        item["node"] == reorg.node.as_str()
            && item["old"].as_array().unwrap().last().unwrap() == tip.as_str()
            && !item["fork_height"].is_null()
            && item["new"].as_array().unwrap().len() == reorg.new.len()
    };
    let item = found(site, "reorgs", "the reorg", is_told);
    assert_eq!(
        (item["fork_height"].as_u64(), hashes(&item["old"])),
        (Some(reorg.fork_height.into()), reorg.old.clone())
    );
    assert_eq!(hashes(&item["new"]), reorg.new);
    for block in &reorg.old {
        let stale =
            found(site, "stale-blocks", "a block that was left", |item| item["block"] == block.to_string());
        assert_eq!(stale["is_stale"], true);
        assert_eq!(stale["fork_height"].as_u64(), Some(reorg.fork_height.into()));
    }
    let decided = |item: &Value| {
        item["fork_height"].as_u64() == Some(reorg.fork_height.into())
            && item["winner"] == reorg.new[0].to_string()
    };
    let fork = found(site, "forks", "the fork", decided);
    assert_eq!(fork["is_race"], false);
    let branches: Vec<_> =
        fork["branches"].as_array().unwrap().iter().map(|branch| hashes(&branch["blocks"])).collect();
    // A fork names the first six blocks of a branch.
    for branch in [&reorg.old, &reorg.new] {
        assert!(branches.iter().any(|named| *named == branch[..branch.len().min(6)]), "{branches:?}");
    }
}

fn check_race(site: &Site, network: &Network) -> (truth::Race, truth::Decision) {
    let race = fork::race(network).unwrap();
    let is_open = |item: &Value| {
        is_at(race.fork)(item) && item["branches"].as_array().unwrap().len() == race.branches.len()
    };
    let open = wait_for("the race with everybody on a branch", LIMIT, || {
        let item = site.list("forks").into_iter().find(is_open)?;
        let on_branches =
            item["branches"].as_array()?.iter().map(|branch| branch["active_at"].as_array().unwrap().len());
        (on_branches.sum::<usize>() == network.nodes().len()).then_some(item)
    });
    assert_eq!((&open["is_race"], &open["winner"]), (&Value::Bool(true), &Value::Null));
    for branch in &race.branches {
        let of_block = |found: &&Value| hashes(&found["blocks"]) == [branch.block];
        let found = open["branches"].as_array().unwrap().iter().find(of_block).unwrap();
        assert_eq!(names(&found["active_at"]), branch.nodes.iter().cloned().collect());
    }
    found(site, "alerts", "the race", |item| item["rule"] == "race" && item["state"] == "firing");
    let decision = fork::decide(network, &race, 1).unwrap();
    let is_over = |item: &Value| is_at(race.fork)(item) && item["winner"] == decision.winner.to_string();
    let over = found(site, "forks", "the end of the race", is_over);
    assert_eq!(over["is_race"], false);
    for reorg in &decision.reorgs {
        found(site, "stale-blocks", "a loser", |item| item["block"] == reorg.old[0].to_string());
    }
    (race, decision)
}

fn check_withheld(site: &Site, withheld: &truth::Withheld) {
    let tip = withheld.blocks.last().unwrap().to_string();
    wait_for("the headers without blocks at every node", LIMIT, || {
        let tips = site.get("tips");
        let tips = tips["networks"][0]["tips"].as_array()?;
        let tip = tips.iter().find(|item| item["block"] == tip.as_str())?;
        let header_only = |status: &&Value| status["status"] == "header-only";
        let count = tip["nodes"].as_array()?.iter().filter(header_only).count();
        (count == withheld.nodes.len()).then_some(())
    });
}

fn check_invalid(site: &Site, invalid: &truth::InvalidBlock) {
    for node in &invalid.nodes {
        let item = found(site, "invalid-blocks", "the verdict of each node", |item| {
            item["block"] == invalid.block.to_string() && item["node"] == node.as_str()
        });
        assert!(item["reason"].as_str().unwrap().starts_with(&invalid.code), "{item}");
    }
}

/// Blocks that were left are stale, and no others, but for those that were there before or never came.
fn check_nothing_else(site: &Site, left: &BTreeSet<BlockHash>, others: &[&[BlockHash]]) {
    let others: BTreeSet<BlockHash> = others.iter().flat_map(|blocks| blocks.iter().copied()).collect();
    let valid =
        |item: &Value| item["nodes"].as_array().unwrap().iter().all(|node| node["status"] != "invalid");
    let stale = site.list("stale-blocks").into_iter().filter(valid);
    let stale: BTreeSet<BlockHash> =
        stale.map(|item| item["block"].as_str().unwrap().parse().unwrap()).collect();
    assert_eq!(&stale.difference(&others).copied().collect::<BTreeSet<_>>(), left);
}

/// One alert for each branch that was left and each bad block, each at most once.
fn check_alerts(site: &Site, reorgs: &[truth::Reorg], race: &truth::Race, invalid: &[&truth::InvalidBlock]) {
    let alerts = site.list("alerts");
    let of = |rule: &str| -> Vec<&Value> { alerts.iter().filter(|alert| alert["rule"] == rule).collect() };
    for reorg in reorgs {
        let about: Vec<_> =
            of("reorg").into_iter().filter(|alert| alert["subject"] == reorg.old[0].to_string()).collect();
        assert_eq!(about.len(), 1);
        let severity = if reorg.old.len() >= 3 { "critical" } else { "info" };
        assert_eq!(about[0]["severity"], severity);
    }
    let bad: BTreeSet<_> =
        of("bad-block").iter().map(|alert| alert["subject"].as_str().unwrap().to_owned()).collect();
    assert_eq!(bad, invalid.iter().map(|invalid| invalid.block.to_string()).collect());
    // Any of the reorgs may have begun as a race, if both sides were seen at the same height.
    let races = of("race");
    assert!(races.iter().all(|alert| alert["state"] == "resolved"), "{races:#?}");
    assert_eq!(races.iter().filter(|alert| alert["subject"] == race.fork.to_string()).count(), 1);
}

/// Three nodes of which the last enforces a rule.
fn split_network(dir: &Path, rule: Rule) -> (Network, Activation) {
    let exes = exe::find().unwrap_or_else(|error| panic!("{error}: {}", error.hint()));
    let activation = Activation { rule, strict: vec![2], height: 4 };
    let mut configs = Network::configs(3, &exes, &dir.join("nodes"));
    activation.enforce(&mut configs);
    let network = Network::start_from(configs).unwrap();
    // Without a recent block nodes are in initial block download.
    let tip = network.nodes()[0].mine(1, Lock::new(0)).unwrap()[0];
    network.wait_for_tip(&[0, 1, 2], tip).unwrap();
    (network, activation)
}

/// The only partition, as soon as `is` holds of it.
fn partition(site: &Site, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    wait_for(what, LIMIT, || {
        let partitions = site.list("partitions");
        assert!(partitions.len() <= 1, "{partitions:#?}");
        partitions.into_iter().find(&is)
    })
}

fn check_partition(site: &Site, split: &truth::Split) {
    let lengths = [&split.strict, &split.lenient].map(|side| (side.blocks.len(), side.nodes.clone()));
    let item = partition(site, "the partition with both sides as they are", |item| {
        let sides = item["sides"].as_array().unwrap();
        lengths.iter().all(|(length, nodes)| {
            let is = |side: &&Value| {
                side["length"].as_u64() == Some(*length as u64)
                    && names(&side["nodes"]) == nodes.iter().cloned().collect()
            };
            sides.iter().any(|side| is(&side))
        })
    });
    assert_eq!(
        (item["fork"].as_str(), item["healed_at_us"].is_null()),
        (Some(split.fork.to_string().as_str()), true)
    );
    let alert = found(site, "alerts", "the partition", |alert| alert["rule"] == "partition");
    assert_eq!((&alert["severity"], &alert["state"]), (&"critical".into(), &"firing".into()));
}

#[test]
fn a_consensus_split_is_one_partition_until_it_heals() {
    for run in 1..=runs() {
        let start = started();
        consensus_split();
        println!("consensus split, run {run}: found and healed, {:.1} s", start.elapsed().as_secs_f64());
    }
}

fn consensus_split() {
    let dir = tempfile::tempdir().unwrap();
    let (network, activation) = split_network(dir.path(), Rule::CoinbaseHeight);
    let mut site = watched(dir.path(), &network);
    let mut split = activation.split(&network).unwrap();
    let disagreement = found(&site, "validity-disagreements", "the split", |item| item["is_open"] == true);
    assert_eq!(disagreement["block"], split.lenient.blocks[0].to_string());
    assert_eq!(names(&disagreement["valid_at"]), split.lenient.nodes.iter().cloned().collect());
    assert_eq!(disagreement["invalid_at"][0]["node"], split.strict.nodes[0].as_str());
    assert!(
        disagreement["invalid_at"][0]["reason"].as_str().unwrap().starts_with("bad-cb-height"),
        "{disagreement}"
    );
    for _ in 0..4 {
        fork::extend(&network, &mut split, Party::Lenient, 1).unwrap();
        fork::extend(&network, &mut split, Party::Strict, 1).unwrap();
    }
    check_partition(&site, &split);
    // It goes on through a restart of the server, as the same.
    site.kill_server();
    site.start_server();
    fork::extend(&network, &mut split, Party::Lenient, 1).unwrap();
    check_partition(&site, &split);
    let reorgs = site.list("alerts").iter().filter(|alert| alert["rule"] == "reorg").count();
    assert_eq!(reorgs, 0);

    let healing = fork::heal(&network, &mut split).unwrap();
    let healed = partition(&site, "the healing", |item| !item["healed_at_us"].is_null());
    assert_eq!(healed["fork"], split.fork.to_string());
    for reorg in &healing {
        check_reorg(&site, reorg);
    }
    found(&site, "validity-disagreements", "the end of the disagreement", |item| item["is_open"] == false);
    let alerts = wait_for("the end of both alerts", LIMIT, || {
        let alerts = site.list("alerts");
        let about =
            |rule: &str| alerts.iter().filter(|alert| alert["rule"] == rule).cloned().collect::<Vec<_>>();
        let all = [about("partition"), about("validity-disagreement")];
        all.iter().flatten().all(|alert| alert["state"] == "resolved").then_some(all)
    });
    assert_eq!(alerts.map(|alerts| alerts.len()), [1, 1]);
    let reorgs = found(&site, "alerts", "one alert for all that were left", |alert| alert["rule"] == "reorg");
    assert_eq!(reorgs["subject"], split.lenient.blocks[0].to_string());
}

#[test]
fn a_split_of_the_proof_of_work_is_a_partition_although_no_node_lists_the_other_side() {
    for run in 1..=runs() {
        let start = started();
        proof_of_work_split();
        println!("split of the proof of work, run {run}: found, {:.1} s", start.elapsed().as_secs_f64());
    }
}

fn proof_of_work_split() {
    let dir = tempfile::tempdir().unwrap();
    let (network, activation) = split_network(dir.path(), Rule::ProofOfWork);
    let site = watched(dir.path(), &network);
    let mut split = activation.split(&network).unwrap();
    fork::extend(&network, &mut split, Party::Lenient, 3).unwrap();
    fork::extend(&network, &mut split, Party::Strict, 3).unwrap();
    check_partition(&site, &split);
    let item = &site.list("partitions")[0];
    assert!(item["most_work"].is_null(), "{item}");
    let proofs: BTreeSet<_> = item["sides"]
        .as_array()
        .unwrap()
        .iter()
        .map(|side| side["proof_of_work"].as_str().unwrap())
        .collect();
    assert_eq!(proofs, ["blake2b", "sha256d"].into());
    assert_eq!(site.list("stale-blocks").len() + site.list("reorgs").len() + site.list("lags").len(), 0);
}
