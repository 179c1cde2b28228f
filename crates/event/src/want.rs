//! What a server wants of an agent: the only way from server to agent.
//!
//! Wants stand in the JSON answers to an agent's calls (`docs/wire.md`). The agent fulfils a want with an ordinary event
//! that names it, or says in one why it does not ([`Kind::want`](crate::Kind::want)). A want that is not answered stands
//! in every answer until its time is over, so that none is lost with a connection.

use serde::{Deserialize, Serialize};

use crate::{AgentTime, BlockHash, OutPoint, Subject, Txid};

/// One thing that a server wants of one agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Want {
    /// Names the want in its answer. A server uses a number once, through restarts.
    pub id: u64,
    /// How long after it was received an answer is of use, in milliseconds.
    pub within_ms: u64,
    /// Most bytes that the answer may hold.
    pub max_bytes: u64,
    /// What is wanted.
    #[serde(flatten)]
    pub what: Wanted,
}

/// What can be wanted. A kind that an agent does not know is refused by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Wanted {
    /// The lines of the node's log about something, answered with [`LogLines`](crate::event::LogLines).
    LogLines {
        /// What they are about.
        subject: Subject,
        /// Time from which on lines are looked for.
        #[serde(rename = "from_us")]
        from: AgentTime,
        /// Time up to which lines are looked for. It may lie in the future.
        #[serde(rename = "to_us")]
        to: AgentTime,
    },
    /// Block headers, answered with [`Headers`](crate::event::Headers).
    Headers {
        /// The first block.
        block: BlockHash,
        /// Headers to give: that of `block` and of those before it.
        count: u32,
    },
    /// Bytes of a block as it is serialised with its witnesses, answered with [`BlockPart`](crate::event::BlockPart).
    BlockPart {
        /// The block.
        block: BlockHash,
        /// Where to begin.
        offset: u64,
        /// Most bytes to give.
        bytes: u64,
    },
    /// A transaction of the mempool, answered with [`RawTx`](crate::event::RawTx).
    RawTx {
        /// The transaction.
        txid: Txid,
    },
    /// Which transactions of the mempool spend these coins, answered with
    /// [`MempoolSpends`](crate::event::MempoolSpends).
    MempoolSpends {
        /// The coins.
        outpoints: Vec<OutPoint>,
    },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_want_comes_back_as_it_was(
            numbers in any::<[u64; 3]>(),
            hash in any::<[u8; 32]>(),
            kind in 0..6,
            times in any::<[i64; 2]>(),
            count in any::<u32>(),
        ) {
            let [id, within_ms, max_bytes] = numbers;
            let ([from, to], block) = (times.map(AgentTime::from_micros), BlockHash::from_bytes(hash));
            let what = match kind {
                0 => Wanted::LogLines { subject: Subject::Block(block), from, to },
                1 => Wanted::LogLines { subject: Subject::Tx(Txid::from_bytes(hash)), from, to },
                2 => Wanted::Headers { block, count },
                3 => Wanted::BlockPart { block, offset: id, bytes: within_ms },
                4 => Wanted::RawTx { txid: Txid::from_bytes(hash) },
                _ => Wanted::MempoolSpends {
                    outpoints: (0..count % 4).map(|vout| OutPoint { txid: Txid::from_bytes(hash), vout }).collect(),
                },
            };
            let want = Want { id, within_ms, max_bytes, what };
            let json = serde_json::to_string(&want).unwrap();
            prop_assert_eq!(serde_json::from_str::<Want>(&json).unwrap(), want);
        }
    }

    #[test]
    fn a_want_is_one_flat_object() {
        let subject = Subject::Tx(Txid::from_bytes([7; 32]));
        let [from, to] = [1, 2].map(AgentTime::from_micros);
        let want =
            Want { id: 3, within_ms: 5_000, max_bytes: 9, what: Wanted::LogLines { subject, from, to } };
        let expected = format!(
            r#"{{"id":3,"within_ms":5000,"max_bytes":9,"kind":"log-lines","subject":"tx {}","from_us":1,"to_us":2}}"#,
            "07".repeat(32)
        );
        assert_eq!(serde_json::to_string(&want).unwrap(), expected);
        let newer = expected.replace("log-lines", "coinbase");
        assert!(serde_json::from_str::<Want>(&newer).is_err());
    }
}
