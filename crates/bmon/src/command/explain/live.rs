//! What a live server and the agents' logs tell.

use bmon_analysis::{
    explain::{Explanation, Heard, LogLine, LogRead, Witness},
    row::Offset,
};
use bmon_corelog::Line;
use bmon_event::{AgentTime, NodeName, NodeTime, Source, Subject, Wtxid};
use bmon_server::api::{block, gaps, log_lines, nodes, tx};

use crate::{
    client::Client,
    failure::{Code, Result},
};

/// What the server itself knows of the subject.
struct Told {
    network: String,
    height: Option<u32>,
    wtxid: Option<Wtxid>,
    sightings: Vec<Sighting>,
    verdicts: Vec<Verdict>,
}

struct Sighting {
    node: NodeName,
    heard: Heard,
    offset: Option<Offset>,
}

/// A refusal, at a time on the server's clock.
struct Verdict {
    node: NodeName,
    source: Source,
    at_us: i64,
    text: String,
}

/// Asks the server, and through it the agents.
pub(super) fn explain(client: &Client, subject: Subject) -> Result<Explanation> {
    let (word, hash) = (subject.word(), subject.hash());
    let told = match subject {
        Subject::Block(_) => of_block(client.get(&format!("blocks/{hash}"))?),
        Subject::Tx(_) => of_tx(client.get(&format!("txs/{hash}"))?),
    };
    let lines = or_not_found(client.get(&format!("log-lines/{word}/{hash}")))?;
    let nodes: nodes::Reply = client.get("nodes")?;
    let gaps: gaps::Reply = client.get("gaps?limit=500")?;
    let of_network = nodes.nodes.iter().filter(|node| node.network == told.network);
    let witnesses = of_network.map(|node| witness(node, &told, lines.as_ref(), &gaps)).collect();
    let explanation = Explanation::new(subject, witnesses);
    let height = told.height.or(explanation.height);
    Ok(Explanation { network: Some(told.network), height, ..explanation })
}

/// `None` where there is nothing: a server of an earlier version has no lines.
fn or_not_found<T>(answer: Result<T>) -> Result<Option<T>> {
    match answer {
        Err(failure) if failure.code == Code::NotFound => Ok(None),
        answer => answer.map(Some),
    }
}

fn of_block(reply: block::Reply) -> Told {
    let sightings = reply.sightings.into_iter().map(|sighting| Sighting {
        node: sighting.node,
        heard: Heard::stage(sighting.source, AgentTime::from_micros(sighting.node_at_us), sighting.stage),
        offset: sighting.offset_us.map(offset),
    });
    let verdicts = reply.invalid.into_iter().filter_map(|found| {
        Some(Verdict {
            node: found.node?,
            source: found.sources.first().copied().unwrap_or(Source::Log),
            at_us: found.at_us,
            text: found
                .body
                .reason
                .map_or_else(|| "invalid".to_owned(), |reason| format!("invalid: {reason}")),
        })
    });
    Told {
        network: reply.block.network,
        height: reply.block.height,
        wtxid: None,
        sightings: sightings.collect(),
        verdicts: verdicts.collect(),
    }
}

fn of_tx(reply: tx::Reply) -> Told {
    let sightings = reply.nodes.iter().flat_map(|told| {
        let seen = [&told.accepted, &told.refused].into_iter().flatten();
        seen.map(|seen| Sighting {
            node: told.node.clone(),
            heard: Heard::tx(seen.source, AgentTime::from_micros(seen.node_at_us)),
            offset: seen.offset_us.map(offset),
        })
    });
    let sightings = sightings.collect();
    let verdicts = reply.rejections.into_iter().filter_map(|found| {
        Some(Verdict {
            node: found.node?,
            source: found.sources.first().copied().unwrap_or(Source::Log),
            at_us: found.at_us,
            text: format!("refused: {}", found.body.reason),
        })
    });
    Told { network: reply.network, height: None, wtxid: reply.wtxid, sightings, verdicts: verdicts.collect() }
}

const fn offset([min_us, max_us]: [i64; 2]) -> Offset {
    Offset { min_us, max_us }
}

/// Puts together what is known of one node.
fn witness(node: &nodes::Node, told: &Told, lines: Option<&log_lines::Reply>, gaps: &gaps::Reply) -> Witness {
    let sightings = || told.sightings.iter().filter(|sighting| sighting.node == node.node);
    let now = node.clock_offset_us.zip(node.clock_bound_us);
    let offset = sightings()
        .find_map(|sighting| sighting.offset)
        .or(now.map(|(middle, bound)| offset([middle - bound, middle + bound])));
    let shift = offset.map_or(0, Offset::middle_us);
    let verdicts = told.verdicts.iter().filter(|verdict| verdict.node == node.node).map(|verdict| Heard {
        source: verdict.source,
        at: AgentTime::from_micros(verdict.at_us - shift),
        text: verdict.text.clone(),
    });
    let mut witness = Witness {
        version: node.version.clone(),
        heard: sightings().map(|sighting| sighting.heard.clone()).chain(verdicts).collect(),
        wtxid: told.wtxid,
        offset,
        ..Witness::new(node.node.clone())
    };
    witness.heard.sort_by_key(|heard| heard.at);
    add_lines(&mut witness, lines);
    witness.unknown.extend(near_gaps(&witness, gaps));
    witness
}

/// Adds the lines of the node's log, or why there are none.
fn add_lines(witness: &mut Witness, lines: Option<&log_lines::Reply>) {
    let Some(lines) = lines else {
        witness.unknown.push("this server does not ask for the lines of logs".to_owned());
        return;
    };
    let Some(found) = lines.nodes.iter().find(|found| found.node == witness.node) else {
        witness.unknown.push("its log was not searched".to_owned());
        return;
    };
    if let Some(problem) = &found.problem {
        witness.unknown.push(format!("searching its log: {problem}"));
    }
    let is_searched = found.problem.is_none() || !found.lines.is_empty();
    witness.log = is_searched.then_some(LogRead { is_complete: found.complete, ..LogRead::default() });
    let mut last = None;
    for line in &found.lines {
        last = Line::parse(line.as_bytes()).time.or(last);
        witness.lines.push(LogLine { at: last, raw: line.clone().into_bytes() });
    }
}

/// Gaps of the node that lie around what it told, or anywhere if it told nothing.
fn near_gaps(witness: &Witness, gaps: &gaps::Reply) -> Vec<String> {
    let times = || {
        let of_lines = witness.lines.iter().filter_map(|line| line.at).map(NodeTime::as_micros);
        of_lines.chain(witness.heard.iter().map(|heard| heard.at.as_micros()))
    };
    let (first, last) = (times().min(), times().max());
    let is_near = |gap: &gaps::Gap| {
        first.is_none_or(|first| gap.to_us >= first)
            && last.zip(gap.from_us).is_none_or(|(last, from)| from <= last)
    };
    let of_node =
        gaps.gaps.iter().filter(|found| found.node.as_ref() == Some(&witness.node) && is_near(&found.body));
    let sentence = |gap: &gaps::Gap| {
        let from = gap.from.as_deref().unwrap_or("an unknown time");
        format!("its {} may have said more from {from} to {}: {}", gap.source.as_str(), gap.to, gap.reason)
    };
    of_node.map(|found| sentence(&found.body)).collect()
}
