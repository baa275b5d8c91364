//! The counters of `/metrics`, in the text format of OpenMetrics, which Prometheus reads.

use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeLabelValue, EncodeMetric};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use hashgate_native::clock::cpu_seconds;

use crate::answer::Outcome;

/// The content type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    route: Route,
    status: u16,
}

/// The routes. Counters and log have only the route of a request, never its path.
#[derive(Debug, Clone, Copy, Hash, PartialEq, Eq, EncodeLabelValue)]
#[allow(missing_docs, reason = "the names are the paths")]
pub enum Route {
    Check,
    Confirm,
    List,
    Site,
    Health,
    Metrics,
    Openapi,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: OutcomeValue,
}

#[derive(Debug, Clone, Copy, Hash, PartialEq, Eq, EncodeLabelValue)]
enum OutcomeValue {
    Listed,
    NotListed,
    Unknown,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct CheckLabels {
    door: Door,
    outcome: String,
}

/// By which protocol a file came to be checked.
#[derive(Debug, Clone, Copy, Hash, PartialEq, Eq, EncodeLabelValue)]
pub enum Door {
    /// By `POST /v1/check`.
    Http,
    /// By the protocol of clamd.
    Clamd,
}

/// All counters.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    confirms: Family<OutcomeLabel, Counter>,
    work: Histogram,
    reloads: Family<ResultLabel, Counter>,
    upstream: Family<ResultLabel, Counter>,
    hashes: Family<KindLabel, Gauge>,
    checks: Family<CheckLabels, Counter>,
    checking_time: Histogram,
    /// Files that arrive, wait or are hashed.
    pub checking: Gauge,
    /// Whether the upstream answered the last time it was asked: 1, or 0.
    pub upstream_up: Gauge,
    /// Open connections.
    pub connections: Gauge,
    /// Connections that were closed because of a limit.
    pub refused: Counter,
}

