//! Time: the clock, dates for people, and the CPU time of this process.

use anyhow::{Context, Result};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Returns the seconds since 1970 UTC, by this machine's clock.
///
/// # Errors
/// The clock is set to a time before 1970.
pub fn now_unix_s() -> Result<u64> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Ok(since.context("system clock: expected a time after 1970, got an earlier one; set the clock")?.as_secs())
}

/// Returns a moment as RFC 3339 writes it, such as `2026-01-31T12:00:00Z`.
///
/// # Errors The moment is after the year 9999.
pub fn date(unix_s: u64) -> Result<String> {
    let moment = OffsetDateTime::from_unix_timestamp(i64::try_from(unix_s)?)?;
    Ok(moment.format(&Rfc3339)?)
}

/// Returns the CPU seconds that this process has used. Returns `None` where the system doesn't tell.
#[cfg(unix)]
#[must_use]
pub fn cpu_seconds() -> Option<f64> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Some(time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9)
}

/// Returns the CPU seconds that this process has used. Returns `None` where the system doesn't tell.
#[cfg(not(unix))]
#[must_use]
pub fn cpu_seconds() -> Option<f64> {
    None
}
