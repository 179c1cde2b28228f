//! From log lines to steps.

mod block;
mod tx;

use bmon_corelog::{Line, Message};
use bmon_event::{Source, Subject};

use super::{
    document::{Step, time},
    witness::{LogLine, Witness},
};
use crate::replay::Time;

/// The steps of one node.
pub(super) struct Steps {
    pub(super) list: Vec<Step>,
    /// The block's height, `None` if no message tells it.
    pub(super) height: Option<u32>,
}

impl Steps {
    pub(super) fn new(subject: Subject, witness: &Witness) -> Self {
        let mut steps = Self { list: Vec::new(), height: None };
        for line in &witness.lines {
            steps.add(subject, line);
        }
        let heard = witness.heard.iter();
        for heard in heard.filter(|heard| heard.source != Source::Log || witness.lines.is_empty()) {
            let step = Step {
                at: Some(Time(heard.at)),
                after_us: None,
                source: heard.source,
                message: None,
                text: heard.text.clone(),
                lines: Vec::new(),
            };
            let place =
                steps.list.iter().rposition(|before| before.at <= step.at).map_or(0, |before| before + 1);
            steps.list.insert(place, step);
        }
        steps
    }

    /// Adds a line: as a step of its own, or to the one before.
    fn add(&mut self, subject: Subject, line: &LogLine) {
        let raw = String::from_utf8_lossy(&line.raw).into_owned();
        let message = Message::parse(&Line::parse(&line.raw));
        if let Subject::Block(hash) = subject {
            self.height = self.height.or(message.as_ref().and_then(|message| block::height(message, hash)));
        }
        if let (Some(before), Some(message)) = (self.list.last_mut(), &message)
            && let Some(text) = joined(before, message)
        {
            before.text = text;
            before.lines.push(raw);
            return;
        }
        let text = message.as_ref().and_then(|message| match subject {
            Subject::Block(hash) => block::text(message, hash),
            Subject::Tx(txid) => tx::text(message, txid),
        });
        let text = text.map(|text| self.again(message.as_ref(), text));
        match (text, self.list.last_mut()) {
            (None, Some(before)) => before.lines.push(raw),
            (text, _) => self.list.push(Step {
                at: time(line.at),
                after_us: None,
                source: Source::Log,
                message: message.as_ref().map(Message::name),
                text: text.unwrap_or_else(|| "mentioned".to_owned()),
                lines: vec![raw],
            }),
        }
    }

    /// Says of a tip that it was the tip before: in a reorg a block is, when the one above it was disconnected.
    fn again(&self, message: Option<&Message<'_>>, text: String) -> String {
        let was_tip = || self.list.iter().any(|step| step.message == Some("UpdateTip"));
        match message {
            Some(Message::UpdateTip(_)) if was_tip() => text.replacen("tip", "tip again", 1),
            _ => text,
        }
    }
}

/// What a step says together with a message that tells the same fact once more, `None` if it does not.
fn joined(before: &Step, message: &Message<'_>) -> Option<String> {
    match (before.message?, message) {
        // One compact block writes both up to 29.
        ("HeaderSeen", Message::CompactHeaderSeen(seen)) if seen.height.is_none() => {
            let words = format!("header seen in a compact block from peer {}", seen.peer);
            Some(before.text.replacen("header seen", &words, 1))
        }
        ("CompactBlockInitializing", Message::CompactBlockInitialized(_))
        | ("CachedBlock", Message::LoadBlock(_)) => Some(before.text.clone()),
        ("TransactionAddedToMempool", Message::AcceptToMemoryPool(accepted)) => {
            Some(format!("{}, from peer {}", before.text, accepted.peer))
        }
        _ => None,
    }
}

/// A number with a comma between thousands.
pub fn thousands(number: impl Into<u64>) -> String {
    let digits = number.into().to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Text of a node for a step.
fn words(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests;