impl Metrics {
    /// Makes counters that are all 0.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("hashgate");
        let requests = Family::<RequestLabels, Counter>::default();
        registry.register("requests", "Requests, by route and status", requests.clone());
        let confirms = Family::<OutcomeLabel, Counter>::default();
        for outcome in [OutcomeValue::Listed, OutcomeValue::NotListed, OutcomeValue::Unknown] {
            _ = confirms.get_or_create(&OutcomeLabel { outcome });
        }
        registry.register("confirms", "Possible matches that were asked about, by outcome", confirms.clone());
        let work = Histogram::new([0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 1.0]);
        let help = "Seconds of looking up, for a request's questions together, upstream included";
        registry.register("confirm_work_seconds", help, work.clone());
        let reloads = Family::<ResultLabel, Counter>::default();
        registry.register("list_loads", "Readings of the lists", reloads.clone());
        let upstream = Family::<ResultLabel, Counter>::default();
        registry.register("upstream_requests", "Requests to the upstream", upstream.clone());
        let hashes = Family::<KindLabel, Gauge>::default();
        registry.register("list_hashes", "Hashes that are held", hashes.clone());
        let checks = Family::<CheckLabels, Counter>::default();
        registry.register("checks", "Files that were checked, by door and outcome", checks.clone());
        let checking_time = Histogram::new([0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0]);
        let help = "Seconds from a free thread to the verdict on a file";
        registry.register("check_work_seconds", help, checking_time.clone());
        let checking = Gauge::default();
        registry.register("checks_in_progress", "Files that arrive, wait or are hashed", checking.clone());
        let upstream_up = Gauge::default();
        registry.register("upstream_up", "1 if the upstream answered when last asked, else 0", upstream_up.clone());
        let connections = Gauge::default();
        registry.register("connections", "Open connections", connections.clone());
        let refused = Counter::default();
        registry.register("connections_refused", "Connections closed at a limit", refused.clone());
        registry.sub_registry_with_prefix("process");
        registry.register_collector(Box::new(Process));
        Self {
            registry,
            requests,
            confirms,
            work,
            reloads,
            upstream,
            hashes,
            checks,
            checking_time,
            checking,
            upstream_up,
            connections,
            refused,
        }
    }

    /// Counts a request that was answered.
    pub fn request(&self, route: Route, status: u16) {
        self.requests.get_or_create(&RequestLabels { route, status }).inc();
    }

    /// Counts a question that was answered.
    pub fn confirm(&self, outcome: Outcome) {
        let outcome = match outcome {
            Outcome::Listed => OutcomeValue::Listed,
            Outcome::NotListed => OutcomeValue::NotListed,
            Outcome::Unknown => OutcomeValue::Unknown,
        };
        self.confirms.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    /// Notes how long the questions of a request took to look up.
    pub fn worked(&self, time: Duration) {
        self.work.observe(time.as_secs_f64());
    }

    /// Counts one reading of the lists. `result` is `loaded` or `refused`.
    pub fn load(&self, result: &'static str) {
        self.reloads.get_or_create(&ResultLabel { result }).inc();
    }

    /// Counts one request to the upstream. `result` is `answered` or `failed`.
    pub fn upstream(&self, result: &'static str) {
        self.upstream.get_or_create(&ResultLabel { result }).inc();
    }

    /// Counts a file that was checked. `outcome` is the verdict's.
    pub fn check(&self, door: Door, outcome: &str) {
        self.checks.get_or_create(&CheckLabels { door, outcome: outcome.to_owned() }).inc();
    }

    /// Notes how long a file took to hash and look up.
    pub fn checked(&self, time: Duration) {
        self.checking_time.observe(time.as_secs_f64());
    }

    /// Notes how many PDQ, SHA-256 and MD5 hashes the lists hold.
    pub fn held(&self, counts: [u64; 3]) {
        for (kind, count) in ["pdq", "sha256", "md5"].into_iter().zip(counts) {
            self.hashes.get_or_create(&KindLabel { kind }).set(count as i64);
        }
    }

    /// Returns the counters as text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry).expect("a String takes all");
        text
    }
}

/// CPU time and memory of this process, asked of the operating system at each scrape.
#[derive(Debug)]
struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        if let Some(seconds) = cpu_seconds() {
            let counter = ConstCounter::new(seconds);
            let help = "User and system CPU seconds";
            counter.encode(encoder.encode_descriptor("process_cpu_seconds", help, None, counter.metric_type())?)?;
        }
        if let Some(bytes) = resident_bytes() {
            let gauge = ConstGauge::new(bytes as i64);
            let help = "Resident memory in bytes";
            gauge.encode(encoder.encode_descriptor(
                "process_resident_memory_bytes",
                help,
                None,
                gauge.metric_type(),
            )?)?;
        }
        Ok(())
    }
}

/// Returns the resident memory of this process in bytes, on Linux, whose `/proc` tells it.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(kilobytes.trim().trim_end_matches(" kB").parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_has_every_metric() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/confirm-api.md");
        let page = std::fs::read_to_string(page).unwrap();
        let mut documented: Vec<_> = page
            .lines()
            .filter_map(|line| line.strip_prefix("| `"))
            .filter(|name| name.starts_with("hashgate_"))
            .map(|rest| rest.split(['`', '{']).next().unwrap().trim_end_matches("_total"))
            .collect();
        let metrics = Metrics::new();
        // Counters with labels are shown once they have counted something.
        metrics.request(Route::Check, 200);
        metrics.load("loaded");
        metrics.upstream("answered");
        metrics.check(Door::Http, "clear");
        metrics.held([0; 3]);
        let text = metrics.text();
        let mut given: Vec<_> = text
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE "))
            .map(|rest| rest.split(' ').next().unwrap())
            .collect();
        documented.sort_unstable();
        given.sort_unstable();
        assert_eq!(documented, given);
    }
}
