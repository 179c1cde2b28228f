//! Texts that whoever chose them may mean for the program that opens the file.

use bmon_analysis::{
    alert::{Alert, AlertId, AlertState, Severity},
    finding::{Body, Finding, FindingId, Gap, RejectedTx},
    pool::Miner,
    row::{MinerRow, NodeRow, Offset, Row, Sighted, TxChunk, TxColumn, TxIds, TxLeft, TxSeen},
};
use bmon_event::{AgentTime, BlockHash, Network, NodeName, ServerTime, Source, Txid, event::RemovalReason};

use crate::sample;

pub(super) const TEXTS: [&str; 18] = [
    "=HYPERLINK(\"http://127.0.0.1/?\"&A1,\"here\")",
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1:A9)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "'=1+1",
    "''",
    "＝1+1",
    "a,\"b\"\r\nregtest,=1+1",
    "\"",
    "\"\"",
    ",",
    " ",
    "\u{0}\u{1b}[2J\u{7f}",
    "\u{2028}\u{202e}\u{feff}",
    "\\\",\\n",
];

fn network() -> Network {
    Network::from_chain("regtest").unwrap()
}

fn alice() -> NodeName {
    "alice".parse().unwrap()
}

fn sighted(at: ServerTime) -> Sighted {
    let offset = Some(Offset { min_us: -3, max_us: 4 });
    Sighted { at: AgentTime::from_micros(at.as_micros()), offset }
}

fn finding(number: u32, at: ServerTime, body: Body) -> Row {
    Row::Finding(Box::new(Finding {
        id: FindingId::new(&network(), body.kind(), &[b"hostile", &number.to_le_bytes()]),
        revision: 1,
        network: network(),
        node: Some(alice()),
        sighted: sighted(at),
        sources: vec![Source::Log],
        body,
    }))
}

fn refusal(number: u32, at: ServerTime, code: &str) -> Row {
    let txid = Txid::from_bytes([9; 32]);
    let (code, reason) = (code.to_owned(), format!("{code}, no"));
    finding(number, at, Body::RejectedTx(RejectedTx { txid, wtxid: None, code, reason, peer: None }))
}

/// In every place where a text of others ends up, each of [`TEXTS`].
pub(super) fn rows(now: ServerTime) -> Vec<Row> {
    let mut rows = vec![node(now), left(now)];
    for (number, text) in (0_u8..).zip(TEXTS) {
        let block = BlockHash::from_bytes([number; 32]);
        let miner = Miner { pool: None, coinbase_text: text.to_owned() };
        rows.push(Row::Miner(MinerRow { network: network(), block, miner }));
        rows.push(refusal(number.into(), now, text));
        let to = AgentTime::from_micros(now.as_micros());
        let gap = Gap { source: Source::Log, from: None, to, lost: None, reason: text.to_owned() };
        rows.push(finding(number.into(), now, Body::Gap(gap)));
        rows.push(alert(number, now, text));
    }
    rows
}

fn node(now: ServerTime) -> Row {
    let Row::Node(mut row) = sample::alice(now) else { unreachable!("alice is a node") };
    row.version = Some(TEXTS[0].to_owned());
    Row::Node(Box::new(NodeRow { node: "mallory".parse().unwrap(), ..*row }))
}

/// Transactions that left, each with a text as the reason.
fn left(now: ServerTime) -> Row {
    let seen = TxSeen { source: Source::Log, sighted: sighted(now) };
    let left = |(place, text): (u16, &str)| {
        let reason = Some(RemovalReason::Unknown(text.to_owned()));
        (place, TxLeft { seen, reason, by: None })
    };
    let column = TxColumn {
        node: alice(),
        accepted: vec![None; TEXTS.len()],
        refused: vec![(0, seen)],
        left: (0..).zip(TEXTS).map(left).collect(),
    };
    let txid = |number: usize| Txid::from_bytes([u8::try_from(number).unwrap(); 32]);
    Row::TxChunk(Box::new(TxChunk {
        id: 2,
        network: network(),
        begun_at: now,
        last_at: now,
        is_full: false,
        txs: (0..TEXTS.len()).map(|number| TxIds { txid: txid(number), wtxid: None }).collect(),
        nodes: vec![column],
        mined: Vec::new(),
    }))
}

fn alert(number: u8, now: ServerTime, text: &str) -> Row {
    Row::Alert(Box::new(Alert {
        id: AlertId([0x80 + number; 16]),
        revision: 1,
        network: network(),
        rule: "lag".to_owned(),
        subject: text.to_owned(),
        node: None,
        severity: Severity::Info,
        state: AlertState::Firing,
        active_at_us: now,
        fired_at_us: None,
        resolved_at_us: None,
        summary: text.to_owned(),
        findings: Vec::new(),
    }))
}

/// So many findings of so many bytes each.
pub(super) fn long_findings(now: ServerTime, count: u32, bytes: usize) -> Vec<Row> {
    (0..count).map(|number| refusal(number, now, &"\"".repeat(bytes / 8))).collect()
}
