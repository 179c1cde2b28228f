use std::fmt;

use prometheus_client::{
    encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet},
    metrics::MetricType,
};

/// Labels and a value.
pub type Sample = (Vec<(&'static str, String)>, f64);

/// A metric that every `T` has, none or several times.
#[derive(Debug)]
pub struct Family<T> {
    /// The name, without the suffix `_total` of a counter.
    pub name: &'static str,
    /// What it is, in a fragment without a full stop.
    pub help: &'static str,
    /// Whether it only grows, until what counts starts anew.
    pub counter: bool,
    /// Its samples.
    pub samples: fn(&T) -> Vec<Sample>,
}

impl<T> Family<T> {
    /// Writes the samples of all `owners`, if there are any.
    pub fn encode<'a>(
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
