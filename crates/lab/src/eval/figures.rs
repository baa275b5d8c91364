//! The figures that `hashgate eval` reports.

use serde::Serialize;

use super::confirm::Confirm;

/// All figures.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    pub seed: u64,
    pub pictures: usize,
    /// Paths of pictures that could not be used, with the reason.
    pub left_out: Vec<String>,
    pub list_size: usize,
    pub rings: u32,
    pub false_positive_rate: f64,
    pub bytes_per_hash: f64,
    pub bits_per_item: f64,
    pub lookups: u64,
    pub edits: Vec<Recall>,
    pub all: Recall,
    pub confirm: Confirm,
    pub budgets: Vec<Budget>,
    pub false_positives: Vec<FalsePositives>,
    pub times: Times,
}

/// How many copies of an edit were found.
#[derive(Serialize, Clone, Default)]
#[serde(rename_all = "camelCase")]
pub struct Recall {
    pub edit: String,
    pub about: String,
    pub copies: u32,
    /// Number of copies whose PDQ quality is under 50. Such hashes aren't compared, so these copies can't be found.
    pub low_quality: u32,
    /// Number of copies with the same PDQ hash as a listed one.
    pub exact: u32,
    /// Number of copies within a Hamming distance of 31.
    pub near: u32,
    /// Number of copies that the filter finds.
    pub found: u32,
}

/// How many copies were found with another lookup budget.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Budget {
    pub lookup_budget: u32,
    pub view_lookup_budget: u32,
    pub lookups: u64,
    pub bytes_per_hash: f64,
    pub copies: u32,
    pub found: u32,
}

/// How many pictures that aren't on the list matched.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FalsePositives {
    pub false_positive_rate: f64,
    pub bits_per_item: f64,
    pub pictures: u32,
    pub held: u32,
}

/// Times on this machine.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
pub struct Times {
    /// Median time of all lookups of a clean picture, in milliseconds.
    pub lookup_ms: f64,
    /// Mean time of a lookup, in nanoseconds.
    pub lookup_ns: f64,
    /// Median time to compute the Hamming distances of all eight orientations to every hash of the list, in
    /// milliseconds.
    pub scan_ms: f64,
}

/// Returns a share in per cent.
pub fn percent(part: u32, whole: u32) -> f64 {
    100.0 * f64::from(part) / f64::from(whole.max(1))
}
