use std::{path::PathBuf, time::Instant};

use bmon_event::{Kind, Source, Want, Wanted, event::Headers};

use super::{
    ANSWER_BYTES, ANSWER_BYTES_PER_MINUTE, BESIDE_BLOCKS_BYTES, Bounds, PROBLEM_BYTES, READ_BYTES,
    READ_BYTES_PER_MINUTE, block_part,
    chain_rpc::ChainRpc,
    desk::{Desk, Order, Refused, Wanting},
    headers,
    log_lines::Request,
    mempool_spends,
    per_minute::PerMinute,
    raw_tx,
};
use crate::{
    clock,
    config::{LogConfig, RpcConfig},
    health::Counters,
    privacy::Privacy,
    shipper::chain,
    source::{Context, Reader},
};

/// Fulfils wants, one after the other.
pub(crate) struct Clerk {
    desk: Desk,
    /// The node's log, `None` if it is not read.
    log: Option<PathBuf>,
    /// The node's RPC server, `None` if it is not called.
    rpc: Option<ChainRpc>,
    readable: PerMinute,
    tellable: PerMinute,
    privacy: Privacy,
}

/// What became of a want.
struct Answer {
    kind: Kind,
    log_bytes: u64,
}

impl Clerk {
    pub(crate) fn new(
        desk: Desk,
        log: Option<&LogConfig>,
        rpc: Option<&RpcConfig>,
        counters: &Counters,
        privacy: Privacy,
    ) -> Self {
        Self {
            desk,
            log: log.map(|log| log.path.clone()),
            rpc: rpc.map(|rpc| ChainRpc::new(rpc, counters.clone())),
            readable: PerMinute::new(READ_BYTES_PER_MINUTE),
            tellable: PerMinute::new(ANSWER_BYTES_PER_MINUTE),
            privacy,
        }
    }

    fn answer(&mut self, order: Order, is_stopped: impl Fn() -> bool) -> Answer {
        let Wanting { want, until } = match order {
            Order::Refuse(Refused { want, reason }) => return refusal(want, reason),
            Order::Fulfil(wanting) => wanting,
        };
        let now = clock::instant();
        let bounds = Bounds {
            read_bytes: READ_BYTES.min(self.readable.left(now)),
            answer_bytes: self.room(&want, now),
        };
        if now >= until {
            return refusal(want.id, "its time was over before its turn came");
        }
        if bounds.answer_bytes == 0 {
            return refusal(want.id, "there is no room for an answer, or those of the last minute took it");
        }
        let answer = self.fulfil(&want, bounds, &|| is_stopped() || clock::instant() >= until);
        self.readable.spend(answer.log_bytes);
        if !matches!(answer.kind, Kind::WantRefused { .. }) {
            self.tellable.spend(answer.kind.want_bytes() as u64);
        }
        answer
    }

    /// Bytes that what is wanted may have.
    fn room(&mut self, want: &Want, now: Instant) -> u64 {
        let others = match want.what {
            Wanted::BlockPart { .. } => BESIDE_BLOCKS_BYTES,
            _ => 0,
        };
        let left = self.tellable.left(now).saturating_sub(others);
        want.max_bytes.min(ANSWER_BYTES).min(left).saturating_sub(PROBLEM_BYTES)
    }

    fn fulfil(&mut self, want: &Want, bounds: Bounds, is_over: &dyn Fn() -> bool) -> Answer {
        let kind = match (&want.what, self.rpc.as_mut()) {
            (Wanted::LogLines { .. }, _) => return self.log_lines(want, bounds, is_over),
            (_, None) => Err("the agent does not call the node's RPC server".to_owned()),
            (Wanted::Headers { block, count }, Some(rpc)) => {
                let headers = headers::fulfil(rpc, *block, *count, bounds.answer_bytes, is_over);
                headers.map(|headers| Kind::Headers(Headers { want: want.id, headers }))
            }
            (Wanted::BlockPart { block, offset, bytes }, Some(rpc)) => {
                let most = (*bytes, bounds.answer_bytes);
                block_part::fulfil(rpc, want.id, *block, *offset, most).map(Kind::BlockPart)
            }
            (Wanted::RawTx { txid }, Some(rpc)) => {
                raw_tx::fulfil(rpc, want.id, *txid, bounds.answer_bytes).map(Kind::RawTx)
            }
            (Wanted::MempoolSpends { outpoints }, Some(rpc)) => {
                let told = mempool_spends::fulfil(rpc, want.id, outpoints, bounds.answer_bytes);
                told.map(Kind::MempoolSpends)
            }
        };
        Answer { kind: kind.unwrap_or_else(|reason| refused(want.id, reason)), log_bytes: 0 }
    }

    fn log_lines(&self, want: &Want, bounds: Bounds, is_over: &dyn Fn() -> bool) -> Answer {
        let Wanted::LogLines { subject, from, to } = want.what else {
            return refusal(want.id, "no log lines are wanted");
        };
        let Some(path) = &self.log else {
            return refusal(want.id, "the agent does not read the node's log");
        };
        if bounds.read_bytes == 0 {
            return refusal(want.id, "the wants of the last minute have read as much of the log as they may");
        }
        let found = Request { path, subject, from, to, bounds, privacy: &self.privacy }.fulfil(is_over);
        let kind = match found.lines {
            Ok(lines) => lines.into_kind(want.id, subject),
            Err(error) => refused(want.id, format!("failed to {}", chain(&error))),
        };
        Answer { kind, log_bytes: found.read_bytes }
    }
}

