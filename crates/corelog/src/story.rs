//! The lines of a log that are about one block or transaction.

mod block;

use std::collections::VecDeque;

use bmon_event::{Subject, Txid, Wtxid};
use memchr::memmem::Finder;

use self::block::BlockLines;
use crate::{Line, Message, mention::Mention};

/// Lines about an id with witness that may turn out to be the subject's. Peers announce a transaction by that id
/// (BIP 339) seconds before a line says whose it is; a busy node writes some hundred such lines a second.
const HELD: usize = 8192;

/// Picks out of a log the lines that belong to its subject.
///
/// A line belongs if its message has the subject's hash in a field, or if it is about a block that it does not name and
/// the lines around it leave no other (see [`crate::assembler`]). A text of a peer's choice that holds the hash does not
/// make a line belong.
#[derive(Clone, Debug)]
pub struct Story {
    subject: Subject,
    /// What a line must hold to be looked at: the subject's hash, and of a transaction also its id with witness.
    names: Vec<Finder<'static>>,
    /// `None` for a block, and while it is not known.
    wtxid: Option<Wtxid>,
    /// The latest lines with an id with witness, while the subject's is not known.
    held: VecDeque<([u8; 32], Box<[u8]>)>,
    about_wtxid: Finder<'static>,
    /// The lines of a block.
    block: BlockLines,
    /// The log has times, so that a line without one continues the line before.
    has_times: bool,
}

impl Story {
    /// Of a whole log, or of one that is read from any line on.
    pub fn new(subject: Subject) -> Self {
        Self {
            subject,
            names: vec![finder(subject.as_bytes())],
            wtxid: None,
            held: VecDeque::new(),
            about_wtxid: Finder::new("wtx "),
            block: BlockLines::default(),
            has_times: false,
        }
    }

    /// Takes the next line of the log, without its end, and gives the lines that are now known to belong: in the order
    /// of the log, except that lines about a transaction's id with witness come when it is known whose id it is. Lines
    /// about a block may come later than they are taken, see [`Self::finish`].
    pub fn feed(&mut self, raw: &[u8], mut each: impl FnMut(&[u8])) {
        self.has_times = self.has_times || Line::parse(raw).time.is_some();
        if !self.may_belong(raw) {
            return;
        }
        let line = Line::parse(raw);
        if line.time.is_none() && self.has_times {
            return;
        }
        let Some(message) = Message::parse(&line) else { return };
        let mut mentions = Mentions::default();
        message.mentions(&mut |mention| mentions.add(mention, self.subject, self.wtxid));
        if let Subject::Block(block) = self.subject {
            self.block.feed(block, raw, &line, &message, mentions.subject, &mut each);
            return;
        }
        if let (Subject::Tx(_), true, Some(wtxid)) = (self.subject, self.wants_wtxid(), mentions.paired()) {
            self.learn(wtxid, &mut each);
        }
        if mentions.subject {
            each(raw);
        } else if let (Some(hash), true) = (mentions.any, self.wants_wtxid()) {
            self.hold(hash, raw);
        }
    }

    /// Gives the lines that belong and were held back, because an earlier line might have: the log has ended.
    pub fn finish(&mut self, mut each: impl FnMut(&[u8])) {
        self.block.finish(&mut each);
    }

    /// The transaction's id with witness, `None` for a block and while no line has told it.
    pub const fn wtxid(&self) -> Option<Wtxid> {
        self.wtxid
    }

    fn may_belong(&self, raw: &[u8]) -> bool {
        if matches!(self.subject, Subject::Block(_)) {
            return true;
        }
        let is_named = self.names.iter().any(|name| name.find(raw).is_some());
        is_named || self.wants_wtxid() && self.about_wtxid.find(raw).is_some()
    }

    const fn wants_wtxid(&self) -> bool {
        matches!(self.subject, Subject::Tx(_)) && self.wtxid.is_none()
    }

    fn learn(&mut self, wtxid: Wtxid, each: &mut impl FnMut(&[u8])) {
        self.wtxid = Some(wtxid);
        if wtxid.as_bytes() != self.subject.as_bytes() {
            self.names.push(finder(wtxid.as_bytes()));
        }
        let held = std::mem::take(&mut self.held);
        held.iter().filter(|(hash, _)| hash == wtxid.as_bytes()).for_each(|(_, line)| each(line));
    }

