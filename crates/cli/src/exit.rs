//! Exit codes: 0 if all is well, 1 if something matched, 2 for any failure without a code of its own, and a code for each
//! reason to refuse a release.

use hashgate::release::{Refusal, ReleaseError};

/// Something could not be done, read or checked.
pub const FAILURE: u8 = 2;

/// Returns the exit code of a failure, and its name if it is a refused release.
pub fn of(error: &anyhow::Error) -> (u8, Option<&'static str>) {
    match error.downcast_ref::<ReleaseError>() {
        Some(ReleaseError { refusal, .. }) => (code(*refusal), Some(refusal.code())),
        None => (FAILURE, None),
    }
}

fn code(refusal: Refusal) -> u8 {
    match refusal {
        Refusal::TrustInvalid => 10,
        Refusal::ManifestSyntax => 11,
        Refusal::ManifestField => 12,
        Refusal::ManifestWrongKey => 13,
        Refusal::ManifestTooFewSignatures => 14,
        Refusal::ManifestBadSignature => 15,
        Refusal::ManifestExpired => 16,
        Refusal::ManifestNotYetValid => 17,
        Refusal::ManifestRollback => 18,
        Refusal::ReleaseLength => 19,
        Refusal::ReleaseDigest => 20,
        Refusal::ReleaseMismatch => 21,
        Refusal::DeltaBase => 22,
        Refusal::DeltaSyntax => 23,
    }
}
