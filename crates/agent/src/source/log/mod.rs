//! The node's `debug.log`, followed through every kind of rotation.
//!
//! New lines are found by looking for them: inotify would not tell of a file on a network file system, and one
//! `pread` every 20 ms costs nothing. What was written while the agent was away is read when it comes back.

mod family;
mod file;
mod follower;
mod startup;

pub(crate) use self::{
    family::is_rotated,
    follower::{Follower, Step},
};

use std::{io, path::PathBuf, time::Duration};

use bmon_corelog::Reader as LineReader;
use bmon_event::{AgentTime, Event, Kind, LogPosition, NodeTime, Source, event::Gap};

use self::startup::Startup;
use super::{Closed, Context, Position, Reader, Report, detail};
use crate::{
    advice::{Lack, Lacks},
    clock,
    config::LogConfig,
    shipper::chain,
};

/// How long to wait before the file is tried again after the system refused it.
const RETRY: Duration = Duration::from_secs(1);

/// How much is read again of what the agent before this one read, for events of several lines. The lines of one block
/// take a kilobyte, and those of other threads among them at most what a busy node writes in some seconds.
const RECALLED: usize = 256 << 10;

/// Reads one log.
pub(crate) struct Log {
    path: PathBuf,
    poll: Duration,
    follower: Follower,
    lines: LineReader,
    /// Whether `lines` knows what stands before the place where this agent began.
    recalled: bool,
    startup: Startup,
    /// The gap after a lost place, until the next line tells where it ends.
    gap: Option<Gap>,
}

impl Log {
    /// Reads on from `position`.
    pub(crate) fn new(config: &LogConfig, position: Option<LogPosition>) -> Self {
        let last_line =
            position.as_ref().and_then(|position| position.last_line_us).map(NodeTime::from_micros);
        Self {
            path: config.path.clone(),
            poll: Duration::from_millis(config.poll_ms),
            follower: Follower::new(config.path.clone(), config.first_read_bytes, position),
            lines: LineReader::new(0, last_line),
            recalled: false,
            startup: Startup::default(),
            gap: None,
        }
    }

    /// Does one step. Returns how long to wait before the next.
    fn step(&mut self, context: &mut Context) -> Result<Duration, Closed> {
        let now = context.clock.now();
        let before = *self.lines.counts();
        match self.follower.step(clock::instant()) {
            Ok(Step::Lines(bytes)) => {
                let mut events = Vec::new();
                self.lines.read(bytes, Some(now), |event| events.push(event));
                if !bytes.ends_with(b"\n") {
                    self.lines.read(b"\n", Some(now), |event| events.push(event));
                }
                self.startup.read(bytes, &events);
                let after = self.lines.counts();
                context.counters.add_log(
                    bytes.len() as u64,
                    after.lines - before.lines,
                    after.matched - before.matched,
                );
                self.report(events, now, context)?;
                Ok(Duration::ZERO)
            }
            Ok(Step::Moved) => {
                self.recall();
                Ok(Duration::ZERO)
            }
            Ok(Step::Lost) => {
                self.gap = Some(self.gap_until(now));
                self.lines.interrupt();
                Ok(Duration::ZERO)
            }
            Ok(Step::Idle) => {
                context.lacks.set(Lack::Log, false);
                self.startup.note_lacks(&context.lacks);
                self.tell_working(context)?;
                Ok(self.poll)
            }
            Ok(Step::Missing) => {
                context.lacks.set(Lack::Log, true);
                self.tell_broken(context, &io::Error::from(io::ErrorKind::NotFound))?;
                Ok(RETRY)
            }
            Err(error) => {
                self.tell_broken(context, &error)?;
                Ok(RETRY)
            }
        }
    }

    /// An error here is one that the next read meets too, and tells.
    fn recall(&mut self) {
        if !self.recalled
            && let Ok(Some(before)) = self.follower.before(RECALLED)
        {
            self.lines.recall(&before);
            self.recalled = true;
        }
    }

    fn report(&mut self, mut events: Vec<Event>, now: AgentTime, context: &Context) -> Result<(), Closed> {
        if let Some(mut gap) = self.gap.take() {
            let first = events.iter().find_map(|event| event.node_time).map(NodeTime::on_agent_clock);
            gap.to = first.unwrap_or(now);
            tracing::error!(path = %self.path.display(), from = ?gap.from, to = ?gap.to, "a part of the log is gone");
            events.insert(
                0,
                Event { source: Source::Agent, node_time: None, agent_time: now, kind: Kind::Gap(gap) },
            );
        }
        let last_line_us = self.lines.last_line().map(NodeTime::as_micros);
        let position = self.follower.position();
        let position = position.map(|position| Position::Log(LogPosition { last_line_us, ..position }));
        context.outlet.send(Report { events, position })
    }

    fn gap_until(&self, to: AgentTime) -> Gap {
        let from = self.lines.last_line().map(NodeTime::on_agent_clock);
        let reason = format!("`{}` was replaced, and no rotated sibling holds the rest", self.path.display());
        Gap { source: Source::Log, from, to, lost: None, reason }
    }

    fn tell_working(&self, context: &mut Context) -> Result<(), Closed> {
        let reads = format!("reads `{}`", self.path.display());
        let text = detail(&reads, &context.lacks.of(Source::Log));
        context.outlet.tell_state(context.clock.now(), true, text)
    }

    fn tell_broken(&self, context: &mut Context, error: &io::Error) -> Result<(), Closed> {
        let problem = format!("failed to read `{}`: {}", self.path.display(), chain(error));
        let text = detail(&problem, &context.lacks.of(Source::Log));
        context.outlet.tell_state(context.clock.now(), false, text)
    }
}

impl Reader for Log {
    fn source(&self) -> Source {
        Source::Log
    }

    fn run(mut self: Box<Self>, mut context: Context) {
        while !context.stop.is_set() {
            match self.step(&mut context) {
                Ok(Duration::ZERO) => {}
                Ok(pause) => drop(context.stop.wait(pause)),
                Err(Closed) => return,
            }
        }
    }
}
