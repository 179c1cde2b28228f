//! The laws of chance that the signals are judged by.
//!
//! Tails are summed from the side on which nothing cancels, and in logarithms where a binomial coefficient would
//! overflow: a chance of 1e-200 is as exact as one of 0.1. None of these is ever NaN or outside [0, 1].

/// The chance of at least one event within `span_us`, of events that come independently every `interval_us` on
/// average: 1 − e^(−t/m).
pub fn within(span_us: i64, interval_us: i64) -> f64 {
    -(-mean_events(span_us, interval_us)).exp_m1()
}

/// The chance of at least `events` of them within `span_us`: the Erlang law, 1 − Σ e^(−x) x^i / i! over i < `events`.
pub fn at_least_within(events: u32, span_us: i64, interval_us: i64) -> f64 {
    let mean = mean_events(span_us, interval_us);
    if events == 0 {
        return 1.0;
    }
    if mean <= 0.0 {
        return 0.0;
    }
    let first = |events: u32| (f64::from(events) * mean.ln() - mean - ln_factorial(events)).exp();
    if mean < f64::from(events) {
        return sum_while_it_counts(first(events), (events..).map(|count| mean / (f64::from(count) + 1.0)));
    }
    let below =
        sum_while_it_counts(first(events - 1), (1..events).rev().map(|count| f64::from(count) / mean));
    (1.0 - below).clamp(0.0, 1.0)
}

/// The chance of at least `hits` in `trials` independent trials that each hit with `chance`: the binomial law.
pub fn at_least_of(hits: u32, trials: u32, chance: f64) -> f64 {
    // Written so that NaN counts as certain, which raises no alarm.
    let chance = if chance < 1.0 { chance.max(0.0) } else { 1.0 };
    if hits == 0 || (chance >= 1.0 && hits <= trials) {
        return 1.0;
    }
    if chance <= 0.0 || hits > trials {
        return 0.0;
    }
    let odds = chance / (1.0 - chance);
    let first = |hits: u32| {
        let misses = f64::from(trials - hits) * (-chance).ln_1p();
        (ln_choose(trials, hits) + f64::from(hits) * chance.ln() + misses).exp()
    };
    if f64::from(hits) > f64::from(trials) * chance {
        let ratios = (hits..trials).map(|hits| f64::from(trials - hits) / (f64::from(hits) + 1.0) * odds);
        return sum_while_it_counts(first(hits), ratios);
    }
    let ratios = (1..hits).rev().map(|hits| f64::from(hits) / (f64::from(trials - hits) + 1.0) / odds);
    (1.0 - sum_while_it_counts(first(hits - 1), ratios)).clamp(0.0, 1.0)
}

/// How many adjacent pairs one pool's `own` blocks form among `all`, if every order of the blocks is as likely: at
/// place k the chance of k pairs. With R = own − k runs it is P(R = r) = C(own−1, r−1) · C(all−own+1, r) / C(all, own).
/// One place, of chance 1, for a pool without blocks; more blocks than there are count as all.
pub fn adjacent_pairs(own: u32, all: u32) -> Vec<f64> {
    let own = own.min(all);
    let ln_factorials = ln_factorials(all + 1);
    let ln = |count: u32| ln_factorials.get(count as usize).copied().unwrap_or_default();
    let ln_choose = |of: u32, count: u32| ln(of) - ln(count) - ln(of - count);
    let chance = |pairs: u32| {
        let (runs, gaps) = (own - pairs, all - own + 1);
        if runs > gaps {
            return 0.0;
        }
        (ln_choose(own - 1, runs - 1) + ln_choose(gaps, runs) - ln_choose(all, own)).exp()
    };
    if own == 0 { vec![1.0] } else { (0..own).map(chance).collect() }
}

/// The mean of [`adjacent_pairs`]: n(n−1)/N.
pub fn adjacent_pairs_mean(own: u32, all: u32) -> f64 {
    let (own, all) = (f64::from(own.min(all)), f64::from(all));
    if all < 1.0 { 0.0 } else { own * (own - 1.0) / all }
}

/// The variance of [`adjacent_pairs`]: n(n−1)(N−n+1)(N−n) / (N²(N−1)).
pub fn adjacent_pairs_variance(own: u32, all: u32) -> f64 {
    let (own, all) = (f64::from(own.min(all)), f64::from(all));
    if all < 2.0 {
        return 0.0;
    }
    own * (own - 1.0) * (all - own + 1.0) * (all - own) / (all * all * (all - 1.0))
}

/// The law of the sum of two independent counts whose laws these are.
pub fn sum(one: &[f64], other: &[f64]) -> Vec<f64> {
    let mut sum = vec![0.0; (one.len() + other.len()).saturating_sub(1)];
    for (place, chance) in one.iter().enumerate().filter(|(_, chance)| **chance > 0.0) {
        for (sum, other) in sum.iter_mut().skip(place).zip(other) {
            *sum += chance * other;
        }
    }
    sum
}

/// The chance of at least `count` under this law.
pub fn at_least(count: usize, law: &[f64]) -> f64 {
    // From the far end, where the small ones are.
    let tail: f64 = law.iter().skip(count).rev().sum();
    if count == 0 { 1.0 } else { tail.clamp(0.0, 1.0) }
}