fn refused(want: u64, reason: impl Into<String>) -> Kind {
    Kind::WantRefused { want, reason: reason.into() }
}

fn refusal(want: u64, reason: &str) -> Answer {
    Answer { kind: refused(want, reason), log_bytes: 0 }
}

impl Reader for Clerk {
    fn source(&self) -> Source {
        Source::Agent
    }

    fn run(mut self: Box<Self>, context: Context) {
        let desk = self.desk.clone();
        context.stop.interrupts(Box::new(move || desk.close()));
        if let Some(rpc) = &self.rpc {
            context.stop.interrupts(Box::new(rpc.interrupter()));
        }
        while let Some(order) = self.desk.next() {
            let Answer { kind, log_bytes } = self.answer(order, || context.stop.is_set());
            context.counters.add_want(!matches!(kind, Kind::WantRefused { .. }), log_bytes);
            if context.outlet.tell(context.clock.now(), kind).is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, time::Duration};

    use bmon_event::{AgentTime, BlockHash, NodeTime, Subject, event::LogLines};

    use super::*;
    use crate::health::Counters;

    fn subject() -> Subject {
        Subject::Block(BlockHash::from_bytes([0xab; 32]))
    }

    /// A clerk of a log with `count` lines about the subject.
    fn clerk(count: usize) -> (tempfile::TempDir, Clerk) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("debug.log");
        let (time, hash) = (NodeTime::from_micros(1), BlockHash::from_bytes(*subject().as_bytes()));
        let line = format!("{time} [validation] NewPoWValidBlock: block hash={hash}\n");
        fs::write(&path, format!("\n\n\n\n\n{}", line.repeat(count))).unwrap();
        let log = LogConfig { path, poll_ms: 1, first_read_bytes: 0 };
        let counters = Counters::default();
        (dir, Clerk::new(Desk::new(counters.clone()), Some(&log), None, &counters, Privacy::of_key([7; 32])))
    }

    fn answer(clerk: &mut Clerk, max_bytes: u64, until: Instant) -> Kind {
        let [from, to] = [0, 2].map(AgentTime::from_micros);
        let what = Wanted::LogLines { subject: subject(), from, to };
        let want = Want { id: 1, within_ms: 1, max_bytes, what };
        clerk.answer(Order::Fulfil(Wanting { want, until }), || false).kind
    }

    fn reason(kind: Kind) -> String {
        match kind {
            Kind::WantRefused { want: 1, reason } => reason,
            other => unreachable!("not a refusal: {other:?}"),
        }
    }

    fn later() -> Instant {
        clock::instant() + Duration::from_mins(1)
    }

    #[test]
    fn no_answer_is_larger_than_asked_for_and_those_of_a_minute_are_bounded() {
        let (_dir, mut clerk) = clerk(10_000);
        let mut sum = 0;
        for most in [1 << 10, 10_000, u64::MAX, u64::MAX, u64::MAX, u64::MAX, u64::MAX] {
            match answer(&mut clerk, most, later()) {
                Kind::LogLines(lines @ LogLines { problem: Some(_), .. }) => {
                    assert!(lines.bytes() as u64 <= most.min(ANSWER_BYTES));
                    sum += lines.bytes() as u64;
                }
                refusal => assert!(reason(refusal).starts_with("there is no room for an answer")),
            }
        }
        assert!(
            (ANSWER_BYTES_PER_MINUTE - 2 * PROBLEM_BYTES..=ANSWER_BYTES_PER_MINUTE).contains(&sum),
            "{sum}"
        );
    }

    #[test]
    fn what_is_read_in_a_minute_is_bounded() {
        let (_dir, mut clerk) = clerk(1);
        assert!(matches!(answer(&mut clerk, 10_000, later()), Kind::LogLines(_)));
        assert!(clerk.readable.left(clock::instant()) < READ_BYTES_PER_MINUTE);
        clerk.readable.spend(READ_BYTES_PER_MINUTE);
        let refusal = reason(answer(&mut clerk, 10_000, later()));
        assert_eq!(refusal, "the wants of the last minute have read as much of the log as they may");
    }

    #[test]
    fn a_want_whose_time_is_over_costs_nothing() {
        let (_dir, mut clerk) = clerk(1);
        let refusal = reason(answer(&mut clerk, 10_000, clock::instant()));
        assert_eq!(refusal, "its time was over before its turn came");
        assert_eq!(clerk.readable.left(clock::instant()), READ_BYTES_PER_MINUTE);
    }

    #[test]
    fn a_log_that_is_not_there_is_a_refusal_with_the_reason() {
        let (dir, mut clerk) = clerk(1);
        fs::remove_file(dir.path().join("debug.log")).unwrap();
        assert!(reason(answer(&mut clerk, 10_000, later())).starts_with("failed to read the log: "));
    }
}
