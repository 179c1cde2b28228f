use bmon_event::BlockHash;
use serde::{Deserialize, Serialize};

use crate::selfish::{Signal, SignalName};

/// What one signal of selfish mining says: of one race, or of a window of 2,016 heights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SelfishMining {
    /// Which signal.
    pub signal: SignalName,
    /// Whether it is unlikely enough under honest mining to be an alarm.
    pub is_alarm: bool,
    /// The chance of this, or of something still less likely, if all miners are honest. `None` while there is not enough
    /// history to tell.
    pub chance: Option<f64>,
    /// The numbers, in words.
    pub explanation: String,
    /// Of a race, the last block that both branches share; of a window, the last block that was looked at.
    pub block: BlockHash,
    /// The lowest height that it is about.
    pub from_height: u32,
    /// The highest height that it is about.
    pub to_height: u32,
    /// The numbers. `None` while there is not enough history to tell.
    pub numbers: Option<Signal>,
}

impl SelfishMining {
    /// What a signal says.
    pub(crate) fn of(numbers: Signal, block: BlockHash, from_height: u32, to_height: u32) -> Self {
        Self {
            signal: numbers.name(),
            is_alarm: numbers.is_alarm(),
            chance: Some(numbers.chance()),
            explanation: numbers.explain(),
            block,
            from_height,
            to_height,
            numbers: Some(numbers),
        }
    }

    /// A signal that has not enough history to tell.
    pub(crate) const fn not_enough(
        signal: SignalName,
        explanation: String,
        block: BlockHash,
        from_height: u32,
        to_height: u32,
    ) -> Self {
        let (is_alarm, chance, numbers) = (false, None, None);
        Self { signal, is_alarm, chance, explanation, block, from_height, to_height, numbers }
    }
}