/// Holm's correction for as many tests as there are chances: whoever alarms where the corrected chance is below a has
/// a chance of at most a of any false alarm among them, whatever depends on what (Holm, "A Simple Sequentially
/// Rejective Multiple Test Procedure", 1979). In the order of the chances given.
pub fn holm(chances: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..chances.len()).collect();
    order.sort_by(|one, other| chances[*one].total_cmp(&chances[*other]));
    let (mut corrected, mut least) = (vec![1.0; chances.len()], 0.0_f64);
    for (rank, place) in order.into_iter().enumerate() {
        least = least.max((chances[place] * (chances.len() - rank) as f64).min(1.0));
        corrected[place] = least;
    }
    corrected
}

/// Events that are expected within `span_us`.
fn mean_events(span_us: i64, interval_us: i64) -> f64 {
    span_us.max(0) as f64 / interval_us.max(1) as f64
}

/// `first`, and what follows from it by the ratios of neighbours, until a term no longer changes the sum.
fn sum_while_it_counts(first: f64, ratios: impl Iterator<Item = f64>) -> f64 {
    let (mut term, mut sum) = (first, first);
    for ratio in ratios {
        term *= ratio;
        let before = sum;
        sum += term;
        if before >= sum {
            break;
        }
    }
    sum.clamp(0.0, 1.0)
}

fn ln_choose(of: u32, count: u32) -> f64 {
    ln_factorial(of) - ln_factorial(count) - ln_factorial(of - count)
}

fn ln_factorial(of: u32) -> f64 {
    (2..=of).map(|factor| f64::from(factor).ln()).sum()
}

