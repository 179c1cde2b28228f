//! Units in which other exporters tell amounts.

const SAT_PER_BTC: f64 = 1e8;

/// Satoshi in bitcoin. Within the 21 million there are, the result is the float nearest to the exact amount.
pub(super) fn btc(sat: u64) -> f64 {
    sat as f64 / SAT_PER_BTC
}

/// Satoshi per 1,000 virtual bytes as satoshi per virtual byte.
pub(super) fn sat_per_vb(sat_per_kvb: u64) -> f64 {
    sat_per_kvb as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_those_that_the_node_writes() {
        assert_eq!(
            (btc(1), btc(123_456_789), btc(2_099_999_997_690_000)),
            (0.000_000_01, 1.234_567_89, 20_999_999.976_9)
        );
        assert_eq!((sat_per_vb(1_000), sat_per_vb(12_345)), (1.0, 12.345));
    }
}
