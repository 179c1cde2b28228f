use std::collections::HashSet;

use prometheus_client::{collector::Collector, encoding::text, registry::Registry};

/// The content type of [`open_metrics`].
pub const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// The content type of [`classic`].
pub const CLASSIC: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What `collector` tells, as OpenMetrics.
#[expect(clippy::missing_panics_doc, reason = "a string takes all that is written")]
pub fn open_metrics(collector: Box<dyn Collector>) -> String {
    let mut registry = Registry::default();
    registry.register_collector(collector);
    let mut page = String::new();
    text::encode(&mut page, &registry).expect("a string takes all that is written");
    page
}

/// What the names of counters, and of the parts of histograms, end with.
const RESERVED: [&str; 4] = ["_total", "_count", "_sum", "_bucket"];

/// OpenMetrics as the classic text format: there a counter's family has the suffix `_total` too, and the unit and the end are
/// not said. A gauge whose name has a reserved suffix, because somebody else named it, is said to be of no type.
pub fn classic(page: &str) -> String {
    let mut counters = HashSet::new();
    for line in page.lines() {
        counters.extend(line.strip_prefix("# TYPE ").and_then(|rest| rest.strip_suffix(" counter")));
    }
    let mut classic = String::with_capacity(page.len());
    for line in page.lines().filter(|line| !line.starts_with("# UNIT ") && *line != "# EOF") {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some(word), Some(name), Some(rest)) if counters.contains(name) => {
                classic.extend(["# ", word, " ", name, "_total ", rest, "\n"]);
            }
            (Some("#"), Some("TYPE"), Some(name), Some("gauge"))
                if RESERVED.iter().any(|suffix| name.ends_with(suffix)) =>
            {
                classic.extend(["# TYPE ", name, " untyped\n"]);
            }
            _ => classic.extend([line, "\n"]),
        }
    }
    classic
}

#[cfg(test)]
mod tests {
    #[test]
    fn classic_text_names_a_counters_family_as_its_samples() {
        let open = "# HELP a A.\n# TYPE a counter\na_total 1\n# HELP b_bytes B.\n# TYPE b_bytes gauge\n\
                    # UNIT b_bytes bytes\nb_bytes 2\n# EOF\n";
        let classic = "# HELP a_total A.\n# TYPE a_total counter\na_total 1\n# HELP b_bytes B.\n# TYPE b_bytes gauge\n\
                       b_bytes 2\n";
        assert_eq!(super::classic(open), classic);
    }

    #[test]
    fn what_only_looks_like_a_counter_is_of_no_type() {
        let open = "# HELP memory_total M.\n# TYPE memory_total gauge\nmemory_total 1\n# EOF\n";
        let classic = "# HELP memory_total M.\n# TYPE memory_total untyped\nmemory_total 1\n";
        assert_eq!(super::classic(open), classic);
    }
}
