//! A map that forgets.

use std::{collections::HashMap, hash::Hash, mem};

use bmon_event::AgentTime;

use crate::settings::Retention;

/// What was told lately: bounded in event time and in entries, at a constant cost for each. Two maps, of which the
/// older one is dropped whole when the younger one is full or old enough, and takes its place.
#[derive(Debug)]
pub(crate) struct Memory<K, V> {
    retention: Retention,
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    young_since: Option<AgentTime>,
    forgotten: u64,
}

impl<K: Hash + Eq, V> Memory<K, V> {
    pub(crate) fn new(retention: Retention) -> Self {
        Self { retention, young: HashMap::new(), old: HashMap::new(), young_since: None, forgotten: 0 }
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        match self.young.get_mut(key) {
            None => self.old.get_mut(key),
            young => young,
        }
    }

    /// Remembers `value` for `key`, told at `at`.
    pub(crate) fn insert(&mut self, at: AgentTime, key: K, value: V) {
        let since = *self.young_since.get_or_insert(at);
        if self.young.len() >= self.retention.entries / 2
            || at.micros_since(since) > self.retention.span_us / 2
        {
            let dropped = mem::replace(&mut self.old, mem::take(&mut self.young));
            self.forgotten += dropped.len() as u64;
            self.young_since = Some(at);
        }
        self.old.remove(&key);
        self.young.insert(key, value);
    }

    /// Takes out what is remembered for `key`.
    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        self.young.remove(key).or_else(|| self.old.remove(key))
    }

    /// All that is remembered, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.young.iter().chain(&self.old)
    }

    /// Entries forgotten since the start.
    pub(crate) const fn forgotten(&self) -> u64 {
        self.forgotten
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(span_us: i64, entries: usize) -> Memory<u32, u32> {
        Memory::new(Retention { span_us, entries })
    }

    #[test]
    fn no_more_than_the_bound_is_kept_and_the_rest_is_counted() {
        let mut memory = memory(1_000_000, 100);
        for key in 0..1_000 {
            memory.insert(AgentTime::from_micros(1), key, key);
        }
        let kept = (0..1_000).filter(|key| memory.get(key).is_some()).count();
        assert!((50..=100).contains(&kept), "{kept}");
        assert!((950..1_000).all(|key| memory.get(&key) == Some(&key)));
        assert_eq!(memory.forgotten(), 1_000 - kept as u64);
    }

    #[test]
    fn half_of_the_span_is_always_remembered() {
        let mut memory = memory(100, 1_000);
        for at in 0..1_000_u32 {
            memory.insert(AgentTime::from_micros(at.into()), at, at);
            assert!((at.saturating_sub(50)..=at).all(|key| memory.get(&key).is_some()));
            assert!((0..at.saturating_sub(102)).all(|key| memory.get(&key).is_none()));
        }
    }

    #[test]
    fn what_is_taken_out_is_not_remembered_any_more() {
        let mut memory = memory(100, 4);
        for key in 0..3 {
            memory.insert(AgentTime::from_micros(0), key, key);
        }
        assert_eq!((memory.remove(&0), memory.remove(&2), memory.remove(&2)), (Some(0), Some(2), None));
        assert_eq!(memory.iter().collect::<Vec<_>>(), [(&1, &1)]);
        assert_eq!(memory.forgotten(), 0);
    }

    #[test]
    fn a_new_value_replaces_the_old_one_and_nothing_is_forgotten() {
        let mut memory = memory(100, 1_000);
        memory.insert(AgentTime::from_micros(0), 7, 1);
        memory.insert(AgentTime::from_micros(51), 8, 0);
        memory.insert(AgentTime::from_micros(52), 7, 2);
        memory.insert(AgentTime::from_micros(103), 9, 0);
        assert_eq!(memory.get(&7), Some(&2));
        assert_eq!(memory.forgotten(), 0);
    }
}
