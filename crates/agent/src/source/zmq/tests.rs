use std::sync::mpsc::Receiver;

use zeromq::{PubSocket, Socket, SocketSend};

use super::*;
use crate::{
    advice::Lacks, clock::Clock, health::Counters, observed::Observed, source::Outlet, spooler,
    spooler::Message, stop::Stop,
};

const PAUSE: Duration = Duration::from_millis(10);
const ATTEMPTS: usize = 3_000;

/// A node's publisher that can be told to skip numbers and to go away.
struct Publisher {
    socket: PubSocket,
    runtime: tokio::runtime::Runtime,
    counter: u32,
}

impl Publisher {
    fn bind(address: &str) -> (Self, String) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (socket, address) = runtime.block_on(async {
            let mut socket = PubSocket::new();
            let address = socket.bind(address).await.unwrap().to_string();
            (socket, address)
        });
        (Self { socket, runtime, counter: 0 }, address)
    }

    fn publish(&mut self) {
        let mut message = ZmqMessage::from("hashblock");
        message.push_back(vec![7; 32].into());
        message.push_back(self.counter.to_le_bytes().to_vec().into());
        self.counter += 1;
        self.runtime.block_on(async {
            self.socket.send(message).await.unwrap();
            tokio::time::sleep(PAUSE).await;
        });
    }

    /// Publishes until `wanted` is among what is reported.
    fn publish_until<T>(&mut self, inbox: &Receiver<Message>, wanted: impl Fn(&Kind) -> Option<T>) -> T {
        for _ in 0..ATTEMPTS {
            self.publish();
            if let Some(found) = reported(inbox).iter().find_map(|event| wanted(&event.kind)) {
                return found;
            }
        }
        panic!("nothing was reported");
    }
}

fn reported(inbox: &Receiver<Message>) -> Vec<Event> {
    let reports = inbox.try_iter().filter_map(|message| match message {
        Message::Report(report) => Some(report.events),
        _ => None,
    });
    reports.flatten().collect()
}

fn tip(kind: &Kind) -> Option<()> {
    matches!(kind, Kind::Tip { .. }).then_some(())
}

fn gap(kind: &Kind) -> Option<Gap> {
    match kind {
        Kind::Gap(gap) => Some(gap.clone()),
        _ => None,
    }
}

fn listen(address: &str) -> (Stop, Receiver<Message>, std::thread::JoinHandle<()>) {
    let (sender, inbox) = spooler::channel();
    let stop = Stop::default();
    let context = Context {
        clock: Clock::default(),
        stop: stop.clone(),
        counters: Counters::default(),
        lacks: Lacks::default(),
        observed: Observed::default(),
        outlet: Outlet::new(Source::Zmq, sender, Observed::default()),
    };
    let config = ZmqConfig { hashblock: Some(address.to_owned()), sequence: None };
    let reader = Box::new(Zmq::new(&config, None, None));
    (stop, inbox, std::thread::spawn(move || reader.run(context)))
}

#[test]
fn dropped_messages_are_counted_and_a_lost_connection_is_a_gap_without_a_number() {
    let (mut publisher, address) = Publisher::bind("tcp://127.0.0.1:0");
    let (stop, inbox, reader) = listen(&address);
    publisher.publish_until(&inbox, tip);
    publisher.counter += 3;
    let dropped = publisher.publish_until(&inbox, gap);
    assert_eq!((dropped.source, dropped.lost), (Source::Zmq, Some(3)));

    drop(publisher);
    let (mut publisher, _) = Publisher::bind(&address);
    let away = publisher.publish_until(&inbox, gap);
    assert_eq!((away.source, away.lost), (Source::Zmq, None));
    assert!(away.from < Some(away.to) && away.to.micros_since(away.from.unwrap()) >= i64::from(SETTLING_US));
    publisher.publish_until(&inbox, tip);
    stop.set();
    reader.join().unwrap();
}