    fn hold(&mut self, hash: [u8; 32], raw: &[u8]) {
        if self.held.len() == HELD {
            self.held.pop_front();
        }
        self.held.push_back((hash, raw.into()));
    }
}

/// What a message's hashes say of the subject.
#[derive(Default)]
struct Mentions {
    /// One of them is the subject's.
    subject: bool,
    txids: u32,
    wtxid: Option<Wtxid>,
    /// A hash of which the line alone does not tell whose it is.
    any: Option<[u8; 32]>,
}

impl Mentions {
    fn add(&mut self, mention: Mention, subject: Subject, wtxid: Option<Wtxid>) {
        self.subject |= match (mention, subject) {
            (Mention::Block(block), Subject::Block(wanted)) => block == wanted,
            (Mention::Tx(txid), Subject::Tx(wanted)) => txid == wanted,
            (Mention::Wtx(found), Subject::Tx(_)) => Some(found) == wtxid,
            (Mention::Any(bytes), wanted) => {
                bytes == *wanted.as_bytes() || wtxid.is_some_and(|wtxid| bytes == *wtxid.as_bytes())
            }
            _ => false,
        };
        match mention {
            Mention::Block(_) => {}
            Mention::Tx(_) => self.txids += 1,
            Mention::Wtx(found) => self.wtxid = Some(found),
            Mention::Any(bytes) => self.any = Some(bytes),
        }
    }

    /// The subject's id with witness, if the message is about the subject alone and tells it.
    fn paired(&self) -> Option<Wtxid> {
        self.wtxid.filter(|_| self.subject && self.txids == 1)
    }
}

