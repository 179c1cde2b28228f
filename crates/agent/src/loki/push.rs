//! What is pushed to Loki, and how it looks on the wire: `POST /loki/api/v1/push`, as protobuf in one block of snappy, or as JSON.
//!
//! The protobuf messages are those of `logproto` that a client sends (`pkg/push/push.proto` of Loki 3): `PushRequest` with `streams`
//! (1), each with `labels` (1) and `entries` (2), each with `timestamp` (1), `line` (2) and `structuredMetadata` (3).

use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::{Map, Value, json};

/// How pushes are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Protobuf, compressed with snappy.
    Protobuf,
    /// JSON, for what speaks only that.
    Json,
}

impl Encoding {
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        }
    }
}

/// Entries of some streams, those of each in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Push {
    pub(super) streams: Vec<Labelled>,
}

/// A stream and what it is called.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Labelled {
    pub(super) labels: Vec<(&'static str, String)>,
    pub(super) stream: Stream,
}

/// `StreamAdapter`. Its field `hash` (3) is for Loki's own use.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Stream {
    /// As `LogQL` selects it.
    #[prost(string, tag = "1")]
    pub(super) labels: String,
    #[prost(message, repeated, tag = "2")]
    pub(super) entries: Vec<Entry>,
}

/// `EntryAdapter`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Entry {
    #[prost(message, optional, tag = "1")]
    pub(super) timestamp: Option<Timestamp>,
    #[prost(string, tag = "2")]
    pub(super) line: String,
    #[prost(message, repeated, tag = "3")]
    pub(super) structured_metadata: Vec<Pair>,
}

/// `google.protobuf.Timestamp`.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub(super) struct Timestamp {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

/// `LabelPairAdapter`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub(super) struct Pair {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) value: String,
}

impl Timestamp {
    pub(super) fn from_nanos(nanos: i64) -> Self {
        let below = nanos.rem_euclid(1_000_000_000);
        Self {
            seconds: nanos.div_euclid(1_000_000_000),
            nanos: i32::try_from(below).expect("less than a second"),
        }
    }

    pub(super) fn as_nanos(self) -> i64 {
        self.seconds.saturating_mul(1_000_000_000).saturating_add(i64::from(self.nanos))
    }
}

impl Entry {
    pub(super) fn nanos(&self) -> i64 {
        self.timestamp.map_or(0, Timestamp::as_nanos)
    }
}

