//! The node's ZMQ publisher.
//!
//! What is published while nobody listens is gone, so this source is careful to say when that may have been: it keeps
//! the time until which it surely heard everything, also across restarts, and reports a gap from then until a new
//! subscription stands. Loss during a connection shows in the counter that each topic's messages carry.
//!
//! There is no queue here that could overflow: when the spooler is behind, messages wait in the socket, then in the
//! node up to its high-water mark, and what the node drops then shows in the counter.

mod connection;
mod endpoint;
mod message;
mod tally;

use std::time::Duration;

use bmon_event::{AgentTime, Event, Kind, Source, ZmqPosition, event::Gap};
use futures_util::future::{Either, select};
use zeromq::ZmqMessage;

use self::{
    connection::{Connection, Lost},
    endpoint::Endpoint,
    tally::{Tally, Verdict},
};
use super::{Closed, Context, Position, Reader, Report, detail, rpc::Client};
use crate::{config::ZmqConfig, shipper::chain};

/// How often a quiet connection moves the position on.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// The node takes a subscription up some time after it was sent, and does not say when. Over loopback that takes
/// about a millisecond.
const SETTLING_US: u32 = 500_000;
/// Messages taken at once. Below the 128 reads after which tokio pretends that a socket is empty.
const MESSAGES_AT_ONCE: usize = 64;
/// How long to wait before the next attempt to connect, and to find something to connect to.
const RETRY: Duration = Duration::from_millis(200);
const RETRY_DISCOVERY: Duration = Duration::from_secs(2);

/// Listens to one node.
pub(crate) struct Zmq {
    config: ZmqConfig,
    rpc: Option<Client>,
    /// Everything that was published until then has been reported. `None` before the first connection ever.
    heard_until: Option<AgentTime>,
}

/// Why following a connection ended.
enum End {
    Lost(Lost),
    Closed,
}

impl From<Closed> for End {
    fn from(_: Closed) -> Self {
        Self::Closed
    }
}

impl Zmq {
    /// Goes on from `position`. Without addresses in `config`, `rpc` is asked for them.
    pub(crate) fn new(config: &ZmqConfig, rpc: Option<Client>, position: Option<ZmqPosition>) -> Self {
        let heard_until = position.map(|position| AgentTime::from_micros(position.alive_until_us));
        Self { config: config.clone(), rpc, heard_until }
    }

