//! How numbers and hashes are written for people.

use bmon_analysis::tree::Status;
use bmon_server::api::{Apart, Arrival};

/// A stretch of time with three digits: `870 µs`, `12.3 ms`, `4.56 s`, `312 s`.
pub(crate) fn duration(us: i64) -> String {
    let (value, unit) = match us.unsigned_abs() {
        0..1_000 => return format!("{us} µs"),
        1_000..1_000_000 => (us as f64 / 1e3, "ms"),
        _ => (us as f64 / 1e6, "s"),
    };
    let decimals = match value.abs() {
        ..10.0 => 2,
        ..100.0 => 1,
        _ => 0,
    };
    format!("{value:.decimals$} {unit}")
}

/// When a node had something, beside the first that had it: `first`, `+12.3 ms`, `~0.2 ms` when the clocks cannot tell
/// it from nothing, `+12.3 ms?` when nothing is known of the clocks.
pub(crate) fn delay(arrival: &Arrival, rank: usize) -> String {
    delay_of(rank == 0, arrival.delay_us, arrival.distinguishable)
}

/// The same, where it is known whether the node `is_first`.
pub(crate) fn delay_of(is_first: bool, delay_us: i64, distinguishable: Option<bool>) -> String {
    let delay = duration(delay_us);
    match distinguishable {
        _ if is_first => "first".to_owned(),
        Some(true) => format!("+{delay}"),
        Some(false) => format!("~{delay}"),
        None => format!("+{delay}?"),
    }
}

/// The same as a sentence, with the largest error of the delay.
pub(crate) fn after_first(delay_us: i64, bound_us: Option<i64>) -> String {
    match (delay_us, bound_us) {
        (0, Some(0)) => "first".to_owned(),
        (_, Some(bound_us)) if delay_us <= bound_us => {
            format!("{} ±{}, not distinguishable from the first", signed(delay_us), duration(bound_us))
        }
        (_, Some(bound_us)) => format!("{} ±{}", signed(delay_us), duration(bound_us)),
        (_, None) => format!("{}, clock difference unknown", signed(delay_us)),
    }
}

/// How far apart nodes had something, as a sentence.
pub(crate) fn apart(Apart { nodes, spread_us, bound_us, standard_deviation_us }: Apart) -> String {
    let [spread, bound, deviation] = [spread_us, bound_us, standard_deviation_us].map(duration);
    format!("{nodes} nodes within {spread} ±{bound}, standard deviation {deviation}")
}

/// A stretch of time with its sign.
pub(crate) fn signed(us: i64) -> String {
    if us < 0 { duration(us) } else { format!("+{}", duration(us)) }
}

/// Parts of at most `width` characters, broken at blanks. A word that is longer stays whole.
pub(crate) fn broken(text: &str, width: usize) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part = String::new();
    for word in text.split(' ') {
        let fits = part.chars().count() + 1 + word.chars().count() <= width;
        if !part.is_empty() && !fits {
            parts.push(std::mem::take(&mut part).trim_end().to_owned());
        } else if !part.is_empty() {
            part.push(' ');
        }
        part.push_str(word);
    }
    parts.push(part);
    parts
}

/// The end of a hash, enough to tell blocks apart by eye: the front of a block's hash is zeros.
pub(crate) fn short(hash: &impl ToString) -> String {
    let hash = hash.to_string();
    format!("…{}", &hash[hash.len().saturating_sub(12)..])
}

/// `value`, or a dash where there is none.
pub(crate) fn or_dash<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// The items one after another.
pub(crate) fn list<T: ToString>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// So many of them: `1 block`, `2 blocks`.
pub(crate) fn many(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// What a block is to a node, a dash where it has not told that it knows it.
pub(crate) const fn status(status: Status) -> &'static str {
    match status {
        Status::Unknown => "-",
        Status::HeaderOnly => "header only",
        Status::Valid => "valid",
        Status::Invalid => "invalid",
        Status::Active => "active",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_three_digits_and_a_unit() {
        let written: Vec<_> =
            [0, 870, 1_000, 12_345, 456_789, 4_560_000, 61_000_000, 312_000_000].map(duration).into();
        assert_eq!(written, ["0 µs", "870 µs", "1.00 ms", "12.3 ms", "457 ms", "4.56 s", "61.0 s", "312 s"]);
        assert_eq!(duration(-12_345), "-12.3 ms");
    }

    #[test]
    fn a_hash_is_known_by_its_end() {
        assert_eq!(short(&format!("{}0123456789ab", "0".repeat(52))), "…0123456789ab");
        assert_eq!(short(&"abc"), "…abc");
    }
}
