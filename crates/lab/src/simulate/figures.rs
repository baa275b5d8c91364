//! The figures that `hashgate simulate` reports.

use serde::Serialize;

/// The measured figures, and those computed from them for more clients.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    pub seed: u64,
    pub clients: u32,
    pub uploads: u64,
    pub list_size: u32,
    pub changes_a_day: u32,
    pub rings: u32,
    pub filter_bytes: u64,
    /// Image false-positive rate for which the filter was built.
    pub false_positive_rate: f64,
    pub different_clean_pictures: u32,
    pub clean_pictures_held_by_chance: u32,
    pub edited_copies_found: String,
    pub with: With,
    pub without: Without,
    pub times_fewer_checks: f64,
    pub larger: Vec<Larger>,
    pub assumptions: Vec<(String, String)>,
}

/// The costs on the server with hashgate.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
pub struct With {
    /// Number of confirm requests.
    pub checks: u64,
    pub listed: u64,
    pub cleared: u64,
    pub confirm_bytes: u64,
    pub confirm_cpu_s: f64,
    /// Mean CPU time of a confirm request in milliseconds, measured over many requests.
    pub cpu_ms_a_check: f64,
    pub manifest_requests: u64,
    pub manifest_bytes: u64,
    pub delta_requests: u64,
    pub delta_bytes: u64,
    pub update_cpu_s: f64,
    /// Bytes that the server sends per day to a client that has yesterday's release.
    pub update_bytes_a_client: f64,
    /// Bytes that the server sends to a client that was away and comes back.
    pub update_bytes_a_client_back: f64,
    pub new_clients: u64,
    pub first_download_bytes: u64,
    pub first_download_cpu_s: f64,
}

/// The costs on a server that hashes and matches every upload.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
pub struct Without {
    pub checks: u64,
    /// CPU time in milliseconds to decode and hash a picture, and to look up one orientation in the index of the
    /// confirm server.
    pub cpu_ms_a_check: f64,
    pub cpu_s: f64,
    pub picture_bytes_hashed: u64,
}

/// The costs of a day, computed for a larger number of clients.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Larger {
    pub clients: f64,
    pub uploads: f64,
    pub checks_without: f64,
    pub checks_with: f64,
    pub checks_a_second_with: f64,
    pub cpu_cores_without: f64,
    pub cpu_cores_with: f64,
    pub update_requests_a_second: f64,
    pub update_gigabytes: f64,
    pub first_download_gigabytes: f64,
}
