//! Every line of the logs reaches Loki once and in order, whatever happens to either side. With `LOKI_EXE`, the path of a Loki 3, the
//! same is done with that one too.

mod lines;
mod model;
mod real;
mod site;

use std::{
    collections::BTreeMap,
    fs,
    ops::ControlFlow,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use bmon_devnet::Scenario;
use serde_json::Value;

use self::{
    lines::{Streams, Written},
    model::{Entries, Fault, Model, PATIENCE, UNWANTED},
    real::Real,
    site::{NODES, Watching},
};
use crate::support::{LIMIT, Random, Site, network, setting, wait_for};

/// Bytes that an agent may hold, whatever Loki does.
const MEMORY_BYTES: u64 = 60_000_000;

#[test]
fn every_line_reaches_loki_once_and_in_order_through_kills_and_an_outage() {
    let loki = Model::start(Fault::OneIn(20));
    let dir = tempfile::tempdir().unwrap();
    let (written, _watching) = written_through_kills_and_an_outage(dir.path(), loki.url(), |away| {
        loki.set(if away { Fault::Away } else { Fault::OneIn(20) });
    });
    let expected: usize = written.values().map(Vec::len).sum();
    wait_for("every line at Loki", PATIENCE, || (loki.len() >= expected).then_some(()));
    let (pushes, repeated) = loki.counts();
    println!("{expected} lines in {pushes} pushes, of which {repeated} lines came again");
    assert_same(&written, &by_node_and_category(loki.streams()));
}

#[test]
fn the_same_with_a_real_loki() {
    let Some(exe) = std::env::var_os("LOKI_EXE") else {
        println!("LOKI_EXE is not set: there is no Loki to try");
        return;
    };
    let [dir, logs] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut loki = Real::start(exe.as_ref(), dir.path());
    let url = loki.url();
    let (written, _watching) =
        written_through_kills_and_an_outage(
            logs.path(),
            &url,
            |away| if away { loki.kill() } else { loki.run() },
        );
    let expected: usize = written.values().map(Vec::len).sum();
    let streams = wait_for("every line at Loki", PATIENCE, || {
        let streams = loki.streams(&NODES);
        (streams.values().map(Vec::len).sum::<usize>() >= expected).then_some(streams)
    });
    println!("{expected} lines are in the real Loki");
    // It tells them in the order of their times, in which lines overtake one another.
    let [mut written, mut there] = [written, by_node_and_category(streams)];
    written.values_mut().chain(there.values_mut()).for_each(|lines| lines.sort());
    assert_same(&written, &there);
}

/// Four logs are written and rotated while the agent is killed three times and Loki is away once. Returns what was written, and the
/// agent, which goes on.
fn written_through_kills_and_an_outage(
    dir: &Path,
    url: &str,
    mut set_away: impl FnMut(bool),
) -> (Streams, Watching) {
    let lines = usize::try_from(setting("BMON_LOKI_LINES", 40_000)).unwrap() / NODES.len();
    let outage = Duration::from_secs(setting("BMON_LOKI_OUTAGE_SECONDS", 3));
    let mut watching = Watching::new(dir, url, "");
    let mut random = Random::seeded();
    // Writing takes as long as the kills and the outage do.
    let span = outage + Duration::from_secs(4);
    watching.start();
    let written: Vec<_> = thread::scope(|scope| {
        let writers: Vec<_> = NODES
            .iter()
            .map(|node| {
                let (log, seed) = (watching.log(node), random.below(u64::MAX));
                scope.spawn(move || Written::write(node, &log, lines, span, seed))
            })
            .collect();
        // Lines without a time get one when they are read, which must be the same after a kill.
        let stderr = watching.log(NODES[0]).with_file_name("stderr.log");
        let timeless = scope.spawn(move || Written::write_without_times(NODES[0], &stderr, lines / 10, span));
        let mut memory = 0;
        for kill in 0..3 {
            // What is tested is a moment of no meaning.
            thread::sleep(Duration::from_millis(200 + random.below(800)));
            memory = memory.max(watching.kill());
            watching.start();
            if kill == 1 {
                set_away(true);
                // What is tested is a stretch of time.
                thread::sleep(outage);
                memory = memory.max(watching.peak_memory());
                set_away(false);
            }
        }
        let writers = writers.into_iter().chain([timeless]);
        let written = writers.map(|writer| writer.join().unwrap()).collect();
        println!("at most {:.1} MB of the agent", memory as f64 / 1e6);
        assert!(memory < MEMORY_BYTES, "{memory}");
        written
    });
    (lines::merged(written), watching)
}

/// Entries in the order of their streams, by node and category.
fn by_node_and_category(streams: BTreeMap<String, Entries>) -> Streams {
    let mut all = Streams::new();
    for (labels, entries) in streams {
        let label = |name: &str| {
            let rest = labels.split_once(&format!("{name}=\""))?.1;
            Some(rest.split('"').next()?.to_owned())
        };
        assert_eq!(label("network").as_deref(), Some("regtest"), "{labels}");
        let category = label("category").unwrap_or_default();
        let is_stderr = label("source").is_some_and(|source| source == "stderr");
        let key = (label("node").unwrap(), if is_stderr { "stderr".to_owned() } else { category });
        assert!(all.insert(key, entries.into_iter().map(|(_, line)| line).collect()).is_none(), "{labels}");
    }
    all
}

fn assert_same(written: &Streams, there: &Streams) {
    assert_eq!(written.keys().collect::<Vec<_>>(), there.keys().collect::<Vec<_>>());
    for (stream, lines) in written {
        let there = &there[stream];
        let differ = lines.iter().zip(there).position(|(one, other)| one != other);
        assert!(
            differ.is_none() && lines.len() == there.len(),
            "{stream:?}: {} lines of {}, the first that differs is {differ:?}",
            there.len(),
            lines.len()
        );
    }
}

#[test]
fn what_real_nodes_log_is_at_loki_but_for_wallets_lines() {
    let loki = Model::start(Fault::None);
    let dir = tempfile::tempdir().unwrap();
    let network = network(dir.path(), 2);
    let mut site = Site::new(&dir.path().join("site"), network.nodes());
    let (url, own) = (loki.url(), dir.path().join("site/agent.log"));
    let own_log = format!("loki.own_log = '{}'", own.display());
    site.set(
        "agent",
        &format!("loki.url = '{url}'\nloki.encoding = 'json'\nloki.batch_wait_ms = 50\n{own_log}"),
    );
    site.start_server();
    site.start_agent();
    Scenario { blocks: 5, transactions: 40, ..Scenario::default() }
        .run(&network, &mut |_| ControlFlow::Continue(()))
        .unwrap();
    for node in network.nodes() {
        let name = node.name().as_str();
        let said = wait_for("all lines of a node at Loki", LIMIT, || {
            let log = fs::read_to_string(node.debug_log()).ok()?;
            let said: Vec<_> = log.lines().map(str::to_owned).collect();
            let there = lines_of(&loki, name, "debug.log");
            (said.iter().filter(|line| !is_private(line)).all(|line| there.contains_key(line)))
                .then_some((said, there))
        });
        let (said, there) = said;
        let count = |line: &String| said.iter().filter(|other| *other == line).count();
        for (line, times) in &there {
            assert!(!line.to_ascii_lowercase().contains("wallet"), "{line}");
            assert!(count(line) >= *times, "{line}");
        }
        println!("{name}: {} lines, {} different ones at Loki", said.len(), there.len());
    }
    let own = wait_for("the agent's own lines", LIMIT, || {
        let own = lines_of(&loki, network.nodes()[0].name().as_str(), "bmon");
        (!own.is_empty()).then_some(own)
    });
    assert!(own.keys().any(|line| line.contains("source works")), "{own:?}");
    assert_tip_is_labelled(&site, &network.nodes()[0].debug_log());
}

/// Lines of a node from one source, and how often each is there.
fn lines_of(loki: &Model, node: &str, source: &str) -> BTreeMap<String, usize> {
    let (node, source) = (format!("node=\"{node}\""), format!("source=\"{source}\""));
    let mut lines = BTreeMap::new();
    for (labels, entries) in loki.streams() {
        if labels.contains(&node) && labels.contains(&source) {
            for (_, line) in entries {
                *lines.entry(line).or_default() += 1;
            }
        }
    }
    lines
}

fn is_private(line: &str) -> bool {
    line.to_ascii_lowercase().contains("wallet") || line.contains("[default")
}

/// `bmon agent what-leaves` shows what was sent, with the hash of a block beside its line.
fn assert_tip_is_labelled(site: &Site, log: &Path) {
    let shown = site.bmon(&["agent", "what-leaves", "--json", "--lines", "100000"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let tips: Vec<_> = shown[0]["push"]["streams"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|stream| stream["values"].as_array().unwrap())
        .filter(|value| value[1].as_str().unwrap().contains(" UpdateTip: new best="))
        .collect();
    assert!(!tips.is_empty(), "{}", fs::read_to_string(log).unwrap());
    for tip in tips {
        let hash = tip[1].as_str().unwrap().split_once("best=").unwrap().1.get(..64).unwrap();
        assert_eq!(tip[2]["block_hash"], hash);
    }
    assert!(
        shown[0]["events"]
            .as_array()
            .unwrap()
            .iter()
            .any(|event| event.as_str().unwrap().contains("BlockConnected"))
    );
    let text = site.bmon(&["agent", "what-leaves"]);
    assert!(
        text.contains("events for the server http://127.0.0.1:") && text.contains("entries for Loki"),
        "{text}"
    );
}

#[test]
fn what_loki_refuses_and_what_is_too_old_is_kept_and_counted_and_stops_nothing_else() {
    let loki = Model::start(Fault::None);
    let dir = tempfile::tempdir().unwrap();
    let metrics = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut watching = Watching::new(dir.path(), loki.url(), &format!("metrics_listen = '{metrics}'\n"));
    let log = watching.log(NODES[0]);
    let now = lines::now();
    let mut text = String::from("2020-01-01T00:00:00Z of another year\n");
    for number in 0..500 {
        let what = if number % 100 == 7 { UNWANTED } else { "welcome" };
        text += &format!("{} line {number} is {what}\n", lines::stamp(now + number));
    }
    fs::write(&log, text).unwrap();
    watching.start();
    wait_for("all lines that Loki takes", LIMIT, || (loki.len() == 495).then_some(()));
    let page = wait_for("the count of what it does not take", LIMIT, || {
        let page =
            ureq::get(format!("http://{metrics}/metrics")).call().ok()?.body_mut().read_to_string().ok()?;
        page.contains("bmon_agent_loki_refused_entries_total{node=\"alice\"} 6.0\n").then_some(page)
    });
    assert!(page.contains("bmon_agent_loki_forgotten_entries_total{node=\"alice\"} 0.0\n"), "{page}");
    let kept = fs::read_to_string(dir.path().join("agent/alice.loki/debug.log.refused.jsonl")).unwrap();
    let kept: Vec<Value> = kept.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(kept.len(), 6);
    assert!(kept[0]["reason"].as_str().unwrap().contains("168 hours"), "{}", kept[0]);
    for letter in &kept[1..] {
        assert_eq!(letter["reason"], "400 an entry is not wanted");
        assert!(letter["push"]["streams"][0]["values"][0][1].as_str().unwrap().contains(UNWANTED));
    }
}

#[test]
fn a_core_pushes_its_lines_as_fast_as_promised() {
    let lines = usize::try_from(setting("BMON_LOKI_SPEED_LINES", 20_000)).unwrap();
    let loki = Model::start(Fault::OnlyAcknowledges);
    let dir = tempfile::tempdir().unwrap();
    let mut watching = Watching::new(dir.path(), loki.url(), "log_first_read_bytes = 1_000_000_000_000\n");
    let log = watching.log(NODES[0]);
    let written = Written::write(NODES[0], &log, lines, Duration::ZERO, 1);
    let bytes = fs::metadata(&log).unwrap().len();
    let count = written.len();
    let yardstick = lines::memchr_seconds(&log);
    let begin = lines::instant();
    watching.start_on_one_core();
    let place = dir.path().join("agent/alice.loki/debug.log.place");
    wait_for("the place behind the last line", PATIENCE, || {
        let place: Value = serde_json::from_slice(&fs::read(&place).ok()?).ok()?;
        (place["position"]["offset"].as_u64()? == bytes).then_some(())
    });
    let (took, cpu) = (Instant::elapsed(&begin).as_secs_f64(), watching.cpu_seconds());
    let memory = watching.kill();
    println!(
        "{count} lines, {:.0} MB, in {took:.2} s on one core, {cpu:.2} s of CPU, {:.1} MB pushed: {:.0} lines/s, {:.0} a CPU second, \
         at most {:.1} MB of memory; memchr goes through the file in {yardstick:.3} s",
        bytes as f64 / 1e6,
        loki.taken_bytes() as f64 / 1e6,
        count as f64 / took,
        count as f64 / cpu,
        memory as f64 / 1e6,
    );
    assert!(memory < MEMORY_BYTES, "{memory}");
    if !cfg!(debug_assertions) {
        assert!(count as f64 / took > 200_000.0 || count < 1_000_000, "too slow");
    }
}
