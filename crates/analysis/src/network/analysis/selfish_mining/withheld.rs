use super::{INTERVAL_US, Look, STEP, WINDOW, at_height, say_window};
use crate::{
    finding::{Body, SelfishMining},
    network::Ledger,
    row::Row,
    selfish::{Signal, Withheld, Withholding},
};

/// A pair is judged when it was seen so long ago: whatever is told of it until then counts, in whatever order it comes.
const SETTLED_US: i64 = 2 * 3_600 * 1_000_000;
/// So many heights below the top are looked at first: as far back as it is remembered who saw what.
const BACK: u32 = 288;

/// The pairs of parent and child of the main chain, window by window.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    /// The height of the child to look at next.
    next: Option<u32>,
    window: Option<Window>,
}

#[derive(Debug)]
struct Window {
    number: u32,
    from_height: u32,
    watch: Withholding,
}

impl Pairs {
    /// Judges the pairs up to the height `top`, each once.
    pub(super) fn look(&mut self, look: &Look<'_>, top: u32, ledger: &mut Ledger, out: &mut Vec<Row>) {
        let mut next = match self.next {
            Some(next) => next,
            None => self.resume(ledger).unwrap_or_else(|| top.saturating_sub(BACK)),
        };
        while next <= top {
            let child = at_height(look, next);
            let is_settled = |child| look.now.micros_since(look.network.first_time(child)) >= SETTLED_US;
            if child.is_some_and(|child| !is_settled(child)) {
                break;
            }
            self.judge(look, next, ledger, out);
            next += 1;
        }
        self.next = Some(next);
    }

    /// Goes on with what was said last before the server was last started.
    fn resume(&mut self, ledger: &Ledger) -> Option<u32> {
        let of_window = |body: &Body| match body {
            Body::SelfishMining(found) => match found.numbers {
                Some(Signal::Withheld(window)) => Some((found.to_height, found.from_height, window)),
                _ => None,
            },
            _ => None,
        };
        let windows = ledger.iter().filter_map(|finding| of_window(&finding.body));
        let (to_height, from_height, window): (_, _, Withheld) = windows.max_by_key(|(to, ..)| *to)?;
        let (number, watch) = (to_height / WINDOW, Withholding::resumed(&window));
        self.window = Some(Window { number, from_height, watch });
        Some(to_height + 1)
    }

    fn judge(&mut self, look: &Look<'_>, height: u32, ledger: &mut Ledger, out: &mut Vec<Row>) {
        let number = height / WINDOW;
        let mut window = self
            .window
            .take()
            .filter(|window| window.number == number)
            .unwrap_or_else(|| Window { number, from_height: height, watch: Withholding::new(INTERVAL_US) });
        let was_alarm = window.watch.window().is_alarm();
        let seen = |height: Option<u32>| look.network.seen_block(at_height(look, height?)?, look.now);
        // What nobody saw, as while no agent ran, is no pair.
        let pair = seen(height.checked_sub(1)).zip(seen(Some(height)));
        let is_close = pair
            .and_then(|(parent, child)| window.watch.push(&parent, &child).ok())
            .is_some_and(|pair| pair.is_close());
        let (found, is_step) = (window.watch.window(), (height + 1).is_multiple_of(STEP));
        // Nothing but a close pair can make it an alarm, or a greater one.
        let is_news = is_close && (found.is_alarm() || was_alarm);
        if let Some(block) = at_height(look, height).filter(|_| is_step || is_news) {
            let said = SelfishMining::of(Signal::Withheld(found), block, window.from_height, height);
            say_window(look, said, ledger, out);
        }
        self.window = Some(window);
    }
}
