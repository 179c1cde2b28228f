//! What the number of delays of each length looks like; all else is as at the agent.

use std::fmt;

use bmon_analysis::histogram::{BOUNDS_US, Histogram};
pub(super) use bmon_metric::{Family, Sample};
use prometheus_client::{
    encoding::{DescriptorEncoder, NoLabelSet},
    metrics::MetricType,
};

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
