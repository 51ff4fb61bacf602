//! A map that knows the weight of its entries and which was used longest ago.

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
};

/// Entries by key, in order of their last use. Holds no bound itself: its owner asks for [`Lru::oldest`] and removes.
pub(crate) struct Lru<K, V> {
    entries: HashMap<K, Entry<V>>,
    order: BTreeMap<u64, K>,
    next: u64,
    weight: usize,
}

struct Entry<V> {
    value: V,
    weight: usize,
    used: u64,
}

impl<K: Clone + Eq + Hash, V> Lru<K, V> {
    pub(crate) fn new() -> Lru<K, V> {
        Lru { entries: HashMap::new(), order: BTreeMap::new(), next: 0, weight: 0 }
    }

    /// Puts the entry in as the one used last.
    pub(crate) fn insert(&mut self, key: K, value: V, weight: usize) {
        self.remove(&key);
        self.next += 1;
        self.weight += weight;
        self.order.insert(self.next, key.clone());
        self.entries.insert(key, Entry { value, weight, used: self.next });
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let entry = self.entries.remove(key)?;
        self.order.remove(&entry.used);
        self.weight -= entry.weight;
        Some(entry.value)
    }

    /// Marks the entry as used last.
    pub(crate) fn get(&mut self, key: &K) -> Option<&V> {
        let entry = self.entries.get_mut(key)?;
        self.order.remove(&entry.used);
        self.next += 1;
        entry.used = self.next;
        self.order.insert(self.next, key.clone());
        Some(&entry.value)
    }

    /// Without marking it as used.
    pub(crate) fn peek(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|entry| &entry.value)
    }

    /// From the one used longest ago on.
    pub(crate) fn oldest(&self) -> impl Iterator<Item = (&K, &V)> {
        self.order.values().filter_map(|key| self.entries.get(key).map(|entry| (key, &entry.value)))
    }

    /// Sum of the weights.
    pub(crate) fn weight(&self) -> usize {
        self.weight
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.order.clear();
        self.weight = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_the_one_used_longest_ago() {
        let mut lru = Lru::new();
        lru.insert("a", 1, 10);
        lru.insert("b", 2, 20);
        lru.insert("c", 3, 30);
        assert_eq!(lru.get(&"a"), Some(&1));
        assert_eq!(lru.oldest().map(|(key, _)| *key).collect::<Vec<_>>(), ["b", "c", "a"]);
        lru.insert("b", 4, 5);
        assert_eq!(lru.weight(), 45);
        assert_eq!(lru.remove(&"c"), Some(3));
        assert_eq!(lru.peek(&"b"), Some(&4));
        assert_eq!(lru.oldest().map(|(key, _)| *key).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(lru.weight(), 15);
    }
}
