//! Asks another matcher: Meta's Hasher-Matcher-Actioner (HMA).

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use hashgate::pdq::PdqHash;
use rand::Rng;
use serde_json::{Value, json};

use crate::answer::MAX_BANK_NAME;
use crate::log::log;
use crate::metrics::Metrics;

/// Most attempts for a question.
const ATTEMPTS: u32 = 3;
/// Time limit of an attempt.
const TIMEOUT: Duration = Duration::from_millis(1500);
/// Time limit for a question, over all attempts.
const DEADLINE: Duration = Duration::from_secs(4);
/// After this many failed questions in a row, the upstream isn't asked for the time `REST`.
const TRIPS: u32 = 5;
const REST: Duration = Duration::from_secs(10);
/// Longest answer in bytes.
const MAX_ANSWER: usize = 1 << 20;

/// The address of the upstream, given as `hma=URL`.
#[derive(Debug, Clone)]
pub struct Address(reqwest::Url);

impl std::str::FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some(url) = text.strip_prefix("hma=") else {
            return Err(format!("expected hma=URL, got {text:?}"));
        };
        let mut url = reqwest::Url::parse(url).map_err(|error| format!("expected a URL, got {url:?}: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("expected http or https, got {:?}", url.scheme()));
        }
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        Ok(Self(url))
    }
}

/// The upstream's answer that one of its banks holds a near hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The name of the bank.
    pub bank: String,
    /// Number of bits in which the hashes differ, if the upstream tells.
    pub distance: Option<u32>,
}

/// Counts failures in a row. After too many, the upstream isn't asked until `open_until`.
#[derive(Debug, Default)]
struct Circuit {
    failures: u32,
    open_until: Option<Instant>,
}

/// The client of the upstream: its connections, and the counter of failures.
#[derive(Debug)]
pub struct Upstream {
    client: reqwest::Client,
    address: Address,
    circuit: Mutex<Circuit>,
    down: AtomicBool,
}

impl Upstream {
    /// Makes the client. It connects only when the first question comes.
    ///
    /// # Errors
    /// The HTTP client can't be made.
    pub fn new(address: Address) -> Result<Self> {
        // Ignores the error: it means that a provider is already installed, and that one is used.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("hashgate/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, address, circuit: Mutex::default(), down: AtomicBool::new(false) })
    }

    /// Whether the upstream failed when it was last asked.
    pub fn is_down(&self) -> bool {
        self.down.load(Ordering::Relaxed)
    }

    fn note(&self, up: bool, metrics: &Metrics) {
        self.down.store(!up, Ordering::Relaxed);
        metrics.upstream_up.set(i64::from(up));
    }

    /// Asks the upstream for the state of its index. Returns `false` if it can't be reached or fails.
    ///
    /// # Errors
    /// The URL is wrong: a server answers, but it is not an HMA that knows PDQ.
    pub async fn probe(&self, metrics: &Metrics) -> Result<bool> {
        let url = self.address.0.join("m/index/status")?;
        let answered = self.client.get(url).send().await;
        let (status, json) = match answered {
            Ok(response) => (response.status(), read_json(response).await),
            Err(_) => {
                self.note(false, metrics);
                return Ok(false);
            }
        };
        let known = json.as_ref().is_ok_and(|json| json["pdq"].is_object());
        let busy = status.is_server_error() || status == reqwest::StatusCode::TOO_MANY_REQUESTS;
        self.note(status.is_success() && known, metrics);
        if status.is_success() && known {
            return Ok(true);
        }
        if busy {
            return Ok(false);
        }
        let got = if status.is_success() { "another answer".into() } else { format!("status {status}") };
        bail!(
            "--upstream: expected HMA's index status with the signal type pdq at m/index/status below the URL, got {got}; \
             correct the URL"
        )
    }

    /// While the upstream is down, asks it again every `REST`, so that `/healthz` tells when it is back. Never ends.
    pub async fn watch(&self, metrics: &Metrics) {
        loop {
            tokio::time::sleep(REST).await;
            if self.is_down() {
                let _ = self.probe(metrics).await;
            }
        }
    }

    /// Asks for the nearest hash within the upstream's own threshold.
    ///
    /// # Errors
    /// The upstream doesn't answer any attempt. Or it failed so often that it isn't asked now.
    pub async fn ask(&self, hash: &PdqHash, metrics: &Metrics) -> Result<Option<Hit>> {
        self.pass()?;
        let answered = tokio::time::timeout(DEADLINE, self.attempts(hash, metrics)).await;
        let answered = answered.unwrap_or_else(|_| bail!("no answer within {} s", DEADLINE.as_secs()));
        self.note(answered.is_ok(), metrics);
        let mut circuit = self.circuit.lock().expect("never poisoned");
        match &answered {
            Ok(_) => *circuit = Circuit::default(),
            Err(_) => {
                circuit.failures += 1;
                if circuit.failures >= TRIPS {
                    circuit.open_until = Some(Instant::now() + REST);
                    log("upstream-rests", json!({ "seconds": REST.as_secs() }));
                }
            }
        }
        answered
    }

