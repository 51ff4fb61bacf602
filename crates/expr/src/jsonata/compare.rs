//! Whether items are equal, and how texts are ordered.

use std::cmp::Ordering;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::budget::{Budget, Budgeted, Outcome};
use super::item::Item;

/// The first byte of characters that UTF-16 orders in another way than UTF-8 does.
const LATE_BYTE: u8 = 0xEE;

/// As JavaScript orders texts: by their UTF-16 units.
pub(super) fn texts(a: &str, b: &str) -> Ordering {
    let is_late = |text: &str| text.bytes().any(|byte| byte >= LATE_BYTE);
    match a.cmp(b) {
        Ordering::Equal => Ordering::Equal,
        _ if is_late(a) && is_late(b) => a.encode_utf16().cmp(b.encode_utf16()),
        order => order,
    }
}

/// Deep equality; objects regardless of the order of their members.
pub(super) fn equal(a: &Item, b: &Item, budget: &mut Budget) -> Outcome<bool> {
    match (a, b) {
        (Item::Number(a), Item::Number(b)) => return Ok(a == b),
        (Item::Text(a), Item::Text(b)) => {
            budget.read(if a.len() == b.len() { a.len() } else { 0 })?;
            return Ok(a == b);
        }
        _ => budget.burn(6)?,
    }
    if a.is_same(b) {
        return Ok(true);
    }
    if let (Some(a), Some(b)) = (a.elements(), b.elements()) {
        if a.len() != b.len() {
            return Ok(false);
        }
        return budget.deeper(|budget| {
            for (a, b) in a.iter().zip(b.iter()) {
                if !equal(&a, &b, budget)? {
                    return Ok(false);
                }
            }
            Ok(true)
        });
    }
    let (Some(a), Some(b)) = (a.members(), b.members()) else {
        return Ok(false);
    };
    if a.len() != b.len() {
        return Ok(false);
    }
    budget.deeper(|budget| {
        for (name, item) in a.iter() {
            budget.burn(4 + name.len() / 16)?;
            let other = b.get(name);
            if other.is_undefined() || !equal(&item, &other, budget)? {
                return Ok(false);
            }
        }
        Ok(true)
    })
}

/// Equal items have equal hashes.
pub(super) fn hash(item: &Item, budget: &mut Budget) -> Outcome<u64> {
    let mut hasher = DefaultHasher::new();
    budget.burn(8)?;
    match item {
        Item::Undefined => 0_u8.hash(&mut hasher),
        Item::Null => 1_u8.hash(&mut hasher),
        Item::Bool(bool) => (2_u8, bool).hash(&mut hasher),
        // The two zeros are equal.
        Item::Number(number) => (3_u8, (number + 0.0).to_bits()).hash(&mut hasher),
        Item::Text(text) => {
            budget.read(text.len())?;
            (4_u8, text).hash(&mut hasher);
        }
        Item::Function(function) => (5_u8, std::rc::Rc::as_ptr(function).addr()).hash(&mut hasher),
        Item::Array(_) | Item::List(_) | Item::Tuples(_) => {
            6_u8.hash(&mut hasher);
            budget.deeper(|budget| {
                for element in item.as_elements().iter() {
                    hash(&element, budget)?.hash(&mut hasher);
                }
                Ok(())
            })?;
        }
        Item::Object(_) | Item::Record(_) => {
            let sum = budget.deeper(|budget| {
                let mut sum = 0_u64;
                for (name, member) in item.members().into_iter().flat_map(|members| members.iter()) {
                    budget.read(name.len())?;
                    let mut hasher = DefaultHasher::new();
                    (name, hash(&member, budget)?).hash(&mut hasher);
                    sum = sum.wrapping_add(hasher.finish());
                }
                Ok(sum)
            })?;
            (7_u8, sum).hash(&mut hasher);
        }
    }
    Ok(hasher.finish())
}
