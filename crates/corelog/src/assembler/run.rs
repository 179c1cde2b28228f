//! The lines of `-debug=bench` that one block writes while it is connected.
//!
//! None of them names the block, but `UpdateTip` stands among them. All are written by `ConnectTip` and `ConnectBlock`
//! (`src/validation.cpp`, 0.16 to 31.99) by one thread that holds `cs_main`, so that those of two blocks are never
//! mixed, whatever other threads write between them. The checks of a block template write some of them, and so does a
//! block that turns out invalid: what is no unbroken row of steps is no run. Where lines are lost the rows of two blocks
//! could seem to be one, so the durations must add up too: the node measures all of them between the same instants.

use bmon_event::{BlockHash, event::Processing};

use super::Thread;
use crate::Message;

/// The most lines of a run: one for each step.
const STEPS: usize = Step::Finish as usize + 1;

/// A line of a run, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Cached,
    Load,
    Sanity,
    Forks,
    Transactions,
    Scripts,
    Undo,
    Index,
    Connect,
    Flush,
    Chainstate,
    Tip,
    Postprocess,
    Finish,
}

impl Step {
    /// The step that a message tells, with its duration in milliseconds where it has one.
    #[inline]
    const fn of(message: &Message<'_>) -> Option<(Self, f64)> {
        Some(match message {
            Message::CachedBlock(_) => (Self::Cached, 0.0),
            Message::LoadBlock(message) => (Self::Load, message.ms),
            Message::SanityChecks(message) => (Self::Sanity, message.ms),
            Message::ForkChecks(message) => (Self::Forks, message.ms),
            Message::ConnectTransactions(message) => (Self::Transactions, message.ms),
            Message::VerifyInputs(message) => (Self::Scripts, message.ms),
            Message::WriteUndo(message) => (Self::Undo, message.ms),
            Message::WriteIndex(message) => (Self::Index, message.ms),
            Message::ConnectTotal(message) => (Self::Connect, message.ms),
            Message::FlushView(message) => (Self::Flush, message.ms),
            Message::WriteChainstate(message) => (Self::Chainstate, message.ms),
            Message::UpdateTip(_) => (Self::Tip, 0.0),
            Message::ConnectPostprocess(message) => (Self::Postprocess, message.ms),
            Message::ConnectBlock(message) => (Self::Finish, message.ms),
            _ => return None,
        })
    }

    /// Whether `next` is the line after this one in any version: up to 23 there is no [`Self::Undo`], up to 0.11 none of
    /// the checks, and the genesis block is connected without all of these.
    const fn is_before(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Cached, Self::Load)
                | (Self::Load, Self::Sanity | Self::Transactions | Self::Connect)
                | (Self::Sanity, Self::Forks)
                | (Self::Forks, Self::Transactions)
                | (Self::Transactions, Self::Scripts)
                | (Self::Scripts, Self::Undo | Self::Index)
                | (Self::Undo, Self::Index)
                | (Self::Index, Self::Connect)
                | (Self::Connect, Self::Flush)
                | (Self::Flush, Self::Chainstate)
                | (Self::Chainstate, Self::Tip)
                | (Self::Tip, Self::Postprocess)
                | (Self::Postprocess, Self::Finish)
        )
    }
}

/// A block that was connected, as a run tells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Connected {
    /// The block.
    pub block: BlockHash,
    /// Its height.
    pub height: u32,
    /// The steps. Without `load_us` the beginning of the run is missing.
    pub processing: Processing,
}

/// The run that is under way, if one is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Runs {
    open: Option<Run>,
}

#[derive(Clone, Debug)]
pub(super) struct Run {
    thread: Thread,
    /// The first and the last step so far.
    first: Step,
    last: Step,
    /// By step; those between `first` and `last` that the version does not have are `None`.
    times: [Option<Hundredths>; STEPS],
    /// The places of the lines, by step.
    places: [Option<u64>; STEPS],
    block: Option<(BlockHash, u32)>,
    transactions: Option<u32>,
    inputs: Option<u32>,
}

/// A duration as the node prints it: hundredths of a millisecond.
type Hundredths = u64;

impl Runs {
    pub(crate) const fn new() -> Self {
        Self { open: None }
    }

    /// Takes a message. The run that it ends, if it ends one.
    #[inline]
    pub(super) fn take(
        &mut self,
        place: u64,
        thread: Thread,
        message: &Message<'_>,
    ) -> Option<(Connected, Run)> {
        let (step, ms) = Step::of(message)?;
        self.step(place, thread, message, step, ms)
    }

    /// Takes the message of a line that this thread wrote, for one who does not ask for its lines. The block whose run
    /// it ends, if it ends one.
    #[inline]
    pub(crate) fn feed(&mut self, thread: Option<&[u8]>, message: &Message<'_>) -> Option<Connected> {
        let (step, ms) = Step::of(message)?;
        Some(self.step(0, Thread::of(thread), message, step, ms)?.0)
    }

    /// Ends the run of a block that was not connected.
    pub(super) const fn end(&mut self) -> Option<Run> {
        self.open.take()
    }

    /// The place of the first line of the run under way. Steps that a block template writes too are not waited for.
    pub(super) fn waiting(&self) -> Option<u64> {
        let run = self.open.as_ref().filter(|run| run.is_whole() || run.last >= Step::Undo);
        run.and_then(|run| run.places().next())
    }

