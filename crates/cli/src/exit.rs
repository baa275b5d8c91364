//! Exit codes: 0 for success, 1 if a file matched, 2 for a failure without a code of its own, and one code for each
//! reason to refuse a release.

use hashgate::{Refusal, RefusalCode};

/// Something could not be done, read or checked.
pub const FAILURE: u8 = 2;
/// A release is valid, but expires within the time given by `verify --warn-before`.
pub const EXPIRES_SOON: u8 = 3;

/// Returns the exit code of a failure, and the error code if the failure is a [`Refusal`].
pub fn of(error: &anyhow::Error) -> (u8, Option<&'static str>) {
    match error.downcast_ref::<Refusal>() {
        Some(Refusal { code, .. }) => (exit_code(*code), Some(code.as_str())),
        None => (FAILURE, None),
    }
}

fn exit_code(code: RefusalCode) -> u8 {
    match code {
        RefusalCode::TrustInvalid => 10,
        RefusalCode::ManifestSyntax => 11,
        RefusalCode::ManifestField => 12,
        RefusalCode::ManifestWrongKey => 13,
        RefusalCode::ManifestTooFewSignatures => 14,
        RefusalCode::ManifestBadSignature => 15,
        RefusalCode::ManifestExpired => 16,
        RefusalCode::ManifestNotYetValid => 17,
        RefusalCode::ManifestRollback => 18,
        RefusalCode::ReleaseLength => 19,
        RefusalCode::ReleaseDigest => 20,
        RefusalCode::ReleaseMismatch => 21,
        RefusalCode::DeltaBase => 22,
        RefusalCode::DeltaSyntax => 23,
        RefusalCode::ManifestWrongList => 24,
        RefusalCode::LogSyntax => 25,
        RefusalCode::LogWrongOrigin => 26,
        RefusalCode::LogWrongKey => 27,
        RefusalCode::LogBadSignature => 28,
        RefusalCode::LogTooFewWitnesses => 29,
        RefusalCode::LogNotIncluded => 30,
        RefusalCode::LogStale => 31,
        RefusalCode::LogInconsistent => 32,
        _ => FAILURE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_has_every_exit_code() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/command-line.md");
        let page = std::fs::read_to_string(page).unwrap();
        let mut codes: Vec<_> = RefusalCode::ALL.iter().map(|&code| (exit_code(code), code)).collect();
        codes.retain(|&(code, _)| code != FAILURE);
        for &(number, code) in &codes {
            let row = format!("| {number} | `{}` |", code.as_str());
            assert!(page.contains(&row), "docs/reference/command-line.md: expected {row:?}");
        }
        codes.sort_unstable_by_key(|&(number, _)| number);
        codes.dedup_by_key(|(number, _)| *number);
        assert_eq!(codes.len(), 23, "each code has a number of its own");
    }
}