    async fn listen(&mut self, context: &mut Context) -> Result<(), Closed> {
        loop {
            let pause = match endpoint::find(&self.config, self.rpc.as_ref(), &context.lacks) {
                Ok(endpoints) if endpoints.is_empty() => {
                    tell_broken(context, "the node publishes nothing over ZMQ")?;
                    RETRY_DISCOVERY
                }
                Ok(endpoints) => match self.follow(&endpoints, context).await {
                    Err(End::Lost(lost)) => {
                        tell_broken(context, &chain(&lost))?;
                        RETRY
                    }
                    Err(End::Closed) | Ok(()) => return Err(Closed),
                },
                Err(error) => {
                    let problem = format!("failed to ask the node for its ZMQ addresses: {}", chain(&error));
                    tell_broken(context, &problem)?;
                    RETRY_DISCOVERY
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Connects, and reports what is published until a connection is lost.
    async fn follow(&mut self, endpoints: &[Endpoint], context: &mut Context) -> Result<(), End> {
        let mut connection = Connection::open(endpoints).await.map_err(End::Lost)?;
        let now = context.clock.now();
        let mut stream = Stream {
            settles_at: Some(now.plus_micros(SETTLING_US.into())),
            gap_before: self.heard_until.is_some(),
            tally: Tally::default(),
        };
        // Of the first connection ever, too, it is known from when on messages may be missing.
        self.heard_until.get_or_insert(now);
        loop {
            let mut events = Vec::new();
            let patience = if stream.settles_at.is_some() {
                Duration::from_micros(SETTLING_US.into())
            } else {
                HEARTBEAT
            };
            match tokio::time::timeout(patience, connection.receive()).await {
                Ok(Ok(message)) => self.take(&message, &mut stream, context, &mut events),
                Ok(Err(lost)) => return Err(End::Lost(lost)),
                Err(_) => {}
            }
            let emptied = self.drain(&mut connection, &mut stream, context, &mut events);
            let stands = match emptied {
                Ok(Some(at)) => self.advance(at, &mut stream, context, &mut events),
                _ => false,
            };
            context.outlet.send(Report { events, position: self.position() })?;
            if stands {
                context.outlet.tell_state(context.clock.now(), true, describe(endpoints, context))?;
            }
            emptied.map_err(End::Lost)?;
        }
    }

    /// Takes what is there already. Returns when the socket was empty, `None` if there is more.
    fn drain(
        &self,
        connection: &mut Connection,
        stream: &mut Stream,
        context: &Context,
        events: &mut Vec<Event>,
    ) -> Result<Option<AgentTime>, Lost> {
        for _ in 0..MESSAGES_AT_ONCE {
            let at = context.clock.now();
            match connection.receive_now() {
                Some(Ok(message)) => self.take(&message, stream, context, events),
                Some(Err(lost)) => return Err(lost),
                None => return Ok(Some(at)),
            }
        }
        Ok(None)
    }

    fn take(&self, message: &ZmqMessage, stream: &mut Stream, context: &Context, events: &mut Vec<Event>) {
        let now = context.clock.now();
        context.counters.add_zmq(1);
        let frames: Vec<&[u8]> = message.iter().map(AsRef::as_ref).collect();
        let Some(message) = message::read(&frames) else { return };
        let (lost, reason) = match stream.tally.note(message.topic, message.counter) {
            Verdict::Complete => (Some(0), ""),
            Verdict::Lost(lost) => (Some(lost), "the node dropped messages at its high-water mark"),
            Verdict::Restarted => (None, "the node's counter began again"),
        };
        if lost != Some(0) {
            events.push(self.gap(now, now, lost, format!("{reason} (`{}`)", message.topic.as_str())));
        }
        events.extend(message.kind.map(|kind| context.outlet.event(now, None, kind)));
    }

    /// Moves the position to `at`, when the socket was empty; once the subscription stands, not before. True when it
    /// has just come to stand.
    fn advance(
        &mut self,
        at: AgentTime,
        stream: &mut Stream,
        context: &Context,
        events: &mut Vec<Event>,
    ) -> bool {
        let settles_at = stream.settles_at;
        if let Some(settles_at) = settles_at {
            if at < settles_at {
                return false;
            }
            stream.settles_at = None;
            if stream.gap_before {
                let reason = "no connection to the node's publisher".to_owned();
                events.push(self.gap(context.clock.now(), at, None, reason));
            }
        }
        self.heard_until = Some(at);
        settles_at.is_some()
    }

    fn position(&self) -> Option<Position> {
        let alive_until_us = self.heard_until?.as_micros();
        Some(Position::Zmq(ZmqPosition { alive_until_us }))
    }

    fn gap(&self, now: AgentTime, to: AgentTime, lost: Option<u64>, reason: String) -> Event {
        let gap = Gap { source: Source::Zmq, from: self.heard_until, to, lost, reason };
        Event { source: Source::Agent, node_time: None, agent_time: now, kind: Kind::Gap(gap) }
    }
}

/// What is known of one connection's messages.
struct Stream {
    /// When the subscription will surely stand; `None` once it does.
    settles_at: Option<AgentTime>,
    /// Whether there was a connection before, in this run or an earlier one.
    gap_before: bool,
    tally: Tally,
}

impl Reader for Zmq {
    fn source(&self) -> Source {
        Source::Zmq
    }

    fn run(mut self: Box<Self>, mut context: Context) {
        if let Some(rpc) = &self.rpc {
            context.stop.interrupts(Box::new(rpc.interrupter()));
        }
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                let _ = tell_broken(&mut context, &format!("failed to start: {error}"));
                return;
            }
        };
        let stop = context.stop.clone();
        runtime.block_on(async {
            let listening = std::pin::pin!(self.listen(&mut context));
            let stopping = std::pin::pin!(stop.wait_async());
            if let Either::Left((Err(Closed), _)) = select(listening, stopping).await {
                tracing::debug!("the spooler is gone");
            }
        });
    }
}

fn describe(endpoints: &[Endpoint], context: &Context) -> String {
    let described = endpoints.iter().map(|endpoint| {
        let topics: Vec<_> = endpoint.topics.iter().map(|topic| topic.as_str()).collect();
        format!("receives {} from `{}`", topics.join(" and "), endpoint.address)
    });
    detail(&described.collect::<Vec<_>>().join(", "), &context.lacks.of(Source::Zmq))
}

fn tell_broken(context: &mut Context, problem: &str) -> Result<(), Closed> {
    let text = detail(problem, &context.lacks.of(Source::Zmq));
    context.outlet.tell_state(context.clock.now(), false, text)
}

#[cfg(test)]
mod tests;
