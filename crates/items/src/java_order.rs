//! The order in which Java's `HashMap` iterates over texts.
//!
//! Members of a CSV row come in it. Source: recordings of rows with the columns `H1` and none, and `0`, `True` and `{}`.

/// Places of the names, in the order of a `HashMap` into which they are put one after the other.
pub(crate) fn of(names: &[String]) -> Vec<usize> {
    // Capacity doubles whenever more than three quarters are full; within a bucket the order of insertion stays.
    let mut buckets = 16_usize;
    while names.len() > buckets / 4 * 3 {
        buckets *= 2;
    }
    let mut places: Vec<usize> = (0..names.len()).collect();
    places.sort_by_key(|place| spread(&names[*place]) as usize & (buckets - 1));
    places
}

/// `String.hashCode`, with its upper half mixed into the lower one as `HashMap` does.
fn spread(text: &str) -> u32 {
    let hash = text.encode_utf16().fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)));
    hash ^ (hash >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ordered<'a>(names: &[&'a str]) -> Vec<&'a str> {
        let owned: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        of(&owned).into_iter().map(|place| names[place]).collect()
    }

    #[test]
    fn recorded_orders() {
        assert_eq!(ordered(&["H1", ""]), ["", "H1"]);
        assert_eq!(ordered(&["0", "True", "{}"]), ["0", "{}", "True"]);
        assert_eq!(ordered(&["Col1", "Col2", "Col3"]), ["Col1", "Col2", "Col3"]);
    }
}