    /// The place of the last line of the run under way.
    pub(super) fn last(&self) -> Option<u64> {
        self.open.as_ref().and_then(|run| run.places().last())
    }

    fn step(
        &mut self,
        place: u64,
        thread: Thread,
        message: &Message<'_>,
        step: Step,
        ms: f64,
    ) -> Option<(Connected, Run)> {
        let goes_on = self.open.as_ref().is_some_and(|run| run.last.is_before(step) && run.thread == thread);
        let Some(time) = hundredths(ms) else {
            self.open = None;
            return None;
        };
        if !goes_on {
            // A tip that stands alone is that of a block without a run, or of one that was disconnected.
            self.open = (step != Step::Tip).then(|| Run::new(thread, step));
        }
        let run = self.open.as_mut()?;
        run.note(place, step, time, message);
        if step != Step::Finish {
            return None;
        }
        let run = self.open.take()?;
        Some((run.connected()?, run))
    }
}

impl Run {
    const fn new(thread: Thread, first: Step) -> Self {
        Self {
            thread,
            first,
            last: first,
            times: [None; STEPS],
            places: [None; STEPS],
            block: None,
            transactions: None,
            inputs: None,
        }
    }

    /// Whether nothing of its beginning is missing.
    pub(super) fn is_whole(&self) -> bool {
        self.first <= Step::Load
    }

    /// Whether it broke off where the run of an invalid block does: in `ConnectBlock`.
    pub(super) fn is_checking(&self) -> bool {
        (Step::Load..Step::Undo).contains(&self.last)
    }

    pub(super) fn thread(&self) -> Thread {
        self.thread
    }

    /// The places of its lines.
    pub(super) fn places(&self) -> impl Iterator<Item = u64> + '_ {
        self.places.iter().flatten().copied()
    }

    fn note(&mut self, place: u64, step: Step, time: Hundredths, message: &Message<'_>) {
        self.last = step;
        if let (Some(times), Some(places)) =
            (self.times.get_mut(step as usize), self.places.get_mut(step as usize))
        {
            (*times, *places) = (Some(time), Some(place));
        }
        match message {
            Message::UpdateTip(tip) => self.block = Some((tip.block, tip.height)),
            Message::ConnectTransactions(message) => self.transactions = Some(message.transactions),
            Message::VerifyInputs(message) => self.inputs = Some(message.inputs),
            _ => {}
        }
    }

    /// The block, `None` when the run does not name it or is none.
    fn connected(&self) -> Option<Connected> {
        let (block, height) = self.block?;
        let total_us = self.us(Step::Finish)?;
        let processing = Processing {
            total_us,
            load_us: self.us(Step::Load),
            connect_us: self.us(Step::Connect),
            sanity_us: self.us(Step::Sanity),
            forks_us: self.us(Step::Forks),
            transactions_us: self.us(Step::Transactions),
            scripts_us: self.us(Step::Scripts),
            undo_us: self.us(Step::Undo),
            index_us: self.us(Step::Index),
            flush_us: self.us(Step::Flush),
            chainstate_us: self.us(Step::Chainstate),
            postprocess_us: self.us(Step::Postprocess),
            transactions: self.transactions,
            inputs: self.inputs,
        };
        self.adds_up().then_some(Connected { block, height, processing })
    }

    /// Whether the durations can be those of one block. The steps of `ConnectTip` follow one another without a pause,
    /// those of `ConnectBlock` are within one of them; each figure is rounded on its own.
    fn adds_up(&self) -> bool {
        /// Half a hundredth for each figure in a sum of five and for the sum itself.
        const ROUNDING: Hundredths = 3;
        const OUTER: [Step; 5] =
            [Step::Load, Step::Connect, Step::Flush, Step::Chainstate, Step::Postprocess];
        const INNER: [Step; 5] = [Step::Sanity, Step::Forks, Step::Scripts, Step::Undo, Step::Index];
        let sum = |steps: &[Step]| steps.iter().filter_map(|step| self.time(*step)).sum::<Hundredths>();
        let (total, outer) = (self.time(Step::Finish).unwrap_or_default(), sum(&OUTER));
        let is_whole = OUTER.iter().all(|step| self.time(*step).is_some());
        let outer_fits = if is_whole { total.abs_diff(outer) <= ROUNDING } else { outer <= total + ROUNDING };
        let inner_fits = self.time(Step::Connect).is_none_or(|connect| sum(&INNER) <= connect + ROUNDING);
        outer_fits && inner_fits
    }

    fn time(&self, step: Step) -> Option<Hundredths> {
        self.times.get(step as usize).copied().flatten()
    }

    fn us(&self, step: Step) -> Option<u64> {
        self.time(step).map(|time| time * 10)
    }
}

/// `None` for what no clock measures: old versions took the time of day, which can be set back (`GetTimeMicros`,
/// `src/validation.cpp@v24.2`).
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked, and the rest was printed with two decimals"
)]
fn hundredths(ms: f64) -> Option<Hundredths> {
    /// A month in milliseconds.
    const LONGEST: f64 = 31.0 * 86_400_000.0;
    (0.0..LONGEST).contains(&ms).then(|| (ms * 100.0).round() as Hundredths)
}
