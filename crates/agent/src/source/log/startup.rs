//! What the node says about its own logging when it starts.
//!
//! After its banner a node logs its settings, one a line: `Config file arg: [regtest] debug="validation"`,
//! `Command-line arg: logtimemicros=""` (`ArgsManager::LogArgs`, `src/common/args.cpp@v30`; since 0.20). That tells
//! which debug categories are on without an RPC that could also change them.

use std::collections::BTreeSet;

use bmon_event::{Event, Kind};
use memchr::memmem;

use super::Lacks;
use crate::advice::{Lack, LogCategory};

/// What was learnt of the node's latest start.
#[derive(Debug, Default)]
pub(super) struct Startup {
    /// Whether a start was seen at all. Without one nothing is known and nothing is advised.
    seen: bool,
    categories: BTreeSet<String>,
    microseconds: bool,
    changed: bool,
}

impl Startup {
    /// Looks at some lines and at the events they gave.
    pub(super) fn read(&mut self, lines: &[u8], events: &[Event]) {
        if events.iter().any(|event| matches!(event.kind, Kind::NodeStarted { .. })) {
            *self = Self { seen: true, changed: true, ..Self::default() };
        }
        if !self.seen {
            return;
        }
        for place in memmem::find_iter(lines, b" arg: ") {
            let setting = &lines[place + b" arg: ".len()..];
            let setting = setting.split(|byte| *byte == b'\n').next().unwrap_or_default();
            self.note(&String::from_utf8_lossy(setting));
        }
    }

    fn note(&mut self, setting: &str) {
        let setting = match setting.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
            Some((_section, rest)) => rest,
            None => setting,
        };
        let Some((name, value)) = setting.trim_end().split_once('=') else { return };
        let value = value.trim_matches('"');
        match name.trim_start_matches('-') {
            "debug" => self.changed |= self.categories.insert(value.to_owned()),
            "logtimemicros" => (self.microseconds, self.changed) = (value != "0" && value != "false", true),
            _ => {}
        }
    }

    /// Notes what the log lacks, if anything new was learnt.
    pub(super) fn note_lacks(&mut self, lacks: &Lacks) {
        if !std::mem::take(&mut self.changed) {
            return;
        }
        // `-debug`, `-debug=1` and `-debug=all` are all categories (`GetLogCategory`, `src/logging.cpp@v30`).
        let everything = ["", "1", "all", "true"].iter().any(|all| self.categories.contains(*all));
        for category in LogCategory::ALL {
            let on = everything || self.categories.contains(category.as_str());
            lacks.set(Lack::LogCategory(category), !on);
        }
        lacks.set(Lack::LogMicroseconds, !self.microseconds);
    }
}

#[cfg(test)]
mod tests {
    use bmon_event::{AgentTime, Source};

    use super::*;

    fn lacks_after(settings: &str) -> Vec<String> {
        let kind = Kind::NodeStarted { banner: "Bitcoin Core version v30.0.0".to_owned() };
        let started = Event { source: Source::Log, node_time: None, agent_time: AgentTime::default(), kind };
        let (mut startup, lacks) = (Startup::default(), Lacks::default());
        startup.read(settings.as_bytes(), &[started]);
        startup.note_lacks(&lacks);
        lacks.advice().into_iter().flat_map(|advice| advice.bitcoin_conf).collect()
    }

    #[test]
    fn settings_of_file_and_command_line_are_understood() {
        let settings = "2026-11-22T12:00:00Z Config file arg: [regtest] debug=\"validation\"\n\
                        2026-11-22T12:00:00Z Config file arg: logtimemicros=\"1\"\n\
                        2026-11-22T12:00:00Z Command-line arg: debug=\"mempoolrej\"\n";
        assert_eq!(lacks_after(settings), ["debug=mempool", "debug=cmpctblock", "debug=bench"]);
        let all =
            "2026-11-22T12:00:00Z Command-line arg: debug=\"\"\n2026 Command-line arg: logtimemicros=\"\"\n";
        assert!(lacks_after(all).is_empty());
    }

    #[test]
    fn without_a_start_nothing_is_advised() {
        let (mut startup, lacks) = (Startup::default(), Lacks::default());
        startup.read(b"2026-11-22T12:00:00Z UpdateTip: something\n", &[]);
        startup.note_lacks(&lacks);
        assert!(lacks.advice().is_empty());
    }
}
