use std::fmt;

use bmon_analysis::histogram::{BOUNDS_US, Histogram};
use prometheus_client::{
    encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet},
    metrics::MetricType,
};

/// Labels and a value.
pub(super) type Sample = (Vec<(&'static str, String)>, f64);

/// A metric that every `T` has, none or several times.
pub(super) struct Family<T> {
    /// The name, without the suffix `_total`.
    pub(super) name: &'static str,
    /// What it is, in a fragment without a full stop.
    pub(super) help: &'static str,
    /// Whether it only grows, until what counts starts anew.
    pub(super) counter: bool,
    /// Its samples.
    pub(super) samples: fn(&T) -> Vec<Sample>,
}

/// Labels, and how many delays there are of each length.
pub(super) type Delays = (Vec<(&'static str, String)>, Histogram);

/// Encodes a histogram in seconds, if it has any samples.
pub(super) fn encode_histogram(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    samples: &[Delays],
) -> fmt::Result {
    if samples.is_empty() {
        return Ok(());
    }
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
    for (labels, histogram) in samples {
        let seconds = |us: u64| us as f64 / 1e6;
        let bounds = BOUNDS_US.iter().map(|bound| seconds(bound.unsigned_abs()));
        let above = histogram.count - histogram.counts.iter().sum::<u64>();
        let mut buckets: Vec<(f64, u64)> = bounds.zip(histogram.counts).collect();
        buckets.push((f64::MAX, above));
        let sum = seconds(histogram.sum_us);
        metric.encode_family(labels)?.encode_histogram::<NoLabelSet>(sum, histogram.count, &buckets, None)?;
    }
    Ok(())
}

impl<T> Family<T> {
    pub(super) fn encode<'a>(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        owners: impl Iterator<Item = &'a T>,
    ) -> fmt::Result
    where
        T: 'a,
    {
        let samples: Vec<_> = owners.flat_map(self.samples).collect();
        if samples.is_empty() {
            return Ok(());
        }
        let kind = if self.counter { MetricType::Counter } else { MetricType::Gauge };
        let mut metric = encoder.encode_descriptor(self.name, self.help, None, kind)?;
        for (labels, value) in samples {
            if labels.is_empty() {
                self.encode_value(&mut metric, value)?;
            } else {
                self.encode_value(&mut metric.encode_family(&labels)?, value)?;
            }
        }
        Ok(())
    }

    fn encode_value(&self, encoder: &mut MetricEncoder<'_>, value: f64) -> fmt::Result {
        if self.counter {
            encoder.encode_counter::<NoLabelSet, _, u64>(&value, None)
        } else {
            encoder.encode_gauge(&value)
        }
    }
}