    /// Returns an error as long as the upstream must not be asked. After that time, lets one question at a time pass
    /// until the upstream answers one.
    fn pass(&self) -> Result<()> {
        let mut circuit = self.circuit.lock().expect("never poisoned");
        match circuit.open_until {
            Some(until) if Instant::now() < until => bail!("it failed {} times in a row and rests", circuit.failures),
            // Lets only this question pass. Others fail until it is answered or times out.
            Some(_) => circuit.open_until = Some(Instant::now() + DEADLINE),
            None => {}
        }
        Ok(())
    }

    async fn attempts(&self, hash: &PdqHash, metrics: &Metrics) -> Result<Option<Hit>> {
        let mut pause = Duration::from_millis(50);
        let mut attempt = 1;
        loop {
            let answered = self.once(hash).await;
            metrics.upstream(if answered.is_ok() { "answered" } else { "failed" });
            match answered {
                Err(error) if attempt < ATTEMPTS && error.is::<reqwest::Error>() => {
                    let jitter = rand::rng().random_range(0.5..1.5);
                    tokio::time::sleep(pause.mul_f64(jitter)).await;
                    pause *= 3;
                    attempt += 1;
                }
                // The address in the error contains the hash, which must not get into the log.
                other => return other.map_err(|error| anyhow::anyhow!(without_address(error))),
            }
        }
    }

    async fn once(&self, hash: &PdqHash) -> Result<Option<Hit>> {
        let mut url = self.address.0.join("m/lookup")?;
        url.query_pairs_mut().append_pair("signal_type", "pdq").append_pair("signal", &hash.to_string());
        // HMA can enable a bank for only a share of the lookups, which it chooses at random. With the hash as the seed,
        // the same hash always gets the same answer.
        url.query_pairs_mut().append_pair("seed", &hash.to_string());
        let response = self.client.get(url).send().await?;
        if response.status().is_server_error() {
            response.error_for_status_ref()?;
        }
        if !response.status().is_success() {
            bail!("expected status 200, got {}", response.status());
        }
        hit(&read_json(response).await?)
    }
}

/// Reads an answer's body, up to a length.
async fn read_json(mut response: reqwest::Response) -> Result<Value> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ANSWER {
            bail!("expected an answer of at most {MAX_ANSWER} bytes, got more");
        }
    }
    serde_json::from_slice(&body).context("expected JSON")
}

fn without_address(error: anyhow::Error) -> String {
    match error.downcast::<reqwest::Error>() {
        Ok(error) => {
            let error = error.without_url();
            let mut text = error.to_string();
            let mut source = std::error::Error::source(&error);
            while let Some(cause) = source {
                text += &format!(": {cause}");
                source = cause.source();
            }
            text
        }
        Err(error) => format!("{error:#}"),
    }
}

/// Reads an answer: `{"BANK": [{"bank_content_id": 1, "distance": "4"}]}` of HMA today, `["BANK"]` of earlier versions.
fn hit(answer: &Value) -> Result<Option<Hit>> {
    let mut hits = Vec::new();
    match answer {
        Value::Object(banks) => {
            for (bank, contents) in banks {
                let Value::Array(contents) = contents else { bail!("expected a list of contents for each bank") };
                for content in contents {
                    let distance = match &content["distance"] {
                        Value::String(text) => text.parse().ok(),
                        number => number.as_u64().and_then(|distance| u32::try_from(distance).ok()),
                    };
                    hits.push(Hit { bank: bank.clone(), distance });
                }
            }
        }
        Value::Array(banks) => {
            for bank in banks {
                let Value::String(bank) = bank else { bail!("expected the names of banks") };
                hits.push(Hit { bank: bank.clone(), distance: None });
            }
        }
        _ => bail!("expected banks, got something else"),
    }
    let nearest = hits.into_iter().min_by_key(|hit| (hit.distance.unwrap_or(u32::MAX), hit.bank.clone()));
    // HMA's names of banks are capitals, digits and underscores.
    Ok(nearest
        .map(|hit| Hit { bank: hit.bank.chars().filter(char::is_ascii_graphic).take(MAX_BANK_NAME).collect(), ..hit }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_of_hma_is_understood_and_nothing_else() {
        let some = |bank: &str, distance| Some(Hit { bank: bank.into(), distance });
        assert_eq!(hit(&json!({})).unwrap(), None);
        assert_eq!(hit(&json!([])).unwrap(), None);
        assert_eq!(hit(&json!(["A", "B"])).unwrap(), some("A", None));
        let banks =
            json!({ "A": [{ "bank_content_id": 1, "distance": "14" }], "B": [{ "content_id": 2, "distance": 4 }] });
        assert_eq!(hit(&banks).unwrap(), some("B", Some(4)));
        for other in [json!("A"), json!({ "A": 1 }), json!([1]), json!(null)] {
            assert!(hit(&other).is_err(), "{other}");
        }
    }
}