/// Finds the hash as the node prints it, in lower case.
fn finder(hash: &[u8; 32]) -> Finder<'static> {
    Finder::new(&Txid::from_bytes(*hash).to_string()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: &str = "00000000000000000002a7c4c1e48d76c5a37902165a270156b7a8d72728a054";
    const TXID: &str = "f97c2b2e1b4b3c1f0b6c8d8ad05f2e3b1e8c6f4fb2cf0b3d9e4b8f1a7d6c5b4a";
    const WTXID: &str = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f809";
    const AT: &str = "2026-01-02T03:04:05.000006Z";

    fn lines(subject: Subject, log: &[String]) -> Vec<String> {
        let mut story = Story::new(subject);
        let mut picked = Vec::new();
        let mut pick = |line: &[u8]| picked.push(String::from_utf8(line.to_vec()).unwrap());
        for line in log {
            story.feed(line.as_bytes(), &mut pick);
        }
        story.finish(pick);
        picked
    }

    fn block() -> Subject {
        Subject::Block(BLOCK.parse().unwrap())
    }

    fn tx() -> Subject {
        Subject::Tx(TXID.parse().unwrap())
    }

    #[test]
    fn a_line_belongs_by_a_field_of_its_message() {
        let log = [
            format!("{AT} Saw new header hash={BLOCK} height=7"),
            format!("{AT} Saw new header hash={} height=8", BLOCK.replace("54", "55")),
            format!("{AT} [net] got inv: block {BLOCK}  new peer=3"),
            format!("{AT} [net] getheaders 5 to {BLOCK} from peer=3"),
        ];
        assert_eq!(lines(block(), &log), [log[0].clone(), log[2].clone(), log[3].clone()]);
    }

    #[test]
    fn a_hash_that_a_peer_wrote_is_none() {
        let log = [
            format!("{AT} [net] Unknown command \"{BLOCK}\" from peer=3"),
            format!("{AT} [net] received: {BLOCK} (0 bytes) peer=3"),
            format!("{AT} a wallet named"),
            format!("Saw new header hash={BLOCK} height=7"),
            format!("{AT} no message that anyone knows {BLOCK}"),
        ];
        assert_eq!(lines(block(), &log), Vec::<String>::new());
    }

    #[test]
    fn lines_that_do_not_name_a_block_are_among_those_that_do() {
        const LOG: &str = include_str!("../tests/data/knots-29.4.3-blocks.log");
        let log: Vec<_> = LOG.lines().map(str::to_owned).collect();
        let block = "5e6b8067b0a333f74bbb9d45b49b0583342c73ed36efff0269de3f84ac56347f";
        let picked = lines(Subject::Block(block.parse().unwrap()), &log);
        let text = |line: &String| line.split_once("] ").unwrap().1.to_owned();
        let heads: Vec<_> =
            picked.iter().map(text).map(|text| text.get(..30).unwrap_or(&text).to_owned()).collect();
        let expected = [
            "[net] received: block (178 byt",
            "[net] received block 5e6b8067b",
            "Saw new header hash=5e6b8067b0",
            "[bench]   - Using cached block",
            "[bench]   - Load block from di",
            "[bench]     - Sanity checks: 0",
            "[bench]     - Fork checks: 0.0",
            "[bench]       - Connect 1 tran",
            "Block validation error: bad-cb",
            "[validation] BlockChecked: blo",
            "InvalidChainFound: invalid blo",
            "InvalidChainFound:  current be",
            "[error] ConnectTip: ConnectBlo",
            "InvalidChainFound: invalid blo",
            "InvalidChainFound:  current be",
            "[net] received: cmpctblock (18",
            "[validation] AcceptBlockHeader",
            "[net] received: cmpctblock (18",
            "[validation] AcceptBlockHeader",
        ];
        assert_eq!(heads, expected);
    }

    #[test]
    fn lines_about_a_block_come_in_the_order_of_the_log_and_each_once() {
        const LOG: &str = include_str!("../tests/data/core-30.99-blocks.log");
        let log: Vec<_> = LOG.lines().map(str::to_owned).collect();
        let tips = log.iter().filter_map(|line| line.split_once("UpdateTip: new best="));
        for block in tips.map(|(_, tip)| &tip[..64]) {
            for end in 0..=log.len() {
                let picked = lines(Subject::Block(block.parse().unwrap()), &log[..end]);
                let mut rest = log[..end].iter();
                assert!(
                    picked.iter().all(|line| rest.any(|next| next == line)),
                    "{block} up to {end}: {picked:#?}"
                );
                let named = |lines: &[String]| lines.iter().filter(|line| line.contains(block)).count();
                assert_eq!(named(&picked), named(&log[..end]), "{block} up to {end}");
            }
        }
    }

    #[test]
    fn a_log_without_times_has_lines_too() {
        let log = [format!("Saw new header hash={BLOCK} height=7")];
        assert_eq!(lines(block(), &log), log);
    }

    #[test]
    fn lines_by_the_id_with_witness_come_once_it_is_known() {
        let log = [
            format!("{AT} [net] got inv: wtx {WTXID}  new peer=3"),
            format!("{AT} [net] got inv: wtx {BLOCK}  new peer=3"),
            format!("{AT} [net] Requesting wtx {WTXID} peer=3"),
            format!(
                "{AT} [mempoolrej] {TXID} (wtxid={WTXID}) from peer=3 was not accepted: min relay fee not met, 0 < 1"
            ),
            format!("{AT} [net] got inv: wtx {WTXID}  have peer=4"),
        ];
        let expected: Vec<_> = [0, 2, 3, 4].iter().map(|place: &usize| log[*place].clone()).collect();
        assert_eq!(lines(tx(), &log), expected);
        let mut story = Story::new(tx());
        for line in &log {
            story.feed(line.as_bytes(), |_| {});
        }
        assert_eq!((story.wtxid(), story.held.len()), (Some(WTXID.parse().unwrap()), 0));
    }

    #[test]
    fn what_is_held_is_bounded() {
        let mut story = Story::new(tx());
        for number in 0..HELD + 10 {
            story.feed(format!("{AT} [net] Requesting wtx {number:064x} peer=3").as_bytes(), |_| {});
        }
        assert_eq!(story.held.len(), HELD);
    }

    #[test]
    fn a_message_about_two_transactions_pairs_none() {
        let log = [format!(
            "{AT} [mempool] replacing tx {TXID} (wtxid={WTXID}) with {BLOCK} (wtxid={BLOCK}) for 1 additional fees, 2 delta bytes"
        )];
        assert_eq!(lines(tx(), &log), log);
        let other = Subject::Tx(BLOCK.parse().unwrap());
        assert_eq!(lines(other, &log), log);
    }
}