/// ln 0! to ln `most`!.
fn ln_factorials(most: u32) -> Vec<f64> {
    let mut sum = 0.0;
    let next = |factor: u32| {
        sum += f64::from(factor.max(1)).ln();
        sum
    };
    (0..=most).map(next).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const INTERVAL_US: i64 = 600_000_000;

    fn assert_near(found: f64, expected: f64) {
        assert!((found - expected).abs() <= 1e-10 * expected.abs() + 1e-300, "{found} is not {expected}");
    }

    #[test]
    fn the_exponential_law_gives_its_closed_form() {
        assert_near(within(1_000_000, INTERVAL_US), 0.001_665_278_549_061_321);
        assert_near(within(600_000_000, INTERVAL_US), 1.0 - (-1.0_f64).exp());
        assert_near(within(600, INTERVAL_US), 1e-6 - 5e-13 + 1e-18 / 6.0);
        assert_near(within(-5, INTERVAL_US), 0.0);
        assert_near(within(5, 0), 1.0 - (-5.0_f64).exp());
    }

    #[test]
    fn the_erlang_law_gives_its_closed_form_on_both_sides() {
        for tenths in [1, 5, 10, 19, 21, 70, 400_u32] {
            let (x, span_us) = (f64::from(tenths) / 10.0, i64::from(tenths) * INTERVAL_US / 10);
            let e = (-x).exp();
            assert_near(at_least_within(1, span_us, INTERVAL_US), within(span_us, INTERVAL_US));
            if x >= 0.5 {
                assert_near(at_least_within(2, span_us, INTERVAL_US), 1.0 - e * (1.0 + x));
                assert_near(at_least_within(3, span_us, INTERVAL_US), 1.0 - e * (1.0 + x + x * x / 2.0));
            }
        }
        // Where the closed form has cancelled away: x²/2 − x³/3.
        assert_near(at_least_within(2, 600, INTERVAL_US), 5e-13 - 1e-18 / 3.0);
        assert_near(at_least_within(2, 0, INTERVAL_US), 0.0);
        assert_near(at_least_within(0, 0, INTERVAL_US), 1.0);
        assert_near(at_least_within(2, i64::MAX, 1), 1.0);
    }

    #[test]
    fn the_binomial_law_is_that_of_all_outcomes() {
        for (trials, chance) in [(1, 0.3), (10, 0.01), (12, 0.5), (9, 0.97)] {
            for hits in 0..=trials + 1 {
                let mut expected = 0.0;
                for outcome in 0..1_u32 << trials {
                    let count = outcome.count_ones();
                    if count >= hits {
                        let misses = i32::try_from(trials - count).unwrap();
                        expected += f64::powi(chance, count.cast_signed()) * f64::powi(1.0 - chance, misses);
                    }
                }
                assert_near(at_least_of(hits, trials, chance), expected);
            }
        }
        assert_near(at_least_of(1, 2_016, 1e-9), -(2_016.0 * (-1e-9_f64).ln_1p()).exp_m1());
        assert_near(at_least_of(1, 5_000, 0.999), 1.0);
        assert_near(at_least_of(1, 2_016, f64::NAN), 1.0);
        assert_near(at_least_of(2_017, 2_016, 1.0), 0.0);
    }

    #[test]
    fn the_law_of_adjacent_pairs_is_that_of_all_orders() {
        for all in 1..=14_u32 {
            let mut counts = vec![vec![0_u32; all as usize]; all as usize + 1];
            for order in 0..1_u32 << all {
                let pairs = (order & (order >> 1)).count_ones();
                counts[order.count_ones() as usize][pairs as usize] += 1;
            }
            for own in 0..=all {
                let (law, counts) = (adjacent_pairs(own, all), &counts[own as usize]);
                let orders = f64::from(counts.iter().sum::<u32>());
                for (chance, count) in law.iter().zip(counts) {
                    assert_near(*chance, f64::from(*count) / orders);
                }
                assert!(counts[law.len().min(counts.len())..].iter().all(|count| *count == 0));
            }
        }
    }

    #[test]
    fn mean_and_variance_are_those_of_the_law() {
        for (own, all) in [(0, 0), (1, 1), (2, 2), (3, 10), (20, 2_016), (600, 2_016), (2_000, 2_016)] {
            let law = adjacent_pairs(own, all);
            let moment = |power: i32| -> f64 {
                law.iter().enumerate().map(|(pairs, chance)| (pairs as f64).powi(power) * chance).sum()
            };
            let (mean, variance) = (adjacent_pairs_mean(own, all), adjacent_pairs_variance(own, all));
            assert!((moment(0) - 1.0).abs() < 1e-9);
            assert!((moment(1) - mean).abs() < 1e-8 * mean.max(1.0), "{own} of {all}: {}", moment(1));
            let found = moment(2) - moment(1).powi(2);
            assert!((found - variance).abs() < 1e-5 * variance.max(1.0), "{own} of {all}: {found}");
        }
    }

    #[test]
    fn the_normal_tail_is_far_off_for_a_small_pool() {
        // Two pairs of 20 in 2,016 blocks are more than four sigma, which a normal law would give a chance of 0.001 %.
        let (mean, sigma) = (adjacent_pairs_mean(20, 2_016), adjacent_pairs_variance(20, 2_016).sqrt());
        assert!((2.0 - mean) / sigma > 4.0);
        let chance = at_least(2, &adjacent_pairs(20, 2_016));
        assert!((0.013..0.016).contains(&chance), "{chance}");
    }

    #[test]
    fn the_law_of_a_sum_is_that_of_all_pairs() {
        let (one, other) = (adjacent_pairs(5, 11), adjacent_pairs(4, 9));
        let sum = sum(&one, &other);
        for (count, chance) in sum.iter().enumerate() {
            let expected: f64 =
                (0..=count).filter_map(|first| Some(one.get(first)? * other.get(count - first)?)).sum();
            assert_near(*chance, expected);
        }
        assert!((sum.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert_eq!(super::sum(&[1.0], &one), one);
    }

    #[test]
    fn holm_multiplies_by_the_tests_left_and_never_falls() {
        let corrected = holm(&[0.04, 0.001, 0.5, 0.011]);
        for (found, expected) in corrected.into_iter().zip([0.08, 0.004, 0.5, 0.033]) {
            assert_near(found, expected);
        }
        assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
        assert!(holm(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn more_events_or_less_time_are_never_more_likely(
            events in 0..60_u32, span_us in -10..40_000_000_000_i64, more_us in 0..10_000_000_000_i64,
            interval_us in 0..1_000_000_000_i64,
        ) {
            let chance = at_least_within(events, span_us, interval_us);
            prop_assert!((0.0..=1.0).contains(&chance), "{}", chance);
            prop_assert!(at_least_within(events + 1, span_us, interval_us) <= chance + 1e-12);
            prop_assert!(at_least_within(events, span_us + more_us, interval_us) >= chance - 1e-12);
        }

        #[test]
        fn more_hits_or_a_smaller_chance_are_never_more_likely(
            hits in 0..3_000_u32, trials in 0..3_000_u32, chance in 0.0..=1.0_f64, more in 0.0..=1.0_f64,
        ) {
            let found = at_least_of(hits, trials, chance);
            prop_assert!((0.0..=1.0).contains(&found), "{}", found);
            prop_assert!(at_least_of(hits + 1, trials, chance) <= found + 1e-9);
            prop_assert!(at_least_of(hits, trials, (chance + more).min(1.0)) >= found - 1e-9);
        }

        #[test]
        fn more_adjacent_pairs_are_never_more_likely(own in 0..500_u32, all in 0..500_u32, other in 0..50_u32) {
            let law = sum(&adjacent_pairs(own, all), &adjacent_pairs(other, 50));
            prop_assert!((law.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            let tails: Vec<_> = (0..=law.len()).map(|count| at_least(count, &law)).collect();
            prop_assert!(tails.iter().all(|tail| (0.0..=1.0).contains(tail)));
            prop_assert!(tails.is_sorted_by(|one, next| one >= next || next - one < 1e-12));
        }

        #[test]
        fn a_corrected_chance_is_at_least_the_chance(chances in prop::collection::vec(0.0..=1.0_f64, 0..30)) {
            for (corrected, chance) in holm(&chances).into_iter().zip(&chances) {
                prop_assert!(corrected >= *chance && corrected <= 1.0);
            }
        }
    }
}
