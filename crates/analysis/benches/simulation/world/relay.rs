//! The transactions of each hour, and when they come to each node.
//!
//! From its first announcement a transaction reaches 50 % of peers in 4.66 s, 90 % in 14.1 s and 99 % in 26.5 s (KIT, measured
//! from November 2024 to October 2025).
//!
//! Assumed, since no source tells it: how much of a delay is the transaction's own and how much each receiver's; that all nodes
//! hear of transactions a sixth later or sooner by the hour of the day, and that weeks differ as much; that a node misses one in
//! a hundred; and that a node's slow hours, and what follows each other, are for transactions what they are for blocks. Far fewer
//! come than on the network, so that chance is larger.

use std::{cmp::Reverse, collections::BinaryHeap, f64::consts::TAU};

use bmon_event::{Event, Kind, Txid};

use super::{Outage, Trouble, World, delay::Law, node::micros, random::Random, server, telling::logged};

const HOUR_S: f64 = 3_600.0;
const LAW: Law = Law([4.66, 14.1, 26.5]);
/// Share of the variance of a delay's logarithm that is the transaction's.
const OF_THE_TRANSACTION: f64 = 0.2;
/// By how much the hours of a day differ to all nodes, as a logarithm.
const OF_THE_HOUR: f64 = 0.15;
const MISSED: f64 = 0.01;
/// What sets the numbers of hours apart from others.
const OF_HOURS: u64 = 1 << 53;

/// When a transaction comes, in microseconds since the start, and its id.
type Coming = Reverse<(i64, [u8; 32])>;

/// Transactions on their way to nodes.
#[derive(Debug)]
pub(crate) struct Relay {
    /// So many are sent in an hour.
    hourly: u64,
    /// The hour to send next.
    hour: u64,
    /// To each node, the first first.
    coming: Vec<BinaryHeap<Coming>>,
}

impl Relay {
    pub(crate) fn new(world: &World, hourly: u64) -> Self {
        Self { hourly, hour: 0, coming: world.nodes.iter().map(|_| BinaryHeap::new()).collect() }
    }

    /// What a node's log tells until this second, in order.
    pub(crate) fn take(&mut self, world: &World, node: usize, until_s: f64) -> Vec<Event> {
        while self.hour as f64 * HOUR_S <= until_s {
            self.send(world);
        }
        let (coming, of_node, mut events) = (&mut self.coming[node], &world.nodes[node], Vec::new());
        let end = micros(until_s * 1e6);
        while coming.peek().is_some_and(|Reverse((us, _))| *us <= end) {
            let Some(Reverse((us, txid))) = coming.pop() else { break };
            let at_s = us as f64 / 1e6;
            let own_us = server(at_s).as_micros() - of_node.offset_us(at_s);
            let txid = Txid::from_bytes(txid);
            events.push(logged(
                own_us,
                Kind::TxAdded { txid, wtxid: None, peer: Some(1), mempool_sequence: None },
            ));
        }
        events
    }

    /// Forgets what came to a node until this second, which was not there.
    pub(crate) fn pass(&mut self, node: usize, until_s: f64) {
        let end = micros(until_s * 1e6);
        self.coming[node].retain(|Reverse((us, _))| *us > end);
    }

    /// Sends the transactions of the next hour.
    fn send(&mut self, world: &World) {
        let mut random = world.nodes[0].random(OF_HOURS + self.hour);
        for _ in 0..self.hourly {
            let at_s = (self.hour as f64 + random.unit()) * HOUR_S;
            let mut txid = [0; 32];
            txid[..8].copy_from_slice(&random.bits().to_le_bytes());
            txid[8..16].copy_from_slice(&self.hour.to_le_bytes());
            let of_all = random.normal() * OF_THE_TRANSACTION.sqrt();
            let of_the_hour = OF_THE_HOUR * (TAU * at_s / (24.0 * HOUR_S)).sin();
            for node in 0..world.nodes.len() {
                let place = of_all + random.normal() * (1.0 - OF_THE_TRANSACTION).sqrt();
                let delay_s = LAW.at_s(place) * of_the_hour.exp();
                if let Some(comes_s) = world.comes_s(node, at_s, delay_s, random.split()) {
                    self.coming[node].push(Reverse((micros(comes_s * 1e6), txid)));
                }
            }
        }
        self.hour += 1;
    }
}

impl World {
    /// When a transaction comes to a node, that was sent at this second and usually takes so long; `None` if it does not.
    fn comes_s(&self, node: usize, sent_s: f64, delay_s: f64, mut random: Random) -> Option<f64> {
        let (pace, fault) = (&self.paces[node], self.nodes[node].fault);
        let delay_s = delay_s * pace.relay(sent_s);
        let (is_taken, unit) = (random.unit(), random.unit());
        let comes_s = sent_s + fault.map_or(delay_s, |fault| fault.tx_delay_s(sent_s, delay_s, unit));
        let missed = MISSED + fault.map_or(0.0, |fault| fault.missed(sent_s));
        let outage = self.nodes[node].outage(comes_s).map(|Outage { trouble, .. }| trouble);
        let is_away = matches!(outage, Some(Trouble::Stopped | Trouble::CutOff));
        (is_taken >= missed && !is_away).then_some(comes_s)
    }
}