impl Labelled {
    pub(super) fn new(labels: Vec<(&'static str, String)>) -> Self {
        let stream = Stream { labels: selector(&labels), entries: Vec::new() };
        Self { labels, stream }
    }

    fn with(&self, entries: Vec<Entry>) -> Self {
        let stream = Stream { labels: self.stream.labels.clone(), entries };
        Self { labels: self.labels.clone(), stream }
    }
}

impl Push {
    pub(super) fn len(&self) -> usize {
        self.streams.iter().map(|labelled| labelled.stream.entries.len()).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same streams without entries.
    pub(super) fn clone_labels(&self) -> Self {
        Self { streams: self.streams.iter().map(|labelled| labelled.with(Vec::new())).collect() }
    }

    /// Takes off the second half: two pushes that give the same in this order. `None` if there is only one entry.
    pub(super) fn split(&mut self) -> Option<Self> {
        self.streams.retain(|labelled| !labelled.stream.entries.is_empty());
        if self.streams.len() > 1 {
            return Some(Self { streams: self.streams.split_off(self.streams.len() / 2) });
        }
        let labelled = self.streams.first_mut().filter(|labelled| labelled.stream.entries.len() > 1)?;
        let second = labelled.stream.entries.split_off(labelled.stream.entries.len() / 2);
        Some(Self { streams: vec![labelled.with(second)] })
    }

    /// The body of the request.
    pub(super) fn encode(&self, encoding: Encoding) -> Vec<u8> {
        match encoding {
            Encoding::Protobuf => self.protobuf(),
            Encoding::Json => self.json().to_string().into_bytes(),
        }
    }

    fn protobuf(&self) -> Vec<u8> {
        let mut plain = Vec::new();
        for labelled in &self.streams {
            prost::encoding::message::encode(1, &labelled.stream, &mut plain);
        }
        let compressed = snap::raw::Encoder::new().compress_vec(&plain);
        compressed.expect("a push is far smaller than the 4 GiB that snappy can take")
    }

    /// The same as JSON.
    pub(super) fn json(&self) -> Value {
        let streams = self.streams.iter().map(|Labelled { labels, stream }| {
            let labels: Map<_, _> =
                labels.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
            json!({ "stream": labels, "values": stream.entries.iter().map(json_entry).collect::<Vec<_>>() })
        });
        json!({ "streams": streams.collect::<Vec<_>>() })
    }
}

fn json_entry(entry: &Entry) -> Value {
    let time = entry.nanos().to_string();
    if entry.structured_metadata.is_empty() {
        return json!([time, entry.line]);
    }
    let pairs = entry.structured_metadata.iter().map(|pair| (pair.name.clone(), json!(pair.value)));
    json!([time, entry.line, pairs.collect::<Map<_, _>>()])
}

/// `{name="value", …}`, escaped as `LogQL` reads it.
fn selector(labels: &[(&'static str, String)]) -> String {
    let mut text = String::from("{");
    for (index, (name, value)) in labels.iter().enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        write!(text, "{separator}{name}=\"{value}\"").expect("a string takes everything");
    }
    text.push('}');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(nanos: i64, line: &str) -> Entry {
        Entry {
            timestamp: Some(Timestamp::from_nanos(nanos)),
            line: line.to_owned(),
            structured_metadata: Vec::new(),
        }
    }

    fn push() -> Push {
        let mut alice =
            Labelled::new(vec![("node", "alice".to_owned()), ("level", "a \"b\" \\ c".to_owned())]);
        alice.stream.entries = vec![entry(1_700_000_000_123_456_789, "one"), entry(-1, "two \u{e9}")];
        alice.stream.entries[1].structured_metadata =
            vec![Pair { name: "txid".to_owned(), value: "ab".repeat(32) }];
        let mut bob = Labelled::new(vec![("node", "bob".to_owned())]);
        bob.stream.entries = vec![entry(5, "")];
        Push { streams: vec![alice, bob] }
    }

    /// The crate `loki-api` has Loki's own definitions, generated from its files.
    #[test]
    fn what_is_sent_is_what_the_published_definition_reads() {
        use loki_api::{logproto::PushRequest, prost::Message as _};
        let plain = snap::raw::Decoder::new().decompress_vec(&push().encode(Encoding::Protobuf)).unwrap();
        let read = PushRequest::decode(plain.as_slice()).unwrap();
        assert_eq!(read.streams.len(), 2);
        assert_eq!(read.streams[0].labels, r#"{node="alice", level="a \"b\" \\ c"}"#);
        let told = |stream: usize, entry: usize| {
            let entry = &read.streams[stream].entries[entry];
            let time = entry.timestamp.as_ref().unwrap();
            (time.seconds, time.nanos, entry.line.as_str())
        };
        assert_eq!(told(0, 0), (1_700_000_000, 123_456_789, "one"));
        assert_eq!(told(0, 1), (-1, 999_999_999, "two \u{e9}"));
        assert_eq!(told(1, 0), (0, 5, ""));
    }

    /// That crate is older than structured metadata, field 3 of an entry: pairs of strings 1 and 2.
    #[test]
    fn structured_metadata_are_field_3() {
        use prost::Message as _;
        let mut bytes = Vec::new();
        push().streams[0].stream.entries[1].structured_metadata[0].encode(&mut bytes).unwrap();
        let value = "ab".repeat(32);
        assert_eq!(bytes, [b"\x0a\x04txid\x12\x40", value.as_bytes()].concat());
        let mut entry = Vec::new();
        push().streams[0].stream.entries[1].encode(&mut entry).unwrap();
        let tail = [&[0x1a, u8::try_from(bytes.len()).unwrap()], bytes.as_slice()].concat();
        assert!(entry.ends_with(&tail));
    }

    #[test]
    fn json_tells_the_same() {
        let expected = json!({"streams": [
            {"stream": {"node": "alice", "level": "a \"b\" \\ c"}, "values": [
                ["1700000000123456789", "one"], ["-1", "two \u{e9}", {"txid": "ab".repeat(32)}]]},
            {"stream": {"node": "bob"}, "values": [["5", ""]]},
        ]});
        let read: Value = serde_json::from_slice(&push().encode(Encoding::Json)).unwrap();
        assert_eq!(read, expected);
    }

    #[test]
    fn halves_give_the_same_in_order_down_to_single_entries() {
        fn flatten(mut push: Push, into: &mut Vec<String>) {
            let whole = push.len();
            if let Some(second) = push.split() {
                assert!(push.len() < whole && second.len() < whole && push.len() + second.len() == whole);
                flatten(push, into);
                flatten(second, into);
            } else {
                into.extend(push.streams.iter().flat_map(|labelled| {
                    labelled
                        .stream
                        .entries
                        .iter()
                        .map(|entry| format!("{} {}", labelled.stream.labels, entry.line))
                }));
            }
        }
        let (mut all, mut push) = (Vec::new(), push());
        push.streams[0].stream.entries.push(entry(6, "three"));
        flatten(push, &mut all);
        let lines: Vec<_> = all.iter().map(|text| text.rsplit(' ').next().unwrap()).collect();
        assert_eq!(lines, ["one", "\u{e9}", "three", ""]);
        assert_eq!(Push::default().split(), None);
    }
}
